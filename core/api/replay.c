// POST /v1/events/ID/replay: a stored event is judged again by the rules in force, and
// what they owe now is added to it. The order is ingest's: persist, then answer, then send.
#include <stdlib.h>

#include "api/internal.h"
#include "encode/percent.h"
#include "engine/compare.h"
#include "engine/slots.h"

struct replay {
    struct api *api;
    struct httpd_request *request;
    struct arena arena;
    struct buf key;      // the event's id
    struct buf workflow; // the only one to be asked; empty: all
    bool is_forced;
    struct store_read read;
    struct store_accept accept;
    struct store_event event;
    struct store_audit_put *audit; // until it is given
};

static void replay_free(struct replay *q)
{
    api_end(q->api);
    buf_fini(&q->key);
    buf_fini(&q->workflow);
    arena_fini(&q->arena);
    audit_drop(q->audit);
    free(q);
}

static void replay_refuse(struct replay *q, int status, const char *words)
{
    api_send_problem(q->request, status, words, NULL);
    replay_free(q);
}

static void replay_write_runs(struct json_writer *w, const struct replay *q)
{
    const struct store_event *ev = &q->event;
    json_key(w, STR("runs"));
    json_array_begin(w);
    for (size_t i = 0; i < ev->run_count; i++) {
        const struct store_run *run = &ev->runs[i];
        if (run->was_marked) {
            continue;
        }
        struct store_run_row row = {.event_key = buf_str(&q->key),
                                    .workflow = run->workflow,
                                    .generation = run->generation,
                                    .outcome = run->outcome,
                                    .reason = run->reason,
                                    .is_replay = true};
        events_write_run_head(w, &row);
        api_write_run_deliveries(w, run);
        json_object_end(w);
    }
    json_array_end(w);
    json_key(w, STR("marked")); // by `once` or a cooldown: they were not run again
    json_array_begin(w);
    for (size_t i = 0; i < ev->run_count; i++) {
        if (ev->runs[i].was_marked) {
            json_string(w, ev->runs[i].workflow);
        }
    }
    json_array_end(w);
}

static void replay_answer(struct replay *q)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, API_ANSWER_MAX);
    json_writer_init(&w, &body);
    json_object_begin(&w);
    json_key(&w, STR("events"));
    json_array_begin(&w);
    json_object_begin(&w);
    json_member_string(&w, "id", buf_str(&q->key));
    json_member_bool(&w, "duplicate", false);
    api_write_event_deliveries(&w, &q->event);
    replay_write_runs(&w, q);
    json_object_end(&w);
    json_array_end(&w);
    json_object_end(&w);
    api_send_json(q->request, 202, &body);
}

static void replay_on_accepted(struct store_accept *accept)
{
    struct replay *q = accept->ctx;
    if (accept->code == ERR_NOT_FOUND) {
        replay_refuse(q, 404, "there is no such event any more");
        return;
    }
    if (accept->code) {
        api_send_unavailable(q->request, accept->err.text);
    } else {
        replay_answer(q);
        deliver_take_event(q->api->config.deliver, &q->event);
    }
    replay_free(q);
}

// Why a workflow that is asked for by name cannot be run now, or NULL.
static const char *replay_obstacle(const struct generation *g, const struct generation_workflow *w)
{
    if (w == NULL) {
        return "there is no such workflow";
    }
    if (w->rule == NULL) {
        return "nothing of the workflow is in force: mend its file first";
    }
    switch ((enum workflow_mode)g->modes[w->index]) {
    case WORKFLOW_STOPPED:
        return "the workflow is stopped: activate it first";
    case WORKFLOW_SUSPENDED:
        return "the workflow is suspended: change its file or activate it first";
    case WORKFLOW_RUNS:
    case WORKFLOW_DRY:
        break;
    }
    return NULL;
}

static int replay_judge(struct replay *q, const struct event *ev,
                        const struct generation_workflow *only, struct err *e)
{
    struct engine *engine = q->api->config.engine;
    struct str id = buf_str(&q->key);
    int code = only ? engine_judge_one(engine, only, ev, id, &q->arena, &q->event, e)
                    : engine_judge(engine, ev, id, &q->arena, &q->event, e);
    for (size_t i = 0; code == 0 && i < q->event.run_count; i++) {
        q->event.runs[i].mark.is_forced = q->is_forced;
    }
    return code;
}

static void replay_on_read(struct store_read *read)
{
    struct replay *q = read->ctx;
    const struct generation *g = engine_generation(q->api->config.engine);
    const struct generation_workflow *only = NULL;
    if (read->code) {
        bool is_unknown = read->code == ERR_NOT_FOUND;
        replay_refuse(q, is_unknown ? 404 : 500,
                      is_unknown ? "there is no such event" : "the store could not be read");
        return;
    }
    const struct store_event_row *row = &read->events[0];
    struct str asked =
        q->workflow.len ? buf_str(&q->workflow) : slots_workflow_of(row->type, row->key);
    if (asked.len) {
        only = generation_find(g, asked);
        const char *obstacle = replay_obstacle(g, only);
        if (obstacle) {
            replay_refuse(q, only ? 409 : 404, obstacle);
            return;
        }
    }
    struct event ev;
    struct err e = {0};
    int code = event_restore(&ev, row, &q->arena, &e);
    q->event =
        (struct store_event){.id = row->id,
                             .key = buf_str(&q->key),
                             .type = row->type,
                             .record_type = row->record_type,
                             .record_id = row->record_id,
                             .time_ms = row->time_ms,
                             .received_at_ms = clock_wall_ms(loop_clock(q->api->config.loop)),
                             .trace = api_trace(q->request, &q->arena),
                             .is_replay = true};
    if (code == 0) {
        code = replay_judge(q, &ev, only, &e);
    }
    if (code) {
        replay_refuse(q,
                      code == ERR_NOT_FOUND || code == ERR_INVALID ? 409
                      : code == ERR_NOMEM || q->arena.is_starved   ? 503
                      : code == ERR_TOO_LARGE                      ? 413
                                                                   : 500,
                      e.text);
        return;
    }
    q->accept = (struct store_accept){.events = &q->event,
                                      .event_count = 1,
                                      .arena = &q->arena,
                                      .on_done = replay_on_accepted,
                                      .ctx = q};
    store_accept(q->api->config.store, &q->accept);
    q->audit->code_of_act = &q->accept.code;
    audit_give(q->api->config.store, q->audit);
    q->audit = NULL;
}

// What is asked for, in the audit log's words. false: no memory, 500 is sent.
static bool replay_begin_audit(struct replay *q)
{
    struct buf words;
    buf_init(&words, 2 * CONTROL_ID_MAX);
    buf_printf(&words, "run again by %s" STR_FMT "%s", q->workflow.len ? "" : "all workflows",
               STR_ARG(buf_str(&q->workflow)), q->is_forced ? ", whatever has fired" : "");
    q->audit = api_audit_new(q->api, q->request, "event.replay", buf_str(&q->key), (struct str){0},
                             buf_str(&words));
    buf_fini(&words);
    return q->audit != NULL;
}

// The value of `force`: "true", and nothing or "false".
static bool replay_read_force(struct replay *q)
{
    struct buf word;
    buf_init(&word, 16);
    bool is_given = httpd_query_get(q->request, "force", &word);
    q->is_forced = is_given && str_eq(buf_str(&word), STR("true"));
    bool is_known = !is_given || q->is_forced || str_eq(buf_str(&word), STR("false"));
    buf_fini(&word);
    return is_known;
}

void api_replay_event(struct api *a, struct httpd_request *r, struct str id)
{
    if (api_refusal(a)) {
        api_send_unavailable(r, api_refusal(a));
        return;
    }
    struct replay *q = calloc(1, sizeof *q);
    if (q == NULL) {
        api_send_problem(r, 500, "out of memory", NULL);
        return;
    }
    q->api = a;
    q->request = r;
    api_begin(a);
    arena_init(&q->arena, API_ARENA_MAX);
    buf_init(&q->key, id.len);
    buf_init(&q->workflow, CONTROL_ID_MAX);
    httpd_query_get(r, "workflow", &q->workflow);
    if (percent_decode(&q->key, id) || q->workflow.failed) {
        replay_refuse(q, 404, "there is no such event or workflow");
    } else if (!replay_read_force(q)) {
        replay_refuse(q, 400, "force: true or false");
    } else if (!replay_begin_audit(q)) {
        replay_free(q);
    } else {
        q->read = (struct store_read){.kind = STORE_READ_EVENT,
                                      .key = buf_str(&q->key),
                                      .arena = &q->arena,
                                      .on_done = replay_on_read,
                                      .ctx = q};
        store_read(a->config.store, &q->read);
    }
}
