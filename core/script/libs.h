// What C gives to Lua: one lib_NAME.c for each Lua table, registered in libs.c. All of it runs
// inside the gate and may longjmp.
#ifndef SCRIPT_LIBS_H
#define SCRIPT_LIBS_H

#include "base/buf.h"
#include "base/err.h"
#include "script/state.h"

#include <lauxlib.h>
#include <lua.h>

// Pushes the module `hookline.core`, for the library alone.
void libs_push_core(lua_State *L);

// Each pushes its table (or function) for hookline.core.
void lib_json_push(lua_State *L);     // core.json
void lib_encode_push(lua_State *L);   // core.encode
void lib_escape_push(lua_State *L);   // core.escape
void lib_template_push(lua_State *L); // core.template
void lib_http_push(lua_State *L);     // core.http
void lib_retry_push(lua_State *L);    // core.retry
void lib_files_push(lua_State *L);    // core.files
// Sets its functions in the table on top of the stack, which is hookline.core itself.
void lib_text_set(lua_State *L); // base64 duration fold is_ascii nearest number percent trim ...
void lib_core_set(lua_State *L); // null array ordered is_array copy count freeze keep where ...

// The standard libraries, bounded: each changes the functions of the standard table on top of the
// stack that could escape the budget.
void lib_base_bound(lua_State *L);
void lib_base_set_for_rules(lua_State *L); // setmetatable, pairs and next as rules get them
void lib_order_set(lua_State *L);          // pairs and next that keep to an order
void lib_coroutine_bound(lua_State *L);
void lib_string_bound(lua_State *L);
void lib_pattern_set(lua_State *L); // string's find, match, gmatch and gsub
void lib_table_bound(lua_State *L);
void lib_math_bound(lua_State *L);
void lib_utf8_bound(lua_State *L);

// Pushes what `require "cjson"` gives: the two functions of lua-cjson, bounded.
void lib_cjson_push(lua_State *L);

// Pushes `next` that sees through read-only views.
void freeze_push_next(lua_State *L);

// Pushes what tostring gives. An object without words of its own is "table: 1": its kind, and a
// number that counts the objects named in this run, since an address would differ from host to
// host.
const char *libs_tolstring(lua_State *L, int index, size_t *len);

// Replaces the field `name` of the table on top of the stack by `fn`, whose first upvalue is the
// original, for libs_original() to go on in. (A function that is replaced must be there.)
void libs_wrap(lua_State *L, const char *name, lua_CFunction fn);
// In such a function: goes on as the original, in the same frame, so that its errors name the
// caller's line.
static inline int libs_original(lua_State *L)
{
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

// The state's output buffer, emptied and bounded by what the run may still make.
struct buf *libs_out(lua_State *L);
// Pushes the buffer's content as a string. Stops the run where the buffer met its bound.
int libs_push_out(lua_State *L, const struct buf *out);
// The convention for expected failures: nil, message.
int libs_push_failure(lua_State *L, const struct err *e);

static inline struct str libs_check_str(lua_State *L, int index)
{
    struct str s;
    s.data = luaL_checklstring(L, index, &s.len);
    return s;
}

#endif
