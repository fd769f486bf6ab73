// tests/data/hostile.txt: every rule of it ends as the file says, in its own workflow, with its
// line, and what comes after is as if nothing had been. Run from the top of the repository. With
// --times, no test: the processor time that each took under the default budget, the longest last.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "base/buf.h"
#include "base/file.h"
#include "script/script_test.h"

enum { RULES_MAX = 512, TIMES_ROUNDS = 3 };

struct hostile_rule {
    char name[96];
    char ends[16];  // steps, memory, output, error, clock
    char place[16]; // condition, content, transform, actions, load
    struct str code;
    double longest_ms;
};

struct suite {
    char *text;
    struct hostile_rule *rules;
    size_t count;
};

struct host {
    struct rules *rules;
    struct arena arena;
};

static void suite_read(struct suite *s)
{
    struct err e;
    size_t len;
    if (file_read("tests/data/hostile.txt", 1 << 20, &s->text, &len, &e))
        fail_msg("%s", e.text);
    s->rules = calloc(RULES_MAX, sizeof *s->rules);
    assert_non_null(s->rules);
    for (char *at = strstr(s->text, "\n== "); at;) {
        struct hostile_rule *r = &s->rules[s->count++];
        char *end = strchr(at + 1, '\n');
        char *next = strstr(end, "\n== ");
        snprintf(r->place, sizeof r->place, "condition");
        *end = '\0';
        int found = sscanf(at + 4, "%95[^:]: %15[a-z], in %15[a-z]", r->name, r->ends, r->place);
        assert_true(found >= 2 && s->count < RULES_MAX);
        r->code = (struct str){end + 1, next ? (size_t)(next - end - 1) : strlen(end + 1)};
        at = next;
    }
    assert_true(s->count > 150);
}

static void suite_free(struct suite *s)
{
    free(s->rules);
    free(s->text);
}

static void host_open(struct host *h, const struct rules_limits *limits)
{
    struct err e;
    struct rules_config config = {.rules_dir = "rules", .limits = *limits};
    if (rules_new(&h->rules, &config, &e))
        fail_msg("%s", e.text);
    arena_init(&h->arena, 512 * 1024 * 1024);
}

static void host_close(struct host *h)
{
    rules_free(h->rules);
    arena_fini(&h->arena);
}

static int lines_of(struct str text)
{
    int lines = 1;
    for (size_t i = 0; i < text.len; i++)
        lines += text.data[i] == '\n';
    return lines;
}

// The file that has the rule in its place; *line: of its code's first line.
static void write_file(const struct hostile_rule *r, struct buf *out, int *line)
{
    static const char *const places[] = {"load", "condition", "actions", "content", "transform"};
    static const char *const before[] = {
        "", "return hook.workflow { record = 'deal', trigger = hook.every { 'created' }, when = ",
        ", actions = ",
        " or { hook.webhook { method = 'POST', url = 'https://a.example.com/', encoding = 'json', "
        "content = ",
        ", transform = "};
    static const char *const otherwise[] = {"", "function() return true end", "false",
                                            "function() return {} end",
                                            "function(body) return body end"};
    buf_append_text(out, "local hook = require 'hookline'; local KEPT = { 3, 1, 2 }\n");
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        buf_append_text(out, before[i]);
        bool is_here = strcmp(places[i], r->place) == 0;
        if (is_here) {
            buf_append_text(out, i == 0 ? "do\n" : "function(event) local _ = KEPT;\n");
            *line = lines_of(buf_str(out));
            buf_append_str(out, r->code);
            buf_append_text(out, "\nend\n");
        } else {
            buf_append_text(out, otherwise[i]);
        }
    }
    buf_append_text(out, " } } }\n");
}

static struct rules_run host_run(struct host *h, size_t workflow)
{
    struct err e;
    struct rules_run out;
    struct rules_event ev = {
        .json = STR("{\"id\":\"e1\",\"type\":\"deal.created\",\"record\":{\"id\":1,\"s\":\"x\"}}"),
        .id = STR("e1"),
        .type = STR("deal.created"),
        .record_type = STR("deal"),
        .verb = STR("created")};
    assert_int_equal(rules_event_begin(h->rules, &ev, &e), 0);
    rules_run(h->rules, workflow, &h->arena, &out);
    rules_event_end(h->rules);
    return out;
}

// Loads the rule and runs it. What it says in the end, with "FILE:LINE: " in front.
static struct str host_try(struct host *h, const struct hostile_rule *r, int *line)
{
    struct buf text;
    char words[4096];
    buf_init(&text, 1 << 20);
    write_file(r, &text, line);
    size_t faults = rules_fault_count(h->rules);
    int rc = rules_load(h->rules, "case.lua", buf_str(&text));
    buf_fini(&text);
    if (rc) {
        const struct rules_fault *f = rules_fault(h->rules, faults);
        snprintf(words, sizeof words, "%s:%d: %s", f->file, f->line, f->message);
        return arena_dup(&h->arena, str_from(words));
    }
    struct rules_run run = host_run(h, rules_workflow_count(h->rules) - 1);
    return run.verdict <= RULES_MATCH ? STR("it ends in peace") : run.message;
}

static bool is_right(const struct hostile_rule *r, struct str said, int line)
{
    static const char prefix[] = "rules/case.lua:";
    char wanted[64];
    snprintf(wanted, sizeof wanted, "stopped: over its budget of %s",
             strcmp(r->ends, "clock") == 0 ? "time" : r->ends);
    bool is_stop = memmem(said.data, said.len, "stopped: ", 9) != NULL;
    bool is_end = strcmp(r->ends, "error") == 0
                      ? !is_stop
                      : memmem(said.data, said.len, wanted, strlen(wanted)) != NULL;
    // What a function returned is judged when it has returned: there is no line.
    bool is_returned = strcmp(r->place, "content") == 0 || strcmp(r->place, "actions") == 0;
    if (is_end && is_returned && str_starts_with(said, STR("rules/case.lua: ")))
        return true;
    if (!is_end || !str_starts_with(said, str_from(prefix)))
        return false;
    int at = atoi(said.data + sizeof prefix - 1);
    return at >= line - 1 && at < line + lines_of(r->code);
}

// Those that steps end must not need the clock, however slow the machine is.
static void check_rules(const struct suite *s, bool is_clock)
{
    const struct rules_limits limits = {.steps = 200000,
                                        .memory_bytes = 8 * 1024 * 1024,
                                        .output_bytes = 100000,
                                        .cpu_ms = is_clock ? 90 : 60000};
    static const struct hostile_rule fine_rule = {.place = "content",
                                                  .code = {"return { fine = true }", 22}};
    struct host h;
    struct buf text;
    int line;
    int complaints = 0;
    host_open(&h, &limits);
    buf_init(&text, 4096);
    write_file(&fine_rule, &text, &line);
    assert_int_equal(rules_load(h.rules, "fine.lua", buf_str(&text)), 0);
    buf_fini(&text);
    for (size_t i = 0; i < s->count; i++) {
        if ((strcmp(s->rules[i].ends, "clock") == 0) != is_clock)
            continue;
        struct str said = host_try(&h, &s->rules[i], &line);
        if (!is_right(&s->rules[i], said, line)) {
            complaints++;
            print_error("%s: %s: " STR_FMT "\n", s->rules[i].name, s->rules[i].ends, STR_ARG(said));
        }
        struct rules_run run = host_run(&h, 0);
        assert_int_equal(run.verdict, RULES_MATCH);
        assert_true(str_eq(run.requests[0].body, STR("{\"fine\":true}")));
    }
    host_close(&h);
    assert_int_equal(complaints, 0);
}

static void test_each_ends(void **ctx)
{
    (void)ctx;
    struct suite s = {0};
    suite_read(&s);
    check_rules(&s, false);
    check_rules(&s, true);
    suite_free(&s);
}

static double cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int compare_times(const void *a, const void *b)
{
    double x = ((const struct hostile_rule *)a)->longest_ms;
    double y = ((const struct hostile_rule *)b)->longest_ms;
    return (x > y) - (x < y);
}

// Of each rule the best of some rounds, since others use the machine too. What is loaded is not
// loaded on the loop: left out.
static int print_times(void)
{
    static const struct rules_limits limits = {0};
    struct suite s = {0};
    suite_read(&s);
    for (int round = 0; round < TIMES_ROUNDS; round++) {
        struct host h;
        int line;
        host_open(&h, &limits);
        for (size_t i = 0; i < s.count; i++) {
            if (strcmp(s.rules[i].place, "load") == 0)
                continue;
            double before_ms = cpu_ms();
            host_try(&h, &s.rules[i], &line);
            double took_ms = cpu_ms() - before_ms;
            if (round == 0 || took_ms < s.rules[i].longest_ms)
                s.rules[i].longest_ms = took_ms;
        }
        host_close(&h);
    }
    qsort(s.rules, s.count, sizeof *s.rules, compare_times);
    for (size_t i = s.count - 10; i < s.count; i++)
        printf("%6.1f ms  %s (%s)\n", s.rules[i].longest_ms, s.rules[i].name, s.rules[i].ends);
    printf("the longest stop of %zu hostile rules took %.1f ms of processor time: %s\n", s.count,
           s.rules[s.count - 1].longest_ms, s.rules[s.count - 1].name);
    bool is_in_time = s.rules[s.count - 1].longest_ms < 100;
    suite_free(&s);
    return is_in_time ? 0 : 1;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_ends)};
    if (argc == 2 && strcmp(argv[1], "--times") == 0)
        return print_times();
    return cmocka_run_group_tests_name("script/hostile", tests, NULL, NULL);
}
