// The one way into Lua. Whatever may raise runs as a C function inside it: rules, the library, and
// our own use of the API alike. Budget, traceback and stack are kept here, and every entry ends in
// one of a closed set of outcomes.
#ifndef SCRIPT_GATE_H
#define SCRIPT_GATE_H

#include "script/budget.h"

#include <lua.h>

struct state;

enum gate_outcome { GATE_OK, GATE_ERROR, GATE_STEPS, GATE_MEMORY, GATE_OUTPUT };

// Calls body with `arg` as light userdata, its only argument; what it has to give it puts behind
// arg. limits may be NULL: none. Unless GATE_OK, s->message says what and where: "rules/x.lua:12:
// attempt to ...", then the rule's frames, one a line. Not to be entered again from inside. Never
// longjmps.
enum gate_outcome gate_call(struct state *s, lua_CFunction body, void *arg,
                            const struct budget_limits *limits);

#endif
