// GET /v1/events/ID/explain?workflow=ID: why workflows fired for an event, or did not.
#include <stdlib.h>

#include "api/internal.h"
#include "encode/percent.h"
#include "engine/compare.h"
#include "engine/slots.h"

struct explain {
    struct api_read *q;
    struct engine_explain x;
};

static void explain_free(struct explain *e)
{
    buf_fini(&e->x.out);
    api_read_free(e->q);
    free(e);
}

static void explain_on_done(struct engine_explain *x)
{
    struct explain *e = x->ctx;
    struct httpd_request *r = e->q->request;
    if (x->code) {
        int status = x->code == ERR_NOT_FOUND ? 404 : x->code == ERR_TOO_LARGE ? 413 : 500;
        api_send_problem(r, status, x->err.text, NULL);
        explain_free(e);
        return;
    }
    struct buf body;
    struct json_writer w;
    buf_init(&body, API_ANSWER_MAX);
    json_writer_init(&w, &body);
    json_object_begin(&w);
    json_member_string(&w, "event", x->shown_id);
    json_member_integer(&w, "generation", (int64_t)x->generation);
    json_key(&w, STR("workflows"));
    json_raw(&w, buf_str(&x->out));
    json_object_end(&w);
    api_send_json(r, 200, &body);
    explain_free(e);
}

// The generation that judged it for the workflow, or for any; 0: it has left no run.
static uint64_t explain_generation(const struct store_event_row *ev, struct str workflow)
{
    uint64_t first = ev->run_count ? ev->runs[0].generation : 0;
    for (size_t i = ev->run_count; i-- > 0;) {
        if (str_eq(ev->runs[i].workflow, workflow)) {
            return ev->runs[i].generation;
        }
    }
    return first;
}

static void explain_on_read(struct store_read *read)
{
    struct explain *e = read->ctx;
    struct engine_explain *x = &e->x;
    struct api_read *q = e->q;
    struct httpd_request *r = q->request;
    struct err err = {0};
    if (!api_read_went_well(q, "there is no such event")) {
        free(e);
        return;
    }
    const struct store_event_row *ev = &read->events[0];
    int code = event_restore(&x->event, ev, &q->arena, &err);
    if (code) {
        api_send_problem(r, code == ERR_NOT_FOUND ? 410 : 500, err.text, NULL);
        explain_free(e);
        return;
    }
    if (x->workflow.len == 0) {
        x->workflow = slots_workflow_of(ev->type, ev->key);
    }
    x->generation = explain_generation(ev, x->workflow);
    x->at_ms = ev->received_at_ms;
    x->shown_id = ev->key;
    x->time_ms = ev->time_ms;
    x->on_done = explain_on_done;
    x->ctx = e;
    engine_explain(q->api->config.engine, x);
}

void api_get_explain(struct api *a, struct httpd_request *r, struct str id)
{
    struct explain *e = calloc(1, sizeof *e);
    struct api_read *q = api_read_new(a, r, STORE_READ_EVENT);
    if (e == NULL || q == NULL) {
        if (q) {
            api_send_problem(r, 500, "out of memory", NULL);
            api_read_free(q);
        }
        free(e);
        return;
    }
    e->q = q;
    buf_init(&e->x.out, 1); // until the engine has it
    struct buf workflow;
    buf_init(&workflow, 1024);
    if (httpd_query_get(r, "workflow", &workflow)) {
        e->x.workflow = arena_dup(&q->arena, buf_str(&workflow));
    }
    buf_fini(&workflow);
    if (percent_decode(&q->text, id)) {
        api_send_problem(r, 404, "there is no such event", NULL);
        explain_free(e);
        return;
    }
    q->read.key = buf_str(&q->text);
    q->read.on_done = explain_on_read;
    q->read.ctx = e;
    store_read(a->config.store, &q->read);
}
