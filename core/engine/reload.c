// Reload: read the folder and build beside what is in force (pool thread), store the texts, swap.
#include <stdlib.h>

#include "base/crash_point.h"
#include "engine/internal.h"

enum { RELOAD_LAST_TEXTS_MAX = 512 * 1024 * 1024 };

static void reload_begin(struct engine *g);

static void reload_finish(struct engine *g, int code)
{
    struct engine_waiter *served = g->served;
    g->served = NULL;
    g->is_reloading = false;
    while (served) {
        struct engine_waiter *w = served;
        served = w->next;
        if (w->on_done) {
            w->on_done(w->ctx, code, &g->fault);
        }
        free(w);
    }
    if (g->waiting && !g->is_reloading) {
        reload_begin(g);
    }
}

static void reload_fail(struct engine *g, int code)
{
    generation_free(g->next);
    g->next = NULL;
    log_error(g->config.log, "reload: %s; what was in force stays", g->fault.text);
    reload_finish(g, code);
}

static void reload_log_faults(const struct engine *g)
{
    const struct generation *now = g->current;
    for (size_t i = 0; i < rules_fault_count(now->rules); i++) {
        const struct rules_fault *f = rules_fault(now->rules, i);
        log_write(g->config.log, f->is_warning ? LOG_WARN : LOG_ERROR, NULL, 0, "%s:%d: %s%s%s",
                  f->file, f->line, f->path ? f->path : "", f->path ? ": " : "", f->message);
    }
    for (size_t i = 0; i < now->workflow_count; i++) {
        if (now->workflows[i].has_fault) {
            log_warn(g->config.log, "%s: %s", now->workflows[i].file,
                     now->workflows[i].is_last_good
                         ? "its last good text stays in force"
                         : "nothing of it is in force until it is mended");
        }
    }
}

static void reload_drop_old(void *ctx)
{
    generation_free(ctx);
}

static void reload_dropped(void *ctx)
{
    (void)ctx;
}

static void reload_on_stored(struct store_generation *put)
{
    struct engine *g = put->ctx;
    free(g->put_files);
    g->put_files = NULL;
    if (put->code) {
        err_set(&g->fault, (enum err_code)put->code, "the workflow texts could not be stored: %s",
                store_trouble(g->config.store) ? store_trouble(g->config.store)
                                               : err_word((enum err_code)put->code));
        reload_fail(g, put->code);
        return;
    }
    if (g->current) // the first load is no reload
        crash_point(g->config.crash_at, "reload");
    struct generation *old = g->current;
    g->current = g->next;
    g->next = NULL;
    if (old) { // closing a large Lua state takes its time
        loop_work(g->config.loop, reload_drop_old, reload_dropped, old);
    }
    log_info(g->config.log, "generation %llu: %zu workflow files, %zu errors",
             (unsigned long long)g->current->id, g->current->workflow_count,
             g->current->error_count);
    reload_log_faults(g);
    control_follow_generation(g);
    reload_finish(g, 0);
}

static void reload_store(struct engine *g)
{
    struct generation *next = g->next;
    uint64_t last_id = g->current ? g->current->id : g->last.id;
    next->id = last_id + 1;
    g->put_files = calloc(next->file_count + 1, sizeof *g->put_files);
    if (g->put_files == NULL) {
        reload_fail(g, err_set(&g->fault, ERR_NOMEM, "out of memory"));
        return;
    }
    for (size_t i = 0; i < next->file_count; i++) {
        g->put_files[i] = (struct store_file){.path = str_from(next->files[i].path),
                                              .text = {next->files[i].text, next->files[i].len}};
    }
    g->put = (struct store_generation){.id = next->id,
                                       .at_ms = clock_wall_ms(loop_clock(g->config.loop)),
                                       .files = g->put_files,
                                       .file_count = next->file_count,
                                       .on_done = reload_on_stored,
                                       .ctx = g};
    store_generation_put(g->config.store, &g->put);
}

static void reload_work(void *ctx)
{
    struct engine *g = ctx;
    const struct generation *now = g->current;
    g->code = generation_build(&g->next, &g->config.rules, now ? now->files : g->last_files,
                               now ? now->file_count : g->last.file_count, &g->fault);
}

static void reload_on_built(void *ctx)
{
    struct engine *g = ctx;
    if (g->current == NULL) { // the stored texts have served
        free(g->last_files);
        g->last_files = NULL;
        g->last.file_count = 0;
        arena_fini(&g->last_arena);
    }
    if (g->code) {
        reload_fail(g, g->code);
    } else {
        reload_store(g);
    }
}

static void reload_build(struct engine *g)
{
    if (loop_work(g->config.loop, reload_work, reload_on_built, g)) {
        reload_fail(g, err_set(&g->fault, ERR_NOMEM, "out of memory"));
    }
}

static void reload_on_last(struct store_generation *last)
{
    struct engine *g = last->ctx;
    if (last->code) {
        reload_fail(g, err_set(&g->fault, (enum err_code)last->code,
                               "the stored workflow texts could not be read"));
        return;
    }
    g->has_last = true;
    g->last_files = calloc(last->file_count + 1, sizeof *g->last_files);
    for (size_t i = 0; g->last_files && i < last->file_count; i++) {
        g->last_files[i] = (struct generation_file){.path = (char *)last->files[i].path.data,
                                                    .text = (char *)last->files[i].text.data,
                                                    .len = last->files[i].text.len};
    }
    reload_build(g);
}

static void reload_on_controls(struct engine *g, int code)
{
    if (code) {
        reload_fail(g, err_set(&g->fault, (enum err_code)code,
                               "what is said of the workflows could not be read"));
        return;
    }
    arena_init(&g->last_arena, RELOAD_LAST_TEXTS_MAX);
    g->last =
        (struct store_generation){.arena = &g->last_arena, .on_done = reload_on_last, .ctx = g};
    store_generation_get_last(g->config.store, &g->last);
}

static void reload_begin(struct engine *g)
{
    g->is_reloading = true;
    g->served = g->waiting;
    g->waiting = NULL;
    g->fault = (struct err){0};
    if (g->has_last) {
        reload_build(g);
        return;
    }
    control_load(g, reload_on_controls);
}

void engine_reload(struct engine *g, void (*on_done)(void *ctx, int code, const struct err *e),
                   void *ctx)
{
    struct engine_waiter *w = calloc(1, sizeof *w);
    if (w == NULL) {
        struct err e;
        on_done(ctx, err_set(&e, ERR_NOMEM, "out of memory"), &e);
        return;
    }
    *w = (struct engine_waiter){.next = g->waiting, .on_done = on_done, .ctx = ctx};
    g->waiting = w;
    if (!g->is_reloading) {
        reload_begin(g);
    }
}
