// One Lua state: its allocator with a cap, its budget, its buffers, the library's modules. It is
// built on one thread and used by one thread at a time. Nothing here enters Lua: that is gate.h.
#ifndef SCRIPT_STATE_H
#define SCRIPT_STATE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/netaddr.h"
#include "script/budget.h"
#include "script/files.h"
#include "script/pool.h"

#include <lua.h>

struct state_config {
    const char *library_dir; // NULL: the embedded library
    size_t cap_bytes;        // of all that the state may hold; 0: STATE_CAP_BYTES
    const struct netblock *allow;
    size_t allow_count;
    struct str (*var)(void *ctx, struct str name); // may be NULL
    void (*print)(void *ctx, struct str line);     // may be NULL: what rules print goes nowhere
    void *ctx;
};

// What may happen to rules now: the library is being opened; a file is being loaded; neither.
enum state_phase { STATE_OPENS, STATE_LOADS, STATE_RUNS };

struct state_random { // math.random of the run, xoshiro256**
    bool is_seeded;
    uint64_t seed;
    uint64_t words[4];
};

enum {
    STATE_MESSAGE_MAX = 4096,
    STATE_BUFFER_MAX = 64 * 1024 * 1024,
    STATE_CAP_BYTES = 1024 * 1024 * 1024 // the backstop behind the budgets of runs
};

struct state {
    lua_State *L;       // the main thread
    lua_State *running; // the thread that runs now
    struct state_config config;
    struct pool pool;
    size_t used_bytes;
    size_t cap_bytes;
    struct budget budget;
    struct state_random random;
    const struct files *files; // what core.files shows; NULL: nothing; borrowed
    struct str loading;        // the text of the workflow file that is being loaded; borrowed
    const char *loading_name;  // as its places are shown, "rules/x.lua"; NULL: none
    enum state_phase phase;
    lua_Integer named_count; // objects that have been given a name in this run
    bool has_own_work;  // our codec is at work: its stack and its tables are as large as it needs
    size_t kind_before; // LUA_T... of what Lua asked new memory for last; 0: no object
    bool has_next;      // `next` has put keys in order in this run
    struct buf out;     // what is being written; owned here, since its users may be left by longjmp
    struct buf text;    // unescaped text of the JSON reader
    struct buf keys;    // an object's keys while they are sorted
    bool has_forms;     // some table has numbers whose written form is remembered
    const void *array_mark;
    const void *ordered_mark;
    char message[STATE_MESSAGE_MAX]; // the gate's, about its last call
    // In the registry:
    int ref_array_mark;   // the metatable of arrays
    int ref_ordered_mark; // of objects that keep an order
    int ref_forms;        // weak: table -> { key = written form }
    int ref_loaded;       // name -> module of the library
    int ref_rules_env;    // what rules see as _ENV
    int ref_undo_kept;    // undo.h: the functions that the file at hand has handed over
    int ref_undo_seen;    // weak: object -> its notes
    int ref_names;        // object -> its number in this run
    int ref_next;         // the keys that `next` walks over, in their order
};

// Makes a state with the libraries and `hookline.core` in it. 0, ERR_NOMEM, ERR_INVALID.
int state_new(struct state **out, const struct state_config *c, struct err *e);
void state_free(struct state *s);

static inline struct state *state_of(lua_State *L)
{
    return *(struct state **)lua_getextraspace(L);
}

#endif
