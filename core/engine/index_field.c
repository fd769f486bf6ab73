// What an index is made of: fields by their paths, and at each the values and ranges looked up.
#include <stdio.h>
#include <stdlib.h>

#include "engine/index_internal.h"

enum { FIELD_FIRST_CAP = 4 };

// A date without a time is a day in its workflow's zone, some hours from where it is in UTC.
static const double FIELD_DAY_MS = 86400000;

// Room for one more of a list on the arena: *items, or a copy with twice the room. NULL: no memory.
static void *field_grow(struct index *x, void *items, size_t count, size_t *cap, size_t size)
{
    if (count < *cap) {
        return items;
    }
    size_t more = *cap ? *cap * 2 : FIELD_FIRST_CAP;
    void *grown = arena_alloc(&x->arena, more * size);
    if (grown && count) {
        memcpy(grown, items, count * size);
    }
    *cap = grown ? more : *cap;
    return grown;
}

int index_list_add(struct index *x, struct index_list *list, uint32_t workflow)
{
    size_t cap = list->cap;
    if (list->count && list->items[list->count - 1] == workflow) {
        return 0; // two values of one list may have one key
    }
    uint32_t *items = field_grow(x, list->items, list->count, &cap, sizeof *items);
    if (items == NULL) {
        return ERR_NOMEM;
    }
    list->items = items;
    list->cap = (uint32_t)cap;
    list->items[list->count++] = workflow;
    return 0;
}

static struct index_field *field_new(struct index *x)
{
    struct index_field *f = arena_alloc(&x->arena, sizeof *f);
    if (f) {
        map_init(&f->children);
        f->next_made = x->made;
        x->made = f;
    }
    return f;
}

static struct index_field *field_among(struct index *x, struct map *among, struct str name)
{
    struct index_field *f = map_get(among, name);
    if (f) {
        return f;
    }
    f = field_new(x);
    if (f) {
        f->name = arena_dup(&x->arena, name);
    }
    return f && f->name.data && map_put(among, f->name, f) == 0 ? f : NULL;
}

// Numbers from 0; the map holds numbers from 1, since a value is no NULL.
static int field_number(struct index *x, struct str name, uint32_t *out)
{
    uintptr_t number = (uintptr_t)map_get(&x->names, name);
    if (number == 0) {
        number = x->names.count + 1;
        if (map_put(&x->names, name, (void *)number)) {
            return ERR_NOMEM;
        }
    }
    *out = (uint32_t)(number - 1);
    return 0;
}

struct index_field *index_record_field(struct index *x, struct index_type *t, struct str name)
{
    size_t count = t->fields.count;
    struct index_field *f = field_among(x, &t->fields, name);
    if (f && t->fields.count > count && field_number(x, f->name, &f->number)) {
        return NULL;
    }
    return f;
}

static struct index_field *field_at(struct index *x, struct index_type *t,
                                    const struct lookup *leaf)
{
    struct index_field *f = index_record_field(x, t, leaf->path[0]);
    for (size_t i = 1; f && i < leaf->path_len; i++) {
        if (leaf->path[i].data) {
            f = field_among(x, &f->children, leaf->path[i]);
            continue;
        }
        if (f->each == NULL) {
            f->each = field_new(x);
        }
        f = f->each;
    }
    return f;
}

const struct index_field *index_find_field(const struct index_type *t, const struct lookup *leaf)
{
    const struct index_field *f = map_get(&t->fields, leaf->path[0]);
    for (size_t i = 1; f && i < leaf->path_len; i++) {
        f = leaf->path[i].data ? map_get(&f->children, leaf->path[i]) : f->each;
    }
    return f;
}

struct str index_key_of_number(const struct json_number *n, char room[INDEX_KEY_MAX])
{
    // Whole numbers are one value, however they were written: 1, 1.0 and "1e0".
    bool is_whole = n->is_integer;
    int64_t whole = n->integer;
    if (!is_whole && n->value >= -0x1p63 && n->value < 0x1p63) {
        whole = (int64_t)n->value;
        is_whole = (double)whole == n->value;
    }
    room[0] = is_whole ? 'i' : 'd';
    memcpy(room + 1, is_whole ? (const void *)&whole : &n->value, sizeof whole);
    return (struct str){room, 1 + sizeof whole};
}

static struct str field_key(struct index *x, const struct lookup_value *v, char room[INDEX_KEY_MAX])
{
    char *text;
    switch (v->kind) {
    case LOOKUP_FALSE:
        return INDEX_KEY_FALSE;
    case LOOKUP_TRUE:
        return INDEX_KEY_TRUE;
    case LOOKUP_IS_NUMBER:
        return index_key_of_number(&v->number, room);
    case LOOKUP_TEXT:
        text = arena_alloc(&x->arena, v->text.len + 1);
        if (text) {
            text[0] = INDEX_KEY_TEXT;
            memcpy(text + 1, v->text.data, v->text.len);
        }
        return (struct str){text, text ? v->text.len + 1 : 0};
    case LOOKUP_EMPTY:
        break;
    }
    return INDEX_KEY_EMPTY;
}

static int field_add_value(struct index *x, struct index_view *view, const struct lookup_value *v,
                           uint32_t workflow)
{
    char room[INDEX_KEY_MAX];
    struct str key = field_key(x, v, room);
    if (key.data == NULL) {
        return ERR_NOMEM;
    }
    view->has_numbers = view->has_numbers || v->kind == LOOKUP_IS_NUMBER;
    if (v->kind == LOOKUP_TEXT && v->text.len > view->text_max) {
        view->text_max = v->text.len;
    }
    struct index_list *list = map_get(&view->values, key);
    if (list == NULL) {
        list = arena_alloc(&x->arena, sizeof *list);
        key = key.data == room ? arena_dup(&x->arena, key) : key;
        if (list == NULL || key.data == NULL || map_put(&view->values, key, list)) {
            return ERR_NOMEM;
        }
    }
    return index_list_add(x, list, workflow);
}

static int field_add_range(struct index *x, struct index_view *view, const struct lookup *leaf,
                           uint32_t workflow)
{
    struct index_ranges *ranges = &view->ranges[leaf->axis];
    struct index_range *items =
        field_grow(x, ranges->items, ranges->count, &ranges->cap, sizeof *items);
    if (items == NULL) {
        return ERR_NOMEM;
    }
    double slack = leaf->axis == LOOKUP_NUMBER ? 0 : FIELD_DAY_MS;
    ranges->items = items;
    ranges->items[ranges->count++] = (struct index_range){
        .low = leaf->range[0] - slack, .high = leaf->range[1] + slack, .workflow = workflow};
    return 0;
}

static void field_be_missed(struct index_type *t, struct index_field *f)
{
    if (!f->is_missed) {
        f->is_missed = true;
        f->next_missed = t->missed;
        t->missed = f;
    }
}

int index_add_leaf(struct index *x, struct index_type *t, const struct lookup *leaf,
                   enum lookup_view view, uint32_t workflow)
{
    struct index_field *f = field_at(x, t, leaf);
    if (f == NULL) {
        return ERR_NOMEM;
    }
    if (leaf->kind == LOOKUP_CHANGED) {
        if (f->changed == NULL) {
            f->changed = arena_alloc(&x->arena, sizeof *f->changed);
        }
        return f->changed ? index_list_add(x, f->changed, workflow) : ERR_NOMEM;
    }
    if (f->views[view] == NULL) {
        f->views[view] = arena_alloc(&x->arena, sizeof *f->views[view]);
        if (f->views[view] == NULL) {
            return ERR_NOMEM;
        }
    }
    if (leaf->kind == LOOKUP_RANGE) {
        return field_add_range(x, f->views[view], leaf, workflow);
    }
    int code = 0;
    for (size_t i = 0; code == 0 && i < leaf->count; i++) {
        if (leaf->values[i].kind == LOOKUP_EMPTY) {
            field_be_missed(t, f);
        }
        code = field_add_value(x, f->views[view], &leaf->values[i], workflow);
    }
    return code;
}

static int field_compare_ranges(const void *a, const void *b)
{
    const struct index_range *one = a, *two = b;
    return one->low < two->low ? -1 : one->low > two->low;
}

// A sorted list is a tree: its middle is the root, what is before and behind it the subtrees.
static double field_reach(struct index_range *items, size_t count)
{
    if (count == 0) {
        return -1.0 / 0.0;
    }
    struct index_range *middle = &items[count / 2];
    double before = field_reach(items, count / 2);
    double behind = field_reach(middle + 1, count - count / 2 - 1);
    middle->reach = middle->high > before ? middle->high : before;
    middle->reach = middle->reach > behind ? middle->reach : behind;
    return middle->reach;
}

void index_seal(struct index *x)
{
    for (struct index_field *f = x->made; f; f = f->next_made) {
        for (size_t v = 0; v < LOOKUP_VIEWS; v++) {
            for (size_t a = 0; f->views[v] && a < LOOKUP_AXES; a++) {
                struct index_ranges *r = &f->views[v]->ranges[a];
                if (r->count) {
                    qsort(r->items, r->count, sizeof *r->items, field_compare_ranges);
                    field_reach(r->items, r->count);
                }
            }
        }
    }
}

void index_fini(struct index *x)
{
    for (struct index_field *f = x->made; f; f = f->next_made) {
        map_fini(&f->children);
        for (size_t v = 0; v < LOOKUP_VIEWS; v++) {
            if (f->views[v]) {
                map_fini(&f->views[v]->values);
            }
        }
    }
    size_t at = 0;
    void *type;
    while (map_next(&x->types, &at, NULL, &type)) {
        map_fini(&((struct index_type *)type)->fields);
    }
    map_fini(&x->types);
    map_fini(&x->names);
    arena_fini(&x->arena);
    *x = (struct index){.made = NULL};
}
