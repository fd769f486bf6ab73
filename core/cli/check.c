#include "cli/command.h"
#include "cli/fault.h"
#include "encode/json_writer.h"
#include "engine/generation.h"

enum { JSON_MAX_BYTES = 256 * 1024 * 1024 };

static void write_faults(struct json_writer *w, const struct rules *rules, bool warnings)
{
    json_key(w, warnings ? STR("warnings") : STR("errors"));
    json_array_begin(w);
    for (size_t i = 0; i < rules_fault_count(rules); i++)
        if (rules_fault(rules, i)->is_warning == warnings)
            fault_write_json(w, rules_fault(rules, i));
    json_array_end(w);
}

static int print_json(const struct invocation *in, const struct generation *g)
{
    struct buf out;
    struct json_writer w;
    int status = CLI_DONE;

    buf_init(&out, JSON_MAX_BYTES);
    json_writer_init(&w, &out);
    json_object_begin(&w);
    json_key(&w, STR("workflows"));
    json_array_begin(&w);
    for (size_t i = 0; i < g->workflow_count; i++) {
        const struct generation_workflow *one = &g->workflows[i];

        if (!one->rule)
            continue;
        json_object_begin(&w);
        json_member_text(&w, "id", one->id);
        json_member_text(&w, "name", one->rule->name);
        json_member_text(&w, "record", one->rule->record);
        json_member_text(&w, "file", one->file);
        json_object_end(&w);
    }
    json_array_end(&w);
    write_faults(&w, g->rules, false);
    write_faults(&w, g->rules, true);
    json_object_end(&w);
    if (out.failed)
        status = cli_fail(in, "out of memory");
    else
        fprintf(in->out, STR_FMT "\n", STR_ARG(buf_str(&out)));
    buf_fini(&out);
    return status;
}

static void print_text(const struct invocation *in, const struct generation *g, const char *dir)
{
    size_t fine = 0;

    for (size_t i = 0; i < rules_fault_count(g->rules); i++)
        fault_print(in->out, rules_fault(g->rules, i));
    for (size_t i = 0; i < g->workflow_count; i++)
        fine += g->workflows[i].rule != NULL;
    if (g->workflow_count == 0)
        fprintf(in->messages, "There are no workflows in %s; make one with: hookline new NAME\n",
                dir);
    else if (fine == g->workflow_count)
        fprintf(in->out, "%zu workflow%s: all fine.\n", fine, fine == 1 ? "" : "s");
    else
        fprintf(in->out, "%zu of %zu workflows are fine.\n", fine, g->workflow_count);
}

static int run(const struct invocation *in)
{
    struct config c;
    struct rules_config rules;
    struct generation *g = NULL;
    struct folder *folder = NULL;
    struct err e = {0};
    int status = cli_load_config(in, &c);

    if (status)
        goto out;
    for (size_t i = 0; i < c.message_count; i++)
        fprintf(in->messages, "hookline: warning: %s\n", c.messages[i].text);
    rules = config_rules(&c);
    if (folder_read(&folder, c.rules_dir, NULL, &e) != 0 ||
        generation_build(&g, &rules, folder, NULL, &e) != 0) {
        status = cli_fail(in, "%s", e.text);
        goto out;
    }
    if (options_has(&in->options, "json"))
        status = print_json(in, g);
    else
        print_text(in, g, c.rules_dir);
    if (g->error_count)
        status = CLI_FAILED;
out:
    generation_free(g);
    folder_unref(folder);
    config_fini(&c);
    return status;
}

const struct command command_check = {
    .name = "check",
    .arguments = "",
    .summary = "Find every mistake in the workflow files",
    .details = "Each is one line, `file:line: error: path.of.key: what is wrong`, or with "
               "`warning`; the exit\n"
               "status is 1 where there is an error. Nothing is sent, and no host is needed.\n",
    .options = NULL,
    .common = COMMON_LOAD | COMMON_JSON,
    .least_arguments = 0,
    .most_arguments = 0,
    .run = run,
};
