#include "engine/compare.h"

#include "script/rules.h"

static bool compare_is_wanting(const struct event *ev, const struct generation *g)
{
    return ev->verb == RULES_UPDATED && ev->previous.len == 0 && ev->depth <= EVENT_RUN_DEPTH_MAX &&
           index_wants(&g->index, ev->type);
}

enum { COMPARE_KEY_MAX = EVENT_NAME_MAX + 1 + EVENT_RECORD_ID_MAX };

// A record type has no NUL, so the two parts cannot run into each other.
static struct str compare_key(const struct event *ev, char room[COMPARE_KEY_MAX])
{
    size_t type_len = ev->record_type.len;
    memcpy(room, ev->record_type.data, type_len);
    room[type_len] = '\0';
    memcpy(room + type_len + 1, ev->record_id.data, ev->record_id.len);
    return (struct str){room, type_len + 1 + ev->record_id.len};
}

static int compare_add_state(struct compare *c, const struct event *ev, struct map *states,
                             struct arena *arena)
{
    char room[COMPARE_KEY_MAX];
    struct str key = compare_key(ev, room);
    if (map_get(states, key)) {
        return 0;
    }
    struct compare_state *state = &c->states[c->count];
    state->key = arena_dup(arena, key);
    if (state->key.data == NULL) {
        return ERR_NOMEM;
    }
    c->rows[c->count++] =
        (struct store_record_row){.record_type = ev->record_type, .record_id = ev->record_id};
    return map_put(states, state->key, state);
}

// Ties each event of the body to its record's state, those with `previous` too: they move it on.
static int compare_tie(struct compare *c, const struct batch *batch, const struct map *states,
                       struct map *ids)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct event *ev = &batch->events[i];
        char room[COMPARE_KEY_MAX];
        c->events[i].state = map_get(states, compare_key(ev, room));
        c->events[i].is_repeat = ev->id.len && map_get(ids, ev->id);
        c->events[i].is_known = c->events[i].is_repeat;
        if (ev->id.len && !c->events[i].is_repeat && map_put(ids, ev->id, &c->events[i])) {
            return ERR_NOMEM;
        }
    }
    return 0;
}

int compare_begin(struct compare *c, const struct batch *batch, const struct generation *g,
                  struct arena *arena, struct err *e)
{
    *c = (struct compare){.events = NULL};
    size_t first = 0;
    while (first < batch->count && !compare_is_wanting(&batch->events[first], g)) {
        first++;
    }
    if (first == batch->count) {
        return 0;
    }
    buf_init(&c->text, COMPARE_PREVIOUS_MAX);
    struct map states, ids;
    map_init(&states);
    map_init(&ids);
    size_t most = batch->count - first;
    c->events = arena_alloc(arena, batch->count * sizeof *c->events);
    c->states = arena_alloc(arena, most * sizeof *c->states);
    c->rows = arena_alloc(arena, most * sizeof *c->rows);
    int code = c->events && c->states && c->rows ? 0 : ERR_NOMEM;
    for (size_t i = first; code == 0 && i < batch->count; i++) {
        c->events[i].is_wanting = compare_is_wanting(&batch->events[i], g);
        if (c->events[i].is_wanting) {
            code = compare_add_state(c, &batch->events[i], &states, arena);
        }
    }
    if (code == 0) {
        code = compare_tie(c, batch, &states, &ids);
    }
    map_fini(&states);
    map_fini(&ids);
    return code ? err_set(e, ERR_NOMEM, "out of memory") : 0;
}

static void compare_drop_fields(struct compare_state *state)
{
    if (state->has_fields) {
        record_fields_fini(&state->fields);
        state->has_fields = false;
    }
}

void compare_load(struct compare *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct compare_state *state = &c->states[i];
        compare_drop_fields(state);
        state->version = c->rows[i].version;
        state->time_ms = c->rows[i].time_ms;
        state->record = (struct str){NULL, 0};
        state->payload = c->rows[i].payload;
    }
}

static int compare_read_state(struct compare *c, struct compare_state *state, struct arena *arena)
{
    if (state->record.len == 0) {
        struct event stored;
        struct json_reader r;
        struct err e;
        buf_reset(&c->text);
        json_reader_init(&r, state->payload, JSON_DEPTH_MAX, &c->text);
        int code = event_read(&stored, &r, EVENT_STORED, arena, &e);
        if (code) {
            return code == ERR_NOMEM ? ERR_TOO_LARGE : ERR_CORRUPT;
        }
        state->record = stored.record;
    }
    state->has_fields = true;
    return record_fields_read(&state->fields, state->record, arena);
}

static int compare_with(struct compare *c, struct compare_state *state, struct event *ev,
                        struct arena *arena)
{
    int code = state->has_fields ? 0 : compare_read_state(c, state, arena);
    if (code == 0) {
        code = record_fields_read(&c->now, ev->record, arena);
    }
    if (code == 0) {
        buf_reset(&c->text);
        code = record_diff(&state->fields, &c->now, &c->text);
    }
    if (code == 0) {
        ev->previous = arena_dup(arena, buf_str(&c->text));
        ev->is_compared = true;
        code = ev->previous.data ? 0 : ERR_TOO_LARGE;
    }
    return code;
}

int compare_event(struct compare *c, size_t i, struct event *ev, struct store_event *out,
                  struct arena *arena, struct err *e)
{
    struct compare_state *state = c->events[i].state;
    out->needs_version = true;
    out->judged_version = state->version;
    if (state->version == 0) {
        return 0;
    }
    int code = compare_with(c, state, ev, arena);
    if (code == ERR_NOMEM) {
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    if (code == ERR_CORRUPT) {
        return err_set(e, ERR_CORRUPT, "the record's stored state cannot be read");
    }
    return code ? err_set(e, (enum err_code)code,
                          "comparing with the stored records takes too much memory: send fewer "
                          "events in one body")
                : 0;
}

void compare_advance(struct compare *c, size_t i, const struct event *ev,
                     const struct store_event *out)
{
    struct compare_state *state = c->events[i].state;
    // The store's rule for the pointer from a record to its event.
    if (state && !c->events[i].is_known &&
        (state->version == 0 || out->time_ms >= state->time_ms)) {
        compare_drop_fields(state);
        state->version = out->id;
        state->time_ms = out->time_ms;
        state->record = ev->record;
        if (c->now.list) {
            state->fields = c->now;
            state->has_fields = true;
            c->now = (struct record_fields){.list = NULL};
        }
    }
    record_fields_fini(&c->now);
}

void compare_learn(struct compare *c, const struct store_accept *accept)
{
    for (size_t i = 0; i < accept->event_count; i++) {
        c->events[i].is_known = c->events[i].is_repeat || accept->events[i].is_duplicate;
    }
}

void compare_fini(struct compare *c)
{
    for (size_t i = 0; i < c->count; i++) {
        compare_drop_fields(&c->states[i]);
    }
    record_fields_fini(&c->now);
    buf_fini(&c->text);
}

int event_restore(struct event *out, const struct store_event_row *row, struct arena *arena,
                  struct err *e)
{
    if (row->payload.len == 0) {
        return err_set(e, ERR_NOT_FOUND, "the event's payload is kept no longer");
    }
    struct compare c = {.events = NULL};
    struct compare_state state = {.payload = row->before};
    struct json_reader r;
    buf_init(&c.text, COMPARE_PREVIOUS_MAX);
    json_reader_init(&r, row->payload, JSON_DEPTH_MAX, &c.text);
    int code = event_read(out, &r, EVENT_STORED, arena, e);
    if (code == 0 && out->previous.len == 0 && row->is_before_gone) {
        code = err_set(e, ERR_NOT_FOUND,
                       "the state of the record that the event was compared with "
                       "is kept no longer");
    }
    if (code == 0 && out->previous.len == 0 && row->before.len) {
        code = compare_with(&c, &state, out, arena);
        code = code ? err_set(e, (enum err_code)code,
                              "the event cannot be compared with the state of its record then")
                    : 0;
    }
    compare_drop_fields(&state);
    record_fields_fini(&c.now);
    buf_fini(&c.text);
    return code;
}
