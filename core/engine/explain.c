// Why workflows fired for an old event, or did not: by the rules that were in force then, built
// again from the stored texts and judged on a pool thread, one question after the other.
#include <stdlib.h>

#include "encode/json_reader.h"
#include "engine/internal.h"

static void explain_begin(struct engine *g);

static void explain_end(struct engine *g)
{
    struct engine_explain *x = g->explains;
    g->explains = x->next;
    generation_past_fini(&x->past.past);
    x->on_done(x);
    if (g->explains) {
        explain_begin(g);
    }
}

static void explain_drop(void *ctx)
{
    generation_free(ctx);
}

static void explain_dropped(void *ctx)
{
    (void)ctx;
}

// The last one asked stands first.
static void explain_keep(struct engine *g, struct generation *built)
{
    size_t at = 0;
    while (at < ENGINE_OLD_GENERATIONS - 1 && g->old[at] != built) {
        at++;
    }
    if (g->old[at] && g->old[at] != built) {
        loop_work(g->config.loop, explain_drop, explain_dropped, g->old[at]);
    }
    memmove(&g->old[1], &g->old[0], at * sizeof(struct generation *));
    g->old[0] = built;
}

static void explain_on_worked(void *ctx)
{
    struct engine *g = ctx;
    struct engine_explain *x = g->explains;
    if (x->built) {
        explain_keep(g, x->built);
    }
    explain_end(g);
}

// Whether the tree's own verdict is true.
static bool explain_verdict(struct str tree)
{
    struct json_reader r;
    struct buf scratch;
    bool holds = false;
    buf_init(&scratch, tree.len + 1);
    json_reader_init(&r, tree, EVENT_DEPTH_MAX, &scratch);
    json_read(&r); // the brace
    while (json_read(&r) == JSON_KEY) {
        bool is_it = str_eq(r.text, STR("verdict"));
        enum json_token t = json_read(&r);
        if (is_it || json_skip(&r, t)) {
            holds = t == JSON_TRUE;
            break;
        }
    }
    buf_fini(&scratch);
    return holds;
}

// *room: the bytes that the traces may still take. 0, or ERR_TOO_LARGE.
static int explain_one(struct engine_explain *x, const struct generation_workflow *w, size_t *room)
{
    struct engine_explained *item = &x->items[x->count];
    struct err e = {0};
    struct buf tree;
    buf_init(&tree, ENGINE_EXPLAIN_MAX_BYTES);
    int code = rules_explain(x->built->rules, w->index, &tree, &e);
    *item = (struct engine_explained){.workflow = arena_dup(x->arena, str_from(w->id)),
                                      .is_active = w->rule->is_active,
                                      .is_once = w->rule->is_once,
                                      .cooldown_ms = w->rule->cooldown_ms};
    if (code) {
        item->error = arena_dup(x->arena, str_from(e.text));
    } else if (tree.len <= *room) {
        *room -= tree.len;
        item->verdict = explain_verdict(buf_str(&tree));
        item->tree = arena_dup(x->arena, buf_str(&tree));
    }
    buf_fini(&tree);
    x->count++;
    return item->workflow.data && (item->tree.data || item->error.data) ? 0 : ERR_TOO_LARGE;
}

static bool explain_is_asked(const struct engine_explain *x, const struct generation_workflow *w)
{
    if (w->rule == NULL) {
        return false;
    }
    return x->workflow.len ? str_eq(str_from(w->id), x->workflow)
                           : str_eq(str_from(w->rule->record), x->event.record_type) &&
                                 (w->rule->verbs & x->event.verb);
}

// Pool thread.
static int explain_judge(struct engine_explain *x)
{
    const struct event *ev = &x->event;
    struct rules_event re = {.json = ev->json,
                             .id = x->shown_id,
                             .type = ev->type,
                             .record_type = ev->record_type,
                             .verb = ev->verb_word,
                             .time_ms = x->time_ms,
                             .previous = ev->previous,
                             .is_compared = ev->is_compared};
    size_t room = ENGINE_EXPLAIN_MAX_BYTES;
    int code = rules_event_begin(x->built->rules, &re, &x->err);
    if (code) {
        return code;
    }
    x->items = arena_alloc(x->arena, (x->built->workflow_count + 1) * sizeof *x->items);
    code = x->items ? 0 : ERR_TOO_LARGE;
    for (size_t i = 0; i < x->built->workflow_count && code == 0; i++) {
        if (explain_is_asked(x, &x->built->workflows[i])) {
            code = explain_one(x, &x->built->workflows[i], &room);
        }
    }
    rules_event_end(x->built->rules);
    if (code) {
        return err_set(&x->err, ERR_TOO_LARGE,
                       "the explanation of all workflows is too large: ask for one");
    }
    return x->count || !x->workflow.len
               ? 0
               : err_set(&x->err, ERR_NOT_FOUND, "generation %llu had no workflow " STR_FMT,
                         (unsigned long long)x->built->id, STR_ARG(x->workflow));
}

// Pool thread.
static void explain_work(void *ctx)
{
    struct engine *g = ctx;
    struct engine_explain *x = g->explains;
    if (x->built == NULL) {
        const struct generation_past *past = &x->past.past;
        x->code = generation_build(&x->built, &g->config.rules, past->folder, past, &x->err);
        if (x->code) {
            return;
        }
        x->built->id = x->generation;
    }
    x->code = explain_judge(x);
}

static void explain_start_work(struct engine *g)
{
    struct engine_explain *x = g->explains;
    for (size_t i = 0; i < ENGINE_OLD_GENERATIONS; i++) {
        if (g->old[i] && g->old[i]->id == x->generation) {
            x->built = g->old[i];
        }
    }
    if (loop_work(g->config.loop, explain_work, explain_on_worked, g)) {
        x->code = err_set(&x->err, ERR_NOMEM, "out of memory");
        explain_end(g);
    }
}

static void explain_on_past(struct past_load *past)
{
    struct engine *g = past->ctx;
    struct engine_explain *x = g->explains;
    x->generation = past->id;
    if (past->code || past->id == 0) {
        x->code = past->code ? past->code : ERR_NOT_FOUND;
        err_set(&x->err, (enum err_code)x->code, "%s",
                past->code ? "the workflow texts of that time could not be read"
                           : "the workflow texts of that time are not kept");
        explain_end(g);
        return;
    }
    explain_start_work(g);
}

static void explain_begin(struct engine *g)
{
    struct engine_explain *x = g->explains;
    for (size_t i = 0; x->generation && i < ENGINE_OLD_GENERATIONS; i++) {
        if (g->old[i] && g->old[i]->id == x->generation) {
            explain_start_work(g);
            return;
        }
    }
    x->past = (struct past_load){.store = g->config.store,
                                 .id = x->generation,
                                 .at_ms = x->at_ms,
                                 .on_done = explain_on_past,
                                 .ctx = g};
    past_load_begin(&x->past);
}

void engine_explain(struct engine *g, struct engine_explain *x)
{
    struct engine_explain **last = &g->explains;
    while (*last) {
        last = &(*last)->next;
    }
    x->next = NULL;
    x->built = NULL;
    x->past = (struct past_load){0};
    x->code = 0;
    x->items = NULL;
    x->count = 0;
    *last = x;
    if (g->explains == x) {
        explain_begin(g);
    }
}
