#include "engine/batch.h"

#include "base/map.h"

struct batch_reader {
    struct batch *batch;
    struct arena *arena;
    struct buf scratch;
    size_t cap;
    const struct batch_limits *limits;
};

static int batch_add(struct batch_reader *b, struct json_reader *r, struct err *e)
{
    struct batch *out = b->batch;
    if (out->count == b->limits->events) {
        return err_set(e, ERR_TOO_LARGE,
                       "a request takes at most %zu events: send the rest in another",
                       b->limits->events);
    }
    if (out->count == b->cap) {
        size_t cap = b->cap ? b->cap * 2 : 1;
        struct event *more = arena_alloc(b->arena, cap * sizeof *more);
        if (more == NULL) {
            return err_set(e, ERR_NOMEM, "out of memory");
        }
        if (out->count) {
            memcpy(more, out->events, out->count * sizeof *more);
        }
        out->events = more;
        b->cap = cap;
    }
    int code = event_read(&out->events[out->count], r, b->limits->origin, b->arena, e);
    out->count += code == 0;
    return code == ERR_TOO_LARGE ? ERR_INVALID
                                 : code; // nested too deeply: a bad item, not a large body
}

static int batch_read_object(struct batch_reader *b, struct str body, struct err *e)
{
    struct json_reader r;
    json_reader_init(&r, body, b->limits->depth, &b->scratch);
    int code = batch_add(b, &r, e);
    if (code == 0 && json_read(&r) != JSON_END) {
        code = json_reader_error(&r, e);
    }
    return code;
}

static int batch_read_array(struct batch_reader *b, struct str body, struct err *e)
{
    struct json_reader r;
    json_reader_init(&r, body, b->limits->depth + 1, &b->scratch);
    json_read(&r); // the bracket
    for (;;) {
        struct json_reader ahead = r;
        enum json_token t = json_read(&ahead);
        if (t == JSON_ARRAY_END) {
            r = ahead;
            break;
        }
        b->batch->has_fault_place = true;
        b->batch->fault_place = b->batch->count;
        int code = batch_add(b, &r, e);
        if (code) {
            return code;
        }
        b->batch->has_fault_place = false;
    }
    return json_read(&r) == JSON_END ? 0 : json_reader_error(&r, e);
}

static int batch_read_lines(struct batch_reader *b, struct str body, struct err *e)
{
    const char *at = body.data;
    const char *end = body.data + body.len;
    for (size_t line = 1; at < end; line++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline ? newline : end;
        struct str text = str_trim((struct str){at, (size_t)(stop - at)});
        if (text.len && text.data[text.len - 1] == '\r') {
            text.len--;
        }
        if (text.len) {
            b->batch->has_fault_place = true;
            b->batch->fault_place = line;
            int code = batch_read_object(b, text, e);
            if (code) {
                return code;
            }
            b->batch->events[b->batch->count - 1].line = line;
            b->batch->has_fault_place = false;
        }
        at = newline ? newline + 1 : end;
    }
    return 0;
}

static bool batch_is_array(struct str body)
{
    size_t i = 0;
    while (i < body.len && strchr(" \t\r\n", body.data[i]) && body.data[i]) {
        i++;
    }
    return i < body.len && body.data[i] == '[';
}

// Ends at the first record of one too many, so an import costs no more for being large. Records of
// two types with one id count as one: it is a guard's bound, not a figure.
static int batch_look_for_import(struct batch *out)
{
    struct map seen;
    int code = 0;
    map_init(&seen);
    if (out->count > BATCH_RECORDS_MAX) {
        for (size_t i = 0; code == 0 && i < out->count && seen.count <= BATCH_RECORDS_MAX; i++) {
            code = map_put(&seen, out->events[i].record_id, &out->events[i]);
        }
    }
    out->is_import = seen.count > BATCH_RECORDS_MAX;
    map_fini(&seen);
    return code;
}

int batch_read(struct batch *out, struct str body, bool is_ndjson,
               const struct batch_limits *limits, struct arena *arena, struct err *e)
{
    *out = (struct batch){0};
    struct batch_reader b = {.batch = out, .arena = arena, .limits = limits};
    buf_init(&b.scratch, body.len);
    out->form = is_ndjson ? BATCH_LINES : batch_is_array(body) ? BATCH_ARRAY : BATCH_OBJECT;
    int code = out->form == BATCH_LINES   ? batch_read_lines(&b, body, e)
               : out->form == BATCH_ARRAY ? batch_read_array(&b, body, e)
                                          : batch_read_object(&b, body, e);
    buf_fini(&b.scratch);
    if (code == 0 && batch_look_for_import(out)) {
        code = err_set(e, ERR_NOMEM, "out of memory");
    }
    return code;
}
