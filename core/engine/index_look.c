// Looking an event up: one pass over its `previous` and its `record`, and at each field that some
// workflow looks for, what its value is found under. The rules of what is equal are those of
// lua/hookline/operators.lua; where they are finer, what is found here is more, never less.
#include <stdlib.h>

#include "base/casefold.h"
#include "base/rfc3339.h"
#include "encode/json_reader.h"
#include "engine/index_internal.h"

enum {
    LOOK_TEXT_MAX = 64 << 20,
    LOOK_INSERTION_MAX = 16,
    LOOK_FOLD_SHRINKS = 3,
    LOOK_PARTS_FIRST = 64
};

// A bit a view.
enum {
    LOOK_NOW = 1 << LOOKUP_NOW,
    LOOK_CHANGED_TO = 1 << LOOKUP_CHANGED_TO,
    LOOK_BEFORE = 1 << LOOKUP_BEFORE
};

struct look_name { // of a field: when it was last so, by the count of looks
    uint64_t present;
    uint64_t changed;
    uint64_t read;
};

struct index_room {
    uint64_t look;   // counts them
    uint64_t *found; // by workflow: the last look that found it
    uint32_t *hits;  // of this look
    size_t hit_count;
    uint32_t *merged; // with the type's unindexed
    size_t workflow_cap;
    struct look_name *names; // by number
    size_t name_cap;
    struct part *parts; // of the record, all that anybody could read
    uint32_t *numbers;  // theirs, from 1; 0: a field that no workflow reads
    bool has_unread;    // `previous` has fields that no workflow reads
    size_t part_count;
    size_t part_cap;
    struct buf text; // of the reader
    struct buf key;
    struct json_reader in;
    double time_ms; // the event's
};

// --- room ----------------------------------------------------------------------------------------

// Grows the array at `place` to `count`, what is new zeroed. 0 or ERR_NOMEM.
static int look_grow(void *place, size_t old, size_t count, size_t size)
{
    void *array;
    memcpy(&array, place, sizeof array); // whatever it points at
    char *more = realloc(array, count * size);
    if (more == NULL) {
        return ERR_NOMEM;
    }
    memset(more + old * size, 0, (count - old) * size);
    memcpy(place, &more, sizeof more);
    return 0;
}

static int look_make_parts(struct index_room *room)
{
    size_t cap = room->part_cap ? room->part_cap * 2 : LOOK_PARTS_FIRST;
    if (look_grow(&room->parts, room->part_cap, cap, sizeof *room->parts) ||
        look_grow(&room->numbers, room->part_cap, cap, sizeof *room->numbers)) {
        return ERR_NOMEM;
    }
    room->part_cap = cap;
    return 0;
}

static int look_make_room(struct index_look *l, const struct index *x)
{
    struct index_room *room = l->room;
    if (room == NULL) {
        room = l->room = calloc(1, sizeof *room);
        if (room == NULL || look_make_parts(room)) {
            return ERR_NOMEM;
        }
        buf_init(&room->text, LOOK_TEXT_MAX);
        buf_init(&room->key, LOOK_TEXT_MAX);
    }
    size_t old = room->workflow_cap, count = x->workflow_count;
    if (count > old) {
        if (look_grow(&room->found, old, count, sizeof *room->found) ||
            look_grow(&room->hits, old, count, sizeof *room->hits) ||
            look_grow(&room->merged, old, count, sizeof *room->merged)) {
            return ERR_NOMEM;
        }
        room->workflow_cap = count;
    }
    old = room->name_cap;
    count = x->names.count;
    if (count > old) {
        if (look_grow(&room->names, old, count, sizeof *room->names)) {
            return ERR_NOMEM;
        }
        room->name_cap = count;
    }
    return 0;
}

void index_look_fini(struct index_look *l)
{
    struct index_room *room = l->room;
    if (room) {
        free(room->found);
        free(room->hits);
        free(room->merged);
        free(room->names);
        free(room->parts);
        free(room->numbers);
        buf_fini(&room->text);
        buf_fini(&room->key);
        free(room);
    }
    *l = (struct index_look){.room = NULL};
}

// --- what is found -------------------------------------------------------------------------------

static void look_hit(struct index_room *room, uint32_t workflow)
{
    if (room->found[workflow] != room->look) {
        room->found[workflow] = room->look;
        room->hits[room->hit_count++] = workflow;
    }
}

static void look_hit_all(struct index_room *room, const struct index_list *list)
{
    for (uint32_t i = 0; list && i < list->count; i++) {
        look_hit(room, list->items[i]);
    }
}

// The ranges that hold `at`.
static void look_at_ranges(struct index_room *room, const struct index_range *items, size_t count,
                           double at)
{
    while (count) {
        const struct index_range *middle = &items[count / 2];
        if (middle->reach < at) {
            return;
        }
        look_at_ranges(room, items, count / 2, at);
        if (middle->low > at) {
            return;
        }
        if (middle->high >= at) {
            look_hit(room, middle->workflow);
        }
        items = middle + 1;
        count -= count / 2 + 1;
    }
}

static void look_at_axis(struct index_room *room, const struct index_view *view,
                         enum lookup_axis axis, double at)
{
    look_at_ranges(room, view->ranges[axis].items, view->ranges[axis].count, at);
}

static void look_at_number(struct index_room *room, const struct index_view *view,
                           const struct json_number *n)
{
    char key[INDEX_KEY_MAX];
    if (view->has_numbers) {
        look_hit_all(room, map_get(&view->values, index_key_of_number(n, key)));
    }
    look_at_axis(room, view, LOOKUP_NUMBER, n->value);
}

static void look_at_time(struct index_room *room, const struct index_view *view, struct str text)
{
    int64_t ms;
    if (rfc3339_parse_date(text, &ms) == 0 || rfc3339_parse(text, &ms) == 0) {
        look_at_axis(room, view, LOOKUP_TIME, (double)ms);
        look_at_axis(room, view, LOOKUP_AGE, room->time_ms - (double)ms);
    }
}

static int look_at_text(struct index_room *room, const struct index_view *view, struct str text)
{
    // Folding makes a text shorter, but not by more than this: a long one is none of those.
    if (view->text_max && text.len <= view->text_max * LOOK_FOLD_SHRINKS) {
        buf_reset(&room->key);
        buf_append_char(&room->key, INDEX_KEY_TEXT);
        if (casefold_simple(&room->key, text)) {
            return ERR_NOMEM;
        }
        look_hit_all(room, map_get(&view->values, buf_str(&room->key)));
    }
    struct json_number n;
    bool may_be_number = text.data[0] == '-' || (text.data[0] >= '0' && text.data[0] <= '9');
    if (may_be_number && json_number_parse(text, &n) == 0) {
        look_at_number(room, view, &n);
    }
    if (may_be_number && (view->ranges[LOOKUP_TIME].count || view->ranges[LOOKUP_AGE].count)) {
        look_at_time(room, view, text);
    }
    return 0;
}

static void look_at_key(struct index_room *room, const struct index_field *f, unsigned views,
                        struct str key)
{
    for (unsigned v = 0; v < LOOKUP_VIEWS; v++) {
        if ((views & 1u << v) && f->views[v]) {
            look_hit_all(room, map_get(&f->views[v]->values, key));
        }
    }
}

// A text or a number, which the reader has read.
static int look_at_scalar(struct index_room *room, const struct index_field *f, unsigned views,
                          enum json_token token)
{
    int code = 0;
    for (unsigned v = 0; code == 0 && v < LOOKUP_VIEWS; v++) {
        const struct index_view *view = (views & 1u << v) ? f->views[v] : NULL;
        if (view && token == JSON_NUMBER) {
            look_at_number(room, view, &room->in.number);
        } else if (view) {
            code = look_at_text(room, view, room->in.text);
        }
    }
    return code;
}

// --- the walk ------------------------------------------------------------------------------------

static int look_at_value(struct index_room *room, const struct index_field *f, unsigned views,
                         enum json_token token);

// Of an object the members that are looked at further in. *is_empty: it has none at all.
static int look_at_object(struct index_room *room, const struct index_field *f, unsigned views,
                          bool *is_empty)
{
    int code = 0;
    *is_empty = true;
    enum json_token token = json_read(&room->in);
    while (code == 0 && token == JSON_KEY) {
        const struct index_field *child = map_get(&f->children, room->in.text);
        *is_empty = false;
        token = json_read(&room->in);
        code = child ? look_at_value(room, child, views, token) : json_skip(&room->in, token);
        token = code ? JSON_ERROR : json_read(&room->in);
    }
    return code ? code : room->in.fault_code;
}

static int look_at_list(struct index_room *room, const struct index_field *f, unsigned views,
                        bool *is_empty)
{
    int code = 0;
    *is_empty = true;
    enum json_token token = json_read(&room->in);
    while (code == 0 && token != JSON_ARRAY_END && token != JSON_ERROR) {
        *is_empty = false;
        code = f->each ? look_at_value(room, f->each, views, token) : json_skip(&room->in, token);
        token = code ? JSON_ERROR : json_read(&room->in);
    }
    return code ? code : room->in.fault_code;
}

// The value that begins with token; read to its end.
static int look_at_value(struct index_room *room, const struct index_field *f, unsigned views,
                         enum json_token token)
{
    bool is_empty = token == JSON_NULL || (token == JSON_STRING && room->in.text.len == 0);
    int code = 0;
    if (token == JSON_OBJECT_BEGIN) {
        code = look_at_object(room, f, views, &is_empty);
    } else if (token == JSON_ARRAY_BEGIN) {
        code = look_at_list(room, f, views, &is_empty);
    } else if (token == JSON_TRUE || token == JSON_FALSE) {
        look_at_key(room, f, views, token == JSON_TRUE ? INDEX_KEY_TRUE : INDEX_KEY_FALSE);
    } else if (token == JSON_ERROR) {
        return room->in.fault_code;
    } else if (!is_empty) {
        return look_at_scalar(room, f, views, token);
    }
    if (is_empty) {
        look_at_key(room, f, views, INDEX_KEY_EMPTY);
    }
    return code;
}

static void look_begin(struct index_room *room, struct str text)
{
    json_reader_init(&room->in, text, JSON_DEPTH_MAX, &room->text);
    json_read(&room->in); // the object's begin
}

static int look_at_previous(struct index_room *room, const struct index_type *t,
                            struct str previous)
{
    int code = 0;
    look_begin(room, previous);
    while (code == 0 && json_read(&room->in) == JSON_KEY) {
        const struct index_field *f = map_get(&t->fields, room->in.text);
        enum json_token token = json_read(&room->in);
        if (f == NULL) {
            room->has_unread = true;
            code = json_skip(&room->in, token);
            continue;
        }
        room->names[f->number].changed = room->look;
        look_hit_all(room, f->changed);
        code = look_at_value(room, f, LOOK_BEFORE, token);
    }
    return code ? code : room->in.fault_code;
}

static int look_add_part(struct index_room *room, struct str name, struct str json, uint32_t number)
{
    if (room->part_count == room->part_cap && look_make_parts(room)) {
        return ERR_NOMEM;
    }
    room->parts[room->part_count] = (struct part){.name = name, .json = json};
    room->numbers[room->part_count++] = number;
    return 0;
}

// The name of the member that was just read, for as long as the event and the arena.
static struct str look_keep_name(const struct index_room *room, struct arena *arena)
{
    const struct json_reader *in = &room->in;
    bool is_borrowed = in->text.data >= in->start && in->text.data <= in->end;
    return is_borrowed ? in->text : arena_dup(arena, in->text);
}

static unsigned look_views(const struct index_room *room, const struct index_field *f)
{
    return LOOK_NOW |
           (room->names[f->number].changed == room->look ? (unsigned)LOOK_CHANGED_TO : 0);
}

static int look_at_member(struct index_room *room, const struct index_field *f, struct str name)
{
    int code;
    enum json_token token = json_read(&room->in);
    const char *start = room->in.token;
    if (f) {
        room->names[f->number].present = room->look;
        code = look_at_value(room, f, look_views(room, f), token);
    } else {
        code = json_skip(&room->in, token);
    }
    struct str json = {start, (size_t)(room->in.at - start)};
    return code ? code : look_add_part(room, name, json, f ? f->number + 1 : 0);
}

static int look_at_record(struct index_room *room, const struct index_type *t,
                          const struct event *ev, struct arena *arena)
{
    int code = 0;
    look_begin(room, ev->record);
    while (code == 0 && json_read(&room->in) == JSON_KEY) {
        const struct index_field *f = map_get(&t->fields, room->in.text);
        if (f == NULL && !room->has_unread) {
            code = json_skip(&room->in, json_read(&room->in));
            continue;
        }
        struct str name = f ? f->name : look_keep_name(room, arena);
        code = name.data ? look_at_member(room, f, name) : ERR_NOMEM;
    }
    code = code ? code : room->in.fault_code;
    for (const struct index_field *f = t->missed; code == 0 && f; f = f->next_missed) {
        if (room->names[f->number].present != room->look) {
            look_at_key(room, f, look_views(room, f), INDEX_KEY_EMPTY);
        }
    }
    return code;
}

// --- the answer ----------------------------------------------------------------------------------

static int look_compare(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a, two = *(const uint32_t *)b;
    return one < two ? -1 : one > two;
}

static void look_sort(uint32_t *items, size_t count)
{
    if (count > LOOK_INSERTION_MAX) {
        qsort(items, count, sizeof *items, look_compare);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        uint32_t item = items[i];
        size_t at = i;
        for (; at && items[at - 1] > item; at--) {
            items[at] = items[at - 1];
        }
        items[at] = item;
    }
}

// What was found and what is asked for any event of the type, in the order of the workflows.
static void look_merge(struct index_look *l, const struct index_list *unindexed)
{
    struct index_room *room = l->room;
    look_sort(room->hits, room->hit_count);
    l->asked_count = room->hit_count + unindexed->count;
    if (unindexed->count == 0 || room->hit_count == 0) {
        l->asked = room->hit_count ? room->hits : unindexed->items;
        return;
    }
    size_t hit = 0;
    size_t other = 0;
    for (size_t i = 0; i < l->asked_count; i++) {
        bool is_hit = other == unindexed->count ||
                      (hit < room->hit_count && room->hits[hit] < unindexed->items[other]);
        room->merged[i] = is_hit ? room->hits[hit++] : unindexed->items[other++];
    }
    l->asked = room->merged;
}

static void look_choose_parts(struct index_look *l, const struct index *x)
{
    struct index_room *room = l->room;
    for (size_t i = 0; i < l->asked_count; i++) {
        const struct index_reads *reads = &x->reads[l->asked[i]];
        if (reads->is_all) {
            return;
        }
        l->reads_time = l->reads_time || reads->has_time;
        for (uint32_t n = 0; n < reads->count; n++) {
            room->names[reads->numbers[n]].read = room->look;
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < room->part_count; i++) {
        struct part part = room->parts[i];
        if (room->numbers[i]) {
            const struct look_name *name = &room->names[room->numbers[i] - 1];
            part.is_read = name->read == room->look || name->changed == room->look;
        }
        if (part.is_read || room->numbers[i] == 0) {
            room->parts[kept++] = part;
        }
    }
    l->parts = room->parts;
    l->part_count = kept;
}

int index_look(struct index_look *l, const struct index *x, const struct event *ev, int64_t time_ms,
               struct arena *arena)
{
    const struct index_type *t = map_get(&x->types, ev->type);
    *l = (struct index_look){.room = l->room};
    if (t == NULL) {
        return 0;
    }
    if (look_make_room(l, x)) {
        return ERR_NOMEM;
    }
    struct index_room *room = l->room;
    room->look++;
    room->hit_count = 0;
    room->part_count = 0;
    room->time_ms = (double)time_ms;
    room->has_unread = false;
    int code = ev->previous.len ? look_at_previous(room, t, ev->previous) : 0;
    if (code == 0) {
        code = look_at_record(room, t, ev, arena);
    }
    if (code == 0) {
        look_merge(l, &t->unindexed);
        look_choose_parts(l, x);
    }
    return code;
}
