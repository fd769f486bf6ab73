#include <stdlib.h>

#include "loop/internal.h"

_Static_assert((int)LOOP_READABLE == (int)UV_READABLE && (int)LOOP_WRITABLE == (int)UV_WRITABLE,
               "events are handed to libuv as they are");

struct loop_poll {
    uv_poll_t handle;
    int fd;
    int events; // asked for
    void (*on_event)(void *ctx, int fd, int events);
    void *ctx;
};

int loop_poll_open(struct loop_poll **out, struct loop *l, int fd,
                   void (*on_event)(void *ctx, int fd, int events), void *ctx)
{
    struct loop_poll *p = malloc(sizeof *p);
    if (!p) {
        return ERR_NOMEM;
    }
    *p = (struct loop_poll){.fd = fd, .on_event = on_event, .ctx = ctx};
    int rc = uv_poll_init(&l->uv, &p->handle, fd);
    if (rc != 0) {
        free(p);
        return loop_err_code(rc);
    }
    p->handle.data = p;
    *out = p;
    return 0;
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct loop_poll *p = handle->data;
    if (status < 0) {
        // libuv stops the poll on an error; the owner learns of it by reading or writing.
        p->events = 0;
        events = LOOP_READABLE | LOOP_WRITABLE;
    }
    p->on_event(p->ctx, p->fd, events);
}

int loop_poll_set(struct loop_poll *p, int events)
{
    // libuv makes a system call even where nothing changes.
    if (events == p->events) {
        return 0;
    }
    int rc = events == 0 ? uv_poll_stop(&p->handle) : uv_poll_start(&p->handle, events, on_poll);
    if (rc == 0) {
        p->events = events;
    }
    return loop_err_code(rc);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void loop_poll_close(struct loop_poll *p)
{
    uv_close((uv_handle_t *)&p->handle, on_closed);
}
