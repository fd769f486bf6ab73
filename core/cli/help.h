// The texts of --help, made from the tables of commands and options, so that they cannot be
// otherwise.
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/command.h"

// hookline --help: every command (NULL-terminated) in a line, and the common options.
void help_all(FILE *out, const struct command *const *commands);
// hookline help COMMAND.
void help_command(FILE *out, const struct command *command);

typedef void help_visit(void *ctx, const struct option *p);
// The options that a command shows, in the order of its help.
void help_each_option(const struct command *command, help_visit *visit, void *ctx);

#endif
