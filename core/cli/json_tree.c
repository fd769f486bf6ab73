#include "cli/json_tree.h"

struct reading {
    struct json_reader reader;
    struct arena *arena;
};

static int read_node(struct reading *r, enum json_token t, struct json_node **out, struct err *e);

static int read_members(struct reading *r, struct json_node *parent, struct err *e)
{
    struct json_node **tail = &parent->first;
    bool is_object = parent->kind == JSON_OBJECT_BEGIN;
    enum json_token end = is_object ? JSON_OBJECT_END : JSON_ARRAY_END;
    enum json_token t;
    int code;

    while ((t = json_read(&r->reader)) != end) {
        struct str key = {NULL, 0};

        if (t == JSON_ERROR)
            return json_reader_error(&r->reader, e);
        if (is_object) {
            key = arena_dup(r->arena, r->reader.text);
            if (!key.data)
                return err_set(e, ERR_NOMEM, "the JSON takes too much memory");
            t = json_read(&r->reader);
        }
        code = read_node(r, t, tail, e);
        if (code)
            return code;
        (*tail)->key = key;
        tail = &(*tail)->next;
    }
    return 0;
}

static int read_node(struct reading *r, enum json_token t, struct json_node **out, struct err *e)
{
    struct json_node *node;
    size_t start = json_token_offset(&r->reader);

    if (t == JSON_ERROR)
        return json_reader_error(&r->reader, e);
    node = arena_alloc(r->arena, sizeof(*node));
    if (!node)
        return err_set(e, ERR_NOMEM, "the JSON takes too much memory");
    *out = node;
    node->kind = t;
    if (t == JSON_STRING || t == JSON_NUMBER) {
        node->text = arena_dup(r->arena, r->reader.text);
        if (!node->text.data)
            return err_set(e, ERR_NOMEM, "the JSON takes too much memory");
    } else if (t == JSON_OBJECT_BEGIN || t == JSON_ARRAY_BEGIN) {
        int code = read_members(r, node, e);

        if (code)
            return code;
    }
    node->raw = (struct str){r->reader.start + start, json_offset(&r->reader) - start};
    return 0;
}

int json_tree_read(struct json_node **out, struct str source, struct arena *arena, struct err *e)
{
    struct reading r = {.arena = arena};
    struct buf scratch;
    int code;

    buf_init(&scratch, source.len + 16);
    json_reader_init(&r.reader, source, JSON_DEPTH_MAX, &scratch);
    code = read_node(&r, json_read(&r.reader), out, e);
    if (code == 0 && json_read(&r.reader) != JSON_END)
        code = json_reader_error(&r.reader, e);
    buf_fini(&scratch);
    return code;
}

const struct json_node *json_tree_get(const struct json_node *node, const char *path)
{
    while (node) {
        struct str name = {path, strcspn(path, ".")};
        const struct json_node *member = NULL;

        if (node->kind != JSON_OBJECT_BEGIN)
            return NULL;
        // Of a name that comes twice the last counts, as for every reader of ours.
        for (const struct json_node *m = node->first; m; m = m->next)
            if (str_eq(m->key, name))
                member = m;
        if (!path[name.len])
            return member;
        node = member;
        path += name.len + 1;
    }
    return NULL;
}

struct str json_tree_text(const struct json_node *node)
{
    if (!node || node->kind == JSON_NULL)
        return STR("");
    if (node->kind == JSON_STRING || node->kind == JSON_NUMBER)
        return node->text;
    return node->raw;
}

bool json_tree_is_true(const struct json_node *node)
{
    return node && node->kind == JSON_TRUE;
}
