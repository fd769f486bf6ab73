#include "script/state.h"

#include "script/gate.h"
#include "script/libs.h"
#include "script/sandbox.h"

#include <lauxlib.h>
#include <stdlib.h>

enum { STATE_STACK_BYTES = 128 * 1024, STATE_ARGUMENTS_MAX = 9000 };
enum { STATE_SLOT_BYTES = 24, STATE_KEYS_MAX = 8192 };

// What a single instruction of Lua's would take seconds or minutes for, refused while a rule runs
// (our own codec has all of a large object on the stack, and texts for keys):
//
// Where a table is its own `__call`, a call adds an argument for ever, and moves all that are there
// for each. No function has so many for another reason.
static bool state_is_call_without_end(const struct state *s, size_t bytes)
{
    return bytes >= STATE_STACK_BYTES && lua_gettop(s->running) > STATE_ARGUMENTS_MAX;
}

// A table's slots are made anew when it grows, and each key is looked for among those that are in:
// n * n / 2 steps for numbers chosen so that they share a slot. Slots are known by their size; a
// text's buffer, which could have it too, follows the userdata that holds it.
static bool state_is_large_table(const struct state *s, size_t kind, size_t bytes)
{
    size_t count = bytes / STATE_SLOT_BYTES;
    return kind == 0 && count > STATE_KEYS_MAX && bytes % STATE_SLOT_BYTES == 0 &&
           (count & (count - 1)) == 0 && s->kind_before != LUA_TUSERDATA;
}

static bool state_refuses(struct state *s, const void *old, size_t kind, size_t bytes)
{
    const char *why = NULL;
    if (!s->budget.is_open || s->phase != STATE_RUNS || s->has_own_work)
        return false;
    if (state_is_call_without_end(s, bytes))
        why = "a call with more than 9,000 arguments";
    else if (!old && state_is_large_table(s, kind, bytes))
        why = "a table with more than 8,192 keys that are no list";
    if (why)
        budget_refuse(s, why);
    return why != NULL;
}

static void *state_alloc(void *ctx, void *old, size_t old_bytes, size_t new_bytes)
{
    struct state *s = ctx;
    size_t had = old ? old_bytes : 0; // without `old`, old_bytes is the kind of object
    if (new_bytes > had && state_refuses(s, old, old_bytes, new_bytes))
        return NULL;
    if (!old)
        s->kind_before = old_bytes;
    if (new_bytes > had && !budget_grants(s, new_bytes - had))
        return NULL;
    void *p = pool_realloc(&s->pool, old, had, new_bytes);
    if (!p && new_bytes > 0) {
        if (new_bytes > had)
            return NULL;
        // Lua takes it that shrinking cannot fail; the pool's reserve is gone, too: there is no way
        // on.
        abort();
    }
    s->used_bytes = s->used_bytes - had + new_bytes;
    return p;
}

// A metatable that says what a table is, and nothing else. Rules cannot look at it.
static int state_make_mark(lua_State *L, const char *name, const void **mark)
{
    lua_createtable(L, 0, 2);
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__name");
    *mark = lua_topointer(L, -1);
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

static int state_make_weak(lua_State *L)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

// A place of its own in the registry, empty: luaL_ref gives none to nil.
static int state_make_place(lua_State *L)
{
    lua_pushboolean(L, false);
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

static void state_make_refs(lua_State *L, struct state *s)
{
    s->ref_array_mark = state_make_mark(L, "array", &s->array_mark);
    s->ref_ordered_mark = state_make_mark(L, "hook.ordered", &s->ordered_mark);

    s->ref_forms = state_make_weak(L);
    s->ref_undo_seen = state_make_weak(L);

    lua_newtable(L);
    s->ref_loaded = luaL_ref(L, LUA_REGISTRYINDEX);
    s->ref_undo_kept = state_make_place(L);
    s->ref_names = state_make_place(L);
    s->ref_next = state_make_place(L);
}

// The first large buffer makes its metatable between the userdata and its memory; later ones do
// not.
static void state_warm_buffers(lua_State *L)
{
    luaL_Buffer buffer;
    luaL_buffinitsize(L, &buffer, 2 * LUAL_BUFFERSIZE);
    luaL_pushresult(&buffer);
    lua_pop(L, 1);
}

static int state_open_libraries(lua_State *L)
{
    struct state *s = state_of(L);
    state_make_refs(L, s);
    state_warm_buffers(L);
    sandbox_open_globals(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, s->ref_loaded);
    libs_push_core(L);
    lua_setfield(L, -2, "hookline.core");
    lua_pop(L, 1);
    sandbox_push_rules_env(L);
    s->ref_rules_env = luaL_ref(L, LUA_REGISTRYINDEX);
    // Most of the heap is loaded once and stays; what a run makes dies young.
    lua_gc(L, LUA_GCGEN, 0, 0);
    return 0;
}

int state_new(struct state **out, const struct state_config *c, struct err *e)
{
    *out = NULL;
    struct state *s = calloc(1, sizeof *s);
    if (!s)
        return err_set(e, ERR_NOMEM, "not enough memory");
    s->config = *c;
    s->cap_bytes = c->cap_bytes ? c->cap_bytes : STATE_CAP_BYTES;
    pool_init(&s->pool);
    buf_init(&s->out, STATE_BUFFER_MAX);
    buf_init(&s->text, STATE_BUFFER_MAX);
    buf_init(&s->keys, STATE_BUFFER_MAX);
    s->L = lua_newstate(state_alloc, s);
    if (!s->L) {
        state_free(s);
        return err_set(e, ERR_NOMEM, "not enough memory");
    }
    *(struct state **)lua_getextraspace(s->L) = s;
    enum gate_outcome outcome = gate_call(s, state_open_libraries, NULL, NULL);
    if (outcome != GATE_OK) {
        int rc = err_set(e, outcome == GATE_MEMORY ? ERR_NOMEM : ERR_INVALID,
                         "the Lua state does not open: %s", s->message);
        state_free(s);
        return rc;
    }
    *out = s;
    return 0;
}

void state_free(struct state *s)
{
    if (!s)
        return;
    if (s->L)
        lua_close(s->L);
    pool_fini(&s->pool);
    buf_fini(&s->out);
    buf_fini(&s->text);
    buf_fini(&s->keys);
    free(s);
}
