#include "loop/internal.h"

// Requests are served twice a turn: after the wait for what sockets and messages caused, before it
// for what timers and closings caused. Whatever is still requested then keeps the loop from
// waiting.

void loop_flush_init(struct loop_flush *f, struct loop *l, void (*on_flush)(void *ctx), void *ctx)
{
    *f = (struct loop_flush){.loop = l, .on_flush = on_flush, .ctx = ctx};
}

void loop_flush_request(struct loop_flush *f)
{
    if (flush_list_add(&f->loop->flushes, f)) {
        loop_stay_awake(f->loop);
    }
}

void loop_flush_cancel(struct loop_flush *f)
{
    flush_list_remove(&f->loop->flushes, f);
}

static void serve(struct loop *l)
{
    // What is requested meanwhile waits for the next time: a flush that requests itself must not
    // shut out the sockets.
    for (size_t count = l->flushes.count; count > 0 && l->flushes.first; count--) {
        flush_list_serve(&l->flushes);
    }
}

static void on_idle(uv_idle_t *handle)
{
    (void)handle; // being active is all it does
}

static void sleep_when_done(struct loop *l)
{
    if (!l->flushes.first && !l->is_arming_owed) {
        uv_idle_stop(&l->stay_awake);
    }
}

static void on_before_wait(uv_prepare_t *handle)
{
    struct loop *l = handle->data;
    serve(l);
    loop_timers_before_wait(l);
    sleep_when_done(l);
}

static void on_after_wait(uv_check_t *handle)
{
    struct loop *l = handle->data;
    serve(l);
    loop_timers_after_wait(l);
    sleep_when_done(l);
}

void loop_stay_awake(struct loop *l)
{
    uv_idle_start(&l->stay_awake, on_idle);
}

void loop_flush_open(struct loop *l)
{
    l->flushes = (struct flush_list){0};
    uv_idle_init(&l->uv, &l->stay_awake);
    uv_prepare_init(&l->uv, &l->before_wait);
    uv_check_init(&l->uv, &l->after_wait);
    l->before_wait.data = l;
    l->after_wait.data = l;
    uv_prepare_start(&l->before_wait, on_before_wait);
    uv_check_start(&l->after_wait, on_after_wait);
    uv_unref((uv_handle_t *)&l->before_wait);
    uv_unref((uv_handle_t *)&l->after_wait);
}

void loop_flush_close(struct loop *l)
{
    uv_close((uv_handle_t *)&l->stay_awake, NULL);
    uv_close((uv_handle_t *)&l->before_wait, NULL);
    uv_close((uv_handle_t *)&l->after_wait, NULL);
}
