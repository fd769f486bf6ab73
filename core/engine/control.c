// What is said of workflows beside their files: an operator's start and stop, the host's own
// suspension, and what that does to the webhooks that are owed. Each is a row of the store; for one
// workflow one request to the store is under way at a time, a put or a step.
#include <stdio.h>
#include <stdlib.h>

#include "engine/internal.h"

enum { CONTROL_AGAIN_MS = 1000, CONTROL_ROWS_MAX_BYTES = 64 << 20 };

// --- one workflow --------------------------------------------------------------------------------

static void control_next(struct control *c);

static struct control *control_get(struct engine *g, struct str id)
{
    return map_get(&g->controls, id);
}

static struct control *control_make(struct engine *g, struct str id)
{
    struct control *c = control_get(g, id);
    if (c) {
        return c;
    }
    c = calloc(1, sizeof *c + id.len + 1);
    if (c == NULL) {
        return NULL;
    }
    memcpy(c->id, id.data, id.len);
    c->engine = g;
    c->now.is_owed_done = true;
    c->wanted.is_owed_done = true;
    if (map_put(&g->controls, (struct str){c->id, id.len}, c)) {
        free(c);
        return NULL;
    }
    return c;
}

static void control_set_words(char out[CONTROL_WORDS_MAX], struct str words)
{
    size_t len = words.len < CONTROL_WORDS_MAX - 1 ? words.len : CONTROL_WORDS_MAX - 1;
    while (len < words.len && len && ((unsigned char)words.data[len] & 0xc0) == 0x80) {
        len--; // not in the middle of a character
    }
    if (len) {
        memcpy(out, words.data, len);
    }
    out[len] = '\0';
}

static enum workflow_mode control_mode(const struct control_values *v,
                                       const struct rules_workflow *rule)
{
    if (v->started == STOPPED_BY_OPERATOR) {
        return WORKFLOW_STOPPED;
    }
    if (v->suspended_at_ms) {
        return WORKFLOW_SUSPENDED;
    }
    if (v->started == STARTED_BY_OPERATOR) {
        return WORKFLOW_RUNS;
    }
    return !rule->is_active ? WORKFLOW_STOPPED : rule->is_dry ? WORKFLOW_DRY : WORKFLOW_RUNS;
}

static void control_want_owed(struct control *c, enum when_stopped owed, const char *why)
{
    struct control_values *v = &c->wanted;
    if (owed == v->owed) {
        return;
    }
    if (v->owed != WHEN_STOPPED_HOLD) { // a release needs to know since when
        v->owed_since_ms = clock_running_ms(loop_clock(c->engine->config.loop));
    }
    v->owed = owed;
    v->is_owed_done = false;
    c->is_dirty = true;
    control_set_words(v->owed_reason, str_from(why));
}

// What becomes of the webhooks that it owes, by what is wanted of it. rule NULL: its file is gone.
static void control_settle_owed(struct control *c, const struct rules_workflow *rule)
{
    struct control_values *v = &c->wanted;
    char words[CONTROL_WORDS_MAX];
    enum workflow_mode mode = rule ? control_mode(v, rule) : WORKFLOW_STOPPED;
    const char *why = "the workflow is stopped: active = false in its file";
    if (rule) {
        c->is_dirty = c->is_dirty || (unsigned)v->when_stopped != rule->when_stopped;
        v->when_stopped = (enum when_stopped)rule->when_stopped;
    } else {
        why = "the workflow's file was removed";
    }
    if (mode == WORKFLOW_RUNS || mode == WORKFLOW_DRY) {
        control_want_owed(c, WHEN_STOPPED_FINISH, "");
        return;
    }
    if (mode == WORKFLOW_SUSPENDED) {
        snprintf(words, sizeof words, "the workflow is suspended: %.400s", v->suspended_reason);
        why = words;
    } else if (rule && v->started == STOPPED_BY_OPERATOR) {
        why = "the workflow was stopped by an operator";
    }
    control_want_owed(c, v->when_stopped, why);
}

// --- to the store --------------------------------------------------------------------------------

static void control_answer(struct control *c, int code)
{
    struct control_waiter *w = c->served;
    c->served = NULL;
    while (w) {
        struct control_waiter *next = w->next;
        w->on_done(w->ctx, code);
        free(w);
        w = next;
    }
}

void control_on_again(void *ctx)
{
    struct engine *g = ctx;
    size_t at = 0;
    void *value;
    while (map_next(&g->controls, &at, NULL, &value)) {
        control_next(value);
    }
}

static const struct generation_workflow *control_line(const struct control *c)
{
    const struct generation *now = c->engine->current;
    return now ? generation_find(now, str_from(c->id)) : NULL;
}

static void control_tell_of_mode(const struct engine *g)
{
    if (g->config.on_generation) {
        g->config.on_generation(g->config.ctx);
    }
}

static void control_set_mode(struct generation *now, const struct generation_workflow *w,
                             const struct control *c)
{
    static const struct control_values nothing = {.started = STARTED_BY_FILE};
    if (w && w->rule) {
        now->modes[w->index] = (unsigned char)control_mode(c ? &c->now : &nothing, w->rule);
    }
}

// From here on new webhooks are stored by the rule; the sender must not go on with old ones.
static void control_tell_sender(struct control *c)
{
    const struct engine_config *config = &c->engine->config;
    config->on_owed(config->ctx, str_from(c->id), c->now.owed != WHEN_STOPPED_FINISH);
}

// What was put is in force.
static void control_take_put(struct control *c)
{
    bool is_owed_new = c->now.owed != c->put_values.owed;
    c->now = c->put_values;
    // A suspension, or its end, that came meanwhile is in force already.
    c->now.suspended_at_ms = c->wanted.suspended_at_ms;
    c->now.suspended_text = c->wanted.suspended_text;
    memcpy(c->now.suspended_reason, c->wanted.suspended_reason, CONTROL_WORDS_MAX);
    if (is_owed_new) {
        c->step = (struct store_workflow_step){.is_done = false};
        c->changed = 0;
    }
    if (is_owed_new && c->now.owed != WHEN_STOPPED_FINISH) {
        control_tell_sender(c);
    }
}

static void control_on_put(struct store_workflow_put *put)
{
    struct control *c = put->ctx;
    struct engine *g = c->engine;
    c->is_busy = false;
    if (put->code) {
        log_write(g->config.log, LOG_ERROR, LOG_FIELDS({"workflow", str_from(c->id)}),
                  "what is said of the workflow %s could not be stored (%s)", c->id,
                  err_word((enum err_code)put->code));
        c->wanted.started = c->now.started; // whoever wanted otherwise is told so
        c->is_dirty = true;
        loop_timer_start(&g->control_again, CONTROL_AGAIN_MS);
    } else {
        control_take_put(c);
    }
    const struct generation_workflow *w = control_line(c);
    if (put->code && w && w->rule) {
        control_settle_owed(c, w->rule);
    }
    control_set_mode(g->current, w, c);
    control_tell_of_mode(g);
    control_answer(c, put->code);
    if (put->code == 0) {
        control_next(c);
    }
}

static void control_put(struct control *c)
{
    const struct control_values *v = &c->put_values;
    c->put_values = c->wanted;
    c->served = c->waiting;
    c->waiting = NULL;
    c->is_busy = true;
    c->is_dirty = false;
    c->put = (struct store_workflow_put){.row = {.id = str_from(c->id),
                                                 .started = v->started,
                                                 .when_stopped = v->when_stopped,
                                                 .suspended_at_ms = v->suspended_at_ms,
                                                 .suspended_text = v->suspended_text,
                                                 .suspended_reason = str_from(v->suspended_reason),
                                                 .owed = v->owed,
                                                 .owed_since_ms = v->owed_since_ms,
                                                 .owed_reason = str_from(v->owed_reason),
                                                 .is_owed_done = v->is_owed_done},
                                         .on_done = control_on_put,
                                         .ctx = c};
    store_workflow_put(c->engine->config.store, &c->put);
    for (struct control_waiter *w = c->served; w; w = w->next) {
        if (w->audit) {
            w->audit->code_of_act = &c->put.code;
            audit_give(c->engine->config.store, w->audit);
            w->audit = NULL;
        }
    }
}

static void control_log_owed(const struct control *c)
{
    static const char *const done[] = {"is sent again", "is held", "was cancelled"};
    if (c->changed) {
        log_write(c->engine->config.log, LOG_INFO, LOG_FIELDS({"workflow", str_from(c->id)}),
                  "workflow %s: what it owes %s (%zu webhooks)", c->id, done[c->now.owed],
                  c->changed);
    }
}

static void control_on_step(struct store_workflow_step *step)
{
    struct control *c = step->ctx;
    c->is_busy = false;
    if (step->code) {
        loop_timer_start(&c->engine->control_again, CONTROL_AGAIN_MS);
        return;
    }
    c->changed += step->changed;
    if (step->is_done) {
        c->now.is_owed_done = true;
        c->wanted.is_owed_done = c->wanted.is_owed_done || c->wanted.owed == c->now.owed;
        control_log_owed(c);
    }
    if (c->now.owed == WHEN_STOPPED_FINISH) {
        control_tell_sender(c);
    }
    control_next(c);
}

static void control_step(struct control *c)
{
    c->is_busy = true;
    c->step.workflow = str_from(c->id);
    c->step.now_ms = clock_running_ms(loop_clock(c->engine->config.loop));
    c->step.on_done = control_on_step;
    c->step.ctx = c;
    store_workflow_step(c->engine->config.store, &c->step);
}

static void control_next(struct control *c)
{
    if (c->is_busy) {
        return;
    }
    bool is_stopping = c->engine->is_stopping;
    if (c->waiting || (!is_stopping && c->is_dirty)) {
        control_put(c);
    } else if (!is_stopping && !c->now.is_owed_done) {
        control_step(c);
    }
}

// --- the generation in force ---------------------------------------------------------------------

static void control_lift_if_mended(struct control *c, const struct generation_workflow *w)
{
    if (c->wanted.suspended_at_ms && c->wanted.suspended_text != w->text_hash) {
        log_write(c->engine->config.log, LOG_INFO, LOG_FIELDS({"workflow", str_from(c->id)}),
                  "workflow %s: its file was changed, it runs again", c->id);
        c->wanted.suspended_at_ms = 0;
        c->now.suspended_at_ms = 0;
        c->is_dirty = true;
        c->stop_count = 0;
    }
}

// A workflow whose webhooks are not simply to be finished has a row from its first load on: what
// its file said must be known when the file is gone.
static void control_follow(struct engine *g, const struct generation_workflow *w)
{
    struct control *c = control_get(g, str_from(w->id));
    if (c == NULL && w->rule && w->rule->when_stopped != WHEN_STOPPED_FINISH) {
        c = control_make(g, str_from(w->id));
        if (c == NULL) {
            log_write(g->config.log, LOG_ERROR, LOG_FIELDS({"workflow", str_from(w->id)}),
                      "out of memory: when_stopped of %s is not followed", w->id);
        }
    }
    if (c) {
        c->generation = g->current->id;
        if (w->rule) {
            control_lift_if_mended(c, w);
            control_settle_owed(c, w->rule);
        }
    }
    control_set_mode(g->current, w, c);
}

void control_follow_generation(struct engine *g)
{
    for (size_t i = 0; i < g->current->workflow_count; i++) {
        control_follow(g, &g->current->workflows[i]);
    }
    size_t at = 0;
    void *value;
    while (map_next(&g->controls, &at, NULL, &value)) {
        struct control *c = value;
        if (c->generation != g->current->id) {
            control_settle_owed(c, NULL);
        }
        control_next(c);
    }
}

// --- from the operator, from the judge
// -------------------------------------------------------------

void engine_control(struct engine *g, const struct generation_workflow *w,
                    enum store_started started, struct store_audit_put *audit,
                    void (*on_done)(void *ctx, int code), void *ctx)
{
    struct control *c = control_make(g, str_from(w->id));
    struct control_waiter *waiter = calloc(1, sizeof *waiter);
    if (c == NULL || waiter == NULL) {
        free(waiter);
        audit_drop(audit);
        on_done(ctx, ERR_NOMEM);
        return;
    }
    *waiter =
        (struct control_waiter){.next = c->waiting, .audit = audit, .on_done = on_done, .ctx = ctx};
    c->waiting = waiter;
    c->wanted.started = started;
    if (started == STARTED_BY_OPERATOR) {
        c->wanted.suspended_at_ms = 0;
        c->stop_count = 0;
    }
    if (w->rule) {
        control_settle_owed(c, w->rule);
    }
    control_next(c);
}

const struct control_values *engine_control_of(const struct engine *g, struct str id)
{
    const struct control *c = map_get(&g->controls, id);
    return c ? &c->now : NULL;
}

static void control_suspend(struct engine *g, struct control *c,
                            const struct generation_workflow *w, int64_t now_ms, struct str reason)
{
    char words[CONTROL_WORDS_MAX];
    const char *end = memchr(reason.data, '\n', reason.len); // without the frames
    int len = (int)(end ? end - reason.data : (int64_t)reason.len);
    snprintf(words, sizeof words,
             "stopped by its budget %d times in a minute: %.*s; it runs again when its file is "
             "changed or it is activated",
             CONTROL_STOPS_MAX, len < 200 ? len : 200, reason.data);
    control_set_words(c->wanted.suspended_reason, str_from(words));
    c->wanted.suspended_at_ms = now_ms;
    c->wanted.suspended_text = w->text_hash;
    // At once: it must not run while that is being stored.
    c->now.suspended_at_ms = now_ms;
    c->now.suspended_text = w->text_hash;
    memcpy(c->now.suspended_reason, c->wanted.suspended_reason, CONTROL_WORDS_MAX);
    c->is_dirty = true;
    c->stop_count = 0;
    struct log_field fields[] = {{"workflow", str_from(c->id)}};
    log_write(g->config.log, LOG_ERROR, fields, 1, "the workflow is suspended: %s", words);
    control_settle_owed(c, w->rule);
    control_set_mode(g->current, w, c);
    control_tell_of_mode(g);
    control_next(c);
    g->config.on_suspended(g->config.ctx, str_from(c->id), str_from(words));
}

void control_note_stop(struct engine *g, const char *id, struct str reason)
{
    const struct generation_workflow *w = generation_find(g->current, str_from(id));
    struct control *c = w ? control_make(g, str_from(id)) : NULL;
    if (c == NULL || c->now.suspended_at_ms) {
        return;
    }
    const struct clock *clock = loop_clock(g->config.loop);
    int64_t now_ms = clock_mono_ms(clock);
    size_t kept = 0;
    for (size_t i = 0; i < c->stop_count; i++) {
        if (now_ms - c->stops_ms[i] < CONTROL_STOPS_WITHIN_MS) {
            c->stops_ms[kept++] = c->stops_ms[i];
        }
    }
    c->stops_ms[kept++] = now_ms;
    c->stop_count = kept;
    if (kept == CONTROL_STOPS_MAX) {
        control_suspend(g, c, w, clock_wall_ms(clock), reason);
    }
}

// --- the start and the end
// -------------------------------------------------------------------------

static struct control_values control_values_of(const struct store_workflow *row)
{
    struct control_values v = {.started = row->started,
                               .when_stopped = row->when_stopped,
                               .suspended_at_ms = row->suspended_at_ms,
                               .suspended_text = row->suspended_text,
                               .owed = row->owed,
                               .owed_since_ms = row->owed_since_ms,
                               .is_owed_done = row->is_owed_done};
    control_set_words(v.suspended_reason, row->suspended_reason);
    control_set_words(v.owed_reason, row->owed_reason);
    return v;
}

static void control_on_rows(struct store_workflows *q)
{
    struct engine *g = q->ctx;
    int code = q->code;
    for (size_t i = 0; code == 0 && i < q->count; i++) {
        struct control *c = control_make(g, q->rows[i].id);
        if (c) {
            c->now = c->wanted = control_values_of(&q->rows[i]);
            if (!c->now.is_owed_done && c->now.owed != WHEN_STOPPED_FINISH) {
                control_tell_sender(c);
            }
        }
        code = c ? 0 : ERR_NOMEM;
    }
    arena_fini(&g->control_arena);
    g->control_on_loaded(g, code);
}

void control_load(struct engine *g, void (*on_loaded)(struct engine *g, int code))
{
    arena_init(&g->control_arena, CONTROL_ROWS_MAX_BYTES);
    g->control_on_loaded = on_loaded;
    g->control_rows =
        (struct store_workflows){.arena = &g->control_arena, .on_done = control_on_rows, .ctx = g};
    store_workflows(g->config.store, &g->control_rows);
}

void engine_stop(struct engine *g)
{
    g->is_stopping = true;
    loop_timer_stop(&g->control_again);
}

void control_free_all(struct engine *g)
{
    size_t at = 0;
    void *value;
    while (map_next(&g->controls, &at, NULL, &value)) {
        free(value);
    }
    map_fini(&g->controls);
}
