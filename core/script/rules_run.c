#include <ctype.h>
#include <lauxlib.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/rfc3339.h"
#include "script/gate.h"
#include "script/library.h"
#include "script/rules_internal.h"
#include "script/undo.h"
#include "script/value.h"

enum { RUN_REQUESTS_MAX = 10000 };

// --- the event -----------------------------------------------------------------------------------

struct run_event {
    struct rules *r;
    const struct rules_event *ev;
    struct err *e;
    int rc;
};

static void run_set_str(lua_State *L, const char *key, struct str value)
{
    lua_pushlstring(L, value.data, value.len);
    lua_setfield(L, -2, key);
}

static void run_set_time(lua_State *L, int64_t time_ms)
{
    char time[RFC3339_LEN + 1];
    rfc3339_format(time, time_ms);
    run_set_str(L, "time", (struct str){time, RFC3339_LEN});
}

// What the host filled in is put beside what was sent. The event is on top. May longjmp.
static void run_complete_event(lua_State *L, const struct rules_event *ev)
{
    run_set_str(L, "id", ev->id);
    int type = lua_getfield(L, -1, "time");
    lua_pop(L, 1);
    if (type != LUA_TSTRING)
        run_set_time(L, ev->time_ms);
}

// Inside the gate. May longjmp.
static int run_begin_inside(lua_State *L)
{
    struct run_event *b = lua_touserdata(L, 1);
    const struct rules_event *ev = b->ev;
    b->rc = ev->parts ? value_decode_parts(L, ev->parts, ev->part_count, ev->previous, b->e)
                      : value_decode(L, ev->json, b->e);
    if (b->rc)
        return 0;
    if (!lua_istable(L, -1) || value_is_marked_array(L, -1)) {
        b->rc = err_set(b->e, ERR_INVALID, "an event is an object");
        return 0;
    }
    if (!ev->parts)
        run_complete_event(L, ev);
    else if (ev->reads_time) {
        run_set_str(L, "id", ev->id);
        run_set_time(L, ev->time_ms);
    }
    run_set_str(L, "type", ev->type);
    if (!ev->previous.len) {
        lua_pushnil(L);
        lua_setfield(L, -2, "previous");
    } else if (!ev->parts && ev->is_compared) {
        b->rc = value_decode(L, ev->previous, b->e);
        if (b->rc)
            return 0;
        lua_setfield(L, -2, "previous");
    }
    lua_rawseti(L, LUA_REGISTRYINDEX, b->r->ref_event);
    return 0;
}

int rules_event_begin(struct rules *r, const struct rules_event *ev, struct err *e)
{
    struct run_event b = {.r = r, .ev = ev, .e = e};
    enum gate_outcome outcome = gate_call(r->s, run_begin_inside, &b, NULL);
    if (outcome == GATE_MEMORY)
        return err_set(e, ERR_NOMEM, "the event does not fit in memory");
    if (outcome != GATE_OK)
        return err_set(e, ERR_INVALID, "%s", r->s->message);
    r->event_seed = hash_bytes(&HASH_KEY_FIXED, ev->id.data, ev->id.len);
    return b.rc;
}

// Putting false in a place that the registry has needs no memory: no gate.
void rules_event_end(struct rules *r)
{
    lua_pushboolean(r->s->L, false);
    lua_rawseti(r->s->L, LUA_REGISTRYINDEX, r->ref_event);
}

// --- a run ---------------------------------------------------------------------------------------

struct run_call {
    struct rules *r;
    struct rules_entry *entry;
    int ref_function;
    struct arena *arena;
    struct rules_run *out;
    size_t output_bytes;
    bool is_out_of_arena;
};

// The text field `key` of the request on top, on the arena. May longjmp.
static struct str run_take_field(lua_State *L, struct run_call *c, const char *key)
{
    struct str value = {0};
    int type = lua_getfield(L, -1, key);
    if (type == LUA_TSTRING) {
        struct str text;
        text.data = lua_tolstring(L, -1, &text.len);
        c->output_bytes += text.len;
        if (c->output_bytes > c->r->run_limits.output_bytes)
            budget_stop(L, BUDGET_STOP_OUTPUT);
        value = arena_dup(c->arena, text);
        c->is_out_of_arena = c->is_out_of_arena || !value.data;
    } else if (type != LUA_TNIL) {
        luaL_error(L, "hookline.host: the request's %s is a %s", key, luaL_typename(L, -1));
    }
    lua_pop(L, 1);
    return value;
}

// The list on top. May longjmp.
static void run_take_requests(lua_State *L, struct run_call *c)
{
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    if (count > RUN_REQUESTS_MAX)
        luaL_error(L, "more than %d webhooks are owed for one event", RUN_REQUESTS_MAX);
    c->out->requests = arena_alloc(c->arena, ((size_t)count + 1) * sizeof *c->out->requests);
    c->is_out_of_arena = !c->out->requests;
    for (lua_Integer i = 1; i <= count && !c->is_out_of_arena; i++) {
        struct rules_request *q = &c->out->requests[i - 1];
        lua_rawgeti(L, -1, i);
        luaL_checktype(L, -1, LUA_TTABLE);
        q->action = (int)i;
        q->head = run_take_field(L, c, "head");
        q->body = run_take_field(L, c, "body");
        q->target = run_take_field(L, c, "target");
        q->retry = run_take_field(L, c, "retry");
        q->invalid = run_take_field(L, c, "invalid");
        int type = lua_getfield(L, -1, "order");
        q->is_ordered = type == LUA_TSTRING;
        q->is_latest = q->is_ordered && strcmp(lua_tostring(L, -1), "latest") == 0;
        lua_pop(L, 1);
        lua_getfield(L, -1, "timeout_ms");
        q->timeout_ms = lua_tointeger(L, -1);
        lua_getfield(L, -2, "dropped");
        q->dropped_characters = lua_tointeger(L, -1);
        lua_pop(L, 3);
    }
    c->out->request_count = c->is_out_of_arena ? 0 : (size_t)count;
}

// Pushes what the library's function gives for the workflow and the event. May longjmp.
static void run_call_library(lua_State *L, const struct run_call *c)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->ref_function);
    lua_rawgeti(L, LUA_REGISTRYINDEX, c->entry->ref_description);
    if (lua_rawgeti(L, LUA_REGISTRYINDEX, c->r->ref_event) != LUA_TTABLE)
        luaL_error(L, "there is no event");
    lua_call(L, 2, 1);
}

// Inside the gate. May longjmp.
static int run_inside(lua_State *L)
{
    struct run_call *c = lua_touserdata(L, 1);
    run_call_library(L, c);
    if (lua_isnil(L, -1))
        return 0;
    luaL_checktype(L, -1, LUA_TTABLE);
    run_take_requests(L, c);
    c->out->verdict = RULES_MATCH;
    return 0;
}

static int run_collect_inside(lua_State *L)
{
    lua_gc(L, LUA_GCSTEP, 0); // the young alone
    return 0;
}

enum gate_outcome rules_enter(struct rules *r, const struct rules_entry *entry, bool has_functions,
                              lua_CFunction inside, void *arg)
{
    // Without functions only the library runs, whose work is bounded by the event: nothing to
    // count, until a template meets a long list.
    struct budget_limits limits = r->run_limits;
    limits.is_unhooked = !has_functions;
    r->s->files = entry->files;
    r->s->random.seed = r->event_seed ^ entry->seed;
    enum gate_outcome outcome = gate_call(r->s, inside, arg, &limits);
    undo_run(r->s, entry->ref_undo);
    // A run that was stopped may leave megabytes, which would stay until as much again is made.
    if (outcome == GATE_STEPS || outcome == GATE_MEMORY) {
        char message[STATE_MESSAGE_MAX];
        memcpy(message, r->s->message, sizeof message);
        gate_call(r->s, run_collect_inside, NULL, NULL);
        memory_trim();
        memcpy(r->s->message, message, sizeof message);
    }
    return outcome;
}

enum rules_verdict rules_verdict_of(enum gate_outcome outcome)
{
    switch (outcome) {
    case GATE_STEPS:
        return RULES_BUDGET_STEPS;
    case GATE_MEMORY:
        return RULES_BUDGET_MEMORY;
    case GATE_OUTPUT:
        return RULES_BUDGET_OUTPUT;
    case GATE_OK:
    case GATE_ERROR:
        break;
    }
    return RULES_ERROR;
}

// Whether it begins with "rules/x.lua:12: ".
static bool run_has_place(const char *message)
{
    const char *end = strstr(message, ": ");
    const char *digits = end;
    while (end && digits > message && isdigit((unsigned char)digits[-1]))
        digits--;
    return end && digits < end && digits > message && digits[-1] == ':';
}

// A tail call leaves no place, and an end after the rule's last line has none: then the file is
// named.
static void run_fail(struct run_call *c, enum rules_verdict verdict, const char *message)
{
    char with_file[STATE_MESSAGE_MAX];
    if (c->entry && !run_has_place(message)) {
        snprintf(with_file, sizeof with_file, "%s: %s", c->entry->shown.file, message);
        message = with_file;
    }
    *c->out =
        (struct rules_run){.verdict = verdict, .message = arena_dup(c->arena, str_from(message))};
    if (!c->out->message.data)
        c->out->message = STR("not enough memory");
}

void rules_run(struct rules *r, size_t workflow, struct arena *arena, struct rules_run *out)
{
    struct run_call c = {.r = r, .ref_function = r->ref_run, .arena = arena, .out = out};
    *out = (struct rules_run){.verdict = RULES_NO_MATCH};
    if (workflow >= r->entry_count) {
        run_fail(&c, RULES_ERROR, "there is no such workflow");
        return;
    }
    c.entry = r->entries[workflow];
    enum gate_outcome outcome =
        rules_enter(r, c.entry, c.entry->shown.has_functions, run_inside, &c);
    if (outcome != GATE_OK)
        run_fail(&c, rules_verdict_of(outcome), r->s->message);
    else if (c.is_out_of_arena) {
        run_fail(&c, RULES_BUDGET_OUTPUT, "what it owes does not fit beside the rest of the body");
        out->is_out_of_room = true;
    }
}

// Inside the gate. May longjmp.
static int run_recheck_inside(lua_State *L)
{
    const struct run_call *c = lua_touserdata(L, 1);
    run_call_library(L, c);
    c->out->verdict = lua_toboolean(L, -1) ? RULES_MATCH : RULES_NO_MATCH;
    return 0;
}

void rules_recheck(struct rules *r, size_t workflow, struct arena *arena, struct rules_run *out)
{
    struct run_call c = {.r = r, .ref_function = r->ref_recheck, .arena = arena, .out = out};
    *out = (struct rules_run){.verdict = RULES_NO_MATCH};
    if (workflow >= r->entry_count) {
        run_fail(&c, RULES_ERROR, "there is no such workflow");
        return;
    }
    c.entry = r->entries[workflow];
    enum gate_outcome outcome =
        rules_enter(r, c.entry, c.entry->shown.has_functions, run_recheck_inside, &c);
    if (outcome != GATE_OK)
        run_fail(&c, rules_verdict_of(outcome), r->s->message);
}

// --- explain -------------------------------------------------------------------------------------

// Inside the gate. May longjmp. The value on top as text in the state's buffer.
static void run_encode(lua_State *L, const struct run_call *c, const char *what)
{
    struct err e = {0};
    buf_reset(&c->r->s->out);
    c->r->s->out.max = c->r->run_limits.output_bytes;
    if (value_encode(L, -1, &c->r->s->out, what, &e))
        luaL_error(L, "%s", e.text);
}

static int run_explain_inside(lua_State *L)
{
    const struct run_call *c = lua_touserdata(L, 1);
    run_call_library(L, c);
    run_encode(L, c, "explain");
    return 0;
}

// The library of tests is there only where somebody asks.
static int run_cover_inside(lua_State *L)
{
    struct run_call *c = lua_touserdata(L, 1);
    library_require(L, "hookline.testing.coverage");
    lua_getfield(L, -1, "of");
    c->ref_function = luaL_ref(L, LUA_REGISTRYINDEX);
    run_call_library(L, c);
    luaL_unref(L, LUA_REGISTRYINDEX, c->ref_function);
    run_encode(L, c, "coverage");
    return 0;
}

static int run_tell(struct rules *r, size_t workflow, lua_CFunction inside, struct buf *out,
                    struct err *e)
{
    struct run_call c = {.r = r, .ref_function = r->ref_explain};
    if (workflow >= r->entry_count)
        return err_set(e, ERR_NOT_FOUND, "there is no such workflow");
    c.entry = r->entries[workflow];
    if (rules_enter(r, c.entry, c.entry->shown.has_functions, inside, &c) != GATE_OK)
        return err_set(e, ERR_INVALID, "%s", r->s->message);
    int rc = buf_append_str(out, buf_str(&r->s->out));
    return rc ? err_set(e, (enum err_code)rc, "the explanation is too large") : 0;
}

int rules_explain(struct rules *r, size_t workflow, struct buf *out, struct err *e)
{
    return run_tell(r, workflow, run_explain_inside, out, e);
}

int rules_cover(struct rules *r, size_t workflow, struct buf *out, struct err *e)
{
    return run_tell(r, workflow, run_cover_inside, out, e);
}
