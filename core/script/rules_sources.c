// Adapters of foreign events: loaded from the texts in use, and run on a request.
#include <lauxlib.h>
#include <stdlib.h>

#include "base/hash.h"
#include "encode/header_lines.h"
#include "encode/percent.h"
#include "script/gate.h"
#include "script/rules_internal.h"
#include "script/undo.h"
#include "script/value.h"

enum { SOURCES_PARAMETERS_MAX = 256 };

// --- loading -------------------------------------------------------------------------------------

struct source_loading {
    struct rules_loading faults; // its file is the path, "sources/github.lua"
    struct rules_source_entry *source;
};

static enum rules_verify_form source_form(const char *word)
{
    static const struct {
        const char *word;
        enum rules_verify_form form;
    } forms[] = {{"standard", RULES_VERIFY_STANDARD},
                 {"stripe", RULES_VERIFY_STRIPE},
                 {"hmac", RULES_VERIFY_HMAC},
                 {"token", RULES_VERIFY_TOKEN}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (strcmp(word, forms[i].word) == 0)
            return forms[i].form;
    }
    return RULES_VERIFY_NONE;
}

// The table `verify` on top. May longjmp.
static void source_take_verify(lua_State *L, struct rules *r, struct rules_verify *v)
{
    const char *form = rules_keep_field(L, r, "form");
    v->form = source_form(form ? form : "");
    v->header = rules_keep_field(L, r, "header");
    v->prefix = rules_keep_field(L, r, "prefix");
    v->query = rules_keep_field(L, r, "query");
    v->is_base64 = rules_field_is_true(L, "is_base64");
    lua_getfield(L, -1, "tolerance_ms");
    v->tolerance_ms = lua_tointeger(L, -1);
    lua_getfield(L, -2, "secrets");
    for (int i = 1; i <= RULES_VERIFY_SECRETS_MAX; i++) {
        if (lua_rawgeti(L, -1, i) == LUA_TSTRING)
            v->secrets[v->secret_count++] = rules_keep(r, lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
    if (v->form == RULES_VERIFY_NONE || v->secret_count == 0)
        luaL_error(L, "hookline.host: a source's verify has no form or no secret");
}

// Inside the gate. May longjmp.
static int source_load_inside(lua_State *L)
{
    struct source_loading *l = lua_touserdata(L, 1);
    struct rules *r = l->faults.r;
    struct rules_source *shown = &l->source->shown;
    lua_rawgeti(L, LUA_REGISTRYINDEX, r->ref_load_source);
    lua_pushstring(L, l->faults.file);
    undo_begin(L);
    lua_call(L, 1, 2);
    rules_take_faults(L, &l->faults);
    lua_pop(L, 1);
    if (!lua_istable(L, -1))
        return 0;
    char *title = rules_keep_field(L, r, "name");
    shown->title = title ? title : shown->name;
    if (lua_getfield(L, -1, "verify") == LUA_TTABLE)
        source_take_verify(L, r, &shown->verify);
    lua_pop(L, 1);
    l->source->entry.ref_description = luaL_ref(L, LUA_REGISTRYINDEX);
    l->source->entry.ref_undo = undo_finish(L);
    shown->is_loaded = true;
    return 0;
}

// "sources/NAME.lua": NAME; {NULL,0} for any other path.
static struct str source_name(struct str path)
{
    static const struct str folder = {"sources/", 8}, ending = {".lua", 4};
    if (!str_starts_with(path, folder) || !str_ends_with(path, ending) ||
        path.len <= folder.len + ending.len)
        return (struct str){0};
    struct str name = {path.data + folder.len, path.len - folder.len - ending.len};
    return memchr(name.data, '/', name.len) ? (struct str){0} : name;
}

static size_t source_first_error(const struct rules *r, size_t from)
{
    while (from < rules_fault_count(r) && rules_fault(r, from)->is_warning)
        from++;
    return from;
}

bool rules_is_source(struct str path)
{
    return source_name(path).data != NULL;
}

// The entry of that name, made where there is none; NULL when memory is out.
static struct rules_source_entry *source_entry(struct rules *r, const char *path)
{
    struct str name = source_name(str_from(path));
    for (size_t i = 0; i < r->source_count; i++) {
        if (str_eq(str_from(r->sources[i]->shown.name), name))
            return r->sources[i];
    }
    struct rules_source_entry *source = arena_alloc(&r->arena, sizeof *source);
    struct str kept = arena_dup(&r->arena, name);
    struct rules_source_entry **more =
        realloc(r->sources, (r->source_count + 1) * sizeof(struct rules_source_entry *));
    char *shown_path = rules_keep_path(r, path);
    if (more)
        r->sources = more;
    if (!source || !kept.data || !more || !shown_path)
        return NULL;
    source->shown.name = source->shown.title = kept.data;
    source->shown.file = source->entry.shown.file = shown_path;
    source->entry.shown.has_functions = true;
    source->entry.ref_description = source->entry.ref_undo = LUA_NOREF;
    source->entry.seed = hash_bytes(&HASH_KEY_FIXED, name.data, name.len);
    r->sources[r->source_count++] = source;
    return source;
}

int rules_load_source(struct rules *r, const char *path)
{
    struct rules_source_entry *source = source_entry(r, path);
    if (!source)
        return ERR_NOMEM;
    struct source_loading l = {
        .faults = {.r = r, .file = path, .shown = (char *)source->shown.file}, .source = source};
    size_t faults = rules_fault_count(r);
    source->entry.files = r->s->files = r->files[r->files_in_use];
    r->s->phase = STATE_LOADS;
    if (gate_call(r->s, source_load_inside, &l, &r->load_limits) != GATE_OK)
        rules_add_fault(r, source->shown.file, NULL, "%s", r->s->message);
    r->s->phase = STATE_RUNS;
    if (source->shown.is_loaded) {
        source->shown.is_last_good = source->shown.has_fault;
    } else if (!source->shown.has_fault) {
        source->shown.has_fault = true;
        source->shown.fault = source_first_error(r, faults);
    }
    return source->shown.is_loaded ? 0 : ERR_INVALID;
}

size_t rules_source_count(const struct rules *r)
{
    return r->source_count;
}

const struct rules_source *rules_source(const struct rules *r, size_t i)
{
    return i < r->source_count ? &r->sources[i]->shown : NULL;
}

// --- running -------------------------------------------------------------------------------------

struct source_call {
    struct rules *r;
    const struct rules_source_entry *source;
    const struct rules_source_request *request;
    struct arena *arena;
    struct rules_source_run *out;
};

void rules_put_header(lua_State *L, struct str name, struct str value)
{
    luaL_Buffer lower;
    char *at = luaL_buffinitsize(L, &lower, name.len);
    for (size_t i = 0; i < name.len; i++)
        at[i] =
            (char)(name.data[i] >= 'A' && name.data[i] <= 'Z' ? name.data[i] + 32 : name.data[i]);
    luaL_pushresultsize(&lower, name.len);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, -3) == LUA_TSTRING) {
        lua_pushliteral(L, ", ");
        lua_pushlstring(L, value.data, value.len);
        lua_concat(L, 3);
    } else {
        lua_pop(L, 1);
        lua_pushlstring(L, value.data, value.len);
    }
    lua_rawset(L, -3);
}

// What proves the sender stays outside: an event that held it would show it.
static bool source_hides_header(const struct rules_verify *v, struct str name)
{
    return str_eq_nocase(name, STR("authorization")) ||
           (v->form == RULES_VERIFY_TOKEN && v->header && str_eq_nocase(name, str_from(v->header)));
}

static void source_push_headers(lua_State *L, struct str lines, const struct rules_verify *v)
{
    struct str name, value;
    lua_newtable(L);
    while (header_lines_next(&lines, &name, &value)) {
        value.len -= value.len && value.data[value.len - 1] == '\r';
        if (!source_hides_header(v, name))
            rules_put_header(L, name, str_trim(value));
    }
}

// Pushes one side of a parameter, decoded; as it is where it cannot be. May longjmp.
static void source_push_decoded(lua_State *L, struct str text)
{
    struct buf *out = &state_of(L)->text;
    buf_reset(out);
    if (percent_decode(out, text) == 0)
        text = buf_str(out);
    lua_pushlstring(L, text.data ? text.data : "", text.len);
}

static void source_push_query(lua_State *L, struct str query, const struct rules_verify *v)
{
    lua_newtable(L);
    for (int i = 0; query.len && i < SOURCES_PARAMETERS_MAX; i++) {
        const char *end = memchr(query.data, '&', query.len);
        size_t len = end ? (size_t)(end - query.data) : query.len;
        const char *equals = memchr(query.data, '=', len);
        size_t key = equals ? (size_t)(equals - query.data) : len;
        source_push_decoded(L, (struct str){query.data, key});
        key += equals != NULL;
        source_push_decoded(L, (struct str){query.data + key, len - key});
        lua_rawset(L, -3);
        len += end != NULL;
        query = (struct str){query.data + len, query.len - len};
    }
    if (v->query) {
        lua_pushnil(L);
        lua_setfield(L, -2, v->query);
    }
}

static void source_push_request(lua_State *L, const struct rules_source_request *q,
                                const struct rules_verify *v)
{
    struct err e = {0};
    lua_createtable(L, 0, 5);
    source_push_headers(L, q->headers, v);
    lua_setfield(L, -2, "headers");
    source_push_query(L, q->query, v);
    lua_setfield(L, -2, "query");
    lua_pushlstring(L, q->body.data ? q->body.data : "", q->body.len);
    lua_setfield(L, -2, "body");
    if (q->is_json) {
        if (value_decode(L, q->body, &e))
            luaL_error(L, "%s", e.text);
        lua_setfield(L, -2, "json");
    }
}

// Inside the gate. May longjmp.
static int source_run_inside(lua_State *L)
{
    struct source_call *c = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->r->ref_run_source);
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->source->entry.ref_description);
    source_push_request(L, c->request, &c->source->shown.verify);
    lua_call(L, 2, 1);
    struct str events;
    events.data = luaL_checklstring(L, -1, &events.len);
    if (events.len > c->r->run_limits.output_bytes)
        budget_stop(L, BUDGET_STOP_OUTPUT);
    c->out->events = arena_dup(c->arena, events);
    return 0;
}

void rules_source_run(struct rules *r, size_t i, const struct rules_source_request *request,
                      struct arena *arena, struct rules_source_run *out)
{
    struct source_call c = {
        .r = r, .source = r->sources[i], .request = request, .arena = arena, .out = out};
    *out = (struct rules_source_run){.verdict = RULES_MATCH};
    r->event_seed = hash_bytes(&HASH_KEY_FIXED, request->body.data, request->body.len);
    enum gate_outcome outcome = rules_enter(r, &c.source->entry, true, source_run_inside, &c);
    if (outcome != GATE_OK || !out->events.data) {
        const char *message = outcome == GATE_OK ? "not enough memory" : r->s->message;
        *out = (struct rules_source_run){.verdict = outcome == GATE_OK ? RULES_BUDGET_MEMORY
                                                                       : rules_verdict_of(outcome),
                                         .message = arena_dup(arena, str_from(message))};
    }
}
