#include "api/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/internal.h"
#include "api/live.h"
#include "api/spans.h"
#include "api/stats.h"
#include "base/file.h"

enum { ADDRESSES_MAX_BYTES = HTTPD_LISTENERS_MAX * (HTTPD_URL_MAX + 1), KEY_MAX_BYTES = 16384 };

static void api_path(const struct api *a, const char *name, char out[FILE_PATH_MAX])
{
    snprintf(out, FILE_PATH_MAX, "%s/%s", a->config.data_dir, name);
}

int api_write_key(const struct api *a, struct err *e)
{
    char path[FILE_PATH_MAX];
    struct buf pem;
    buf_init(&pem, KEY_MAX_BYTES);
    api_path(a, "address.pem", path);
    int code = tls_server_public_key(a->config.tls, &pem);
    code = code ? err_set(e, (enum err_code)code, "the certificate's public key cannot be written")
                : file_write(path, buf_str(&pem), 0644, e);
    buf_fini(&pem);
    return code;
}

// Where the commands find the host: "http://127.0.0.1:8080".
static int api_write_address(const struct api *a, struct err *e)
{
    char path[FILE_PATH_MAX];
    char url[HTTPD_URL_MAX];
    struct buf text;
    buf_init(&text, ADDRESSES_MAX_BYTES);
    for (size_t i = 0; httpd_url(a->httpd, i, url); i++) {
        buf_printf(&text, "%s\n", url);
    }
    api_path(a, "address", path);
    int code = file_write(path, buf_str(&text), 0644, e);
    buf_fini(&text);
    return code;
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
    struct httpd_config h = {.listens = c->listens,
                             .listen_count = c->listen_count,
                             .tls = c->tls,
                             .max_body_bytes = c->max_body_bytes,
                             .max_connections = c->max_connections,
                             .log = c->log,
                             .on_head = api_on_head,
                             .on_request = api_on_request,
                             .on_gone = api_on_gone,
                             .ctx = a};
    int code = live_new(&a->live, a);
    code = code ? code : spans_new(&a->spans, c->loop, c->client, c->secrets, c->log, c->otlp);
    code = code ? err_set(e, ERR_NOMEM, "out of memory") : 0;
    code = code ? code : httpd_open(&a->httpd, c->loop, &h, e);
    if (code) {
        spans_free(a->spans);
        live_free(a->live);
        free(a);
        return code;
    }
    *out = a;
    code = c->tls ? api_write_key(a, e) : 0;
    return code ? code : api_write_address(a, e);
}

bool api_url(const struct api *a, size_t index, char out[HTTPD_URL_MAX])
{
    return httpd_url(a->httpd, index, out);
}

void api_finish(struct api *a)
{
    live_end(a->live);
    httpd_drain(a->httpd);
}

bool api_is_quiet(const struct api *a)
{
    return a->under_way == 0 && httpd_connection_count(a->httpd) == 0;
}

void api_saw_event(struct api *a, const struct store_event *ev)
{
    stats_saw_event(a->config.stats, ev);
    live_saw_event(a->live, ev);
    spans_saw_event(a->spans, ev);
}

void api_saw_state(struct api *a, const struct deliver_change *c)
{
    stats_saw_state(a->config.stats, c);
    live_saw_delivery(a->live, c->delivery, c->attempt);
    spans_saw_state(a->spans, c);
}

void api_end_spans(struct api *a, void (*on_done)(void *ctx), void *ctx)
{
    spans_end(a ? a->spans : NULL, on_done, ctx);
}

void api_drain(struct api *a)
{
    a->is_draining = true;
    live_end(a->live);
}

size_t api_requests_under_way(const struct api *a)
{
    return a->under_way;
}

static void api_on_httpd_closed(void *ctx)
{
    struct api *a = ctx;
    char path[FILE_PATH_MAX];
    api_path(a, "address", path);
    unlink(path);
    api_path(a, "address.pem", path);
    unlink(path);
    void (*on_closed)(void *) = a->on_closed;
    void *closed_ctx = a->closed_ctx;
    record_queue_fini(&a->records);
    spans_free(a->spans);
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
