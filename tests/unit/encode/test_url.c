// Which callback URLs are taken, how they come apart, and what is said of the others.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "encode/url.h"

#define STR_LITERAL(literal)                                                                       \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    } // as a constant initializer

static void test_accepted(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *host;
        const char *path;
        const char *target;
    } CASES[] = {
        {"https://invoices.example.com/api/invoices", "invoices.example.com", "/api/invoices",
         "https://invoices.example.com:443"},
        {"http://example.com", "example.com", "", "http://example.com:80"},
        {"http://example.com/", "example.com", "/", "http://example.com:80"},
        {"https://example.com?a=b", "example.com", "?a=b", "https://example.com:443"},
        {"HTTPS://Example.COM/Path", "Example.COM", "/Path", "https://example.com:443"},
        {"hTTp://example.com./x", "example.com.", "/x", "http://example.com:80"},
        {"https://example.com:8443/x?y=z&w=1", "example.com", "/x?y=z&w=1",
         "https://example.com:8443"},
        {"http://example.com:80", "example.com", "", "http://example.com:80"},
        {"http://example.com:443/", "example.com", "/", "http://example.com:443"},
        {"https://h:65535", "h", "", "https://h:65535"},
        {"https://h:1?x", "h", "?x", "https://h:1"},
        {"http://localhost:9000/hook", "localhost", "/hook", "http://localhost:9000"},
        {"http://my_app-1.internal/x", "my_app-1.internal", "/x", "http://my_app-1.internal:80"},
        {"https://xn--mnchen-3ya.example/", "xn--mnchen-3ya.example", "/",
         "https://xn--mnchen-3ya.example:443"},
        {"http://127.0.0.1:8080/x", "127.0.0.1", "/x", "http://127.0.0.1:8080"},
        {"http://10.0.0.255", "10.0.0.255", "", "http://10.0.0.255:80"},
        {"http://[::1]/x", "::1", "/x", "http://[::1]:80"},
        {"http://[::1]:8080/x", "::1", "/x", "http://[::1]:8080"},
        {"http://[0:0:0:0:0:0:0:1]", "0:0:0:0:0:0:0:1", "", "http://[::1]:80"},
        {"https://[2001:DB8::A]/", "2001:DB8::A", "/", "https://[2001:db8::a]:443"},
        {"https://[::ffff:10.0.0.1]/", "::ffff:10.0.0.1", "/", "https://[::ffff:10.0.0.1]:443"},
        {"https://1and1.example/", "1and1.example", "/", "https://1and1.example:443"},
        {"https://10.example/", "10.example", "/", "https://10.example:443"},
        {"https://example.0xyz/", "example.0xyz", "/", "https://example.0xyz:443"},
        {"https://example.x0/", "example.x0", "/", "https://example.x0:443"},
        {"https://h/a//b/../c;d=1,2/%41?q=[1]|{2}'\"<>^`~!$*()+@:/?", "h",
         "/a//b/../c;d=1,2/%41?q=[1]|{2}'\"<>^`~!$*()+@:/?", "https://h:443"},
        {"https://h/me@example.com", "h", "/me@example.com", "https://h:443"},
        {"https://h/?to=http://other.example:99/", "h", "/?to=http://other.example:99/",
         "https://h:443"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct url u;
        struct err e = {.code = ERR_OK, .text = ""};
        if (url_parse(str_from(CASES[i].text), &u, &e) != 0) {
            fail_msg("%s: %s", CASES[i].text, e.text);
        }
        assert_true(str_eq(u.host, str_from(CASES[i].host)));
        assert_true(str_eq(u.path, str_from(CASES[i].path)));
        assert_int_equal(u.is_https, str_starts_with(str_from(CASES[i].target), STR("https")));
        assert_int_equal(u.host_is_v6, strchr(CASES[i].text, '[') == CASES[i].text + 7 ||
                                           strchr(CASES[i].text, '[') == CASES[i].text + 8);
        struct buf target;
        buf_init(&target, 512);
        url_target(&target, &u);
        assert_true(str_eq(buf_str(&target), str_from(CASES[i].target)));
        buf_fini(&target);
    }
}

static void test_target_of(void **state)
{
    (void)state;
    struct buf target;
    buf_init(&target, URL_TARGET_MAX);
    assert_int_equal(url_target_of(&target, STR("HTTPS://App.example.com./")), 0);
    assert_true(str_eq(buf_str(&target), STR("https://app.example.com:443")));
    assert_int_equal(url_target_of(&target, STR("https://app.example.com/path")), ERR_INVALID);
    assert_int_equal(url_target_of(&target, STR("app.example.com")), ERR_INVALID);
    buf_fini(&target);
    buf_init(&target, 8);
    assert_int_equal(url_target_of(&target, STR("https://app.example.com")), ERR_NOMEM);
    buf_fini(&target);
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        struct str text;
        const char *words; // somewhere in the message
    } CASES[] = {
        {STR_LITERAL(""), "write https://host/path"},
        // scheme
        {STR_LITERAL("example.com/x"), "no scheme; write https://example.com/x"},
        {STR_LITERAL("example.com?key=s3cret"), "write https://example.com"},
        {STR_LITERAL("example.com:8080/x"), "no scheme; write https://example.com:8080/x"},
        {STR_LITERAL("/path"), "no scheme"},
        {STR_LITERAL("//example.com/"), "no scheme"},
        {STR_LITERAL("ftp://example.com/"), "\"ftp\"; only https:// and http://"},
        {STR_LITERAL("file:///etc/passwd"), "\"file\""},
        {STR_LITERAL("gopher://x/"), "\"gopher\""},
        {STR_LITERAL("mailto:a@example.com"), "\"mailto\""},
        {STR_LITERAL("javascript:alert(1)"), "\"javascript\""},
        {STR_LITERAL("https:"), "two slashes"},
        {STR_LITERAL("https:/example.com"), "two slashes"},
        {STR_LITERAL("https:example.com"), "two slashes"},
        {STR_LITERAL("http:127.0.0.1"), "two slashes"},
        {STR_LITERAL("://example.com"), "only https://"},
        {STR_LITERAL("httpss://example.com"), "\"httpss\""},
        // bytes
        {STR_LITERAL(" https://example.com/"), "a space at byte 0; write it as %20"},
        {STR_LITERAL("https://example.com/a b"), "a space at byte 21"},
        {STR_LITERAL("https://example.com/ "), "a space at byte 20"},
        {STR_LITERAL("https://example.com/\n"), "control character (0x0a) at byte 20"},
        {STR_LITERAL("https://example.com/\r\nHost: x"), "control character (0x0d)"},
        {STR_LITERAL("https://example.com/\0"), "control character (0x00)"},
        {STR_LITERAL("https://exa\tmple.com/"), "control character (0x09)"},
        {STR_LITERAL("https://example.com/\x7F"), "control character (0x7f)"},
        {STR_LITERAL("https://m\xC3\xBCnchen.example/"), "not ASCII at byte 9"},
        {STR_LITERAL("https://example.com/caf\xC3\xA9"), "percent-encode it"},
        {STR_LITERAL("https://example.com\\@evil.example/"), "backslash at byte 19"},
        {STR_LITERAL("https:\\\\example.com"), "backslash"},
        {STR_LITERAL("https://example.com/#top"), "fragment (#) at byte 20"},
        {STR_LITERAL("https://example.com#@evil.example/"), "fragment"},
        // user
        {STR_LITERAL("https://crm:s3cret@example.com/"), "give the webhook's auth"},
        {STR_LITERAL("https://crm@example.com/"), "in front of an @"},
        {STR_LITERAL("https://@example.com/"), "in front of an @"},
        {STR_LITERAL("https://a@b@c/"), "in front of an @"},
        {STR_LITERAL("https://x:1@[::1]/"), "in front of an @"},
        // host
        {STR_LITERAL("https://"), "no host; write https://host/"},
        {STR_LITERAL("http:///path"), "no host; write http://host/"},
        {STR_LITERAL("http://:80/"), "no host"},
        {STR_LITERAL("http://?x"), "no host"},
        {STR_LITERAL("http://./"), "empty part"},
        {STR_LITERAL("http://a..b/"), "empty part"},
        {STR_LITERAL("http://.a/"), "empty part"},
        {STR_LITERAL("http://a../"), "empty part"},
        {STR_LITERAL("http://a%2eb/"), "\"%\""},
        {STR_LITERAL("http://{{record.host}}/"), "\"{\""},
        {STR_LITERAL("http://a,b/"), "\",\""},
        {STR_LITERAL("http://a;b/"), "\";\""},
        {STR_LITERAL("http://a]b/"), "\"]\""},
        {STR_LITERAL("http://"
                     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example/"),
         "longer than 63"},
        // other spellings of an IPv4 address
        {STR_LITERAL("http://127.1/"), "write 127.0.0.1"},
        {STR_LITERAL("http://127.0.1/"), "write 127.0.0.1"},
        {STR_LITERAL("http://2130706433/"), "write 127.0.0.1"},
        {STR_LITERAL("http://0x7f.1/"), "write 127.0.0.1"},
        {STR_LITERAL("http://0x7f000001/"), "write 127.0.0.1"},
        {STR_LITERAL("http://0X7F.0.0.1/"), "write 127.0.0.1"},
        {STR_LITERAL("http://0177.0.0.1/"), "write 127.0.0.1"},
        {STR_LITERAL("http://127.0.0.01/"), "write 127.0.0.1"},
        {STR_LITERAL("http://127.0.0.1./"), "\"127.0.0.1.\" is another spelling"},
        {STR_LITERAL("http://0/"), "write 0.0.0.0"},
        {STR_LITERAL("http://0x/"), "ends in a number"},
        {STR_LITERAL("http://127.0.0.256/"), "ends in a number but is no IPv4 address"},
        {STR_LITERAL("http://1.2.3.4.5/"), "ends in a number"},
        {STR_LITERAL("http://example.1/"), "ends in a number"},
        {STR_LITERAL("http://example.0x1f/"), "ends in a number"},
        {STR_LITERAL("http://example.09/"), "ends in a number"},
        {STR_LITERAL("http://99999999999/"), "ends in a number"},
        // IPv6
        {STR_LITERAL("http://::1/"), "goes in brackets, [::1]"},
        {STR_LITERAL("http://2001:db8::1/"), "goes in brackets"},
        {STR_LITERAL("http://[::1/"), "no closing bracket"},
        {STR_LITERAL("http://[]/"), "no IPv6 address"},
        {STR_LITERAL("http://[127.0.0.1]/"), "no IPv6 address"},
        {STR_LITERAL("http://[example.com]/"), "no IPv6 address"},
        {STR_LITERAL("http://[::1::2]/"), "no IPv6 address"},
        {STR_LITERAL("http://[:::1]/"), "no IPv6 address"},
        {STR_LITERAL("http://[fe80::1%eth0]/"), "a zone (%...), which means something on one "
                                                "machine only; write [fe80::1]"},
        {STR_LITERAL("http://[fe80::1%25eth0]/"), "a zone"},
        {STR_LITERAL("http://[v1.x]/"), "no IPv6 address"},
        {STR_LITERAL("http://[::1]x/"), "\"x\" is no port"},
        {STR_LITERAL("http://x[::1]/"), "brackets"},
        // port
        {STR_LITERAL("http://h:/"), "\":\" is no port"},
        {STR_LITERAL("http://h:0/"), "\":0\" is no port; write a number from 1 to 65535"},
        {STR_LITERAL("http://h:080/"), "no port"},
        {STR_LITERAL("http://h:65536/"), "no port"},
        {STR_LITERAL("http://h:99999999999999999999/"), "no port"},
        {STR_LITERAL("http://h:-1/"), "no port"},
        {STR_LITERAL("http://h:+80/"), "no port"},
        {STR_LITERAL("http://h:80x/"), "no port"},
        {STR_LITERAL("http://h:http/"), "no port"},
        {STR_LITERAL("http://h::80/"), "more than one colon"},
        {STR_LITERAL("http://h:80:80/"), "more than one colon"},
        {STR_LITERAL("http://[::1]:0/"), "no port"},
        {STR_LITERAL("http://[::1]:/"), "no port"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct url u;
        struct err e = {.code = ERR_OK, .text = ""};
        if (url_parse(CASES[i].text, &u, &e) != ERR_INVALID) {
            fail_msg("%s is accepted", CASES[i].text.data);
        }
        if (!strstr(e.text, CASES[i].words)) {
            fail_msg("%s: <%s> does not say <%s>", CASES[i].text.data, e.text, CASES[i].words);
        }
        assert_null(strstr(e.text, "s3cret"));
        assert_int_equal(url_parse(CASES[i].text, &u, NULL), ERR_INVALID);
    }
}

static void test_host_length(void **state)
{
    (void)state;
    char text[300];
    struct url u;
    struct err e;
    for (size_t len = 252; len <= 254; len++) {
        memset(text, 'a', sizeof text);
        memcpy(text, "https://", 8);
        for (size_t dot = 50; dot < len; dot += 50) {
            text[8 + dot] = '.';
        }
        int rc = url_parse((struct str){text, 8 + len}, &u, &e);
        assert_int_equal(rc, len <= 253 ? 0 : ERR_INVALID);
    }
}

static void test_address(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *address; // NULL: a name
    } CASES[] = {
        {"http://127.0.0.1/", "127.0.0.1"}, {"http://[::1]:8/", "::1"},
        {"http://[0:0::A]/", "::a"},        {"http://example.com/", NULL},
        {"http://localhost/", NULL},        {"http://1.example/", NULL},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct url u;
        struct netaddr address;
        assert_int_equal(url_parse(str_from(CASES[i].text), &u, NULL), 0);
        assert_int_equal(url_address(&u, &address), CASES[i].address != NULL);
        if (CASES[i].address) {
            char text[46];
            netaddr_format(text, &address);
            assert_string_equal(text, CASES[i].address);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted), cmocka_unit_test(test_target_of),
        cmocka_unit_test(test_refused),  cmocka_unit_test(test_host_length),
        cmocka_unit_test(test_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
