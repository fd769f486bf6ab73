// One attempt: built and sent, its answer judged, its outcome stored.
#include <stdio.h>

#include "base/crash_point.h"
#include "base/id.h"
#include "deliver/decide.h"
#include "deliver/internal.h"
#include "deliver/policy.h"
#include "deliver/request.h"

enum { ATTEMPT_STATUS_UNAUTHORIZED = 401 };

static void attempt_log_failure(const struct job *j)
{
    const struct store_finish *f = &j->finish;
    char id[ID_SHOWN_LEN + 1];
    struct log_field fields[] = {{"delivery", id_show(id, ID_DELIVERY, j->id)},
                                 {"workflow", j->workflow},
                                 {"target", target_name(j->target)},
                                 {"state", str_from(delivery_state_word(f->state))}};
    const struct log *log = j->target->deliver->config.log;
    if (f->attempt.number) {
        log_write(log, LOG_WARN, fields, 4, "attempt %d failed: " STR_FMT, f->attempt.number,
                  STR_ARG(f->attempt.detail));
    } else {
        log_write(log, LOG_WARN, fields, 4, "given up: " STR_FMT, STR_ARG(f->reason));
    }
}

static void attempt_log_fault(const struct job *j, struct str fault)
{
    char id[ID_SHOWN_LEN + 1];
    log_write(j->target->deliver->config.log, LOG_ERROR,
              LOG_FIELDS({"delivery", id_show(id, ID_DELIVERY, j->id)}, {"workflow", j->workflow},
                         {"target", target_name(j->target)}),
              "a function of a webhook failed, so what holds without it does: " STR_FMT,
              STR_ARG(fault));
}

static void attempt_on_stored(struct store_finish *f)
{
    struct job *j = f->ctx;
    struct target *t = j->target;
    struct deliver *d = t->deliver;
    if (f->code) {
        target_untold(t);
    }
    if (f->code && f->code != ERR_NOT_FOUND) {
        attempt_keep(j);
        return;
    }
    if (f->code == 0) {
        deliver_tell_state(j);
    }
    if (f->code == 0 && f->event_count) {
        crash_point(d->config.crash_at, "outcome_before_next");
    }
    for (size_t i = 0; f->code == 0 && !d->is_draining && i < f->event_count; i++) {
        deliver_take_event(d, &f->events[i]);
    }
    int64_t due_ms = f->code == 0 && f->state == DELIVERY_RETRYING ? f->due_at_ms : INT64_MAX;
    deliver_freed(d, &f->freed);
    job_drop(j);
    target_mark_due(t, due_ms);
    target_settle(t);
    schedule_arm(d);
    schedule_pump(d);
    deliver_check_drained(d);
}

// People are told by mail, in the store's transaction that stores the outcome.
static void attempt_tell(struct job *j)
{
    struct target *t = j->target;
    const struct store_finish *f = &j->finish;
    struct notices *notices = t->deliver->config.notices;
    struct str name = target_name(t);
    t->is_failing = f->state != DELIVERY_DELIVERED;
    if (!t->is_failing) {
        notices_recovered(notices, name, j->workflow);
        return;
    }
    struct clock *clock = loop_clock(t->deliver->config.loop);
    struct notice_failure failure = {.target = name,
                                     .workflow = j->workflow,
                                     .head = j->head,
                                     .delivery = j->id,
                                     .attempt = f->attempt.number,
                                     .status = f->attempt.status,
                                     .error = f->attempt.error,
                                     .detail = f->attempt.detail,
                                     .is_end = f->state == DELIVERY_TERMINATED,
                                     .reason = f->reason,
                                     .next_ms = clock_wall_at_ms(clock, f->due_at_ms)};
    notices_failed(notices, &failure);
}

void attempt_keep(struct job *j)
{
    struct deliver *d = j->target->deliver;
    j->next = d->unstored;
    d->unstored = j;
    deliver_ask_again(d);
}

void attempt_store_again(struct deliver *d)
{
    struct job *j = d->unstored;
    d->unstored = NULL;
    while (j) {
        struct job *next = j->next;
        j->next = NULL;
        outcome_finish(j);
        j = next;
    }
}

static struct str attempt_masked(struct job *j, struct str text, bool is_cut)
{
    if (mask_is_empty(&j->mask)) {
        return arena_dup(&j->arena, text);
    }
    struct buf out;
    buf_init(&out, 4 * text.len); // where every byte is a secret
    mask_apply(&j->mask, &out, text, is_cut);
    struct str kept = arena_dup(&j->arena, buf_str(&out));
    buf_fini(&out);
    return kept;
}

// What retry windows count from: the first failure, but the time when it fell due where a breaker
// let no attempt through, so that the end stays where it was.
static int64_t attempt_base_ms(const struct job *j)
{
    return j->base_ms == 0 && j->was_held_up ? j->due_ms : j->base_ms;
}

// Takes the attempt's end: with an answer (error NULL) or without.
static void attempt_end(struct job *j, const char *error, struct str detail,
                        const struct client_response *r)
{
    struct target *t = j->target;
    struct deliver *d = t->deliver;
    struct store_finish *f = &j->finish;
    int64_t now_ms = deliver_now_ms(d);
    *f = (struct store_finish){.delivery = j->id,
                               .base_ms = j->base_ms,
                               .order_key = j->order_key,
                               .now_ms = now_ms,
                               .arena = &j->arena,
                               .on_done = attempt_on_stored,
                               .ctx = j,
                               .attempt = {.number = j->attempts_made + 1, .at_ms = j->started_ms}};
    if (r) {
        f->attempt.elapsed_ms = r->elapsed_ms;
        f->attempt.status = r->status;
        f->attempt.headers = attempt_masked(j, r->headers, false);
        j->answer = attempt_masked(j, r->body, r->body_is_truncated);
        j->is_answer_cut = r->body_is_truncated;
        bool is_long = j->answer.len > DECIDE_BODY_BYTES;
        f->attempt.body = (struct str){j->answer.data, is_long ? DECIDE_BODY_BYTES : j->answer.len};
        f->attempt.body_is_truncated = is_long || r->body_is_truncated;
    }
    bool was_sent = schedule_leave(j); // else the target has no part in it
    struct decide_attempt ended = {.delivery = j->id,
                                   .number = f->attempt.number,
                                   .status = f->attempt.status,
                                   .error = error,
                                   .detail = detail,
                                   .retry = j->retry,
                                   .action = j->action,
                                   .headers = f->attempt.headers,
                                   .body = j->answer,
                                   .is_body_cut = j->is_answer_cut,
                                   .base_ms = attempt_base_ms(j),
                                   .due_ms = j->due_ms,
                                   .now_ms = now_ms,
                                   .retry_after_ms = r ? r->retry_after_ms : -1};
    struct decide_outcome outcome;
    ended.rules = engine_rules(d->config.engine, j->workflow, &ended.workflow);
    decide_outcome(&ended, &j->arena, &outcome);
    f->state = outcome.state;
    f->base_ms = outcome.base_ms;
    f->due_at_ms = outcome.due_ms;
    f->attempt.error = str_from(outcome.error);
    f->attempt.detail = outcome.detail;
    f->reason = outcome.reason;
    if (f->state == DELIVERY_RETRYING) {
        f->window_ms = decide_window_ms(j->retry);
    }
    if (outcome.fault.len) {
        attempt_log_fault(j, outcome.fault);
    }
    if (f->state == DELIVERY_DELIVERED) {
        target_succeeded(t);
    } else {
        if (was_sent) {
            target_failed(t, j, outcome.error, f->attempt.status);
        }
        attempt_log_failure(j);
    }
    if (t->is_failing || f->state != DELIVERY_DELIVERED) {
        attempt_tell(j);
    }
    outcome_finish(j);
    target_update_ready(t);
}

void attempt_fail(struct job *j, const char *error, struct str detail)
{
    j->started_ms = deliver_wall_ms(j->target->deliver);
    attempt_end(j, error, arena_dup(&j->arena, detail), NULL);
}

void attempt_give_up(struct job *j)
{
    struct target *t = j->target;
    struct buf words;
    buf_init(&words, 1024);
    buf_printf(&words,
               "%d attempts were made, and no more got through before its end: ", j->attempts_made);
    if (job_has_waited(j) && t->state == TARGET_CLOSED) {
        buf_append_str(&words, STR("it waited for others of its order"));
    } else {
        buf_printf(&words, "%s is down", t->name);
    }
    j->is_ending = true;
    t->ending_count++;
    j->started_ms = deliver_wall_ms(t->deliver);
    j->finish = (struct store_finish){.delivery = j->id,
                                      .state = DELIVERY_TERMINATED,
                                      .base_ms = j->base_ms,
                                      .reason = arena_dup(&j->arena, buf_str(&words)),
                                      .attempt = {.at_ms = j->started_ms},
                                      .order_key = j->order_key,
                                      .now_ms = deliver_now_ms(t->deliver),
                                      .arena = &j->arena,
                                      .on_done = attempt_on_stored,
                                      .ctx = j};
    buf_fini(&words);
    attempt_log_failure(j);
    attempt_tell(j);
    outcome_finish(j);
}

// The store says by which one, and lets that go. Where that is gone meanwhile, this one is read
// again as it was.
void attempt_outdated(struct job *j)
{
    struct deliver *d = j->target->deliver;
    j->started_ms = deliver_wall_ms(d);
    j->finish = (struct store_finish){.delivery = j->id,
                                      .state = DELIVERY_RETRYING,
                                      .due_at_ms = j->due_ms,
                                      .base_ms = j->base_ms,
                                      .order_key = j->order_key,
                                      .now_ms = deliver_now_ms(d),
                                      .arena = &j->arena,
                                      .on_done = attempt_on_stored,
                                      .ctx = j};
    outcome_finish(j);
}

static void attempt_on_response(void *ctx, const struct client_response *r)
{
    struct job *j = ctx;
    struct deliver *d = j->target->deliver;
    crash_point(d->config.crash_at, "sent_before_outcome");
    if (r->error == CLIENT_OK && r->status == ATTEMPT_STATUS_UNAUTHORIZED && oauth_wait_renew(j)) {
        schedule_pump(d);
        return;
    }
    struct str detail = attempt_masked(j, str_from(r->detail), false);
    attempt_end(j, client_error_word(r->error), detail, r);
    schedule_pump(d);
}

static int attempt_send(struct job *j, struct err *e)
{
    struct deliver *d = j->target->deliver;
    struct request request;
    struct request_input in = {.head = j->head,
                               .body = j->body,
                               .delivery = j->id,
                               .at_ms = j->started_ms,
                               .attempt = j->attempts_made + 1,
                               .token = j->token,
                               .redirect_all = d->config.redirect_all};
    int code = request_build(&request, &in, d->config.secrets, &j->mask, &j->arena, e);
    if (code) {
        return code;
    }
    bool wants_answer = engine_wants(d->config.engine, RULES_DELIVERED | RULES_TERMINATED) ||
                        policy_asks_success(j->retry);
    struct client_request q = {.method = request.method,
                               .url = request.url,
                               .headers = request.headers,
                               .header_count = request.header_count,
                               .body = j->body,
                               .timeout_ms = j->timeout_ms,
                               .max_response_bytes = wants_answer ? DECIDE_ANSWER_BYTES : 0,
                               .also_allow = d->config.redirect_allow,
                               .is_alone = j->standing != TARGET_PROVEN,
                               .on_done = attempt_on_response,
                               .ctx = j};
    code = client_send(d->config.client, &q);
    return code ? err_set(e, (enum err_code)code, "out of memory") : 0;
}

void attempt_start(struct job *j)
{
    struct err e = {0};
    j->started_ms = deliver_wall_ms(j->target->deliver);
    int code = attempt_send(j, &e);
    if (code) {
        // Nothing went out: a secret that is missing, or this machine's own trouble. It counts as
        // an attempt, but says nothing of the target.
        gate_took_back(j->target, j);
        schedule_leave(j);
        attempt_end(j, secrets_is_missing(code) ? "secret_missing" : "connect",
                    arena_dup(&j->arena, str_from(e.text)), NULL);
    }
}
