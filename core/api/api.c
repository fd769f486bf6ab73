#include "api/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/internal.h"
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
                             .ctx = a};
    int code = httpd_open(&a->httpd, c->loop, &h, e);
    if (code) {
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

void api_drain(struct api *a)
{
    a->is_draining = true;
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
