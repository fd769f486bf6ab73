#include "cli/test_time.h"

#include <stdio.h>

#include "cli/test_event.h"
#include "cli/test_order.h"
#include "deliver/decide.h"
#include "deliver/outcome_event.h"
#include "encode/head.h"
#include "engine/recheck.h"
#include "engine/slots_run.h"
#include "wire/client.h"

enum { TIME_TEXT_MAX = 64 * 1024 * 1024, TIME_STEPS_MAX = 100000 };

int test_time_open(struct world *w, struct err *e)
{
    size_t count = rules_workflow_count(w->rules);
    int code = 0;

    w->schedules = arena_alloc(&w->arena, (count + 1) * sizeof(*w->schedules));
    if (!w->schedules)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; code == 0 && i < count; i++) {
        const struct rules_workflow *one = rules_workflow(w->rules, i);
        struct world_schedule *s = &w->schedules[w->schedule_count];

        if (!one->schedule || !one->is_active)
            continue;
        *s = (struct world_schedule){.index = i, .done_ms = w->now_ms};
        code = zone_load(&s->zone, str_from(one->schedule->zone), e);
        w->schedule_count += code == 0;
    }
    return code;
}

void test_time_close(struct world *w)
{
    for (size_t i = 0; i < w->schedule_count; i++)
        zone_free(w->schedules[i].zone);
}

// --- attempts ------------------------------------------------------------------------------------

// The next answer of the script; NULL: 200.
static const struct json_node *next_answer(struct world *w)
{
    const struct json_node *answer = w->answers.each;

    if (answer)
        w->answers.each = answer->next;
    return answer ? answer : w->answers.always;
}

static int64_t retry_after_ms(const struct world *w, const struct json_node *headers)
{
    for (const struct json_node *n = headers ? headers->first : NULL; n; n = n->next)
        if (str_eq_nocase(n->key, STR("retry-after"))) {
            char value[64];
            struct str text = json_tree_text(n);

            snprintf(value, sizeof(value), STR_FMT, STR_ARG(text));
            return client_retry_after_ms(value, w->now_ms);
        }
    return -1;
}

// "Name: value" lines of an answer's headers, as the wire has them.
static struct str header_lines(struct world *w, const struct json_node *headers)
{
    struct buf lines;
    struct str kept;

    buf_init(&lines, TIME_TEXT_MAX);
    for (const struct json_node *n = headers ? headers->first : NULL; n; n = n->next) {
        struct str value = json_tree_text(n);

        buf_printf(&lines, STR_FMT ": " STR_FMT "\n", STR_ARG(n->key), STR_ARG(value));
    }
    kept = arena_dup(&w->arena, buf_str(&lines));
    buf_fini(&lines);
    return kept;
}

static bool is_wanted(const struct world *w, unsigned verb)
{
    for (size_t i = 0; i < rules_workflow_count(w->rules); i++)
        if (rules_workflow(w->rules, i)->verbs & verb)
            return true;
    return false;
}

// The end of a delivery is an event too, for the workflows that want it.
static int tell_outcome(struct world *w, const struct world_delivery *d,
                        const struct store_attempt *last, struct json_writer *out, struct err *e)
{
    struct outcome_end end = {
        .delivery = d->row.id,
        .state = d->row.state,
        .workflow = d->workflow,
        .action = d->row.action,
        .target = d->row.target,
        .head = d->row.head,
        .body = d->row.body,
        .reason = d->row.reason,
        .attempt = last,
        .attempts = last->number,
        .answer = last->body,
        .cause_key = d->cause->id,
        .cause_time_ms = d->cause->time_ms,
        .cause_payload = d->cause->json,
    };
    char text[ID_SHOWN_LEN + 1];
    struct event ev;
    struct str id;
    int code;

    if (!is_wanted(w, outcome_verb(end.state)))
        return 0;
    id = arena_dup(&w->arena, id_show(text, ID_EVENT, id_next(&w->source, w->now_ms)));
    code = id.data ? outcome_event_make(&ev, &end, id, w->now_ms, &w->arena, e) : ERR_NOMEM;
    return code == 0 && ev.depth <= EVENT_RUN_DEPTH_MAX
               ? world_judge(w, &ev, (struct world_asked){.verb = ev.verb}, out, e)
               : code;
}

struct cover_recheck {
    struct world *w;
    struct err *e;
    int code;
};

static void cover_recheck(void *ctx, struct rules *rules, size_t workflow, bool holds)
{
    struct cover_recheck *c = ctx;

    c->code = test_cover_see(c->w->cover, rules, workflow, holds, c->e);
}

// Whether a delivery that was delayed goes on: its conditions are judged again, once.
static int pass_recheck(struct world *w, struct world_delivery *d, bool *passes, struct err *e)
{
    struct cover_recheck cover = {.w = w, .e = e};
    struct recheck_event q = {
        .cause = d->cause,
        .id = d->cause->id,
        .time_ms = d->cause->time_ms,
        .payload = d->cause->json,
        .previous = d->row.recheck_previous,
        .on_judged = w->cover ? cover_recheck : NULL,
        .ctx = &cover,
    };
    struct str reason;

    *passes = true;
    if (!d->row.wants_recheck)
        return 0;
    d->row.wants_recheck = false;
    q.has_state = test_event_state(w, d->cause, &q.record, &q.is_deleted);
    *passes = recheck_holds(w->rules, d->index, &q, &w->arena, &reason);
    if (!*passes) {
        d->row.state = DELIVERY_CANCELLED;
        d->row.reason = reason;
    }
    return cover.code;
}

static int make_attempt(struct world *w, struct world_delivery *d, struct json_writer *out,
                        struct err *e)
{
    const struct json_node *answer = next_answer(w);
    struct decide_outcome outcome;
    struct store_attempt last;
    struct decide_attempt ended = {
        .delivery = d->row.id,
        .number = ++d->attempts,
        .status = 200,
        .retry = d->row.retry,
        .rules = w->rules,
        .workflow = d->index,
        .action = d->row.action,
        .base_ms = d->base_ms,
        .due_ms = d->row.due_at_ms,
        .now_ms = w->now_ms,
        .retry_after_ms = -1,
        .is_exact = true,
    };

    if (answer && answer->kind == JSON_STRING) {
        // What it is called is on the arena or in the plan, ended by a NUL.
        ended.error = arena_dup(&w->arena, answer->text).data;
        ended.detail = answer->text;
        ended.status = 0;
    } else if (answer) {
        const struct json_node *status = json_tree_get(answer, "status");
        int64_t number = 0;

        str_to_int64(json_tree_text(status ? status : answer), &number);
        ended.status = (int)number;
        ended.retry_after_ms = retry_after_ms(w, json_tree_get(answer, "headers"));
        ended.headers = header_lines(w, json_tree_get(answer, "headers"));
        if (json_tree_get(answer, "body"))
            ended.body = json_tree_text(json_tree_get(answer, "body"));
    }
    if (ended.error && strcmp(ended.error, "oauth") == 0 && head_find_oauth2(d->row.head).len == 0)
        return err_set(
            e, ERR_INVALID,
            "the answer \"oauth\" is for webhooks with auth = hook.oauth2, and that to " STR_FMT
            " has none",
            STR_ARG(d->row.target));
    decide_outcome(&ended, &w->arena, &outcome);
    d->base_ms = outcome.base_ms;
    d->row.state = outcome.state;
    d->row.due_at_ms = outcome.due_ms;
    d->row.reason = outcome.reason;
    if (outcome.state == DELIVERY_RETRYING && test_order_look_newer(w, d) != 0)
        return err_set(e, ERR_NOMEM, "out of memory");
    last = (struct store_attempt){
        .number = d->attempts,
        .at_ms = w->now_ms,
        .status = ended.status,
        .error = str_from(ended.error),
        .headers = ended.headers,
        .body = ended.body,
    };
    return tell_outcome(w, d, &last, out, e);
}

// Its order let nothing of it through before its end.
static int give_up(struct world *w, struct world_delivery *d, struct json_writer *out,
                   struct err *e)
{
    struct store_attempt none = {.at_ms = w->now_ms};

    d->row.state = DELIVERY_TERMINATED;
    d->row.reason = STR("0 attempts were made, and no more got through before its end: it waited "
                        "for others of its order");
    return tell_outcome(w, d, &none, out, e);
}

static int attempt(struct world *w, struct world_delivery *d, struct json_writer *out,
                   struct err *e)
{
    bool passes;
    int code;

    w->now_ms = d->row.due_at_ms > w->now_ms ? d->row.due_at_ms : w->now_ms;
    if (test_order_is_over(w, d)) {
        code = give_up(w, d, out, e);
    } else {
        code = pass_recheck(w, d, &passes, e);
        code = code || !passes ? code : make_attempt(w, d, out, e);
    }
    if (code == 0 && !test_time_is_owed(d))
        test_order_release(w, d);
    return code;
}

bool test_time_is_owed(const struct world_delivery *d)
{
    return d->row.state == DELIVERY_PENDING || d->row.state == DELIVERY_RETRYING;
}

// The delivery that is due first, at until_ms or before; of two at the same time the older.
static struct world_delivery *first_due(const struct world *w, int64_t until_ms)
{
    struct world_delivery *found = NULL;

    for (struct world_delivery *d = w->first; d; d = d->next)
        if (test_time_is_owed(d) && d->row.due_at_ms <= until_ms &&
            (!found || d->row.due_at_ms < found->row.due_at_ms))
            found = d;
    return found;
}

// --- times of schedules --------------------------------------------------------------------------

static struct timetable timetable_of(const struct world *w, const struct world_schedule *s)
{
    return (struct timetable){rules_workflow(w->rules, s->index)->schedule, s->zone};
}

// The schedule whose time comes first, at until_ms or before; of two the first workflow's.
static struct world_schedule *first_time(struct world *w, int64_t until_ms, int64_t *at_ms)
{
    struct world_schedule *found = NULL;

    for (size_t i = 0; i < w->schedule_count; i++) {
        struct timetable times = timetable_of(w, &w->schedules[i]);
        int64_t next_ms = timetable_next_ms(&times, w->schedules[i].done_ms);

        if (next_ms <= until_ms && (!found || next_ms < *at_ms)) {
            found = &w->schedules[i];
            *at_ms = next_ms;
        }
    }
    return found;
}

static int judge_record(struct world *w, const struct world_schedule *s, int64_t at_ms,
                        const struct test_record *record, struct json_writer *out, struct err *e)
{
    const struct rules_workflow *workflow = rules_workflow(w->rules, s->index);
    struct timetable times = timetable_of(w, s);
    struct slots_run_of of = {.workflow = workflow->id,
                              .record_type = str_from(workflow->record),
                              .record_id = record->id,
                              .record = record->record};
    struct slots_run *run;
    struct buf json;
    int code;

    if (!slots_run_is_due(&times, s->done_ms, at_ms, record->record, &of.due_ms))
        return 0;
    run = arena_alloc(&w->arena, sizeof(*run)); // what it owes refers to it
    if (!run)
        return err_set(e, ERR_NOMEM, "out of memory");
    buf_init(&json, TIME_TEXT_MAX);
    code = slots_run_make(run, &json, &of);
    run->event.json = arena_dup(&w->arena, run->event.json);
    buf_fini(&json);
    if (code || !run->event.json.data)
        return err_set(e, ERR_TOO_LARGE, "the event is too large");
    return world_judge(w, &run->event, (struct world_asked){.only = &s->index}, out, e);
}

static int run_time(struct world *w, struct world_schedule *s, int64_t at_ms,
                    struct json_writer *out, struct err *e)
{
    struct test_record *records;
    size_t count;
    int code = test_event_records(w, str_from(rules_workflow(w->rules, s->index)->record), &records,
                                  &count);

    w->now_ms = at_ms > w->now_ms ? at_ms : w->now_ms;
    for (size_t i = 0; code == 0 && i < count; i++)
        code = judge_record(w, s, at_ms, &records[i], out, e);
    s->done_ms = at_ms;
    return code;
}

// Moves the clock on: whatever falls due meanwhile happens, attempts and times of schedules, in
// their order.
int test_time_advance(struct world *w, int64_t until_ms, struct json_writer *out, struct err *e)
{
    int code = 0;

    for (int i = 0; code == 0; i++) {
        struct world_delivery *d = first_due(w, until_ms);
        int64_t at_ms = INT64_MAX;
        struct world_schedule *s = first_time(w, until_ms, &at_ms);

        if (!d && !s)
            break;
        if (i == TIME_STEPS_MAX)
            return err_set(e, ERR_TOO_LARGE, "more than %d attempts and times in one step", i);
        code = s && (!d || at_ms < d->row.due_at_ms) ? run_time(w, s, at_ms, out, e)
                                                     : attempt(w, d, out, e);
    }
    w->now_ms = until_ms;
    return code;
}
