#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/event_stream.h"
#include "cli/progress.h"
#include "cli/remote.h"
#include "cli/send_state.h"
#include "cli/table.h"

enum {
    BODY_MAX_BYTES = 8 * 1024 * 1024, // what the host takes at most
    BODY_MAX_EVENTS = 10000,
    REFUSED_MAX = 100,            // then it is no slip any more: the rest is not tried
    WAIT_MAX_MS = 15 * 60 * 1000, // on a host that takes nothing
    WAIT_LEAST_MS = 100,
    WAIT_DEFAULT_MS = 5000,
    TREE_MAX_BYTES = 256 * 1024 * 1024,
    SIGNALS = 2,
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
    struct progress progress;
    struct send_state state;
    struct loop_signal *signals[SIGNALS];
    struct loop_timer pause;
    bool is_waiting;    // for the host to take events again
    int ended_by;       // a signal; 0: none
    bool is_in_doubt;   // no answer came to the last body: it may have been taken
    bool is_without_id; // an event of the body under way has no id
    size_t from_line;
    // so far:
    uint64_t accepted;
    uint64_t duplicates;
    uint64_t deliveries;
    uint64_t refused;
};

static int64_t taken_bytes(const struct event_stream *stream)
{
    return (int64_t)(stream->read_bytes - (stream->window.len - stream->at));
}

static void refuse(struct sending *s, size_t line, const char *words)
{
    s->refused++;
    progress_clear(&s->progress);
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

static void on_waited(void *ctx)
{
    struct sending *s = ctx;

    loop_stop(remote_loop(s->remote));
}

// Ends early by a signal.
static void wait_ms(struct sending *s, int64_t ms)
{
    s->is_waiting = true;
    loop_timer_init(&s->pause, remote_loop(s->remote), LOOP_REAL_TIME, on_waited, s);
    loop_timer_start(&s->pause, ms);
    loop_run(remote_loop(s->remote));
    loop_timer_stop(&s->pause);
    s->is_waiting = false;
}

// The first one lets the body under way be answered, so that the state says what is true.
static void on_signal(void *ctx, int signum)
{
    struct sending *s = ctx;

    if (s->ended_by) {
        signal(signum, SIG_DFL);
        raise(signum);
    }
    s->ended_by = signum;
    progress_clear(&s->progress);
    fputs("Stopping when the host has answered; once more stops at once.\n", s->in->messages);
    if (s->is_waiting)
        loop_stop(remote_loop(s->remote));
}

// Only for a file, whose reading never waits: else ^C would have to wait for it, too.
static int open_signals(struct sending *s, struct err *e)
{
    static const int wanted[SIGNALS] = {SIGINT, SIGTERM};
    int code = 0;

    for (int i = 0; i < SIGNALS && code == 0 && s->state.is_kept; i++)
        code = loop_signal_open(&s->signals[i], remote_loop(s->remote), wanted[i], on_signal, s);
    return code ? err_set(e, (enum err_code)code, "%s", err_word(code)) : 0;
}

static void close_signals(struct sending *s)
{
    for (int i = 0; i < SIGNALS; i++)
        if (s->signals[i])
            loop_signal_close(s->signals[i]);
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

        s->is_in_doubt = code != 0 && !answer->never_arrived;
        if (code || (answer->status != 503 && answer->status != 429))
            return code;
        pause_ms = answer->retry_after_ms >= 0 ? answer->retry_after_ms : WAIT_DEFAULT_MS;
        if (pause_ms < WAIT_LEAST_MS)
            pause_ms = WAIT_LEAST_MS;
        remote_describe(s->remote, answer, e);
        if (waited_ms + pause_ms > WAIT_MAX_MS)
            return err_context(e, "given up after %lld s", (long long)(waited_ms / 1000));
        progress_clear(&s->progress);
        fprintf(s->in->messages, "The host takes no events now, trying again in %lld s: %s\n",
                (long long)((pause_ms + 999) / 1000), e->text);
        wait_ms(s, pause_ms);
        if (s->ended_by)
            return err_set(e, ERR_REFUSED, "interrupted");
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

// passed: how many of the file's events are in the batch or before it.
static int flush_batch(struct sending *s, const struct event_stream *stream, uint64_t passed,
                       struct err *e)
{
    size_t count = s->count;
    uint64_t accepted = s->accepted;
    int code = count ? send_part(s, 0, &count, e) : 0;

    if (code) {
        s->is_in_doubt = s->is_in_doubt || s->accepted != accepted;
        s->from_line = s->events[0].line;
        return err_context(e, "stopped at the events from line %zu on", s->from_line);
    }
    s->count = 0;
    s->is_without_id = false;
    buf_reset(&s->body);
    s->from_line = stream->line;
    progress_show(&s->progress, taken_bytes(stream), s->accepted);
    if (s->state.events < (int64_t)passed)
        code = send_state_advance(&s->state, (int64_t)passed, (int64_t)stream->line, e);
    return code;
}

// Takes the event's brace and writes it with an id behind it.
static void begin_with_id(struct sending *s, struct str *event, int64_t number)
{
    char id[SEND_ID_MAX];
    size_t next = 1;

    send_state_id(&s->state, number, id);
    buf_append_text(&s->body, "{\"id\":\"");
    buf_append_text(&s->body, id);
    while (next < event->len && strchr(" \t\r\n", event->data[next]))
        next++;
    buf_append_text(&s->body, next < event->len && event->data[next] == '}' ? "\"" : "\",");
    *event = (struct str){event->data + 1, event->len - 1};
}

static int add_event(struct sending *s, struct str event, size_t line,
                     const struct event_stream *stream, struct err *e)
{
    struct batch_event *place = &s->events[s->count++];
    size_t offset = s->body.len;
    char *to;

    // Of a pipe, too: where a connection breaks the client itself may send a body again.
    if (!stream->has_id) {
        s->is_without_id = true;
        if (event.data[0] == '{')
            begin_with_id(s, &event, (int64_t)stream->count);
    }
    to = buf_reserve(&s->body, event.len + 1);
    if (!to)
        return err_set(e, ERR_NOMEM, "out of memory");
    *place = (struct batch_event){offset, s->body.len - offset + event.len + 1, line};
    // White space between tokens may be a newline, which would end the event.
    for (size_t i = 0; i < event.len; i++)
        to[i] = event.data[i] == '\n' || event.data[i] == '\r' ? ' ' : event.data[i];
    to[event.len] = '\n';
    s->body.len += event.len + 1;
    return 0;
}

static int send_stream(struct sending *s, struct event_stream *stream, struct err *e)
{
    const char *from = options_text(&s->in->options, "from-line");
    int64_t from_line = 0;

    if (from)
        str_to_int64(str_from(from), &from_line);
    for (;;) {
        struct str event;
        size_t line;
        int code = 0;
        enum event_stream_item item = event_stream_next(stream, &event, &line, e);
        bool is_item = item == EVENT_STREAM_EVENT || item == EVENT_STREAM_BAD;

        if (is_item && ((int64_t)stream->count <= s->state.events || (int64_t)line < from_line))
            continue;
        progress_begin(&s->progress, taken_bytes(stream));
        if (item == EVENT_STREAM_BAD) {
            refuse(s, line, e->text);
            if (s->refused >= REFUSED_MAX)
                return err_set(e, ERR_REFUSED, "%d events were refused, so the rest is not sent",
                               REFUSED_MAX);
            continue;
        }
        if (item != EVENT_STREAM_EVENT) {
            struct err fault = *e;

            code = flush_batch(s, stream, stream->count, e);
            if (code || item == EVENT_STREAM_END)
                return code;
            return err_set(e, fault.code, "line %zu: %s", line, fault.text);
        }
        if (s->count == BODY_MAX_EVENTS ||
            s->body.len + event.len + 1 + SEND_ID_MAX > BODY_MAX_BYTES)
            code = flush_batch(s, stream, stream->count - 1, e);
        if (code == 0 && s->ended_by)
            code = err_set(e, ERR_REFUSED, "interrupted");
        if (code == 0)
            code = add_event(s, event, line, stream, e);
        if (code)
            return code;
    }
}

static void say_how_to_go_on(const struct sending *s)
{
    FILE *messages = s->in->messages;

    if (s->state.is_kept && (s->state.events || s->is_in_doubt))
        fprintf(messages, "It was sent as far as line %zu. Go on with: hookline send %s --resume\n",
                s->from_line, s->in->options.arguments[0]);
    else if (s->accepted || s->is_in_doubt)
        fprintf(messages, "It was sent as far as line %zu. Go on with: --from-line %zu\n",
                s->from_line, s->from_line);
    if (s->is_in_doubt && !s->state.is_kept)
        fprintf(messages, "Events from there on may have been taken: %s\n",
                s->is_without_id
                    ? "those without an id would be taken twice, so look with: hookline events"
                    : "they have ids, so none is taken twice.");
}

static int report(struct sending *s, int code, const struct err *e)
{
    FILE *messages = s->in->messages;

    progress_clear(&s->progress);
    if (!options_has(&s->in->options, "json"))
        fprintf(s->in->out, "%llu event%s accepted (%llu known already), %llu deliver%s\n",
                (unsigned long long)s->accepted, s->accepted == 1 ? "" : "s",
                (unsigned long long)s->duplicates, (unsigned long long)s->deliveries,
                s->deliveries == 1 ? "y" : "ies");
    if (s->refused && code == 0)
        fprintf(messages, "hookline: %llu event%s refused\n", (unsigned long long)s->refused,
                s->refused == 1 ? " was" : "s were");
    if (code == 0 || (s->state.events == 0 && !s->is_in_doubt))
        send_state_end(&s->state); // there is nothing that one could go on from
    if (code) {
        cli_fail(s->in, "%s: %s", s->name, e->text);
        say_how_to_go_on(s);
        return CLI_FAILED;
    }
    return s->refused ? CLI_FAILED : CLI_DONE;
}

static int begin(struct sending *s, int fd, struct err *e)
{
    const struct options *o = &s->in->options;
    enum send_begin how = options_has(o, "resume")      ? SEND_RESUME
                          : options_has(o, "from-line") ? SEND_OVER
                                                        : SEND_ANEW;
    int code = send_state_begin(&s->state, s->name, fd, how, e);

    if (code)
        return code;
    if (s->state.size && !s->state.is_kept)
        fprintf(s->in->messages, "How far it is sent cannot be kept: %s\n", e->text);
    progress_init(&s->progress, s->in->messages, "events", s->state.size);
    return open_signals(s, e);
}

// *ended_by: a signal that the process shall die of; 0: none.
static int send_file(const struct invocation *in, const struct config *c, int fd, int *ended_by)
{
    struct sending s = {.in = in, .name = in->options.arguments[0]};
    struct event_stream stream;
    struct err e = {0};
    int status;

    if (strcmp(s.name, "-") == 0)
        s.name = "stdin";
    buf_init(&s.body, BODY_MAX_BYTES + 1024);
    event_stream_init(&stream, fd, BODY_MAX_BYTES - 1);
    s.events = calloc(BODY_MAX_EVENTS, sizeof(*s.events));
    if (!s.events)
        status = cli_fail(in, "out of memory");
    else if (remote_open(&s.remote, in, c, &e) != 0)
        status = cli_fail(in, "%s", e.text);
    else if (begin(&s, fd, &e) != 0)
        status = cli_fail(in, "%s: %s", s.name, e.text);
    else
        status = report(&s, send_stream(&s, &stream, &e), &e);
    close_signals(&s);
    remote_close(s.remote);
    free(s.events);
    event_stream_fini(&stream);
    buf_fini(&s.body);
    *ended_by = status == CLI_DONE ? 0 : s.ended_by;
    return status;
}

static int run(const struct invocation *in)
{
    const char *name = in->options.arguments[0];
    bool is_stdin = strcmp(name, "-") == 0;
    struct config c;
    int fd = STDIN_FILENO;
    int ended_by = 0;
    int status;

    if (options_has(&in->options, "resume") && options_has(&in->options, "from-line"))
        return cli_refuse(in, "--resume and --from-line do not go together");
    status = cli_load_config(in, &c);
    if (status == 0 && !is_stdin && (fd = open(name, O_RDONLY | O_CLOEXEC)) < 0)
        status = cli_fail(in, "%s: %s", name, strerror(errno));
    if (status == 0)
        status = send_file(in, &c, fd, &ended_by);
    if (fd > STDIN_FILENO)
        close(fd);
    config_fini(&c);
    if (ended_by) {
        fflush(in->out);
        signal(ended_by, SIG_DFL);
        raise(ended_by);
    }
    return status;
}

static const struct option send_options[] = {
    {"resume", NULL, OPTION_SWITCH, false, false,
     "go on where the last sending of the file was interrupted, or failed"},
    {"from-line", "N", OPTION_NUMBER, false, false,
     "leave out the events that begin before line N"},
    {0},
};

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
        "host's answers, one a line. Bodies go one after another, since an event is compared with "
        "what\n"
        "came before it.\n"
        "How far a file was sent is kept in FILE.sending until all of it is. Where it stops, by "
        "^C, "
        "by a\n"
        "host that does not answer, or by kill -9, --resume goes on. Nothing is taken twice then: "
        "events\n"
        "without an id get one, send-RUN-N, which is the same when they are sent "
        "again.\n",
    .options = send_options,
    .common = COMMON_REMOTE | COMMON_JSON,
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run,
};
