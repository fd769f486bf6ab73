#include "cli/feed.h"

enum { MESSAGE_MAX_BYTES = 8 * 1024 * 1024, AGAIN_MS = 500 };

static void ask(struct feed *f);

void feed_end(struct feed *f, int code)
{
    f->is_over = true;
    f->code = code;
    loop_timer_stop(&f->again);
    loop_stop(remote_loop(f->remote));
}

static bool on_piece(void *ctx, struct str piece)
{
    struct feed *f = ctx;

    if (!f->is_live) {
        f->is_live = f->was_live = true;
        f->on_change(f->ctx, NULL);
    }
    return !f->is_over && sse_take(&f->sse, piece) == 0 && !f->is_over;
}

// It has ended, or has not even begun.
static void on_done(void *ctx, int code, const struct remote_answer *answer, const struct err *why)
{
    struct feed *f = ctx;
    bool was_refused = code == 0 && answer->status >= 400 && answer->status < 500;

    if (f->is_over)
        return;
    if (!f->was_live || was_refused) {
        f->err = *why;
        feed_end(f, code ? code : ERR_REFUSED);
        return;
    }
    if (f->is_live)
        f->on_change(f->ctx, code ? why->text : "the host has ended it");
    f->is_live = false;
    loop_timer_start(&f->again, AGAIN_MS);
}

static void on_again(void *ctx)
{
    struct feed *f = ctx;

    // While the host is down nothing says where it is; it may come back elsewhere.
    if (remote_look_again(f->remote, f->in) == 0)
        ask(f);
    else
        loop_timer_start(&f->again, AGAIN_MS);
}

static void ask(struct feed *f)
{
    struct err e = {0};
    int code;

    sse_reset(&f->sse);
    code = remote_stream(f->remote, f->path, on_piece, on_done, f, &e);
    if (code) {
        f->err = e;
        feed_end(f, code);
    }
}

static void on_message(void *ctx, struct str event, struct str data)
{
    struct feed *f = ctx;

    if (!f->is_over)
        f->on_message(f->ctx, event, data);
}

void feed_open(struct feed *f, const struct invocation *in, struct remote *remote, const char *path)
{
    f->in = in;
    f->remote = remote;
    f->path = path;
    sse_init(&f->sse, MESSAGE_MAX_BYTES, on_message, f);
    loop_timer_init(&f->again, remote_loop(remote), LOOP_REAL_TIME, on_again, f);
    ask(f);
}

void feed_close(struct feed *f)
{
    f->is_over = true;
    loop_timer_stop(&f->again);
    sse_fini(&f->sse);
}
