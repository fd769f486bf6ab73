// Lua's patterns (Lua 5.4 manual, 6.4.1), matched with a count of the steps, so that one that
// backtracks for ever ends at the budget. Inside the gate.
#ifndef SCRIPT_PATTERN_H
#define SCRIPT_PATTERN_H

#include "base/str.h"

#include <lua.h>

enum { PATTERN_CAPTURES_MAX = 32 };

struct pattern_capture {
    const char *start;
    ptrdiff_t len; // or one of the marks below
};

enum { PATTERN_OPEN = -1, PATTERN_POSITION = -2 };

struct pattern {
    lua_State *L;
    struct str text;
    const char *text_end;
    const char *at; // of the pattern, behind a leading '^' where that anchors
    const char *end;
    size_t uncharged; // steps since the last charge
    int depth;
    int count; // of captures
    struct pattern_capture captures[PATTERN_CAPTURES_MAX];
};

// text and pattern are borrowed while matching.
void pattern_init(struct pattern *m, lua_State *L, struct str text, struct str pattern);

// Matches at `from` exactly; the end of the match, or NULL. May longjmp: a malformed pattern, one
// that is too complex, the budget.
const char *pattern_match(struct pattern *m, const char *from);

// Pushes capture i (from 0); where the pattern has none, capture 0 is the whole match from..to. May
// longjmp.
void pattern_push_capture(struct pattern *m, int i, const char *from, const char *to);

// Pushes all captures, or the whole match where there are none and from is not NULL; returns how
// many. May longjmp.
int pattern_push_captures(struct pattern *m, const char *from, const char *to);

#endif
