// The order in which rules walk over a table. Lua's own follows from addresses and from a seed that
// is another in each process, and the same event and rules must give the same bytes. So keys come
// in an order of their own: numbers by size, texts by bytes, false, true, null. Several tables or
// functions as keys have no such order: walking over them is refused.
#ifndef SCRIPT_LIB_ORDER_H
#define SCRIPT_LIB_ORDER_H

#include <lua.h>

struct order_walk;

// Pushes a walk over the table at `table`, which is no view: over the keys that it has now. The
// walk is good as long as it is on the stack. May longjmp.
struct order_walk *order_push_walk(lua_State *L, int table);

// Pushes the next key that is still there, and its value; or nil alone. Returns how many. The walk
// is at `index`; what is in between stays on the stack. May longjmp.
int order_step(lua_State *L, int index, struct order_walk *w);

#endif
