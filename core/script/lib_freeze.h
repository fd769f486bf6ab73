// Read-only views: an empty table in front of another one. Reading goes through, writing raises at
// the writer's line, and what looks behind metatables (rawset, next, pairs) knows them.
#ifndef SCRIPT_LIB_FREEZE_H
#define SCRIPT_LIB_FREEZE_H

#include <lua.h>
#include <stdbool.h>

// Pushes a view of the table at index (of one that is a view already: itself). May longjmp. `name`
// is used in the error that a write raises ("hook", "string").
void freeze_push_view(lua_State *L, int index, const char *name);

// Where the value at index is a view: pushes the table behind it and returns true. Never longjmps.
bool freeze_push_target(lua_State *L, int index);

#endif
