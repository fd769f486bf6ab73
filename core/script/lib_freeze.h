// Tables that can be read and not written. A view is an empty table in front of another one; a
// table frozen in place has become a view of what it held, so that all who have it see it frozen.
// Reading goes through, writing raises at the writer's line, and what looks behind metatables
// (rawset, next, pairs) knows both.
#ifndef SCRIPT_LIB_FREEZE_H
#define SCRIPT_LIB_FREEZE_H

#include <lua.h>
#include <stdbool.h>

// Pushes a view of the table at index (of one that is a view already: itself). May longjmp. `name`
// is used in the error that a write raises ("hook", "string").
void freeze_push_view(lua_State *L, int index, const char *name);

// Freezes the table at index in place, and pushes the table that now holds what was in it. Its
// metamethods go on working, and getmetatable gives what it gave. Keys that begin with "__" stay in
// the table itself too, where Lua looks for metamethods; there they can still be changed. `name` is
// of the variable that holds it, for the error of a write. May longjmp. The table is no view.
void freeze_in_place(lua_State *L, int index, const char *name);

// Where the value at index is a view: pushes the table behind it (the innermost, where one is
// behind another) and returns true. May longjmp where there is no stack.
bool freeze_push_target(lua_State *L, int index);

// Whether the table at index is a view of the library's own, made before any rule was loaded.
bool freeze_is_library_view(lua_State *L, int index);

// Whether the function at index is the __pairs that views have.
bool freeze_is_own_pairs(lua_State *L, int index);

// Marks the metatable at index: tables that have it are the library's handles, and stay as they
// are.
void freeze_mark_handles(lua_State *L, int index);
bool freeze_is_handle(lua_State *L, int index);

#endif
