#include <stdlib.h>

#include "loop/internal.h"

struct work {
    uv_work_t request;
    void (*work)(void *ctx);
    void (*done)(void *ctx);
    void *ctx;
};

static void on_pool(uv_work_t *request)
{
    struct work *w = request->data;
    w->work(w->ctx);
}

static void on_done(uv_work_t *request, int status)
{
    (void)status; // only uv_cancel, which nobody calls, makes it fail
    struct work w = *(struct work *)request->data;
    free(request->data);
    w.done(w.ctx);
}

int loop_work(struct loop *l, void (*work)(void *ctx), void (*done)(void *ctx), void *ctx)
{
    struct work *w = malloc(sizeof *w);
    if (!w) {
        return ERR_NOMEM;
    }
    w->request.data = w;
    w->work = work;
    w->done = done;
    w->ctx = ctx;
    int rc = uv_queue_work(&l->uv, &w->request, on_pool, on_done);
    if (rc != 0) {
        free(w);
    }
    return loop_err_code(rc);
}
