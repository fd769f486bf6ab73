#include "cli_test.h"

#include "cli/options.h"

static const struct option own[] = {
    {"state", "STATE", OPTION_STATE, false, false, "a state"},
    {"limit", "N", OPTION_COUNT, false, false, "so many"},
    {"since", "TIME", OPTION_SINCE, false, false, "from then on"},
    {"listen", "ADDR:PORT", OPTION_LISTEN, false, false, "where"},
    {"url", "URL", OPTION_URL, false, false, "who"},
    {"test-clock", "PATH", OPTION_PATH, false, true, "hidden"},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};
static const struct option common[] = {
    {"allow-target", "CIDR", OPTION_CIDR, true, false, "again for more"},
    {"json", NULL, OPTION_SWITCH, false, false, "as JSON"},
    {"data", "DIR", OPTION_PATH, false, false, "a folder"},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};

// Parses words split at spaces; '_' stands for an empty word.
static int parse(struct options *o, char *line, struct err *e)
{
    char *argv[OPTIONS_ARGUMENTS_MAX + 64];
    int argc = 0;

    for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
        argv[argc++] = strcmp(word, "_") == 0 ? word + 1 : word;
    options_init(o);
    options_add_table(o, own);
    options_add_table(o, NULL);
    options_add_table(o, common);
    return options_parse(o, argc, argv, e);
}

static void values_and_arguments_are_told_apart(void **state)
{
    (void)state;
    char line[] = "show --data=a/b --limit 20 dlv_1 --allow-target 10.0.0.0/8 --json "
                  "--allow-target ::1 - -- --json -x";
    struct options o;
    struct err e = {0};
    size_t at = 0;

    assert_int_equal(parse(&o, line, &e), 0);
    assert_int_equal(o.argument_count, 5);
    assert_string_equal(o.arguments[0], "show");
    assert_string_equal(o.arguments[1], "dlv_1");
    assert_string_equal(o.arguments[2], "-");
    assert_string_equal(o.arguments[3], "--json");
    assert_string_equal(o.arguments[4], "-x");
    assert_string_equal(options_text(&o, "data"), "a/b");
    assert_int_equal(options_count(&o, "limit", 50), 20);
    assert_true(options_has(&o, "json"));
    assert_string_equal(options_next(&o, "allow-target", &at), "10.0.0.0/8");
    assert_string_equal(options_next(&o, "allow-target", &at), "::1");
    assert_null(options_next(&o, "allow-target", &at));
    assert_false(options_has(&o, "state"));
    assert_null(options_text(&o, "state"));
    assert_int_equal(options_count(&o, "nothing", 50), 50);
}

static void a_value_may_hold_an_equals_sign(void **state)
{
    (void)state;
    char line[] = "--data=a=b";
    struct options o;
    struct err e = {0};

    assert_int_equal(parse(&o, line, &e), 0);
    assert_string_equal(options_text(&o, "data"), "a=b");
}

static void good_values_are_taken(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "--state retrying",
        "--limit 1",
        "--limit 1000",
        "--since 2d",
        "--since 90m",
        "--since 2026-11-23",
        "--since 2026-11-23T09:15:00Z",
        "--listen 127.0.0.1:0",
        "--listen [::1]:8080",
        "--listen :8080",
        "--listen unix:/run/h.sock",
        "--url https://hooks.example.com",
        "--allow-target 127.0.0.1",
        "--allow-target fd00::/8",
        "--test-clock /tmp/clock",
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char line[128];
        struct options o;
        struct err e = {0};

        strcpy(line, lines[i]);
        if (parse(&o, line, &e) != 0)
            fail_msg("%s: %s", lines[i], e.text);
    }
}

static void wrong_ones_are_refused_with_words(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *words;
    } cases[] = {
        {"--lmit 3", "did you mean --limit?"},
        {"--jsno", "did you mean --json?"},
        {"--colour red", "there is no option --colour"},
        {"--test-clok x", "there is no option --test-clok"}, // a hidden one is never named
        {"-j", "options are written --name"},
        {"--json=yes", "--json takes no value"},
        {"--limit", "--limit N"},
        {"--limit --json", "--limit wants a value"},
        {"--limit 0", "from 1 to 1000, not '0'"},
        {"--limit 1001", "from 1 to 1000"},
        {"--limit ten", "not 'ten'"},
        {"--limit 3 --limit 4", "--limit is given twice"},
        {"--state sent", "pending, retrying"},
        {"--since yesterday", "not 'yesterday'"},
        {"--since 2026-02-30", "not '2026-02-30'"},
        {"--since 2 days", "--since wants"},
        {"--listen 8080", "ADDR:PORT"},
        {"--listen 127.0.0.1:", "ADDR:PORT"},
        {"--listen 127.0.0.1:70000", "ADDR:PORT"},
        {"--listen ::1:8080", "[::1]:8080"},
        {"--listen localhost:8080", "127.0.0.1:8080"},
        {"--url ftp://example.com", "--url:"},
        {"--url example.com", "--url:"},
        {"--allow-target 10.0.0.0/40", "--allow-target:"},
        {"--allow-target intranet", "--allow-target:"},
        {"--data _", "--data is empty"},
        {"--data=", "--data is empty"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char line[128];
        struct options o;
        struct err e = {0};

        strcpy(line, cases[i].line);
        if (parse(&o, line, &e) != ERR_INVALID)
            fail_msg("%s is taken", cases[i].line);
        assert_contains(e.text, cases[i].words);
    }
}

static void since_is_a_time_back_or_a_time(void **state)
{
    (void)state;
    const int64_t now_ms = INT64_C(1795425300000); // 2026-11-23T09:15:00Z
    int64_t at_ms;

    assert_int_equal(options_since("2d", now_ms, &at_ms), 0);
    assert_int_equal(at_ms, now_ms - 2 * INT64_C(86400000));
    assert_int_equal(options_since("2026-11-23", now_ms, &at_ms), 0);
    assert_int_equal(at_ms, now_ms - 9 * INT64_C(3600000) - 15 * 60000);
    assert_int_equal(options_since("2026-11-23T10:15:00+01:00", now_ms, &at_ms), 0);
    assert_int_equal(at_ms, now_ms);
    static const struct {
        const char *text;
        int64_t back_s;
    } times[] = {
        {"09:15", 0},
        {"09:14:59", 1},
        {"09:16", 24 * 3600 - 60},
        {"2026-11-23 09:00", 15 * 60},
        {"2026-11-23T09:00", 15 * 60},
        {"2026-11-23 09:00:30", 14 * 60 + 30},
    };
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        assert_int_equal(options_since(times[i].text, now_ms, &at_ms), 0);
        assert_int_equal(at_ms, now_ms - times[i].back_s * 1000);
    }
    static const char *const bad[] = {"soon",  "9:15",        "24:30",           "09:15:",
                                      "09:60", "2026-11-23 ", "2026-11-23 9:15", "2026-11-23T"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (options_since(bad[i], now_ms, &at_ms) == 0)
            fail_msg("%s is taken", bad[i]);
}

static void too_many_are_refused(void **state)
{
    (void)state;
    char line[2 * OPTIONS_ARGUMENTS_MAX + 3] = "";
    struct options o;
    struct err e = {0};

    for (int i = 0; i <= OPTIONS_ARGUMENTS_MAX; i++)
        strcat(line, "a ");
    assert_int_equal(parse(&o, line, &e), ERR_INVALID);
    assert_contains(e.text, "arguments");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_and_arguments_are_told_apart),
        cmocka_unit_test(a_value_may_hold_an_equals_sign),
        cmocka_unit_test(good_values_are_taken),
        cmocka_unit_test(wrong_ones_are_refused_with_words),
        cmocka_unit_test(since_is_a_time_back_or_a_time),
        cmocka_unit_test(too_many_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
