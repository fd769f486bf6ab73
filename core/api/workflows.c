// GET /v1/workflows, /v1/workflows/ID, POST /v1/reload.
#include <stdlib.h>

#include "api/internal.h"
#include "deliver/missing.h"
#include "encode/percent.h"

void api_write_fault(struct json_writer *w, const struct rules_fault *f)
{
    json_member_text(w, "message", f->message);
    json_member_text(w, "file", f->file);
    json_member_integer(w, "line", f->line);
    json_member_text(w, "path", f->path);
}

static void workflows_write_life(struct json_writer *w, const struct engine *engine,
                                 const struct generation *g, const struct generation_workflow *one)
{
    const struct control_values *said = engine_control_of(engine, str_from(one->id));
    bool is_by_operator = said && said->started != STARTED_BY_FILE;
    int mode = one->rule ? g->modes[one->index] : WORKFLOW_STOPPED;
    if (mode == WORKFLOW_DRY) {
        json_member_text(w, "active", "dry");
    } else {
        json_member_bool(w, "active", mode == WORKFLOW_RUNS);
    }
    json_member_text(w, "started_by", is_by_operator ? "operator" : "file");
    if (said && said->suspended_at_ms) {
        json_key(w, STR("suspended"));
        json_object_begin(w);
        json_member_time(w, "at", said->suspended_at_ms);
        json_member_text(w, "reason", said->suspended_reason);
        json_object_end(w);
    } else {
        json_member_null(w, "suspended");
    }
}

static void workflows_write_missing(struct json_writer *w, const struct rules_workflow *rule,
                                    struct missing_names *names)
{
    struct err e = {0};
    json_key(w, STR("missing_secrets"));
    json_array_begin(w);
    for (size_t i = 0; rule && i < rule->secret_count; i++) {
        if (missing_look(names, rule->secrets[i], &e)) {
            json_string(w, rule->secrets[i]);
        }
    }
    json_array_end(w);
}

static void workflows_write(struct json_writer *w, const struct engine *engine,
                            const struct generation_workflow *one, struct missing_names *names)
{
    const struct generation *g = engine_generation(engine);
    const struct rules_workflow *rule = one->rule;
    json_object_begin(w);
    json_member_text(w, "id", one->id);
    json_member_text(w, "name", rule ? rule->name : one->id);
    json_member_text(w, "description", rule ? rule->description : "");
    json_member_text(w, "record", rule ? rule->record : NULL);
    json_member_text(w, "file", one->file);
    workflows_write_life(w, engine, g, one);
    if (one->has_fault) {
        json_key(w, STR("error"));
        json_object_begin(w);
        api_write_fault(w, rules_fault(g->rules, one->fault));
        json_member_bool(w, "last_good", one->is_last_good);
        json_object_end(w);
    } else {
        json_member_null(w, "error");
    }
    workflows_write_missing(w, rule, names);
    json_object_end(w);
}

void api_send_whole_list(struct httpd_request *r, const char *name, size_t count,
                         void (*write)(struct json_writer *w, void *ctx, size_t i), void *ctx)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, API_ANSWER_MAX);
    json_writer_init(&w, &body);
    json_object_begin(&w);
    json_key(&w, str_from(name));
    json_array_begin(&w);
    for (size_t i = 0; i < count; i++) {
        write(&w, ctx, i);
    }
    json_array_end(&w);
    json_member_null(&w, "next");
    json_object_end(&w);
    api_send_json(r, 200, &body);
}

struct workflow_list {
    const struct engine *engine;
    struct missing_names names;
};

static void workflows_write_at(struct json_writer *w, void *ctx, size_t i)
{
    struct workflow_list *list = ctx;
    const struct generation_workflow *one = &engine_generation(list->engine)->workflows[i];
    workflows_write(w, list->engine, one, &list->names);
}

void api_list_workflows(struct api *a, struct httpd_request *r, struct str id)
{
    (void)id;
    const struct generation *g = engine_generation(a->config.engine);
    struct workflow_list list = {.engine = a->config.engine};
    missing_names_init(&list.names, a->config.secrets);
    api_send_whole_list(r, "workflows", g ? g->workflow_count : 0, workflows_write_at, &list);
    missing_names_fini(&list.names);
}

// The text that is in force: of a workflow that does not load as it stands, an older one.
static const struct folder_file *rules_in_force(const struct generation_past *p,
                                                const struct folder_file *file)
{
    for (size_t i = 0; i < p->older_count; i++) {
        if (strcmp(p->older[i].path, file->path) == 0) {
            return folder_find(p->older[i].folder, file->path);
        }
    }
    return file;
}

// {"generation","files":[{"path","text"}]}: what `hookline diff` compares with.
void api_get_rules(struct api *a, struct httpd_request *r, struct str id)
{
    (void)id;
    const struct generation *g = engine_generation(a->config.engine);
    const struct folder *f = g ? g->past.folder : NULL;
    struct buf body;
    struct json_writer w;
    buf_init(&body, 2 * API_ANSWER_MAX); // texts grow by what is escaped
    json_writer_init(&w, &body);
    json_object_begin(&w);
    json_member_integer(&w, "generation", g ? (int64_t)g->id : 0);
    json_key(&w, STR("files"));
    json_array_begin(&w);
    for (size_t i = 0; f && i < f->count; i++) {
        const struct folder_file *file = rules_in_force(&g->past, &f->files[i]);
        if (file && file->text) {
            json_object_begin(&w);
            json_member_text(&w, "path", file->path);
            json_member_string(&w, "text", (struct str){file->text, file->len});
            json_object_end(&w);
        }
    }
    json_array_end(&w);
    json_object_end(&w);
    api_send_json(r, 200, &body);
}

static void workflows_write_text(struct json_writer *w, const char *name,
                                 const struct folder_file *file)
{
    if (file && file->text) {
        json_member_string(w, name, (struct str){file->text, file->len});
    } else {
        json_member_null(w, name);
    }
}

// {"generation","file","text","in_force"}: the file as it stands, and the older text that is in
// force in its place, where one is.
void api_get_source_text(struct api *a, struct httpd_request *r, struct str id)
{
    const struct generation_workflow *one = workflows_find(a, r, id);
    if (one == NULL) {
        return;
    }
    const struct generation *g = engine_generation(a->config.engine);
    const char *slash = strrchr(one->file, '/'); // workflows stand in the rules folder itself
    const struct folder_file *file = folder_find(g->past.folder, slash ? slash + 1 : one->file);
    const struct folder_file *in_force = file ? rules_in_force(&g->past, file) : NULL;
    struct buf body;
    struct json_writer w;
    buf_init(&body, API_ANSWER_MAX);
    json_writer_init(&w, &body);
    json_object_begin(&w);
    json_member_integer(&w, "generation", (int64_t)g->id);
    json_member_text(&w, "file", one->file);
    workflows_write_text(&w, "text", file);
    workflows_write_text(&w, "in_force", in_force == file ? NULL : in_force);
    json_object_end(&w);
    api_send_json(r, 200, &body);
}

const struct generation_workflow *workflows_find(struct api *a, struct httpd_request *r,
                                                 struct str id)
{
    const struct generation *g = engine_generation(a->config.engine);
    struct buf name;
    buf_init(&name, id.len);
    bool is_read = percent_decode(&name, id) == 0;
    const struct generation_workflow *one =
        g && is_read ? generation_find(g, buf_str(&name)) : NULL;
    buf_fini(&name);
    if (one == NULL) {
        api_send_problem(r, 404, "there is no such workflow", NULL);
    }
    return one;
}

static void workflows_send(struct api *a, struct httpd_request *r,
                           const struct generation_workflow *one)
{
    struct buf body;
    struct json_writer w;
    struct missing_names names;
    buf_init(&body, API_ANSWER_MAX);
    json_writer_init(&w, &body);
    missing_names_init(&names, a->config.secrets);
    workflows_write(&w, a->config.engine, one, &names);
    missing_names_fini(&names);
    api_send_json(r, 200, &body);
}

void workflows_send_one(struct api *a, struct httpd_request *r, struct str id)
{
    const struct generation_workflow *one =
        generation_find(engine_generation(a->config.engine), id);
    if (one) {
        workflows_send(a, r, one);
    } else {
        api_send_problem(r, 404, "there is no such workflow any more", NULL);
    }
}

void api_get_workflow(struct api *a, struct httpd_request *r, struct str id)
{
    const struct generation_workflow *one = workflows_find(a, r, id);
    if (one) {
        workflows_send(a, r, one);
    }
}

struct reload_request {
    struct api *api;
    struct httpd_request *request;
};

static void workflows_on_reload(void *ctx, int code, const struct err *e)
{
    struct reload_request *q = ctx;
    const struct generation *g = engine_generation(q->api->config.engine);
    if (code) {
        api_send_problem(q->request, 500, e->text, NULL);
    } else {
        struct buf body;
        struct json_writer w;
        buf_init(&body, API_ANSWER_MAX);
        json_writer_init(&w, &body);
        json_object_begin(&w);
        json_member_integer(&w, "generation", (int64_t)g->id);
        json_member_integer(&w, "workflows", (int64_t)g->workflow_count);
        json_key(&w, STR("errors"));
        json_array_begin(&w);
        for (size_t i = 0; i < rules_fault_count(g->rules); i++) {
            const struct rules_fault *f = rules_fault(g->rules, i);
            if (!f->is_warning) {
                json_object_begin(&w);
                api_write_fault(&w, f);
                json_object_end(&w);
            }
        }
        json_array_end(&w);
        json_object_end(&w);
        api_send_json(q->request, 200, &body);
    }
    api_end(q->api);
    free(q);
}

void api_post_reload(struct api *a, struct httpd_request *r, struct str id)
{
    (void)id;
    struct reload_request *q = calloc(1, sizeof *q);
    if (q == NULL) {
        api_send_problem(r, 500, "out of memory", NULL);
        return;
    }
    struct store_audit_put *audit =
        api_audit_new(a, r, "reload", (struct str){0}, (struct str){0}, (struct str){0});
    if (audit == NULL) {
        free(q);
        return;
    }
    *q = (struct reload_request){.api = a, .request = r};
    api_begin(a);
    a->config.read_again(a->config.ctx);
    engine_reload(a->config.engine, audit, workflows_on_reload, q);
}
