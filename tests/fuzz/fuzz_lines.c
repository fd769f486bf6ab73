// The body of POST /v1/events: NDJSON, an array, one object. Each event that is found lies in the
// body and is the same event when it is read alone.
#include "engine/batch.h"
#include "fuzz.h"

enum { ARENA_MAX = 1 << 24, EVENTS_MAX = 100 };

static void check_event(const struct event *ev, struct str body)
{
    static const struct batch_limits one = {.events = 1, .depth = EVENT_DEPTH_MAX};
    struct arena arena;
    struct batch alone;
    struct err e = {0};
    promise(fuzz_is_inside(ev->json, body) && fuzz_is_inside(ev->record, body));
    promise(ev->id.len <= EVENT_ID_MAX && ev->type.len <= EVENT_TYPE_MAX);
    promise(ev->record_id.len > 0 && ev->record_id.len <= EVENT_RECORD_ID_MAX);
    promise(ev->record_type.len < ev->type.len);
    arena_init(&arena, ARENA_MAX);
    promise(batch_read(&alone, ev->json, false, &one, &arena, &e) == 0);
    promise(alone.count == 1 && str_eq(alone.events[0].type, ev->type));
    promise(str_eq(alone.events[0].record_id, ev->record_id));
    promise(str_eq(alone.events[0].id, ev->id) && alone.events[0].time_ms == ev->time_ms);
    arena_fini(&arena);
}

static void check_body(struct str body, bool is_ndjson)
{
    static const struct batch_limits limits = {.events = EVENTS_MAX, .depth = EVENT_DEPTH_MAX};
    struct arena arena;
    struct batch batch = {0};
    struct err e = {0};
    arena_init(&arena, ARENA_MAX);
    int code = batch_read(&batch, body, is_ndjson, &limits, &arena, &e);
    promise(code == 0 || e.text[0]);
    for (size_t i = 0; code == 0 && i < batch.count; i++) {
        check_event(&batch.events[i], body);
    }
    promise(code || batch.count <= EVENTS_MAX);
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_body(fuzz_text(data, size), true);
    check_body(fuzz_text(data, size), false);
    return 0;
}
