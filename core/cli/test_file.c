#include "cli/test_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/file.h"
#include "base/nearest.h"
#include "base/rfc3339.h"
#include "cli/test_world.h"
#include "engine/folder.h"
#include "script/suite.h"

enum { PLAN_MAX = 256 * 1024 * 1024, FILE_ARENA_MAX = 1024 * 1024 * 1024, WORKFLOWS_MAX = 64 };

struct test_file {
    struct test_run *t;
    const char *dir;
    const char *name;
    const char *shown; // "rules/invoice_test.lua"
    struct rules_config config;
    struct arena arena; // the plan
    struct suite *suite;
    struct str text;
    struct json_node *plan;
    const struct folder_file *workflows[WORKFLOWS_MAX];
    struct world_files files;
};

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

// --- what its rules are given --------------------------------------------------------------------

// hook.var: what the tests say, else the configuration.
static struct str find_var(void *ctx, struct str name)
{
    const struct test_file *f = ctx;
    const struct json_node *vars = json_tree_get(f->plan, "vars");

    for (const struct json_node *n = vars ? vars->first : NULL; n; n = n->next)
        if (str_eq(n->key, name))
            return n->text;
    return config_var((void *)f->t->config, name);
}

static void print_line(void *ctx, struct str line)
{
    const struct test_file *f = ctx;

    fprintf(f->t->messages, STR_FMT "\n", STR_ARG(line));
}

// --- results -------------------------------------------------------------------------------------

// A failure of the file itself, in words.
static int fail_file(struct test_file *f, int64_t line, const char *name, struct str message)
{
    struct test_result *result = test_report_begin(f->t->report, f->shown, line, str_from(name));

    if (!result || test_report_say(f->t->report, result, message) != 0)
        return ERR_NOMEM;
    test_report_add(f->t->report, result, TEST_FAILED, 0);
    return 0;
}

static int say_faults(struct test_file *f, struct test_result *result, const struct rules *rules)
{
    int code = 0;

    for (size_t i = 0; code == 0 && i < rules_fault_count(rules); i++) {
        const struct rules_fault *fault = rules_fault(rules, i);
        struct buf text;

        if (fault->is_warning)
            continue;
        buf_init(&text, ERR_TEXT_MAX * 8);
        buf_printf(&text, "%s:%d: error: %s%s%s", fault->file, fault->line,
                   fault->path ? fault->path : "", fault->path ? ": " : "", fault->message);
        code = test_report_say(f->t->report, result, buf_str(&text));
        buf_fini(&text);
    }
    return code;
}

static int fail_faults(struct test_file *f, const char *name, const struct rules *rules)
{
    struct test_result *result = test_report_begin(f->t->report, f->shown, 0, str_from(name));

    if (!result || say_faults(f, result, rules) != 0)
        return ERR_NOMEM;
    test_report_add(f->t->report, result, TEST_FAILED, 0);
    return 0;
}

// --- the files -----------------------------------------------------------------------------------

static int64_t plan_integer(const struct json_node *node, const char *path, int64_t otherwise)
{
    int64_t n = otherwise;

    str_to_int64(json_tree_text(json_tree_get(node, path)), &n);
    return n;
}

static const struct folder_file *find_workflow(const struct test_file *f, struct str stem,
                                               struct nearest *near)
{
    for (size_t i = 0; i < f->t->folder->count; i++) {
        const struct folder_file *file = &f->t->folder->files[i];
        struct str name = {file->path, strlen(file->path) - strlen(".lua")};

        if (!folder_is_workflow(file->path))
            continue;
        if (str_eq(name, stem))
            return file;
        nearest_offer(near, name);
    }
    return NULL;
}

// A workflow that the tests name by its file's stem.
static int add_workflow(struct test_file *f, struct str stem, bool *is_there)
{
    struct nearest near;
    const struct folder_file *file;
    char text[ERR_TEXT_MAX];

    nearest_init(&near, stem);
    file = find_workflow(f, stem, &near);
    *is_there = file && file->text && f->files.workflow_count < WORKFLOWS_MAX;
    if (*is_there) {
        f->workflows[f->files.workflow_count++] = file;
        return 0;
    }
    if (!file && near.name.data)
        snprintf(text, sizeof(text),
                 "there is no workflow file %s/" STR_FMT ".lua; did you mean \"" STR_FMT "\"?",
                 f->dir, STR_ARG(stem), STR_ARG(near.name));
    else if (!file)
        snprintf(text, sizeof(text), "there is no workflow file %s/" STR_FMT ".lua", f->dir,
                 STR_ARG(stem));
    else
        snprintf(text, sizeof(text), "%s", file->text ? "too many workflows" : file->fault);
    return fail_file(f, plan_integer(f->plan, "line", 0), "workflow", str_from(text));
}

static int find_workflows(struct test_file *f, bool *are_there)
{
    const struct json_node *names = json_tree_get(f->plan, "workflow");
    struct str stem = {f->name, strlen(f->name) - strlen("_test.lua")};
    int code = 0;

    if (!names)
        return add_workflow(f, stem, are_there);
    *are_there = true;
    for (const struct json_node *n = names->first; n && code == 0 && *are_there; n = n->next)
        code = add_workflow(f, n->text, are_there);
    return code;
}

static int read_file(struct test_file *f, struct err *e)
{
    char *text;
    size_t len;
    int code = file_read(f->shown, FOLDER_FILE_MAX_BYTES, &text, &len, e);

    if (code)
        return code;
    f->text = arena_dup(&f->arena, (struct str){text, len});
    free(text);
    return f->text.data ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

static int load_plan(struct test_file *f, bool *is_loaded, struct err *e)
{
    struct buf text;
    struct str kept;
    int code;

    *is_loaded = false;
    if (read_file(f, e) != 0)
        return e->code == ERR_NOMEM ? ERR_NOMEM : fail_file(f, 0, "the file", str_from(e->text));
    code = suite_new(&f->suite, &f->config, e);
    if (code == 0)
        code = folder_add_texts(f->t->folder, suite_rules(f->suite));
    if (code)
        return code;
    buf_init(&text, PLAN_MAX);
    code = suite_load(f->suite, f->name, f->text, &text);
    kept = arena_dup(&f->arena, buf_str(&text));
    if (code == 0)
        code = json_tree_read(&f->plan, kept, &f->arena, e);
    *is_loaded = code == 0;
    buf_fini(&text);
    return code == ERR_INVALID ? fail_faults(f, "the file", suite_rules(f->suite)) : code;
}

// Where a case stands: the first line that holds its name, else where hook.test is called.
static int64_t line_of(const struct test_file *f, struct str name)
{
    const char *at = name.len ? memmem(f->text.data, f->text.len, name.data, name.len) : NULL;
    int64_t line = 1;

    if (!at)
        return plan_integer(f->plan, "line", 0);
    for (const char *p = f->text.data; p < at; p++)
        line += *p == '\n';
    return line;
}

// --- a case --------------------------------------------------------------------------------------

// Follows a case's plan in a world, and writes what came of it.
static int follow(struct world *world, const struct json_node *plan, struct buf *out, struct err *e)
{
    struct json_writer w;
    struct err fault = {0};
    int code;

    json_writer_init(&w, out);
    json_object_begin(&w);
    json_key(&w, STR("steps"));
    json_array_begin(&w);
    code = world_put_records(world, json_tree_get(plan, "records"), &fault);
    for (const struct json_node *n = json_tree_get(plan, "steps")->first; n && code == 0;
         n = n->next)
        code = world_step(world, n, &w, &fault);
    json_array_end(&w);
    if (fault.code && fault.code != ERR_NOMEM) {
        json_member_text(&w, "fault", fault.text);
        code = 0;
    } else if (fault.code) {
        *e = fault;
    }
    json_object_end(&w);
    return code ? code : out->failed;
}

// Two worlds that are there at the same time: what lies at other places in them may not show.
static int follow_twice(struct test_file *f, const struct json_node *plan, struct buf results[2],
                        struct err *e)
{
    static const int64_t NEW_YEAR_MS = INT64_C(1767258000000); // 2026-01-01T09:00:00Z
    struct world worlds[2];
    int opened = 0;
    int code = 0;

    for (; opened < 2 && code == 0; opened++)
        code =
            world_open(&worlds[opened], &f->config, &f->files,
                       plan_integer(plan, "now_ms", NEW_YEAR_MS), opened ? f->t->cover : NULL, e);
    for (int i = 0; i < 2 && code == 0; i++)
        code = follow(&worlds[i], plan, &results[i], e);
    while (opened > 0)
        world_close(&worlds[--opened]);
    return code;
}

static int say_messages(struct test_file *f, struct test_result *result, struct str text,
                        struct err *e)
{
    struct arena arena;
    struct json_node *root;
    int code;

    arena_init(&arena, FILE_ARENA_MAX);
    code = json_tree_read(&root, text, &arena, e);
    for (const struct json_node *n = code == 0 ? root->first : NULL; n && code == 0; n = n->next)
        code = test_report_say(f->t->report, result, n->text);
    arena_fini(&arena);
    return code;
}

static int run_case(struct test_file *f, const struct json_node *plan, size_t index,
                    struct test_result *result, struct err *e)
{
    struct buf results[2], messages;
    int64_t begun_us = now_us();
    int code;

    buf_init(&results[0], PLAN_MAX);
    buf_init(&results[1], PLAN_MAX);
    buf_init(&messages, PLAN_MAX);
    code = follow_twice(f, plan, results, e);
    if (code == 0 && suite_compare(f->suite, index, buf_str(&results[0]), buf_str(&results[1]),
                                   &messages, e) != 0)
        code = test_report_say(f->t->report, result, str_from(e->text));
    else if (code == 0)
        code = say_messages(f, result, buf_str(&messages), e);
    if (code == 0)
        test_report_add(f->t->report, result, result->messages ? TEST_FAILED : TEST_PASSED,
                        now_us() - begun_us);
    buf_fini(&results[0]);
    buf_fini(&results[1]);
    buf_fini(&messages);
    return code;
}

static bool is_wanted(const struct test_file *f, struct str name)
{
    const char *filter = f->t->filter;

    return !filter || memmem(name.data, name.len, filter, strlen(filter)) ||
           strstr(f->name, filter);
}

static int run_cases(struct test_file *f, struct err *e)
{
    const struct json_node *cases = json_tree_get(f->plan, "cases");
    size_t index = 0;
    int code = 0;

    for (const struct json_node *n = cases->first; n && code == 0; n = n->next, index++) {
        struct str name = json_tree_text(json_tree_get(n, "name"));
        const struct json_node *skip = json_tree_get(n, "skip");
        struct test_result *result;

        if (!is_wanted(f, name))
            continue;
        result = test_report_begin(f->t->report, f->shown, line_of(f, name), name);
        if (!result)
            return ERR_NOMEM;
        if (!skip)
            code = run_case(f, n, index, result, e);
        else if ((code = test_report_say(f->t->report, result, skip->text)) == 0)
            test_report_add(f->t->report, result, TEST_SKIPPED, 0);
    }
    return code;
}

// Whether the workflows load: what is wrong with one is told once, not by each case.
static int check_workflows(struct test_file *f, bool *are_fine, struct err *e)
{
    struct world world;
    int code = world_open(&world, &f->config, &f->files, 0, NULL, e);

    *are_fine = code == 0;
    if (code == ERR_INVALID && world.rules && rules_fault_count(world.rules))
        code = fail_faults(f, "workflow", world.rules);
    world_close(&world);
    return code;
}

int test_file_run(struct test_run *t, const char *dir, const char *name, struct err *e)
{
    char shown[FILE_PATH_MAX];
    struct test_file f = {.t = t, .dir = dir, .name = name, .shown = shown};
    bool goes_on = false;
    int code;

    snprintf(shown, sizeof(shown), "%s/%s", dir, name);
    arena_init(&f.arena, FILE_ARENA_MAX);
    f.files = (struct world_files){.folder = t->folder, .workflows = f.workflows};
    f.config = config_rules(t->config);
    f.config.rules_dir = dir;
    f.config.var = find_var;
    f.config.print = print_line;
    f.config.ctx = &f;
    code = load_plan(&f, &goes_on, e);
    if (code == 0 && goes_on)
        code = find_workflows(&f, &goes_on);
    if (code == 0 && goes_on)
        code = check_workflows(&f, &goes_on, e);
    if (code == 0 && goes_on)
        code = run_cases(&f, e);
    suite_free(f.suite);
    arena_fini(&f.arena);
    if (code && !e->code)
        err_set(e, (enum err_code)code, "out of memory");
    return code;
}
