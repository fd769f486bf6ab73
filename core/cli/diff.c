// `hookline diff`: stored events judged twice, by the rules that a host has in force and by those
// of a folder.
#include "cli/diff.h"

#include <stdlib.h>

#include "cli/diff_text.h"
#include "engine/folder.h"

enum { LAST_MAX_BYTES = 64 * 1024, TREE_MAX_BYTES = 512 * 1024 * 1024, LIMIT = 20 };

static int load_old(struct diff *d, struct arena *arena, struct err *e)
{
    struct json_node *root;
    const struct json_node *files;
    struct folder *f;
    int code = diff_read_host(d, "/v1/rules", arena, &root, e);

    if (code)
        return code;
    files = json_tree_get(root, "files");
    f = folder_new();
    for (const struct json_node *n = files ? files->first : NULL; n && f && code == 0; n = n->next)
        code = folder_add(f, json_tree_text(json_tree_get(n, "path")),
                          json_tree_text(json_tree_get(n, "text")));
    if (!f || code) {
        folder_unref(f);
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    code = diff_side_load(&d->old, d->in, &d->config, f, e);
    return code ? err_context(e, "the rules in force, with the settings of this configuration") : 0;
}

static int load_new(struct diff *d, struct err *e)
{
    struct folder *f;
    int code = folder_read(&f, d->config.rules_dir, NULL, e);

    if (code == 0)
        code = diff_side_load(&d->new, d->in, &d->config, f, e);
    return code ? err_context(e, "%s", d->config.rules_dir) : 0;
}

static int add_tallies(struct diff *d, const struct generation *g)
{
    for (size_t i = 0; i < rules_workflow_count(g->rules); i++) {
        const char *id = rules_workflow(g->rules, i)->id;

        if (map_get(&d->by_id, str_from(id)))
            continue;
        d->tallies[d->tally_count] = (struct diff_tally){.id = id};
        if (map_put(&d->by_id, str_from(id), &d->tallies[d->tally_count++]) != 0)
            return ERR_NOMEM;
    }
    return 0;
}

static int load_sides(struct diff *d, struct err *e)
{
    struct arena arena;
    struct json_node *root;
    size_t count;
    int code;

    arena_init(&arena, TREE_MAX_BYTES);
    code = load_new(d, e);
    code = code ? code : load_old(d, &arena, e);
    code = code ? code : diff_read_host(d, "/v1/workflows", &arena, &root, e);
    const struct json_node *workflows = code ? NULL : json_tree_get(root, "workflows");
    if (code == 0 && workflows == NULL)
        code = err_set(e, ERR_INVALID, "the answer of the host has no workflows: is it hookline?");
    if (code == 0) {
        diff_side_set_modes(&d->old, workflows, true);
        diff_side_set_modes(&d->new, workflows, false);
        count = rules_workflow_count(d->old.generation->rules) +
                rules_workflow_count(d->new.generation->rules);
        d->tallies = calloc(count + 1, sizeof(*d->tallies));
        code = d->tallies ? add_tallies(d, d->old.generation) : ERR_NOMEM;
        code = code ? code : add_tallies(d, d->new.generation);
        if (code)
            err_set(e, ERR_NOMEM, "out of memory");
    }
    arena_fini(&arena);
    if (code == 0 && d->only.len && !map_get(&d->by_id, d->only))
        code = err_set(e, ERR_NOT_FOUND, "there is no workflow " STR_FMT " on either side",
                       STR_ARG(d->only));
    return code;
}

static int run(const struct invocation *in)
{
    struct diff d = {.in = in, .limit = options_count(&in->options, "limit", LIMIT)};
    const char *workflow = options_text(&in->options, "workflow");
    struct err e = {0};
    int status, code;

    if (!options_has(&in->options, "rules"))
        return cli_refuse(in, "--rules DIR is missing: the folder of the rules to compare with "
                              "those in force");
    status = cli_load_config(in, &d.config);
    d.only = workflow ? str_from(workflow) : (struct str){0};
    diff_side_init(&d.old);
    diff_side_init(&d.new);
    map_init(&d.by_id);
    buf_init(&d.last, LAST_MAX_BYTES);
    buf_init(&d.json, DIFF_TEXT_MAX_BYTES);
    if (status == 0) {
        code = remote_open(&d.remote, in, &d.config, &e);
        code = code ? code : load_sides(&d, &e);
        if (code == 0) {
            diff_show_begin(&d);
            code = diff_judge_all(&d, &e);
        }
        if (code)
            status = cli_fail(in, "%s", e.text);
        else
            diff_show_end(&d);
    }
    if (status == 0 && d.difference_count)
        status = CLI_FAILED;
    remote_close(d.remote);
    diff_side_fini(&d.old);
    diff_side_fini(&d.new);
    map_fini(&d.by_id);
    free(d.tallies);
    buf_fini(&d.last);
    buf_fini(&d.json);
    config_fini(&d.config);
    return status;
}

static const struct option options[] = {
    {"rules", "DIR", OPTION_PATH, false, false, "the folder of the rules to compare with"},
    {"since", "TIME", OPTION_SINCE, false, false,
     "events from then on: 7d (which it is), 12h, a date, a time"},
    {"until", "TIME", OPTION_SINCE, false, false, "events before then"},
    {"type", "TYPE", OPTION_TEXT, false, false, "of this type: deal, deal.updated"},
    {"record", "ID", OPTION_TEXT, false, false, "of this record"},
    {"workflow", "ID", OPTION_TEXT, false, false, "what this workflow sends alone"},
    {"limit", "N", OPTION_COUNT, false, false, "show at most so many differences (20)"},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};

const struct command command_diff = {
    .name = "diff",
    .arguments = "",
    .summary = "Show what a change of the rules would do: what other webhooks stored events cause",
    .details =
        "Judges the events that a running host has stored twice: by the rules in force there, and "
        "by\n"
        "those of --rules DIR. Nothing is sent or stored. Each webhook that one side alone sends, "
        "or\n"
        "that is another one, is shown as a unified diff, secrets masked; then a table counts "
        "them.\n"
        "\n"
        "Both sides are judged alike: each event against the state of its record that it was "
        "compared\n"
        "with then, once-marks and cooldowns as if none had been before the first event, the "
        "operator's\n"
        "starts and stops as they are now. Of schedules the times that were are judged, for the "
        "records\n"
        "that matched. vars are those of this configuration. The exit status is 0 where nothing\n"
        "differs, 1 where something does or it failed.\n",
    .options = options,
    .common = COMMON_LOAD | COMMON_REMOTE | COMMON_JSON,
    .least_arguments = 0,
    .most_arguments = 0,
    .run = run,
};
