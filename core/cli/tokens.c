#include "cli/command.h"
#include "cli/listing.h"
#include "encode/json_writer.h"

enum { BODY_MAX_BYTES = 16 * 1024 };

static int show_list(struct listing *l)
{
    static const char *const titles[] = {"ID",      "NAME",      "ROLE",   "RATE",
                                         "EXPIRES", "LAST USED", "REVOKED"};
    static const char *const paths[] = {"id",         "name",         "role",      "rate",
                                        "expires_at", "last_used_at", "revoked_at"};

    listing_print_table(l, "tokens", titles, paths, sizeof(paths) / sizeof(paths[0]));
    listing_say_more(l);
    return CLI_DONE;
}

// The secret alone is data, so that it can go straight to where it is wanted.
static int show_new(struct listing *l)
{
    fprintf(l->in->messages,
            "This is the token " STR_FMT " (" STR_FMT "). It is not shown again:\n",
            STR_ARG(json_tree_text(json_tree_get(l->root, "name"))),
            STR_ARG(json_tree_text(json_tree_get(l->root, "role"))));
    fprintf(l->in->out, STR_FMT "\n", STR_ARG(json_tree_text(json_tree_get(l->root, "token"))));
    return CLI_DONE;
}

static int show_revoked(struct listing *l)
{
    fprintf(l->in->out, "The token " STR_FMT " is revoked.\n",
            STR_ARG(json_tree_text(json_tree_get(l->root, "name"))));
    return CLI_DONE;
}

static void write_option(struct json_writer *w, const struct invocation *in, const char *name,
                         const char *member)
{
    const char *text = options_text(&in->options, name);

    if (text)
        json_member_text(w, member, text);
}

static int add(const struct invocation *in)
{
    const struct options *o = &in->options;
    struct buf body;
    struct json_writer w;
    int status;

    if (o->argument_count != 2)
        return cli_refuse(in, "a name is missing: hookline tokens add NAME --role ROLE");
    if (!options_has(o, "role"))
        return cli_refuse(in, "add needs --role: ingest posts events, read looks, admin does all");
    if (options_has(o, "limit") || options_has(o, "cursor"))
        return cli_refuse(in, "add takes no --%s", options_has(o, "limit") ? "limit" : "cursor");
    buf_init(&body, BODY_MAX_BYTES);
    json_writer_init(&w, &body);
    json_object_begin(&w);
    json_member_text(&w, "name", o->arguments[1]);
    write_option(&w, in, "role", "role");
    write_option(&w, in, "expires", "expires_in");
    write_option(&w, in, "rate", "rate");
    json_object_end(&w);
    status = body.failed ? cli_fail(in, "the name is too long")
                         : listing_send(in, "/v1/tokens", buf_str(&body), show_new);
    buf_fini(&body);
    return status;
}

static int run(const struct invocation *in)
{
    static const struct listing_action actions[] = {
        {"revoke", " ", NULL, show_revoked},
        {NULL, NULL, NULL, NULL},
    };
    static const struct listing_verb verbs = {"/v1/tokens", show_list, NULL, actions,
                                              " limit cursor "};
    const char *verb = in->options.argument_count ? in->options.arguments[0] : "list";

    return strcmp(verb, "add") == 0 ? add(in) : listing_act(in, &verbs);
}

static const struct option options[] = {
    {"role", "ROLE", OPTION_ROLE, false, false, "add: ingest, read or admin"},
    {"expires", "DURATION", OPTION_DURATION, false, false, "add: it is good for so long (90d)"},
    {"rate", "RATE", OPTION_RATE, false, false, "add: requests at most (100/s, 300/m, 1000/h)"},
    {"limit", "N", OPTION_COUNT, false, false, "list: at most so many (50), 1000 at most"},
    {"cursor", "CURSOR", OPTION_TEXT, false, false,
     "list: go on where the page that named it ended"},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};

const struct command command_tokens = {
    .name = "tokens",
    .arguments = "[list | add NAME --role ROLE | revoke ID|NAME]",
    .summary = "Who may call a running host: its tokens and their roles",
    .details =
        "ingest posts events, records and what sources take; read may look at everything but\n"
        "tokens; admin may do all. add prints the token, once: the host keeps its hash alone.\n"
        "revoke ends one at once. The token in DATA/admin.token is not among them: remove the "
        "file\n"
        "and restart the host for another one.\n",
    .options = options,
    .common = COMMON_REMOTE | COMMON_JSON,
    .least_arguments = 0,
    .most_arguments = 2,
    .run = run,
};
