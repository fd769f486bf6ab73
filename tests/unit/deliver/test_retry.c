// The table of due times of docs/reference.md (When attempts are due), and what moves it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "deliver/retry.h"

#define S INT64_C(1000)
#define M (60 * S)
#define H (60 * M)
#define BASE INT64_C(1795000000000)

static const int64_t OFFSETS[] = {15 * S, M,     4 * M,  10 * M, 20 * M, 35 * M, 60 * M, 2 * H,
                                  4 * H,  8 * H, 12 * H, 18 * H, 24 * H, 32 * H, 40 * H, 49 * H};
enum { OFFSET_COUNT = sizeof OFFSETS / sizeof OFFSETS[0] };

static void each_default_attempt_is_at_its_offset(void **state)
{
    (void)state;
    for (uint64_t id = 1; id < 200; id++) {
        struct retry_failure f = {
            .delivery = id * 7919, .base_ms = BASE, .now_ms = BASE, .retry_after_ms = -1};
        for (size_t k = 0; k < OFFSET_COUNT; k++) {
            int64_t due = retry_next_ms(&RETRY_DEFAULT, &f);
            int64_t spread = due - BASE - OFFSETS[k];
            int64_t most = OFFSETS[k] / 10 < 15 * M ? OFFSETS[k] / 10 : 15 * M;
            if (k == 6 || k == 15) {
                most = 0;
            }
            assert_in_range(spread, 0, most);
            f.due_ms = due;
            f.now_ms = due + 30 * S > BASE + 49 * H ? due : due + 5; // a little late
        }
        assert_true(retry_next_ms(&RETRY_DEFAULT, &f) == INT64_MAX);
    }
}

static void spread_differs_between_deliveries_and_not_between_calls(void **state)
{
    (void)state;
    struct retry_failure a = {
        .delivery = 1, .base_ms = BASE, .now_ms = BASE + 20 * H, .retry_after_ms = -1};
    struct retry_failure b = a;
    b.delivery = 2;
    assert_true(retry_next_ms(&RETRY_DEFAULT, &a) == retry_next_ms(&RETRY_DEFAULT, &a));
    assert_true(retry_next_ms(&RETRY_DEFAULT, &a) != retry_next_ms(&RETRY_DEFAULT, &b));
}

static void retry_after_moves_and_drops_offsets_but_not_the_end(void **state)
{
    (void)state;
    static const struct {
        int64_t retry_after_ms;
        int64_t least, most; // from the base
    } rows[] = {
        {-1, 15 * S, 16500},       {0, 15 * S, 16500},
        {30 * S, 30 * S, 30 * S}, // later than the first offset, before the second
        {61 * S, 61 * S, 67 * S}, // passes the first; the second holds, or its own time
        {5 * M, 5 * M, 5 * M},     {3 * H, 3 * H, 3 * H},
        {49 * H, 49 * H, 49 * H},  // the end
        {100 * H, 49 * H, 49 * H}, // never behind it
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct retry_failure f = {.delivery = 5,
                                  .base_ms = BASE,
                                  .now_ms = BASE,
                                  .retry_after_ms = rows[i].retry_after_ms};
        int64_t due = retry_next_ms(&RETRY_DEFAULT, &f) - BASE;
        assert_in_range(due, rows[i].least, rows[i].most);
    }
    // After Retry-After: 3h the offsets up to 2 h are gone, the next is 4 h.
    struct retry_failure f = {.delivery = 5,
                              .base_ms = BASE,
                              .due_ms = BASE + 3 * H,
                              .now_ms = BASE + 3 * H,
                              .retry_after_ms = -1};
    assert_in_range(retry_next_ms(&RETRY_DEFAULT, &f) - BASE, 4 * H, 4 * H + 15 * M);
}

static void a_clock_that_went_back_repeats_no_offset(void **state)
{
    (void)state;
    struct retry_failure f = {.delivery = 9,
                              .base_ms = BASE,
                              .due_ms = BASE + 10 * M + 20 * S,
                              .now_ms = BASE - H,
                              .retry_after_ms = -1};
    assert_in_range(retry_next_ms(&RETRY_DEFAULT, &f) - BASE, 20 * M, 22 * M);
}

static void tables_are_read_and_refused(void **state)
{
    (void)state;
    struct retry_policy p;
    assert_int_equal(retry_parse(STR("15s 1m|2h"), &p), 0);
    assert_int_equal(p.count, 3);
    assert_true(p.offset_ms[0] == 15 * S && p.offset_ms[1] == M && p.offset_ms[2] == 2 * H);
    assert_false(p.ends_window[0]);
    assert_true(p.ends_window[1] && p.ends_window[2]);
    assert_int_equal(retry_parse(STR(""), &p), 0);
    assert_int_equal(p.count, OFFSET_COUNT);
    static const char *const bad[] = {" ",       "|",  "15s|",    "|15s", "15s  1m", "1m 15s",
                                      "15s 15s", "15", "15s 31d", "0s",   "15s,1m",  "15s 1m|1m"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(retry_parse(str_from(bad[i]), &p), ERR_INVALID);
    }
}

static void tight_tables_keep_their_order(void **state)
{
    (void)state;
    struct retry_policy p;
    assert_int_equal(retry_parse(STR("10s 10500ms 11s|12s"), &p), 0);
    for (uint64_t id = 0; id < 500; id++) {
        struct retry_failure f = {
            .delivery = id, .base_ms = BASE, .now_ms = BASE, .retry_after_ms = -1};
        for (size_t k = 0; k < p.count; k++) {
            f.due_ms = retry_next_ms(&p, &f);
            f.now_ms = f.due_ms;
            assert_true(f.due_ms >= BASE + p.offset_ms[k]);
            assert_true(k + 1 == p.count || f.due_ms < BASE + p.offset_ms[k + 1]);
        }
        assert_true(retry_next_ms(&p, &f) == INT64_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_default_attempt_is_at_its_offset),
        cmocka_unit_test(spread_differs_between_deliveries_and_not_between_calls),
        cmocka_unit_test(retry_after_moves_and_drops_offsets_but_not_the_end),
        cmocka_unit_test(a_clock_that_went_back_repeats_no_offset),
        cmocka_unit_test(tables_are_read_and_refused),
        cmocka_unit_test(tight_tables_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
