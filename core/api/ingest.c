// POST /v1/events: the body is read, judged and handed to the store; the 202 leaves when it is on
// disk. This is the order that everything rests on: persist, then answer, then send. POST
// /v1/records goes the same way, but judges nothing.
#include <stdlib.h>

#include "api/internal.h"
#include "api/stats.h"
#include "base/crash_point.h"
#include "encode/json_digest.h"
#include "engine/batch.h"
#include "engine/compare.h"

enum { INGEST_TURN_MS = 4, INGEST_TURN_EVENTS = 16 };
enum { INGEST_ROUNDS_MAX = 8 }; // of judging a body against states that changed meanwhile

struct ingest {
    struct api *api;
    struct httpd_request *request;
    bool is_judged;             // else the records are loaded, and nothing runs
    struct trace_context trace; // of the request
    const char *source;         // whose adapter made the events; NULL: they are the request's body
    struct arena arena;         // all that this body caused
    struct batch batch;
    struct store_accept accept;
    struct loop_timer turn; // a large batch lets the loop turn between its events
    size_t judged;
    // Only for a body with updates that are compared with their record's stored state:
    struct compare compare;
    struct record_turn place;
    struct store_read states;
    struct arena round; // what was read and judged, dropped when it is judged again
    unsigned rounds;
};

static void ingest_free(struct ingest *in)
{
    api_end(in->api);
    loop_timer_stop(&in->turn);
    record_queue_leave(&in->api->records, &in->place);
    compare_fini(&in->compare);
    arena_fini(&in->round);
    arena_fini(&in->arena);
    free(in);
}

// What an adapter made cannot be taken: that is for the operator to mend, and the sender's next
// try may fare better.
static void ingest_refuse_source(struct ingest *in, const char *words)
{
    struct log_field fields[] = {{"source", str_from(in->source)}};
    log_write(in->api->config.log, LOG_ERROR, fields, 1, "its events are refused: %s", words);
    api_send_problem(in->request, 500, "the source's adapter failed; the log says why", NULL);
    ingest_free(in);
}

static void ingest_refuse(struct ingest *in, int code, const char *words)
{
    // Not the body's fault: the same one may do well later.
    if (code == ERR_NOMEM || in->arena.is_starved || in->round.is_starved) {
        api_send_unavailable(in->request, "the host is out of memory");
        ingest_free(in);
        return;
    }
    if (in->source && code == ERR_INVALID) {
        ingest_refuse_source(in, words);
        return;
    }
    int status = code == ERR_TOO_LARGE  ? 413
                 : code == ERR_CONFLICT ? 409
                 : code == ERR_INVALID  ? 400
                                        : 500;
    if (in->batch.has_fault_place) {
        api_send_problem_at(in->request, status, words,
                            in->batch.form == BATCH_LINES ? "line" : "index",
                            in->batch.fault_place);
    } else {
        api_send_problem(in->request, status, words, NULL);
    }
    ingest_free(in);
}

static void ingest_read_states(struct ingest *in);

static void ingest_write_ids(struct json_writer *w, const struct store_run *run)
{
    for (size_t i = 0; !run->was_marked && i < run->delivery_count; i++) {
        api_write_id(w, NULL, ID_DELIVERY, run->deliveries[i].id);
    }
}

void api_write_run_deliveries(struct json_writer *w, const struct store_run *run)
{
    json_key(w, STR("deliveries"));
    json_array_begin(w);
    ingest_write_ids(w, run);
    json_array_end(w);
}

void api_write_event_deliveries(struct json_writer *w, const struct store_event *ev)
{
    json_key(w, STR("deliveries"));
    json_array_begin(w);
    for (size_t i = 0; ev->is_duplicate && i < ev->delivery_count; i++) {
        api_write_id(w, NULL, ID_DELIVERY, ev->delivery_ids[i]);
    }
    for (size_t r = 0; !ev->is_duplicate && r < ev->run_count; r++) {
        ingest_write_ids(w, &ev->runs[r]);
    }
    json_array_end(w);
}

static void ingest_answer(struct ingest *in)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, API_ANSWER_MAX);
    json_writer_init(&w, &body);
    json_object_begin(&w);
    json_key(&w, STR("events"));
    json_array_begin(&w);
    for (size_t i = 0; i < in->accept.event_count; i++) {
        const struct store_event *ev = &in->accept.events[i];
        json_object_begin(&w);
        if (ev->key.len) {
            json_member_string(&w, "id", ev->key);
        } else {
            api_write_id(&w, "id", ID_EVENT, ev->id);
        }
        json_member_bool(&w, "duplicate", ev->is_duplicate);
        api_write_event_deliveries(&w, ev);
        json_object_end(&w);
    }
    json_array_end(&w);
    json_object_end(&w);
    api_send_json(in->request, 202, &body);
}

// What was judged and is not stored does not count for the limit of runs.
static void ingest_take_back(struct ingest *in, bool is_stored)
{
    for (size_t i = 0; i < in->judged; i++) {
        if (!is_stored || in->accept.events[i].is_duplicate) {
            engine_take_back(in->api->config.engine, &in->accept.events[i]);
        }
    }
}

static void ingest_judge_again(struct ingest *in)
{
    if (++in->rounds >= INGEST_ROUNDS_MAX) {
        api_send_unavailable(in->request,
                             "the record changes faster than this update can be compared with it");
        ingest_free(in);
        return;
    }
    compare_learn(&in->compare, &in->accept);
    ingest_read_states(in);
}

static void ingest_on_accepted(struct store_accept *accept)
{
    struct ingest *in = accept->ctx;
    struct api *a = in->api;
    ingest_take_back(in, accept->code == 0);
    if (accept->code == ERR_BUSY) {
        ingest_judge_again(in);
        return;
    }
    if (accept->code == ERR_CONFLICT || accept->code == ERR_INVALID) {
        in->batch.has_fault_place = in->batch.form == BATCH_ARRAY;
        in->batch.fault_place = accept->fault_index;
        if (in->batch.form == BATCH_LINES) {
            in->batch.has_fault_place = true;
            in->batch.fault_place = in->batch.events[accept->fault_index].line;
        }
        ingest_refuse(in, accept->code, accept->err.text);
        return;
    }
    if (accept->code) {
        api_send_unavailable(in->request, accept->err.text);
        ingest_free(in);
        return;
    }
    crash_point(a->config.crash_at, "accepted_before_answer");
    // What the events say of themselves stands in the request's body, which goes with the answer.
    for (size_t i = 0; i < accept->event_count; i++) {
        if (!accept->events[i].is_duplicate) {
            deliver_tell_event(a->config.deliver, &accept->events[i]);
        }
    }
    ingest_answer(in);
    for (size_t i = 0; i < accept->event_count; i++) {
        if (!accept->events[i].is_duplicate) {
            deliver_start_event(a->config.deliver, &accept->events[i]);
        }
    }
    ingest_free(in);
}

// What the store is to keep of one event, and what it makes owed.
static int ingest_judge(struct ingest *in, size_t i, struct err *e)
{
    static const char *const not_the_value[] = {"id", NULL};
    struct api *a = in->api;
    const struct event *ev = &in->batch.events[i];
    int64_t now_ms = clock_wall_ms(loop_clock(a->config.loop));
    struct store_event *out = &in->accept.events[i];
    *out = (struct store_event){.id = id_next(a->config.ids, now_ms),
                                .key = ev->id,
                                .type = ev->type,
                                .record_type = ev->record_type,
                                .record_id = ev->record_id,
                                .time_ms = ev->has_time ? ev->time_ms : now_ms,
                                .received_at_ms = now_ms,
                                .payload = ev->json,
                                .trace = in->trace,
                                .is_import = in->batch.is_import};
    char shown[ID_SHOWN_LEN + 1];
    struct str shown_id = ev->id;
    if (ev->id.len) {
        int code = json_digest(ev->json, not_the_value, &out->digest);
        if (code) {
            return err_set(e, (enum err_code)code, "out of memory");
        }
    } else {
        shown_id = id_show(shown, ID_EVENT, out->id);
    }
    if (!in->is_judged) {
        return 0;
    }
    if (in->compare.count == 0) {
        return engine_judge(a->config.engine, ev, shown_id, &in->arena, out, e);
    }
    struct event compared = *ev;
    int code = in->compare.events[i].is_wanting
                   ? compare_event(&in->compare, i, &compared, out, &in->round, e)
                   : 0;
    if (code == 0) {
        code = engine_judge(a->config.engine, &compared, shown_id, &in->round, out, e);
    }
    if (code == 0) {
        compare_advance(&in->compare, i, ev, out);
    }
    return code;
}

static void ingest_count(const struct ingest *in, size_t first, int64_t from_us)
{
    if (in->is_judged) {
        stats_saw_decisions(in->api->config.stats, in->judged - first, clock_real_us() - from_us);
    }
}

// Judges event after event; a large batch lets the loop turn every few milliseconds.
static void ingest_turn(void *ctx)
{
    struct ingest *in = ctx;
    size_t first = in->judged;
    int64_t from_us = clock_real_us();
    struct err e = {0};
    while (in->judged < in->batch.count) {
        int code = ingest_judge(in, in->judged, &e);
        in->judged++;
        if (code) {
            ingest_take_back(in, false);
            ingest_refuse(in, code, e.text);
            return;
        }
        if (in->judged % INGEST_TURN_EVENTS == 0 && in->judged < in->batch.count &&
            clock_real_us() - from_us >= INGEST_TURN_MS * 1000) {
            ingest_count(in, first, from_us);
            loop_timer_start(&in->turn, 0);
            return;
        }
    }
    ingest_count(in, first, from_us);
    store_accept(in->api->config.store, &in->accept);
}

static void ingest_on_states(struct store_read *read)
{
    struct ingest *in = read->ctx;
    if (read->code == ERR_TOO_LARGE) {
        ingest_refuse(in, ERR_TOO_LARGE,
                      "the stored records to compare with take too much memory: send fewer events "
                      "in one body");
        return;
    }
    if (read->code) {
        api_send_unavailable(in->request, "the stored records to compare with cannot be read");
        ingest_free(in);
        return;
    }
    compare_load(&in->compare);
    in->judged = 0;
    ingest_turn(in);
}

// The one stop before judging, for the updates that came without `previous`.
static void ingest_read_states(struct ingest *in)
{
    arena_fini(&in->round);
    arena_init(&in->round, API_ARENA_MAX - in->arena.used_bytes);
    in->states = (struct store_read){.kind = STORE_READ_RECORDS,
                                     .records = in->compare.rows,
                                     .record_count = in->compare.count,
                                     .arena = &in->round,
                                     .on_done = ingest_on_states,
                                     .ctx = in};
    store_read(in->api->config.store, &in->states);
}

static void ingest_on_turn(void *ctx)
{
    ingest_read_states(ctx);
}

// Queues at the records that are compared with, behind the bodies that change them.
static int ingest_queue(struct ingest *in, struct err *e)
{
    in->place.places = arena_alloc(&in->arena, in->compare.count * sizeof *in->place.places);
    in->place.on_turn = ingest_on_turn;
    in->place.ctx = in;
    int code = in->place.places ? 0 : ERR_NOMEM;
    for (size_t i = 0; code == 0 && i < in->compare.count; i++) {
        code = record_queue_enter(&in->api->records, &in->place, in->compare.states[i].key);
    }
    return code ? err_set(e, ERR_NOMEM, "out of memory") : 0;
}

// The id of a body of one event may stand in the Idempotency-Key header instead.
static int ingest_take_key(struct ingest *in, struct err *e)
{
    struct str key = httpd_header(in->request, "idempotency-key");
    if (key.data == NULL) {
        return 0;
    }
    if (key.len >= 2 && key.data[0] == '"' &&
        key.data[key.len - 1] == '"') { // a structured-field string
        key = (struct str){key.data + 1, key.len - 2};
    }
    if (in->batch.count != 1) {
        return err_set(
            e, ERR_INVALID,
            "Idempotency-Key goes with a body of one event: give each event its own \"id\"");
    }
    struct event *ev = &in->batch.events[0];
    if (ev->id.len && !str_eq(ev->id, key)) {
        return err_set(e, ERR_INVALID,
                       "the event's \"id\" and Idempotency-Key differ: send one of them");
    }
    if (!str_is_utf8(key, NULL)) {
        return err_set(e, ERR_INVALID, "Idempotency-Key is not valid UTF-8");
    }
    ev->id = key;
    return event_check_id(key, e);
}

struct trace_context api_trace(const struct httpd_request *r, struct arena *arena)
{
    struct trace_context t =
        trace_read(httpd_header(r, "traceparent"), httpd_header(r, "tracestate"));
    t.parent = t.parent.len ? arena_dup(arena, t.parent) : t.parent;
    t.state = t.state.len ? arena_dup(arena, t.state) : t.state;
    return t;
}

static bool ingest_is_ndjson(const struct httpd_request *r)
{
    return memmem(httpd_header(r, "content-type").data, httpd_header(r, "content-type").len,
                  "ndjson", 6);
}

static struct ingest *ingest_new(struct api *a, struct httpd_request *r, const char *source,
                                 bool is_judged)
{
    struct ingest *in = calloc(1, sizeof *in);
    if (in == NULL) {
        api_send_problem(r, 500, "out of memory", NULL);
        return NULL;
    }
    in->api = a;
    in->request = r;
    in->source = source;
    in->is_judged = is_judged;
    api_begin(a);
    arena_init(&in->arena, API_ARENA_MAX);
    in->trace = api_trace(r, &in->arena);
    loop_timer_init(&in->turn, a->config.loop, LOOP_REAL_TIME, ingest_turn, in);
    return in;
}

// The batch has been read.
static int ingest_prepare(struct ingest *in, struct err *e)
{
    in->accept = (struct store_accept){
        .events = arena_alloc(&in->arena, (in->batch.count + 1) * sizeof *in->accept.events),
        .event_count = in->batch.count,
        .arena = &in->arena,
        .on_done = ingest_on_accepted,
        .ctx = in};
    int code = in->accept.events ? 0 : err_set(e, ERR_NOMEM, "out of memory");
    if (code == 0 && in->is_judged) {
        code = compare_begin(&in->compare, &in->batch, engine_generation(in->api->config.engine),
                             &in->arena, e);
    }
    if (code == 0 && in->compare.count) {
        code = ingest_queue(in, e);
    }
    return code;
}

static void ingest_start(struct ingest *in, int code, struct err *e)
{
    if (code == 0) {
        code = ingest_prepare(in, e);
    }
    if (code) {
        ingest_refuse(in, code, e->text);
    } else if (in->compare.count == 0) {
        ingest_turn(in);
    } else if (record_turn_has_come(&in->place)) {
        ingest_read_states(in);
    }
}

static void ingest_body(struct api *a, struct httpd_request *r, bool is_judged)
{
    struct err e = {0};
    struct ingest *in = ingest_new(a, r, NULL, is_judged);
    if (in == NULL) {
        return;
    }
    struct batch_limits limits = a->config.batch;
    limits.origin = is_judged ? EVENT_POSTED : EVENT_RECORD;
    int code = batch_read(&in->batch, httpd_body(r), ingest_is_ndjson(r), &limits, &in->arena, &e);
    if (code == 0) {
        code = ingest_take_key(in, &e);
    }
    ingest_start(in, code, &e);
}

void api_post_events(struct api *a, struct httpd_request *r, struct str id)
{
    (void)id;
    ingest_body(a, r, true);
}

// Records as they stand, for what compares with them and for what runs at a time.
void api_post_records(struct api *a, struct httpd_request *r, struct str id)
{
    (void)id;
    ingest_body(a, r, false);
}

void api_ingest(struct api *a, struct httpd_request *r, struct str events, const char *source)
{
    struct err e = {0};
    struct ingest *in = ingest_new(a, r, source, true);
    if (in == NULL) {
        return;
    }
    struct str kept = arena_dup(&in->arena, events);
    int code = kept.data ? batch_read(&in->batch, kept, false, &a->config.batch, &in->arena, &e)
                         : err_set(&e, ERR_NOMEM, "out of memory");
    ingest_start(in, code, &e);
}
