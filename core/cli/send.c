#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/event_stream.h"
#include "cli/remote.h"
#include "cli/table.h"

enum {
    BODY_MAX_BYTES = 8 * 1024 * 1024, // what the host takes at most
    BODY_MAX_EVENTS = 10000,
    REFUSED_MAX = 100,            // then it is no slip any more: the rest is not tried
    WAIT_MAX_MS = 15 * 60 * 1000, // on a host that takes nothing
    WAIT_LEAST_MS = 100,
    WAIT_DEFAULT_MS = 5000,
    TREE_MAX_BYTES = 256 * 1024 * 1024,
};

struct batch_event { // one event of the body that is being filled
    size_t offset;
    size_t len; // with its newline
    size_t line;
};

struct sending {
    const struct invocation *in;
    const char *name; // of the file, for messages
    struct remote *remote;
    struct buf body; // NDJSON, one event a line
    struct batch_event *events;
    size_t count;
    bool shows_progress;
    // so far:
    uint64_t accepted;
    uint64_t duplicates;
    uint64_t deliveries;
    uint64_t refused;
};

static void clear_progress(const struct sending *s)
{
    if (s->shows_progress)
        fputs("\r\033[K", s->in->messages);
}

static void show_progress(const struct sending *s, const struct event_stream *stream)
{
    if (!s->shows_progress)
        return;
    fprintf(s->in->messages, "\r\033[K%llu events accepted, %.1f MiB read",
            (unsigned long long)s->accepted, (double)stream->read_bytes / (1024 * 1024));
    fflush(s->in->messages);
}

static void refuse(struct sending *s, size_t line, const char *words)
{
    s->refused++;
    clear_progress(s);
    fprintf(s->in->messages, "%s:%zu: refused: ", s->name, line);
    table_print_safe(s->in->messages, str_from(words), false);
    fputc('\n', s->in->messages);
}

static void count_answer(struct sending *s, const struct remote_answer *answer, size_t count)
{
    struct arena arena;
    struct json_node *root;
    const struct json_node *events = NULL;

    arena_init(&arena, TREE_MAX_BYTES);
    if (json_tree_read(&root, answer->body, &arena, NULL) == 0)
        events = json_tree_get(root, "events");
    s->accepted += count;
    for (const struct json_node *e = events ? events->first : NULL; e; e = e->next) {
        const struct json_node *deliveries = json_tree_get(e, "deliveries");
        bool is_duplicate = json_tree_is_true(json_tree_get(e, "duplicate"));

        s->duplicates += is_duplicate;
        for (const struct json_node *d = deliveries ? deliveries->first : NULL; d; d = d->next)
            s->deliveries += !is_duplicate;
    }
    if (options_has(&s->in->options, "json")) {
        fwrite(answer->body.data, 1, answer->body.len, s->in->out);
        fputc('\n', s->in->out);
    }
    arena_fini(&arena);
}

// The place in the batch (from 0) of the event that the host names in its refusal; -1: it names
// none.
static long refused_place(const struct remote_answer *answer, size_t count)
{
    struct arena arena;
    struct json_node *root;
    int64_t line = 0;

    arena_init(&arena, 1024 * 1024);
    if (json_tree_read(&root, answer->body, &arena, NULL) != 0 ||
        str_to_int64(json_tree_text(json_tree_get(root, "line")), &line) != 0 || line < 1 ||
        line > (int64_t)count)
        line = 0;
    arena_fini(&arena);
    return (long)line - 1;
}

// Takes one event out of the batch; the bytes of the others move up.
static void drop_event(struct sending *s, size_t place)
{
    struct batch_event gone = s->events[place];

    memmove(s->body.data + gone.offset, s->body.data + gone.offset + gone.len,
            s->body.len - gone.offset - gone.len);
    s->body.len -= gone.len;
    for (size_t i = place + 1; i < s->count; i++) {
        s->events[i - 1] = s->events[i];
        s->events[i - 1].offset -= gone.len;
    }
    s->count--;
}

static void wait_ms(int64_t ms)
{
    struct timespec left = {ms / 1000, (ms % 1000) * 1000000};

    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

// Posts events [from, from + count) of the batch until the host has an answer other than "not now".
static int post(struct sending *s, size_t from, size_t count, struct remote_answer *answer,
                struct err *e)
{
    const struct batch_event *first = &s->events[from];
    const struct batch_event *last = &s->events[from + count - 1];
    struct str body = {s->body.data + first->offset, last->offset + last->len - first->offset};
    int64_t waited_ms = 0;

    for (;;) {
        int64_t pause_ms;
        int code =
            remote_call(s->remote, "POST", "/v1/events", "application/x-ndjson", body, answer, e);

        if (code || answer->status != 503)
            return code;
        pause_ms = answer->retry_after_ms >= 0 ? answer->retry_after_ms : WAIT_DEFAULT_MS;
        if (pause_ms < WAIT_LEAST_MS)
            pause_ms = WAIT_LEAST_MS;
        remote_describe(s->remote, answer, e);
        if (waited_ms + pause_ms > WAIT_MAX_MS)
            return err_context(e, "given up after %lld s", (long long)(waited_ms / 1000));
        clear_progress(s);
        fprintf(s->in->messages, "The host takes no events now, trying again in %lld s: %s\n",
                (long long)((pause_ms + 999) / 1000), e->text);
        wait_ms(pause_ms);
        waited_ms += pause_ms;
    }
}

// Sends [from, from + count): a body that is too large for the host is halved, an event that it
// refuses is reported and taken out. *count becomes how many are left in the batch.
static int send_part(struct sending *s, size_t from, size_t *count, struct err *e)
{
    struct remote_answer answer;
    struct err why = {0};

    while (*count) {
        size_t half = *count / 2;
        size_t rest = *count - half;
        long place;
        int code = post(s, from, *count, &answer, e);

        if (code)
            return code;
        if (answer.status >= 200 && answer.status < 300) {
            count_answer(s, &answer, *count);
            return 0;
        }
        remote_describe(s->remote, &answer, &why);
        if (answer.status == 413 && *count > 1) {
            code = send_part(s, from, &half, e);
            if (code)
                return code;
            code = send_part(s, from + half, &rest, e);
            *count = half + rest;
            return code;
        }
        if (answer.status != 400 && answer.status != 409 && answer.status != 413)
            return err_set(e, why.code, "%s", why.text);
        place = *count == 1 ? 0 : refused_place(&answer, *count);
        if (place < 0)
            return err_set(e, why.code, "%s", why.text);
        refuse(s, s->events[from + (size_t)place].line, why.text);
        drop_event(s, from + (size_t)place);
        --*count;
        if (s->refused >= REFUSED_MAX)
            return err_set(e, ERR_REFUSED, "%d events were refused, so the rest is not sent",
                           REFUSED_MAX);
    }
    return 0;
}

static int flush_batch(struct sending *s, const struct event_stream *stream, struct err *e)
{
    size_t count = s->count;
    size_t line = count ? s->events[0].line : 0;
    uint64_t accepted = s->accepted;
    int code = count ? send_part(s, 0, &count, e) : 0;

    if (code && s->accepted != accepted)
        err_context(
            e,
            "stopped in the events from line %zu on, of which some were accepted (send them "
            "again: an event with an id is not taken twice)",
            line);
    else if (code)
        err_context(e, "stopped at the events from line %zu on", line);
    else
        show_progress(s, stream);
    s->count = 0;
    buf_reset(&s->body);
    return code;
}

static int add_event(struct sending *s, struct str event, size_t line, struct err *e)
{
    struct batch_event *place = &s->events[s->count++];
    char *to;

    *place = (struct batch_event){s->body.len, event.len + 1, line};
    to = buf_reserve(&s->body, event.len + 1);
    if (!to)
        return err_set(e, ERR_NOMEM, "out of memory");
    // White space between tokens may be a newline, which would end the event.
    for (size_t i = 0; i < event.len; i++)
        to[i] = event.data[i] == '\n' || event.data[i] == '\r' ? ' ' : event.data[i];
    to[event.len] = '\n';
    s->body.len += event.len + 1;
    return 0;
}

static int send_stream(struct sending *s, struct event_stream *stream, struct err *e)
{
    for (;;) {
        struct str event;
        size_t line;
        int code = 0;
        enum event_stream_item item = event_stream_next(stream, &event, &line, e);

        if (item == EVENT_STREAM_BAD) {
            refuse(s, line, e->text);
            if (s->refused >= REFUSED_MAX)
                return err_set(e, ERR_REFUSED, "%d events were refused, so the rest is not sent",
                               REFUSED_MAX);
            continue;
        }
        if (item != EVENT_STREAM_EVENT) {
            struct err fault = *e;

            code = flush_batch(s, stream, e);
            if (code || item == EVENT_STREAM_END)
                return code;
            return err_set(e, fault.code, "line %zu: %s", line, fault.text);
        }
        if (s->count == BODY_MAX_EVENTS || s->body.len + event.len + 1 > BODY_MAX_BYTES)
            code = flush_batch(s, stream, e);
        if (code == 0)
            code = add_event(s, event, line, e);
        if (code)
            return code;
    }
}

static int report(struct sending *s, int code, const struct err *e)
{
    FILE *messages = s->in->messages;

    clear_progress(s);
    if (!options_has(&s->in->options, "json"))
        fprintf(s->in->out, "%llu event%s accepted (%llu known already), %llu deliver%s\n",
                (unsigned long long)s->accepted, s->accepted == 1 ? "" : "s",
                (unsigned long long)s->duplicates, (unsigned long long)s->deliveries,
                s->deliveries == 1 ? "y" : "ies");
    if (s->refused && code == 0)
        fprintf(messages, "hookline: %llu event%s refused\n", (unsigned long long)s->refused,
                s->refused == 1 ? " was" : "s were");
    if (code)
        return cli_fail(s->in, "%s: %s", s->name, e->text);
    return s->refused ? CLI_FAILED : CLI_DONE;
}

static int send_file(const struct invocation *in, const struct config *c, int fd)
{
    struct sending s = {.in = in, .name = in->options.arguments[0]};
    struct event_stream stream;
    struct err e = {0};
    int status;

    if (strcmp(s.name, "-") == 0)
        s.name = "stdin";
    s.shows_progress = in->messages == stderr && isatty(STDERR_FILENO);
    buf_init(&s.body, BODY_MAX_BYTES + 1024);
    event_stream_init(&stream, fd, BODY_MAX_BYTES - 1);
    s.events = calloc(BODY_MAX_EVENTS, sizeof(*s.events));
    if (!s.events)
        status = cli_fail(in, "out of memory");
    else if (remote_open(&s.remote, in, c, &e) != 0)
        status = cli_fail(in, "%s", e.text);
    else
        status = report(&s, send_stream(&s, &stream, &e), &e);
    remote_close(s.remote);
    free(s.events);
    event_stream_fini(&stream);
    buf_fini(&s.body);
    return status;
}

static int run(const struct invocation *in)
{
    const char *name = in->options.arguments[0];
    bool is_stdin = strcmp(name, "-") == 0;
    struct config c;
    int fd = STDIN_FILENO;
    int status = cli_load_config(in, &c);

    if (status == 0 && !is_stdin && (fd = open(name, O_RDONLY | O_CLOEXEC)) < 0)
        status = cli_fail(in, "%s: %s", name, strerror(errno));
    if (status == 0)
        status = send_file(in, &c, fd);
    if (fd > STDIN_FILENO)
        close(fd);
    config_fini(&c);
    return status;
}

const struct command command_send = {
    .name = "send",
    .arguments = "FILE|-",
    .summary = "Post the events of a file, or of stdin, to a running host",
    .details =
        "The file holds NDJSON (one event a line), an array of events, or one event. However large "
        "it\n"
        "is, it goes out in bodies that the host takes, and is never read into memory whole. What\n"
        "the host refuses is named by its line on stderr, the rest is accepted, and the exit "
        "status\n"
        "is 1. Events that have an id can be sent again: they are not taken twice. --json prints "
        "the\n"
        "host's answers, one a line.\n",
    .options = NULL,
    .common = COMMON_REMOTE | COMMON_JSON,
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run,
};
