#include "cli/command.h"
#include "cli/listing.h"

enum { PATH_MAX_BYTES = 16 * 1024 };

static int show(struct listing *l)
{
    static const char *const titles[] = {"AT", "WHO", "FROM", "ACT", "ON", "BEFORE", "AFTER"};
    static const char *const paths[] = {"at", "who", "from", "act", "subject", "before", "after"};

    listing_print_table(l, "audit", titles, paths, sizeof(paths) / sizeof(paths[0]));
    listing_say_more(l);
    return CLI_DONE;
}

static int run(const struct invocation *in)
{
    struct buf path;
    int status;

    buf_init(&path, PATH_MAX_BYTES);
    status = listing_path(in, "/v1/audit", &path) ? cli_fail(in, "the filters are too long")
                                                  : listing_run(in, "GET", path.data, show, NULL);
    buf_fini(&path);
    return status;
}

static const struct option options[] = {
    {"since", "TIME", OPTION_SINCE, false, false,
     "from then on: 2d (back from now), 2026-11-23 or 2026-11-23T09:15:00Z"},
    {"until", "TIME", OPTION_SINCE, false, false, "before then, written alike"},
    {"limit", "N", OPTION_COUNT, false, false, "at most so many (50), 1000 at most"},
    {"cursor", "CURSOR", OPTION_TEXT, false, false, "go on where the page that named it ended"},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};

const struct command command_audit = {
    .name = "audit",
    .arguments = "",
    .summary = "What operators did on a running host, newest first",
    .details =
        "Starts and stops of workflows, resets, replays, webhooks that were sent again or taken\n"
        "back, and reloads: when, by whom, from where, and what it changed.\n",
    .options = options,
    .common = COMMON_REMOTE | COMMON_JSON,
    .least_arguments = 0,
    .most_arguments = 0,
    .run = run,
};
