// From an event to the webhooks owed: each workflow that could match it is asked, and what it owes
// becomes rows for the store.
#include "engine/judge.h"

#include "encode/head.h"
#include "engine/internal.h"

enum { ORDER_KEY_MAX = 8 << 20 }; // an id of a record may be as large as an event

static const struct str JUDGE_DRY = STR(STORE_DRY_REASON);

// The text where code is 0, else {NULL,0}, and the arena knows whether memory is out.
static struct str judge_keep(const struct judge_context *c, struct buf *text, int code)
{
    struct str kept = code ? (struct str){NULL, 0} : arena_dup(c->arena, buf_str(text));
    c->arena->is_starved |= code == ERR_NOMEM;
    buf_fini(text);
    return kept;
}

// What an event makes owed that came through workflows itself says so to its receiver, and it is of
// the event's trace where that has one; but no webhook fails for the few bytes of a trace.
static struct str judge_head_of(const struct judge_context *c, struct str head)
{
    const struct event *ev = c->event;
    struct buf text;
    struct err e;
    buf_init(&text, HEAD_BYTES_MAX);
    buf_append_str(&text, head);
    int code = ev->depth ? head_write_depth(&text, ev->depth + 1, &e) : text.failed;
    if (code == 0 && c->trace.len && text.len + TRACE_TEXT_MAX + 16 <= HEAD_BYTES_MAX) {
        code = head_write_trace(&text, c->trace, &e);
    }
    return judge_keep(c, &text, code);
}

// What the webhooks that go one after another have in common: the workflow and the record; of
// "latest" also the action, so that two webhooks of one run do not supersede each other. {NULL,0}:
// no memory.
static struct str judge_order_key(const struct judge_context *c, const struct rules_request *q,
                                  const struct rules_workflow *w)
{
    const struct event *ev = c->event;
    struct buf text;
    buf_init(&text, ORDER_KEY_MAX);
    buf_printf(&text, "%s\n" STR_FMT "\n%d\n", w->id, STR_ARG(ev->record_type),
               q->is_latest ? q->action : 0);
    buf_append_str(&text, ev->record_id);
    return judge_keep(c, &text, text.failed);
}

// The default's is known by the store; what an order holds up has its own, since its base moves
// without an attempt.
static int64_t judge_window_ms(const struct judge_context *c, const struct rules_request *q)
{
    return c->window_ms && (q->retry.len || q->is_ordered) ? c->window_ms(q->retry) : 0;
}

static int judge_copy_requests(const struct judge_context *c, struct store_run *run,
                               const struct rules_run *r, const struct rules_workflow *w)
{
    const struct event *ev = c->event;
    run->deliveries = arena_alloc(c->arena, (r->request_count + 1) * sizeof *run->deliveries);
    if (run->deliveries == NULL) {
        return ERR_TOO_LARGE;
    }
    run->delivery_count = r->request_count;
    for (size_t i = 0; i < r->request_count; i++) {
        const struct rules_request *q = &r->requests[i];
        run->deliveries[i] = (struct store_delivery){
            .id = id_next(c->ids, c->now_ms),
            .action = q->action,
            .state = q->invalid.len            ? DELIVERY_INVALID
                     : run->outcome == RUN_DRY ? DELIVERY_CANCELLED
                                               : DELIVERY_PENDING,
            .target = q->target,
            .due_at_ms = c->running_ms + w->delay_ms,
            .is_delayed = w->delay_ms > 0,
            .wants_recheck = w->is_rechecked,
            .recheck_previous = ev->is_compared ? ev->previous : (struct str){NULL, 0},
            .head = q->head,
            .body = q->body,
            .retry = q->retry,
            .window_ms = judge_window_ms(c, q),
            .timeout_ms = q->timeout_ms,
            .reason = q->invalid.len || run->outcome != RUN_DRY ? q->invalid : JUDGE_DRY,
        };
        if (q->is_ordered) {
            run->deliveries[i].order_key = judge_order_key(c, q, w);
            run->deliveries[i].is_latest = q->is_latest;
            if (run->deliveries[i].order_key.data == NULL) {
                return ERR_TOO_LARGE;
            }
        }
        if (ev->depth > 0 || c->trace.len) {
            struct str head = judge_head_of(c, q->head);
            if (head.data == NULL) {
                return ERR_TOO_LARGE;
            }
            run->deliveries[i].head = head;
        }
    }
    return 0;
}

static bool judge_owes_something(const struct store_run *run)
{
    for (size_t i = 0; i < run->delivery_count; i++) {
        if (run->deliveries[i].state != DELIVERY_INVALID) {
            return true;
        }
    }
    return false;
}

// What the run takes with it into the store: once for ever, or for the cooldown, and nothing where
// it owes nothing.
static struct store_mark judge_mark(const struct rules_workflow *w, const struct store_run *run,
                                    int64_t now_ms)
{
    struct store_mark mark = {.is_set = w->is_once || w->cooldown_ms > 0};
    mark.is_set = mark.is_set && run->outcome == RUN_SENT && judge_owes_something(run);
    bool is_for_ever = w->is_once || w->cooldown_ms > INT64_MAX - now_ms;
    mark.until_ms = is_for_ever ? INT64_MAX : now_ms + w->cooldown_ms;
    return mark;
}

int judge_workflow(const struct judge_context *c, size_t index, bool is_dry, struct store_run *run,
                   enum rules_verdict *verdict)
{
    const struct rules_workflow *w = rules_workflow(c->rules, index);
    struct rules_run r = {0};
    rules_run(c->rules, index, c->arena, &r);
    *verdict = r.verdict;
    if (r.verdict == RULES_NO_MATCH) {
        return 0;
    }
    // Its neighbours in the body took the room: alone it would be sent, so it is no error of its.
    struct str id = arena_dup(c->arena, str_from(w->id));
    if (r.is_out_of_room || id.data == NULL) {
        return ERR_TOO_LARGE;
    }
    *run = (struct store_run){.workflow = id,
                              .generation = c->generation,
                              .outcome = r.verdict != RULES_MATCH ? RUN_ERROR
                                         : is_dry                 ? RUN_DRY
                                                                  : RUN_SENT};
    if (r.verdict != RULES_MATCH) {
        run->is_over_budget = r.verdict != RULES_ERROR;
        run->reason = r.message;
        return 0;
    }
    int code = judge_copy_requests(c, run, &r, w);
    run->mark = judge_mark(w, run, c->now_ms);
    return code;
}

// Runs are few: the array grows by doubling on the arena.
static int judge_add_run(struct store_event *out, const struct store_run *run, struct arena *arena)
{
    bool is_full = (out->run_count & (out->run_count - 1)) == 0; // at 0, 1, 2, 4, 8, ...
    if (is_full) {
        size_t cap = out->run_count ? out->run_count * 2 : 1;
        struct store_run *more = arena_alloc(arena, cap * sizeof *more);
        if (more == NULL) {
            return ERR_TOO_LARGE;
        }
        if (out->run_count) {
            memcpy(more, out->runs, out->run_count * sizeof *more);
        }
        out->runs = more;
    }
    out->runs[out->run_count++] = *run;
    return 0;
}

static void judge_log_error(struct engine *g, const struct store_run *run, struct str event_id)
{
    struct log_field fields[] = {{"workflow", run->workflow}, {"event", event_id}};
    log_write(g->config.log, LOG_ERROR, fields, 2, "the workflow failed: " STR_FMT,
              STR_ARG(run->reason));
}

// A suspended workflow is not asked: what it would have done can be had by a replay.
static int judge_suppress(struct engine *g, const struct rules_workflow *w, struct arena *arena,
                          struct store_run *run)
{
    const struct control_values *said = engine_control_of(g, str_from(w->id));
    *run = (struct store_run){.workflow = arena_dup(arena, str_from(w->id)),
                              .generation = g->current->id,
                              .outcome = RUN_SUPPRESSED,
                              .reason = arena_dup(arena, str_from(said->suspended_reason))};
    return run->workflow.data && run->reason.data ? 0 : ERR_TOO_LARGE;
}

// What has a mark cannot go in circles, a replay is an operator's own, and an import answers no
// webhook.
static bool judge_is_counted(const struct store_event *out, const struct store_run *run)
{
    return run->outcome == RUN_SENT && !run->mark.is_set && !out->is_replay && !out->is_import;
}

// A run of one too many for its record within a minute: it is stored and owes nothing.
static int judge_limit(struct engine *g, const struct judge_context *c,
                       const struct store_event *out, struct str shown_id, struct store_run *run)
{
    const struct event *ev = c->event;
    int64_t now_ms = clock_mono_ms(loop_clock(g->config.loop));
    if (!judge_is_counted(out, run)) {
        return 0;
    }
    enum loops_verdict verdict =
        loops_count(g->loops, run->workflow, ev->record_type, ev->record_id, now_ms);
    if (verdict == LOOPS_FINE) {
        return 0;
    }
    struct buf words;
    buf_init(&words, CONTROL_WORDS_MAX + EVENT_NAME_MAX + EVENT_RECORD_ID_MAX);
    loops_say(&words, ev->record_type, ev->record_id);
    *run = (struct store_run){.workflow = run->workflow,
                              .generation = run->generation,
                              .outcome = RUN_SUPPRESSED,
                              .reason = arena_dup(c->arena, buf_str(&words))};
    buf_fini(&words);
    if (run->reason.data == NULL) {
        return ERR_TOO_LARGE;
    }
    if (verdict == LOOPS_FIRST) {
        struct log_field fields[] = {{"workflow", run->workflow}, {"event", shown_id}};
        log_write(g->config.log, LOG_ERROR, fields, 2, "stored and not run: " STR_FMT,
                  STR_ARG(run->reason));
        g->config.on_looping(g->config.ctx, run->workflow, run->reason);
    }
    return 0;
}

void engine_take_back(struct engine *g, const struct store_event *ev)
{
    for (size_t i = 0; i < ev->run_count; i++) {
        if (judge_is_counted(ev, &ev->runs[i])) {
            loops_take_back(g->loops, ev->runs[i].workflow, ev->record_type, ev->record_id);
        }
    }
}

// Asks a workflow that may be stopped or suspended; *stored tells whether a run is to be stored.
static int judge_one(struct engine *g, const struct judge_context *c, size_t index,
                     struct str shown_id, struct store_run *run, bool *stored)
{
    const struct rules_workflow *w = rules_workflow(c->rules, index);
    enum workflow_mode mode = (enum workflow_mode)g->current->modes[index];
    enum rules_verdict verdict;
    *stored = mode == WORKFLOW_SUSPENDED;
    if (mode == WORKFLOW_STOPPED || mode == WORKFLOW_SUSPENDED) {
        return *stored ? judge_suppress(g, w, c->arena, run) : 0;
    }
    int code = judge_workflow(c, index, mode == WORKFLOW_DRY, run, &verdict);
    *stored = code == 0 && verdict != RULES_NO_MATCH;
    if (*stored && run->outcome == RUN_ERROR) {
        judge_log_error(g, run, shown_id);
        if (verdict != RULES_ERROR) {
            control_note_stop(g, w->id, run->reason);
        }
    }
    return code;
}

// Asks each of these, by their places among the rules. look: what they read of the event; NULL: all
// of it.
static int judge_each(struct engine *g, const uint32_t *workflows, size_t count,
                      const struct index_look *look, const struct event *ev, struct str shown_id,
                      struct arena *arena, struct store_event *out, struct err *e)
{
    const struct clock *clock = loop_clock(g->config.loop);
    char trace[TRACE_TEXT_MAX];
    struct judge_context context = {.window_ms = g->config.window_ms,
                                    .rules = g->current->rules,
                                    .generation = g->current->id,
                                    .event = ev,
                                    .ids = g->config.ids,
                                    .now_ms = clock_wall_ms(clock),
                                    .running_ms = clock_running_ms(clock),
                                    .trace = trace_put_event(trace, &out->trace, out->id),
                                    .arena = arena};
    struct rules_event re = {.json = ev->json,
                             .id = shown_id,
                             .type = ev->type,
                             .record_type = ev->record_type,
                             .verb = ev->verb_word,
                             .time_ms = out->time_ms,
                             .previous = ev->previous,
                             .is_compared = ev->is_compared,
                             .parts = look ? look->parts : NULL,
                             .part_count = look ? look->part_count : 0,
                             .reads_time = look && look->reads_time};
    int code = rules_event_begin(g->current->rules, &re, e);
    if (code) {
        return code;
    }
    for (size_t i = 0; code == 0 && i < count; i++) {
        struct store_run run;
        bool stored = false;
        code = judge_one(g, &context, workflows[i], shown_id, &run, &stored);
        if (code == 0 && stored) {
            code = judge_limit(g, &context, out, shown_id, &run);
        }
        if (code == 0 && stored) {
            code = judge_add_run(out, &run, arena);
        }
    }
    rules_event_end(g->current->rules);
    return code ? err_set(e, (enum err_code)code,
                          "what the workflows owe for this body takes too much memory: send fewer "
                          "events in one body")
                : 0;
}

// An event that came through many workflows may be caused by them, in a circle.
static bool judge_is_too_deep(const struct engine *g, const struct event *ev, struct str shown_id)
{
    if (ev->depth <= EVENT_RUN_DEPTH_MAX) {
        return false;
    }
    struct log_field fields[] = {{"event", shown_id}};
    log_write(g->config.log, LOG_WARN, fields, 1,
              "the event came through %u workflows: it is stored and not run", ev->depth);
    return true;
}

// Where spans are exported, an event that came without a trace begins one.
static void judge_begin_trace(const struct engine *g, struct store_event *out, struct arena *arena)
{
    char text[TRACE_PARENT_LEN + 1];
    if (g->config.traces_all && out->trace.parent.len == 0) {
        out->trace.parent = arena_dup(arena, trace_begin(text));
    }
}

int engine_judge(struct engine *g, const struct event *ev, struct str shown_id, struct arena *arena,
                 struct store_event *out, struct err *e)
{
    judge_begin_trace(g, out, arena);
    struct index_look *look = &g->look;
    if (!index_wants(&g->current->index, ev->type) || judge_is_too_deep(g, ev, shown_id)) {
        return 0;
    }
    if (index_look(look, &g->current->index, ev, out->time_ms, arena)) {
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    return look->asked_count
               ? judge_each(g, look->asked, look->asked_count, look, ev, shown_id, arena, out, e)
               : 0;
}

int engine_judge_one(struct engine *g, const struct generation_workflow *w, const struct event *ev,
                     struct str shown_id, struct arena *arena, struct store_event *out,
                     struct err *e)
{
    uint32_t index = (uint32_t)w->index;
    judge_begin_trace(g, out, arena);
    return judge_is_too_deep(g, ev, shown_id)
               ? 0
               : judge_each(g, &index, 1, NULL, ev, shown_id, arena, out, e);
}
