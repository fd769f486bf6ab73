#include <stdlib.h>

#include "base/file.h"
#include "cli/command.h"
#include "cli/config_faults.h"
#include "cli/fault.h"
#include "cli/test_paths.h"
#include "deliver/missing.h"
#include "encode/json_writer.h"
#include "engine/generation.h"
#include "script/suite.h"

enum { JSON_MAX_BYTES = 256 * 1024 * 1024, PLAN_MAX_BYTES = 256 * 1024 * 1024 };

// What is looked at: the workflows of the folder, and its test files.
struct check {
    const struct invocation *in;
    struct config config;
    struct folder *folder;
    struct generation *workflows;
    struct test_paths paths;
    struct suite **tests; // as many as paths
    size_t error_count;
    size_t warning_count;
};

static int load_test(struct check *c, const struct rules_config *rules, size_t i, struct err *e)
{
    const struct test_path *p = &c->paths.list[i];
    char path[FILE_PATH_MAX];
    struct buf plan;
    char *text = NULL;
    size_t len;
    int code = suite_new(&c->tests[i], rules, e);

    if (code)
        return code;
    snprintf(path, sizeof(path), "%s/%s", p->dir, p->name);
    if (file_read(path, FOLDER_FILE_MAX_BYTES, &text, &len, e) != 0)
        return e->code == ERR_NOMEM
                   ? ERR_NOMEM
                   : rules_add_fault(suite_rules(c->tests[i]), path, NULL, "%s", e->text);
    buf_init(&plan, PLAN_MAX_BYTES);
    code = folder_add_texts(c->folder, suite_rules(c->tests[i]));
    if (code == 0)
        code = suite_load(c->tests[i], p->name, (struct str){text, len}, &plan);
    buf_fini(&plan);
    free(text);
    return code == ERR_INVALID ? 0 : code; // its faults say why
}

static void add_missing(void *ctx, const struct missing *m)
{
    const struct check *c = ctx;

    rules_add_warning(c->workflows->rules, m->file, m->message); // too many faults say enough
}

static int look_for_secrets(struct check *c, struct err *e)
{
    struct secrets *secrets;
    int code = secrets_new(&secrets, c->config.data_dir, e);

    if (code)
        return code;
    if (secrets_are_readable(secrets))
        missing_each(c->workflows->rules, secrets, add_missing, c);
    secrets_free(secrets);
    return 0;
}

static int load(struct check *c, struct err *e)
{
    struct rules_config rules = config_rules(&c->config);
    int code = folder_read(&c->folder, c->config.rules_dir, NULL, e);

    if (code == 0)
        code = generation_build(&c->workflows, &rules, c->folder, NULL, e);
    if (code == 0)
        code = test_paths_add_folder(&c->paths, c->config.rules_dir, e);
    if (code == 0) {
        c->tests = calloc(c->paths.count + 1, sizeof(struct suite *));
        code = c->tests ? 0 : ERR_NOMEM;
    }
    for (size_t i = 0; i < c->paths.count && code == 0; i++)
        code = load_test(c, &rules, i, e);
    if (code == 0)
        code = look_for_secrets(c, e);
    return code && !e->code ? err_set(e, (enum err_code)code, "out of memory") : code;
}

// The faults of the workflows, then those of each test file: the n-th of them, NULL at the end.
static const struct rules_fault *next_fault(const struct check *c, size_t *set, size_t *i)
{
    for (;; *i = 0, ++*set) {
        const struct rules *rules = *set == 0                ? c->workflows->rules
                                    : *set <= c->paths.count ? suite_rules(c->tests[*set - 1])
                                                             : NULL;

        if (!rules)
            return NULL;
        if (*i < rules_fault_count(rules))
            return rules_fault(rules, (*i)++);
    }
}

static void write_faults(const struct check *c, struct json_writer *w, bool warnings)
{
    const struct rules_fault *f;
    size_t set = 0;
    size_t i = 0;

    json_key(w, warnings ? STR("warnings") : STR("errors"));
    json_array_begin(w);
    while ((f = next_fault(c, &set, &i)))
        if (f->is_warning == warnings)
            fault_write_json(w, f);
    json_array_end(w);
}

static void write_workflows(const struct generation *g, struct json_writer *w)
{
    json_key(w, STR("workflows"));
    json_array_begin(w);
    for (size_t i = 0; i < g->workflow_count; i++) {
        const struct generation_workflow *one = &g->workflows[i];

        if (!one->rule)
            continue;
        json_object_begin(w);
        json_member_text(w, "id", one->id);
        json_member_text(w, "name", one->rule->name);
        json_member_text(w, "record", one->rule->record);
        json_member_text(w, "file", one->file);
        json_object_end(w);
    }
    json_array_end(w);
}

static int print_json(const struct check *c)
{
    struct buf out;
    struct json_writer w;
    int status = CLI_DONE;

    buf_init(&out, JSON_MAX_BYTES);
    json_writer_init(&w, &out);
    json_object_begin(&w);
    write_workflows(c->workflows, &w);
    write_faults(c, &w, false);
    write_faults(c, &w, true);
    json_object_end(&w);
    if (out.failed)
        status = cli_fail(c->in, "out of memory");
    else
        fprintf(c->in->out, STR_FMT "\n", STR_ARG(buf_str(&out)));
    buf_fini(&out);
    return status;
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

// "6 workflows and 6 test files: 2 errors, 1 warning."
static void print_sum(const struct check *c)
{
    size_t workflows = c->workflows->workflow_count;
    size_t tests = c->paths.count;
    FILE *out = c->in->out;

    fprintf(out, "%zu workflow%s", workflows, plural(workflows));
    if (tests)
        fprintf(out, " and %zu test file%s", tests, plural(tests));
    if (!c->error_count && !c->warning_count) {
        fputs(": all fine.\n", out);
        return;
    }
    fprintf(out, ": %zu error%s", c->error_count, plural(c->error_count));
    if (c->warning_count)
        fprintf(out, ", %zu warning%s", c->warning_count, plural(c->warning_count));
    fputs(".\n", out);
}

static void print_text(const struct check *c)
{
    const struct rules_fault *f;
    size_t set = 0;
    size_t i = 0;

    while ((f = next_fault(c, &set, &i)))
        fault_print(c->in->out, f);
    if (c->workflows->workflow_count == 0)
        fprintf(c->in->messages, "There are no workflows in %s; make one with: hookline new NAME\n",
                c->config.rules_dir);
    if (c->workflows->workflow_count || c->paths.count)
        print_sum(c);
}

static void count_faults(struct check *c)
{
    const struct rules_fault *f;
    size_t set = 0;
    size_t i = 0;

    while ((f = next_fault(c, &set, &i)))
        *(f->is_warning ? &c->warning_count : &c->error_count) += 1;
}

// The configuration alone, with its mistakes where the workflows' are: on stdout.
static int check_config(const struct invocation *in)
{
    struct config c;
    struct buf out;
    struct json_writer w;
    bool is_wrong = cli_read_config(in, &c) != 0;

    buf_init(&out, JSON_MAX_BYTES);
    if (options_has(&in->options, "json")) {
        json_writer_init(&w, &out);
        json_object_begin(&w);
        if (c.file)
            json_member_text(&w, "file", c.file);
        config_faults_write(&w, &c);
        json_object_end(&w);
        fprintf(in->out, STR_FMT "\n", STR_ARG(buf_str(&out)));
    } else {
        config_faults_print(in->out, &c);
        if (!c.file)
            fputs("There is no hookline.conf.lua here: what is in force comes from the environment "
                  "and from defaults.\n",
                  in->messages);
        if (!c.message_count)
            fprintf(in->out, "%s: all fine.\n", c.file ? c.file : "the configuration");
    }
    if (c.message_count && options_has(&in->options, "strict"))
        is_wrong = true;
    buf_fini(&out);
    config_fini(&c);
    return is_wrong ? CLI_FAILED : CLI_DONE;
}

static int run(const struct invocation *in)
{
    struct check c = {.in = in};
    struct err e = {0};
    const char *config = options_text(&in->options, "config");
    int status;

    if (config && !*config)
        return check_config(in);
    status = cli_load_config(in, &c.config);
    if (status)
        goto out;
    for (size_t i = 0; i < c.config.message_count; i++)
        fprintf(in->messages, "hookline: warning: %s\n", c.config.messages[i].text);
    if (load(&c, &e) != 0) {
        status = cli_fail(in, "%s", e.text);
        goto out;
    }
    count_faults(&c);
    if (options_has(&in->options, "json"))
        status = print_json(&c);
    else
        print_text(&c);
    if (c.error_count || (c.warning_count && options_has(&in->options, "strict")))
        status = CLI_FAILED;
out:
    for (size_t i = 0; c.tests && i < c.paths.count; i++)
        suite_free(c.tests[i]);
    free(c.tests);
    test_paths_fini(&c.paths);
    generation_free(c.workflows);
    folder_unref(c.folder);
    config_fini(&c.config);
    return status;
}

static const struct option check_options[] = {
    {"config", "[FILE]", OPTION_MAYBE_PATH, false, false,
     "without FILE: look at the configuration alone"},
    {"strict", NULL, OPTION_SWITCH, false, false, "a warning fails, too"},
    {0},
};

const struct command command_check = {
    .name = "check",
    .arguments = "",
    .summary = "Find every mistake in the workflow files and their tests",
    .details =
        "Each is one line, `file:line: error: path.of.key: what is wrong`, or with "
        "`warning`; the exit\n"
        "status is 1 where there is an error. Nothing is sent, and no host is needed: it is "
        "for editors\n"
        "and CI, too. What a workflow reads is compared with the catalogue of its record type, "
        "where there\n"
        "is one: types/deal.lua. A secret that a workflow names and that is not set is a warning, "
        "where the\n"
        "data folder is there and can be read. --json prints { \"workflows\", \"errors\", "
        "\"warnings\" }, each "
        "error "
        "and warning as\n"
        "{ \"file\", \"line\", \"column\", \"severity\", \"path\", \"message\" }. `hookline test` "
        "runs the "
        "tests.\n"
        "--config without a FILE looks at hookline.conf.lua (or $HOOKLINE_CONFIG), the environment "
        "and the\n"
        "flags alone, needs no rules, and prints every mistake; with FILE, that is the "
        "configuration "
        "that\n"
        "the workflows are checked with. `hookline config` shows what is in force.\n",
    .options = check_options,
    .common = COMMON_LOAD | COMMON_JSON,
    .least_arguments = 0,
    .most_arguments = 0,
    .run = run,
};
