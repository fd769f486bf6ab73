#include "cli_test.h"

static const char *const names[] = {"serve",   "check",     "try",    "send",       "new",
                                    "secrets", "workflows", "events", "deliveries", "reload"};

static void help_names_every_command(void **state)
{
    (void)state;
    static const char *const ways[] = {"--help", "-h", "help"};

    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        struct result r = RUN(ways[i]);

        assert_int_equal(r.status, CLI_DONE);
        assert_string_equal(r.messages, "");
        for (size_t k = 0; k < COUNT_OF(names); k++)
            assert_contains(r.out, names[k]);
        result_free(&r);
    }
}

static void each_command_has_help(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct result a = RUN("help", names[i]);
        struct result b = RUN(names[i], "--nonsense", "--help");

        assert_int_equal(a.status, CLI_DONE);
        assert_int_equal(b.status, CLI_DONE);
        assert_string_equal(a.out, b.out);
        assert_contains(a.out, "Usage: hookline ");
        assert_contains(a.out, "--data DIR");
        assert_null(strstr(a.out, "--test-clock"));
        assert_null(strstr(a.out, "--crash-at"));
        result_free(&a);
        result_free(&b);
    }
}

static void the_version_is_printed(void **state)
{
    (void)state;
    struct result r = RUN("--version");

    assert_int_equal(r.status, CLI_DONE);
    assert_string_equal(r.out, "hookline " HOOKLINE_VERSION "\n");
    result_free(&r);
}

static void wrong_usage_ends_with_2_and_says_what_to_write(void **state)
{
    (void)state;
    static const struct {
        const char *words[6];
        const char *message;
    } cases[] = {
        {{NULL}, "Usage: hookline COMMAND"},
        {{"chekc"}, "did you mean check?"},
        {{"frobnicate"}, "there is no command frobnicate"},
        {{"help", "sned"}, "did you mean send?"},
        {{"explain"}, "an argument is missing: hookline explain RULES/NAME.lua"},
        {{"explain", "x.lua", "--workflow", "x"}, "--workflow is for an event's id"},
        {{"tokens", "add", "crm"}, "add needs --role"},
        {{"tokens", "add", "--role", "read"}, "a name is missing"},
        {{"tokens", "add", "x", "--role", "root"}, "--role wants ingest, read or admin"},
        {{"tokens", "add", "x", "--rate", "5"}, "--rate wants a rate"},
        {{"tokens", "show", "x"}, "tokens wants [list | add NAME"},
        {{"runs", "--outcome", "bad"}, "--outcome wants sent, dry, error or suppressed"},
        {{"--data", "x", "serve"}, "the command comes first"},
        {{"check", "--jsno"}, "did you mean --json?"},
        {{"check", "extra"}, "one argument too many: extra"},
        {{"serve", "--listen", "nowhere"}, "--listen: "},
        {{"serve", "--json"}, "there is no option --json"},
        {{"try"}, "an argument is missing: hookline try RULES/NAME.lua"},
        {{"send"}, "an argument is missing"},
        {{"new"}, "an argument is missing"},
        {{"new", "a/b"}, "cannot be a workflow's name"},
        {{"new", "../x"}, "cannot be a workflow's name"},
        {{"new", "x_test"}, "cannot be a workflow's name"},
        {{"secrets"}, "an argument is missing"},
        {{"secrets", "show"}, "set, list or remove, not 'show'"},
        {{"secrets", "set"}, "a name is missing"},
        {{"secrets", "set", "lower"}, "cannot be a secret's name"},
        {{"secrets", "set", "../X"}, "cannot be a secret's name"},
        {{"secrets", "list", "X"}, "one argument too many"},
        {{"secrets", "remove", "X", "--json"}, "--json goes with secrets list"},
        {{"events", "show"}, "an id is missing"},
        {{"events", "list", "x"}, "one argument too many"},
        {{"deliveries", "dlv_1"}, "cancel [ID]], not 'dlv_1'"},
        {{"deliveries", "--state", "sent"}, "--state wants pending"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct result r = run_cli(cases[i].words, NULL);

        if (r.status != CLI_USAGE || !strstr(r.messages, cases[i].message) || *r.out)
            fail_case(i, "status %d, \"%s\"", r.status, r.messages);
        result_free(&r);
    }
}

static void a_full_disk_behind_stdout_is_a_failure(void **state)
{
    (void)state;
    char *const argv[] = {(char *)"hookline", (char *)"--help"};
    char *const environment[] = {NULL};
    char *messages = NULL;
    size_t len;
    FILE *full = fopen("/dev/full", "w");
    FILE *err = open_memstream(&messages, &len);

    assert_non_null(full);
    assert_int_equal(cli_run(2, argv, environment, full, err), CLI_FAILED);
    fclose(full);
    fclose(err);
    assert_contains(messages, "writing the output failed");
    free(messages);
}

static void a_bad_configuration_stops_every_command(void **state)
{
    (void)state;
    static const char *const commands[][3] = {{"check"},  {"new", "x"},  {"secrets", "list"},
                                              {"events"}, {"send", "-"}, {"try", "x.lua"},
                                              {"serve"}}; // which no service manager tries again

    write_file("hookline.conf.lua", "return { lisen = ':1' }");
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        struct result r = RUN(commands[i][0], commands[i][1] ? commands[i][1] : "--data",
                              commands[i][1] ? "--data" : "d", commands[i][1] ? "d" : NULL);

        int wanted = strcmp(commands[i][0], "serve") == 0 ? CLI_USAGE : CLI_FAILED;

        if (r.status != wanted || !strstr(r.messages, "did you mean listen?"))
            fail_case(i, "status %d, %s", r.status, r.messages);
        result_free(&r);
    }
}

static void without_a_host_it_says_how_to_start_one(void **state)
{
    (void)state;
    static const char *const commands[][3] = {
        {"events"}, {"deliveries"}, {"workflows"}, {"reload"}};

    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        struct result r = RUN(commands[i][0]);

        assert_int_equal(r.status, CLI_FAILED);
        assert_contains(r.messages, "no host is running on the data folder data");
        assert_contains(r.messages, "hookline serve --data data");
        result_free(&r);
    }
    // An address that nobody listens on: port 1 is reserved, and no host of ours takes it.
    assert_int_equal(mkdir("data", 0700), 0);
    write_file("data/address", "127.0.0.1:1\n");
    struct result r = RUN("events");
    assert_int_equal(r.status, CLI_FAILED);
    assert_contains(r.messages, "no host answers on http://127.0.0.1:1");
    result_free(&r);
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, setup_folder, teardown_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_names_every_command),
        cmocka_unit_test(each_command_has_help),
        cmocka_unit_test(the_version_is_printed),
        in_folder(wrong_usage_ends_with_2_and_says_what_to_write),
        cmocka_unit_test(a_full_disk_behind_stdout_is_a_failure),
        in_folder(a_bad_configuration_stops_every_command),
        in_folder(without_a_host_it_says_how_to_start_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
