#include "engine/record_diff.h"

#include "base/err.h"
#include "encode/json_digest.h"
#include "encode/json_reader.h"
#include "encode/json_writer.h"

static int fields_add(struct record_fields *f, struct record_field field, struct arena *arena)
{
    bool is_full = (f->count & (f->count - 1)) == 0; // at 0, 1, 2, 4, 8, ...
    if (is_full) {
        size_t cap = f->count ? f->count * 2 : 1;
        struct record_field *more = arena_alloc(arena, cap * sizeof *more);
        if (more == NULL) {
            return ERR_TOO_LARGE;
        }
        if (f->count) {
            memcpy(more, f->list, f->count * sizeof *more);
        }
        f->list = more;
    }
    f->list[f->count++] = field;
    return 0;
}

// One member, whose name was read last.
static int fields_read_one(struct record_fields *f, struct json_reader *r, struct arena *arena)
{
    bool is_of_input = r->text.data >= r->start && r->text.data < r->end;
    struct record_field field = {.name = is_of_input ? r->text : arena_dup(arena, r->text)};
    if (field.name.data == NULL) {
        return ERR_TOO_LARGE;
    }
    enum json_token t = json_read(r);
    const char *start = r->token;
    int code = json_skip(r, t);
    field.value = (struct str){start, (size_t)(r->at - start)};
    return code ? code : fields_add(f, field, arena);
}

int record_fields_read(struct record_fields *out, struct str record, struct arena *arena)
{
    *out = (struct record_fields){.list = NULL};
    map_init(&out->by_name);
    struct buf scratch;
    buf_init(&scratch, record.len);
    struct json_reader r;
    json_reader_init(&r, record, JSON_DEPTH_MAX, &scratch);
    int code = json_read(&r) == JSON_OBJECT_BEGIN ? 0 : ERR_INVALID;
    enum json_token t = JSON_NULL;
    while (code == 0 && (t = json_read(&r)) == JSON_KEY) {
        code = fields_read_one(out, &r, arena);
    }
    if (code == 0 && t != JSON_OBJECT_END) {
        code = r.fault_code ? r.fault_code : ERR_INVALID;
    }
    for (size_t i = 0; code == 0 && i < out->count; i++) {
        code = map_put(&out->by_name, out->list[i].name, &out->list[i]);
    }
    buf_fini(&scratch);
    return code;
}

void record_fields_fini(struct record_fields *f)
{
    map_fini(&f->by_name);
    *f = (struct record_fields){.list = NULL};
}

// Whether it counts: no later member has its name, and it is not what names the record.
static bool field_counts(const struct record_fields *f, const struct record_field *field)
{
    return map_get(&f->by_name, field->name) == field && !str_eq(field->name, STR("id"));
}

static int field_digest(struct record_field *field)
{
    int code = field->has_digest ? 0 : json_digest(field->value, NULL, &field->digest);
    field->has_digest = code == 0;
    return code;
}

static int field_compare(struct record_field *a, struct record_field *b, bool *is_same)
{
    *is_same = str_eq(a->value, b->value);
    if (*is_same) {
        return 0;
    }
    int code = field_digest(a);
    if (code == 0) {
        code = field_digest(b);
    }
    *is_same = code == 0 && a->digest == b->digest;
    return code;
}

int record_diff(struct record_fields *before, struct record_fields *now, struct buf *out)
{
    struct json_writer w;
    json_writer_init(&w, out);
    json_object_begin(&w);
    for (size_t i = 0; i < now->count; i++) {
        struct record_field *field = &now->list[i];
        if (!field_counts(now, field)) {
            continue;
        }
        struct record_field *old = map_get(&before->by_name, field->name);
        bool is_same = false;
        int code = old ? field_compare(old, field, &is_same) : 0;
        if (code) {
            return code;
        }
        if (!is_same) {
            json_key(&w, field->name);
            json_raw(&w, old ? old->value : STR("null"));
        }
    }
    for (size_t i = 0; i < before->count; i++) {
        const struct record_field *old = &before->list[i];
        if (field_counts(before, old) && map_get(&now->by_name, old->name) == NULL) {
            json_key(&w, old->name);
            json_raw(&w, old->value);
        }
    }
    json_object_end(&w);
    return out->failed;
}
