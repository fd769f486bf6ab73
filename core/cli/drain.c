#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "base/duration.h"
#include "cli/remote.h"
#include "cli/status.h"

enum { DRAIN_LOOK_MS = 200, DRAIN_TREE_MAX_BYTES = 64 * 1024 };

struct drain {
    const struct invocation *in;
    struct remote *remote;
    struct remote_answer answer;
    struct arena arena;
    struct json_node *root; // the host's status, on the arena
};

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static bool is_set(const struct drain *d, const char *name)
{
    const struct json_node *mark = json_tree_get(d->root, name);

    return mark && mark->first;
}

static int look(struct drain *d, const char *method, const char *path, struct err *e)
{
    int code = remote_get(d->remote, method, path, &d->answer, e);

    arena_fini(&d->arena);
    arena_init(&d->arena, DRAIN_TREE_MAX_BYTES);
    return code ? code : json_tree_read(&d->root, d->answer.body, &d->arena, e);
}

static void show_progress(const struct drain *d, bool is_end)
{
    FILE *out = d->in->messages;

    if (out != stderr || !isatty(STDERR_FILENO))
        return;
    fputs("\r\033[K", out);
    if (!is_end)
        fprintf(out, STR_FMT " in flight, " STR_FMT " owed",
                STR_ARG(json_tree_text(json_tree_get(d->root, "in_flight"))),
                STR_ARG(json_tree_text(json_tree_get(d->root, "owed"))));
    fflush(out);
}

// Until nothing is in flight and nothing is due, or it can come to no end any more.
static int wait_end(struct drain *d, int64_t limit_ms, struct err *e)
{
    int64_t start_ms = now_ms();
    int code = 0;

    while (code == 0 && !json_tree_is_true(json_tree_get(d->root, "drained"))) {
        show_progress(d, false);
        if (!is_set(d, "draining"))
            code =
                err_set(e, ERR_REFUSED, "the drain was ended meanwhile, by a resume or a restart");
        else if (is_set(d, "paused"))
            code =
                err_set(e, ERR_REFUSED, "everything was paused meanwhile: resume, and drain again");
        else if (limit_ms && now_ms() - start_ms >= limit_ms)
            code = err_set(e, ERR_REFUSED,
                           "not drained after %s: " STR_FMT " in flight, " STR_FMT
                           " owed; the host goes on draining until hookline resume",
                           options_text(&d->in->options, "timeout"),
                           STR_ARG(json_tree_text(json_tree_get(d->root, "in_flight"))),
                           STR_ARG(json_tree_text(json_tree_get(d->root, "owed"))));
        if (code == 0) {
            poll(NULL, 0, DRAIN_LOOK_MS);
            code = look(d, "GET", "/v1/status", e);
        }
    }
    show_progress(d, true);
    return code;
}

static void show_end(const struct drain *d)
{
    struct str owed = json_tree_text(json_tree_get(d->root, "owed"));
    struct str next = json_tree_text(json_tree_get(d->root, "next_attempt_at"));
    FILE *out = d->in->out;

    if (options_has(&d->in->options, "json")) {
        fwrite(d->answer.body.data, 1, d->answer.body.len, out);
        fputc('\n', out);
        return;
    }
    fputs("Drained: nothing is in flight, and nothing is due.\n", out);
    if (!str_eq(owed, STR("0"))) {
        fprintf(out, STR_FMT " still owed, for later", STR_ARG(owed));
        if (next.len)
            fprintf(out, ": the next attempt is due at " STR_FMT, STR_ARG(next));
        fputs(".\n", out);
    }
}

static int run(const struct invocation *in)
{
    struct drain d = {.in = in};
    const char *timeout = options_text(&in->options, "timeout");
    int64_t limit_ms = 0;
    struct config c;
    struct err e = {0};
    int status = cli_load_config(in, &c);

    if (timeout)
        duration_parse(str_from(timeout), &limit_ms);
    if (status == 0) {
        arena_init(&d.arena, DRAIN_TREE_MAX_BYTES);
        int code = remote_open(&d.remote, in, &c, &e);
        code = code ? code : look(&d, "POST", "/v1/drain", &e);
        code = code ? code : wait_end(&d, limit_ms, &e);
        if (code)
            status = cli_fail(in, "%s", e.text);
        else
            show_end(&d);
        arena_fini(&d.arena);
    }
    remote_close(d.remote);
    config_fini(&c);
    return status;
}

static const struct option options[] = {
    {"timeout", "DURATION", OPTION_DURATION, false, false,
     "give up after that long (10m); the host goes on draining"},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};

const struct command command_drain = {
    .name = "drain",
    .arguments = "",
    .summary = "Make a running host take no more events and send all that is due, and wait for it",
    .details =
        "For what comes before an upgrade or a move. Events are answered 503 with Retry-After, "
        "times\n"
        "of schedules wait, what is due goes out. It ends when nothing is in flight and nothing is "
        "due,\n"
        "and says how much is owed for later: retries that wait, what is held, and what is owed "
        "to\n"
        "targets that are down. That is on disk, and the next start goes on with it.\n"
        "\n"
        "The host takes events again after hookline resume, or a restart.\n",
    .options = options,
    .common = COMMON_REMOTE | COMMON_JSON,
    .least_arguments = 0,
    .most_arguments = 0,
    .run = run,
};
