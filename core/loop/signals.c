#include <stdlib.h>

#include "loop/internal.h"

struct loop_signal {
    uv_signal_t handle;
    void (*on_signal)(void *ctx, int signum);
    void *ctx;
};

static void on_signal(uv_signal_t *handle, int signum)
{
    struct loop_signal *s = handle->data;
    s->on_signal(s->ctx, signum);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

int loop_signal_open(struct loop_signal **out, struct loop *l, int signum,
                     void (*on_signum)(void *ctx, int signum), void *ctx)
{
    struct loop_signal *s = malloc(sizeof *s);
    if (!s) {
        return ERR_NOMEM;
    }
    s->on_signal = on_signum;
    s->ctx = ctx;
    int rc = uv_signal_init(&l->uv, &s->handle);
    if (rc != 0) {
        free(s);
        return loop_err_code(rc);
    }
    s->handle.data = s;
    rc = uv_signal_start(&s->handle, on_signal, signum);
    if (rc != 0) {
        loop_signal_close(s);
        return loop_err_code(rc);
    }
    *out = s;
    return 0;
}

void loop_signal_close(struct loop_signal *s)
{
    uv_close((uv_handle_t *)&s->handle, on_closed);
}
