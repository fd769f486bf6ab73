// The published test vector of Standard Webhooks, and RFC 4231 of the HMAC below it.
#include "api/signature.h"

#include <stdlib.h>

#include "encode/hmac.h"
#include "unit.h"

struct sent {
    const char *id, *at, *signature;
};

static struct str sent_header(void *ctx, const char *name)
{
    const struct sent *s = ctx;
    if (strcmp(name, "webhook-id") == 0) {
        return str_from(s->id);
    } else if (strcmp(name, "webhook-timestamp") == 0) {
        return str_from(s->at);
    }
    return strcmp(name, "webhook-signature") == 0 ? str_from(s->signature) : (struct str){0};
}

static int check(struct sent s, const char *body, int64_t now_ms)
{
    struct secrets *secrets = NULL;
    struct err e = {0};
    struct rules_verify v = {.form = RULES_VERIFY_STANDARD,
                             .tolerance_ms = 300000,
                             .secrets = {"SIGNATURE_TEST"},
                             .secret_count = 1};
    struct signature_request q = {
        .body = str_from(body), .now_ms = now_ms, .header = sent_header, .ctx = &s};
    assert_int_equal(
        setenv("HOOKLINE_SECRET_SIGNATURE_TEST", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1), 0);
    assert_int_equal(secrets_new(&secrets, "/nonexistent", &e), 0);
    int code = signature_check(&v, &q, secrets, &e);
    secrets_free(secrets);
    return code;
}

static void takes_the_published_vector(void **state)
{
    (void)state;
    static const char body[] = "{\"test\": 2432232314}";
    const int64_t at_ms = INT64_C(1614265330000);
    struct sent s = {"msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330",
                     "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="};
    assert_int_equal(check(s, body, at_ms), 0);
    assert_int_equal(check(s, body, at_ms + 300000), 0);
    assert_int_equal(check(s, body, at_ms - 300000), 0);
    assert_int_equal(check(s, body, at_ms + 300001), ERR_REFUSED);
    assert_int_equal(check(s, body, at_ms - 300001), ERR_REFUSED);
    assert_int_equal(check(s, "{\"test\": 2432232315}", at_ms), ERR_REFUSED);
    s.signature = "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    assert_int_equal(check(s, body, at_ms), ERR_REFUSED);
    s.signature = "v1,";
    assert_int_equal(check(s, body, at_ms), ERR_REFUSED);
    s.signature = "";
    assert_int_equal(check(s, body, at_ms), ERR_REFUSED);
    s.at = "99999999999999999999";
    assert_int_equal(check(s, body, at_ms), ERR_REFUSED);
}

static void makes_the_macs_of_rfc_4231(void **state)
{
    (void)state;
    static const struct {
        const char *key, *text;
        unsigned char begin[4];
    } cases[] = {
        {"\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b",
         "Hi There",
         {0xb0, 0x34, 0x4c, 0x61}},
        {"Jefe", "what do ya want for nothing?", {0x5b, 0xdc, 0xc1, 0x46}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        unsigned char mac[HMAC_SHA256_LEN];
        assert_int_equal(hmac_sha256(str_from(cases[i].key), str_from(cases[i].text), mac), 0);
        assert_memory_equal(mac, cases[i].begin, 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_published_vector),
        cmocka_unit_test(makes_the_macs_of_rfc_4231),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
