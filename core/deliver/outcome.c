// The outcome of a delivery is an event where a workflow in force wants it. What caused
// it is read from the store, the outcome is judged, and the event is stored with what it makes owed
// in the transaction that stores the outcome. Without such a workflow nothing of this runs.
#include <stdio.h>

#include "base/id.h"
#include "deliver/internal.h"
#include "deliver/outcome_event.h"
#include "encode/head.h"
#include "engine/engine.h"

struct outcome { // on the job's arena
    struct cause cause;
    struct store_event event;
    char shown_id[ID_SHOWN_LEN + 1];
    bool is_judged;
};

// Fills o->event with the event and what it makes owed.
static int outcome_judge(struct job *j, struct err *e)
{
    struct deliver *d = j->target->deliver;
    struct outcome *o = j->outcome;
    const struct store_owed *owed = &o->cause.delivery->owed;
    const struct store_event_row *cause = o->cause.event;
    struct outcome_end end = {.delivery = j->id,
                              .state = j->finish.state,
                              .workflow = owed->workflow,
                              .action = owed->action,
                              .target = owed->target,
                              .head = j->head,
                              .body = j->body,
                              .redirect_all = d->config.redirect_all,
                              .reason = j->finish.reason,
                              .attempt = &j->finish.attempt,
                              .attempts = j->attempts_made + (j->finish.attempt.number > 0),
                              .answer = j->answer,
                              .is_answer_cut = j->is_answer_cut,
                              .cause_key = cause->key,
                              .cause_time_ms = cause->time_ms,
                              .cause_payload = cause->payload};
    int64_t now_ms = deliver_wall_ms(d);
    uint64_t id = id_next(d->config.ids, now_ms);
    struct event ev;
    struct str shown_id = id_show(o->shown_id, ID_EVENT, id);
    int code = outcome_event_make(&ev, &end, shown_id, now_ms, &j->arena, e);
    if (code) {
        return code;
    }
    o->event = (struct store_event){.id = id,
                                    .type = ev.type,
                                    .record_type = ev.record_type,
                                    .record_id = ev.record_id,
                                    .time_ms = now_ms,
                                    .received_at_ms = now_ms,
                                    .payload = ev.json,
                                    .is_stateless = true};
    j->finish.events = &o->event;
    j->finish.event_count = 1;
    struct trace_context trace = trace_split(head_find_trace(j->head));
    if (trace.parent.len) { // the attempt is what brought it
        char text[TRACE_PARENT_LEN + 1];
        uint64_t span =
            trace_span_id(&trace, j->id, j->finish.attempt.number, j->finish.attempt.at_ms);
        trace.parent = arena_dup(&j->arena, trace_put_parent(text, &trace, span));
        o->event.trace = trace;
    }
    code = engine_judge(d->config.engine, &ev, ev.id, &j->arena, &o->event, e);
    if (code) { // the event is kept: it can be run again
        o->event.run_count = 0;
    }
    return code;
}

// --- the way there -------------------------------------------------------------------------------

// It is stored, and no workflow runs for it, or with nothing of what it made owed.
static void outcome_log(const struct job *j, const char *words)
{
    char id[ID_SHOWN_LEN + 1];
    log_write(j->target->deliver->config.log, LOG_ERROR,
              LOG_FIELDS({"delivery", id_show(id, ID_DELIVERY, j->id)}, {"workflow", j->workflow},
                         {"target", target_name(j->target)}),
              "the outcome of a webhook of " STR_FMT " is not run: %s", STR_ARG(j->workflow),
              words);
}

static void outcome_store(struct job *j)
{
    target_tell(j->target, &j->finish, &j->arena);
    store_finish(j->target->deliver->config.store, &j->finish);
}

static void outcome_on_cause(struct job *j, int code)
{
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
        snprintf(e.text, sizeof e.text, "what caused it cannot be read (%s)",
                 err_word((enum err_code)code));
        outcome_log(j, e.text);
    } else if (outcome_judge(j, &e)) {
        outcome_log(j, e.text);
    }
    o->is_judged = true;
    outcome_store(j);
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
        outcome_store(j);
    }
}
