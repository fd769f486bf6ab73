// SHA-256: FIPS 180-4's own examples, over one context that is kept.
#include "unit.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "encode/sha256.h"

static void a_kept_context_gives_the_known_digests(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *hex;
    } cases[] = {
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    struct sha256 *s = sha256_new();
    assert_non_null(s);
    for (size_t i = 0; i < 2 * COUNT_OF(cases); i++) {
        unsigned char digest[SHA256_LEN];
        char hex[2 * SHA256_LEN + 1];
        assert_int_equal(sha256_digest(s, str_from(cases[i % COUNT_OF(cases)].text), digest), 0);
        for (size_t k = 0; k < SHA256_LEN; k++) {
            snprintf(hex + 2 * k, 3, "%02x", digest[k]);
        }
        assert_string_equal(hex, cases[i % COUNT_OF(cases)].hex);
    }
    sha256_free(s);
    sha256_free(NULL);
}

static bool is_memory_out;

static void *take(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return is_memory_out ? NULL : malloc(size);
}

static void *take_again(void *p, size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return is_memory_out ? NULL : realloc(p, size);
}

static void give(void *p, const char *file, int line)
{
    (void)file, (void)line;
    free(p);
}

static void without_memory_it_says_so(void **state)
{
    (void)state;
    struct sha256 *s = sha256_new();
    assert_non_null(s);
    unsigned char digest[SHA256_LEN];
    is_memory_out = true;
    assert_int_equal(sha256_digest(s, STR("abc"), digest), ERR_NOMEM);
    is_memory_out = false;
    assert_int_equal(sha256_digest(s, STR("abc"), digest), 0);
    assert_int_equal(digest[0], 0xba);
    sha256_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_kept_context_gives_the_known_digests),
                                       cmocka_unit_test(without_memory_it_says_so)};
    if (!CRYPTO_set_mem_functions(take, take_again, give)) { // before it has anything
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
