#include "loop/test_clock.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/duration.h"
#include "base/rfc3339.h"
#include "loop/stream.h"

enum {
    INPUT_BYTES_MAX = 4096,
    ANSWER_BYTES_MAX = 320,
    EAGER_TURNS = 100, // turns in a row that ask without a pause whether all is settled
    PATIENT_PAUSE_MS = 1,
};

struct client {
    struct client *next;
    struct loop_test_clock *owner;
    struct loop_stream *stream;
    char input[INPUT_BYTES_MAX]; // what came and was not carried out yet
    size_t len;
    bool has_ended;
};

struct loop_test_clock {
    struct loop *loop;
    struct loop_listener *listener;
    struct client *clients; // in the order they came
    bool (*is_settled)(void *ctx);
    void *ctx;

    bool is_advancing;
    struct client *advancer; // waits for the answer; NULL where it went away
    int64_t left_ms;
    unsigned unsettled_turns;
    struct loop_timer step; // real time: the next turn
};

static void client_close(struct client *c)
{
    struct loop_test_clock *t = c->owner;
    struct client **link = &t->clients;
    while (*link != c) {
        link = &(*link)->next;
    }
    *link = c->next;
    if (t->advancer == c) {
        t->advancer = NULL;
    }
    loop_stream_close(c->stream, NULL, NULL);
    free(c);
}

static void client_answer(struct client *c, const char *text)
{
    char line[ANSWER_BYTES_MAX];
    int len = snprintf(line, sizeof line, "%s\n", text);
    struct str piece = {line, (size_t)len};
    loop_stream_send(c->stream, &piece, 1, NULL, NULL);
}

static void client_answer_time(struct client *c)
{
    char text[ANSWER_BYTES_MAX];
    char time[RFC3339_LEN + 1];
    rfc3339_format(time, clock_wall_ms(loop_clock(c->owner->loop)));
    snprintf(text, sizeof text, "ok %s", time);
    client_answer(c, text);
}

static void advance_start(struct client *c, int64_t ms)
{
    struct loop_test_clock *t = c->owner;
    t->is_advancing = true;
    t->advancer = c;
    t->left_ms = ms;
    t->unsettled_turns = 0;
    loop_timer_start(&t->step, 0);
}

static void client_obey(struct client *c, struct str line)
{
    const struct str advance = STR("advance "), wall = STR("wall ");
    line = str_trim(line);
    if (str_eq(line, STR("now"))) {
        client_answer_time(c);
        return;
    }
    bool is_wall = str_starts_with(line, wall);
    if (!is_wall && !str_starts_with(line, advance)) {
        client_answer(c, "error unknown command: say \"advance 15s\", \"wall -1d\" or \"now\"");
        return;
    }
    int64_t ms;
    size_t at = is_wall ? wall.len : advance.len;
    bool is_back = is_wall && at < line.len && line.data[at] == '-';
    at += is_back;
    if (duration_parse(str_trim((struct str){line.data + at, line.len - at}), &ms) != 0) {
        client_answer(c, "error not a duration: say a number and ms, s, m, h or d");
    } else if (is_wall) {
        clock_set_wall(loop_clock(c->owner->loop), is_back ? -ms : ms);
        client_answer_time(c);
    } else {
        advance_start(c, ms);
    }
}

// Carries out the client's complete lines, up to one that takes time. The client may be gone after.
static void client_serve(struct client *c)
{
    for (;;) {
        char *end = memchr(c->input, '\n', c->len);
        if (c->owner->is_advancing) {
            return;
        }
        if (!end) {
            break;
        }
        size_t len = (size_t)(end - c->input);
        size_t text_len = len > 0 && c->input[len - 1] == '\r' ? len - 1 : len;
        client_obey(c, (struct str){c->input, text_len});
        c->len -= len + 1;
        memmove(c->input, end + 1, c->len);
    }
    if (c->len == sizeof c->input) {
        client_answer(c, "error too much at once");
        c->has_ended = true;
    }
    if (c->has_ended) {
        client_close(c);
    } else {
        loop_stream_read_start(c->stream);
    }
}

static void on_read(void *ctx, char *data, long len)
{
    struct client *c = ctx;
    if (len < 0) {
        client_close(c);
        return;
    }
    if (len == 0) {
        c->has_ended = true;
    } else if ((size_t)len > sizeof c->input - c->len) {
        client_answer(c, "error too much at once");
        client_close(c);
        return;
    } else {
        memcpy(c->input + c->len, data, (size_t)len);
        c->len += (size_t)len;
    }
    // Reading goes on when all that came is carried out.
    loop_stream_read_stop(c->stream);
    client_serve(c);
}

static void on_step(void *ctx)
{
    struct loop_test_clock *t = ctx;
    if (t->is_settled && !t->is_settled(t->ctx)) {
        t->unsettled_turns++;
        loop_timer_start(&t->step, t->unsettled_turns < EAGER_TURNS ? 0 : PATIENT_PAUSE_MS);
        return;
    }
    t->unsettled_turns = 0;
    bool is_more_due = loop_next_host_due_ms(t->loop) <= loop_now_ms(t->loop, LOOP_HOST_TIME);
    if (t->left_ms > 0 || is_more_due) {
        t->left_ms -= loop_advance_to_next(t->loop, t->left_ms);
        loop_timer_start(&t->step, 0);
        return;
    }
    t->is_advancing = false;
    if (t->advancer) {
        client_answer_time(t->advancer);
        t->advancer = NULL;
    }
    struct client *next;
    for (struct client *c = t->clients; c && !t->is_advancing; c = next) {
        next = c->next;
        client_serve(c);
    }
}

static void on_stream(void *ctx, struct loop_stream *stream)
{
    struct loop_test_clock *t = ctx;
    struct client *c = calloc(1, sizeof *c);
    if (!c) {
        loop_stream_close(stream, NULL, NULL);
        return;
    }
    c->owner = t;
    c->stream = stream;
    struct client **link = &t->clients;
    while (*link) {
        link = &(*link)->next;
    }
    *link = c;
    loop_stream_on_read(stream, on_read, c);
    loop_stream_read_start(stream);
}

int loop_test_clock_open(struct loop_test_clock **out, struct loop *l,
                         const struct loop_test_clock_config *c, struct err *e)
{
    struct loop_test_clock *t = calloc(1, sizeof *t);
    if (!t) {
        return err_set(e, ERR_NOMEM, "no memory for the test clock");
    }
    t->loop = l;
    t->is_settled = c->is_settled;
    t->ctx = c->ctx;
    loop_timer_init(&t->step, l, LOOP_REAL_TIME, on_step, t);
    char address[ANSWER_BYTES_MAX];
    snprintf(address, sizeof address, "unix:%s", c->path);
    struct loop_listener_config config = {.address = address, .on_stream = on_stream, .ctx = t};
    int rc = loop_listen(&t->listener, l, &config, e);
    if (rc != 0) {
        err_context(e, "test clock");
        free(t);
        return rc;
    }
    *out = t;
    return 0;
}

void loop_test_clock_close(struct loop_test_clock *t)
{
    loop_timer_stop(&t->step);
    loop_listener_close(t->listener);
    while (t->clients) {
        client_close(t->clients);
    }
    free(t);
}
