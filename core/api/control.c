// POST /v1/workflows/ID/activate, /deactivate, /follow-file and /reset?record=ID.
#include <stdlib.h>

#include "api/internal.h"

struct control_request {
    struct api *api;
    struct httpd_request *request;
    struct buf id; // of the workflow
    struct buf record;
    struct store_mark_forget forget;
};

static struct control_request *control_new(struct api *a, struct httpd_request *r,
                                           const struct generation_workflow *w)
{
    struct control_request *q = calloc(1, sizeof *q);
    if (q) {
        q->api = a;
        q->request = r;
        buf_init(&q->id, CONTROL_ID_MAX);
        buf_init(&q->record, CONTROL_ID_MAX);
        buf_append_text(&q->id, w->id);
    }
    if (q == NULL || q->id.failed) {
        api_send_problem(r, 500, "out of memory", NULL);
        free(q);
        return NULL;
    }
    api_begin(a);
    return q;
}

static void control_free(struct control_request *q)
{
    api_end(q->api);
    buf_fini(&q->id);
    buf_fini(&q->record);
    free(q);
}

static void control_on_said(void *ctx, int code)
{
    struct control_request *q = ctx;
    if (code) {
        const char *trouble = store_trouble(q->api->config.store);
        api_send_unavailable(q->request, trouble ? trouble : "it could not be stored");
    } else {
        workflows_send_one(q->api, q->request, buf_str(&q->id));
    }
    control_free(q);
}

static struct str control_words(const struct control_values *v)
{
    static const struct str words[] = {[STARTED_BY_FILE] = STR("as its file says"),
                                       [STARTED_BY_OPERATOR] = STR("started by an operator"),
                                       [STOPPED_BY_OPERATOR] = STR("stopped by an operator")};
    return v && v->suspended_at_ms ? STR("suspended") : words[v ? v->started : STARTED_BY_FILE];
}

static void control_say(struct api *a, struct httpd_request *r, struct str id, const char *act,
                        enum store_started started)
{
    const struct generation_workflow *w = workflows_find(a, r, id);
    if (w == NULL) {
        return;
    }
    const struct control_values *now = engine_control_of(a->config.engine, str_from(w->id));
    const struct control_values then = {.started = started};
    struct store_audit_put *audit =
        api_audit_new(a, r, act, str_from(w->id), control_words(now), control_words(&then));
    struct control_request *q = audit ? control_new(a, r, w) : NULL;
    if (q) {
        engine_control(a->config.engine, w, started, audit, control_on_said, q);
    } else {
        audit_drop(audit);
    }
}

void api_activate_workflow(struct api *a, struct httpd_request *r, struct str id)
{
    control_say(a, r, id, "workflow.activate", STARTED_BY_OPERATOR);
}

void api_deactivate_workflow(struct api *a, struct httpd_request *r, struct str id)
{
    control_say(a, r, id, "workflow.deactivate", STOPPED_BY_OPERATOR);
}

void api_follow_file(struct api *a, struct httpd_request *r, struct str id)
{
    control_say(a, r, id, "workflow.follow-file", STARTED_BY_FILE);
}

static void control_on_forgotten(struct store_mark_forget *forget)
{
    struct control_request *q = forget->ctx;
    if (forget->code) {
        const char *trouble = store_trouble(q->api->config.store);
        api_send_unavailable(q->request, trouble ? trouble : "it could not be stored");
    } else {
        struct buf body;
        struct json_writer w;
        buf_init(&body, API_ANSWER_MAX);
        json_writer_init(&w, &body);
        json_object_begin(&w);
        json_member_string(&w, "workflow", forget->workflow);
        api_write_record(&w, forget->record_type, forget->record_id);
        json_member_bool(&w, "was_marked", forget->was_marked);
        json_object_end(&w);
        api_send_json(q->request, 200, &body);
    }
    control_free(q);
}

void api_reset_workflow(struct api *a, struct httpd_request *r, struct str id)
{
    const struct generation_workflow *w = workflows_find(a, r, id);
    struct control_request *q = w ? control_new(a, r, w) : NULL;
    if (q == NULL) {
        return;
    }
    if (!httpd_query_get(r, "record", &q->record) || q->record.len == 0 || q->record.failed) {
        api_send_problem(r, 400, "name the record: ?record=ID", NULL);
        control_free(q);
        return;
    }
    if (w->rule == NULL) {
        api_send_problem(r, 409, "nothing of the workflow is in force: mend its file first", NULL);
        control_free(q);
        return;
    }
    q->forget = (struct store_mark_forget){.workflow = buf_str(&q->id),
                                           .record_id = buf_str(&q->record),
                                           .on_done = control_on_forgotten,
                                           .ctx = q};
    // Kept behind the id, since the generation may be gone when the store answers.
    size_t at = q->id.len;
    buf_append_text(&q->id, w->rule->record);
    q->forget.workflow = (struct str){q->id.data, at};
    q->forget.record_type = (struct str){q->id.data + at, q->id.len - at};
    struct buf subject;
    buf_init(&subject, 2 * CONTROL_ID_MAX);
    buf_printf(&subject, "%s record " STR_FMT, w->id, STR_ARG(q->forget.record_id));
    struct store_audit_put *audit = api_audit_new(a, r, "workflow.reset", buf_str(&subject),
                                                  (struct str){0}, STR("may fire again"));
    buf_fini(&subject);
    if (audit == NULL) {
        control_free(q);
        return;
    }
    store_mark_forget(a->config.store, &q->forget);
    audit->code_of_act = &q->forget.code;
    audit->before = &q->forget.before;
    audit_give(a->config.store, audit);
}
