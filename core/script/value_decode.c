#include "encode/json_reader.h"
#include "script/value.h"

// Members wait on Lua's stack in batches, so that a table is made with room for exactly what it
// gets: most objects fit one batch and are never rehashed.
enum { DECODE_BATCH = 32, DECODE_STACK = 2 * DECODE_BATCH + 8 };

struct decoder {
    lua_State *L;
    struct state *s;
    struct json_reader in;
    bool has_form; // of the number read last: in.text is to be remembered
};

// A container under way: at `base` its table (nil until the first batch), at base + 1 its written
// forms (nil until the first), then what waits.
struct container {
    int base;
    int waiting;
    lua_Integer count;
    bool is_made;
};

static int decode_value(struct decoder *d, enum json_token token);

static int decode_begin(struct decoder *d, struct container *c)
{
    if (!lua_checkstack(d->L, DECODE_STACK))
        return ERR_NOMEM;
    *c = (struct container){.base = lua_gettop(d->L) + 1};
    lua_pushnil(d->L);
    lua_pushnil(d->L);
    return 0;
}

static void decode_make(struct decoder *d, struct container *c, int list_room, int hash_room)
{
    if (c->is_made)
        return;
    lua_createtable(d->L, list_room, hash_room);
    lua_replace(d->L, c->base);
    c->is_made = true;
}

// Called with the value on top, before it is put away. key_index: the stack place of its key, or 0
// for an array's next element.
static void decode_note_form(struct decoder *d, const struct container *c, int key_index)
{
    lua_State *L = d->L;
    if (lua_isnil(L, c->base + 1)) {
        lua_newtable(L);
        lua_replace(L, c->base + 1);
    }
    if (key_index)
        lua_pushvalue(L, key_index);
    else
        lua_pushinteger(L, c->count);
    lua_pushlstring(L, d->in.text.data, d->in.text.len);
    lua_rawset(L, c->base + 1);
    d->has_form = false;
}

// Leaves the container's table alone on the stack.
static void decode_end(struct decoder *d, const struct container *c)
{
    lua_State *L = d->L;
    lua_settop(L, c->base + 1);
    if (!lua_isnil(L, -1)) {
        d->s->has_forms = true;
        lua_rawgeti(L, LUA_REGISTRYINDEX, d->s->ref_forms);
        lua_pushvalue(L, c->base);
        lua_pushvalue(L, c->base + 1);
        lua_rawset(L, -3);
    }
    lua_settop(L, c->base);
}

static void decode_put_members(struct decoder *d, struct container *c)
{
    lua_State *L = d->L;
    int first = c->base + 2;
    for (int i = 0; i < c->waiting; i++) {
        lua_pushvalue(L, first + 2 * i);
        lua_pushvalue(L, first + 2 * i + 1);
        lua_rawset(L, c->base);
    }
    lua_settop(L, c->base + 1);
    c->waiting = 0;
}

// Called with a member's name and value on top: they wait to be put into the object.
static void decode_add_member(struct decoder *d, struct container *c)
{
    if (d->has_form)
        decode_note_form(d, c, lua_gettop(d->L) - 1);
    if (++c->waiting == DECODE_BATCH) {
        decode_make(d, c, 0, 2 * DECODE_BATCH);
        decode_put_members(d, c);
    }
}

static void decode_end_object(struct decoder *d, struct container *c)
{
    decode_make(d, c, 0, c->waiting);
    decode_put_members(d, c);
    decode_end(d, c);
}

static int decode_object(struct decoder *d)
{
    struct container c;
    int rc = decode_begin(d, &c);
    if (rc)
        return rc;
    for (;;) {
        enum json_token token = json_read(&d->in);
        if (token == JSON_OBJECT_END)
            break;
        if (token != JSON_KEY)
            return d->in.fault_code;
        lua_pushlstring(d->L, d->in.text.data, d->in.text.len);
        rc = decode_value(d, json_read(&d->in));
        if (rc)
            return rc;
        decode_add_member(d, &c);
    }
    decode_end_object(d, &c);
    return 0;
}

static void decode_put_elements(struct decoder *d, struct container *c)
{
    for (lua_Integer at = c->count; c->waiting > 0; c->waiting--, at--)
        lua_rawseti(d->L, c->base, at);
}

static int decode_array(struct decoder *d)
{
    struct container c;
    int rc = decode_begin(d, &c);
    if (rc)
        return rc;
    for (;;) {
        enum json_token token = json_read(&d->in);
        if (token == JSON_ARRAY_END)
            break;
        rc = decode_value(d, token);
        if (rc)
            return rc;
        c.count++;
        if (d->has_form)
            decode_note_form(d, &c, 0);
        if (++c.waiting == 2 * DECODE_BATCH) {
            decode_make(d, &c, 4 * DECODE_BATCH, 0);
            decode_put_elements(d, &c);
        }
    }
    decode_make(d, &c, c.waiting, 0);
    decode_put_elements(d, &c);
    value_mark_array(d->L, c.base);
    decode_end(d, &c);
    return 0;
}

static int decode_value(struct decoder *d, enum json_token token)
{
    switch (token) {
    case JSON_STRING:
        lua_pushlstring(d->L, d->in.text.data, d->in.text.len);
        return 0;
    case JSON_NUMBER:
        if (d->in.number.is_integer)
            lua_pushinteger(d->L, d->in.number.integer);
        else
            lua_pushnumber(d->L, d->in.number.value);
        d->has_form = d->in.number.prints_otherwise;
        return 0;
    case JSON_TRUE:
    case JSON_FALSE:
        lua_pushboolean(d->L, token == JSON_TRUE);
        return 0;
    case JSON_NULL:
        lua_pushlightuserdata(d->L, NULL);
        return 0;
    case JSON_OBJECT_BEGIN:
        return decode_object(d);
    case JSON_ARRAY_BEGIN:
        return decode_array(d);
    case JSON_END:
    case JSON_ERROR:
    case JSON_KEY:
    case JSON_OBJECT_END:
    case JSON_ARRAY_END:
        break;
    }
    return d->in.fault_code ? d->in.fault_code : ERR_INVALID;
}

static int decode_fail(struct decoder *d, int rc, struct err *e)
{
    if (d->in.fault)
        return json_reader_error(&d->in, e);
    return err_set(e, (enum err_code)rc,
                   rc == ERR_NOMEM ? "not enough memory" : "not a JSON value");
}

static int decode_start(struct decoder *d, lua_State *L, struct str text)
{
    *d = (struct decoder){.L = L, .s = state_of(L)};
    d->s->has_own_work = true;
    json_reader_init(&d->in, text, VALUE_DEPTH_MAX, &d->s->text);
    return lua_checkstack(L, LUA_MINSTACK) ? 0 : ERR_NOMEM;
}

int value_decode(lua_State *L, struct str text, struct err *e)
{
    struct decoder d;
    int top = lua_gettop(L);
    int rc = decode_start(&d, L, text);
    if (rc == 0)
        rc = decode_value(&d, json_read(&d.in));
    if (rc == 0 && json_read(&d.in) != JSON_END)
        rc = d.in.fault_code ? d.in.fault_code : ERR_INVALID;
    d.s->has_own_work = false;
    if (rc == 0)
        return 0;
    lua_settop(L, top);
    return decode_fail(&d, rc, e);
}

// Whether the part is wanted; leaves its name on the stack if so. previous: its place on the stack.
static bool decode_wants(struct decoder *d, const struct part *part, int previous)
{
    if (!part->is_read && !previous)
        return false;
    lua_pushlstring(d->L, part->name.data, part->name.len);
    if (part->is_read)
        return true;
    lua_pushvalue(d->L, -1);
    bool is_wanted = lua_rawget(d->L, previous) != LUA_TNIL;
    lua_pop(d->L, is_wanted ? 1 : 2);
    return is_wanted;
}

// Pushes the record. previous: its place on the stack, 0 for none.
static int decode_record(struct decoder *d, const struct part *parts, size_t count, int previous)
{
    struct container c;
    int rc = decode_begin(d, &c);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (!decode_wants(d, &parts[i], previous))
            continue;
        json_reader_init(&d->in, parts[i].json, VALUE_DEPTH_MAX - 2, &d->s->text);
        rc = decode_value(d, json_read(&d->in));
        if (rc == 0)
            decode_add_member(d, &c);
    }
    if (rc == 0)
        decode_end_object(d, &c);
    return rc;
}

int value_decode_parts(lua_State *L, const struct part *parts, size_t count, struct str previous,
                       struct err *e)
{
    struct decoder d;
    int event = lua_gettop(L) + 1;
    int rc = decode_start(&d, L, previous);
    lua_createtable(L, 0, 3); // record, previous, type
    if (rc == 0 && previous.len) {
        json_reader_init(&d.in, previous, VALUE_DEPTH_MAX - 1, &d.s->text);
        rc = decode_value(&d, json_read(&d.in));
        if (rc == 0) {
            lua_pushvalue(L, -1);
            lua_setfield(L, event, "previous");
        }
    }
    if (rc == 0)
        rc = decode_record(&d, parts, count, previous.len ? event + 1 : 0);
    if (rc == 0)
        lua_setfield(L, event, "record");
    d.s->has_own_work = false;
    lua_settop(L, rc ? event - 1 : event);
    return rc ? decode_fail(&d, rc, e) : 0;
}
