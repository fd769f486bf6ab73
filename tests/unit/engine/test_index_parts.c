// An event is asked of those that could match it, and of it only what they read is decoded; it must
// make no difference.
#include "unit.h"

#include <stdio.h>

#include "engine/index.h"

static const char *const RULES[] = {
    "when = hook.all { field 'stage':is_in { 'Won' }, field 'account.city':is 'Bonn' }",
    "when = hook.any { field 'amount':changed(), field 'account.name':changed_to 'B' }",
    "when = hook.none { field 'stage':is_empty(), field 'items[*].sku':is 'x' }",
    "when = field 'items[*].sku':changed_to 'y'",
    "when = field 'id':is_not_empty()",
    "when = hook.all { hook.any { field 'due':in_last '2d' } }",
    "trigger = hook.every { 'updated', watch = { 'gone', 'owner.id' } }",
    "trigger = hook.every { 'updated', edge = 'rising' }, when = field 'level':at_least(5)",
    "",
};

static const char *const EVENTS[] = {
    "{\"record\":{\"id\":1,\"stage\":\"Won\",\"account\":{\"city\":\"Bonn\",\"name\":\"A\"},"
    "\"amount\":12500.10},"
    "\"previous\":{\"stage\":\"Lost\"}}",
    "{\"previous\":{\"amount\":1,\"other\":[1.50]},\"other\":7,\"record\":{\"other\":[1.50],"
    "\"amount\":2,\"id\":1}}",
    "{\"record\":{\"other\":{\"a\":1},\"id\":1},\"previous\":{\"other\":{\"a\":1}}}", // nothing has
                                                                                      // changed
    "{\"record\":{\"other\":{\"a\":1},\"id\":1},\"previous\":{\"other\":{\"a\":2}}}",
    "{\"record\":{\"id\":1,\"gone\":null},\"previous\":{\"gone\":3,\"never\":null}}",
    "{\"record\":{\"id\":1},\"previous\":{}}",
    "{\"record\":{\"id\":1,\"due\":\"2026-11-22\",\"level\":5},\"previous\":{\"level\":4}}",
    "{\"record\":{\"id\":1,\"due\":\"2026-11-20\",\"level\":6},\"previous\":{\"level\":5}}",
    "{\"record\":{\"id\":1,\"level\":5,\"owner\":{\"id\":7}},\"previous\":{\"owner\":{\"id\":8}}}",
    "{\"record\":{\"id\":1,\"items\":[{\"sku\":\"x\"},{\"sku\":\"y\"}]},\"previous\":{\"items\":[{"
    "\"sku\":\"x\"}]}}",
    "{\"record\":{\"id\":1},\"record\":{\"id\":2,\"stage\":\"won\",\"stage\":\"Won\",\"account\":{"
    "\"city\":\"BONN\"}}}",
    "{\"record\":{\"id\":1,\"account\":{\"name\":\"B\"}},\"previous\":{\"account\":{\"name\":\"A\"}"
    "},\"previous\":null}",
};

// index: NULL to decode the whole event.
static void judge(struct rules *r, size_t workflow, const char *json, const struct index *index,
                  struct arena *arena, struct rules_run *out)
{
    struct err e;
    struct buf scratch;
    struct json_reader reader;
    struct event event;
    struct index_look look = {.asked_count = 1};
    char text[512];
    snprintf(text, sizeof text, "{\"type\":\"deal.updated\",%s", json + 1);
    buf_init(&scratch, sizeof text);
    json_reader_init(&reader, str_from(text), EVENT_DEPTH_MAX, &scratch);
    if (event_read(&event, &reader, EVENT_POSTED, arena, &e)) {
        fail_msg("%s", e.text);
    }
    struct rules_event ev = {.json = event.json,
                             .id = STR("e1"),
                             .type = event.type,
                             .record_type = event.record_type,
                             .verb = event.verb_word,
                             .time_ms = 1795425300120, // 2026-11-23
                             .previous = event.previous};
    if (index) {
        assert_int_equal(index_look(&look, index, &event, ev.time_ms, arena), 0);
        ev.parts = look.parts;
        ev.part_count = look.part_count;
        ev.reads_time = look.reads_time;
        assert_true(look.asked_count == 0 || ev.parts);
    }
    *out = (struct rules_run){.verdict = RULES_NO_MATCH};
    if (look.asked_count) {
        assert_int_equal(rules_event_begin(r, &ev, &e), 0);
        rules_run(r, workflow, arena, out);
        rules_event_end(r);
    }
    index_look_fini(&look);
    buf_fini(&scratch);
}

static void a_part_is_judged_as_the_whole(void **state)
{
    (void)state;
    struct rules *r;
    struct err e;
    struct arena arena;
    struct rules_config config = {.rules_dir = "rules"};
    assert_int_equal(rules_new(&r, &config, &e), 0);
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < COUNT_OF(RULES); i++) {
        char text[1024], file[32];
        snprintf(file, sizeof file, "w%zu.lua", i);
        snprintf(text, sizeof text,
                 "local hook = require 'hookline' local field = hook.field "
                 "return hook.workflow { record = 'deal', %s%s%s "
                 "actions = { hook.webhook { method = 'POST', url = 'https://a.example/', encoding "
                 "= 'json', "
                 "content = hook.fields { 'amount', 'account', 'other as o', 'items' } } } }",
                 strncmp(RULES[i], "trigger", 7) == 0 ? "" : "trigger = hook.every { 'updated' }, ",
                 RULES[i], RULES[i][0] ? "," : "");
        if (rules_load(r, file, str_from(text))) {
            fail_msg("%s: %s", RULES[i], rules_fault(r, rules_fault_count(r) - 1)->message);
        }
        assert_false(rules_workflow(r, i)->has_functions);
    }
    size_t matches = 0;
    for (size_t w = 0; w < COUNT_OF(RULES); w++) {
        struct index index;
        assert_int_equal(index_build(&index, r, &w, 1), 0);
        for (size_t i = 0; i < COUNT_OF(EVENTS); i++) {
            struct rules_run whole, part;
            judge(r, w, EVENTS[i], NULL, &arena, &whole);
            judge(r, w, EVENTS[i], &index, &arena, &part);
            assert_int_equal(whole.verdict, part.verdict);
            assert_int_equal(whole.request_count, part.request_count);
            if (whole.request_count) {
                matches++;
                assert_str(part.requests[0].body, whole.requests[0].body);
            }
        }
        index_fini(&index);
    }
    assert_in_range(matches, 25, COUNT_OF(RULES) * COUNT_OF(EVENTS) - 10); // of both kinds enough
    rules_free(r);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_is_judged_as_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
