#include "store/runs.h"

#include "encode/json_reader.h"
#include "encode/json_writer.h"
#include "store/grow.h"

enum { RUNS_DEPTH = 2, RUN_IS_REPLAY = 16 };

static void run_write(struct json_writer *w, const struct store_run *run, bool is_replay)
{
    json_array_begin(w);
    json_string(w, run->workflow);
    json_integer(w, (int64_t)run->generation);
    json_integer(w, run->outcome + (is_replay ? RUN_IS_REPLAY : 0));
    json_string(w, run->reason);
    for (size_t i = 0; i < run->delivery_count; i++) {
        json_integer(w, (int64_t)run->deliveries[i].id);
    }
    json_array_end(w);
}

void runs_write(struct buf *out, const struct store_run *runs, size_t count, bool is_replay)
{
    size_t before = out->len; // a whole array, or nothing
    struct json_writer w;
    bool is_begun = false;
    for (size_t i = 0; i < count; i++) {
        if (runs[i].was_marked) {
            continue;
        }
        if (!is_begun) {
            json_writer_init(&w, out);
            json_array_begin(&w);
            is_begun = true;
        }
        run_write(&w, &runs[i], is_replay);
    }
    if (is_begun) {
        json_array_end(&w);
    }
    if (is_begun && before && !out->failed) { // "[..][..]" becomes "[..,..]"
        out->data[before - 1] = ',';
        memmove(out->data + before, out->data + before + 1, out->len - before - 1);
        out->len--;
    }
}

static int read_string(struct json_reader *r, struct arena *arena, struct str *out)
{
    if (json_read(r) != JSON_STRING) {
        return ERR_CORRUPT;
    }
    *out = arena_dup(arena, r->text);
    return out->data ? 0 : ERR_TOO_LARGE;
}

static int read_integer(struct json_reader *r, int64_t *out)
{
    if (json_read(r) != JSON_NUMBER || !r->number.is_integer) {
        return ERR_CORRUPT;
    }
    *out = r->number.integer;
    return 0;
}

static int run_read(struct json_reader *r, struct arena *arena, struct store_run_row *run)
{
    int64_t generation = 0, outcome = 0;
    size_t cap = 0;
    int rc;
    if ((rc = read_string(r, arena, &run->workflow)) || (rc = read_integer(r, &generation)) ||
        (rc = read_integer(r, &outcome)) || (rc = read_string(r, arena, &run->reason))) {
        return rc;
    }
    run->generation = (uint64_t)generation;
    run->is_replay = outcome >= RUN_IS_REPLAY;
    run->outcome = (enum run_outcome)(outcome % RUN_IS_REPLAY);

    enum json_token token;
    while ((token = json_read(r)) == JSON_NUMBER) {
        if (!r->number.is_integer) {
            return ERR_CORRUPT;
        }
        uint64_t *ids = grow_on_arena(arena, run->delivery_ids, run->delivery_count, &cap,
                                      sizeof *run->delivery_ids);
        if (!ids) {
            return ERR_TOO_LARGE;
        }
        run->delivery_ids = ids;
        ids[run->delivery_count++] = (uint64_t)r->number.integer;
    }
    return token == JSON_ARRAY_END ? 0 : ERR_CORRUPT;
}

int runs_read(struct str text, struct str event_key, struct arena *arena, struct buf *scratch,
              struct store_run_row **runs, size_t *count)
{
    *runs = NULL;
    *count = 0;
    if (text.len == 0) {
        return 0;
    }
    struct json_reader r;
    json_reader_init(&r, text, RUNS_DEPTH, scratch);
    if (json_read(&r) != JSON_ARRAY_BEGIN) {
        return ERR_CORRUPT;
    }
    size_t cap = 0;
    enum json_token token;
    while ((token = json_read(&r)) == JSON_ARRAY_BEGIN) {
        struct store_run_row *rows = grow_on_arena(arena, *runs, *count, &cap, sizeof *rows);
        if (!rows) {
            return ERR_TOO_LARGE;
        }
        *runs = rows;
        struct store_run_row *run = &rows[(*count)++];
        *run = (struct store_run_row){.event_key = event_key};
        int rc = run_read(&r, arena, run);
        if (rc != 0) {
            return rc;
        }
    }
    return token == JSON_ARRAY_END && json_read(&r) == JSON_END ? 0 : ERR_CORRUPT;
}

int runs_read_ids(struct str text, struct arena *arena, struct buf *scratch, uint64_t **ids,
                  size_t *count)
{
    struct store_run_row *runs;
    size_t run_count;
    *ids = NULL;
    *count = 0;
    int rc = runs_read(text, (struct str){NULL, 0}, arena, scratch, &runs, &run_count);
    if (rc != 0) {
        return rc;
    }
    size_t total = 0;
    for (size_t i = 0; i < run_count; i++) {
        total += runs[i].is_replay ? 0 : runs[i].delivery_count;
    }
    uint64_t *all = arena_alloc(arena, total * sizeof *all);
    if (!all) {
        return ERR_TOO_LARGE;
    }
    for (size_t i = 0; i < run_count; i++) {
        if (runs[i].delivery_count > 0 && !runs[i].is_replay) {
            memcpy(all + *count, runs[i].delivery_ids, runs[i].delivery_count * sizeof *all);
            *count += runs[i].delivery_count;
        }
    }
    *ids = all;
    return 0;
}
