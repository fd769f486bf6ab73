#include "cli/status.h"

#include "cli/show.h"

// "paused by admin since 2026-...: WORDS", where it is.
static void show_since(struct listing *l, const char *name, const char *words)
{
    const struct json_node *mark = json_tree_get(l->root, name);

    if (mark && mark->first)
        fprintf(l->in->out, "  %s by " STR_FMT " since " STR_FMT ": %s\n", name,
                STR_ARG(json_tree_text(json_tree_get(mark, "by"))),
                STR_ARG(json_tree_text(json_tree_get(mark, "since"))), words);
}

// The workflows whose file has an error.
static void show_broken(struct listing *l)
{
    const struct json_node *broken = json_tree_get(l->root, "broken");

    for (const struct json_node *id = broken ? broken->first : NULL; id; id = id->next) {
        fputs("  broken     ", l->in->out);
        table_print_safe(l->in->out, json_tree_text(id), false);
        fputs(": its file has an error, see hookline workflows\n", l->in->out);
    }
}

// The targets that an operator has paused: a resume of everything leaves them so. While everything
// is paused they are not told apart. The status itself is gone then.
static void show_paused_targets(struct listing *l)
{
    struct remote_answer answer;
    struct json_node *root;
    const struct json_node *rows;
    struct err e = {0};
    const struct json_node *all = json_tree_get(l->root, "paused");

    if (!l->remote || (all && all->first) ||
        remote_get(l->remote, "GET", "/v1/targets?limit=1000", &answer, &e) != 0 ||
        json_tree_read(&root, answer.body, &l->arena, &e) != 0 ||
        !(rows = json_tree_get(root, "targets")))
        return;
    for (const struct json_node *row = rows->first; row; row = row->next) {
        struct str target = json_tree_text(json_tree_get(row, "target"));

        if (!str_eq(json_tree_text(json_tree_get(row, "state")), STR("paused")))
            continue;
        fprintf(l->in->out, "  paused     " STR_FMT ", which is owed " STR_FMT, STR_ARG(target),
                STR_ARG(json_tree_text(json_tree_get(row, "owed"))));
        fprintf(l->in->out, ": hookline targets resume " STR_FMT "\n", STR_ARG(target));
    }
}

int status_show(struct listing *l)
{
    FILE *out = l->in->out;

    fprintf(out, STR_FMT "\n", STR_ARG(json_tree_text(json_tree_get(l->root, "status"))));
    show_since(l, "paused", "events are taken, nothing is sent");
    show_since(l, "draining", "no events are taken, what is due is sent");
    show_field(out, "in flight", json_tree_get(l->root, "in_flight"));
    show_field(out, "owed", json_tree_get(l->root, "owed"));
    show_field(out, "next attempt", json_tree_get(l->root, "next_attempt_at"));
    show_broken(l);
    show_paused_targets(l);
    return CLI_DONE;
}

static int run_status(const struct invocation *in)
{
    return listing_run(in, "GET", "/v1/status", status_show, NULL);
}

static int run_pause(const struct invocation *in)
{
    return listing_run(in, "POST", "/v1/pause", status_show, NULL);
}

static int run_resume(const struct invocation *in)
{
    return listing_run(in, "POST", "/v1/resume", status_show, NULL);
}

const struct command command_status = {
    .name = "status",
    .arguments = "",
    .summary = "Whether a running host takes events and sends, and how much it owes",
    .details = "",
    .options = NULL,
    .common = COMMON_REMOTE | COMMON_JSON,
    .least_arguments = 0,
    .most_arguments = 0,
    .run = run_status,
};

const struct command command_pause = {
    .name = "pause",
    .arguments = "",
    .summary = "Make a running host send nothing, to any target, until it is resumed",
    .details =
        "Events are taken, judged and stored as ever; what they make owed is held, over restarts\n"
        "too. What is under way ends. The time in which the host is paused counts for no retry\n"
        "window. hookline targets pause is for one target alone.\n",
    .options = NULL,
    .common = COMMON_REMOTE | COMMON_JSON,
    .least_arguments = 0,
    .most_arguments = 0,
    .run = run_pause,
};

const struct command command_resume = {
    .name = "resume",
    .arguments = "",
    .summary = "End a pause or a drain: a running host takes events and sends again",
    .details = "",
    .options = NULL,
    .common = COMMON_REMOTE | COMMON_JSON,
    .least_arguments = 0,
    .most_arguments = 0,
    .run = run_resume,
};
