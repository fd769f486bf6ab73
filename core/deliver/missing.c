#include "deliver/missing.h"

#include "base/map.h"

struct missing_walk {
    struct secrets *secrets;
    struct map seen; // names
    void (*tell)(void *ctx, const struct missing *m);
    void *ctx;
};

static void missing_look(struct missing_walk *walk, const char *file, struct str name)
{
    struct str value;
    struct err e = {0};
    if (map_get(&walk->seen, name) || secrets_get(walk->secrets, name, &value, &e) == 0) {
        return;
    }
    map_put(&walk->seen, name, walk); // without memory it is told once more
    walk->tell(walk->ctx, &(struct missing){file, name, e.text});
}

static void missing_look_at_workflow(struct missing_walk *walk, const struct rules_workflow *w)
{
    for (size_t i = 0; i < w->secret_count; i++) {
        missing_look(walk, w->file, w->secrets[i]);
    }
}

void missing_each(const struct rules *r, struct secrets *s,
                  void (*tell)(void *ctx, const struct missing *m), void *ctx)
{
    struct missing_walk walk = {.secrets = s, .tell = tell, .ctx = ctx};
    map_init(&walk.seen);
    for (size_t i = 0; i < rules_workflow_count(r); i++) {
        missing_look_at_workflow(&walk, rules_workflow(r, i));
    }
    for (size_t i = 0; i < rules_source_count(r); i++) {
        const struct rules_source *source = rules_source(r, i);
        for (size_t k = 0; source->is_loaded && k < source->verify.secret_count; k++) {
            missing_look(&walk, source->file, str_from(source->verify.secrets[k]));
        }
    }
    map_fini(&walk.seen);
}

static void missing_log(void *ctx, const struct missing *m)
{
    log_warn((struct log *)ctx, "%s: %s", m->file, m->message);
}

void missing_warn(const struct rules *r, struct secrets *s, struct log *log)
{
    missing_each(r, s, missing_log, log);
}

void missing_each_of(const struct rules_workflow *w, struct secrets *s,
                     void (*tell)(void *ctx, const struct missing *m), void *ctx)
{
    struct missing_walk walk = {.secrets = s, .tell = tell, .ctx = ctx};
    map_init(&walk.seen);
    missing_look_at_workflow(&walk, w);
    map_fini(&walk.seen);
}
