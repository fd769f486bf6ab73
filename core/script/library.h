// The Lua library's own modules: found in the binary (the Makefile embeds lua/), or under --lua
// DIR.
#ifndef SCRIPT_LIBRARY_H
#define SCRIPT_LIBRARY_H

#include <lua.h>

// Pushes the module `name` ("hookline.conditions"), which is hookline/conditions.lua or
// hookline/conditions/init.lua, run once in the library's environment. Raises where there is none,
// where it does not compile, and where it is being loaded already. May longjmp.
void library_require(lua_State *L, const char *name);

// Pushes the text of the library's file "hookline/init.lua". Raises where there is none. May
// longjmp.
void library_push_text(lua_State *L, const char *file);

// `require` for the library. May longjmp.
int library_lua_require(lua_State *L);

#endif
