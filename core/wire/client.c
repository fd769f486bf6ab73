#include "wire/client.h"

#include <stdio.h>
#include <stdlib.h>

#include "wire/client_internal.h"

enum {
    CONNECTIONS_MAX = 512,
    CONNECT_TIMEOUT_MS = 5 * 1000,
    RESPONSE_MAX_BYTES = 16 * 1024,
    TIMEOUT_MS = 30 * 1000,
    TIMEOUT_MAX_MS = 10 * 60 * 1000,
    IDLE_MS = 60 * 1000, // what load balancers allow themselves, mostly
    POOL_MAX = 128
};

static void transfer_move(struct transfer *t, struct transfer_list *to)
{
    struct transfer_list *from = t->list;
    if (from) {
        *(t->prev ? &t->prev->next : &from->first) = t->next;
        if (t->next) {
            t->next->prev = t->prev;
        }
        from->count--;
    }
    t->list = to;
    if (!to) {
        return;
    }
    t->prev = NULL;
    t->next = to->first;
    if (to->first) {
        to->first->prev = t;
    }
    to->first = t;
    to->count++;
}

// --- the pool -----------------------------------------------------------------------------------

static struct transfer *transfer_new(struct client *c)
{
    struct transfer *t = calloc(1, sizeof *t);
    if (!t) {
        return NULL;
    }
    t->client = c;
    t->easy = curl_easy_init();
    if (!t->easy) {
        free(t);
        return NULL;
    }
    client_request_prepare(t);
    client_route_prepare(t);
    client_multi_prepare(t);
    client_tls_prepare(t);
    client_answer_prepare(t);
    transfer_move(t, &c->pool);
    return t;
}

static void transfer_free(struct transfer *t)
{
    transfer_move(t, NULL);
    loop_timer_stop(&t->resolve_timer);
    curl_easy_cleanup(t->easy);
    client_target_unset(t);
    buf_fini(&t->url);
    buf_fini(&t->header_text);
    buf_fini(&t->resolve_text);
    buf_fini(&t->headers);
    buf_fini(&t->body_kept);
    free(t->header_nodes);
    free(t);
}

static void transfer_release(struct transfer *t)
{
    struct client *c = t->client;
    transfer_move(t, &c->pool);
    if (t->is_fresh) {
        curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 0L);
        t->is_fresh = false;
    }
    client_answer_reset(t);
    if (c->pool.count > POOL_MAX) {
        transfer_free(t);
    }
}

// --- the end of a request -----------------------------------------------------------------------

static void log_failure(const struct transfer *t)
{
    const struct log *log = t->client->config.log;
    if (log && t->response.error != CLIENT_OK) {
        // The host alone: a query may hold a secret.
        struct log_field host = {"host", t->is_url_parsed ? t->parts.host : STR("")};
        log_write(log, LOG_DEBUG, &host, 1, "a request failed (%s): %s",
                  client_error_word(t->response.error), t->response.detail);
    }
}

static void transfer_tell(struct transfer *t)
{
    struct client_response *r = &t->response;
    log_failure(t);
    r->elapsed_ms = loop_now_ms(t->client->loop, LOOP_REAL_TIME) - t->started_ms;
    r->headers = buf_str(&t->headers);
    r->body = buf_str(&t->body_kept);
    t->on_done(t->ctx, r);
    transfer_release(t);
}

void transfer_fail(struct transfer *t, enum client_error error)
{
    t->response.error = error;
    transfer_move(t, &t->client->failed);
    loop_timer_start(&t->client->kick, 0);
}

void transfer_say(struct transfer *t, const char *words)
{
    size_t len = strnlen(words, sizeof t->response.detail - 1);
    memcpy(t->response.detail, words, len);
    t->response.detail[len] = '\0';
}

// A body that is read in pieces may go on for ever, but not in silence.
static void transfer_set_silence(struct transfer *t)
{
    long silence_s = t->on_piece ? (long)((t->limit_ms + 999) / 1000) : 0;
    if (t->silence_s != silence_s) {
        t->silence_s = silence_s;
        curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_LIMIT, silence_s ? 1L : 0L);
        curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_TIME, silence_s);
    }
}

void transfer_start(struct transfer *t)
{
    transfer_set_silence(t);
    int64_t left_ms = t->started_ms + t->limit_ms - loop_now_ms(t->client->loop, LOOP_REAL_TIME);
    left_ms = t->on_piece ? 0 : left_ms > 1 ? left_ms : 1;
    if (t->timeout_ms != (long)left_ms) {
        t->timeout_ms = (long)left_ms;
        curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, t->timeout_ms);
    }
    transfer_move(t, &t->client->running);
    CURLMcode rc = curl_multi_add_handle(t->client->multi, t->easy);
    if (rc != CURLM_OK) {
        transfer_say(t, curl_multi_strerror(rc));
        transfer_fail(t, CLIENT_CONNECT);
    }
}

void transfer_done(struct transfer *t, CURLcode code)
{
    if (t->is_refused_reused && !t->is_fresh) {
        // That connection is closed now; this request may open one of its own.
        client_answer_reset(t);
        t->is_fresh = true;
        curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 1L);
        transfer_start(t);
        return;
    }
    struct client *c = t->client;
    client_answer_finish(t, code);
    transfer_tell(t);
    client_multi_used(c);
}

static void on_kick(void *ctx)
{
    struct client *c = ctx;
    if (c->is_closed) {
        void (*on_closed)(void *ctx) = c->on_closed;
        void *closed_ctx = c->closed_ctx;
        free(c->user_agent);
        free(c->ca_file);
        free(c);
        if (on_closed) {
            on_closed(closed_ctx);
        }
        return;
    }
    // What fails from now on is told at the next turn.
    while (c->failed.first) {
        transfer_move(c->failed.first, &c->telling);
    }
    c->is_inside = true;
    while (c->telling.first && !c->is_closing) {
        transfer_tell(c->telling.first);
    }
    c->is_inside = false;
    client_finish_closing(c);
}

// --- requests -----------------------------------------------------------------------------------

int client_send(struct client *c, const struct client_request *q)
{
    if (c->is_closing) {
        return ERR_CLOSED;
    }
    struct transfer *t = c->pool.first ? c->pool.first : transfer_new(c);
    if (!t) {
        return ERR_NOMEM;
    }
    int rc = client_request_set(t, q);
    if (rc != 0) {
        return rc;
    }
    int64_t timeout_ms = q->timeout_ms > 0 ? q->timeout_ms : TIMEOUT_MS;
    t->limit_ms = timeout_ms < TIMEOUT_MAX_MS ? timeout_ms : TIMEOUT_MAX_MS;
    t->started_ms = loop_now_ms(c->loop, LOOP_REAL_TIME);
    t->is_trusted = q->is_trusted;
    t->has_also_allow = q->also_allow != NULL;
    if (q->also_allow) {
        t->also_allow = *q->also_allow;
    }
    t->body_kept.max = q->max_response_bytes ? q->max_response_bytes : c->config.max_response_bytes;
    t->on_piece = q->on_piece;
    t->on_done = q->on_done;
    t->ctx = q->ctx;
    transfer_move(t, &c->resolving);
    client_route(t);
    return 0;
}

size_t client_in_flight(const struct client *c)
{
    return c->resolving.count + c->running.count + c->failed.count + c->telling.count;
}

// --- life ---------------------------------------------------------------------------------------

static int copy_config(struct client *c, const struct client_config *config)
{
    c->config = *config;
    c->config.max_connections = config->max_connections ? config->max_connections : CONNECTIONS_MAX;
    c->config.connect_timeout_ms =
        config->connect_timeout_ms > 0 ? config->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    c->config.idle_ms = config->idle_ms > 0 ? config->idle_ms : IDLE_MS;
    c->config.max_response_bytes =
        config->max_response_bytes ? config->max_response_bytes : RESPONSE_MAX_BYTES;
    const char *ca_file =
        config->ca_file ? config->ca_file : curl_version_info(CURLVERSION_NOW)->cainfo;
    c->user_agent = config->user_agent ? str_dup(str_from(config->user_agent)) : NULL;
    c->ca_file = ca_file ? str_dup(str_from(ca_file)) : NULL;
    return (config->user_agent && !c->user_agent) || (ca_file && !c->ca_file) ? ERR_NOMEM : 0;
}

int client_open(struct client **out, struct loop *l, const struct client_config *config,
                struct err *e)
{
    struct client *c = calloc(1, sizeof *c);
    if (!c) {
        return err_set(e, ERR_NOMEM, "no memory for the HTTP client");
    }
    c->loop = l;
    map_init(&c->targets);
    c->targets_version = 1;
    loop_timer_init(&c->kick, l, LOOP_REAL_TIME, on_kick, c);
    bool is_curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    int rc = copy_config(c, config);
    if (rc == 0) {
        rc = is_curl_ready ? client_multi_open(c) : ERR_IO;
    }
    if (rc != 0) {
        err_set(e, rc, "the HTTP client does not start");
    } else {
        rc = resolver_open(&c->resolver, l, &config->resolver, e);
    }
    if (rc == 0) {
        *out = c;
        return 0;
    }
    if (c->multi) {
        client_multi_close(c);
    }
    if (is_curl_ready) {
        curl_global_cleanup();
    }
    free(c->user_agent);
    free(c->ca_file);
    free(c);
    return rc;
}

static void free_all(struct transfer_list *l)
{
    while (l->first) {
        transfer_free(l->first);
    }
}

// Closing from inside a callback waits until that has returned: curl does not bear it otherwise.
void client_finish_closing(struct client *c)
{
    if (!c->is_closing || c->is_closed || c->is_inside) {
        return;
    }
    c->is_closed = true;
    while (c->running.first) {
        curl_multi_remove_handle(c->multi, c->running.first->easy);
        transfer_free(c->running.first);
    }
    while (c->resolving.first) {
        resolver_cancel(c->resolver, &c->resolving.first->wait);
        transfer_free(c->resolving.first);
    }
    free_all(&c->failed);
    free_all(&c->telling);
    free_all(&c->pool);
    client_multi_close(c);
    client_targets_fini(c);
    resolver_close(c->resolver);
    curl_global_cleanup();
    loop_timer_start(&c->kick, 0);
}

void client_close(struct client *c, void (*on_closed)(void *ctx), void *ctx)
{
    c->is_closing = true;
    c->on_closed = on_closed;
    c->closed_ctx = ctx;
    client_finish_closing(c);
}
