// A subcommand of the command line, and what each is given when it runs. Main thread.
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdio.h>

#include "cli/options.h"
#include "config.h"

// What every subcommand ends with: the process's exit status.
enum { CLI_DONE = 0, CLI_FAILED = 1, CLI_USAGE = 2 };

// The common options that a command takes besides --config, --rules, --data and --help.
enum {
    COMMON_LOAD = 1,   // --lua --allow-target
    COMMON_REMOTE = 2, // --url --token
    COMMON_JSON = 4    // --json
};

struct common_group {
    unsigned bit; // 0: always
    const struct option *options;
};
extern const struct common_group common_groups[]; // it ends with options of NULL

struct invocation {
    const struct command *command;
    struct options options;
    FILE *out;                // data
    FILE *messages;           // everything else
    char *const *environment; // environ
};

struct command {
    const char *name;
    const char *arguments;        // as --help shows them ("FILE|-"), "" for none
    const char *summary;          // one line
    const char *details;          // paragraphs for --help, each line ended by "\n"
    const struct option *options; // its own; NULL for none
    unsigned common;              // COMMON_... bits
    size_t least_arguments;
    size_t most_arguments;
    int (*run)(const struct invocation *in);
};

extern const struct command command_serve, command_check, command_try, command_send, command_new,
    command_secrets, command_workflows, command_events, command_deliveries, command_reload,
    command_audit, command_targets, command_template, command_explain, command_test, command_stubs,
    command_diff, command_status, command_pause, command_drain, command_resume, command_verify,
    command_backup, command_restore, command_tokens, command_erase, command_tail, command_top,
    command_completion, command_config, command_runs;

// What `serve` takes, for `config`, which shows what it would mean.
extern const struct option serve_options[];

// Every command, in the order of the help; it ends with NULL.
extern const struct command *const cli_commands[];

// "hookline: WORDS" on in->messages. Returns CLI_FAILED.
int cli_fail(const struct invocation *in, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// The same with a line that points to --help. Returns CLI_USAGE.
int cli_refuse(const struct invocation *in, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Loads the configuration by the invocation's flags; what is wrong with it is in its messages. 0 or
// an error. config_fini whatever it returned.
int cli_read_config(const struct invocation *in, struct config *c);
// The same, and prints its errors (its warnings are for
// `serve`, which logs them, and `check`). 0, or the exit status to end with.
int cli_load_config(const struct invocation *in, struct config *c);

// The whole command line: argv as main() gets it. Returns the exit status.
int cli_run(int argc, char *const *argv, char *const *environment, FILE *out, FILE *messages);

#endif
