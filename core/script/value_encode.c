#include "encode/json_number.h"
#include "encode/json_writer.h"
#include "script/lib_freeze.h"
#include "script/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ENCODE_PLACE_MAX = 256 };

struct encoder {
    lua_State *L;
    struct state *s;
    struct json_writer out;
    const void *open[VALUE_DEPTH_MAX]; // the tables that the value is inside of
    int depth;
    struct err *e;
    char place[ENCODE_PLACE_MAX]; // of a fault; put together on the way out of it
};

struct encode_key {
    const char *data; // the key's own bytes: it waits on the stack
    size_t len;
    int index; // of the key on the stack; its value is behind it
};

static int encode_value(struct encoder *n, int index);

static int encode_fault(struct encoder *n, const char *text)
{
    return err_set(n->e, ERR_INVALID, "%s", text);
}

static void encode_prefix_place(struct encoder *n, const char *piece, size_t len)
{
    size_t old = strlen(n->place);
    bool needs_dot = old > 0 && n->place[0] != '[';
    if (len + needs_dot + old >= sizeof n->place)
        return;
    memmove(n->place + len + needs_dot, n->place, old + 1);
    memcpy(n->place, piece, len);
    if (needs_dot)
        n->place[len] = '.';
}

static int encode_at_index(struct encoder *n, lua_Integer i, int rc)
{
    char piece[32];
    if (rc) {
        snprintf(piece, sizeof piece, "[%lld]", (long long)i);
        encode_prefix_place(n, piece, strlen(piece));
    }
    return rc;
}

// The written form of a number still holds while it reads as the number that is there now.
static bool encode_form_holds(lua_State *L, int number_index, struct str form)
{
    struct json_number was;
    if (json_number_parse(form, &was))
        return false;
    if (was.is_integer && lua_isinteger(L, number_index))
        return was.integer == lua_tointeger(L, number_index);
    double now = lua_tonumber(L, number_index);
    return was.value == now && signbit(was.value) == signbit(now);
}

// The number at number_index came from the key at key_index; forms_index: that table's forms.
// Returns whether it has been written.
static bool encode_form(struct encoder *n, int forms_index, int key_index, int number_index)
{
    lua_State *L = n->L;
    lua_pushvalue(L, key_index);
    bool is_written = false;
    if (lua_rawget(L, forms_index) == LUA_TSTRING) {
        struct str form;
        form.data = lua_tolstring(L, -1, &form.len);
        is_written = encode_form_holds(L, number_index, form);
        if (is_written)
            json_raw(&n->out, form);
    }
    lua_pop(L, 1);
    return is_written;
}

// Pushes the forms of the table at index, or nil. Returns whether it has some.
static bool encode_push_forms(struct encoder *n, int index)
{
    if (!n->s->has_forms) {
        lua_pushnil(n->L);
        return false;
    }
    lua_rawgeti(n->L, LUA_REGISTRYINDEX, n->s->ref_forms);
    lua_pushvalue(n->L, index);
    lua_rawget(n->L, -2);
    lua_remove(n->L, -2);
    return lua_istable(n->L, -1);
}

static int encode_number(struct encoder *n, int index)
{
    if (lua_isinteger(n->L, index)) {
        json_integer(&n->out, lua_tointeger(n->L, index));
        return 0;
    }
    if (json_double(&n->out, lua_tonumber(n->L, index)))
        return encode_fault(n, "JSON has no infinite numbers and no NaN");
    return 0;
}

static int encode_list(struct encoder *n, int index, lua_Integer count)
{
    lua_State *L = n->L;
    bool has_forms = encode_push_forms(n, index);
    int forms = lua_gettop(L);
    int rc = 0;
    json_array_begin(&n->out);
    for (lua_Integer i = 1; i <= count && rc == 0; i++) {
        if (lua_rawgeti(L, index, i) == LUA_TNIL) {
            rc = encode_fault(n, "missing: a list has no holes (hook.null is a value)");
        } else if (has_forms && lua_type(L, -1) == LUA_TNUMBER) {
            lua_pushinteger(L, i);
            if (!encode_form(n, forms, lua_gettop(L), forms + 1))
                rc = encode_number(n, forms + 1);
        } else {
            rc = encode_value(n, forms + 1);
        }
        if (n->out.out->failed)
            rc = n->out.out->failed;
        rc = encode_at_index(n, i, rc);
        lua_settop(L, forms);
    }
    json_array_end(&n->out);
    lua_settop(L, forms - 1);
    return rc;
}

static int encode_compare_keys(const void *a, const void *b)
{
    const struct encode_key *x = a;
    const struct encode_key *y = b;
    int order = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);
    if (order != 0)
        return order;
    return x->len < y->len ? -1 : x->len > y->len;
}

// Few keys are the rule, and qsort costs more than they do.
static void encode_sort_keys(struct encode_key *keys, size_t count)
{
    if (count > 16) {
        qsort(keys, count, sizeof *keys, encode_compare_keys);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        struct encode_key key = keys[i];
        size_t at = i;
        for (; at > 0 && encode_compare_keys(&keys[at - 1], &key) > 0; at--)
            keys[at] = keys[at - 1];
        keys[at] = key;
    }
}

// Leaves all pairs on the stack, in the order that lua_next gives them, and notes their keys in
// s->keys from `start` bytes on. The first pair is there already.
static int encode_gather(struct encoder *n, int index, size_t *count)
{
    lua_State *L = n->L;
    *count = 0;
    do {
        struct encode_key key = {.index = lua_gettop(L) - 1};
        if (lua_type(L, -2) != LUA_TSTRING)
            return encode_fault(n, "a table with both names and numbers for keys is neither an "
                                   "object nor a list");
        key.data = lua_tolstring(L, -2, &key.len);
        if (!lua_checkstack(L, 8) || buf_append(&n->s->keys, &key, sizeof key))
            return err_set(n->e, ERR_NOMEM, "too many keys for the memory there is");
        ++*count;
        lua_pushvalue(L, -2);
    } while (lua_next(L, index));
    return 0;
}

static int encode_members(struct encoder *n, int index, size_t start, size_t count)
{
    lua_State *L = n->L;
    bool has_forms = encode_push_forms(n, index);
    int forms = lua_gettop(L);
    int rc = 0;
    encode_sort_keys((struct encode_key *)(void *)(n->s->keys.data + start), count);
    json_object_begin(&n->out);
    for (size_t i = 0; i < count && rc == 0; i++) {
        // The buffer may move while a member is written: the key is taken out first.
        struct encode_key key;
        memcpy(&key, n->s->keys.data + start + i * sizeof key, sizeof key);
        json_key(&n->out, (struct str){key.data, key.len});
        if (has_forms && lua_type(L, key.index + 1) == LUA_TNUMBER) {
            if (!encode_form(n, forms, key.index, key.index + 1))
                rc = encode_number(n, key.index + 1);
        } else {
            rc = encode_value(n, key.index + 1);
        }
        if (n->out.out->failed)
            rc = n->out.out->failed;
        if (rc)
            encode_prefix_place(n, key.data, key.len);
    }
    json_object_end(&n->out);
    return rc;
}

static int encode_object(struct encoder *n, int index)
{
    lua_State *L = n->L;
    int top = lua_gettop(L) - 2; // the first pair is on it
    size_t start = n->s->keys.len;
    size_t count;
    int rc = encode_gather(n, index, &count);
    if (rc == 0)
        rc = encode_members(n, index, start, count);
    n->s->keys.len = start;
    lua_settop(L, top);
    return rc;
}

// A list that is not marked: its keys are exactly 1..count.
static bool encode_is_list(lua_State *L, int index, lua_Integer *count)
{
    lua_Integer seen = 0;
    lua_Integer greatest = 0;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        lua_Integer key = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : 0;
        if (key < 1) {
            lua_pop(L, 1);
            return false;
        }
        greatest = key > greatest ? key : greatest;
        seen++;
    }
    *count = greatest;
    return seen == greatest;
}

static int encode_unmarked(struct encoder *n, int index)
{
    lua_State *L = n->L;
    lua_Integer count;
    lua_pushnil(L);
    if (!lua_next(L, index)) {
        // What hook functions give is empty to look at: it must not pass for {}.
        if (lua_getmetatable(L, index))
            return encode_fault(n, "an object of hookline (a secret, say) is no JSON value");
        json_object_begin(&n->out);
        json_object_end(&n->out);
        return 0;
    }
    if (lua_type(L, -2) == LUA_TSTRING)
        return encode_object(n, index);
    lua_pop(L, 2);
    if (!encode_is_list(L, index, &count))
        return encode_fault(
            n, "a table is a list (keys 1 to its length) or an object (names for keys)");
    return encode_list(n, index, count);
}

// A marked list may have grown a key that no list has; one that has lost all is still [].
static int encode_marked(struct encoder *n, int index)
{
    lua_Integer count;
    if (!encode_is_list(n->L, index, &count))
        return encode_fault(n, "a list with a hole, or with a key that is no place in it");
    return encode_list(n, index, count);
}

// The pair on top of the stack, which stays there with what is pushed: { name, value }. No value is
// null.
static int encode_pair(struct encoder *n)
{
    lua_State *L = n->L;
    if (lua_type(L, -1) != LUA_TTABLE)
        return encode_fault(n, "hook.ordered takes pairs, { \"name\", value }");
    freeze_push_target(L, lua_gettop(L));
    int pair = lua_gettop(L);
    if (lua_rawgeti(L, pair, 1) != LUA_TSTRING)
        return encode_fault(n, "the name of a pair of hook.ordered is text");
    struct str name;
    name.data = lua_tolstring(L, -1, &name.len);
    json_key(&n->out, name);
    lua_rawgeti(L, pair, 2);
    int rc = encode_value(n, pair + 2);
    if (n->out.out->failed)
        rc = n->out.out->failed;
    if (rc)
        encode_prefix_place(n, name.data, name.len);
    return rc;
}

static int encode_ordered(struct encoder *n, int index)
{
    lua_State *L = n->L;
    lua_Integer count;
    if (!encode_is_list(L, index, &count))
        return encode_fault(n, "hook.ordered takes a list of pairs, without a hole");
    int top = lua_gettop(L);
    int rc = 0;
    json_object_begin(&n->out);
    for (lua_Integer i = 1; i <= count && rc == 0; i++) {
        lua_rawgeti(L, index, i);
        rc = encode_pair(n);
        lua_settop(L, top);
    }
    json_object_end(&n->out);
    return rc;
}

static int encode_table(struct encoder *n, int index)
{
    lua_State *L = n->L;
    if (!lua_checkstack(L, LUA_MINSTACK))
        return err_set(n->e, ERR_NOMEM, "not enough memory");
    // A table that was emptied keeps its slots, and to see that it is empty takes a walk over them:
    // the budget's clock is looked at for each table.
    budget_charge(L, 1);
    const void *self = lua_topointer(L, index);
    for (int i = 0; i < n->depth; i++)
        if (n->open[i] == self)
            return encode_fault(n, "a cycle: the table contains itself");
    if (n->depth == VALUE_DEPTH_MAX)
        return encode_fault(n, "deeper than 80 levels"); // VALUE_DEPTH_MAX
    n->open[n->depth++] = self;
    int top = lua_gettop(L);
    if (freeze_push_target(L, index))
        index = lua_gettop(L);
    const void *mark = value_mark(L, index);
    int rc = mark == n->s->array_mark     ? encode_marked(n, index)
             : mark == n->s->ordered_mark ? encode_ordered(n, index)
                                          : encode_unmarked(n, index);
    lua_settop(L, top);
    n->depth--;
    return rc;
}

static int encode_value(struct encoder *n, int index)
{
    lua_State *L = n->L;
    struct str text;
    switch (lua_type(L, index)) {
    case LUA_TSTRING:
        text.data = lua_tolstring(L, index, &text.len);
        json_string(&n->out, text);
        return 0;
    case LUA_TNUMBER:
        return encode_number(n, index);
    case LUA_TBOOLEAN:
        json_bool(&n->out, lua_toboolean(L, index));
        return 0;
    case LUA_TNIL:
        json_null(&n->out);
        return 0;
    case LUA_TTABLE:
        return encode_table(n, index);
    case LUA_TLIGHTUSERDATA:
        if (lua_touserdata(L, index) == NULL) {
            json_null(&n->out);
            return 0;
        }
        break;
    default:
        break;
    }
    char words[64];
    snprintf(words, sizeof words, "a %s is no JSON value", lua_typename(L, lua_type(L, index)));
    return encode_fault(n, words);
}

static void encode_begin(struct encoder *n, lua_State *L, struct buf *out, struct err *e)
{
    n->L = L;
    n->s = state_of(L);
    n->depth = 0;
    n->e = e;
    n->place[0] = '\0';
    n->s->keys.len = 0;
    n->s->has_own_work = true;
    json_writer_init(&n->out, out);
}

static int encode_finish(struct encoder *n, const char *root, int rc)
{
    n->s->has_own_work = false;
    if (rc == 0)
        rc = n->out.out->failed;
    if (rc == 0)
        return 0;
    if (n->out.out->failed)
        return err_set(n->e, (enum err_code)rc,
                       rc == ERR_NOMEM ? "not enough memory" : "too large");
    encode_prefix_place(n, root, strlen(root));
    if (n->place[0])
        err_context(n->e, "%s", n->place);
    return rc;
}

int value_encode(lua_State *L, int index, struct buf *out, const char *root, struct err *e)
{
    struct encoder n;
    encode_begin(&n, L, out, e);
    return encode_finish(&n, root, encode_value(&n, lua_absindex(L, index)));
}

int value_encode_at(lua_State *L, int table_index, struct buf *out, const char *root, struct err *e)
{
    struct encoder n;
    int key = lua_gettop(L);
    int rc;
    encode_begin(&n, L, out, e);
    table_index = lua_absindex(L, table_index);
    lua_pushvalue(L, key);
    int type = lua_rawget(L, table_index);
    if (type == LUA_TNUMBER && encode_push_forms(&n, table_index) &&
        encode_form(&n, key + 2, key, key + 1))
        rc = 0;
    else
        rc = encode_value(&n, key + 1);
    lua_settop(L, key - 1);
    return encode_finish(&n, root, rc);
}

bool value_push_written(lua_State *L, int table_index)
{
    struct encoder n = {.L = L, .s = state_of(L)};
    int key = lua_gettop(L);
    table_index = lua_absindex(L, table_index);
    if (!n.s->has_forms || !lua_istable(L, table_index)) {
        lua_settop(L, key - 1);
        return false;
    }
    lua_pushvalue(L, key);
    bool is_number = lua_rawget(L, table_index) == LUA_TNUMBER;
    bool has_form = is_number && encode_push_forms(&n, table_index);
    if (has_form) {
        lua_pushvalue(L, key);
        has_form = lua_rawget(L, key + 2) == LUA_TSTRING;
    }
    if (has_form) {
        struct str form;
        form.data = lua_tolstring(L, -1, &form.len);
        has_form = encode_form_holds(L, key + 1, form);
    }
    if (has_form)
        lua_replace(L, key);
    lua_settop(L, has_form ? key : key - 1);
    return has_form;
}
