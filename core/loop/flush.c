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
    struct loop *l = f->loop;
    if (f->is_requested) {
        return;
    }
    f->is_requested = true;
    f->next = NULL;
    if (l->flush_first) {
        l->flush_last->next = f;
    } else {
        l->flush_first = f;
    }
    l->flush_last = f;
    l->flush_count++;
    loop_stay_awake(l);
}

void loop_flush_cancel(struct loop_flush *f)
{
    if (!f->is_requested) {
        return;
    }
    struct loop *l = f->loop;
    f->is_requested = false;
    l->flush_count--;
    struct loop_flush **link = &l->flush_first;
    struct loop_flush *before = NULL;
    while (*link != f) {
        before = *link;
        link = &before->next;
    }
    *link = f->next;
    if (l->flush_last == f) {
        l->flush_last = before;
    }
}

static void serve(struct loop *l)
{
    // What is requested meanwhile waits for the next time: a flush that requests itself must not
    // shut out the sockets.
    for (size_t count = l->flush_count; count > 0 && l->flush_first; count--) {
        struct loop_flush *f = l->flush_first;
        l->flush_first = f->next;
        l->flush_count--;
        f->is_requested = false;
        f->on_flush(f->ctx);
    }
}

static void on_idle(uv_idle_t *handle)
{
    (void)handle; // being active is all it does
}

static void sleep_when_done(struct loop *l)
{
    if (!l->flush_first && !l->is_arming_owed) {
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
    l->flush_first = l->flush_last = NULL;
    l->flush_count = 0;
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
