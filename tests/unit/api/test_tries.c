// Wrong tokens are counted by the address they come from, in memory that does not grow.
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/tries.h"

static int64_t count(struct tries *t, const char *peer, int64_t now_ms, bool *is_news)
{
    return tries_count(t, str_from(peer), now_ms, is_news);
}

static void an_address_has_a_limit_of_its_own(void **state)
{
    struct tries *t = *state;
    bool is_news;
    for (int i = 0; i < 30; i++) {
        assert_int_equal(count(t, "192.0.2.1", 1000, &is_news), 0);
        assert_false(is_news);
    }
    assert_int_equal(count(t, "192.0.2.1", 1000, &is_news), 2000);
    assert_true(is_news);
    assert_int_equal(count(t, "192.0.2.1", 1000, &is_news), 2000);
    assert_false(is_news); // told once
    assert_int_equal(count(t, "192.0.2.2", 1000, &is_news), 0);
    assert_int_equal(count(t, "", 1000, &is_news), 0); // of a Unix socket
    assert_int_equal(count(t, "192.0.2.1", 3000, &is_news), 0);
    for (int i = 0; i < 30; i++) {
        assert_int_equal(count(t, "192.0.2.1", 200000, &is_news), 0);
    }
    assert_true(count(t, "192.0.2.1", 200000, &is_news) > 0 && is_news); // and told again
}

static void an_ipv6_network_is_one_address(void **state)
{
    struct tries *t = *state;
    bool is_news;
    char peer[64];
    for (int i = 0; i < 30; i++) {
        snprintf(peer, sizeof peer, "2001:db8:0:1::%x", i);
        assert_int_equal(count(t, peer, 1000, &is_news), 0);
    }
    assert_true(count(t, "2001:db8:0:1:ffff::1", 1000, &is_news) > 0);
    assert_int_equal(count(t, "2001:db8:0:2::1", 1000, &is_news), 0);
}

// Whoever comes from a million addresses finds the memory bounded; who tries on is not forgotten.
static void many_addresses_take_no_more_memory(void **state)
{
    struct tries *t = *state;
    bool is_news;
    char peer[64];
    for (int i = 0; i < 100000; i++) {
        snprintf(peer, sizeof peer, "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
        count(t, peer, 1000, &is_news);
        if (i % 100 == 0) {
            count(t, "192.0.2.1", 1000, &is_news);
        }
    }
    assert_true(count(t, "192.0.2.1", 1000, &is_news) > 0);
}

static int setup(void **state)
{
    *state = malloc(sizeof(struct tries));
    assert_non_null(*state);
    tries_init(*state);
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

#define TRIES_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TRIES_TEST(an_address_has_a_limit_of_its_own),
        TRIES_TEST(an_ipv6_network_is_one_address),
        TRIES_TEST(many_addresses_take_no_more_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
