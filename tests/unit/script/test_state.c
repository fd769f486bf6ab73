// Where memory is out: a state opens or does not, values are read or are not, at every bound that
// may be met, and nothing is left behind (the sanitizers look).
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "script/gate.h"
#include "script/state.h"
#include "script/value.h"

static const char TEXT[] =
    "{\"a\":[1,2.50,\"some text that is long enough to be no short string\"],"
    "\"b\":{\"c\":null,\"d\":[{},{},[]],\"e\":1e3},\"n\":1.50}";

static int cross_inside(lua_State *L)
{
    struct buf *out = lua_touserdata(L, 1);
    struct err e;
    for (int i = 0; i < 20; i++) {
        if (value_decode(L, (struct str){TEXT, sizeof TEXT - 1}, &e))
            return 0;
        value_copy(L, -1);
        buf_reset(out);
        value_encode(L, -1, out, "", &e);
    }
    return 0;
}

static void test_opens_or_does_not(void **ctx)
{
    (void)ctx;
    int opened = 0;
    int refused = 0;
    int crossed = 0;
    for (size_t cap = 1; cap < 100 * 1024; cap += 509) {
        struct state *s;
        struct err e;
        struct buf out;
        struct state_config config = {.cap_bytes = cap};
        int rc = state_new(&s, &config, &e);
        if (rc) {
            assert_int_equal(rc, ERR_NOMEM);
            assert_null(s);
            refused++;
            continue;
        }
        opened++;
        buf_init(&out, 65536);
        enum gate_outcome outcome = gate_call(s, cross_inside, &out, NULL);
        assert_true(outcome == GATE_OK || outcome == GATE_MEMORY);
        crossed += outcome == GATE_OK;
        assert_true(s->used_bytes <= cap);
        buf_fini(&out);
        state_free(s);
    }
    assert_true(opened > 0 && refused > 0);
    assert_true(crossed > 0 && crossed < opened);
}

static void test_frees_nothing(void **ctx)
{
    (void)ctx;
    state_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_opens_or_does_not),
                                       cmocka_unit_test(test_frees_nothing)};
    return cmocka_run_group_tests_name("script/state", tests, NULL, NULL);
}
