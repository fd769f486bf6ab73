#include "cli/help.h"

#include <stdio.h>

enum { NAME_WIDTH = 24 };

static const struct option always[] = {
    {"config", "FILE", OPTION_PATH, false, false,
     "the configuration (hookline.conf.lua, where there is one)"},
    {"rules", "DIR", OPTION_PATH, false, false, "the folder of the workflow files (./rules)"},
    {"data", "DIR", OPTION_PATH, false, false, "the folder of the host's state (./data)"},
    {"help", NULL, OPTION_SWITCH, true, false, "this text"},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};

static const struct option load[] = {
    {"allow-target", "CIDR", OPTION_CIDR, true, false,
     "webhooks may go to these private addresses too (again for more)"},
    {"lua", "DIR", OPTION_PATH, false, false,
     "the Lua library from this folder in place of the embedded one"},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};

static const struct option remote[] = {
    {"url", "URL", OPTION_HOST, false, false,
     "a host elsewhere, or unix:PATH (else $HOOKLINE_URL, else the one in DATA/address)"},
    {"ca", "FILE", OPTION_PATH, false, false,
     "whose certificates to trust (else $HOOKLINE_CA, else the system's; DATA/address.pem for the "
     "own host)"},
    {"token", "TOKEN", OPTION_TEXT, false, false,
     "its token (else $HOOKLINE_TOKEN, which ps does not show, else DATA/admin.token)"},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};

static const struct option json[] = {
    {"json", NULL, OPTION_SWITCH, false, false, "the result as JSON"},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};

const struct common_group common_groups[] = {
    {COMMON_JSON, json}, {COMMON_LOAD, load}, {COMMON_REMOTE, remote}, {0, always}, {0, NULL}};

static bool has_option(const struct option *table, const char *name)
{
    for (const struct option *p = table; p && p->name; p++)
        if (strcmp(p->name, name) == 0)
            return true;
    return false;
}

// own: options of the same names win over those of the table, and are shown in their place.
static void each_shown(const struct option *table, const struct option *own, help_visit *visit,
                       void *ctx)
{
    for (const struct option *p = table; p && p->name; p++)
        if (!p->is_hidden && !has_option(own, p->name))
            visit(ctx, p);
}

void help_each_option(const struct command *command, help_visit *visit, void *ctx)
{
    each_shown(command->options, NULL, visit, ctx);
    for (const struct common_group *g = common_groups; g->options; g++)
        if (!g->bit || (command->common & g->bit))
            each_shown(g->options, command->options, visit, ctx);
}

static void print_option(void *ctx, const struct option *p)
{
    char left[128];

    snprintf(left, sizeof(left), "--%s%s%s", p->name, p->argument ? " " : "",
             p->argument ? p->argument : "");
    fprintf(ctx, "  %-*s %s\n", NAME_WIDTH, left, p->help);
}

void help_command(FILE *out, const struct command *command)
{
    fprintf(out, "Usage: hookline %s%s%s [options]\n\n%s.\n", command->name,
            *command->arguments ? " " : "", command->arguments, command->summary);
    if (*command->details)
        fprintf(out, "\n%s", command->details);
    fprintf(out, "\nOptions:\n");
    help_each_option(command, print_option, out);
}

void help_all(FILE *out, const struct command *const *commands)
{
    fprintf(out,
            "hookline runs workflows written in Lua: a CRM posts record events, each workflow says "
            "which\nit wants, and the host sends the webhooks that are owed until they arrive.\n\n"
            "Usage: hookline COMMAND [options]\n\nCommands:\n");
    for (size_t i = 0; commands[i]; i++)
        fprintf(out, "  %-*s %s\n", NAME_WIDTH, commands[i]->name, commands[i]->summary);
    fprintf(out, "\nCommon options (a command uses those that concern it):\n");
    each_shown(always, NULL, print_option, out);
    fprintf(
        out,
        "\nhookline help COMMAND tells more; hookline --version prints the version.\n"
        "Settings: flags win over the environment (HOOKLINE_LISTEN, HOOKLINE_DATA, ...), which "
        "wins over\nhookline.conf.lua. Exit status: 0 done, 1 failed, 2 wrong usage. Data goes to "
        "stdout, messages\nto stderr.\n");
}
