// Request heads: what is written comes back, and nothing that a rule or an event gives can add a
// line.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "encode/head.h"

static const char WHOLE[] = "POST https://invoices.example.com/api/invoices?x=1\n"
                            "Content-Type: application/json\n"
                            "X-Sample-CustomHeader1: VALUE\n"
                            "X-Empty: \n"
                            "X-Text: K\xC3\xB6ln: a, b; \"c\"\n"
                            ":basic INVOICE_PASSWORD crm user\n"
                            ":basic OTHER \n"
                            ":header API_KEY Authorization: Token \n"
                            ":header API_KEY X-Key: \n"
                            ":query API_KEY api key&=\n";

static void write_whole(struct buf *out)
{
    struct err e;
    static const struct head_secret SECRETS[] = {
        {.kind = HEAD_SECRET_BASIC, .secret = {"INVOICE_PASSWORD", 16}, .key = {"crm user", 8}},
        {.kind = HEAD_SECRET_BASIC, .secret = {"OTHER", 5}},
        {.kind = HEAD_SECRET_HEADER,
         .secret = {"API_KEY", 7},
         .key = {"Authorization", 13},
         .prefix = {"Token ", 6}},
        {.kind = HEAD_SECRET_HEADER, .secret = {"API_KEY", 7}, .key = {"X-Key", 5}},
        {.kind = HEAD_SECRET_QUERY, .secret = {"API_KEY", 7}, .key = {"api key&=", 9}},
    };
    assert_int_equal(head_write_start(out, STR("POST"),
                                      STR("https://invoices.example.com/api/invoices?x=1"), &e),
                     0);
    assert_int_equal(head_write_header(out, STR("Content-Type"), STR("  application/json\t"), &e),
                     0);
    assert_int_equal(head_write_header(out, STR("X-Sample-CustomHeader1"), STR("VALUE"), &e), 0);
    assert_int_equal(head_write_header(out, STR("X-Empty"), (struct str){NULL, 0}, &e), 0);
    assert_int_equal(head_write_header(out, STR("X-Text"), STR("K\xC3\xB6ln: a, b; \"c\""), &e), 0);
    for (size_t i = 0; i < sizeof SECRETS / sizeof *SECRETS; i++) {
        assert_int_equal(head_write_secret(out, &SECRETS[i], &e), 0);
    }
}

static void test_round_trip(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, HEAD_BYTES_MAX);
    write_whole(&out);
    assert_true(str_eq(buf_str(&out), str_from(WHOLE)));

    static struct head h;
    struct err e;
    assert_int_equal(head_parse(buf_str(&out), &h, &e), 0);
    assert_true(str_eq(h.method, STR("POST")));
    assert_true(str_eq(h.url, STR("https://invoices.example.com/api/invoices?x=1")));
    assert_int_equal(h.header_count, 4);
    assert_int_equal(h.secret_count, 5);
    struct buf again;
    buf_init(&again, HEAD_BYTES_MAX);
    assert_int_equal(head_write_start(&again, h.method, h.url, &e), 0);
    for (size_t i = 0; i < h.header_count; i++) {
        assert_int_equal(head_write_header(&again, h.headers[i].name, h.headers[i].value, &e), 0);
    }
    for (size_t i = 0; i < h.secret_count; i++) {
        assert_int_equal(head_write_secret(&again, &h.secrets[i], &e), 0);
    }
    assert_true(str_eq(buf_str(&again), buf_str(&out)));
    assert_true(str_eq(h.headers[3].value, STR("K\xC3\xB6ln: a, b; \"c\"")));
    assert_true(str_eq(h.secrets[0].key, STR("crm user")));
    assert_int_equal(h.secrets[1].key.len, 0);
    assert_int_equal(h.secrets[2].kind, HEAD_SECRET_HEADER);
    assert_true(str_eq(h.secrets[2].key, STR("Authorization")));
    assert_true(str_eq(h.secrets[2].prefix, STR("Token ")));
    assert_true(str_eq(h.secrets[4].secret, STR("API_KEY")));
    buf_fini(&again);
    buf_fini(&out);
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        struct str name;
        int code;
        const char *words;
    } CASES[] = {
        {{"X-Sample-CustomHeader1", 22}, 0, ""},
        {{"x_y.z", 5}, 0, ""},
        {{"!#$%&'*+-.^_`|~09azAZ", 21}, 0, ""},
        {{"Authorization", 13}, 0, ""},
        {{"User-Agent", 10}, 0, ""},
        {{"Content-Type", 12}, 0, ""},
        {{"Hosts", 5}, 0, ""},
        {{NULL, 0}, ERR_INVALID, "no name"},
        {{"", 0}, ERR_INVALID, "no name"},
        {{"X Y", 3}, ERR_INVALID, "\"X Y\" has a space inside"},
        {{"X-Y ", 4}, ERR_INVALID, "space"},
        {{" X", 2}, ERR_INVALID, "space"},
        {{"X:Y", 3}, ERR_INVALID, "byte 1"},
        {{":basic", 6}, ERR_INVALID, "byte 0"},
        {{"X\tY", 3}, ERR_INVALID, "control character (0x09)"},
        {{"X\nY", 3}, ERR_INVALID, "control character (0x0a)"},
        {{"X\r\nHost", 7}, ERR_INVALID, "control character (0x0d)"},
        {{"X\0", 2}, ERR_INVALID, "control character (0x00)"},
        {{"X(Y)", 4}, ERR_INVALID, "does not allow"},
        {{"X\"", 2}, ERR_INVALID, "does not allow"},
        {{"X/Y", 3}, ERR_INVALID, "does not allow"},
        {{"K\xC3\xB6ln", 5}, ERR_INVALID, "byte 1"},
        {{"Host", 4}, ERR_REFUSED, "the header Host is set by the host itself"},
        {{"hOST", 4}, ERR_REFUSED, "itself"},
        {{"Content-Length", 14}, ERR_REFUSED, "itself"},
        {{"content-length", 14}, ERR_REFUSED, "itself"},
        {{"Transfer-Encoding", 17}, ERR_REFUSED, "itself"},
        {{"Connection", 10}, ERR_REFUSED, "itself"},
        {{"Keep-Alive", 10}, ERR_REFUSED, "itself"},
        {{"Proxy-Connection", 16}, ERR_REFUSED, "itself"},
        {{"TE", 2}, ERR_REFUSED, "itself"},
        {{"Trailer", 7}, ERR_REFUSED, "itself"},
        {{"Upgrade", 7}, ERR_REFUSED, "itself"},
        {{"Expect", 6}, ERR_REFUSED, "itself"},
        {{"Webhook-Id", 10}, ERR_REFUSED, "itself"},
        {{"webhook-timestamp", 17}, ERR_REFUSED, "itself"},
        {{"webhook-signature", 17}, ERR_REFUSED, "itself"},
        {{"Hookline-Depth", 14}, ERR_REFUSED, "itself"},
        {{"hookline-original-url", 21}, ERR_REFUSED, "itself"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct err e = {.code = ERR_OK, .text = ""};
        assert_int_equal(head_check_name(CASES[i].name, &e), CASES[i].code);
        assert_non_null(strstr(e.text, CASES[i].words));
        struct buf out;
        buf_init(&out, 256);
        assert_int_equal(head_write_header(&out, CASES[i].name, STR("v"), &e), CASES[i].code);
        assert_true(CASES[i].code == 0 || out.len == 0);
        buf_reset(&out);
        struct head_secret s = {.kind = HEAD_SECRET_HEADER,
                                .secret = STR("K"),
                                .key = CASES[i].name,
                                .prefix = STR("p ")};
        assert_int_equal(head_write_secret(&out, &s, &e), CASES[i].code);
        assert_true(CASES[i].code == 0 || out.len == 0);
        buf_fini(&out);
    }
}

// Each is tried as a header's value, a prefix, a user, a query parameter and a secret's name.
static void test_injection(void **state)
{
    (void)state;
    static const struct str CASES[] = {
        {"a\nHost: evil", 12},
        {"a\r\nHost: evil", 13},
        {"a\rb", 3},
        {"a\n", 2},
        {"\na", 2},
        {"a\0b", 3},
        {"a\x7F"
         "b",
         3},
        {"a\x1B[0m", 5},
        {"a\tb", 3},
        {"a\x0B", 2},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct buf out;
        buf_init(&out, 256);
        struct err e = {.code = ERR_OK, .text = ""};
        bool is_trimmed = str_trim(CASES[i]).len != CASES[i].len;
        assert_false(is_trimmed);
        assert_int_equal(head_check_value(CASES[i], &e), ERR_INVALID);
        assert_int_equal(head_write_header(&out, STR("X-A"), CASES[i], &e), ERR_INVALID);
        assert_true(str_starts_with(str_from(e.text), STR("X-A: a header's value has a ")));
        const struct head_secret secrets[] = {
            {.kind = HEAD_SECRET_BASIC, .secret = STR("K"), .key = CASES[i], .prefix = STR("")},
            {.kind = HEAD_SECRET_BASIC, .secret = CASES[i], .key = STR("u"), .prefix = STR("")},
            {.kind = HEAD_SECRET_HEADER, .secret = STR("K"), .key = STR("X-A"), .prefix = CASES[i]},
            {.kind = HEAD_SECRET_HEADER, .secret = STR("K"), .key = CASES[i], .prefix = STR("")},
            {.kind = HEAD_SECRET_QUERY, .secret = STR("K"), .key = CASES[i], .prefix = STR("")},
            {.kind = HEAD_SECRET_QUERY, .secret = CASES[i], .key = STR("k"), .prefix = STR("")},
        };
        for (size_t k = 0; k < sizeof secrets / sizeof *secrets; k++) {
            assert_int_equal(head_write_secret(&out, &secrets[k], &e), ERR_INVALID);
        }
        assert_int_equal(head_write_start(&out, CASES[i], STR("https://h/"), &e), ERR_INVALID);
        assert_int_equal(head_write_start(&out, STR("GET"), CASES[i], &e), ERR_INVALID);
        assert_int_equal(out.len, 0);
        assert_int_equal(out.failed, 0);
        buf_fini(&out);
    }
}

static void test_refused_pieces(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 256);
    struct err e;
    static const char *const METHODS[] = {
        "", "post", "Post", "PO ST", "POST1", "GET\t", "ABCDEFGHIJKLMNOPQ"};
    for (size_t i = 0; i < sizeof METHODS / sizeof *METHODS; i++) {
        assert_int_equal(head_write_start(&out, str_from(METHODS[i]), STR("https://h/"), &e),
                         ERR_INVALID);
    }
    assert_int_equal(head_write_start(&out, STR("GET"), STR("https://u:p@h/"), &e), ERR_INVALID);
    assert_int_equal(head_write_start(&out, STR("GET"), STR("h/x"), &e), ERR_INVALID);
    static const char *const NAMES[] = {"", "a b", "../x", ".x", "a/b", "a:b", "K\xC3\xB6"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        struct head_secret s = {.kind = HEAD_SECRET_QUERY,
                                .secret = str_from(NAMES[i]),
                                .key = STR("k"),
                                .prefix = STR("")};
        assert_int_equal(head_write_secret(&out, &s, &e), ERR_INVALID);
    }
    struct head_secret colon = {
        .kind = HEAD_SECRET_BASIC, .secret = STR("K"), .key = STR("a:b"), .prefix = STR("")};
    assert_int_equal(head_write_secret(&out, &colon, &e), ERR_INVALID);
    struct head_secret no_key = {
        .kind = HEAD_SECRET_QUERY, .secret = STR("K"), .key = STR(""), .prefix = STR("")};
    assert_int_equal(head_write_secret(&out, &no_key, &e), ERR_INVALID);
    assert_int_equal(out.len, 0);
    buf_fini(&out);
}

static void test_full_buffer(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 30);
    struct err e;
    assert_int_equal(head_write_start(&out, STR("GET"), STR("https://h/"), &e), 0);
    size_t len = out.len;
    assert_int_equal(head_write_header(&out, STR("X-Long"), STR("0123456789"), &e), ERR_TOO_LARGE);
    assert_non_null(strstr(e.text, "too large"));
    assert_int_equal(out.len, len); // no half a line
    buf_fini(&out);
}

static void test_parse_refuses(void **state)
{
    (void)state;
    static const char *const CASES[] = {
        "",
        "\n",
        "POST",
        "POST\n",
        "POST \n",
        "POST https://h/",
        "post https://h/\n",
        "POST  https://h/\n",
        " POST https://h/\n",
        "POST https://h/ \n",
        "POST https://h/ HTTP/1.1\n",
        "POST https://h/\r\n",
        "POST ftp://h/\n",
        "POST https://h/\n\n",
        "POST https://h/\nX\n",
        "POST https://h/\nX:\n",
        "POST https://h/\nX:v\n",
        "POST https://h/\nX : v\n",
        "POST https://h/\nX:  v\n",
        "POST https://h/\nX: v \n",
        "POST https://h/\nX: v",
        "POST https://h/\nX: v\r\n",
        "POST https://h/\nX: a\tb\n",
        "POST https://h/\n X: v\n",
        "POST https://h/\n: v\n",
        "POST https://h/\n:\n",
        "POST https://h/\n:basic\n",
        "POST https://h/\n:basic K\n",
        "POST https://h/\n:basic K a:b\n",
        "POST https://h/\n:basic  u\n",
        "POST https://h/\n:Basic K u\n",
        "POST https://h/\n:bearer K u\n",
        "POST https://h/\n:query K \n",
        "POST https://h/\n:query K\n",
        "POST https://h/\n:header K X\n",
        "POST https://h/\n:header K X:\n",
        "POST https://h/\n:header K X Y: p\n",
        "POST https://h/\n:header ../K X: p\n",
        "POST https://h/\n:oauth2 K\n",
        "POST https://h/\n:oauth2 K basic\n",
        "POST https://h/\n:oauth2 K basic id https://t/\n",
        "POST https://h/\n:oauth2 K header id https://t/ a=b\n",
        "POST https://h/\n:oauth2 K basic  https://t/ a=b\n",
        "POST https://h/\n:oauth2 K basic id t/ a=b\n",
        "POST https://h/\n:oauth2 K basic id https://t/ a=b c\n",
        "POST https://h/\n:oauth2 ../K basic id https://t/ a=b\n",
        "POST https://h/\n:depth \n",
        "POST https://h/\n:trace \n",
        "POST https://h/\n:trace 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0\n",
        "POST https://h/\n:trace 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01a=b\n",
        "POST https://h/\n:depth 0\n",
        "POST https://h/\n:depth -1\n",
        "POST https://h/\n:depth 2 \n",
        "POST https://h/\n:depth 1000001\n",
    };
    static struct head h;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct err e = {.code = ERR_OK, .text = ""};
        if (head_parse(str_from(CASES[i]), &h, &e) != ERR_INVALID) {
            fail_msg("<%s> is accepted", CASES[i]);
        }
        assert_true(e.text[0] != '\0');
    }
    struct err e;
    assert_int_equal(head_parse(STR("GET https://h/\nHost: x\n"), &h, &e), ERR_REFUSED);
    assert_int_equal(head_parse(STR("GET https://h/\n:header K Host: x\n"), &h, &e), ERR_REFUSED);
    assert_int_equal(head_parse(STR("GET https://h/\n"), &h, &e), 0);
    assert_int_equal(h.header_count + h.secret_count, 0);
}

static void test_depth(void **state)
{
    (void)state;
    static struct head h;
    struct err e;
    struct buf out;
    buf_init(&out, HEAD_BYTES_MAX);
    head_write_start(&out, STR("GET"), STR("https://h/"), &e);
    assert_int_equal(head_parse(buf_str(&out), &h, &e), 0);
    assert_int_equal(h.depth, 1);
    assert_int_equal(head_write_depth(&out, 3, &e), 0);
    assert_true(str_eq(buf_str(&out), STR("GET https://h/\n:depth 3\n")));
    assert_int_equal(head_parse(buf_str(&out), &h, &e), 0);
    assert_int_equal(h.depth, 3);
    assert_int_equal(h.header_count + h.secret_count, 0);
    buf_fini(&out);
}

static void test_trace(void **state)
{
    (void)state;
    static struct head h;
    struct err e;
    struct buf out;
    struct str parent = STR("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    struct str line = STR("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 a=b, c=d");
    buf_init(&out, HEAD_BYTES_MAX);
    head_write_start(&out, STR("GET"), STR("https://h/"), &e);
    assert_null(head_find_trace(buf_str(&out)).data);
    assert_int_equal(head_write_trace(&out, line, &e), 0);
    assert_int_equal(head_parse(buf_str(&out), &h, &e), 0);
    assert_true(str_eq(h.trace.parent, parent));
    assert_true(str_eq(h.trace.state, STR("a=b, c=d")));
    assert_true(str_eq(head_find_trace(buf_str(&out)), line));
    assert_int_equal(head_parse(STR("GET https://h/\n"), &h, &e), 0);
    assert_int_equal(h.trace.parent.len, 0);
    buf_fini(&out);
}

static void test_oauth2(void **state)
{
    (void)state;
    static struct head h;
    struct head_secret found;
    struct err e;
    struct buf out;
    buf_init(&out, HEAD_BYTES_MAX);
    struct head_secret s = {.kind = HEAD_SECRET_OAUTH2,
                            .secret = STR("K"),
                            .key = STR("a client"),
                            .token_url = STR("https://t.example/token?x=1"),
                            .form = STR("grant_type=client_credentials&scope=a%20b")};
    head_write_start(&out, STR("GET"), STR("https://h/"), &e);
    assert_null(head_find_oauth2(buf_str(&out)).data);
    assert_int_equal(head_write_secret(&out, &s, &e), 0);
    head_write_header(&out, STR("X"), STR("v"), &e);
    struct str text = head_find_oauth2(buf_str(&out));
    assert_true(str_eq(text, STR("K basic a%20client https://t.example/token?x=1 "
                                 "grant_type=client_credentials&scope=a%20b")));
    assert_int_equal(head_parse(buf_str(&out), &h, &e), 0);
    assert_int_equal(head_parse_oauth2(text, &found, &e), 0);
    assert_int_equal(h.secrets[0].kind, HEAD_SECRET_OAUTH2);
    assert_true(str_eq(found.secret, s.secret) && str_eq(found.key, STR("a%20client")));
    assert_true(str_eq(found.token_url, s.token_url) && str_eq(found.form, s.form));
    assert_false(found.is_in_body);
    assert_int_equal(head_parse_oauth2(STR("K basic id"), &found, &e), ERR_INVALID);

    size_t len = out.len;
    s.form = STR("a=b\n:depth 2");
    assert_int_equal(head_write_secret(&out, &s, &e), ERR_INVALID);
    s.form = STR("a=b");
    s.token_url = STR("https://t.example/ x");
    assert_int_equal(head_write_secret(&out, &s, &e), ERR_INVALID);
    s.token_url = STR("https://t.example/");
    s.key = STR("");
    assert_int_equal(head_write_secret(&out, &s, &e), ERR_INVALID);
    char long_id[HEAD_OAUTH2_BYTES_MAX];
    memset(long_id, 'i', sizeof long_id);
    s.key = (struct str){long_id, sizeof long_id};
    assert_int_equal(head_write_secret(&out, &s, &e), ERR_INVALID);
    assert_int_equal(out.len, len);
    s.key = STR("a\nb"); // encoded in the line
    assert_int_equal(head_write_secret(&out, &s, &e), 0);
    buf_fini(&out);
}

static void test_maxima(void **state)
{
    (void)state;
    static struct head h;
    struct err e;
    struct buf out;
    buf_init(&out, 4 * HEAD_BYTES_MAX);
    head_write_start(&out, STR("GET"), STR("https://h/"), &e);
    for (int i = 0; i < HEAD_HEADERS_MAX; i++) {
        head_write_header(&out, STR("X"), STR("v"), &e);
    }
    struct head_secret s = {
        .kind = HEAD_SECRET_QUERY, .secret = STR("K"), .key = STR("k"), .prefix = STR("")};
    for (int i = 0; i < HEAD_SECRETS_MAX; i++) {
        head_write_secret(&out, &s, &e);
    }
    assert_int_equal(head_parse(buf_str(&out), &h, &e), 0);
    assert_int_equal(h.header_count, HEAD_HEADERS_MAX);
    assert_int_equal(h.secret_count, HEAD_SECRETS_MAX);
    size_t len = out.len;
    head_write_header(&out, STR("X"), STR("v"), &e);
    assert_int_equal(head_parse(buf_str(&out), &h, &e), ERR_TOO_LARGE);
    out.len = len;
    head_write_secret(&out, &s, &e);
    assert_int_equal(head_parse(buf_str(&out), &h, &e), ERR_TOO_LARGE);

    char long_value[HEAD_BYTES_MAX];
    memset(long_value, 'v', sizeof long_value);
    buf_reset(&out);
    head_write_start(&out, STR("GET"), STR("https://h/"), &e);
    head_write_header(&out, STR("X"), (struct str){long_value, sizeof long_value}, &e);
    assert_int_equal(head_parse(buf_str(&out), &h, &e), ERR_TOO_LARGE);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),  cmocka_unit_test(test_names),
        cmocka_unit_test(test_injection),   cmocka_unit_test(test_refused_pieces),
        cmocka_unit_test(test_full_buffer), cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_depth),       cmocka_unit_test(test_maxima),
        cmocka_unit_test(test_trace),       cmocka_unit_test(test_oauth2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
