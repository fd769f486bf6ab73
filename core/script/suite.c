#include "script/suite.h"

#include <lauxlib.h>
#include <stdlib.h>

#include "script/gate.h"
#include "script/library.h"
#include "script/rules_internal.h"

// Not a rule's run: it reads whole results, and tests may be as slow as their writer likes.
static const struct budget_limits SUITE_LIMITS = {.steps = 1000000000,
                                                  .memory_bytes = (size_t)512 << 20,
                                                  .output_bytes = (size_t)64 << 20,
                                                  .cpu_ms = 60000};

struct suite {
    struct rules *r;
    int ref_load, ref_compare; // functions of hookline.testing.host, in the registry
};

static int suite_open_inside(lua_State *L)
{
    struct suite *s = lua_touserdata(L, 1);
    library_require(L, "hookline.testing.host");
    lua_getfield(L, -1, "load");
    s->ref_load = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_getfield(L, -1, "compare");
    s->ref_compare = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

int suite_new(struct suite **out, const struct rules_config *c, struct err *e)
{
    struct suite *s = calloc(1, sizeof *s);
    int rc = s ? rules_new(&s->r, c, e) : err_set(e, ERR_NOMEM, "not enough memory");
    if (rc == 0 && gate_call(s->r->s, suite_open_inside, s, NULL) != GATE_OK)
        rc = err_set(e, ERR_INVALID, "the library does not load: %s", s->r->s->message);
    if (rc) {
        suite_free(s);
        s = NULL;
    }
    *out = s;
    return rc;
}

void suite_free(struct suite *s)
{
    if (!s)
        return;
    rules_free(s->r);
    free(s);
}

// The plan is on top.
static void suite_take_plan(lua_State *L, struct rules *r, const char *shown, void *ctx)
{
    struct buf *plan = ctx;
    size_t len;
    const char *text = luaL_checklstring(L, -1, &len);
    (void)r;
    (void)shown;
    if (buf_append(plan, text, len))
        luaL_error(L, "the tests are too large");
}

int suite_load(struct suite *s, const char *file, struct str text, struct buf *plan)
{
    struct rules_loader loader = {.ref_load = s->ref_load, .take = suite_take_plan, .ctx = plan};
    return rules_load_with(s->r, file, text, &loader);
}

struct rules *suite_rules(const struct suite *s)
{
    return s->r;
}

struct suite_compare {
    const struct suite *s;
    size_t index;
    struct str result;
    struct str again;
    struct buf *out;
};

static int suite_compare_inside(lua_State *L)
{
    const struct suite_compare *c = lua_touserdata(L, 1);
    size_t len;
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->s->ref_compare);
    lua_pushinteger(L, (lua_Integer)c->index + 1);
    lua_pushlstring(L, c->result.data, c->result.len);
    lua_pushlstring(L, c->again.data, c->again.len);
    lua_call(L, 3, 1);
    const char *text = luaL_checklstring(L, -1, &len);
    if (buf_append(c->out, text, len))
        luaL_error(L, "what differs is too large to show");
    return 0;
}

int suite_compare(struct suite *s, size_t index, struct str result, struct str again,
                  struct buf *out, struct err *e)
{
    struct suite_compare c = {.s = s, .index = index, .result = result, .again = again, .out = out};
    if (gate_call(s->r->s, suite_compare_inside, &c, &SUITE_LIMITS) != GATE_OK)
        return err_set(e, ERR_INVALID, "%s", s->r->s->message);
    return 0;
}
