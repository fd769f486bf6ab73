#include "loop/loop.h"

#include <signal.h>
#include <stdlib.h>

#include "loop/internal.h"

int loop_err_code(int uv_code)
{
    switch (uv_code) {
    case 0:
        return 0;
    case UV_ENOMEM:
        return ERR_NOMEM;
    case UV_EADDRINUSE:
        return ERR_BUSY;
    case UV_EACCES:
    case UV_EPERM:
        return ERR_REFUSED;
    case UV_ETIMEDOUT:
        return ERR_TIMEOUT;
    case UV_ECANCELED:
        return ERR_CLOSED;
    default:
        return ERR_IO;
    }
}

static void ignore_sigpipe(void)
{
    struct sigaction action;
    if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL) {
        action = (struct sigaction){.sa_handler = SIG_IGN};
        sigaction(SIGPIPE, &action, NULL);
    }
}

int loop_new(struct loop **out, struct clock *clock, struct err *e)
{
    // Not zeroed as a whole: the read buffer is large and written before it is read.
    struct loop *l = malloc(sizeof *l);
    if (!l) {
        return err_set(e, ERR_NOMEM, "no memory for the event loop");
    }
    int rc = uv_loop_init(&l->uv);
    if (rc != 0) {
        free(l);
        return err_set(e, loop_err_code(rc), "the event loop does not start: %s", uv_strerror(rc));
    }
    l->clock = clock;
    l->is_running = false;
    ignore_sigpipe();
    rc = loop_messages_open(l);
    if (rc != 0) {
        uv_loop_close(&l->uv);
        free(l);
        return err_set(e, loop_err_code(rc), "the event loop does not start: %s", uv_strerror(rc));
    }
    loop_timers_init(l);
    loop_flush_open(l);
    *out = l;
    return 0;
}

void loop_run(struct loop *l)
{
    l->is_running = true;
    loop_timers_before_wait(l);
    uv_run(&l->uv, UV_RUN_DEFAULT);
    l->is_running = false;
}

bool loop_turn(struct loop *l)
{
    l->is_running = true;
    loop_timers_before_wait(l);
    bool is_alive = uv_run(&l->uv, UV_RUN_NOWAIT) != 0;
    l->is_running = false;
    return is_alive;
}

void loop_stop(struct loop *l)
{
    uv_stop(&l->uv);
}

struct clock *loop_clock(struct loop *l)
{
    return l->clock;
}

static void close_leaked(uv_handle_t *handle, void *count)
{
    if (!uv_is_closing(handle)) {
        ++*(size_t *)count;
        uv_close(handle, NULL);
    }
}

size_t loop_free(struct loop *l)
{
    loop_timers_close(l);
    loop_messages_close(l);
    loop_flush_close(l);
    size_t leaked = l->expected > 0 ? (size_t)l->expected : 0;
    uv_walk(&l->uv, close_leaked, &leaked);
    uv_run(&l->uv, UV_RUN_DEFAULT);
    loop_timers_fini(l);
    if (uv_loop_close(&l->uv) != 0) {
        return leaked + 1; // libuv still holds parts of it: better lost than freed under it
    }
    free(l);
    return leaked;
}
