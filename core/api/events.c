// GET /v1/events, /v1/events/ID, /v1/runs.
#include "api/internal.h"
#include "encode/json_reader.h"
#include "encode/percent.h"

void events_write_run_head(struct json_writer *w, const struct store_run_row *run)
{
    json_object_begin(w);
    json_member_string(w, "event", run->event_key);
    json_member_string(w, "workflow", run->workflow);
    json_member_integer(w, "generation", (int64_t)run->generation);
    json_member_text(w, "outcome", run_outcome_word(run->outcome));
    json_key(w, STR("reason"));
    if (run->reason.len) {
        json_string(w, run->reason);
    } else {
        json_null(w);
    }
    json_member_bool(w, "replay", run->is_replay);
}

static void events_write_run(struct json_writer *w, const struct store_run_row *run)
{
    events_write_run_head(w, run);
    json_key(w, STR("deliveries"));
    json_array_begin(w);
    for (size_t i = 0; i < run->delivery_count; i++) {
        api_write_id(w, NULL, ID_DELIVERY, run->delivery_ids[i]);
    }
    json_array_end(w);
    if (run->type.len) { // those of one event have it above
        json_member_string(w, "type", run->type);
        api_write_record(w, run->record_type, run->record_id);
    }
    json_object_end(w);
}

// Writes one top-level member of the stored payload as it was sent, null where it has none.
static void events_write_part(struct json_writer *w, struct str payload, const char *name)
{
    struct buf scratch;
    struct json_reader r;
    struct str found = STR("null");
    buf_init(&scratch, payload.len + 1);
    json_reader_init(&r, payload, JSON_DEPTH_MAX, &scratch);
    json_read(&r); // the brace
    while (json_read(&r) == JSON_KEY) {
        bool is_it = str_eq(r.text, str_from(name));
        enum json_token t = json_read(&r);
        size_t start = json_token_offset(&r);
        if (json_skip(&r, t)) {
            break;
        }
        if (is_it) {
            found = (struct str){payload.data + start, json_offset(&r) - start};
        }
    }
    buf_fini(&scratch);
    json_key(w, str_from(name));
    json_raw(w, found);
}

// What `hookline diff` judges: the event as it was sent, and the one that held the state of its
// record which it was compared with.
static void events_write_sent(struct json_writer *w, const struct store_event_row *ev)
{
    json_key(w, STR("sent"));
    json_raw(w, ev->payload.len ? ev->payload : STR("null"));
    json_key(w, STR("compared_with"));
    json_raw(w, ev->before.len ? ev->before : STR("null"));
    json_member_bool(w, "compared_with_gone", ev->is_before_gone);
}

static void events_write_head(struct json_writer *w, const struct store_event_row *ev)
{
    json_member_string(w, "id", ev->key);
    json_member_string(w, "type", ev->type);
    json_member_time(w, "time", ev->time_ms);
    json_member_time(w, "received_at", ev->received_at_ms);
}

static void events_on_one(struct store_read *read)
{
    struct api_read *q = read->ctx;
    if (!api_read_went_well(q, "there is no such event")) {
        return;
    }
    const struct store_event_row *ev = &read->events[0];
    struct buf body;
    struct json_writer w;
    buf_init(&body, API_ANSWER_MAX);
    json_writer_init(&w, &body);
    json_object_begin(&w);
    events_write_head(&w, ev);
    events_write_part(&w, ev->payload, "record");
    events_write_part(&w, ev->payload, "previous");
    if (ev->payload.len == 0) {
        json_member_string(&w, "note", STR("retention has removed what was sent with the event"));
    }
    if (httpd_query_get(q->request, "sent", &q->text)) {
        events_write_sent(&w, ev);
    }
    json_key(&w, STR("runs"));
    json_array_begin(&w);
    for (size_t i = 0; i < ev->run_count; i++) {
        events_write_run(&w, &ev->runs[i]);
    }
    json_array_end(&w);
    json_object_end(&w);
    api_send_json(q->request, 200, &body);
    api_read_free(q);
}

void api_get_event(struct api *a, struct httpd_request *r, struct str id)
{
    struct api_read *q = api_read_new(a, r, STORE_READ_EVENT);
    if (q == NULL) {
        return;
    }
    if (percent_decode(&q->text, id)) {
        api_send_problem(r, 404, "there is no such event", NULL);
        api_read_free(q);
        return;
    }
    q->read.key = buf_str(&q->text);
    q->read.on_done = events_on_one;
    store_read(a->config.store, &q->read);
}

static void events_write_line(struct json_writer *w, const struct store_read *read, size_t i)
{
    json_object_begin(w);
    events_write_head(w, &read->events[i]);
    api_write_record(w, read->events[i].record_type, read->events[i].record_id);
    if (read->has_payload) {
        events_write_sent(w, &read->events[i]);
    }
    json_object_end(w);
}

static void events_write_run_line(struct json_writer *w, const struct store_read *read, size_t i)
{
    events_write_run(w, &read->runs[i]);
}

static void events_on_list(struct store_read *read)
{
    api_send_list(read, "events", events_write_line);
}

static void events_on_runs(struct store_read *read)
{
    api_send_list(read, "runs", events_write_run_line);
}

void api_list_events(struct api *a, struct httpd_request *r, struct str id)
{
    (void)id;
    api_list(a, r, STORE_READ_EVENTS, events_on_list);
}

void api_list_runs(struct api *a, struct httpd_request *r, struct str id)
{
    (void)id;
    api_list(a, r, STORE_READ_RUNS, events_on_runs);
}
