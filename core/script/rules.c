#include "script/rules.h"

#include <lauxlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "script/absent.h"
#include "script/gate.h"
#include "script/library.h"
#include "script/rules_internal.h"
#include "script/sandbox.h"
#include "script/undo.h"

#ifdef __SANITIZE_ADDRESS__
enum { SANITIZER_FACTOR = 5 }; // most of a run's time is the sanitizer's
#else
enum { SANITIZER_FACTOR = 1 };
#endif

// 1,000,000 steps take about 10 ms, and no run may be given more than ten times that. Processor
// time is the backstop for what steps do not see.
enum { RULES_RUN_STEPS_MAX = 10000000, RULES_RUN_CPU_MS = 90 * SANITIZER_FACTOR };
enum { RULES_LOAD_FACTOR = 10 };
enum { RULES_ARENA_MAX = 256 * 1024 * 1024, RULES_FILE_MAX = 4 * 1024 * 1024 };
enum { RULES_YOUNG_BYTES = 512 * 1024 };
enum { RULES_FAULTS_MAX = 10000 };

// --- faults --------------------------------------------------------------------------------------

char *rules_keep(struct rules *r, const char *text)
{
    return (char *)arena_dup(&r->arena, str_from(text ? text : "")).data;
}

char *rules_keep_path(struct rules *r, const char *file)
{
    char path[FILES_CHUNK_MAX];
    if (!r->dir)
        return rules_keep(r, file);
    snprintf(path, sizeof path, "%s/%s", r->dir, file);
    return rules_keep(r, path);
}

// file is kept already.
static int rules_put_fault(struct rules *r, struct rules_fault fault)
{
    if (r->fault_count == RULES_FAULTS_MAX)
        return ERR_TOO_LARGE;
    if (r->fault_count == r->fault_cap) {
        size_t cap = r->fault_cap ? 2 * r->fault_cap : 16;
        struct rules_fault *more = realloc(r->faults, cap * sizeof *more);
        if (!more)
            return ERR_NOMEM;
        r->faults = more;
        r->fault_cap = cap;
    }
    if (!fault.file || !fault.message)
        return ERR_NOMEM;
    r->faults[r->fault_count++] = fault;
    return 0;
}

int rules_add_fault(struct rules *r, const char *file, const char *path, const char *format, ...)
{
    char message[ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return rules_put_fault(r, (struct rules_fault){.file = rules_keep(r, file),
                                                   .path = path ? rules_keep(r, path) : NULL,
                                                   .message = rules_keep(r, message)});
}

int rules_add_warning(struct rules *r, const char *file, const char *message)
{
    return rules_put_fault(r, (struct rules_fault){.is_warning = true,
                                                   .file = rules_keep(r, file),
                                                   .message = rules_keep(r, message)});
}

void rules_forget_faults(struct rules *r, size_t count)
{
    r->fault_count = count < r->fault_count ? count : r->fault_count;
}

size_t rules_fault_count(const struct rules *r)
{
    return r->fault_count;
}

const struct rules_fault *rules_fault(const struct rules *r, size_t i)
{
    return i < r->fault_count ? &r->faults[i] : NULL;
}

// --- one file ------------------------------------------------------------------------------------

// "CHUNK:12: words": the words, and *line. Frames behind them are left out: the fault has its line.
static char *rules_take_message(struct rules_loading *l, const char *message, int *line)
{
    size_t len = strlen(l->chunk);
    *line = 0;
    if (strncmp(message, l->chunk, len) == 0 && message[len] == ':') {
        char *end;
        long n = strtol(message + len + 1, &end, 10);
        if (n > 0 && end[0] == ':' && end[1] == ' ') {
            *line = (int)n;
            message = end + 2;
        }
    }
    const char *frames = strstr(message, "\n    ");
    struct str words = {message, frames ? (size_t)(frames - message) : strlen(message)};
    return (char *)arena_dup(&l->r->arena, words).data;
}

static void rules_add_message(struct rules_loading *l, const char *message)
{
    int line;
    char *words = rules_take_message(l, message, &line);
    l->has_errors = true;
    rules_put_fault(l->r, (struct rules_fault){.file = l->shown, .line = line, .message = words});
}

char *rules_keep_field(lua_State *L, struct rules *r, const char *key)
{
    char *kept = NULL;
    if (lua_getfield(L, -1, key) == LUA_TSTRING)
        kept = rules_keep(r, lua_tostring(L, -1));
    lua_pop(L, 1);
    return kept;
}

bool rules_field_is_true(lua_State *L, const char *key)
{
    lua_getfield(L, -1, key);
    bool is_true = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return is_true;
}

// The file of the fault on top, as it is to be shown; kept. May longjmp.
static char *rules_keep_fault_file(lua_State *L, struct rules_loading *l, const char *module)
{
    char *file = rules_keep_field(L, l->r, "file");
    if (file && (!l->chunk || strcmp(file, l->chunk) != 0))
        return file;
    return module ? rules_keep_path(l->r, module) : l->shown;
}

void rules_take_faults(lua_State *L, struct rules_loading *l)
{
    lua_Integer count = lua_istable(L, -1) ? (lua_Integer)lua_rawlen(L, -1) : 0;
    for (lua_Integer i = 1; i <= count; i++) {
        struct rules_fault fault = {0};
        if (lua_rawgeti(L, -1, i) != LUA_TTABLE)
            luaL_error(L, "hookline.host: fault %d is no table", (int)i);
        fault.is_warning = rules_field_is_true(L, "warning");
        const char *module = rules_keep_field(L, l->r, "module");
        fault.is_of_module = module != NULL;
        fault.file = rules_keep_fault_file(L, l, module);
        fault.path = rules_keep_field(L, l->r, "path");
        fault.message = rules_keep_field(L, l->r, "message");
        if (fault.message && absent_hint(fault.message)[0]) {
            lua_pushfstring(L, "%s%s", fault.message, absent_hint(fault.message));
            fault.message = rules_keep(l->r, lua_tostring(L, -1));
            lua_pop(L, 1);
        }
        lua_getfield(L, -1, "line");
        fault.line = (int)lua_tointeger(L, -1);
        lua_getfield(L, -2, "column");
        fault.column = (int)lua_tointeger(L, -1);
        lua_pop(L, 3);
        if (fault.path && !fault.path[0])
            fault.path = NULL;
        l->has_errors = l->has_errors || !(fault.is_warning || fault.is_of_module);
        rules_put_fault(l->r, fault);
    }
}

// The description on top. May longjmp.
static void rules_take_description(lua_State *L, struct rules *r, const char *shown, void *ctx)
{
    struct rules_entry *entry = ctx;
    struct rules_workflow *w = &entry->shown;
    if (!lua_istable(L, -1))
        luaL_error(L, "hookline.host: neither a description nor an error");
    w->id = rules_keep_field(L, r, "id");
    w->name = rules_keep_field(L, r, "name");
    w->description = rules_keep_field(L, r, "description");
    w->record = rules_keep_field(L, r, "record");
    w->file = shown;
    if (!w->id || !w->name || !w->record)
        luaL_error(L, "hookline.host: a description needs id, name and record");
    if (!w->description)
        w->description = "";
    w->is_once = rules_field_is_true(L, "once");
    w->is_active = rules_field_is_true(L, "active");
    w->is_dry = rules_field_is_true(L, "dry");
    lua_getfield(L, -1, "when_stopped");
    w->when_stopped = (unsigned)lua_tointeger(L, -1);
    lua_pop(L, 1);
    lua_getfield(L, -1, "cooldown_ms");
    w->cooldown_ms = lua_tointeger(L, -1);
    lua_getfield(L, -2, "delay_ms");
    w->delay_ms = lua_tointeger(L, -1);
    lua_pop(L, 2);
    w->is_rechecked = rules_field_is_true(L, "recheck");
    w->has_functions = rules_field_is_true(L, "has_functions");
    if (lua_getfield(L, -1, "verbs") == LUA_TTABLE)
        w->verbs = (rules_field_is_true(L, "created") ? RULES_CREATED : 0) |
                   (rules_field_is_true(L, "updated") ? RULES_UPDATED : 0) |
                   (rules_field_is_true(L, "deleted") ? RULES_DELETED : 0) |
                   (rules_field_is_true(L, "delivered") ? RULES_DELIVERED : 0) |
                   (rules_field_is_true(L, "terminated") ? RULES_TERMINATED : 0);
    lua_pop(L, 1);
    w->schedule = rules_take_schedule(L, r);
    w->verbs = w->schedule ? RULES_SCHEDULED : w->verbs;
    rules_take_lookups(L, r, w);
    rules_take_reads(L, r, w);
    rules_take_notify(L, r, w);
    rules_take_secrets(L, r, w);
    entry->seed = hash_bytes(&HASH_KEY_FIXED, w->id, strlen(w->id));
    lua_pushvalue(L, -1);
    entry->ref_description = luaL_ref(L, LUA_REGISTRYINDEX);
    entry->ref_undo = undo_finish(L);
}

// Inside the gate. May longjmp.
static int rules_load_inside(lua_State *L)
{
    struct rules_loading *l = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, l->loader->ref_load);
    lua_pushstring(L, l->file);
    if (sandbox_compile(L, l->text.data, l->text.len, l->chunk) != LUA_OK) {
        rules_add_message(l, luaL_tolstring(L, -1, NULL));
        return 0;
    }
    undo_begin(L);
    lua_call(L, 2, 2);
    rules_take_faults(L, l);
    lua_pop(L, 1);
    if (!l->has_errors)
        l->loader->take(L, l->r, l->shown, l->loader->ctx);
    return 0;
}

static int rules_make_room(struct rules *r)
{
    if (r->entry_count < r->entry_cap)
        return 0;
    size_t cap = r->entry_cap ? 2 * r->entry_cap : 16;
    struct rules_entry **more = realloc(r->entries, cap * sizeof(struct rules_entry *));
    if (!more)
        return ERR_NOMEM;
    r->entries = more;
    r->entry_cap = cap;
    return 0;
}

int rules_load_with(struct rules *r, const char *file, struct str text,
                    const struct rules_loader *loader)
{
    char chunk[FILES_CHUNK_MAX];
    files_name_chunk(r->dir, file, chunk);
    struct rules_loading l = {.r = r,
                              .loader = loader,
                              .file = file,
                              .chunk = chunk,
                              .shown = rules_keep_path(r, file),
                              .text = text};
    if (!l.shown)
        return ERR_NOMEM;
    r->s->files = r->files[r->files_in_use];
    r->s->phase = STATE_LOADS;
    r->s->loading = text;
    r->s->loading_name = chunk;
    if (text.len > RULES_FILE_MAX)
        rules_add_message(&l, "larger than 4 MiB");
    else if (gate_call(r->s, rules_load_inside, &l, &r->load_limits) != GATE_OK)
        rules_add_message(&l, r->s->message);
    r->s->phase = STATE_RUNS;
    r->s->loading_name = NULL;
    return l.has_errors ? ERR_INVALID : 0;
}

int rules_load(struct rules *r, const char *file, struct str text)
{
    struct rules_entry *entry = arena_alloc(&r->arena, sizeof *entry);
    if (!entry || rules_make_room(r))
        return ERR_NOMEM;
    entry->ref_description = entry->ref_undo = LUA_NOREF;
    entry->files = r->files[r->files_in_use];
    struct rules_loader loader = {
        .ref_load = r->ref_load, .take = rules_take_description, .ctx = entry};
    int code = rules_load_with(r, file, text, &loader);
    if (code == 0)
        r->entries[r->entry_count++] = entry;
    return code;
}

// Inside the gate. May longjmp.
static int rules_check_module_inside(lua_State *L)
{
    struct rules_loading *l = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, l->r->ref_check_module);
    lua_pushstring(L, l->file);
    lua_call(L, 1, 1);
    rules_take_faults(L, l);
    return 0;
}

void rules_check_modules(struct rules *r)
{
    const struct files *f = r->s->files = r->files[r->files_in_use];
    for (size_t i = 0; i < f->count; i++) {
        struct rules_loading l = {.r = r, .file = f->texts[i].path.data};
        gate_call(r->s, rules_check_module_inside, &l, &r->load_limits);
    }
}

// The young are collected whenever about half a megabyte of them is there, which stays in the
// processor's cache; Lua takes the pace as a percentage of the heap.
static int rules_settle_inside(lua_State *L)
{
    const struct rules *r = lua_touserdata(L, 1);
    size_t percent = RULES_YOUNG_BYTES / (r->s->used_bytes / 100 + 1);
    percent = percent < 1 ? 1 : percent > 100 ? 100 : percent;
    lua_gc(L, LUA_GCGEN, (int)percent, 0);
    lua_gc(L, LUA_GCCOLLECT);
    return 0;
}

void rules_settle(struct rules *r)
{
    gate_call(r->s, rules_settle_inside, r, NULL);
}

size_t rules_workflow_count(const struct rules *r)
{
    return r->entry_count;
}

const struct rules_workflow *rules_workflow(const struct rules *r, size_t i)
{
    return i < r->entry_count ? &r->entries[i]->shown : NULL;
}

// --- the whole -----------------------------------------------------------------------------------

// May longjmp. The host's function `name`, from the table on top, to the registry.
static int rules_ref_function(lua_State *L, const char *name)
{
    if (lua_getfield(L, -1, name) != LUA_TFUNCTION)
        luaL_error(L, "hookline.host has no function '%s'", name);
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

static int rules_open_inside(lua_State *L)
{
    struct rules *r = lua_touserdata(L, 1);
    library_require(L, "hookline"); // now, and not in the first file's budget
    lua_pop(L, 1);
    library_require(L, "hookline.host");
    r->ref_load = rules_ref_function(L, "load");
    r->ref_check_module = rules_ref_function(L, "check_module");
    r->ref_run = rules_ref_function(L, "run");
    r->ref_recheck = rules_ref_function(L, "recheck");
    r->ref_success = rules_ref_function(L, "success");
    r->ref_retry = rules_ref_function(L, "retry");
    r->ref_explain = rules_ref_function(L, "explain");
    r->ref_load_source = rules_ref_function(L, "load_source");
    r->ref_run_source = rules_ref_function(L, "run_source");
    lua_pushboolean(L, false); // a place of its own: luaL_ref gives none to nil
    r->ref_event = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

static void rules_set_limits(struct rules *r, const struct rules_limits *given)
{
    struct budget_limits *run = &r->run_limits;
    run->steps = given->steps ? given->steps : RULES_RUN_STEPS;
    run->memory_bytes = given->memory_bytes ? given->memory_bytes : RULES_RUN_MEMORY;
    run->output_bytes = given->output_bytes ? given->output_bytes : RULES_RUN_OUTPUT;
    run->cpu_ms = given->cpu_ms ? given->cpu_ms : RULES_RUN_CPU_MS;
    if (run->steps > RULES_RUN_STEPS_MAX)
        run->steps = RULES_RUN_STEPS_MAX;
    r->load_limits = *run;
    r->load_limits.steps *= RULES_LOAD_FACTOR;
    r->load_limits.cpu_ms *= RULES_LOAD_FACTOR;
}

int rules_new(struct rules **out, const struct rules_config *c, struct err *e)
{
    struct state_config config = {.library_dir = c->library_dir,
                                  .allow = c->allow,
                                  .allow_count = c->allow_count,
                                  .var = c->var,
                                  .print = c->print,
                                  .ctx = c->ctx};
    *out = NULL;
    struct rules *r = calloc(1, sizeof *r);
    if (!r)
        return err_set(e, ERR_NOMEM, "not enough memory");
    arena_init(&r->arena, RULES_ARENA_MAX);
    rules_set_limits(r, &c->limits);
    int rc = 0;
    if (c->rules_dir) {
        r->dir = str_dup(str_from(c->rules_dir));
        rc = r->dir ? 0 : err_set(e, ERR_NOMEM, "not enough memory");
    }
    if (rc == 0 && rules_begin_texts(r))
        rc = err_set(e, ERR_NOMEM, "not enough memory");
    if (rc == 0)
        rc = state_new(&r->s, &config, e);
    if (rc == 0)
        r->s->files = r->files[0];
    if (rc == 0 && gate_call(r->s, rules_open_inside, r, NULL) != GATE_OK)
        rc = err_set(e, ERR_INVALID, "the library does not load: %s", r->s->message);
    if (rc) {
        rules_free(r);
        return rc;
    }
    *out = r;
    return 0;
}

void rules_free(struct rules *r)
{
    if (!r)
        return;
    state_free(r->s);
    rules_free_files(r);
    arena_fini(&r->arena);
    free(r->entries);
    free(r->sources);
    free(r->faults);
    free(r->dir);
    free(r);
}

size_t rules_memory_bytes(const struct rules *r)
{
    return r->s->used_bytes;
}
