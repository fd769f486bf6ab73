// `hookline completion SHELL`: the shell's own script, made from the tables of commands and
// options. What is the same for all commands is text; of a command there are words alone.
#include <ctype.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/help.h"
#include "store/store.h"
#include "store/tokens.h"

enum { VERB_MAX = 32 };

// What completes an option's value.
enum completes { SWITCH, NOTHING, ANY_FILE, FOLDER, STATES, OUTCOMES, ROLES };

static const struct {
    const char *bash; // the variable that holds the options of the kind
    const char *zsh;  // behind "--name[help]:ARGUMENT"
    const char *fish; // behind "-l name"
} kinds[] = {
    [SWITCH] = {"switches", "", ""},
    [NOTHING] = {"values", ": ", " -x"},
    [ANY_FILE] = {"files", ":_files", " -r -F"},
    [FOLDER] = {"folders", ":_files -/", " -r -F"},
    [STATES] = {"states", NULL, NULL},
    [OUTCOMES] = {"outcomes", NULL, NULL},
    [ROLES] = {"roles", NULL, NULL},
};

static enum completes completes(const struct option *p)
{
    switch (p->kind) {
    case OPTION_SWITCH:
        return SWITCH;
    case OPTION_PATH:
    case OPTION_MAYBE_PATH:
        return strcmp(p->argument, "DIR") == 0 ? FOLDER : ANY_FILE;
    case OPTION_STATE:
        return STATES;
    case OPTION_OUTCOME:
        return OUTCOMES;
    case OPTION_ROLE:
        return ROLES;
    default:
        return NOTHING;
    }
}

static bool takes_files(const struct command *c)
{
    return strstr(c->arguments, "FILE") || strstr(c->arguments, "DIR") ||
           strstr(c->arguments, ".lua");
}

// The next alternative of "[list | show ID]" that begins with a word in small letters: a verb.
// False where there is none left.
static bool next_verb(const char **at, char verb[VERB_MAX])
{
    while (**at) {
        const char *s = *at + strspn(*at, "[| ");
        const char *end = strchr(s, '|');

        *at = end ? end + 1 : s + strlen(s);
        if (islower((unsigned char)*s)) {
            snprintf(verb, VERB_MAX, "%.*s", (int)strcspn(s, " |]"), s);
            return true;
        }
    }
    return false;
}

static void print_verbs(FILE *out, const struct command *c)
{
    const char *at = c->arguments;
    char verb[VERB_MAX];

    while (next_verb(&at, verb))
        fprintf(out, "%s ", verb);
}

static bool has_verbs(const struct command *c)
{
    const char *at = c->arguments;
    char verb[VERB_MAX];

    return next_verb(&at, verb);
}

static void print_values(FILE *out, enum completes kind)
{
    if (kind == STATES) {
        for (int i = DELIVERY_PENDING; i <= DELIVERY_SUPERSEDED; i++)
            fprintf(out, "%s ", delivery_state_word((enum delivery_state)i));
        fputs("owed ", out);
    } else if (kind == OUTCOMES) {
        for (int i = RUN_SENT; i <= RUN_SUPPRESSED; i++)
            fprintf(out, "%s ", run_outcome_word((enum run_outcome)i));
    } else {
        for (int i = STORE_ROLE_INGEST; i <= STORE_ROLE_ADMIN; i++)
            fprintf(out, "%s ", store_role_word((enum store_role)i));
    }
}

static void print_commands(FILE *out)
{
    for (size_t i = 0; cli_commands[i]; i++)
        fprintf(out, "%s ", cli_commands[i]->name);
}

// In single quotes; each of `escaped` gets a backslash, and a single quote what the shell wants.
static void print_quoted(FILE *out, const char *text, const char *escaped, const char *quote)
{
    for (const char *s = text; *s; s++) {
        if (*s == '\'')
            fputs(quote, out);
        else
            fprintf(out, "%s%c", strchr(escaped, *s) ? "\\" : "", *s);
    }
}

// --- bash ----------------------------------------------------------------------------------------

struct bash_list {
    FILE *out;
    enum completes kind;
};

static void bash_option(void *ctx, const struct option *p)
{
    const struct bash_list *l = ctx;

    if (completes(p) == l->kind)
        fprintf(l->out, "--%s ", p->name);
}

static void bash_command(FILE *out, const struct command *c)
{
    fprintf(out, "    %s)\n        verbs='", c->name);
    print_verbs(out, c);
    fprintf(out, "' takes_files=%s", takes_files(c) ? "yes" : "");
    for (int kind = SWITCH; kind <= ROLES; kind++) {
        struct bash_list l = {out, (enum completes)kind};

        fprintf(out, "\n        %s='", kinds[kind].bash);
        help_each_option(c, bash_option, &l);
        fputc('\'', out);
    }
    fprintf(out, "\n        ;;\n");
}

static const char bash_head[] =
    "# Completion of hookline for bash, made by: hookline completion bash\n"
    "_hookline()\n"
    "{\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "    local verbs= takes_files= switches= values= files= folders= states= outcomes= roles=\n"
    "    COMPREPLY=()\n"
    "    # --option=value is three words here.\n"
    "    if [[ $cur == = ]]; then\n"
    "        cur=\n"
    "    elif [[ $prev == = ]]; then\n"
    "        prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    fi\n"
    "    case ${COMP_WORDS[1]} in\n";

static const char bash_tail[] =
    "    if ((COMP_CWORD == 1)) || [[ ${COMP_WORDS[1]} == help ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$commands\" -- \"$cur\"))\n"
    "    elif [[ \" $folders\" == *\" $prev \"* ]]; then\n"
    "        compopt -o filenames 2>/dev/null\n"
    "        mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")\n"
    "    elif [[ \" $files\" == *\" $prev \"* ]]; then\n"
    "        compopt -o filenames 2>/dev/null\n"
    "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
    "    elif [[ \" $states\" == *\" $prev \"* ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$all_states\" -- \"$cur\"))\n"
    "    elif [[ \" $outcomes\" == *\" $prev \"* ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$all_outcomes\" -- \"$cur\"))\n"
    "    elif [[ \" $roles\" == *\" $prev \"* ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$all_roles\" -- \"$cur\"))\n"
    "    elif [[ \" $values\" == *\" $prev \"* ]]; then\n"
    "        return\n"
    "    elif [[ $cur == -* ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$switches $values $files $folders $states $outcomes "
    "$roles\" "
    "-- \"$cur\"))\n"
    "    elif [[ $verbs ]]; then\n"
    "        ((COMP_CWORD > 2)) || COMPREPLY=($(compgen -W \"$verbs\" -- \"$cur\"))\n"
    "    elif [[ $takes_files ]]; then\n"
    "        compopt -o filenames 2>/dev/null\n"
    "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
    "    fi\n"
    "}\n"
    "complete -F _hookline hookline\n";

static void print_bash(FILE *out)
{
    fputs(bash_head, out);
    for (size_t i = 0; cli_commands[i]; i++)
        bash_command(out, cli_commands[i]);
    fprintf(out, "    esac\n    local all_states='");
    print_values(out, STATES);
    fprintf(out, "' all_outcomes='");
    print_values(out, OUTCOMES);
    fprintf(out, "' all_roles='");
    print_values(out, ROLES);
    fprintf(out, "'\n    local commands='");
    print_commands(out);
    fprintf(out, "help --help --version'\n");
    fputs(bash_tail, out);
}

// --- zsh -----------------------------------------------------------------------------------------

static void zsh_option(void *ctx, const struct option *p)
{
    FILE *out = ctx;
    enum completes kind = completes(p);

    fprintf(out, " \\\n      '%s--%s%s[", p->is_repeatable ? "*" : "", p->name,
            kind == SWITCH ? "" : "=");
    print_quoted(out, p->help, "[]\\", "'\\''");
    fputc(']', out);
    if (kind != SWITCH) {
        fputc(':', out);
        print_quoted(out, p->argument, ":\\", "'\\''");
    }
    if (kinds[kind].zsh) {
        fputs(kinds[kind].zsh, out);
    } else {
        fputs(":(", out);
        print_values(out, kind);
        fputc(')', out);
    }
    fputc('\'', out);
}

static void print_zsh(FILE *out)
{
    fprintf(out, "#compdef hookline\n"
                 "# Completion of hookline for zsh, made by: hookline completion zsh\n"
                 "_hookline() {\n"
                 "  local -a commands\n"
                 "  commands=(\n");
    for (size_t i = 0; cli_commands[i]; i++) {
        fprintf(out, "    '%s:", cli_commands[i]->name);
        print_quoted(out, cli_commands[i]->summary, ":\\", "'\\''");
        fprintf(out, "'\n");
    }
    fprintf(out, "    'help:Tell more about a command'\n"
                 "  )\n"
                 "  if (( CURRENT == 2 )) || [[ $words[2] == help ]]; then\n"
                 "    _describe command commands\n"
                 "    return\n"
                 "  fi\n"
                 "  shift words\n"
                 "  (( CURRENT-- ))\n"
                 "  case $words[1] in\n");
    for (size_t i = 0; cli_commands[i]; i++) {
        fprintf(out, "  %s)\n    _arguments", cli_commands[i]->name);
        help_each_option(cli_commands[i], zsh_option, out);
        if (has_verbs(cli_commands[i])) {
            fprintf(out, " \\\n      '1:verb:(");
            print_verbs(out, cli_commands[i]);
            fprintf(out, ")'");
        } else if (takes_files(cli_commands[i])) {
            fprintf(out, " \\\n      '*:file:_files'");
        }
        fprintf(out, "\n    ;;\n");
    }
    fprintf(out, "  esac\n}\n_hookline \"$@\"\n");
}

// --- fish ----------------------------------------------------------------------------------------

struct fish_command {
    FILE *out;
    const char *name;
};

static void fish_option(void *ctx, const struct option *p)
{
    const struct fish_command *c = ctx;
    enum completes kind = completes(p);

    fprintf(c->out, "complete -c hookline -n '__hookline_is %s' -l %s", c->name, p->name);
    if (kinds[kind].fish) {
        fputs(kinds[kind].fish, c->out);
    } else {
        fprintf(c->out, " -x -a '");
        print_values(c->out, kind);
        fputc('\'', c->out);
    }
    fprintf(c->out, " -d '");
    print_quoted(c->out, p->help, "\\", "\\'");
    fprintf(c->out, "'\n");
}

static void print_fish(FILE *out)
{
    fprintf(out,
            "# Completion of hookline for fish, made by: hookline completion fish\n"
            "function __hookline_is\n"
            "    set -l words (commandline -opc)\n"
            "    test (count $words) -gt 1; and test $words[2] = $argv[1]\n"
            "end\n"
            "function __hookline_words\n"
            "    test (count (commandline -opc)) -eq $argv[1]\n"
            "end\n"
            "complete -c hookline -f\n"
            "complete -c hookline -n '__hookline_words 1' -l version -d 'Print the version'\n"
            "complete -c hookline -n '__hookline_words 1' -a help -d 'Tell more about a command'\n"
            "complete -c hookline -n '__hookline_is help' -a '");
    print_commands(out);
    fprintf(out, "'\n");
    for (size_t i = 0; cli_commands[i]; i++) {
        struct fish_command c = {out, cli_commands[i]->name};

        fprintf(out, "complete -c hookline -n '__hookline_words 1' -a %s -d '", c.name);
        print_quoted(out, cli_commands[i]->summary, "\\", "\\'");
        fprintf(out, "'\n");
        help_each_option(cli_commands[i], fish_option, &c);
        if (has_verbs(cli_commands[i])) {
            fprintf(out, "complete -c hookline -n '__hookline_words 2; and __hookline_is %s' -a '",
                    c.name);
            print_verbs(out, cli_commands[i]);
            fprintf(out, "'\n");
        } else if (takes_files(cli_commands[i])) {
            fprintf(out, "complete -c hookline -n '__hookline_is %s' -F\n", c.name);
        }
    }
}

// -------------------------------------------------------------------------------------------------

static int run(const struct invocation *in)
{
    static const struct {
        const char *name;
        void (*print)(FILE *out);
    } shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    const char *wanted = in->options.arguments[0];

    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
        if (strcmp(shells[i].name, wanted) == 0) {
            shells[i].print(in->out);
            return CLI_DONE;
        }
    return cli_refuse(in, "completion wants bash, zsh or fish, not '%s'", wanted);
}

const struct command command_completion = {
    .name = "completion",
    .arguments = "bash | zsh | fish",
    .summary = "Write what makes a shell complete hookline's commands and options",
    .details = "Packages bring it along. Without one, for the shell that you are in:\n"
               "\n"
               "  source <(hookline completion bash)\n"
               "  hookline completion zsh > \"${fpath[1]}/_hookline\"\n"
               "  hookline completion fish > ~/.config/fish/completions/hookline.fish\n",
    .options = NULL,
    .common = 0,
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run,
};
