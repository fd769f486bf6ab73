
#include "base/file.h"
#include "cli/command.h"
#include "cli/test_file.h"
#include "cli/test_paths.h"
#include "engine/folder.h"

enum { JUNIT_MAX_BYTES = 256 * 1024 * 1024 };

struct test_command {
    const struct invocation *in;
    struct test_run run;
    struct test_paths paths;
};

static int find_paths(struct test_command *c)
{
    const struct options *o = &c->in->options;
    struct err e = {0};
    int code = 0;

    if (!o->argument_count)
        code = test_paths_add_folder(&c->paths, c->run.config->rules_dir, &e);
    for (size_t i = 0; i < o->argument_count && code == 0; i++)
        code = test_paths_add(&c->paths, o->arguments[i], &e);
    if (code == ERR_INVALID)
        return cli_refuse(c->in, "%s", e.text);
    return code ? cli_fail(c->in, "%s", e.text) : CLI_DONE;
}

// The workflows without tests are to be told of too.
static int cover_folder(struct test_command *c, const char *dir)
{
    int code = 0;

    for (size_t i = 0; i < c->run.folder->count && code == 0; i++) {
        char path[FILE_PATH_MAX];

        if (!folder_is_workflow(c->run.folder->files[i].path))
            continue;
        snprintf(path, sizeof(path), "%s/%s", dir, c->run.folder->files[i].path);
        code = test_cover_add(c->run.cover, path);
    }
    return code;
}

// The tests of one folder: from..end of the paths.
static int run_folder(struct test_command *c, size_t from, size_t end)
{
    const struct test_path *list = c->paths.list;
    struct folder *folder = NULL;
    struct err e = {0};
    int code = folder_read(&folder, list[from].dir, NULL, &e);

    c->run.folder = folder;
    if (code == 0 && c->run.cover)
        code = cover_folder(c, list[from].dir);
    for (size_t i = from; i < end && code == 0; i++) {
        char shown[FILE_PATH_MAX];

        snprintf(shown, sizeof(shown), "%s/%s", list[i].dir, list[i].name);
        code = test_file_run(&c->run, list[i].dir, list[i].name, &e);
        test_report_file_done(c->run.report, shown);
    }
    folder_unref(folder);
    return code ? cli_fail(c->in, "%s", e.code ? e.text : "out of memory") : CLI_DONE;
}

static int run_files(struct test_command *c)
{
    const struct test_path *list = c->paths.list;
    int status = CLI_DONE;
    size_t end;

    for (size_t i = 0; i < c->paths.count && status == CLI_DONE; i = end) {
        for (end = i; end < c->paths.count && strcmp(list[end].dir, list[i].dir) == 0;)
            end++;
        status = run_folder(c, i, end);
    }
    return status;
}

static int write_junit(const struct test_command *c, const char *path)
{
    struct buf text;
    struct err e = {0};
    int status = CLI_DONE;

    buf_init(&text, JUNIT_MAX_BYTES);
    test_report_write_junit(c->run.report, &text);
    if (text.failed)
        status = cli_fail(c->in, "%s: the report is too large", path);
    else if (file_write(path, buf_str(&text), 0666, &e) != 0)
        status = cli_fail(c->in, "%s", e.text);
    buf_fini(&text);
    return status;
}

static int print_json(const struct test_command *c)
{
    struct buf text;
    int status = CLI_DONE;

    buf_init(&text, JUNIT_MAX_BYTES);
    test_report_write_json(c->run.report, c->run.cover, &text);
    if (text.failed)
        status = cli_fail(c->in, "the report is too large");
    else
        fwrite(text.data, 1, text.len, c->in->out);
    buf_fini(&text);
    return status;
}

static int report(const struct test_command *c)
{
    const struct options *o = &c->in->options;
    const struct test_report *r = c->run.report;
    const char *junit = options_text(o, "junit");
    int status = junit ? write_junit(c, junit) : CLI_DONE;

    if (options_has(o, "json"))
        return print_json(c) == CLI_DONE ? status : CLI_FAILED;
    if (options_has(o, "tap")) {
        test_report_print_tap(r, c->in->out);
    } else {
        if (c->run.cover)
            test_cover_print(c->run.cover, c->in->out);
        test_report_print_sum(r, c->in->out);
    }
    return status;
}

// What of a run is no success beside a case that failed: nothing ran.
static int judge(const struct test_command *c, int status)
{
    const struct test_report *r = c->run.report;

    if (status != CLI_DONE || r->count[TEST_FAILED])
        return CLI_FAILED;
    if (r->count[TEST_PASSED] + r->count[TEST_SKIPPED])
        return CLI_DONE;
    if (c->paths.count)
        return cli_fail(c->in, "no case's name holds '%s'", c->run.filter ? c->run.filter : "");
    return cli_fail(c->in, "there are no tests, *_test.lua, in %s: hookline new NAME makes one",
                    c->in->options.argument_count ? c->in->options.arguments[0]
                                                  : c->run.config->rules_dir);
}

static int run(const struct invocation *in)
{
    const struct options *o = &in->options;
    bool is_text = !options_has(o, "json") && !options_has(o, "tap");
    struct config config;
    struct test_report report_;
    struct test_cover cover;
    struct test_command c = {
        .in = in,
        .run = {.config = &config,
                .report = &report_,
                .cover = options_has(o, "coverage") ? &cover : NULL,
                .filter = options_text(o, options_has(o, "k") ? "k" : "filter"),
                .messages = in->messages},
    };
    int status = cli_load_config(in, &config);

    test_report_init(&report_, is_text ? in->out : NULL);
    test_cover_init(&cover);
    if (status == CLI_DONE)
        status = find_paths(&c);
    if (status == CLI_DONE) {
        status = run_files(&c);
        if (status == CLI_DONE)
            status = report(&c);
        status = judge(&c, status);
    }
    test_paths_fini(&c.paths);
    test_cover_fini(&cover);
    test_report_fini(&report_);
    config_fini(&config);
    return status;
}

static const struct option options[] = {
    {"filter", "TEXT", OPTION_TEXT, false, false,
     "only the cases whose name, or whose file's name, holds this (also -k TEXT)"},
    {"k", "TEXT", OPTION_TEXT, false, true, "the same"},
    {"coverage", NULL, OPTION_SWITCH, false, false,
     "say which conditions were never true or never false"},
    {"junit", "FILE", OPTION_PATH, false, false, "write the results as JUnit's XML, too"},
    {"tap", NULL, OPTION_SWITCH, false, false, "the results as TAP 14"},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};

const struct command command_test = {
    .name = "test",
    .arguments = "[DIR|FILE]...",
    .summary = "Run the tests of the workflows, RULES/*_test.lua",
    .details =
        "A test file gives events, and the webhooks that are expected of them:\n\n"
        "  local hook = require \"hookline\"\n\n"
        "  return hook.test {\n"
        "    cases = {\n"
        "      {\n"
        "        name = \"a won deal makes an invoice\",\n"
        "        given = { record = { deal_stage = \"Won\", amount = 100 } },\n"
        "        expect = { method = \"POST\", body = { amount = 100 } },\n"
        "      },\n"
        "    },\n"
        "  }\n\n"
        "It tests the workflow whose name it has: invoice_test.lua is of invoice.lua. Nothing is "
        "sent:\n"
        "the receiver answers by script (answers = { 503, 200 }), and the clock is moved by hand\n"
        "(steps = { { given = ... }, { after = \"15s\", deliveries = { { state = \"delivered\" } } "
        "} }).\n"
        "Each case runs in two fresh Lua states, whose webhooks must be the same to the byte. The "
        "exit\n"
        "status is 0 where every case passed.\n",
    .options = options,
    .common = COMMON_LOAD | COMMON_JSON,
    .least_arguments = 0,
    .most_arguments = OPTIONS_ARGUMENTS_MAX,
    .run = run,
};
