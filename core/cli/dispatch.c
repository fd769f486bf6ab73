#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/nearest.h"
#include "cli/command.h"
#include "cli/help.h"

// One a line.
// clang-format off
const struct command *const cli_commands[] = {
    &command_serve,
    &command_check,
    &command_config,
    &command_try,
    &command_test,
    &command_template,
    &command_explain,
    &command_send,
    &command_new,
    &command_stubs,
    &command_secrets,
    &command_workflows,
    &command_events,
    &command_runs,
    &command_deliveries,
    &command_tail,
    &command_top,
    &command_targets,
    &command_audit,
    &command_tokens,
    &command_erase,
    &command_diff,
    &command_status,
    &command_pause,
    &command_drain,
    &command_resume,
    &command_reload,
    &command_verify,
    &command_backup,
    &command_restore,
    &command_completion,
    NULL,
};
// clang-format on

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; cli_commands[i]; i++)
        if (strcmp(cli_commands[i]->name, name) == 0)
            return cli_commands[i];
    return NULL;
}

static int refuse_command(const char *name, FILE *messages)
{
    struct nearest near;

    nearest_init(&near, str_from(name));
    for (size_t i = 0; cli_commands[i]; i++)
        nearest_offer(&near, str_from(cli_commands[i]->name));
    if (near.name.data)
        fprintf(messages, "hookline: there is no command %s; did you mean " STR_FMT "?\n", name,
                STR_ARG(near.name));
    else
        fprintf(messages, "hookline: there is no command %s; see hookline --help\n", name);
    return CLI_USAGE;
}

static void print_message(const struct invocation *in, const char *format, va_list args)
{
    fprintf(in->messages, "hookline: ");
    vfprintf(in->messages, format, args);
    fputc('\n', in->messages);
}

int cli_fail(const struct invocation *in, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_message(in, format, args);
    va_end(args);
    return CLI_FAILED;
}

int cli_refuse(const struct invocation *in, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_message(in, format, args);
    va_end(args);
    fprintf(in->messages, "See hookline help %s\n", in->command->name);
    return CLI_USAGE;
}

int cli_read_config(const struct invocation *in, struct config *c)
{
    const struct options *o = &in->options;
    const char *allow[OPTIONS_VALUES_MAX], *listen[OPTIONS_VALUES_MAX];
    struct config_flags flags = {
        .config_file = options_text(o, "config"), // without a value: where it always is
        .rules_dir = options_text(o, "rules"),
        .data_dir = options_text(o, "data"),
        .library_dir = options_text(o, "lua"),
        .listen = listen,
        .socket_mode = options_text(o, "socket-mode"),
        .tls_cert = options_text(o, "tls-cert"),
        .tls_key = options_text(o, "tls-key"),
        .redirect_all = options_text(o, "redirect-all"),
        .test_clock = options_text(o, "test-clock"),
        .crash_at = options_text(o, "crash-at"),
        .no_watch = options_has(o, "no-watch"),
        .allow = allow,
    };
    size_t at = 0;
    const char *block, *address;

    if (flags.config_file && !*flags.config_file)
        flags.config_file = NULL;
    while ((block = options_next(o, "allow-target", &at)))
        allow[flags.allow_count++] = block;
    at = 0;
    while ((address = options_next(o, "listen", &at)))
        listen[flags.listen_count++] = address;
    return config_load(c, &flags, in->environment, NULL);
}

int cli_load_config(const struct invocation *in, struct config *c)
{
    int code = cli_read_config(in, c);

    for (size_t i = 0; i < c->message_count; i++)
        if (c->messages[i].is_error)
            fprintf(in->messages, "hookline: %s\n", c->messages[i].text);
    return code ? CLI_FAILED : 0;
}

static int run_command(const struct command *command, int argc, char *const *argv,
                       char *const *environment, FILE *out, FILE *messages)
{
    struct invocation in = {
        .command = command, .out = out, .messages = messages, .environment = environment};
    struct err e = {0};

    options_init(&in.options);
    options_add_table(&in.options, command->options);
    for (const struct common_group *g = common_groups; g->options; g++)
        if (!g->bit || (command->common & g->bit))
            options_add_table(&in.options, g->options);
    // --help is answered however wrong the rest of the line is.
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            help_command(out, command);
            return CLI_DONE;
        }
    if (options_parse(&in.options, argc, argv, &e) != 0)
        return cli_refuse(&in, "%s", e.text);
    if (in.options.argument_count < command->least_arguments)
        return cli_refuse(&in, "an argument is missing: hookline %s %s", command->name,
                          command->arguments);
    if (in.options.argument_count > command->most_arguments)
        return cli_refuse(&in, "one argument too many: %s",
                          in.options.arguments[command->most_arguments]);
    return command->run(&in);
}

static int run_line(int argc, char *const *argv, char *const *environment, FILE *out,
                    FILE *messages)
{
    const char *first = argc > 1 ? argv[1] : NULL;
    const struct command *command;

    if (!first) {
        help_all(messages, cli_commands);
        return CLI_USAGE;
    }
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0 ||
        (strcmp(first, "help") == 0 && argc == 2)) {
        help_all(out, cli_commands);
        return CLI_DONE;
    }
    if (strcmp(first, "--version") == 0) {
        fprintf(out, "hookline %s\n", HOOKLINE_VERSION);
        return CLI_DONE;
    }
    if (strcmp(first, "help") == 0) {
        command = find_command(argv[2]);
        if (!command)
            return refuse_command(argv[2], messages);
        help_command(out, command);
        return CLI_DONE;
    }
    if (first[0] == '-') {
        fprintf(
            messages,
            "hookline: the command comes first, its options behind it: hookline COMMAND %s ...\n"
            "See hookline --help\n",
            first);
        return CLI_USAGE;
    }
    command = find_command(first);
    if (!command)
        return refuse_command(first, messages);
    return run_command(command, argc - 2, argv + 2, environment, out, messages);
}

// Whether out is a pipe that nobody reads any more ("| head"): no news to whoever closed it.
static bool reader_is_gone(FILE *out)
{
    struct pollfd p = {.fd = fileno(out), .events = POLLOUT};

    return poll(&p, 1, 0) == 1 && (p.revents & POLLERR);
}

int cli_run(int argc, char *const *argv, char *const *environment, FILE *out, FILE *messages)
{
    int status = run_line(argc, argv, environment, out, messages);

    // What could not be written was not done: a full disk behind stdout must not look like success.
    if (fflush(out) != 0 || ferror(out)) {
        if (!reader_is_gone(out))
            fprintf(messages, "hookline: writing the output failed\n");
        if (status == CLI_DONE)
            status = CLI_FAILED;
    }
    return status;
}
