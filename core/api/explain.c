// GET /v1/events/ID/explain?workflow=ID: why workflows fired for an event, or did not, and what
// became of it. Where the conditions held and there is no run, the store is asked why: for the acts
// of operators, for the runs before, for the marks.
#include <stdlib.h>

#include "api/became.h"
#include "api/internal.h"
#include "encode/percent.h"
#include "engine/compare.h"
#include "engine/slots.h"

struct explain {
    struct api_read *q;
    struct engine_explain x;
    struct became_known known;
    struct store_read more; // one after the other
    struct store_mark_row *marks;
    size_t mark_count;
};

static void explain_free(struct explain *e)
{
    api_read_free(e->q);
    free(e);
}

static int64_t explain_mark(const struct explain *e, struct str workflow)
{
    for (size_t i = 0; i < e->mark_count; i++) {
        if (str_eq(e->marks[i].workflow, workflow)) {
            return e->marks[i].until_ms;
        }
    }
    return 0;
}

static void explain_write(struct json_writer *w, const struct explain *e,
                          const struct engine_explained *item)
{
    struct became b;
    buf_init(&b.words, API_ANSWER_MAX);
    became_tell(&b, &e->known, item, explain_mark(e, item->workflow));
    json_object_begin(w);
    json_member_string(w, "workflow", item->workflow);
    json_member_bool(w, "verdict", item->verdict);
    json_member_bool(w, "fires", b.fires);
    json_member_string(w, "became", buf_str(&b.words));
    json_member_string_or_null(
        w, "outcome", b.run ? str_from(run_outcome_word(b.run->outcome)) : (struct str){0});
    json_member_string_or_null(w, "earlier", b.earlier);
    json_key(w, STR("deliveries"));
    json_array_begin(w);
    for (size_t i = 0; b.run && i < b.run->delivery_count; i++) {
        api_write_id(w, NULL, ID_DELIVERY, b.run->delivery_ids[i]);
    }
    json_array_end(w);
    json_key(w, STR("explain"));
    json_raw(w, item->tree.len ? item->tree : STR("null"));
    if (item->error.len) {
        json_member_string(w, "error", item->error);
    }
    json_object_end(w);
    buf_fini(&b.words);
}

static void explain_answer(struct explain *e)
{
    const struct engine_explain *x = &e->x;
    struct buf body;
    struct json_writer w;
    buf_init(&body, API_ANSWER_MAX);
    json_writer_init(&w, &body);
    json_object_begin(&w);
    json_member_string(&w, "event", x->shown_id);
    json_member_integer(&w, "generation", (int64_t)x->generation);
    json_key(&w, STR("workflows"));
    json_array_begin(&w);
    for (size_t i = 0; i < x->count; i++) {
        explain_write(&w, e, &x->items[i]);
    }
    json_array_end(&w);
    json_object_end(&w);
    api_send_json(e->q->request, 200, &body);
    explain_free(e);
}

static bool explain_read_went_well(struct explain *e)
{
    if (e->more.code == 0) {
        return true;
    }
    api_send_problem(e->q->request, 500, "the store could not be read", NULL);
    explain_free(e);
    return false;
}

static void explain_read(struct explain *e, struct store_read read,
                         void (*on_done)(struct store_read *read))
{
    e->more = read;
    e->more.arena = &e->q->arena;
    e->more.on_done = on_done;
    e->more.ctx = e;
    store_read(e->q->api->config.store, &e->more);
}

static void explain_on_marks(struct store_read *read)
{
    struct explain *e = read->ctx;
    if (explain_read_went_well(e)) {
        explain_answer(e);
    }
}

static void explain_on_runs(struct store_read *read)
{
    struct explain *e = read->ctx;
    if (!explain_read_went_well(e)) {
        return;
    }
    e->known.runs = read->runs;
    e->known.run_count = read->count;
    explain_read(e,
                 (struct store_read){
                     .kind = STORE_READ_MARKS, .marks = e->marks, .mark_count = e->mark_count},
                 explain_on_marks);
}

static void explain_on_acts(struct store_read *read)
{
    struct explain *e = read->ctx;
    const struct store_event_row *ev = e->known.event;
    if (!explain_read_went_well(e)) {
        return;
    }
    e->known.acts = read->audits;
    e->known.act_count = read->count;
    explain_read(e,
                 (struct store_read){.kind = STORE_READ_RUNS,
                                     .filter = {.has_outcome = true,
                                                .outcome = RUN_SENT,
                                                .type = ev->record_type,
                                                .record = ev->record_id},
                                     .before = ev->id,
                                     .limit = STORE_PAGE_MAX},
                 explain_on_runs);
}

// Makes room for the marks of the workflows that only the store tells of. 0 or ERR_TOO_LARGE.
static int explain_collect(struct explain *e)
{
    const struct store_event_row *ev = e->known.event;
    e->marks = arena_alloc(&e->q->arena, (e->x.count + 1) * sizeof *e->marks);
    for (size_t i = 0; e->marks && i < e->x.count; i++) {
        if (became_is_open(ev, &e->x.items[i])) {
            e->marks[e->mark_count++] = (struct store_mark_row){.workflow = e->x.items[i].workflow,
                                                                .record_type = ev->record_type,
                                                                .record_id = ev->record_id};
        }
    }
    return e->marks ? 0 : ERR_TOO_LARGE;
}

static void explain_on_done(struct engine_explain *x)
{
    struct explain *e = x->ctx;
    struct httpd_request *r = e->q->request;
    int code = x->code ? x->code : explain_collect(e);
    if (code) {
        int status = code == ERR_NOT_FOUND ? 404 : code == ERR_TOO_LARGE ? 413 : 500;
        api_send_problem(r, status, x->code ? x->err.text : "the answer is too large", NULL);
        explain_free(e);
    } else if (e->mark_count == 0) {
        explain_answer(e);
    } else {
        explain_read(e,
                     (struct store_read){.kind = STORE_READ_AUDIT,
                                         .filter = {.act = STR("workflow"),
                                                    .until_ms = e->known.event->received_at_ms + 1},
                                         .limit = STORE_PAGE_MAX},
                     explain_on_acts);
    }
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
    e->known = (struct became_known){.event = ev, .depth = x->event.depth};
    x->arena = &q->arena;
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
