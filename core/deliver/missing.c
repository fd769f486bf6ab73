#include "deliver/missing.h"

void missing_names_init(struct missing_names *n, struct secrets *s)
{
    n->secrets = s;
    map_init(&n->absent);
}

void missing_names_fini(struct missing_names *n)
{
    map_fini(&n->absent);
}

bool missing_look(struct missing_names *n, struct str name, struct err *e)
{
    struct str value;
    if (map_get(&n->absent, name)) {
        return true;
    }
    if (secrets_get(n->secrets, name, &value, e) == 0) {
        return false;
    }
    map_put(&n->absent, name, n); // without memory it is looked up once more
    return true;
}

static void missing_tell(struct missing_names *n, const char *file, struct str name,
                         void (*tell)(void *ctx, const struct missing *m), void *ctx)
{
    struct err e = {0};
    if (!map_get(&n->absent, name) && missing_look(n, name, &e)) {
        tell(ctx, &(struct missing){file, name, e.text});
    }
}

static void missing_tell_workflow(struct missing_names *n, const struct rules_workflow *w,
                                  void (*tell)(void *ctx, const struct missing *m), void *ctx)
{
    for (size_t i = 0; i < w->secret_count; i++) {
        missing_tell(n, w->file, w->secrets[i], tell, ctx);
    }
}

void missing_each(const struct rules *r, struct secrets *s,
                  void (*tell)(void *ctx, const struct missing *m), void *ctx)
{
    struct missing_names names;
    missing_names_init(&names, s);
    for (size_t i = 0; i < rules_workflow_count(r); i++) {
        missing_tell_workflow(&names, rules_workflow(r, i), tell, ctx);
    }
    for (size_t i = 0; i < rules_source_count(r); i++) {
        const struct rules_source *source = rules_source(r, i);
        for (size_t k = 0; source->is_loaded && k < source->verify.secret_count; k++) {
            missing_tell(&names, source->file, str_from(source->verify.secrets[k]), tell, ctx);
        }
    }
    missing_names_fini(&names);
}

void missing_each_of(const struct rules_workflow *w, struct secrets *s,
                     void (*tell)(void *ctx, const struct missing *m), void *ctx)
{
    struct missing_names names;
    missing_names_init(&names, s);
    missing_tell_workflow(&names, w, tell, ctx);
    missing_names_fini(&names);
}

static void missing_log(void *ctx, const struct missing *m)
{
    log_warn((struct log *)ctx, "%s: %s", m->file, m->message);
}

void missing_warn(const struct rules *r, struct secrets *s, struct log *log)
{
    missing_each(r, s, missing_log, log);
}
