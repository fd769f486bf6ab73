// What an attempt's end leads to, by table.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "deliver/decide.h"

#define S INT64_C(1000)
#define M (60 * S)
#define NOW INT64_C(1795000000000)

static const struct {
    int status;
    const char *error;
    const char *retry;
    int64_t base_ms;
    int64_t retry_after_ms;
    enum delivery_state state;
    int64_t due_ms;
    const char *reason;
} CASES[] = {
    {200, NULL, "", 0, -1, DELIVERY_DELIVERED, 0, ""},
    {299, NULL, "", NOW - M, -1, DELIVERY_DELIVERED, 0, ""},
    {200, "reset", "", 0, -1, DELIVERY_RETRYING, NOW + 15 * S, ""},
    {301, NULL, "", 0, -1, DELIVERY_RETRYING, NOW + 15 * S, ""},
    {503, NULL, "", 0, -1, DELIVERY_RETRYING, NOW + 15 * S, ""},
    {503, NULL, "", NOW - 15 * S, -1, DELIVERY_RETRYING, NOW + 45 * S, ""},
    {503, NULL, "", 0, 30 * S, DELIVERY_RETRYING, NOW + 30 * S, ""},
    {503, NULL, "5s 10s", 0, -1, DELIVERY_RETRYING, NOW + 5 * S, ""},
    {503, NULL, "5s", NOW - 5 * S, -1, DELIVERY_TERMINATED, 0,
     "the last of 2 attempts failed: the receiver answered 503"},
    {0, "timeout", "5s", NOW - 5 * S, -1, DELIVERY_TERMINATED, 0,
     "the last of 2 attempts failed: no answer in time"},
    {410, NULL, "", 0, -1, DELIVERY_TERMINATED, 0,
     "the receiver answered 410: it is gone for good"},
};

static void each_end_leads_where_it_should(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct arena arena;
        struct decide_outcome out;
        struct decide_attempt a = {.delivery = 4711,
                                   .number = CASES[i].base_ms ? 2 : 1,
                                   .status = CASES[i].status,
                                   .error = CASES[i].error,
                                   .detail = STR("no answer in time"),
                                   .retry = str_from(CASES[i].retry),
                                   .base_ms = CASES[i].base_ms,
                                   .due_ms = NOW,
                                   .now_ms = NOW,
                                   .retry_after_ms = CASES[i].retry_after_ms,
                                   .is_exact = true};
        arena_init(&arena, 4096);
        decide_outcome(&a, &arena, &out);
        assert_int_equal(out.state, CASES[i].state);
        assert_int_equal(out.due_ms, CASES[i].due_ms);
        assert_true(str_eq(out.reason, str_from(CASES[i].reason)));
        if (out.state != DELIVERY_DELIVERED) {
            assert_int_equal(out.base_ms, CASES[i].base_ms ? CASES[i].base_ms : NOW);
        }
        arena_fini(&arena);
    }
}

static void a_body_that_was_cut_is_no_success_where_success_asks(void **state)
{
    (void)state;
    static const struct {
        const char *retry, *error;
        bool is_cut;
        enum delivery_state state;
        const char *wanted;
    } cases[] = {
        {"", NULL, true, DELIVERY_DELIVERED, NULL},
        {"15s;success", NULL, false, DELIVERY_DELIVERED, NULL},
        {"15s;success", NULL, true, DELIVERY_RETRYING, "response_too_large"},
        {"15s;success;on=429", NULL, true, DELIVERY_RETRYING, "response_too_large"},
        {"15s;success", "reset", true, DELIVERY_RETRYING, "reset"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena arena;
        struct decide_outcome out;
        struct decide_attempt a = {.number = 1,
                                   .status = 200,
                                   .error = cases[i].error,
                                   .is_body_cut = cases[i].is_cut,
                                   .retry = str_from(cases[i].retry),
                                   .now_ms = NOW,
                                   .retry_after_ms = -1};
        arena_init(&arena, 4096);
        decide_outcome(&a, &arena, &out);
        assert_int_equal(out.state, cases[i].state);
        assert_true(str_eq(str_from(out.error), str_from(cases[i].wanted)));
        arena_fini(&arena);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_end_leads_where_it_should),
        cmocka_unit_test(a_body_that_was_cut_is_no_success_where_success_asks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
