#include "script/template.h"

#include <lauxlib.h>

#include "encode/json_reader.h"
#include "script/gate.h"
#include "script/library.h"
#include "script/state.h"
#include "script/value.h"

enum { TEMPLATE_MEMORY_MAX = 256 * 1024 * 1024, TEMPLATE_CPU_MS = 5000, MS_PER_S = 1000 };

struct template_run {
    const struct template_request *request;
    struct buf *out;
    struct buf partial; // its text, while Lua copies it
    struct err e;
};

// --- the data ------------------------------------------------------------------------------------

// Like value_decode, but objects remember the order of their names, which a loop over them shows.
struct template_data {
    lua_State *L;
    struct json_reader in;
    int order; // on the stack: object -> list of its names
};

static void template_push_value(struct template_data *d, enum json_token token);

static int template_refuse_data(struct template_data *d)
{
    struct err e = {0};
    json_reader_error(&d->in, &e);
    return luaL_error(d->L, "the data is not JSON: %s", e.text);
}

static void template_push_array(struct template_data *d)
{
    lua_Integer count = 0;
    lua_newtable(d->L);
    for (;;) {
        enum json_token token = json_read(&d->in);
        if (token == JSON_ARRAY_END)
            break;
        template_push_value(d, token);
        lua_rawseti(d->L, -2, ++count);
    }
    value_mark_array(d->L, lua_gettop(d->L));
}

static void template_push_object(struct template_data *d)
{
    lua_State *L = d->L;
    lua_Integer count = 0;
    lua_newtable(L);
    lua_newtable(L);
    int object = lua_gettop(L) - 1;
    for (;;) {
        enum json_token token = json_read(&d->in);
        if (token == JSON_OBJECT_END)
            break;
        if (token != JSON_KEY)
            template_refuse_data(d);
        lua_pushlstring(L, d->in.text.data, d->in.text.len);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, object) == LUA_TNIL) {
            lua_pushvalue(L, -2);
            lua_rawseti(L, object + 1, ++count);
        }
        lua_pop(L, 1);
        template_push_value(d, json_read(&d->in));
        lua_rawset(L, object);
    }
    lua_pushvalue(L, object);
    lua_insert(L, -2);
    lua_rawset(L, d->order);
}

static void template_push_value(struct template_data *d, enum json_token token)
{
    lua_State *L = d->L;
    luaL_checkstack(L, LUA_MINSTACK, "the data");
    switch (token) {
    case JSON_STRING:
        lua_pushlstring(L, d->in.text.data, d->in.text.len);
        break;
    case JSON_NUMBER:
        if (d->in.number.is_integer)
            lua_pushinteger(L, d->in.number.integer);
        else
            lua_pushnumber(L, d->in.number.value);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        lua_pushboolean(L, token == JSON_TRUE);
        break;
    case JSON_NULL:
        lua_pushlightuserdata(L, NULL);
        break;
    case JSON_OBJECT_BEGIN:
        template_push_object(d);
        break;
    case JSON_ARRAY_BEGIN:
        template_push_array(d);
        break;
    case JSON_END:
    case JSON_ERROR:
    case JSON_KEY:
    case JSON_OBJECT_END:
    case JSON_ARRAY_END:
        template_refuse_data(d);
    }
}

// Pushes the data; `order` is the stack place of what remembers the names' order.
static void template_push_data(lua_State *L, struct str text, int order)
{
    struct template_data d = {.L = L, .order = order};
    json_reader_init(&d.in, text, VALUE_DEPTH_MAX, &state_of(L)->text);
    enum json_token token = json_read(&d.in);
    template_push_value(&d, token);
    if (json_read(&d.in) != JSON_END)
        template_refuse_data(&d);
    if (token != JSON_OBJECT_BEGIN)
        luaL_error(L, "the data is not a JSON object");
}

// --- the run -------------------------------------------------------------------------------------

// load_partial(name) -> text | nil, message. upvalue 1: the run.
static int template_lua_partial(lua_State *L)
{
    struct template_run *run = lua_touserdata(L, lua_upvalueindex(1));
    const struct template_request *t = run->request;
    struct str name;
    name.data = luaL_checklstring(L, 1, &name.len);
    struct err e = {0};
    buf_reset(&run->partial);
    int rc = t->partial(t->ctx, name, &run->partial, &e);
    if (rc || run->partial.failed) {
        lua_pushnil(L);
        lua_pushstring(L, rc ? e.text : "the partial is too large");
        return 2;
    }
    budget_charge_bytes(L, run->partial.len);
    lua_pushlstring(L, run->partial.data ? run->partial.data : "", run->partial.len);
    return 1;
}

static void template_take_fault(lua_State *L, struct template_run *run, int at)
{
    const char *name = lua_tostring(L, at);
    const char *message = lua_tostring(L, at + 3);
    err_set(&run->e, ERR_INVALID, "%s:%lld:%lld: error: %s", name ? name : "",
            (long long)lua_tointeger(L, at + 1), (long long)lua_tointeger(L, at + 2),
            message ? message : "");
}

// Inside the gate. May longjmp.
static int template_inside(lua_State *L)
{
    struct template_run *run = lua_touserdata(L, 1);
    const struct template_request *t = run->request;
    library_require(L, "hookline.liquid");
    lua_getfield(L, 2, "order");
    lua_getfield(L, 2, "render_text");
    lua_pushlstring(L, t->text.data ? t->text.data : "", t->text.len);
    lua_pushstring(L, t->name);
    template_push_data(L, t->data, 3);
    lua_pushinteger(L, t->now_ms / MS_PER_S);
    if (t->partial) {
        lua_pushlightuserdata(L, run);
        lua_pushcclosure(L, template_lua_partial, 1);
    } else {
        lua_pushnil(L);
    }
    lua_call(L, 5, 5);
    size_t len;
    const char *text = lua_tolstring(L, 4, &len);
    if (!text)
        template_take_fault(L, run, 5);
    else if (len > TEMPLATE_TEXT_MAX)
        budget_stop(L, BUDGET_STOP_OUTPUT);
    else if (buf_append(run->out, text, len))
        err_set(&run->e, (enum err_code)run->out->failed, "%s: the output has no room", t->name);
    return 0;
}

static int template_fail(const struct template_run *run, enum gate_outcome outcome,
                         const char *message, struct err *e)
{
    enum err_code code = outcome == GATE_ERROR ? ERR_INVALID : ERR_TOO_LARGE;
    if (outcome == GATE_OK)
        return run->e.code ? err_set(e, run->e.code, "%s", run->e.text) : 0;
    return err_set(e, code, "%s: %s", run->request->name, message);
}

int template_render(const struct template_request *t, struct buf *out, struct err *e)
{
    static const struct budget_limits limits = {.steps = 100000000,
                                                .memory_bytes = TEMPLATE_MEMORY_MAX,
                                                .output_bytes = TEMPLATE_TEXT_MAX,
                                                .cpu_ms = TEMPLATE_CPU_MS};
    struct state_config config = {.library_dir = t->library_dir};
    struct template_run run = {.request = t, .out = out};
    struct state *s = NULL;
    buf_init(&run.partial, TEMPLATE_TEXT_MAX);
    int rc = state_new(&s, &config, e);
    if (rc == 0)
        rc = template_fail(&run, gate_call(s, template_inside, &run, &limits), s->message, e);
    state_free(s);
    buf_fini(&run.partial);
    return rc;
}
