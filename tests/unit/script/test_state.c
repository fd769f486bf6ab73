// The state itself: it opens, loads the library, holds what the sandbox promises, and leaves
// nothing.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "script/gate.h"
#include "script/libs.h"
#include "script/state.h"

static void test_opens_and_closes(void **ctx)
{
    (void)ctx;
    struct state *s;
    struct err e;
    assert_int_equal(state_new(&s, &(struct state_config){0}, &e), 0);
    assert_true(s->used_bytes > 0);
    state_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_opens_and_closes)};
    return cmocka_run_group_tests_name("script/state", tests, NULL, NULL);
}
