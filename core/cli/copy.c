// hookline backup and hookline restore: the store as one file.
#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"
#include "encode/json_writer.h"
#include "store/backup.h"

enum { JSON_MAX_BYTES = 64 * 1024 };
#define MIB (1024.0 * 1024)

struct copying {
    const struct invocation *in;
    int shown; // percent; -1: none yet
};

static void on_progress(void *ctx, int64_t done_bytes, int64_t all_bytes)
{
    struct copying *k = ctx;
    int percent = all_bytes ? (int)(done_bytes * 100 / all_bytes) : 100;

    if (percent == k->shown)
        return;
    k->shown = percent;
    fprintf(k->in->messages, "\r\033[K%3d %% of %.1f MiB", percent, (double)all_bytes / MIB);
    fflush(k->in->messages);
}

static void print_copy(const struct invocation *in, const char *what, const struct store_copy *c)
{
    struct buf text;
    struct json_writer w;

    if (!options_has(&in->options, "json")) {
        fprintf(in->out, "%s %s, %.1f MiB\n", c->file, what, (double)c->bytes / MIB);
        return;
    }
    buf_init(&text, JSON_MAX_BYTES);
    json_writer_init(&w, &text);
    json_object_begin(&w);
    json_member_text(&w, "file", c->file);
    json_member_integer(&w, "bytes", c->bytes);
    json_member_string_or_null(&w, "kept", str_from(c->kept));
    json_object_end(&w);
    fprintf(in->out, STR_FMT "\n", STR_ARG(buf_str(&text)));
    buf_fini(&text);
}

// Which of the two, on the folder of the configuration.
static int copy(const struct invocation *in, int (*work)(struct store_copy *, struct err *),
                const char *what)
{
    struct copying k = {.in = in, .shown = -1};
    bool shows_progress = in->messages == stderr && isatty(STDERR_FILENO);
    struct config c;
    struct err e = {0};
    int status = cli_load_config(in, &c);

    if (status == CLI_DONE) {
        struct store_copy request = {.dir = c.data_dir,
                                     .file = in->options.arguments[0],
                                     .is_forced = options_has(&in->options, "force"),
                                     .is_paused = options_has(&in->options, "paused"),
                                     .ctx = &k,
                                     .on_progress = shows_progress ? on_progress : NULL};
        int code = work(&request, &e);

        if (shows_progress)
            fprintf(in->messages, "\r\033[K");
        if (code)
            status = cli_fail(in, "%s", e.text);
        else
            print_copy(in, what, &request);
        if (request.kept)
            fprintf(in->messages, "What was there is kept as %s\n", request.kept);
        free(request.kept);
    }
    config_fini(&c);
    return status;
}

static int run_backup(const struct invocation *in)
{
    return copy(in, store_backup, "is written");
}

static int run_restore(const struct invocation *in)
{
    return copy(in, store_restore, "is in force");
}

static const struct option backup_options[] = {
    {"force", NULL, OPTION_SWITCH, .help = "replace FILE where it is there already"}, {0}};

static const struct option restore_options[] = {
    {"paused", NULL, OPTION_SWITCH, .help = "send nothing after the start until `hookline resume`"},
    {0}};

const struct command command_backup = {
    .name = "backup",
    .arguments = "FILE",
    .summary = "Copy what the host has stored into one file, while it works",
    .details =
        "FILE is one moment of DATA/hookline.db: events, deliveries with their attempts, records,\n"
        "marks, workflows as they were loaded, the audit log. It is copied beside a running host, "
        "a\n"
        "piece at a time with pauses, looked through, and synced before it gets its name. Run it "
        "on\n"
        "the host's machine, from a timer for example, with a new name each time. Not in it, "
        "since\n"
        "they are files of your own: rules, hookline.conf.lua, DATA/secrets, DATA/admin.token.\n"
        "Payloads are in it: keep it as you keep the data folder.\n",
    .options = backup_options,
    .common = COMMON_JSON,
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run_backup,
};

const struct command command_restore = {
    .name = "restore",
    .arguments = "FILE",
    .summary = "Put a backup in the place of what the host has stored",
    .details =
        "Stop the host first. FILE is looked through, copied to DATA/hookline.db, and what was "
        "there\n"
        "is kept beside it under a name that is told. A backup of an older version is taken to "
        "this\n"
        "one by the next start. What was delivered after the backup is owed again as it was then:\n"
        "receivers know a repetition by its webhook-id. With --paused nothing is sent before\n"
        "`hookline resume`, so that you can look first, and cancel.\n",
    .options = restore_options,
    .common = COMMON_JSON,
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run_restore,
};
