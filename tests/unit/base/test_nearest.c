#include "unit.h"

#include "base/nearest.h"

static const char *nearest_of(const char *word)
{
    static const char *const names[] = {"serve", "check", "send", "secrets", "deliveries", "id"};
    struct nearest n;

    nearest_init(&n, str_from(word));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        nearest_offer(&n, str_from(names[i]));
    return n.name.data;
}

static void the_nearest_name_wins(void **state)
{
    (void)state;
    assert_string_equal(nearest_of("chekc"), "check");
    assert_string_equal(nearest_of("sned"), "send");
    assert_string_equal(nearest_of("secret"), "secrets");
    assert_string_equal(nearest_of("delievries"), "deliveries");
    assert_string_equal(nearest_of("ids"), "id");
}

static void a_far_word_has_none(void **state)
{
    (void)state;
    assert_null(nearest_of("frobnicate"));
    assert_null(nearest_of("x"));
    assert_null(nearest_of(""));
    assert_null(nearest_of("abc"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_name_wins),
        cmocka_unit_test(a_far_word_has_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
