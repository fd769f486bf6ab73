// Where a rule's code stands: positions and the frames above them, written without the help of
// Lua's allocator, so that it works when memory is what ran out.
#ifndef SCRIPT_TRACE_H
#define SCRIPT_TRACE_H

#include "base/str.h"

#include <lua.h>

// The name a chunk of the library is compiled under ("=hookline/conditions.lua") starts with this;
// no chunk of a rule does.
#define TRACE_LIBRARY_PREFIX "=hookline"

// The first frame of a rule's code, `level` (0: from here) such frames further out. False where
// there is none. file is borrowed from ar.
bool trace_rule_frame(lua_State *L, int level, lua_Debug *ar);

// Writes "rules/x.lua:12: " (or nothing), then "\n    rules/x.lua:3: in function 'f'" for the first
// frames of rules; NUL-terminated and cut at `size`. Returns the length of the place in front.
size_t trace_write(lua_State *L, char *out, size_t size);

#endif
