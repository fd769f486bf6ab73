#include "loop/internal.h"

// Posting pushes onto a list, newest first; the loop takes the whole list and turns it round. Only
// the first post after a take wakes the loop.
void loop_post(struct loop *l, struct loop_message *m)
{
    struct loop_message *newest = atomic_load_explicit(&l->inbox, memory_order_relaxed);
    do {
        m->next = newest;
    } while (!atomic_compare_exchange_weak_explicit(&l->inbox, &newest, m, memory_order_release,
                                                    memory_order_relaxed));
    if (!newest) {
        uv_async_send(&l->inbox_wake);
    }
}

static void on_inbox(uv_async_t *handle)
{
    struct loop *l = handle->data;
    struct loop_message *m = atomic_exchange_explicit(&l->inbox, NULL, memory_order_acquire);
    struct loop_message *oldest = NULL;
    while (m) {
        struct loop_message *next = m->next;
        m->next = oldest;
        oldest = m;
        m = next;
    }
    while (oldest) {
        struct loop_message *next = oldest->next; // the memory goes with on_loop
        oldest->on_loop(oldest);
        oldest = next;
    }
}

void loop_expect(struct loop *l, int change)
{
    l->expected += change;
    if (l->expected > 0) {
        uv_ref((uv_handle_t *)&l->inbox_wake);
    } else {
        uv_unref((uv_handle_t *)&l->inbox_wake);
    }
}

int loop_messages_open(struct loop *l)
{
    atomic_init(&l->inbox, NULL);
    l->expected = 0;
    int rc = uv_async_init(&l->uv, &l->inbox_wake, on_inbox);
    if (rc == 0) {
        l->inbox_wake.data = l;
        uv_unref((uv_handle_t *)&l->inbox_wake);
    }
    return rc;
}

void loop_messages_close(struct loop *l)
{
    uv_close((uv_handle_t *)&l->inbox_wake, NULL);
}
