// The outcome of a delivery as an event of its own, webhook.delivered or webhook.terminated, where
// a workflow in force wants it (SPEC 2.1): with the request, the answer and the event that caused
// it. What caused it is read from the store, the outcome is judged, and the event is stored with
// what it makes owed in the transaction that stores the outcome. Without such a workflow nothing of
// this runs.
#include "base/id.h"
#include "deliver/internal.h"
#include "deliver/request.h"
#include "encode/header_lines.h"
#include "encode/json_check.h"
#include "engine/engine.h"
#include "engine/event_text.h"

enum {
    OUTCOME_TEXT_MAX = JOB_ARENA_MAX / 2,
    OUTCOME_ANSWER_DEPTH_MAX = EVENT_DEPTH_MAX // of an answer that is taken for JSON
};

struct outcome { // on the job's arena
    struct cause cause;
    struct store_event event;
    char shown_id[ID_TEXT_LEN + 5];
    char record_id[ID_TEXT_LEN + 5];
    bool is_judged;
};

static unsigned outcome_verb(enum delivery_state state)
{
    return state == DELIVERY_DELIVERED    ? RULES_DELIVERED
           : state == DELIVERY_TERMINATED ? RULES_TERMINATED
                                          : 0;
}

static struct str outcome_show_id(char *out, const char *prefix, uint64_t id)
{
    memcpy(out, prefix, 4); // "dlv_", "evt_"
    id_format(out + 4, id);
    return (struct str){out, 4 + ID_TEXT_LEN};
}

// --- the event -----------------------------------------------------------------------------------

static void outcome_write_text(struct json_writer *w, const char *key, struct str text)
{
    if (text.len) {
        json_member_string(w, key, text);
    } else {
        json_member_null(w, key);
    }
}

static void outcome_write_answer(struct json_writer *w, const struct job *j)
{
    const struct store_attempt *at = &j->finish.attempt;
    struct buf scratch;
    struct err e;
    json_key(w, STR("response"));
    if (at->status == 0) {
        json_null(w);
        return;
    }
    json_object_begin(w);
    json_member_integer(w, "status", at->status);
    json_key(w, STR("headers"));
    header_lines_write_json(w, at->headers);
    json_member_string(w, "body", j->answer);
    json_member_bool(w, "truncated", j->is_answer_cut);
    json_key(w, STR("json"));
    buf_init(&scratch, j->answer.len + 1);
    if (json_check(j->answer, OUTCOME_ANSWER_DEPTH_MAX, &scratch, &e) == 0) {
        json_raw(w, j->answer);
    } else {
        json_null(w);
    }
    buf_fini(&scratch);
    json_object_end(w);
}

static int outcome_write_record(struct json_writer *w, struct job *j)
{
    struct outcome *o = j->outcome;
    const struct store_owed *owed = &o->cause.delivery->owed;
    const struct store_event_row *cause = o->cause.event;
    const struct store_finish *f = &j->finish;
    json_object_begin(w);
    json_member_string(w, "id", o->event.record_id);
    json_member_text(w, "state", delivery_state_word(f->state));
    json_member_string(w, "workflow", owed->workflow);
    json_member_integer(w, "action", owed->action);
    json_member_string(w, "target", owed->target);
    json_member_integer(w, "attempts", f->attempt.number);
    outcome_write_text(w, "reason", f->reason);
    outcome_write_text(w, "error", f->attempt.error);
    struct request_input in = {.head = j->head,
                               .delivery = j->id,
                               .at_ms = f->attempt.at_ms,
                               .redirect_all = j->target->deliver->config.redirect_all};
    int code = request_write_json(w, "request", &in, j->body, &j->arena);
    outcome_write_answer(w, j);
    json_key(w, STR("event"));
    if (code == 0 && cause->payload.len) {
        struct event_text text = {.id = cause->key, .time_ms = cause->time_ms};
        code = event_text_write(w, cause->payload, &text);
    } else {
        json_null(w); // retention took it
    }
    json_object_end(w);
    return code;
}

// How many workflows the event that caused it came through.
static unsigned outcome_cause_depth(const struct store_event_row *cause, struct arena *arena)
{
    struct event ev;
    struct json_reader r;
    struct buf scratch;
    struct err e;
    buf_init(&scratch, cause->payload.len + 1);
    json_reader_init(&r, cause->payload, JSON_DEPTH_MAX, &scratch);
    unsigned depth = event_read(&ev, &r, EVENT_STORED, arena, &e) == 0 ? ev.depth : 0;
    buf_fini(&scratch);
    return depth;
}

// Fills o->event with the event and what it makes owed.
static int outcome_judge(struct job *j, struct err *e)
{
    struct deliver *d = j->target->deliver;
    struct outcome *o = j->outcome;
    int64_t now_ms = clock_wall_ms(loop_clock(d->config.loop));
    bool is_delivered = j->finish.state == DELIVERY_DELIVERED;
    o->event = (struct store_event){.id = id_next(d->config.ids, now_ms),
                                    .type = is_delivered ? STR("webhook.delivered")
                                                         : STR("webhook.terminated"),
                                    .record_type = STR("webhook"),
                                    .record_id = outcome_show_id(o->record_id, "dlv_", j->id),
                                    .time_ms = now_ms,
                                    .received_at_ms = now_ms,
                                    .is_stateless = true};
    struct str shown_id = outcome_show_id(o->shown_id, "evt_", o->event.id);
    struct event ev = {.type = o->event.type,
                       .record_type = o->event.record_type,
                       .verb = outcome_verb(j->finish.state),
                       .verb_word = is_delivered ? STR("delivered") : STR("terminated"),
                       .record_id = o->event.record_id,
                       .has_time = true,
                       .time_ms = now_ms,
                       .depth = outcome_cause_depth(o->cause.event, &j->arena) + 1};
    struct buf text;
    struct json_writer w;
    buf_init(&text, OUTCOME_TEXT_MAX);
    json_writer_init(&w, &text);
    json_object_begin(&w);
    json_member_string(&w, "id", shown_id);
    json_member_string(&w, "type", ev.type);
    json_member_time(&w, "time", now_ms);
    json_member_integer(&w, "depth", ev.depth);
    json_key(&w, STR("record"));
    size_t from = text.len;
    int code = outcome_write_record(&w, j);
    size_t to = text.len;
    json_object_end(&w);
    code = code ? code : text.failed;
    ev.json = code ? (struct str){NULL, 0} : arena_dup(&j->arena, buf_str(&text));
    buf_fini(&text);
    if (ev.json.data == NULL) {
        return err_set(e, ERR_TOO_LARGE, "it is too large, or memory is out");
    }
    const char *record = ev.json.data + from;
    ev.record = (struct str){record, to - from};
    o->event.payload = ev.json;
    j->finish.events = &o->event;
    j->finish.event_count = 1;
    code = engine_judge(d->config.engine, &ev, shown_id, &j->arena, &o->event, e);
    if (code) { // the event is kept: it can be run again
        o->event.run_count = 0;
    }
    return code;
}

// --- the way there -------------------------------------------------------------------------------

static void outcome_on_cause(struct job *j, int code)
{
    struct deliver *d = j->target->deliver;
    struct outcome *o = j->outcome;
    struct err e = {0};
    if (code == ERR_CLOSED) {
        return; // the attempt is made again by the next start
    }
    if (code && code != ERR_NOT_FOUND && code != ERR_TOO_LARGE) {
        attempt_keep(j);
        return;
    }
    if (code) { // to ask again would not help: at least the outcome is stored
        log_error(d->config.log, "an outcome is no event: what caused it cannot be read (%s)",
                  err_word((enum err_code)code));
    } else if (outcome_judge(j, &e)) {
        log_error(d->config.log, "the outcome of %s is not run: %s", o->record_id, e.text);
    }
    o->is_judged = true;
    store_finish(d->config.store, &j->finish);
}

void outcome_finish(struct job *j)
{
    struct deliver *d = j->target->deliver;
    if (j->outcome == NULL && engine_wants(d->config.engine, outcome_verb(j->finish.state))) {
        j->outcome = arena_alloc(&j->arena, sizeof *j->outcome);
        d->job_bytes += j->answer.len; // it stays until the outcome is stored
        j->size += j->answer.len;
    }
    if (j->outcome && !j->outcome->is_judged) {
        cause_read(&j->outcome->cause, j, outcome_on_cause);
    } else {
        store_finish(d->config.store, &j->finish);
    }
}
