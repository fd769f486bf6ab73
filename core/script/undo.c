#include "script/undo.h"

#include "script/gate.h"
#include "script/lib_freeze.h"
#include "script/state.h"
#include "script/trace.h"

#include <lauxlib.h>

// Notes are a list of threes: a function, the number of one of its upvalues, the value that was
// there; or a table, a key, the value. Behind its end, at UNDO_LISTS, those of modules.
enum { UNDO_NOTE = 3, UNDO_COUNT = 0, UNDO_LISTS = -1 };

// The places on the stack of a walk under way.
struct walk {
    lua_State *L;
    int notes; // of this walk
    int seen;  // object -> the notes that it is in, of all walks
    int ids;   // the upvalues noted, which functions may share
    int lists; // the notes of modules that were met: a list, and each -> true
    int todo;  // { object, name, object, name, ... }
    lua_Integer note_count;
    lua_Integer list_count;
    lua_Integer todo_count;
};

static void undo_refuse(const struct walk *w, const lua_Debug *ar, const char *name,
                        const char *what)
{
    luaL_error(w->L,
               "%s:%d: '%s' is %s, which keeps its place from one run to the next: make it inside "
               "the function that uses it",
               ar->short_src, ar->linedefined, name, what);
}

// The value on top is to be walked; popped.
static void undo_push(struct walk *w, const char *name)
{
    int type = lua_type(w->L, -1);
    if (type != LUA_TFUNCTION && type != LUA_TTABLE) {
        lua_pop(w->L, 1);
        return;
    }
    lua_rawseti(w->L, w->todo, ++w->todo_count);
    lua_pushstring(w->L, name);
    lua_rawseti(w->L, w->todo, ++w->todo_count);
}

// The three on top of the stack; popped.
static void undo_note(struct walk *w)
{
    for (int i = UNDO_NOTE; i > 0; i--)
        lua_rawseti(w->L, w->notes, UNDO_NOTE * w->note_count + i);
    w->note_count++;
}

// Whether the value on top keeps a place that nobody can put back.
static const char *undo_place_kept(lua_State *L)
{
    lua_State *co = lua_tothread(L, -1);
    if (co)
        return lua_status(co) == LUA_YIELD || (lua_status(co) == LUA_OK && lua_gettop(co) > 0)
                   ? "a coroutine"
                   : NULL;
    if (lua_type(L, -1) == LUA_TUSERDATA)
        return "an iterator";
    for (int i = 1; lua_iscfunction(L, -1) && lua_getupvalue(L, -1, i); i++) {
        const char *what = lua_iscfunction(L, -1) ? NULL : undo_place_kept(L);
        lua_pop(L, 1);
        if (what)
            return what;
    }
    return NULL;
}

static bool undo_is_shared_upvalue(struct walk *w, int function, int i)
{
    void *id = lua_upvalueid(w->L, function, i);
    bool is_shared = lua_rawgetp(w->L, w->ids, id) != LUA_TNIL;
    lua_pop(w->L, 1);
    if (!is_shared) {
        lua_pushboolean(w->L, true);
        lua_rawsetp(w->L, w->ids, id);
    }
    return is_shared;
}

static void undo_walk_function(struct walk *w, int function)
{
    lua_State *L = w->L;
    lua_Debug ar;
    if (lua_iscfunction(L, function))
        return;
    lua_pushvalue(L, function);
    lua_getinfo(L, ">S", &ar);
    if (strncmp(ar.source, TRACE_LIBRARY_PREFIX, sizeof TRACE_LIBRARY_PREFIX - 1) == 0)
        return;
    const char *name;
    for (int i = 1; (name = lua_getupvalue(L, function, i)) != NULL; i++) {
        const char *what = undo_place_kept(L);
        if (what)
            undo_refuse(w, &ar, name, what);
        if (!undo_is_shared_upvalue(w, function, i)) {
            lua_pushvalue(L, function);
            lua_pushinteger(L, i);
            lua_pushvalue(L, -3);
            undo_note(w);
        }
        undo_push(w, name);
    }
}

static void undo_walk_pairs(struct walk *w, int table, int frozen, const char *name)
{
    lua_State *L = w->L;
    lua_pushnil(L);
    while (lua_next(L, table)) {
        budget_charge(L, 1);
        const char *what = undo_place_kept(L);
        if (what)
            luaL_error(L,
                       "the table in '%s' holds %s, which keeps its place from one run to the "
                       "next: make it inside the function that uses it",
                       name, what);
        lua_pushvalue(L, -2);
        if (lua_rawget(L, frozen) != LUA_TNIL && frozen != table) { // a metamethod's name
            lua_pushvalue(L, frozen);
            lua_pushvalue(L, -4);
            lua_pushvalue(L, -4);
            undo_note(w);
        }
        lua_pop(L, 1);
        undo_push(w, name);
        lua_pushvalue(L, -1);
        undo_push(w, name);
    }
}

static void undo_walk_table(struct walk *w, int table, const char *name)
{
    lua_State *L = w->L;
    if (freeze_is_handle(L, table) || freeze_is_library_view(L, table))
        return;
    if (freeze_push_target(L, table)) { // of a module: what is behind it is frozen itself
        undo_push(w, name);
        return;
    }
    if (lua_getmetatable(L, table)) {
        const void *mark = lua_topointer(L, -1);
        const struct state *s = state_of(L);
        if (mark == s->array_mark || mark == s->ordered_mark)
            lua_pop(L, 1);
        else
            undo_push(w, name);
    }
    freeze_in_place(L, table, name);
    undo_walk_pairs(w, lua_gettop(L), table, name);
}

static bool undo_is_empty(lua_State *L, int notes)
{
    lua_rawgeti(L, notes, UNDO_COUNT);
    lua_rawgeti(L, notes, UNDO_LISTS);
    bool is_empty = lua_tointeger(L, -2) == 0 && lua_isnil(L, -1);
    lua_pop(L, 2);
    return is_empty;
}

// The notes of a module are on top; popped. Most have nothing to put back.
static void undo_meet(struct walk *w)
{
    lua_State *L = w->L;
    int notes = lua_gettop(L);
    lua_pushvalue(L, notes);
    if (lua_rawget(L, w->lists) == LUA_TNIL && !undo_is_empty(L, notes)) {
        lua_pushvalue(L, notes);
        lua_rawseti(L, w->lists, ++w->list_count);
        lua_pushvalue(L, notes);
        lua_pushboolean(L, true);
        lua_rawset(L, w->lists);
    }
    lua_settop(L, notes - 1);
}

// One object off the list.
static void undo_step(struct walk *w)
{
    lua_State *L = w->L;
    int top = lua_gettop(L);
    int object = top + 1;
    lua_rawgeti(L, w->todo, w->todo_count - 1);
    lua_rawgeti(L, w->todo, w->todo_count);
    w->todo_count -= 2;
    budget_charge(L, 1);
    lua_pushvalue(L, object);
    if (lua_rawget(L, w->seen) == LUA_TTABLE) {
        if (!lua_rawequal(L, -1, w->notes))
            undo_meet(w);
    } else {
        lua_pushvalue(L, object);
        lua_pushvalue(L, w->notes);
        lua_rawset(L, w->seen);
        if (lua_isfunction(L, object))
            undo_walk_function(w, object);
        else
            undo_walk_table(w, object, lua_tostring(L, top + 2));
    }
    lua_settop(L, top);
}

// What is behind modules that were met, and is not met itself.
static void undo_meet_behind(struct walk *w)
{
    lua_State *L = w->L;
    for (lua_Integer i = 1; i <= w->list_count; i++) {
        lua_rawgeti(L, w->lists, i);
        if (lua_rawgeti(L, -1, UNDO_LISTS) == LUA_TTABLE) {
            for (lua_Integer j = 1; lua_rawgeti(L, -1, j) == LUA_TTABLE; j++)
                undo_meet(w);
            lua_pop(L, 1); // the end of the list
        }
        lua_pop(L, 2);
    }
}

// Walks what can be reached from the value on top, and leaves the notes there.
static void undo_walk(lua_State *L)
{
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    int first = lua_gettop(L);
    for (int i = 0; i < 4; i++)
        lua_newtable(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, state_of(L)->ref_undo_seen);
    struct walk w = {.L = L,
                     .notes = first + 1,
                     .ids = first + 2,
                     .lists = first + 3,
                     .todo = first + 4,
                     .seen = first + 5};
    lua_pushvalue(L, first);
    undo_push(&w, "?");
    while (w.todo_count > 0)
        undo_step(&w);
    undo_meet_behind(&w);
    lua_pushinteger(L, w.note_count);
    lua_rawseti(L, w.notes, UNDO_COUNT);
    if (w.list_count > 0) {
        lua_pushvalue(L, w.lists);
        lua_rawseti(L, w.notes, UNDO_LISTS);
    }
    lua_settop(L, w.notes);
}

// --- when a file is loaded -----------------------------------------------------------------------

// Adds the value at index to what the file at hand, or a module that it requires, has handed over.
static void undo_add_kept(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    lua_rawgeti(L, LUA_REGISTRYINDEX, state_of(L)->ref_undo_kept);
    lua_pushvalue(L, index);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 1);
}

void undo_keep(lua_State *L, int index)
{
    if (state_of(L)->phase == STATE_LOADS)
        undo_add_kept(L, index);
}

lua_Integer undo_kept_count(lua_State *L)
{
    bool is_list = lua_rawgeti(L, LUA_REGISTRYINDEX, state_of(L)->ref_undo_kept) == LUA_TTABLE;
    lua_Integer count = is_list ? (lua_Integer)lua_rawlen(L, -1) : 0;
    lua_pop(L, 1);
    return count;
}

void undo_begin(lua_State *L)
{
    lua_newtable(L);
    lua_rawseti(L, LUA_REGISTRYINDEX, state_of(L)->ref_undo_kept);
}

int undo_finish(lua_State *L)
{
    int top = lua_gettop(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, state_of(L)->ref_undo_kept);
    undo_begin(L);
    undo_walk(L);
    int ref = undo_is_empty(L, lua_gettop(L)) ? LUA_NOREF : luaL_ref(L, LUA_REGISTRYINDEX);
    lua_settop(L, top);
    return ref;
}

// --- after a run ---------------------------------------------------------------------------------

// The function, the number and the value of a note are on top.
static void undo_put_upvalue(lua_State *L)
{
    int function = lua_gettop(L) - 2;
    int number = (int)lua_tointeger(L, function + 1);
    lua_getupvalue(L, function, number);
    if (!lua_rawequal(L, -1, function + 2)) {
        lua_pushvalue(L, function + 2);
        lua_setupvalue(L, function, number);
    }
}

// The table, the key and the value of a note are on top. False where there is something to do,
// which may need memory.
static bool undo_put_field(lua_State *L, bool is_in_gate)
{
    int table = lua_gettop(L) - 2;
    lua_pushvalue(L, table + 1);
    lua_rawget(L, table);
    if (lua_rawequal(L, -1, table + 2))
        return true;
    if (is_in_gate) {
        lua_settop(L, table + 2);
        lua_rawset(L, table);
    }
    return is_in_gate;
}

// The notes at `index`. False where something is left to do inside the gate.
static bool undo_put_back(lua_State *L, int index, bool is_in_gate)
{
    bool is_done = true;
    int top = lua_gettop(L);
    lua_rawgeti(L, index, UNDO_COUNT);
    lua_Integer count = lua_tointeger(L, -1);
    for (lua_Integer i = 0; i < count; i++) {
        lua_settop(L, top);
        for (int j = 1; j <= UNDO_NOTE; j++)
            lua_rawgeti(L, index, UNDO_NOTE * i + j);
        if (lua_isfunction(L, top + 1))
            undo_put_upvalue(L);
        else
            is_done = undo_put_field(L, is_in_gate) && is_done;
    }
    lua_settop(L, top);
    return is_done;
}

// The notes on top, and those of the modules.
static bool undo_put_all_back(lua_State *L, bool is_in_gate)
{
    int notes = lua_gettop(L);
    bool is_done = undo_put_back(L, notes, is_in_gate);
    bool has_lists = lua_rawgeti(L, notes, UNDO_LISTS) == LUA_TTABLE;
    for (lua_Integer i = 1; has_lists && lua_rawgeti(L, notes + 1, i) == LUA_TTABLE; i++) {
        is_done = undo_put_back(L, notes + 2, is_in_gate) && is_done;
        lua_pop(L, 1);
    }
    lua_settop(L, notes);
    return is_done;
}

static int undo_inside(lua_State *L)
{
    const int *ref_notes = lua_touserdata(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, *ref_notes);
    undo_put_all_back(L, true);
    return 0;
}

void undo_run(struct state *s, int ref_notes)
{
    char message[STATE_MESSAGE_MAX];
    if (ref_notes == LUA_NOREF)
        return;
    lua_rawgeti(s->L, LUA_REGISTRYINDEX, ref_notes);
    bool is_done = undo_put_all_back(s->L, false);
    lua_pop(s->L, 1);
    if (is_done)
        return;
    memcpy(message, s->message, sizeof message);
    gate_call(s, undo_inside, &ref_notes, NULL);
    memcpy(s->message, message, sizeof message);
}

// Pushes a list of the module at `module` and of what was kept after `kept_before`, which is the
// file's no more.
static void undo_push_roots(lua_State *L, int module, lua_Integer kept_before)
{
    lua_newtable(L);
    int roots = lua_gettop(L);
    lua_pushvalue(L, module);
    lua_rawseti(L, roots, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, state_of(L)->ref_undo_kept);
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = count; i > kept_before; i--) {
        lua_rawgeti(L, -1, i);
        lua_rawseti(L, roots, i - kept_before + 1);
        lua_pushnil(L);
        lua_rawseti(L, -2, i);
    }
    lua_settop(L, roots);
}

void undo_give_module(lua_State *L, lua_Integer kept_before)
{
    int module = lua_gettop(L);
    bool is_walked = lua_istable(L, module) || lua_isfunction(L, module);
    if (!is_walked || state_of(L)->phase != STATE_LOADS)
        return;
    lua_rawgeti(L, LUA_REGISTRYINDEX, state_of(L)->ref_undo_seen);
    lua_pushvalue(L, module);
    if (lua_rawget(L, -2) == LUA_TTABLE) {
        undo_put_all_back(L, true);
    } else {
        undo_push_roots(L, module, kept_before);
        undo_walk(L);
    }
    lua_settop(L, module);
    undo_add_kept(L, module);
}
