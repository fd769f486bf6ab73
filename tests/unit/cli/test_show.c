// What is shown to people: trees of JSON, tables, traces, advice.
#include "cli_test.h"

#include "cli/json_tree.h"
#include "cli/show.h"
#include "cli/table.h"
#include "deliver/advice.h"

struct paper { // something to print on
    FILE *file;
    char *text;
    size_t len;
};

static void paper_init(struct paper *p)
{
    memset(p, 0, sizeof(*p));
    p->file = open_memstream(&p->text, &p->len);
    assert_non_null(p->file);
}

static void assert_printed(struct paper *p, const char *wanted)
{
    fclose(p->file);
    assert_string_equal(p->text, wanted);
    free(p->text);
}

static void a_tree_is_read_and_asked(void **state)
{
    (void)state;
    static const char text[] = " {\"a\":{\"b\":12500.10,\"c\":\"x\\ny\"},\"l\":[1,[],{}],\"t\":"
                               "true,\"n\":null,\"a\\u0062\":\"k\","
                               "\"twice\":1,\"twice\":2} ";
    struct arena arena;
    struct json_node *root;
    const struct json_node *list;

    arena_init(&arena, 1024 * 1024);
    assert_int_equal(json_tree_read(&root, str_from(text), &arena, NULL), 0);
    assert_str_text(json_tree_text(json_tree_get(root, "a.b")), "12500.10");
    assert_str_text(json_tree_text(json_tree_get(root, "a.c")), "x\ny");
    assert_str_text(json_tree_get(root, "a.c")->raw, "\"x\\ny\"");
    assert_str_text(json_tree_get(root, "a")->raw, "{\"b\":12500.10,\"c\":\"x\\ny\"}");
    assert_str_text(json_tree_text(json_tree_get(root, "ab")), "k");
    assert_str_text(json_tree_text(json_tree_get(root, "n")), "");
    assert_str_text(json_tree_text(json_tree_get(root, "missing.deep")), "");
    assert_str_text(json_tree_text(json_tree_get(root, "twice")), "2");
    assert_null(json_tree_get(root, "a.b.c"));
    assert_null(json_tree_get(NULL, "a"));
    assert_true(json_tree_is_true(json_tree_get(root, "t")));
    assert_false(json_tree_is_true(json_tree_get(root, "n")));
    list = json_tree_get(root, "l");
    assert_str_text(list->raw, "[1,[],{}]");
    assert_int_equal(list->first->next->kind, JSON_ARRAY_BEGIN);
    assert_null(list->first->next->first);
    assert_int_equal(list->first->next->next->kind, JSON_OBJECT_BEGIN);
    arena_fini(&arena);
}

static void a_bad_tree_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "{", "{\"a\"}", "[1,]", "1 2", "\"\xff\"", "{\"a\":}"};

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct arena arena;
        struct json_node *root;
        struct err e = {0};

        arena_init(&arena, 1024 * 1024);
        if (json_tree_read(&root, str_from(texts[i]), &arena, &e) != ERR_INVALID || !*e.text)
            fail_case(i, "%s is taken", texts[i]);
        arena_fini(&arena);
    }
    struct arena arena;
    struct json_node *root;
    arena_init(&arena, 64);
    assert_int_equal(json_tree_read(&root, STR("[1,2,3,4,5,6]"), &arena, NULL), ERR_NOMEM);
    arena_fini(&arena);
}

static void nothing_from_outside_plays_with_the_terminal(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool keep_lines;
        const char *wanted;
    } cases[] = {
        {"plain \xC3\xA9 \xE2\x82\xAC", false, "plain \xC3\xA9 \xE2\x82\xAC"},
        {"\x1B[31mred\x07", false, "\\x1B[31mred\\x07"},
        {"a\nb\tc\r", false, "a\\nb\\x09c\\x0D"},
        {"a\nb\tc\r", true, "a\nb\tc\\x0D"},
        {"bad \xFF\xC3 end", false, "bad \\xFF\\xC3 end"},
        {"\xC2\x9B"
         "31m",
         false, "\\x9B31m"},
        {"\x7F", false, "\\x7F"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct paper p;

        paper_init(&p);
        table_print_safe(p.file, str_from(cases[i].text), cases[i].keep_lines);
        assert_printed(&p, cases[i].wanted);
    }
}

static void columns_are_aligned(void **state)
{
    (void)state;
    static const char *const names[] = {"ID", "NAME", "NOTE"};
    static const char *const cells[] = {
        "1",
        "caf\xC3\xA9",
        "x",
        "22",
        "",
        "",
        "333",
        "0123456789012345678901234567890123456789012345678901234567890123",
        "0123456789012345678901234567890123456789012345678901234567890123"};
    struct arena arena;
    struct table t;
    struct paper p;

    arena_init(&arena, 1024 * 1024);
    table_init(&t, names, 3, &arena);
    for (size_t i = 0; i < COUNT_OF(cells); i++)
        table_add(&t, str_from(cells[i]));
    paper_init(&p);
    table_print(&t, p.file);
    assert_printed(&p,
                   "ID   NAME                                                          NOTE\n"
                   "1    caf\xC3\xA9                                                          x\n"
                   "22                                                                 \n"
                   "333  012345678901234567890123456789012345678901234567890123456...  "
                   "0123456789012345678901234567890123456789012345678901234567890123\n");
    arena_fini(&arena);
}

static void a_trace_is_a_tree(void **state)
{
    (void)state;
    static const char text[] =
        "{\"all\":[{\"field\":\"stage\",\"operator\":\"is_in\",\"wanted\":[\"Won\"],\"seen\":"
        "\"Lost\","
        "\"verdict\":false,\"note\":null},{\"any\":[{\"field\":\"a\",\"operator\":\"is_empty\","
        "\"wanted\":null,\"seen\":null,\"verdict\":true,\"note\":\"the record has no such value\"},"
        "{\"field\":null,\"operator\":\"function\",\"wanted\":null,\"seen\":null,\"verdict\":false,"
        "\"note\":\"a function\"}],\"verdict\":true}],\"verdict\":false}";
    struct arena arena;
    struct json_node *root;
    struct paper p;

    arena_init(&arena, 1024 * 1024);
    assert_int_equal(json_tree_read(&root, str_from(text), &arena, NULL), 0);
    paper_init(&p);
    show_trace(p.file, root, 2);
    assert_printed(&p, "  no  all of\n"
                       "    no  stage is_in [\"Won\"], seen: \"Lost\"\n"
                       "    yes any of\n"
                       "      yes a is_empty, seen: null (the record has no such value)\n"
                       "      no  a function (a function)\n");
    arena_fini(&arena);
}

static void requests_and_answers_are_shown_line_by_line(void **state)
{
    (void)state;
    static const char request[] =
        "{\"method\":\"POST\",\"url\":\"https://a.example/x\",\"headers\":{\"A\":\"1\","
        "\"B\":\"\\u001b[2J\"},\"body\":\"{\\n}\"}";
    static const char response[] =
        "{\"status\":503,\"headers\":{\"C\":\"2\"},\"body\":\"busy\",\"truncated\":true}";
    static const char json[] = "{\"status\":200,\"body\":\"{\\\"a\\\":[1.50,\\\"\\\\u001b\\\"]}\"}";
    struct arena arena;
    struct json_node *root;
    struct paper p;

    arena_init(&arena, 1024 * 1024);
    paper_init(&p);
    assert_int_equal(json_tree_read(&root, str_from(request), &arena, NULL), 0);
    show_request(p.file, root, SHOW_AS_SENT);
    assert_int_equal(json_tree_read(&root, str_from(response), &arena, NULL), 0);
    show_response(p.file, root, SHOW_AS_SENT);
    assert_printed(&p,
                   "  > POST https://a.example/x\n  > A: 1\n  > B: \\x1B[2J\n  > \n  > {\n  > }\n"
                   "  < status 503\n  < C: 2\n  < \n  < busy\n  < ... (the rest was not kept)\n");
    paper_init(&p);
    assert_int_equal(json_tree_read(&root, str_from(json), &arena, NULL), 0);
    show_response(p.file, root, SHOW_INDENTED);
    assert_printed(&p, "  < status 200\n  < \n  < {\n  <   \"a\": [\n  <     1.50,\n"
                       "  <     \"\\u001b\"\n  <   ]\n  < }\n");
    arena_fini(&arena);
}

static void each_failure_has_its_advice(void **state)
{
    (void)state;
    static const struct {
        struct failure failure;
        const char *words;
    } cases[] = {
        {{.error = "dns"}, "The name app.example.com leads to no address"},
        {{.error = "connect"}, "is the app running"},
        {{.error = "tls"}, "certificate must be valid, not expired, made for app.example.com"},
        {{.error = "tls", .tls = CLIENT_TLS_NAME}, "another name than app.example.com"},
        {{.error = "tls", .tls = CLIENT_TLS_EXPIRED}, "has expired"},
        {{.error = "tls", .tls = CLIENT_TLS_NOT_YET_VALID}, "is not valid yet"},
        {{.error = "tls", .tls = CLIENT_TLS_SELF_SIGNED},
         "targets[\"https://app.example.com:443\"] = { ca = \"FILE.pem\" }"},
        {{.error = "tls", .tls = CLIENT_TLS_UNKNOWN_CA}, "whole chain"},
        {{.error = "tls", .tls = CLIENT_TLS_CERT_WANTED},
         "cert = \"FILE.pem\", key = \"FILE.pem\""},
        {{.error = "tls", .tls = CLIENT_TLS_CERT_REFUSED}, "does not take the client certificate"},
        {{.error = "tls", .tls = CLIENT_TLS_OLD}, "version 1.2"},
        {{.error = "tls", .tls = CLIENT_TLS_NOT_SPOKEN}, "does not speak TLS"},
        {{.error = "tls", .tls = CLIENT_TLS_PROXY}, "handshake with the proxy"},
        {{.status = 400, .tls = CLIENT_TLS_CERT_WANTED}, "asks for a client certificate"},
        {{.status = 404, .tls = CLIENT_TLS_CERT_WANTED}, "nothing under this path"},
        {{.error = "connect", .is_proxied = true}, "The proxy takes no connections"},
        {{.error = "connect", .is_proxied = true, .proxy_status = 403}, "must allow CONNECT"},
        {{.error = "connect", .is_proxied = true, .proxy_status = 407}, "a user and a password"},
        {{.error = "timeout"}, "in time (30 s)"},
        {{.error = "reset"}, "closed the connection"},
        {{.error = "protocol"}, "does not speak HTTP"},
        {{.error = "address_refused"}, "--allow-target CIDR"},
        {{.error = "secret_missing", .secret = STR("KEY")}, "hookline secrets set KEY"},
        {{.error = "unsent"}, "Nothing was sent"},
        {{.error = "response_too_large"}, "1 MiB at most"},
        {{.status = 200}, "`success` says"},
        {{.status = 301, .location = STR("https://b.example/")}, "https://b.example/"},
        {{.status = 304}, "Redirects are never followed"},
        {{.status = 400}, "compare the body"},
        {{.status = 422}, "compare the body"},
        {{.status = 401}, "does not know these credentials"},
        {{.status = 403}, "does not let them"},
        {{.status = 404}, "nothing under this path"},
        {{.status = 405}, "another request type"},
        {{.status = 415}, "another format"},
        {{.status = 410}, "gone for good"},
        {{.status = 413}, "too large"},
        {{.status = 429}, "too many requests"},
        {{.status = 500}, "its log should say why"},
        {{.status = 504}, "ran out of time"},
        {{.status = 418}, "from 200 to 299"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct failure f = cases[i].failure;
        struct buf out;

        buf_init(&out, 4096);
        f.url = "https://app.example.com/x?key=****";
        f.timeout_ms = 30000;
        advice_write(&out, &f);
        if (!out.len || memchr(out.data, '\n', out.len) ||
            !memmem(out.data, out.len, cases[i].words, strlen(cases[i].words)))
            fail_case(i, STR_FMT, STR_ARG(buf_str(&out)));
        buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_is_read_and_asked),
        cmocka_unit_test(a_bad_tree_is_refused),
        cmocka_unit_test(nothing_from_outside_plays_with_the_terminal),
        cmocka_unit_test(columns_are_aligned),
        cmocka_unit_test(a_trace_is_a_tree),
        cmocka_unit_test(requests_and_answers_are_shown_line_by_line),
        cmocka_unit_test(each_failure_has_its_advice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
