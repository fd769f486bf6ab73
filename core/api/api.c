#include "api/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/internal.h"
#include "api/live.h"
#include "base/file.h"

static void api_address_path(const struct api *a, char out[FILE_PATH_MAX])
{
    snprintf(out, FILE_PATH_MAX, "%s/address", a->config.data_dir);
}

// Where the commands find the host: "http://127.0.0.1:8080".
static int api_write_address(const struct api *a, struct err *e)
{
    char path[FILE_PATH_MAX];
    char text[512];
    api_address_path(a, path);
    snprintf(text, sizeof text, "http://%s\n", httpd_address(a->httpd));
    return file_write(path, str_from(text), 0644, e);
}

static void api_on_gone(void *ctx, struct httpd_request *r)
{
    const struct api *a = ctx;
    live_gone(a->live, r);
}

int api_open(struct api **out, const struct api_config *c, struct err *e)
{
    struct api *a = calloc(1, sizeof *a);
    if (a == NULL) {
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    a->config = *c;
    struct httpd_config h = {.address = c->listen,
                             .max_body_bytes = c->max_body_bytes,
                             .max_connections = c->max_connections,
                             .log = c->log,
                             .on_head = api_on_head,
                             .on_request = api_on_request,
                             .on_gone = api_on_gone,
                             .ctx = a};
    int code = live_new(&a->live, a) ? err_set(e, ERR_NOMEM, "out of memory") : 0;
    code = code ? code : httpd_open(&a->httpd, c->loop, &h, e);
    if (code) {
        live_free(a->live);
        free(a);
        return code;
    }
    *out = a;
    return api_write_address(a, e);
}

const char *api_address(const struct api *a)
{
    return httpd_address(a->httpd);
}

void api_saw_event(struct api *a, const struct store_event *ev)
{
    live_saw_event(a->live, ev);
}

void api_saw_state(struct api *a, uint64_t delivery, const struct store_attempt *attempt)
{
    live_saw_delivery(a->live, delivery, attempt);
}

void api_drain(struct api *a)
{
    a->is_draining = true;
    live_end(a->live);
    httpd_drain(a->httpd);
}

size_t api_requests_under_way(const struct api *a)
{
    return a->under_way;
}

static void api_on_httpd_closed(void *ctx)
{
    struct api *a = ctx;
    char path[FILE_PATH_MAX];
    api_address_path(a, path);
    unlink(path);
    void (*on_closed)(void *) = a->on_closed;
    void *closed_ctx = a->closed_ctx;
    record_queue_fini(&a->records);
    live_free(a->live);
    free(a);
    on_closed(closed_ctx);
}

void api_close(struct api *a, void (*on_closed)(void *ctx), void *ctx)
{
    a->on_closed = on_closed;
    a->closed_ctx = ctx;
    api_abandon_tests(a);
    httpd_close(a->httpd, api_on_httpd_closed, a);
}
