#include "cli_test.h"

#include "deliver/curl_command.h"

// Runs a command by /bin/sh and gives its output (with NULs) back.
static struct buf shell(const char *command)
{
    FILE *pipe = popen(command, "r");
    struct buf out;
    int ch;

    assert_non_null(pipe);
    buf_init(&out, 1024 * 1024);
    while ((ch = fgetc(pipe)) != EOF)
        buf_append_char(&out, (char)ch);
    assert_int_equal(pclose(pipe), 0);
    return out;
}

static void what_is_quoted_comes_out_of_a_shell_as_it_was(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",     "plain", "it's",     "''",       "$HOME `id` \"x\" \\n",
        "a\nb", "!!",    "*?[a]{b}", "\\'\\\\'", "\xC3\xA9 \xE2\x82\xAC",
    };

    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct buf command, got;

        buf_init(&command, 4096);
        buf_append_text(&command, "printf %s ");
        curl_quote(&command, str_from(texts[i]));
        buf_append_char(&command, '\0');
        got = shell(command.data);
        assert_str_text(buf_str(&got), texts[i]);
        buf_fini(&got);
        buf_fini(&command);
    }
}

struct made {
    struct arena arena;
    struct head head;
    struct request masked;
    struct buf command;
};

// The command for a head and a body, with "data" as the data folder.
static void make(struct made *m, const char *head_text, struct str body, bool sends_body,
                 const char *redirect_all)
{
    struct request_input input;
    struct curl_command c;
    struct err e = {0};

    arena_init(&m->arena, 16 * 1024 * 1024);
    buf_init(&m->command, 16 * 1024 * 1024);
    assert_int_equal(head_parse(str_from(head_text), &m->head, &e), 0);
    input = (struct request_input){
        .head = str_from(head_text), .delivery = 1, .at_ms = 1000, .redirect_all = redirect_all};
    assert_int_equal(request_build(&m->masked, &input, NULL, NULL, &m->arena, &e), 0);
    c = (struct curl_command){.head = &m->head,
                              .masked = &m->masked,
                              .redirect_all = redirect_all,
                              .body = body,
                              .sends_body = sends_body,
                              .data_dir = "data",
                              .timeout_ms = 1500};
    assert_int_equal(curl_command_write(&m->command, &c), 0);
    buf_append_char(&m->command, '\0');
}

static void made_free(struct made *m)
{
    buf_fini(&m->command);
    arena_fini(&m->arena);
}

static void secrets_stand_in_it_by_reference(void **state)
{
    (void)state;
    struct made m;

    assert_int_equal(mkdir("data", 0700), 0);
    assert_int_equal(mkdir("data/secrets", 0700), 0);
    write_file("data/secrets/IN_FILE", "v4lue");
    make(&m,
         "POST https://a.example/x\nContent-Type: application/json\nX-Plain: it's\n"
         ":basic IN_FILE crm\n:header ELSEWHERE X-Key: Token \n:query IN_FILE api key\n",
         STR("{\"a\":\"it's\"}"), true, NULL);
    assert_contains(m.command.data, "-X POST -m 2 'https://a.example/x'");
    assert_contains(m.command.data, "-u 'crm:'\"$(cat 'data/secrets/IN_FILE')\"");
    assert_contains(m.command.data, "-H 'X-Key: Token '\"$HOOKLINE_SECRET_ELSEWHERE\"");
    assert_contains(m.command.data, "--url-query 'api%20key='\"$(cat 'data/secrets/IN_FILE')\"");
    assert_contains(m.command.data, "-H 'X-Plain: it'\\''s'");
    assert_contains(m.command.data, "--data-binary '{\"a\":\"it'\\''s\"}'");
    assert_contains(m.command.data, "-H 'Accept:'");
    assert_null(strstr(m.command.data, "v4lue"));
    assert_null(strstr(m.command.data, "****"));
    made_free(&m);
}

static void a_get_has_no_body(void **state)
{
    (void)state;
    struct made m;

    make(&m, "GET https://a.example/x?b=1\nX-Empty: \n", STR(""), false, NULL);
    assert_null(strstr(m.command.data, "--data"));
    assert_null(strstr(m.command.data, "Expect"));
    assert_contains(m.command.data, "-H 'X-Empty;'");
    assert_contains(m.command.data, "'https://a.example/x?b=1'");
    made_free(&m);
}

static void a_redirected_one_goes_there_without_the_secrets_of_its_url(void **state)
{
    (void)state;
    struct made m;

    make(&m, "POST https://a.example/x\n:query KEY api_key\n", STR("{}"), true,
         "http://127.0.0.1:9/catch");
    assert_contains(m.command.data, "-X POST -m 2 'http://127.0.0.1:9/catch'");
    assert_contains(m.command.data, "-H 'hookline-original-url: https://a.example/x'");
    assert_null(strstr(m.command.data, "--url-query"));
    made_free(&m);
}

static void a_body_that_begins_with_an_at_is_no_file(void **state)
{
    (void)state;
    struct made m;

    make(&m, "POST https://a.example/x\n", STR("@/etc/passwd"), true, NULL);
    assert_contains(m.command.data, "--data-raw '@/etc/passwd'");
    made_free(&m);
}

// What no argument can hold goes through a pipe: its bytes are those of the body.
static void a_body_with_nul_goes_through_a_pipe(void **state)
{
    (void)state;
    static const char bytes[] = "a\0b\\n%s'c'\0001\n";
    struct str body = {bytes, sizeof(bytes) - 1};
    struct made m;
    struct buf got;
    char *end;

    make(&m, "POST https://a.example/x\n", body, true, NULL);
    assert_contains(m.command.data, "--data-binary @-");
    end = strstr(m.command.data, " |\ncurl ");
    assert_non_null(end);
    *end = '\0';
    got = shell(m.command.data);
    assert_str(buf_str(&got), body);
    buf_fini(&got);
    made_free(&m);
}

static void a_large_body_goes_through_a_pipe(void **state)
{
    (void)state;
    struct buf body;
    struct made m;

    buf_init(&body, 1024 * 1024);
    for (int i = 0; i < 200 * 1024; i++)
        buf_append_char(&body, 'x');
    make(&m, "PUT https://a.example/x\n", buf_str(&body), true, NULL);
    assert_contains(m.command.data, "printf %b 'xxx");
    assert_contains(m.command.data, "--data-binary @-");
    made_free(&m);
    buf_fini(&body);
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, setup_folder, teardown_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_quoted_comes_out_of_a_shell_as_it_was),
        in_folder(secrets_stand_in_it_by_reference),
        in_folder(a_get_has_no_body),
        in_folder(a_redirected_one_goes_there_without_the_secrets_of_its_url),
        in_folder(a_body_that_begins_with_an_at_is_no_file),
        in_folder(a_body_with_nul_goes_through_a_pipe),
        in_folder(a_large_body_goes_through_a_pipe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
