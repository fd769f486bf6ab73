// Annotations for editors, as lua/hookline/stubs.lua writes them.
#include <lauxlib.h>

#include "script/gate.h"
#include "script/library.h"
#include "script/rules_internal.h"

struct stubs {
    struct rules *r;
    enum rules_stubs which;
    struct buf *out;
};

// Inside the gate. May longjmp.
static int stubs_inside(lua_State *L)
{
    struct stubs *s = lua_touserdata(L, 1);
    size_t len;
    library_require(L, "hookline.stubs");
    if (s->which == RULES_STUBS_LIBRARY) {
        lua_getfield(L, -1, "library");
        library_push_text(L, "hookline/init.lua");
        lua_call(L, 1, 1);
    } else {
        lua_getfield(L, -1, "catalogues");
        lua_call(L, 0, 1);
    }
    const char *text = luaL_checklstring(L, -1, &len);
    buf_append(s->out, text, len);
    return 0;
}

int rules_write_stubs(struct rules *r, enum rules_stubs which, struct buf *out, struct err *e)
{
    struct stubs s = {.r = r, .which = which, .out = out};
    r->s->files = r->files[r->files_in_use];
    r->s->phase = STATE_LOADS;
    enum gate_outcome outcome = gate_call(r->s, stubs_inside, &s, &r->load_limits);
    r->s->phase = STATE_RUNS;
    if (outcome != GATE_OK)
        return err_set(e, ERR_INVALID, "%s", r->s->message);
    return out->failed ? err_set(e, ERR_NOMEM, "out of memory") : 0;
}
