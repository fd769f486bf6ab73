// Which events of a body are compared with what, and how a body moves its records' states on.
#include "unit.h"

#include "engine/compare.h"

#define UPDATED(id, n) "{\"type\":\"deal.updated\",\"record\":{\"id\":" id ",\"n\":" n "}}"

static const struct batch_limits LIMITS = {.events = 20, .depth = EVENT_DEPTH_MAX};

struct body {
    struct arena arena;
    struct batch batch;
    struct generation generation; // of the index alone
    struct compare compare;
    struct store_event out[20];
};

static void begin(struct body *b, const char *text)
{
    struct err e = {0};
    *b = (struct body){.batch = {.count = 0}};
    arena_init(&b->arena, 1 << 20);
    map_init(&b->generation.index.types);
    assert_int_equal(map_put(&b->generation.index.types, STR("deal.updated"), b), 0);
    assert_int_equal(batch_read(&b->batch, str_from(text), false, &LIMITS, &b->arena, &e), 0);
    assert_int_equal(compare_begin(&b->compare, &b->batch, &b->generation, &b->arena, &e), 0);
}

static void end(struct body *b)
{
    compare_fini(&b->compare);
    map_fini(&b->generation.index.types);
    arena_fini(&b->arena);
}

// Judges event i as ingest does, with the id 100 + i; its `previous`, empty for none.
static struct str judge(struct body *b, size_t i, int64_t time_ms)
{
    struct err e = {0};
    struct event ev = b->batch.events[i];
    b->out[i] = (struct store_event){.id = 100 + i, .time_ms = time_ms};
    if (b->compare.events[i].is_wanting) {
        assert_int_equal(compare_event(&b->compare, i, &ev, &b->out[i], &b->arena, &e), 0);
        assert_int_equal(ev.is_compared, ev.previous.len != 0);
    }
    compare_advance(&b->compare, i, &b->batch.events[i], &b->out[i]);
    return ev.previous;
}

static void load(struct body *b, size_t row, uint64_t version, int64_t time_ms, const char *payload)
{
    b->compare.rows[row].version = version;
    b->compare.rows[row].time_ms = time_ms;
    b->compare.rows[row].payload = str_from(payload);
    compare_load(&b->compare);
}

static void only_updates_without_previous_that_are_wanted(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        size_t count;
    } cases[] = {
        {UPDATED("1", "1"), 1},
        {"[]", 0},
        {"{\"type\":\"deal.updated\",\"record\":{\"id\":1},\"previous\":null}", 1},
        {"{\"type\":\"deal.updated\",\"record\":{\"id\":1},\"previous\":{}}", 0},
        {"{\"type\":\"deal.created\",\"record\":{\"id\":1}}", 0},
        {"{\"type\":\"deal.deleted\",\"record\":{\"id\":1}}", 0},
        {"{\"type\":\"lead.updated\",\"record\":{\"id\":1}}", 0},
        {"{\"type\":\"deal.updated\",\"record\":{\"id\":1},\"depth\":5}", 1},
        {"{\"type\":\"deal.updated\",\"record\":{\"id\":1},\"depth\":6}", 0},
        {"[" UPDATED("1", "1") "," UPDATED("\"1\"", "1") "," UPDATED("2", "1") "]", 2},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct body b;
        begin(&b, cases[i].body);
        if (b.compare.count != cases[i].count || !b.compare.events != !cases[i].count) {
            fail_case(i, "%zu states", b.compare.count);
        }
        end(&b);
    }
}

static void a_body_moves_states_on(void **state)
{
    (void)state;
    struct body b;
    begin(&b, "[" UPDATED("1", "2") "," UPDATED("2", "1") "," UPDATED(
                  "1", "2.0") ","
                              "{\"type\":\"deal.deleted\",\"record\":{\"id\":1,\"n\":5}}," UPDATED(
                                  "1", "6") "," UPDATED("2", "2") "]");
    load(&b, 0, 7, 1000, UPDATED("1", "1"));
    assert_str_text(judge(&b, 0, 2000), "{\"n\":1}");
    assert_true(b.out[0].needs_version && b.out[0].judged_version == 7);
    assert_str_text(judge(&b, 1, 2000), "");
    assert_true(b.out[1].needs_version && b.out[1].judged_version == 0);
    assert_str_text(judge(&b, 2, 2000), "{}"); // 2.0 is 2
    assert_true(b.out[2].judged_version == 100);
    assert_str_text(judge(&b, 3, 2000), "");
    assert_false(b.out[3].needs_version);
    assert_str_text(judge(&b, 4, 1999), "{\"n\":5}"); // late: judged, and no state
    assert_true(b.out[4].judged_version == 103);
    assert_true(b.compare.states[0].version == 103);
    assert_str_text(judge(&b, 5, 2001), "{\"n\":1}");
    assert_true(b.out[5].judged_version == 101);
    end(&b);
}

static void what_is_known_moves_no_state(void **state)
{
    (void)state;
    struct body b;
    begin(&b, "[{\"id\":\"a\",\"type\":\"deal.updated\",\"record\":{\"id\":1,\"n\":2}},"
              "{\"id\":\"a\",\"type\":\"deal.updated\",\"record\":{\"id\":1,\"n\":2}}," UPDATED(
                  "1", "3") "]");
    load(&b, 0, 7, 1000, UPDATED("1", "1"));
    judge(&b, 0, 2000);
    judge(&b, 1, 2000);
    assert_str_text(judge(&b, 2, 2000), "{\"n\":2}");
    assert_true(b.out[2].judged_version == 100); // not of the second with the same id

    b.out[0].is_duplicate = true; // says the store: it holds this event
    struct store_accept verdict = {.events = b.out, .event_count = 3, .code = ERR_BUSY};
    compare_learn(&b.compare, &verdict);
    load(&b, 0, 8, 1500, UPDATED("1", "1"));
    judge(&b, 0, 2000);
    judge(&b, 1, 2000);
    assert_str_text(judge(&b, 2, 2000), "{\"n\":1}");
    assert_true(b.out[2].judged_version == 8);
    end(&b);
}

static void bounds_and_a_damaged_state(void **state)
{
    (void)state;
    struct body b;
    struct err e = {0};
    begin(&b, UPDATED("1", "2"));
    struct event ev = b.batch.events[0];
    load(&b, 0, 7, 0, "{\"type\":");
    assert_int_equal(compare_event(&b.compare, 0, &ev, &b.out[0], &b.arena, &e), ERR_CORRUPT);
    load(&b, 0, 7, 0, UPDATED("1", "1"));
    struct arena small;
    arena_init(&small, 64);
    assert_int_equal(compare_event(&b.compare, 0, &ev, &b.out[0], &small, &e), ERR_TOO_LARGE);
    arena_fini(&small);
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_updates_without_previous_that_are_wanted),
        cmocka_unit_test(a_body_moves_states_on),
        cmocka_unit_test(what_is_known_moves_no_state),
        cmocka_unit_test(bounds_and_a_damaged_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
