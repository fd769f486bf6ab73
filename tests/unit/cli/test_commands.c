// Commands that need no host, run as they are from the command line: new, check, secrets, try.
#include "cli_test.h"

#include <fcntl.h>

#include "cli/json_tree.h"

static mode_t mode_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void give_stdin(const char *bytes, size_t len)
{
    int fd = open("stdin", O_RDWR | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_true(dup2(fd, STDIN_FILENO) >= 0);
    close(fd);
}

static void a_new_workflow_passes_check_and_fires_in_try(void **state)
{
    (void)state;
    static const char *const good[] = {"invoice", "invoice-2", "_x", "9lives", "A_b"};

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        char path[64];
        struct result made = RUN("new", good[i]);
        struct result tried;

        snprintf(path, sizeof(path), "rules/%s.lua", good[i]);
        assert_int_equal(made.status, CLI_DONE);
        assert_int_equal(access(path, R_OK), 0);
        tried = RUN("try", path);
        if (tried.status != CLI_DONE)
            fail_case(i, "%s%s", tried.out, tried.messages);
        assert_contains(tried.out, "would fire");
        assert_contains(tried.out, "> POST https://app.example.com/api/deals");
        assert_contains(tried.out, "curl -sS -i -g -X POST");
        result_free(&tried);
        result_free(&made);
    }
    struct result checked = RUN("check");
    assert_int_equal(checked.status, CLI_DONE);
    assert_string_equal(checked.out, "5 workflows and 5 test files: all fine.\n");
    result_free(&checked);
}

static void new_overwrites_nothing(void **state)
{
    (void)state;
    char kept[16] = "";
    FILE *file;

    assert_int_equal(mkdir("rules", 0777), 0);
    write_file("rules/mine.lua", "-- mine");
    struct result r = RUN("new", "mine");
    assert_int_equal(r.status, CLI_FAILED);
    assert_contains(r.messages, "rules/mine.lua is there already");
    result_free(&r);
    file = fopen("rules/mine.lua", "r");
    assert_non_null(fgets(kept, sizeof(kept), file));
    fclose(file);
    assert_string_equal(kept, "-- mine");
}

static void check_tells_every_fault_with_its_place(void **state)
{
    (void)state;
    assert_int_equal(mkdir("rules", 0777), 0);
    write_file("rules/bad.lua",
               "local hook = require 'hookline'\n"
               "return hook.workflow {\n"
               "  recrod = 'deal',\n"
               "  trigger = hook.once { 'created' },\n"
               "  actions = { hook.webhook { method = 'PSOT', url = 'https://a.example/' } },\n"
               "}\n");
    write_file("rules/syntax.lua", "return {");
    write_file("rules/bad_test.lua", "return {");
    struct result made = RUN("new", "fine");
    result_free(&made);
    struct result r = RUN("check");
    assert_int_equal(r.status, CLI_FAILED);
    assert_contains(r.out, "rules/bad.lua:2: error: recrod: ");
    assert_contains(r.out, "rules/bad.lua:5: error: actions[1].method: ");
    assert_contains(r.out, "rules/syntax.lua:1: error: ");
    assert_contains(r.out, "rules/bad_test.lua:1: error: ");
    assert_contains(r.out, "3 workflows and 2 test files: 5 errors.\n");
    result_free(&r);

    struct arena arena;
    struct json_node *root;
    arena_init(&arena, 1024 * 1024);
    r = RUN("check", "--json");
    assert_int_equal(r.status, CLI_FAILED);
    assert_int_equal(json_tree_read(&root, str_from(r.out), &arena, NULL), 0);
    assert_str_text(json_tree_text(json_tree_get(root, "workflows")->first->first), "fine");
    assert_str_text(json_tree_text(json_tree_get(json_tree_get(root, "errors")->first, "file")),
                    "rules/bad.lua");
    assert_str_text(json_tree_text(json_tree_get(json_tree_get(root, "errors")->first, "line")),
                    "2");
    assert_null(json_tree_get(root, "warnings")->first);
    result_free(&r);
    arena_fini(&arena);
}

static void check_wants_a_rules_folder(void **state)
{
    (void)state;
    struct result r = RUN("check", "--rules", "nowhere");

    assert_int_equal(r.status, CLI_FAILED);
    assert_contains(r.messages, "nowhere");
    result_free(&r);
}

static void secrets_are_kept_for_their_owner_alone(void **state)
{
    (void)state;
    char value[64] = "";
    FILE *file;

    umask(0);
    give_stdin("s3cret value\n\n", 13); // the first newline alone
    struct result r = RUN("secrets", "set", "API_KEY");
    assert_int_equal(r.status, CLI_DONE);
    assert_null(strstr(r.messages, "s3cret"));
    result_free(&r);
    assert_int_equal(mode_of("data"), 0700);
    assert_int_equal(mode_of("data/secrets"), 0700);
    assert_int_equal(mode_of("data/secrets/API_KEY"), 0600);
    file = fopen("data/secrets/API_KEY", "r");
    assert_int_equal(fread(value, 1, sizeof(value), file), 12);
    fclose(file);
    assert_memory_equal(value, "s3cret value", 12);

    give_stdin("other", 5);
    r = RUN("secrets", "set", "A2");
    assert_int_equal(r.status, CLI_DONE);
    result_free(&r);
    r = RUN("secrets", "list");
    assert_string_equal(r.out, "A2\nAPI_KEY\n");
    result_free(&r);
    r = RUN("secrets", "list", "--json");
    assert_string_equal(r.out, "{\"secrets\":[\"A2\",\"API_KEY\"]}\n");
    result_free(&r);
    r = RUN("secrets", "remove", "API_KEY");
    assert_int_equal(r.status, CLI_DONE);
    result_free(&r);
    r = RUN("secrets", "remove", "API_KEY");
    assert_int_equal(r.status, CLI_FAILED);
    assert_contains(r.messages, "there is no secret API_KEY");
    result_free(&r);
    r = RUN("secrets", "list");
    assert_string_equal(r.out, "A2\n");
    result_free(&r);
}

static void bad_secrets_are_refused_and_the_old_one_stays(void **state)
{
    (void)state;
    static char large[17 * 1024];
    const struct {
        const char *bytes;
        size_t len;
        const char *words;
    } cases[] = {
        {"", 0, "the secret is empty"},
        {"\n", 1, "the secret is empty"},
        {"a\n\n", 3, "control character (byte 2 is 0x0A)"},
        {"a\r\n", 3, "control character (byte 2 is 0x0D)"},
        {"a\tb", 3, "control character (byte 2 is 0x09)"},
        {"a\0b", 3, "control character (byte 2 is 0x00)"},
        {"a\177", 2, "control character (byte 2 is 0x7F)"},
        {large, sizeof(large), "16384 bytes at most"},
    };
    char kept[16] = "";
    FILE *file;

    memset(large, 'x', sizeof(large));
    give_stdin("old", 3);
    struct result r = RUN("secrets", "set", "KEY");
    result_free(&r);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        give_stdin(cases[i].bytes, cases[i].len);
        r = RUN("secrets", "set", "KEY");
        if (r.status != CLI_FAILED || !strstr(r.messages, cases[i].words))
            fail_case(i, "status %d, %s", r.status, r.messages);
        result_free(&r);
    }
    file = fopen("data/secrets/KEY", "r");
    assert_non_null(fgets(kept, sizeof(kept), file));
    fclose(file);
    assert_string_equal(kept, "old");
    r = RUN("secrets", "list"); // and nothing half-written lies about
    assert_string_equal(r.out, "KEY\n");
    result_free(&r);
}

static void try_says_why_it_would_not_fire(void **state)
{
    (void)state;
    struct result made = RUN("new", "won");

    result_free(&made);
    write_file("lost.json",
               "{\"type\":\"deal.updated\",\"record\":{\"id\":1,\"deal_stage\":\"Lost\"}}");
    struct result r = RUN("try", "rules/won.lua", "--event", "lost.json");
    assert_int_equal(r.status, CLI_FAILED);
    assert_contains(r.out, "would not fire");
    assert_contains(r.out, "no  deal_stage is_in [\"Default Pipeline:Won\"], seen: \"Lost\"");
    assert_null(strstr(r.out, "request_sent"));
    result_free(&r);

    write_file("other.json", "{\"type\":\"lead.created\",\"record\":{\"id\":1}}");
    r = RUN("try", "rules/won.lua", "--event", "other.json", "--json");
    assert_int_equal(r.status, CLI_FAILED);
    assert_contains(r.out, "\"would_fire\":false");
    assert_contains(r.out, "\"requests\":[]");
    result_free(&r);
}

static void try_refuses_what_is_no_event_or_no_workflow(void **state)
{
    (void)state;
    static const struct {
        const char *event;
        const char *words;
    } cases[] = {
        {"", "there is no event in it"},
        {"{\"type\":", "event.json: "},
        {"{\"type\":\"deal.won\",\"record\":{\"id\":1}}", "event.json: \"type\""},
        {"{\"type\":\"deal.updated\",\"record\":{}}", "\"record.id\" is missing"},
        {"[3]", "event.json: "},
    };
    struct result made = RUN("new", "won");

    result_free(&made);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        write_file("event.json", cases[i].event);
        struct result r = RUN("try", "rules/won.lua", "--event", "event.json");
        if (r.status != CLI_FAILED || !strstr(r.messages, cases[i].words) || *r.out)
            fail_case(i, "status %d, %s", r.status, r.messages);
        result_free(&r);
    }
    struct result r = RUN("try", "rules/won.lua", "--event", "missing.json");
    assert_int_equal(r.status, CLI_FAILED);
    assert_contains(r.messages, "missing.json");
    result_free(&r);
    r = RUN("try", "rules/missing.lua");
    assert_int_equal(r.status, CLI_FAILED);
    assert_contains(r.messages, "rules/missing.lua");
    result_free(&r);
    write_file("rules/bad.lua", "return 3");
    r = RUN("try", "rules/bad.lua", "--json");
    assert_int_equal(r.status, CLI_FAILED);
    assert_contains(r.messages, "rules/bad.lua: error: ");
    assert_contains(r.out, "\"errors\":[{\"file\":\"rules/bad.lua\"");
    result_free(&r);
}

static void a_sample_likes_the_conditions(void **state)
{
    (void)state;
    static const char *const conditions[] = {
        "field 'stage':is 'Won'",
        "field 'stage':is_in { 'A', 'B' }",
        "field 'stage':is_not 'New'",
        "field 'name':is_not 'Acme renewal'",
        "field 'name':is_empty()",
        "field 'other':is_not_empty()",
        "field 'amount':greater_than(1e6)",
        "field 'amount':at_least '20000.5'",
        "field 'amount':less_than(-3)",
        "field 'amount':at_most(5)",
        "field 'amount':equals(7)",
        "field 'name':contains 'x'",
        "field 'name':starts_with 'x'",
        "field 'name':ends_with 'x'",
        "field 'stage':changed()",
        "field 'stage':changed_to 'Won'",
        "field 'stage':changed_from 'New'",
        "field 'stage':changed_from_to('New', 'Won')",
        "field 'amount':increased()",
        "field 'amount':decreased()",
        "field 'stage':not_changed()",
        "field 'name':not_contains 'Acme'",
        "field 'amount':not_equals(12500.5)",
        "field 'amount':between(1, 2)",
        "field 'closed_date':between('2020-01-01', '2020-01-31')",
        "field 'closed_date':on '2020-01-01'",
        "field 'closed_date':before '2020-01-01'",
        "field 'closed_date':after '2120-01-01'",
        "field 'closed_date':in_last '1d'",
        "field 'closed_date':in_next '1d'",
        "field 'created_at':older_than '20000d'",
        "field 'tags':contains_any { 'a', 'b' }",
        "field 'tags':contains_all { 'a', 'b' }",
        "field 'tags':contains_none { 'a' }",
        "field 'is_open':is_true()",
        "field 'is_open':is_false()",
        "hook.none { field 'name':not_contains 'x', field 'created_at':before '2027-01-01' }",
        "hook.none { field 'amount':not_equals(3), field 'tags':contains_none { 'a' } }",
        "field 'account.owner.name':is 'Ada'",
        "field 'products[*].sku':is 'G-1'",
        "hook.any { field 'a':is 'b', field 'c':is 'd' }",
        "hook.none { field 'name':contains 'Acme', field 'amount':greater_than(1) }",
        "hook.none { hook.all { field 'name':contains 'Acme', field 'amount':greater_than(1) } }",
        "hook.all { field 'stage':changed_to 'Won', hook.any { field 'x':is(1), field 'y':is(2) } "
        "}",
    };

    assert_int_equal(mkdir("rules", 0777), 0);
    for (size_t i = 0; i < COUNT_OF(conditions); i++) {
        char text[1024];

        snprintf(text, sizeof(text),
                 "local hook = require 'hookline'\nlocal field = hook.field\n"
                 "return hook.workflow { record = 'deal', trigger = hook.every { 'updated' },\n"
                 "when = hook.all { %s }, actions = { hook.webhook {\n"
                 "method = 'GET', url = 'https://a.example/' } } }\n",
                 conditions[i]);
        write_file("rules/w.lua", text);
        struct result r = RUN("try", "rules/w.lua");
        if (r.status != CLI_DONE)
            fail_case(i, "%s: %s%s", conditions[i], r.out, r.messages);
        assert_contains(r.out, "a sample event");
        result_free(&r);
    }
}

static void try_shows_what_a_rule_raises(void **state)
{
    (void)state;
    assert_int_equal(mkdir("rules", 0777), 0);
    write_file("rules/w.lua",
               "local hook = require 'hookline'\n"
               "return hook.workflow { record = 'deal', trigger = hook.every { 'created' },\n"
               "  when = function(event) return event.record.nothing.more end,\n"
               "  actions = { hook.webhook { method = 'GET', url = 'https://a.example/' } } }\n");
    struct result r = RUN("try", "rules/w.lua");
    assert_int_equal(r.status, CLI_FAILED);
    assert_contains(r.out, "would fail");
    assert_contains(r.out, "rules/w.lua:3:");
    result_free(&r);
}

static void an_invalid_request_is_told_and_not_sent(void **state)
{
    (void)state;
    assert_int_equal(mkdir("rules", 0777), 0);
    write_file("rules/w.lua",
               "local hook = require 'hookline'\n"
               "return hook.workflow { record = 'deal', trigger = hook.every { 'created' },\n"
               "  actions = { hook.webhook { method = 'POST', url = 'https://a.example/',\n"
               "    encoding = 'json', content = function() return '{no}' end } } }\n");
    struct result r = RUN("try", "rules/w.lua", "--send");
    assert_int_equal(r.status, CLI_FAILED);
    assert_contains(r.out, "It is invalid and would never be sent: ");
    assert_null(strstr(r.out, "response_received"));
    result_free(&r);
}

static void a_missing_secret_is_told_with_what_to_do(void **state)
{
    (void)state;
    assert_int_equal(mkdir("rules", 0777), 0);
    write_file("rules/w.lua",
               "local hook = require 'hookline'\n"
               "return hook.workflow { record = 'deal', trigger = hook.every { 'created' },\n"
               "  actions = { hook.webhook { method = 'GET', url = 'https://a.example/',\n"
               "    auth = hook.bearer(hook.secret 'NOT_THERE') } } }\n");
    struct result r = RUN("try", "rules/w.lua", "--send");
    assert_int_equal(r.status, CLI_FAILED);
    assert_contains(r.out, "Authorization: Bearer ****");
    assert_contains(r.out, "Failure: secret_missing");
    assert_contains(r.out, "hookline secrets set NOT_THERE");
    result_free(&r);
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, setup_folder, teardown_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(a_new_workflow_passes_check_and_fires_in_try),
        in_folder(new_overwrites_nothing),
        in_folder(check_tells_every_fault_with_its_place),
        in_folder(check_wants_a_rules_folder),
        in_folder(secrets_are_kept_for_their_owner_alone),
        in_folder(bad_secrets_are_refused_and_the_old_one_stays),
        in_folder(try_says_why_it_would_not_fire),
        in_folder(try_refuses_what_is_no_event_or_no_workflow),
        in_folder(a_sample_likes_the_conditions),
        in_folder(try_shows_what_a_rule_raises),
        in_folder(an_invalid_request_is_told_and_not_sent),
        in_folder(a_missing_secret_is_told_with_what_to_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
