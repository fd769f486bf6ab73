#include "api/api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/internal.h"

static void api_address_path(const struct api *a, char *out, size_t size)
{
    snprintf(out, size, "%s/address", a->config.data_dir);
}

// Where the commands find the host: "http://127.0.0.1:8080".
static int api_write_address(const struct api *a, struct err *e)
{
    char path[4200];
    char temporary[4210];
    api_address_path(a, path, sizeof path);
    snprintf(temporary, sizeof temporary, "%s.new", path);
    FILE *f = fopen(temporary, "we");
    bool is_written = f && fprintf(f, "http://%s\n", httpd_address(a->httpd)) > 0;
    is_written = f && fclose(f) == 0 && is_written;
    if (!is_written || rename(temporary, path)) {
        return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    }
    return 0;
}

int api_open(struct api **out, const struct api_config *c, struct err *e)
{
    struct api *a = calloc(1, sizeof *a);
    if (a == NULL) {
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    a->config = *c;
    int code = api_token_load(a, e);
    if (code == 0) {
        struct httpd_config h = {.address = c->listen,
                                 .max_body_bytes = c->max_body_bytes,
                                 .max_connections = c->max_connections,
                                 .log = c->log,
                                 .on_head = api_on_head,
                                 .on_request = api_on_request,
                                 .ctx = a};
        code = httpd_open(&a->httpd, c->loop, &h, e);
    }
    if (code) {
        free(a->token);
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
    char path[4200];
    api_address_path(a, path, sizeof path);
    unlink(path);
    void (*on_closed)(void *) = a->on_closed;
    void *closed_ctx = a->closed_ctx;
    free(a->token);
    free(a);
    on_closed(closed_ctx);
}

void api_close(struct api *a, void (*on_closed)(void *ctx), void *ctx)
{
    a->on_closed = on_closed;
    a->closed_ctx = ctx;
    httpd_close(a->httpd, api_on_httpd_closed, a);
}
