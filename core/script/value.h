// JSON to Lua and back. An object becomes a table, an array a table with the array's mark (so that
// [] stays an array), null the light userdata NULL (the same as cjson.null), a number a Lua integer
// or float. Where a number would not print back as it was written, its written form is kept in a
// weak side table, by table and key, and used again while the value there is unchanged.
//
// Inside the gate: everything here may longjmp where memory is out, unless it says otherwise; no
// memory but the state's own buffers is held across that.
#ifndef SCRIPT_VALUE_H
#define SCRIPT_VALUE_H

#include "base/err.h"
#include "script/part.h"
#include "script/state.h"

// An event nested as deep as it may be (64), within the outcomes that it can cause.
enum { VALUE_DEPTH_MAX = 80 };

// Pushes the value of one JSON text. 0, or ERR_INVALID, ERR_TOO_LARGE (depth), ERR_NOMEM with
// words, and nothing pushed.
int value_decode(lua_State *L, struct str text, struct err *e);

// The same for a part of an event: pushes a table with `record`, of its parts those that are read
// or that `previous` has, and `previous` (none where that is empty), the JSON of an object.
int value_decode_parts(lua_State *L, const struct part *parts, size_t count, struct str previous,
                       struct err *e);

// Writes the value at index into out as JSON, keys sorted but in what is marked as ordered. root
// names it in words ("content"; may be ""). 0; ERR_INVALID for what JSON cannot say (the place is
// named: "content.items[3].price:
// ..."), or what out->failed says, ERR_TOO_LARGE among it. Leaves the stack as it was. May longjmp
// where the run is over its budget.
int value_encode(lua_State *L, int index, struct buf *out, const char *root, struct err *e);

// Writes one scalar that was found in the table at `table_index` under the key on top of the stack
// (popped), in its written form where that still holds; anything else, nil too, as value_encode
// does.
int value_encode_at(lua_State *L, int table_index, struct buf *out, const char *root,
                    struct err *e);

// Replaces the key on top of the stack by the written form of the number that the value at
// table_index has there. False (and the key popped) where it is no number, or prints as it was
// written.
bool value_push_written(lua_State *L, int table_index);

// Pushes a deep private copy of the value at index, array marks and written forms with it. Raises
// where it is deeper than VALUE_DEPTH_MAX.
void value_copy(lua_State *L, int index);

// Marks the table at index as an array.
void value_mark_array(lua_State *L, int index);
bool value_is_marked_array(lua_State *L, int index);

// Marks the table at index, a list of pairs { name, value }, as an object that keeps their order.
void value_mark_ordered(lua_State *L, int index);

// What decoding noted about the numbers of one table is now about another's.
void value_move_forms(lua_State *L, int from, int to);

// What the table at index, or the one behind it, is marked as: the state's array_mark,
// ordered_mark, or anything else.
const void *value_mark(lua_State *L, int index);

#endif
