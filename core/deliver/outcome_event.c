#include "deliver/outcome_event.h"

#include "base/id.h"
#include "deliver/request.h"
#include "encode/header_lines.h"
#include "encode/json_check.h"
#include "engine/event_text.h"

enum {
    OUTCOME_TEXT_MAX = 48 * 1024 * 1024,
    OUTCOME_ANSWER_DEPTH_MAX = EVENT_DEPTH_MAX // of an answer that is taken for JSON
};

unsigned outcome_verb(enum delivery_state state)
{
    return state == DELIVERY_DELIVERED    ? RULES_DELIVERED
           : state == DELIVERY_TERMINATED ? RULES_TERMINATED
                                          : 0;
}

static void outcome_write_answer(struct json_writer *w, const struct outcome_end *end)
{
    const struct store_attempt *at = end->attempt;
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
    json_member_string(w, "body", end->answer);
    json_member_bool(w, "truncated", end->is_answer_cut);
    json_key(w, STR("json"));
    buf_init(&scratch, end->answer.len + 1);
    if (json_check(end->answer, OUTCOME_ANSWER_DEPTH_MAX, &scratch, &e) == 0) {
        json_raw(w, end->answer);
    } else {
        json_null(w);
    }
    buf_fini(&scratch);
    json_object_end(w);
}

static int outcome_write_record(struct json_writer *w, const struct outcome_end *end, struct str id,
                                struct arena *arena)
{
    json_object_begin(w);
    json_member_string(w, "id", id);
    json_member_text(w, "state", delivery_state_word(end->state));
    json_member_string(w, "workflow", end->workflow);
    json_member_integer(w, "action", end->action);
    json_member_string(w, "target", end->target);
    json_member_integer(w, "attempts", end->attempts);
    json_member_string_or_null(w, "reason", end->reason);
    json_member_string_or_null(w, "error", end->attempt->error);
    struct request_input in = {.head = end->head,
                               .delivery = end->delivery,
                               .at_ms = end->attempt->at_ms,
                               .attempt = end->attempt->number,
                               .redirect_all = end->redirect_all};
    int code = request_write_json(w, "request", &in, end->body, arena);
    outcome_write_answer(w, end);
    json_key(w, STR("event"));
    if (code == 0 && end->cause_payload.len) {
        struct event_text text = {.id = end->cause_key, .time_ms = end->cause_time_ms};
        code = event_text_write(w, end->cause_payload, &text);
    } else {
        json_null(w); // retention took it
    }
    json_object_end(w);
    return code;
}

// How many workflows the event that caused it came through.
static unsigned outcome_cause_depth(struct str payload, struct arena *arena)
{
    struct event ev;
    struct json_reader r;
    struct buf scratch;
    struct err e;
    buf_init(&scratch, payload.len + 1);
    json_reader_init(&r, payload, JSON_DEPTH_MAX, &scratch);
    unsigned depth = event_read(&ev, &r, EVENT_STORED, arena, &e) == 0 ? ev.depth : 0;
    buf_fini(&scratch);
    return depth;
}

static struct str outcome_record_id(const struct outcome_end *end, struct arena *arena)
{
    char id[ID_SHOWN_LEN + 1];
    return arena_dup(arena, id_show(id, ID_DELIVERY, end->delivery));
}

int outcome_event_make(struct event *out, const struct outcome_end *end, struct str id,
                       int64_t now_ms, struct arena *arena, struct err *e)
{
    bool is_delivered = end->state == DELIVERY_DELIVERED;
    *out =
        (struct event){.id = id,
                       .type = is_delivered ? STR("webhook.delivered") : STR("webhook.terminated"),
                       .record_type = STR("webhook"),
                       .verb = outcome_verb(end->state),
                       .verb_word = is_delivered ? STR("delivered") : STR("terminated"),
                       .record_id = outcome_record_id(end, arena),
                       .has_time = true,
                       .time_ms = now_ms,
                       .depth = outcome_cause_depth(end->cause_payload, arena) + 1};
    struct buf text;
    struct json_writer w;
    buf_init(&text, OUTCOME_TEXT_MAX);
    json_writer_init(&w, &text);
    json_object_begin(&w);
    json_member_string(&w, "id", id);
    json_member_string(&w, "type", out->type);
    json_member_time(&w, "time", now_ms);
    json_member_integer(&w, "depth", out->depth);
    json_key(&w, STR("record"));
    size_t from = text.len;
    int code = outcome_write_record(&w, end, out->record_id, arena);
    size_t to = text.len;
    json_object_end(&w);
    code = code ? code : text.failed;
    out->json = code ? (struct str){NULL, 0} : arena_dup(arena, buf_str(&text));
    buf_fini(&text);
    if (out->json.data == NULL || out->record_id.data == NULL) {
        return err_set(e, ERR_TOO_LARGE, "it is too large, or memory is out");
    }
    out->record = (struct str){out->json.data + from, to - from};
    return 0;
}
