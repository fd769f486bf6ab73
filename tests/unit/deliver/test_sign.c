// Signatures of webhooks: the published vector of Standard Webhooks, and the forms of hook.hmac.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "deliver/sign.h"

static const struct sign_input VECTOR = {.id = STR("msg_p5jXN8AQM9LWM0D4loKWxJek"),
                                         .timestamp = STR("1614265330"),
                                         .body = STR("{\"test\": 2432232314}")};

static void check(const struct buf *out, const char *wanted)
{
    assert_int_equal(out->len, strlen(wanted));
    assert_memory_equal(out->data, wanted, out->len);
}

static void test_the_published_vector(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1024);
    assert_int_equal(sign_standard(&out, STR("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), &VECTOR),
                     0);
    check(&out, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    buf_reset(&out);
    assert_int_equal(sign_standard(&out, STR("whsec_no base64"), &VECTOR), ERR_INVALID);
    buf_reset(&out);
    assert_int_equal(sign_standard(&out, STR("plain bytes"), &VECTOR), 0);
    assert_memory_equal(out.data, "v1,", 3);
    buf_fini(&out);
}

// Of RFC 4231, test case 2.
static void test_hex_of_a_body(void **state)
{
    (void)state;
    struct sign_input in = {.id = STR("i"), .timestamp = STR("7")};
    struct buf out;
    in.body = STR("what do ya want for nothing?");
    buf_init(&out, 1024);
    assert_int_equal(sign_hmac(&out, STR("Jefe"), STR("{body}"), false, &in), 0);
    check(&out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    buf_reset(&out);
    in.body = (struct str){NULL, 0};
    assert_int_equal(sign_fill(&out, STR("t={timestamp},{id}{body}{x}{signature}"), STR("s"), &in),
                     0);
    check(&out, "t=7,i{x}s");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_published_vector),
        cmocka_unit_test(test_hex_of_a_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
