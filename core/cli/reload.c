#include "cli/command.h"
#include "cli/listing.h"

static int show(struct listing *l)
{
    const struct json_node *errors = json_tree_get(l->root, "errors");
    FILE *messages = l->in->messages;

    fprintf(l->in->out, "Generation " STR_FMT " is in force, " STR_FMT " workflows.\n",
            STR_ARG(json_tree_text(json_tree_get(l->root, "generation"))),
            STR_ARG(json_tree_text(json_tree_get(l->root, "workflows"))));
    for (const struct json_node *e = errors ? errors->first : NULL; e; e = e->next) {
        struct str path = json_tree_text(json_tree_get(e, "path"));

        table_print_safe(messages, json_tree_text(json_tree_get(e, "file")), false);
        fprintf(messages,
                ":" STR_FMT ": error: ", STR_ARG(json_tree_text(json_tree_get(e, "line"))));
        table_print_safe(messages, path, false);
        fputs(path.len ? ": " : "", messages);
        table_print_safe(messages, json_tree_text(json_tree_get(e, "message")), false);
        fputc('\n', messages);
    }
    return CLI_DONE;
}

static int judge(struct listing *l)
{
    const struct json_node *errors = json_tree_get(l->root, "errors");

    return errors && errors->first ? CLI_FAILED : CLI_DONE;
}

static int run(const struct invocation *in)
{
    return listing_run(in, "POST", "/v1/reload", show, judge);
}

const struct command command_reload = {
    .name = "reload",
    .arguments = "",
    .summary = "Make a running host load its workflows, secrets and certificates again",
    .details = "Like SIGHUP, but it waits, and tells what was wrong: the exit status is 1 where a "
               "file has\n"
               "an error (its last good text stays in force).\n",
    .options = NULL,
    .common = COMMON_REMOTE | COMMON_JSON,
    .least_arguments = 0,
    .most_arguments = 0,
    .run = run,
};
