#include "cli/test_event.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/record_diff.h"

enum { EVENT_TEXT_MAX = 64 * 1024 * 1024 };

struct world_record {
    int64_t time_ms;
    bool is_deleted;
    struct str record;
};

struct str test_event_record_key(struct world *w, const struct event *ev)
{
    char text[EVENT_NAME_MAX + EVENT_RECORD_ID_MAX + 2];
    int len = snprintf(text, sizeof(text), STR_FMT "\n" STR_FMT, STR_ARG(ev->record_type),
                       STR_ARG(ev->record_id));

    return arena_dup(&w->arena, (struct str){text, (size_t)len});
}

static bool has_member(const struct json_node *node, const char *name)
{
    return json_tree_get(node, name) != NULL;
}

// Whether the record's state is known from before; type and id as the plan has them.
static bool is_known(const struct world *w, const char *record_type, const struct json_node *node)
{
    char key[EVENT_NAME_MAX + EVENT_RECORD_ID_MAX + 2];
    struct str id = json_tree_text(json_tree_get(node, "record.id"));
    int len =
        snprintf(key, sizeof(key), "%s\n" STR_FMT, record_type, STR_ARG(id.len ? id : STR("1")));

    return (size_t)len < sizeof(key) && map_get(&w->records, (struct str){key, (size_t)len});
}

// What a workflow that is tested would be sent: an update where it is known what was before, else a
// new record, else what it takes.
static const char *likely_verb(const struct world *w, const struct rules_workflow *workflow,
                               const struct json_node *node)
{
    bool is_update = has_member(node, "previous") || is_known(w, workflow->record, node);

    if (is_update && (workflow->verbs & RULES_UPDATED))
        return "updated";
    return workflow->verbs & RULES_CREATED      ? "created"
           : workflow->verbs & RULES_UPDATED    ? "updated"
           : workflow->verbs & RULES_DELIVERED  ? "delivered"
           : workflow->verbs & RULES_TERMINATED ? "terminated"
           : workflow->schedule                 ? "scheduled"
                                                : "deleted";
}

static void write_record(struct json_writer *out, const struct json_node *record)
{
    json_object_begin(out);
    if (!has_member(record, "id"))
        json_member_integer(out, "id", 1);
    for (const struct json_node *n = record ? record->first : NULL; n; n = n->next) {
        json_key(out, n->key);
        json_raw(out, n->raw);
    }
    json_object_end(out);
}

static void write_event(struct world *w, const struct json_node *node, bool is_record,
                        struct json_writer *out)
{
    const struct rules_workflow *workflow = rules_workflow(w->rules, 0);
    const struct json_node *record = is_record ? node : json_tree_get(node, "record");
    const struct json_node *event = is_record ? NULL : node;
    char text[EVENT_TYPE_MAX + 64];

    json_object_begin(out);
    if (!has_member(event, "id")) {
        snprintf(text, sizeof(text), "test-%zu", w->event_count);
        json_member_text(out, "id", text);
    }
    if (!has_member(event, "type")) {
        snprintf(text, sizeof(text), "%s.%s", workflow->record, likely_verb(w, workflow, event));
        json_member_text(out, "type", text);
    }
    if (!has_member(event, "time"))
        json_member_time(out, "time", w->now_ms);
    if (!record || record->kind == JSON_OBJECT_BEGIN) {
        json_key(out, STR("record"));
        write_record(out, record);
    }
    for (const struct json_node *n = event ? event->first : NULL; n; n = n->next) {
        if (n == record && record->kind == JSON_OBJECT_BEGIN)
            continue;
        json_key(out, n->key);
        json_raw(out, n->raw);
    }
    json_object_end(out);
}

int test_event_make(struct world *w, const struct json_node *node, bool may_be_record,
                    struct event *out, struct err *e)
{
    struct buf text;
    struct buf scratch;
    struct json_writer writer;
    struct json_reader reader;
    struct str json;
    int code;

    if (node->kind != JSON_OBJECT_BEGIN)
        return err_set(e, ERR_INVALID, "an event is an object");
    w->event_count++;
    buf_init(&text, EVENT_TEXT_MAX);
    buf_init(&scratch, EVENT_TEXT_MAX);
    json_writer_init(&writer, &text);
    write_event(w, node, may_be_record && !has_member(node, "record"), &writer);
    json = text.failed ? (struct str){0} : arena_dup(&w->arena, buf_str(&text));
    code = json.data ? 0 : err_set(e, ERR_TOO_LARGE, "the event is too large");
    if (code == 0) {
        json_reader_init(&reader, json, EVENT_DEPTH_MAX, &scratch);
        code = event_read(out, &reader, EVENT_STORED, &w->arena, e);
    }
    if (code == 0 && !out->has_time)
        out->time_ms = w->now_ms;
    buf_fini(&scratch);
    buf_fini(&text);
    return code;
}

int test_event_compare(struct world *w, struct event *ev, struct err *e)
{
    struct str key = test_event_record_key(w, ev);
    const struct world_record *known = map_get(&w->records, key);
    struct record_fields before = {0};
    struct record_fields now = {0};
    struct buf text;
    int code;

    if (ev->verb != RULES_UPDATED || ev->previous.len || !known)
        return 0;
    buf_init(&text, EVENT_TEXT_MAX);
    code = record_fields_read(&before, known->record, &w->arena);
    if (code == 0)
        code = record_fields_read(&now, ev->record, &w->arena);
    if (code == 0)
        code = record_diff(&before, &now, &text);
    if (code == 0) {
        ev->previous = arena_dup(&w->arena, buf_str(&text));
        ev->is_compared = true;
        code = ev->previous.data ? 0 : ERR_TOO_LARGE;
    }
    record_fields_fini(&before);
    record_fields_fini(&now);
    buf_fini(&text);
    return code ? err_set(e, (enum err_code)code, "comparing the records takes too much memory")
                : 0;
}

int test_event_keep(struct world *w, const struct event *ev)
{
    struct str key = test_event_record_key(w, ev);
    struct world_record *known = map_get(&w->records, key);

    if (!known) {
        known = arena_alloc(&w->arena, sizeof(*known));
        if (!known || map_put(&w->records, key, known) != 0)
            return ERR_NOMEM;
        known->time_ms = INT64_MIN;
    }
    if (ev->time_ms >= known->time_ms)
        *known = (struct world_record){
            .time_ms = ev->time_ms, .is_deleted = ev->verb == RULES_DELETED, .record = ev->record};
    return 0;
}

bool test_event_state(struct world *w, const struct event *ev, struct str *record, bool *is_deleted)
{
    struct str key = test_event_record_key(w, ev);
    const struct world_record *known = key.data ? map_get(&w->records, key) : NULL;

    *record = known ? known->record : STR("");
    *is_deleted = known && known->is_deleted;
    return known != NULL;
}

static int by_id(const void *a, const void *b)
{
    struct str left = ((const struct test_record *)a)->id;
    struct str right = ((const struct test_record *)b)->id;
    int order = memcmp(left.data, right.data, left.len < right.len ? left.len : right.len);

    return order ? order : (left.len > right.len) - (left.len < right.len);
}

int test_event_records(struct world *w, struct str type, struct test_record **out, size_t *count)
{
    struct str key;
    void *value;
    size_t at = 0;

    *count = 0;
    *out = arena_alloc(&w->arena, (w->records.count + 1) * sizeof(**out));
    while (*out && map_next(&w->records, &at, &key, &value)) {
        const struct world_record *known = value;

        if (!known->is_deleted && key.len > type.len && str_starts_with(key, type) &&
            key.data[type.len] == '\n')
            (*out)[(*count)++] = (struct test_record){
                .id = {key.data + type.len + 1, key.len - type.len - 1}, .record = known->record};
    }
    if (*count)
        qsort(*out, *count, sizeof(**out), by_id);
    return *out ? 0 : ERR_NOMEM;
}
