#include "base/id.h"

#include "unit.h"

static void ids_grow_whatever_the_clock_does(void **state)
{
    (void)state;
    struct id_source s;
    id_source_init(&s, 5, 0);
    uint64_t seed = 5, last = 0;
    int64_t wall_ms = 1795425300120;
    for (int i = 0; i < 200000; i++) {
        uint64_t r = next_random(&seed);
        wall_ms += r % 1000 == 0 ? (int64_t)(r >> 20) % 20000 - 10000 : (int64_t)(r >> 60) % 2;
        uint64_t id = id_next(&s, wall_ms);
        assert_true(id > last);
        assert_true(id <= INT64_MAX);
        assert_int_equal((id >> 15) & 63, 5);
        last = id;
    }
}

static void an_id_tells_its_time(void **state)
{
    (void)state;
    struct id_source s;
    id_source_init(&s, 63, 0);
    assert_int_equal(id_time_ms(id_next(&s, 1795425300120)), 1795425300120);
    assert_int_equal(id_time_ms(id_next(&s, 1795425300121)), 1795425300121);
}

static void a_full_counter_borrows_from_the_next_millisecond(void **state)
{
    (void)state;
    struct id_source s;
    id_source_init(&s, 1, 0);
    uint64_t last = 0;
    for (int i = 0; i < 3 * 32768; i++) {
        uint64_t id = id_next(&s, 1000);
        assert_true(id > last);
        assert_int_equal(id_time_ms(id), 1000 + i / 32768);
        last = id;
    }
}

static void starts_after_what_was_used(void **state)
{
    (void)state;
    // By a host with a greater slot, in the same millisecond.
    struct id_source other, s;
    id_source_init(&other, 9, 0);
    uint64_t used = id_next(&other, 5000);
    id_source_init(&s, 2, used);
    uint64_t id = id_next(&s, 5000);
    assert_true(id > used);
    assert_int_equal((id >> 15) & 63, 2);
    // By one with a lesser slot.
    id_source_init(&s, 12, used);
    id = id_next(&s, 4000);
    assert_true(id > used);
    assert_int_equal(id_time_ms(id), 5000);
}

static void text_keeps_the_order(void **state)
{
    (void)state;
    char last[ID_TEXT_LEN + 1] = "";
    struct id_source s;
    id_source_init(&s, 0, 0);
    for (int64_t ms = 1; ms < (INT64_C(1) << 41); ms = ms * 3 / 2 + 1) {
        for (int i = 0; i < 40; i++) {
            uint64_t id = id_next(&s, ms), back = 0;
            char text[ID_TEXT_LEN + 1];
            id_format(text, id);
            assert_int_equal(strlen(text), ID_TEXT_LEN);
            assert_true(strcmp(text, last) > 0);
            memcpy(last, text, sizeof last);
            assert_int_equal(id_parse(str_from(text), &back), 0);
            assert_true(back == id);
        }
    }
}

static void is_shown_with_its_kind(void **state)
{
    (void)state;
    char text[ID_SHOWN_LEN + 1];
    uint64_t back = 0;
    struct str shown = id_show(text, ID_DELIVERY, 33);
    assert_string_equal(text, "dlv_0000000000011");
    assert_true(shown.data == text && shown.len == strlen(text));
    assert_int_equal(id_read_shown(shown, ID_DELIVERY, &back), 0);
    assert_true(back == 33);
    assert_int_equal(id_read_shown(shown, ID_EVENT, &back), ERR_INVALID);
    static const char *const none[] = {"", "dlv_", "dlv_000000000001", "0000000000011"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_int_equal(id_read_shown(str_from(none[i]), ID_DELIVERY, &back), ERR_INVALID);
    }
}

static void refuses_what_is_no_id(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
    } cases[] = {
        {"0000000000000", 0},
        {"7vvvvvvvvvvvv", 0},
        {"8000000000000", ERR_INVALID},
        {"vvvvvvvvvvvvv", ERR_INVALID},
        {"000000000000w", ERR_INVALID},
        {"000000000000V", ERR_INVALID},
        {"00000000000 0", ERR_INVALID},
        {"000000000000", ERR_INVALID},
        {"00000000000000", ERR_INVALID},
        {"", ERR_INVALID},
        {"-000000000000", ERR_INVALID},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t id;
        if (id_parse(str_from(cases[i].text), &id) != cases[i].code) {
            fail_case(i, "%s", cases[i].text);
        }
    }
    uint64_t id;
    assert_int_equal(id_parse(STR("7vvvvvvvvvvvv"), &id), 0);
    assert_true(id == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_grow_whatever_the_clock_does),
        cmocka_unit_test(an_id_tells_its_time),
        cmocka_unit_test(a_full_counter_borrows_from_the_next_millisecond),
        cmocka_unit_test(starts_after_what_was_used),
        cmocka_unit_test(text_keeps_the_order),
        cmocka_unit_test(is_shown_with_its_kind),
        cmocka_unit_test(refuses_what_is_no_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
