#include "script/trace.h"

#include <stdio.h>

enum { TRACE_FRAMES_MAX = 6, TRACE_LEVELS_MAX = 64 };

static bool trace_is_rule(const lua_Debug *ar)
{
    return ar->what[0] != 'C' && ar->currentline >= 0 &&
           strncmp(ar->source, TRACE_LIBRARY_PREFIX, sizeof TRACE_LIBRARY_PREFIX - 1) != 0;
}

// lua_getstack walks from the top each time: a bounded number of levels keeps it cheap in deep
// recursion.
bool trace_rule_frame(lua_State *L, int level, lua_Debug *ar)
{
    for (int i = 0; i < TRACE_LEVELS_MAX && lua_getstack(L, i, ar); i++) {
        lua_getinfo(L, "Sl", ar);
        if (trace_is_rule(ar) && level-- == 0)
            return true;
    }
    return false;
}

static size_t trace_frame(const lua_Debug *ar, char *out, size_t size)
{
    int n;
    if (ar->what[0] == 'm')
        n = snprintf(out, size, "\n    %s:%d: in the file itself", ar->short_src, ar->currentline);
    else if (ar->name)
        n = snprintf(out, size, "\n    %s:%d: in %s '%s'", ar->short_src, ar->currentline,
                     ar->namewhat[0] ? ar->namewhat : "function", ar->name);
    else
        n = snprintf(out, size, "\n    %s:%d: in the function at line %d", ar->short_src,
                     ar->currentline, ar->linedefined);
    return n < 0 ? 0 : (size_t)n;
}

size_t trace_write(lua_State *L, char *out, size_t size)
{
    lua_Debug ar;
    size_t len = 0;
    size_t place_len = 0;
    int frames = 0;
    out[0] = '\0';
    for (int i = 0; i < TRACE_LEVELS_MAX && frames < TRACE_FRAMES_MAX && lua_getstack(L, i, &ar);
         i++) {
        lua_getinfo(L, "Sln", &ar);
        if (!trace_is_rule(&ar))
            continue;
        if (frames++ == 0) {
            int n = snprintf(out, size, "%s:%d: ", ar.short_src, ar.currentline);
            place_len = len = n < 0 ? 0 : (size_t)n;
        }
        if (len < size)
            len += trace_frame(&ar, out + len, size - len);
        if (len >= size)
            return place_len < size ? place_len : size - 1;
    }
    return place_len;
}
