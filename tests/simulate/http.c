// wire/httpd.h without sockets: requests come from the history, answers go back to it.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"
#include "wire/httpd.h"

struct httpd {
    struct httpd_config config;
    bool is_draining;
};

struct httpd_request {
    struct httpd_request *next;
    unsigned life;
    char *method, *path, *query, *body, *authorization;
    void *user;
    bool is_answered;
    void (*on_answer)(void *ctx, int status, struct str body);
    void *ctx;
};

static struct httpd *the_server;
static struct httpd_request *waiting; // for an answer

bool sim_http_is_open(void)
{
    return the_server != NULL;
}

// The token is in the data folder, which is the working folder's.
static char *http_token(void)
{
    char token[300] = "", line[400];
    FILE *f = fopen("data/admin.token", "r");
    if (f) {
        if (!fgets(token, sizeof token, f)) {
            token[0] = 0;
        }
        fclose(f);
    }
    token[strcspn(token, "\n")] = 0;
    snprintf(line, sizeof line, "Bearer %s", token);
    return strdup(line);
}

static void http_run(void *ctx)
{
    struct httpd_request *r = ctx;
    if (!the_server || the_server->is_draining) {
        return; // told when the host is gone
    }
    r->authorization = http_token();
    if (the_server->config.on_head(the_server->config.ctx, r) == 0) {
        the_server->config.on_request(the_server->config.ctx, r);
    }
}

void sim_http_send(const char *method, const char *path, const char *body,
                   void (*on_answer)(void *ctx, int status, struct str body), void *ctx)
{
    struct httpd_request *r = calloc(1, sizeof *r);
    if (!r) {
        abort();
    }
    const char *query = strchr(path, '?');
    *r =
        (struct httpd_request){.next = waiting,
                               .life = sim_life(),
                               .method = strdup(method),
                               .path = strndup(path, query ? (size_t)(query - path) : strlen(path)),
                               .query = strdup(query ? query + 1 : ""),
                               .body = strdup(body),
                               .on_answer = on_answer,
                               .ctx = ctx};
    waiting = r;
    sim_trace("> %s %s %s", method, path, body);
    sim_loop_enqueue(http_run, r);
}

void sim_http_forget(void)
{
    the_server = NULL;
    struct httpd_request *gone = waiting;
    waiting = NULL;
    while (gone) {
        struct httpd_request *next = gone->next;
        gone->on_answer(gone->ctx, 0, (struct str){0});
        gone = next;
    }
}

void httpd_send(struct httpd_request *r, const struct httpd_answer *a)
{
    for (struct httpd_request **link = &waiting; *link; link = &(*link)->next) {
        if (*link == r) {
            *link = r->next;
            sim_trace("< %d %.*s", a->status, (int)(a->body.len < 200 ? a->body.len : 200),
                      a->body.data);
            r->on_answer(r->ctx, a->status, a->body);
            return; // its owner may look at it until it returns: never freed
        }
    }
    sim_fail("the host answers a request twice");
}

int httpd_open(struct httpd **out, struct loop *l, const struct httpd_config *c, struct err *e)
{
    (void)l;
    struct httpd *h = calloc(1, sizeof *h);
    if (!h) {
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    h->config = *c;
    the_server = *out = h;
    return 0;
}

bool httpd_url(const struct httpd *h, size_t index, char out[HTTPD_URL_MAX])
{
    (void)h;
    snprintf(out, HTTPD_URL_MAX, "http://127.0.0.1:8080");
    return index == 0;
}

// It listens without TLS.

int tls_server_new(struct tls_server **out, struct loop *l, const struct log *log, struct err *e)
{
    (void)l;
    (void)log;
    *out = NULL;
    return err_set(e, ERR_INVALID, "there is no TLS here");
}

int tls_server_set(struct tls_server *t, struct str cert, struct str key, struct err *e)
{
    (void)t;
    (void)cert;
    (void)key;
    return err_set(e, ERR_INVALID, "there is no TLS here");
}

int tls_server_public_key(const struct tls_server *t, struct buf *out)
{
    (void)t;
    (void)out;
    return ERR_INVALID;
}

void tls_server_free(struct tls_server *t)
{
    (void)t;
}

void httpd_drain(struct httpd *h)
{
    h->is_draining = true;
}

struct closing {
    void (*on_closed)(void *ctx);
    void *ctx;
};

static void http_closed(void *ctx)
{
    struct closing c = *(struct closing *)ctx;
    free(ctx);
    the_server = NULL;
    c.on_closed(c.ctx);
}

void httpd_close(struct httpd *h, void (*on_closed)(void *ctx), void *ctx)
{
    (void)h;
    struct closing *c = malloc(sizeof *c);
    if (!c) {
        abort();
    }
    *c = (struct closing){on_closed, ctx};
    sim_loop_enqueue(http_closed, c);
}

size_t httpd_connection_count(const struct httpd *h)
{
    (void)h;
    return 0;
}

size_t httpd_extra(size_t max_connections)
{
    return max_connections / 8;
}

struct str httpd_method(const struct httpd_request *r)
{
    return str_from(r->method);
}

struct str httpd_path(const struct httpd_request *r)
{
    return str_from(r->path);
}

struct str httpd_query(const struct httpd_request *r)
{
    return str_from(r->query);
}

struct str httpd_header(const struct httpd_request *r, const char *name)
{
    if (strcmp(name, "authorization") == 0) {
        return str_from(r->authorization);
    }
    return strcmp(name, "content-type") == 0 ? STR("application/json") : (struct str){0};
}

struct str httpd_header_lines(const struct httpd_request *r)
{
    (void)r;
    return STR("content-type: application/json\r\n");
}

void httpd_peer(const struct httpd_request *r, char out[LOOP_PEER_MAX])
{
    (void)r;
    snprintf(out, LOOP_PEER_MAX, "127.0.0.1");
}

struct str httpd_body(const struct httpd_request *r)
{
    return str_from(r->body);
}

bool httpd_query_get(const struct httpd_request *r, const char *name, struct buf *out)
{
    size_t len = strlen(name);
    for (const char *at = r->query; at && *at; at = strchr(at, '&') ? strchr(at, '&') + 1 : NULL) {
        if (strncmp(at, name, len) == 0 && at[len] == '=') {
            buf_append_str(out, (struct str){at + len + 1, strcspn(at + len + 1, "&")});
            return true;
        }
    }
    return false;
}

void httpd_set_user(struct httpd_request *r, void *user)
{
    r->user = user;
}

void *httpd_user(const struct httpd_request *r)
{
    return r->user;
}

// Nobody watches a simulated host.
void httpd_stream_open(struct httpd_request *r, const struct httpd_answer *a, size_t unsent_max)
{
    (void)r;
    (void)a;
    (void)unsent_max;
    sim_fail("a stream was asked for");
}

bool httpd_stream_write(struct httpd_request *r, struct str piece)
{
    (void)r;
    (void)piece;
    return false;
}

void httpd_stream_close(struct httpd_request *r)
{
    (void)r;
}
