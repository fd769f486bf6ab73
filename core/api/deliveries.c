// GET /v1/deliveries and /v1/deliveries/ID.
#include <stdio.h>

#include "api/internal.h"
#include "base/rfc3339.h"
#include "deliver/decide.h"
#include "deliver/request.h"
#include "encode/header_lines.h"

enum {
    REPEATED_BODIES_MAX_BYTES = 1 << 20, // of one delivery, over all its attempts
    LAST_ERROR_MAX = 512,
    WAITS_FOR_MAX = 128
};

// What the last attempt of one that was not delivered came to: "503", "connect: refused".
static void deliveries_write_last_error(struct json_writer *w, const struct store_delivery_row *d)
{
    char text[LAST_ERROR_MAX];
    if (d->attempt_count == 0 || d->owed.state == DELIVERY_DELIVERED) {
        json_member_null(w, "last_error");
        return;
    }
    const struct store_attempt *at = &d->attempts[d->attempt_count - 1];
    // A status says enough, but for one that is a failure by the webhook's own word.
    bool is_plain = at->error.len == 0 && (at->status < 200 || at->status > 299);
    struct str detail = is_plain ? STR("") : at->detail;
    char status[16];
    snprintf(status, sizeof status, "%d", at->status);
    struct str what = at->error.len ? at->error : str_from(status);
    snprintf(text, sizeof text, STR_FMT "%s" STR_FMT, STR_ARG(what), detail.len ? ": " : "",
             STR_ARG(detail));
    json_member_text(w, "last_error", text);
}

// Of one that is due to be sent: when it will be, when it will be given up, and what its target's
// breaker makes it wait for.
static void deliveries_write_times(struct json_writer *w, const struct api *a,
                                   const struct store_owed *o)
{
    struct clock *clock = loop_clock(a->config.loop);
    struct deliver_target now;
    deliver_look_at(a->config.deliver, o->target, &now);
    int64_t due_ms = now.not_before_ms > o->due_at_ms ? now.not_before_ms : o->due_at_ms;
    json_member_time(w, "next_attempt_at", clock_wall_at_ms(clock, due_ms));
    json_member_time(w, "ends_at",
                     clock_wall_at_ms(clock, decide_end_ms(o->retry, o->base_ms, o->due_at_ms)));
    char words[WAITS_FOR_MAX];
    char until[RFC3339_LEN + 1];
    rfc3339_format(until, clock_wall_at_ms(clock, now.not_before_ms));
    if (now.not_before_ms) {
        snprintf(words, sizeof words, "its target is left alone until %s (%d failures in a row)",
                 until, now.failures);
        json_member_text(w, "waits_for", words);
    } else if (now.state == TARGET_OPEN || now.state == TARGET_HALF_OPEN) {
        snprintf(words, sizeof words,
                 "its target is tried with one webhook at a time (%d failures in a row)",
                 now.failures);
        json_member_text(w, "waits_for", words);
    } else {
        json_member_null(w, "waits_for");
    }
}

void api_write_delivery(struct json_writer *w, const struct api *a,
                        const struct store_delivery_row *d)
{
    const struct store_owed *o = &d->owed;
    enum delivery_state state = api_shown_state(a, o->state);
    bool is_due = state == DELIVERY_PENDING || state == DELIVERY_RETRYING;
    char paused[API_PAUSED_MAX];
    api_write_id(w, "id", ID_DELIVERY, o->id);
    json_member_text(w, "state", delivery_state_word(state));
    json_member_string(w, "event", o->event_key);
    json_member_string(w, "type", d->event_type);
    json_member_string(w, "workflow", o->workflow);
    json_member_integer(w, "action", o->action);
    api_write_record(w, o->record_type, o->record_id);
    json_member_string(w, "target", o->target);
    json_member_time(w, "created_at", d->created_at_ms);
    if (is_due) {
        deliveries_write_times(w, a, o);
    } else {
        json_member_null(w, "next_attempt_at");
        json_member_null(w, "ends_at");
        json_member_null(w, "waits_for");
    }
    json_member_string_or_null(w, "reason",
                               state == o->state ? d->reason : api_paused_reason(a, paused));
    deliveries_write_last_error(w, d);
}

static void deliveries_write_response(struct json_writer *w, const struct store_attempt *at)
{
    if (at->status == 0) {
        json_member_null(w, "response_received");
        return;
    }
    json_key(w, STR("response_received"));
    json_object_begin(w);
    json_member_integer(w, "status", at->status);
    json_key(w, STR("headers"));
    header_lines_write_json(w, at->headers);
    json_member_string(w, "body", at->body);
    json_member_bool(w, "truncated", at->body_is_truncated);
    json_object_end(w);
}

// The body is the same in every attempt: a large one is shown once, in the first.
static struct str deliveries_body(const struct store_delivery_row *d, size_t i)
{
    bool is_shown = i == 0 || d->owed.body.len * d->attempt_count <= REPEATED_BODIES_MAX_BYTES;
    return is_shown ? d->owed.body : (struct str){0};
}

static void deliveries_write_attempt(struct json_writer *w, const struct api *a,
                                     const struct store_delivery_row *d, size_t i,
                                     struct arena *arena)
{
    const struct store_owed *o = &d->owed;
    const struct store_attempt *at = &d->attempts[i];
    json_object_begin(w);
    json_member_integer(w, "number", at->number);
    json_member_time(w, "at", at->at_ms);
    json_member_integer(w, "elapsed_ms", at->elapsed_ms);
    json_member_string_or_null(w, "error", at->error);
    json_member_string_or_null(w, "detail", at->detail);
    struct request_input in = {.head = o->head,
                               .delivery = o->id,
                               .at_ms = at->at_ms,
                               .attempt = at->number,
                               .redirect_all = a->config.redirect_all};
    if (o->head.len == 0 ||
        request_write_json(w, "request_sent", &in, deliveries_body(d, i), arena)) {
        json_member_null(w, "request_sent");
    }
    deliveries_write_response(w, at);
    json_object_end(w);
}

// What retention has removed of it.
static void deliveries_write_note(struct json_writer *w, const struct store_delivery_row *d)
{
    bool has_no_attempts = d->attempt_count == 0 && d->owed.attempt_count > 0;
    if (d->owed.head.len == 0) {
        json_member_string(
            w, "note",
            has_no_attempts ? STR("retention has removed the request, its attempts and the answers")
                            : STR("retention has removed the request and the answers"));
    } else if (has_no_attempts) {
        json_member_string(w, "note", STR("retention has removed the attempts"));
    }
}

static void deliveries_on_one(struct store_read *read)
{
    struct api_read *q = read->ctx;
    if (!api_read_went_well(q, "there is no such delivery")) {
        return;
    }
    const struct store_delivery_row *d = &read->deliveries[0];
    struct buf body;
    struct json_writer w;
    buf_init(&body, API_ANSWER_MAX);
    json_writer_init(&w, &body);
    json_object_begin(&w);
    api_write_delivery(&w, q->api, d);
    json_key(&w, STR("attempts"));
    json_array_begin(&w);
    for (size_t i = 0; i < d->attempt_count; i++) {
        deliveries_write_attempt(&w, q->api, d, i, &q->arena);
    }
    json_array_end(&w);
    deliveries_write_note(&w, d);
    json_object_end(&w);
    api_send_json(q->request, 200, &body);
    api_read_free(q);
}

void api_get_delivery(struct api *a, struct httpd_request *r, struct str id)
{
    uint64_t number = 0;
    if (id_read_shown(id, ID_DELIVERY, &number)) {
        api_send_problem(r, 404, "there is no such delivery: an id is dlv_ and 13 characters",
                         NULL);
        return;
    }
    struct api_read *q = api_read_new(a, r, STORE_READ_DELIVERY);
    if (q) {
        q->read.id = number;
        q->read.on_done = deliveries_on_one;
        store_read(a->config.store, &q->read);
    }
}

static void deliveries_write_line(struct json_writer *w, const struct store_read *read, size_t i)
{
    json_object_begin(w);
    api_write_delivery(w, ((const struct api_read *)read->ctx)->api, &read->deliveries[i]);
    json_object_end(w);
}

static void deliveries_on_list(struct store_read *read)
{
    api_send_list(read, "deliveries", deliveries_write_line);
}

void api_list_deliveries(struct api *a, struct httpd_request *r, struct str id)
{
    (void)id;
    api_list(a, r, STORE_READ_DELIVERIES, deliveries_on_list);
}
