// What rules keep in their upvalues is put back after each run, so that the same event and rules
// give the same webhooks. When a file has been loaded, its functions are walked: what they keep is
// noted, function by function, and the tables among it are frozen (lib_freeze.h). A run then costs
// one comparison for each upvalue; who has no functions pays nothing.
//
// A module of the rules folder is noted when it is required first, and put back each time that it
// is required again, so that each file sees it as it was; its notes belong to all who reach it.
#ifndef SCRIPT_UNDO_H
#define SCRIPT_UNDO_H

#include <lua.h>
#include <stdbool.h>

struct state;

// core.keep(function): notes a function that a rule has handed over, while a file is loaded. May
// longjmp.
void undo_keep(lua_State *L, int index);

// At the start of a file: forgets what an earlier one left. May longjmp.
void undo_begin(lua_State *L);

// At its end: walks what was kept; returns a reference in the registry to the notes, LUA_NOREF
// where there are none. Raises at what cannot be put back (a coroutine under way). May longjmp.
int undo_finish(lua_State *L);

// A module's value is on top of the stack, and was required while `kept_before` functions had been
// kept (undo_kept_count): walked with those that it handed over itself, or put back where it has
// been given before. Its requirer's notes reach it. May longjmp.
void undo_give_module(lua_State *L, lua_Integer kept_before);
lua_Integer undo_kept_count(lua_State *L);

// Puts back what the notes say. Outside the gate, between two runs; never longjmps.
void undo_run(struct state *s, int ref_notes);

#endif
