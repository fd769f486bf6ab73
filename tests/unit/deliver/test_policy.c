// What is stored of a webhook's own keys, taken apart.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "deliver/policy.h"

static void test_parse(void **state)
{
    (void)state;
    struct policy p;
    assert_int_equal(policy_parse(STR(""), &p), 0);
    assert_int_equal(p.windows.count, RETRY_DEFAULT.count);
    assert_false(p.asks_retry || p.asks_success || p.retry_on.len || p.give_up_on.len);
    assert_int_equal(policy_parse(STR("15s 1m|2h;retry;success;on=429,5xx;give_up=4xx"), &p), 0);
    assert_int_equal(p.windows.count, 3);
    assert_true(p.asks_retry && p.asks_success);
    assert_true(str_eq(p.retry_on, STR("429,5xx")) && str_eq(p.give_up_on, STR("4xx")));
    assert_int_equal(policy_parse(STR(";success"), &p), 0);
    assert_int_equal(p.windows.count, RETRY_DEFAULT.count);
    assert_int_equal(policy_parse(STR("1s;unknown"), &p), ERR_INVALID);
    assert_int_equal(policy_parse(STR("soon"), &p), ERR_INVALID);
}

static void test_words(void **state)
{
    (void)state;
    assert_true(policy_asks_success(STR("1s;on=1;success")));
    assert_false(policy_asks_success(STR("1s")) || policy_asks_success(STR(";on=success")));
    assert_true(policy_has_status(STR("429,5xx"), 429) && policy_has_status(STR("429,5xx"), 503));
    assert_false(policy_has_status(STR("429,5xx"), 42) || policy_has_status(STR(""), 200));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
