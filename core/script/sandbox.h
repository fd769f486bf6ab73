// What Lua code sees. The library gets the pure standard libraries, bounded, and `require` for its
// own modules; rules get read-only views of the same, and a `require` of their own. Neither has os,
// io, debug or bytecode. Inside the gate; may longjmp.
#ifndef SCRIPT_SANDBOX_H
#define SCRIPT_SANDBOX_H

#include <lua.h>

// Fills the globals, which are the library's.
void sandbox_open_globals(lua_State *L);

// Pushes the environment of rules.
void sandbox_push_rules_env(lua_State *L);

// Compiles a rule's text, pushes the function, its environment set. name: "rules/invoice.lua".
// Returns LUA_OK, or another status with the message pushed in its place.
int sandbox_compile(lua_State *L, const char *text, size_t len, const char *name);

#endif
