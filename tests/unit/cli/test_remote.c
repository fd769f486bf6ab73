// Commands that talk to a host, against a host of the test's own: a process with scripted answers,
// which keeps what it was asked.
#include "cli_test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "cli/json_tree.h"
#include "wire/httpd.h"

struct scripted {
    int status;
    const char *extra_headers;
    const char *body;
};

struct stub { // in the child
    struct loop *loop;
    struct httpd *httpd;
    const struct scripted *answers; // the last one again and again
    size_t count;
    size_t next;
    FILE *asked;
};

static void on_request(void *ctx, struct httpd_request *r)
{
    struct stub *s = ctx;
    const struct scripted *a = &s->answers[s->next];

    if (s->next + 1 < s->count)
        s->next++;
    fprintf(s->asked, STR_FMT " " STR_FMT "?" STR_FMT " [" STR_FMT "]\n" STR_FMT "\n--\n",
            STR_ARG(httpd_method(r)), STR_ARG(httpd_path(r)), STR_ARG(httpd_query(r)),
            STR_ARG(httpd_header(r, "authorization")), STR_ARG(httpd_body(r)));
    fflush(s->asked);
    httpd_send(r, &(struct httpd_answer){.status = a->status,
                                         .content_type = "application/json",
                                         .extra_headers = a->extra_headers,
                                         .body = str_from(a->body)});
}

static void run_stub(const struct scripted *answers, size_t count, int ready)
{
    struct stub s = {.answers = answers, .count = count};
    struct clock clock;
    struct httpd_config config = {
        .address = "127.0.0.1:0", .max_body_bytes = 16 << 20, .on_request = on_request, .ctx = &s};
    struct err e = {0};
    FILE *address;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    clock_init(&clock);
    s.asked = fopen("asked", "w");
    if (!s.asked || loop_new(&s.loop, &clock, &e) != 0 ||
        httpd_open(&s.httpd, s.loop, &config, &e) != 0)
        _exit(1);
    address = fopen("data/address", "w");
    fprintf(address, "http://%s\n", httpd_address(s.httpd));
    fclose(address);
    if (write(ready, "x", 1) != 1)
        _exit(1);
    loop_run(s.loop);
    _exit(0);
}

static pid_t stub_start(const struct scripted *answers, size_t count)
{
    int ends[2];
    char ch;
    pid_t pid;

    mkdir("data", 0700);
    write_file("data/admin.token", "hl_secret_token\n");
    assert_int_equal(pipe(ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        run_stub(answers, count, ends[1]);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &ch, 1), 1);
    close(ends[0]);
    return pid;
}

// Takes out the ids that `send` has made, which are others each time: "id":"send-RUN-N",
static void drop_made_ids(char *text)
{
    static const char begin[] = "\"id\":\"send-";
    char *to = text;

    for (const char *from = text; *from;) {
        const char *end = strncmp(from, begin, strlen(begin)) == 0 ? strstr(from, "\",") : NULL;

        if (end)
            from = end + 2;
        else
            *to++ = *from++;
    }
    *to = '\0';
}

// Ends the stub; what it was asked, to be freed.
static char *stub_stop(pid_t pid)
{
    FILE *file;
    char *text = calloc(1, 4 * 1024 * 1024);

    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    file = fopen("asked", "r");
    assert_non_null(file);
    assert_true(fread(text, 1, 4 * 1024 * 1024 - 1, file) < 4 * 1024 * 1024 - 1);
    fclose(file);
    drop_made_ids(text);
    return text;
}

#define ACCEPTED_1                                                                                 \
    "{\"events\":[{\"id\":\"a\",\"duplicate\":false,\"deliveries\":[\"dlv_1\",\"dlv_2\"]}]}"
#define ACCEPTED_2                                                                                 \
    "{\"events\":[{\"id\":\"a\",\"duplicate\":false,\"deliveries\":[\"dlv_1\"]},"                  \
    "{\"id\":\"b\",\"duplicate\":true,\"deliveries\":[\"dlv_9\"]}]}"

struct send_case {
    const char *name;
    const char *file; // what is sent
    struct scripted answers[4];
    size_t answer_count;
    int status;
    const char *out;
    const char *messages; // a part
    const char *asked;    // bodies, "|" between
};

// The bodies of what the stub was asked, "|" between.
static void read_bodies(const char *asked, char out[4096])
{
    out[0] = '\0';
    while (*asked) {
        const char *body = strchr(asked, '\n') + 1;
        const char *end = strstr(body, "\n--\n");

        snprintf(out + strlen(out), 4096 - strlen(out), "%s%.*s", *out ? "|" : "",
                 (int)(end - body), body);
        asked = end + 4;
    }
}

static void events_are_sent_and_refusals_named(void **state)
{
    (void)state;
    static const struct send_case cases[] = {
        {"all is well",
         "{\"a\":1}\n{\"a\":2}\n",
         {{202, NULL, ACCEPTED_2}},
         1,
         CLI_DONE,
         "2 events accepted (1 known already), 1 delivery\n",
         "",
         "{\"a\":1}\n{\"a\":2}\n"},
        {"an array over lines",
         "[{\"a\":\n1},\n{\"a\":2}]",
         {{202, NULL, ACCEPTED_2}},
         1,
         CLI_DONE,
         "2 events accepted (1 known already), 1 delivery\n",
         "",
         "{\"a\": 1}\n{\"a\":2}\n"},
        {"one is refused, the others go on",
         "{\"a\":1}\n\n{\"a\":2}\n{\"a\":3}\n",
         {{400, NULL, "{\"detail\":\"a is wrong\",\"line\":2}"}, {202, NULL, ACCEPTED_2}},
         2,
         CLI_FAILED,
         "2 events accepted (1 known already), 1 delivery\n",
         "events:3: refused: a is wrong (status 400)",
         "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n|{\"a\":1}\n{\"a\":3}\n"},
        {"a conflict alone",
         "{\"a\":1}",
         {{409, NULL, "{\"detail\":\"known\"}"}},
         1,
         CLI_FAILED,
         "0 events accepted (0 known already), 0 deliveries\n",
         "events:1: refused: known (status 409)",
         "{\"a\":1}\n"},
        {"what is no JSON does not go out",
         "{\"a\":1}\noops\n",
         {{202, NULL, ACCEPTED_1}},
         1,
         CLI_FAILED,
         "1 event accepted (0 known already), 2 deliveries\n",
         "events:2: refused: ",
         "{\"a\":1}\n"},
        {"too large is halved",
         "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n",
         {{413, NULL, "{}"}, {202, NULL, ACCEPTED_1}, {202, NULL, ACCEPTED_2}},
         3,
         CLI_DONE,
         "3 events accepted (1 known already), 3 deliveries\n",
         "",
         "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n|{\"a\":1}\n|{\"a\":2}\n{\"a\":3}\n"},
        {"not now is waited for",
         "{\"a\":1}\n",
         {{503, "Retry-After: 0\r\n", "{\"detail\":\"full\"}"}, {202, NULL, ACCEPTED_1}},
         2,
         CLI_DONE,
         "1 event accepted (0 known already), 2 deliveries\n",
         "The host takes no events now, trying again in 1 s: full",
         "{\"a\":1}\n|{\"a\":1}\n"},
        {"a long wait is given up",
         "\n{\"a\":1}\n",
         {{503, "Retry-After: 3600\r\n", "{\"detail\":\"full\"}"}},
         1,
         CLI_FAILED,
         "0 events accepted (0 known already), 0 deliveries\n",
         "events: stopped at the events from line 2 on: given up after 0 s: full (status 503)",
         "{\"a\":1}\n"},
        {"trouble stops it",
         "{\"a\":1}\n",
         {{500, NULL, "{\"detail\":\"broken\"}"}},
         1,
         CLI_FAILED,
         "0 events accepted (0 known already), 0 deliveries\n",
         "events: stopped at the events from line 1 on: broken (status 500)",
         "{\"a\":1}\n"},
        {"a refusal without a place stops it",
         "{\"a\":1}\n{\"a\":2}\n",
         {{400, NULL, "{\"detail\":\"no\"}"}},
         1,
         CLI_FAILED,
         "0 events accepted (0 known already), 0 deliveries\n",
         "no (status 400)",
         "{\"a\":1}\n{\"a\":2}\n"},
        {"a strange token",
         "{\"a\":1}\n",
         {{401, NULL, "{}"}},
         1,
         CLI_FAILED,
         "0 events accepted (0 known already), 0 deliveries\n",
         "wants another token",
         "{\"a\":1}\n"},
        {"what follows a broken array is not sent",
         "[{\"a\":1} 3]",
         {{202, NULL, ACCEPTED_1}},
         1,
         CLI_FAILED,
         "1 event accepted (0 known already), 2 deliveries\n",
         "line 1: a comma or the array's end",
         "{\"a\":1}\n"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct send_case *c = &cases[i];
        pid_t stub = stub_start(c->answers, c->answer_count);
        char bodies[4096];
        char *asked;
        struct result r;

        write_file("events", c->file);
        r = RUN("send", "events");
        asked = stub_stop(stub);
        read_bodies(asked, bodies);
        if (r.status != c->status || strcmp(r.out, c->out) != 0 ||
            !strstr(r.messages, c->messages) || (!*c->messages && *r.messages) ||
            strcmp(bodies, c->asked) != 0)
            fail_case(i, "%s: status %d\n%s%s%s", c->name, r.status, r.out, r.messages, bodies);
        free(asked);
        result_free(&r);
    }
}

static void large_input_is_split(void **state)
{
    (void)state;
    static const struct scripted answers[] = {{202, NULL, "{\"events\":[]}"}};
    pid_t stub = stub_start(answers, 1);
    FILE *file = fopen("events", "w");
    size_t requests = 0;
    struct result r;
    char *asked;

    for (int i = 0; i < 25000; i++)
        fprintf(file, "{\"i\":%d}\n", i);
    fclose(file);
    r = RUN("send", "events", "--json");
    asked = stub_stop(stub);
    assert_int_equal(r.status, CLI_DONE);
    assert_string_equal(r.out, "{\"events\":[]}\n{\"events\":[]}\n{\"events\":[]}\n");
    for (const char *at = asked; (at = strstr(at, "POST /v1/events?")); at++)
        requests++;
    assert_int_equal(requests, 3);
    assert_contains(asked, "POST /v1/events? [Bearer hl_secret_token]\n{\"i\":0}\n");
    assert_contains(asked, "POST /v1/events? [Bearer hl_secret_token]\n{\"i\":10000}\n");
    assert_contains(asked, "POST /v1/events? [Bearer hl_secret_token]\n{\"i\":20000}\n");
    free(asked);
    result_free(&r);
}

static void filters_become_the_query(void **state)
{
    (void)state;
    static const struct scripted answers[] = {{200, NULL, "{\"deliveries\":[],\"next\":null}"}};
    pid_t stub = stub_start(answers, 1);
    struct result r = RUN("deliveries", "--state", "retrying", "--workflow", "a b&c", "--since",
                          "2026-11-23", "--limit", "7");
    char *asked = stub_stop(stub);

    assert_int_equal(r.status, CLI_DONE);
    assert_contains(r.messages, "There are no deliveries like that.");
    assert_contains(asked, "GET /v1/deliveries?state=retrying&workflow=a%20b%26c&"
                           "since=2026-11-23T00%3A00%3A00.000Z&limit=7 [Bearer hl_secret_token]");
    free(asked);
    result_free(&r);
}

static void json_is_the_answer_as_it_came(void **state)
{
    (void)state;
    static const struct scripted answers[] = {
        {200, NULL, "{ \"workflows\" : [1.50, \"\\u00e9\"] }"}};
    pid_t stub = stub_start(answers, 1);
    struct result r = RUN("workflows", "--json");
    char *asked = stub_stop(stub);

    assert_int_equal(r.status, CLI_DONE);
    assert_string_equal(r.out, "{ \"workflows\" : [1.50, \"\\u00e9\"] }\n");
    free(asked);
    result_free(&r);
}

static void a_delivery_is_shown_with_its_attempts(void **state)
{
    (void)state;
    static const struct scripted answers[] = {
        {200, NULL,
         "{\"id\":\"dlv_1\",\"state\":\"retrying\",\"event\":\"e\\u001b[0m\",\"workflow\":\"w\","
         "\"action\":1,"
         "\"record\":{\"type\":\"deal\",\"id\":4021},\"target\":\"https://a.example:443\","
         "\"created_at\":\"2026-11-23T09:15:00.120Z\",\"next_attempt_at\":\"2026-11-23T09:15:15."
         "900Z\","
         "\"reason\":null,\"attempts\":[{\"number\":1,\"at\":\"2026-11-23T09:15:00.140Z\","
         "\"elapsed_ms\":12,"
         "\"error\":null,\"request_sent\":{\"method\":\"POST\",\"url\":\"https://a.example/"
         "\",\"headers\":"
         "{\"webhook-id\":\"dlv_1\"},\"body\":\"{}\"},\"response_received\":{\"status\":503,"
         "\"headers\":{},"
         "\"body\":\"busy\"}},{\"number\":2,\"at\":\"x\",\"elapsed_ms\":1,\"error\":\"dns\","
         "\"detail\":\"no\","
         "\"request_sent\":{\"method\":\"POST\",\"url\":\"https://a.example/"
         "\",\"headers\":{},\"body\":\"{}\"},"
         "\"response_received\":null}]}"}};
    pid_t stub = stub_start(answers, 1);
    struct result r = RUN("deliveries", "show", "dlv_1");
    char *asked = stub_stop(stub);

    assert_int_equal(r.status, CLI_DONE);
    assert_contains(asked, "GET /v1/deliveries/dlv_1?");
    assert_contains(r.out, "dlv_1  retrying\n  workflow   w\n");
    assert_contains(r.out, "  event      e\\x1B[0m\n  to         https://a.example/\n");
    assert_contains(r.out, "Why it is so\n  attempt 2: dns: no\n");
    assert_contains(r.out, "What comes next\n  attempt 3 at 2026-11-23T09:15:15.900Z");
    assert_contains(r.out, "    1  2026-11-23T09:15:00.140Z  +20 ms       12 ms  503\n");
    assert_contains(r.out, "Attempt 1: what came back\n  < status 503\n  < \n  < busy\n");
    assert_contains(
        r.out, "Attempt 2: nothing was sent; it would have been:\n  > POST https://a.example/\n");
    free(asked);
    result_free(&r);
}

static void what_the_host_refuses_is_told_in_its_words(void **state)
{
    (void)state;
    static const struct scripted answers[] = {
        {404, NULL, "{\"title\":\"Not Found\",\"detail\":\"there is no such event\"}"}};
    pid_t stub = stub_start(answers, 1);
    struct result r = RUN("events", "show", "a/b ?");
    char *asked = stub_stop(stub);

    assert_int_equal(r.status, CLI_FAILED);
    assert_string_equal(r.messages, "hookline: there is no such event (status 404)\n");
    assert_contains(asked, "GET /v1/events/a%2Fb%20%3F?");
    free(asked);
    result_free(&r);
}

static void a_reload_with_errors_is_a_failure(void **state)
{
    (void)state;
    static const struct scripted answers[] = {
        {200, NULL,
         "{\"generation\":3,\"workflows\":2,\"errors\":[{\"file\":\"rules/x.lua\",\"line\":4,"
         "\"path\":\"when\",\"message\":\"wrong\"}]}"},
        {200, NULL, "{\"generation\":4,\"workflows\":2,\"errors\":[]}"}};
    const struct scripted all[] = {answers[0], answers[0], answers[1]};
    pid_t stub = stub_start(all, 3);
    struct result bad = RUN("reload");
    struct result bad_json = RUN("reload", "--json");
    struct result good = RUN("reload");
    char *asked = stub_stop(stub);

    assert_int_equal(bad_json.status, CLI_FAILED);
    assert_contains(bad_json.out, "\"generation\":3");
    assert_int_equal(bad.status, CLI_FAILED);
    assert_contains(bad.messages, "rules/x.lua:4: error: when: wrong\n");
    assert_int_equal(good.status, CLI_DONE);
    assert_contains(asked, "POST /v1/reload?");
    free(asked);
    result_free(&bad);
    result_free(&bad_json);
    result_free(&good);
}

static void the_token_is_for_its_own_host_alone(void **state)
{
    (void)state;
    static const struct scripted answers[] = {{200, NULL, "{\"events\":[],\"next\":null}"}};
    static char *const environment[] = {(char *)"HOOKLINE_TOKEN=from_env", NULL};
    pid_t stub = stub_start(answers, 1);
    char url[64] = "";
    FILE *file = fopen("data/address", "r");
    struct result r;
    char *asked;

    assert_non_null(fgets(url, sizeof(url), file));
    fclose(file);
    url[strcspn(url, "\n")] = '\0';
    r = RUN("events", "--url", url); // the same one, by name
    result_free(&r);
    assert_int_equal(mkdir("other", 0700), 0);
    write_file("other/address", "http://127.0.0.1:2");
    write_file("other/admin.token", "not_for_you");
    r = RUN("events", "--data", "other", "--url", url);
    result_free(&r);
    r = RUN("events", "--data", "other", "--url", url, "--token", "given");
    result_free(&r);
    r = run_cli((const char *const[]){"events", NULL}, environment);
    result_free(&r);
    asked = stub_stop(stub);
    assert_string_equal(asked, "GET /v1/events? [Bearer hl_secret_token]\n\n--\n"
                               "GET /v1/events? []\n\n--\n"
                               "GET /v1/events? [Bearer given]\n\n--\n"
                               "GET /v1/events? [Bearer from_env]\n\n--\n");
    free(asked);
}

static void try_takes_the_last_event_of_the_host(void **state)
{
    (void)state;
    static const struct scripted answers[] = {
        {200, NULL,
         "{\"events\":[{\"id\":\"e3\",\"type\":\"deal.deleted\"},{\"id\":\"e "
         "2\",\"type\":\"deal.updated\"},"
         "{\"id\":\"e1\",\"type\":\"deal.updated\"}],\"next\":null}"},
        {200, NULL,
         "{\"id\":\"e 2\",\"type\":\"deal.updated\",\"time\":\"2026-11-23T09:15:00.000Z\","
         "\"received_at\":\"x\",\"record\":{\"id\":7,\"amount\":12500.10},\"previous\":{\"amount\":"
         "1},"
         "\"runs\":[]}"}};
    pid_t stub = stub_start(answers, 2);
    struct result r;
    char *asked;

    mkdir("rules", 0777);
    write_file("rules/w.lua",
               "local hook = require 'hookline'\n"
               "return hook.workflow { record = 'deal', trigger = hook.every { 'updated' },\n"
               "  when = hook.field 'amount':changed(), actions = { hook.webhook {\n"
               "  method = 'POST', url = 'https://a.example/', encoding = 'json',\n"
               "  content = hook.fields { 'amount' } } } }\n");
    r = RUN("try", "rules/w.lua");
    asked = stub_stop(stub);
    assert_int_equal(r.status, CLI_DONE);
    assert_contains(r.out, "the last event of its type that the host took: e 2, deal.updated");
    assert_contains(r.out, "{\"amount\":12500.10}");
    assert_contains(asked, "GET /v1/events?limit=100&type=deal ");
    assert_contains(asked, "GET /v1/events/e%202?");
    free(asked);
    result_free(&r);
}

static void try_sends_and_judges_the_answer(void **state)
{
    (void)state;
    static const struct {
        struct scripted answer;
        int status;
        const char *words;
    } cases[] = {
        {{201, NULL, "made"}, CLI_DONE, "Success: status 201"},
        {{401, NULL, "who?"}, CLI_FAILED, "does not know these credentials"},
        {{302, "Location: https://b.example/\r\n", ""}, CLI_FAILED, "https://b.example/"},
        {{500, NULL, "you sent s3cret"}, CLI_FAILED, "< you sent ****\n"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        pid_t stub = stub_start(&cases[i].answer, 1);
        char url[64] = "";
        char text[1024];
        FILE *file = fopen("data/address", "r");
        struct result r;
        char *asked;

        assert_non_null(fgets(url, sizeof(url), file));
        fclose(file);
        url[strcspn(url, "\n")] = '\0';
        remove("data/address"); // no host, a receiver
        mkdir("data/secrets", 0700);
        write_file("data/secrets/KEY", "s3cret\n");
        mkdir("rules", 0777);
        snprintf(text, sizeof(text),
                 "local hook = require 'hookline'\n"
                 "return hook.workflow { record = 'deal', trigger = hook.every { 'created' },\n"
                 "  actions = { hook.webhook { method = 'POST', url = '%s/hook',\n"
                 "    auth = hook.bearer(hook.secret 'KEY'), encoding = 'json',\n"
                 "    content = hook.fields { 'id' } } } }\n",
                 url);
        write_file("rules/w.lua", text);
        r = RUN("try", "rules/w.lua", "--send", "--allow-target", "127.0.0.0/8");
        asked = stub_stop(stub);
        if (r.status != cases[i].status || !strstr(r.out, cases[i].words) ||
            strstr(r.out, "s3cret"))
            fail_case(i, "status %d\n%s%s", r.status, r.out, r.messages);
        assert_contains(asked, "POST /hook? [Bearer s3cret]\n{\"id\":4021}\n");
        free(asked);
        result_free(&r);
    }
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, setup_folder, teardown_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(events_are_sent_and_refusals_named),
        in_folder(large_input_is_split),
        in_folder(filters_become_the_query),
        in_folder(json_is_the_answer_as_it_came),
        in_folder(a_delivery_is_shown_with_its_attempts),
        in_folder(what_the_host_refuses_is_told_in_its_words),
        in_folder(a_reload_with_errors_is_a_failure),
        in_folder(the_token_is_for_its_own_host_alone),
        in_folder(try_takes_the_last_event_of_the_host),
        in_folder(try_sends_and_judges_the_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
