// Reload: read the folder and build beside what is in force (pool thread), store the texts, swap.
#include <stdio.h>
#include <stdlib.h>

#include "base/crash_point.h"
#include "engine/internal.h"

// A commit that an event waits for stores so many texts beside it, at most.
enum { RELOAD_PIECE_FILES = 64, RELOAD_CHANGES_MAX_BYTES = 4096, RELOAD_BEFORE_MAX_BYTES = 40 };

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

static void reload_free_put(struct engine *g)
{
    free(g->put_files);
    free(g->put.bases);
    buf_fini(&g->changes);
    g->put_files = NULL;
    g->put.bases = NULL;
}

static uint64_t reload_last_id(const struct engine *g)
{
    return g->current ? g->current->id : g->past.id;
}

static void reload_on_told(struct store_audit_put *p)
{
    struct engine *g = p->ctx;
    if (p->code) {
        const char *trouble = store_trouble(g->config.store);
        struct err e;
        err_set(&e, (enum err_code)p->code, "the audit of a reload could not be stored: %s",
                trouble ? trouble : err_word((enum err_code)p->code));
        log_error(g->config.log, "%s", e.text);
        if (g->told_code == 0) {
            g->told_code = p->code;
            g->fault = e;
        }
    }
    audit_drop(p);
    if (--g->telling == 0) {
        reload_finish(g, g->told_code);
    }
}

// The act with what it changed; without memory for that, as it is.
static struct store_audit_put *reload_act(struct store_audit_put *p, struct str before,
                                          struct str after)
{
    struct store_audit row = p->row;
    row.before = before;
    row.after = after;
    struct store_audit_put *told = audit_new(&row);
    audit_drop(told ? p : NULL);
    return told ? told : p;
}

// Gives the acts that this reload is to the store: behind what it stores itself, or (code_of_act
// NULL) alone, and then they are waited for.
static void reload_audit(struct engine *g, uint64_t id, struct str words, const int *code_of_act)
{
    char before[RELOAD_BEFORE_MAX_BYTES];
    struct buf after;
    uint64_t last_id = reload_last_id(g);
    buf_init(&after, RELOAD_CHANGES_MAX_BYTES);
    snprintf(before, sizeof before, "generation %llu", (unsigned long long)last_id);
    buf_printf(&after, "generation %llu: " STR_FMT, (unsigned long long)id, STR_ARG(words));
    for (struct engine_waiter *w = g->served; w; w = w->next) {
        if (w->audit == NULL) {
            continue;
        }
        struct store_audit_put *p =
            reload_act(w->audit, last_id ? str_from(before) : STR(""), buf_str(&after));
        w->audit = NULL;
        if (code_of_act) {
            p->code_of_act = code_of_act;
            audit_give(g->config.store, p);
        } else {
            g->telling++;
            p->on_done = reload_on_told;
            p->ctx = g;
            store_audit_put(g->config.store, p);
        }
    }
    buf_fini(&after);
}

// The end of a reload that stored nothing.
static void reload_finish_told(struct engine *g, struct str words, int code)
{
    g->telling = 1; // this call
    g->told_code = code;
    reload_audit(g, reload_last_id(g), words, NULL);
    if (--g->telling == 0) {
        reload_finish(g, g->told_code);
    }
}

static void reload_tell(const struct engine *g, bool is_good)
{
    if (g->config.on_reload) {
        g->config.on_reload(g->config.ctx, is_good);
    }
}

static void reload_fail(struct engine *g, int code)
{
    reload_free_put(g);
    generation_free(g->next);
    g->next = NULL;
    reload_tell(g, false);
    log_error(g->config.log, "reload: %s; what was in force stays", g->fault.text);
    reload_finish_told(g, str_from(g->fault.text), code);
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
            log_write(
                g->config.log, LOG_WARN, LOG_FIELDS({"workflow", str_from(now->workflows[i].id)}),
                "%s: %s", now->workflows[i].file,
                now->workflows[i].is_last_good ? "its last good text stays in force"
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

static void reload_swap(struct engine *g)
{
    if (g->current) // the first load is no reload
        crash_point(g->config.crash_at, "reload");
    struct generation *old = g->current;
    if (old) {
        renamed_warn(g->config.log, old, g->next);
    }
    g->current = g->next;
    g->next = NULL;
    generation_past_fini(&g->past.past); // what was before the first load has served
    if (old) {                           // closing a large Lua state takes its time
        loop_work(g->config.loop, reload_drop_old, reload_dropped, old);
    }
    log_info(g->config.log, "generation %llu: %zu workflow file%s, %zu error%s",
             (unsigned long long)g->current->id, g->current->workflow_count,
             g->current->workflow_count == 1 ? "" : "s", g->current->error_count,
             g->current->error_count == 1 ? "" : "s");
    reload_log_faults(g);
    reload_tell(g, true);
    control_follow_generation(g);
    if (g->config.on_generation) {
        g->config.on_generation(g->config.ctx);
    }
}

static void reload_on_stored(struct store_generation *put);

static void reload_put_piece(struct engine *g)
{
    size_t left = g->put_count - (size_t)(g->put.files - g->put_files);
    g->put.is_unfinished =
        g->current && left > RELOAD_PIECE_FILES; // before the first no event waits
    g->put.file_count = g->put.is_unfinished ? RELOAD_PIECE_FILES : left;
    g->put.on_done = reload_on_stored;
    store_generation_put(g->config.store, &g->put);
    if (!g->put.is_unfinished) {
        reload_audit(g, g->put.id, buf_str(&g->changes), &g->put.code);
    }
}

static void reload_on_stored(struct store_generation *put)
{
    struct engine *g = put->ctx;
    if (put->code == 0 && put->is_unfinished) {
        put->is_begun = true;
        put->files += put->file_count;
        reload_put_piece(g);
        return;
    }
    reload_free_put(g);
    if (put->code) {
        err_set(&g->fault, (enum err_code)put->code, "the workflow texts could not be stored: %s",
                store_trouble(g->config.store) ? store_trouble(g->config.store)
                                               : err_word((enum err_code)put->code));
        reload_fail(g, put->code);
        return;
    }
    reload_swap(g);
    reload_finish(g, 0);
}

static const struct generation_past *reload_past(const struct engine *g)
{
    return g->current ? &g->current->past : &g->past.past;
}

// A change of the rules that nobody asked for is an act, too.
static void reload_note_own(struct engine *g)
{
    for (const struct engine_waiter *w = g->served; w; w = w->next) {
        if (w->audit) {
            return;
        }
    }
    g->served->audit = audit_new_own(g->config.ids, clock_wall_ms(loop_clock(g->config.loop)),
                                     g->current ? "folder" : "start", "reload");
}

static void reload_store(struct engine *g)
{
    struct generation *next = g->next;
    uint64_t last_id = reload_last_id(g);
    next->id = g->is_same ? last_id : last_id + 1;
    next->past.folder->generation = next->id;
    if (g->is_same) {
        reload_swap(g);
        reload_finish_told(g, STR("no file has changed"), 0);
        return;
    }
    if (last_id) {
        reload_note_own(g);
    }
    g->put.id = next->id;
    g->put.at_ms = clock_wall_ms(loop_clock(g->config.loop));
    g->put.ctx = g;
    reload_put_piece(g);
}

// Pool thread: what the next generation's rows are.
static int reload_make_put(struct engine *g)
{
    const struct generation_past *now = &g->next->past, *past = reload_past(g);
    size_t most = now->folder->count + (past->folder ? past->folder->count : 0);
    g->put_files = calloc(most + 1, sizeof *g->put_files);
    g->put = (struct store_generation){.files = g->put_files,
                                       .bases = calloc(now->older_count + 1, sizeof *g->put.bases)};
    if (g->put_files == NULL || g->put.bases == NULL) {
        return err_set(&g->fault, ERR_NOMEM, "out of memory");
    }
    g->put_count = folder_changes(past->folder, now->folder, g->put_files);
    buf_init(&g->changes, RELOAD_CHANGES_MAX_BYTES);
    reload_words(past->folder, now->folder, g->put_files, g->put_count, &g->changes);
    if (g->next->error_count) {
        buf_printf(&g->changes, "; %zu error%s", g->next->error_count,
                   g->next->error_count == 1 ? "" : "s");
    }
    for (size_t i = 0; i < now->older_count; i++) {
        g->put.bases[g->put.base_count++] =
            (struct store_base){str_from(now->older[i].path), now->older[i].folder->generation};
    }
    return 0;
}

// Pool thread.
static void reload_work(void *ctx)
{
    struct engine *g = ctx;
    const struct generation_past *past = reload_past(g);
    struct folder *folder = NULL;
    struct folder_visitor visitor = {0};
    if (g->watch) {
        visitor = watch_visitor(g->watch);
    }
    g->code = folder_read(&folder, g->config.rules.rules_dir, &visitor, &g->fault);
    bool is_needless =
        g->code == 0 && !g->is_explicit && g->current && folder_is_same(folder, past->folder, true);
    if (g->code == 0 && !is_needless) {
        g->code = generation_build(&g->next, &g->config.rules, folder, past, &g->fault);
    }
    if (g->code == 0 && g->next) {
        bool has_id = g->current || g->past.id;
        g->is_same = has_id && generation_past_is_same(&g->next->past, past);
        g->code = g->is_same ? 0 : reload_make_put(g);
    }
    folder_unref(folder);
}

static void reload_on_built(void *ctx)
{
    struct engine *g = ctx;
    if (g->watch) {
        watch_end(g->watch);
    }
    if (g->code) {
        reload_fail(g, g->code);
    } else if (g->next == NULL) { // nothing has changed
        reload_finish(g, 0);
    } else {
        reload_store(g);
    }
}

static void reload_build(struct engine *g)
{
    if (g->watch) {
        watch_begin(g->watch);
    }
    if (loop_work(g->config.loop, reload_work, reload_on_built, g)) {
        reload_fail(g, err_set(&g->fault, ERR_NOMEM, "out of memory"));
    }
}

static void reload_on_past(struct past_load *past)
{
    struct engine *g = past->ctx;
    if (past->code) {
        reload_fail(g, err_set(&g->fault, (enum err_code)past->code,
                               "the stored workflow texts could not be read"));
        return;
    }
    g->has_past = true;
    reload_build(g);
}

static void reload_on_controls(struct engine *g, int code)
{
    if (code) {
        reload_fail(g, err_set(&g->fault, (enum err_code)code,
                               "what is said of the workflows could not be read"));
        return;
    }
    g->past = (struct past_load){
        .store = g->config.store, .at_ms = INT64_MAX, .on_done = reload_on_past, .ctx = g};
    past_load_begin(&g->past);
}

static void reload_begin(struct engine *g)
{
    g->is_reloading = true;
    g->served = g->waiting;
    g->waiting = NULL;
    g->fault = (struct err){0};
    g->is_explicit = false;
    for (const struct engine_waiter *w = g->served; w; w = w->next) {
        g->is_explicit = g->is_explicit || w->is_explicit;
    }
    if (g->current || g->has_past) {
        reload_build(g);
        return;
    }
    control_load(g, reload_on_controls);
}

static void reload_ask(struct engine *g, bool is_explicit, struct store_audit_put *audit,
                       void (*on_done)(void *ctx, int code, const struct err *e), void *ctx)
{
    struct engine_waiter *w = calloc(1, sizeof *w);
    if (w == NULL) {
        struct err e;
        audit_drop(audit);
        int code = err_set(&e, ERR_NOMEM, "out of memory");
        if (on_done) {
            on_done(ctx, code, &e);
        }
        return;
    }
    *w = (struct engine_waiter){.next = g->waiting,
                                .is_explicit = is_explicit,
                                .audit = audit,
                                .on_done = on_done,
                                .ctx = ctx};
    g->waiting = w;
    if (!g->is_reloading) {
        reload_begin(g);
    }
}

void engine_reload(struct engine *g, struct store_audit_put *audit,
                   void (*on_done)(void *ctx, int code, const struct err *e), void *ctx)
{
    reload_ask(g, true, audit, on_done, ctx);
}

void engine_follow_folder(struct engine *g)
{
    reload_ask(g, false, NULL, NULL, NULL);
}

static void reload_on_change(void *ctx)
{
    engine_follow_folder(ctx);
}

int engine_watch(struct engine *g)
{
    struct watch_config c = {.loop = g->config.loop,
                             .log = g->config.log,
                             .dir = g->config.rules.rules_dir,
                             .on_change = reload_on_change,
                             .ctx = g};
    g->watch = watch_open(&c);
    return g->watch ? 0 : ERR_NOMEM;
}

void engine_watch_stop(struct engine *g)
{
    if (g->watch) {
        watch_stop(g->watch);
    }
}
