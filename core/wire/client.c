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
    POOL_MAX = 128,
    RESOLVE_MAX_BYTES = 8 * 1024
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

static void on_resolved(void *ctx, const struct resolve_answer *a);
static void on_resolve_late(void *ctx);

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
    t->wait.on_done = on_resolved;
    t->wait.ctx = t;
    loop_timer_init(&t->resolve_timer, c->loop, LOOP_REAL_TIME, on_resolve_late, t);
    buf_init(&t->resolve_text, RESOLVE_MAX_BYTES);
    client_request_prepare(t);
    client_multi_prepare(t);
    client_answer_prepare(t);
    transfer_move(t, &c->pool);
    return t;
}

static void transfer_free(struct transfer *t)
{
    transfer_move(t, NULL);
    loop_timer_stop(&t->resolve_timer);
    curl_easy_cleanup(t->easy);
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

// Never tells from inside client_send: the next turn does.
static void transfer_fail(struct transfer *t, enum client_error error)
{
    t->response.error = error;
    transfer_move(t, &t->client->failed);
    loop_timer_start(&t->client->kick, 0);
}

static void say(struct transfer *t, const char *words)
{
    size_t len = strnlen(words, sizeof t->response.detail - 1);
    memcpy(t->response.detail, words, len);
    t->response.detail[len] = '\0';
}

static void transfer_start(struct transfer *t);

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
    client_answer_finish(t, code);
    transfer_tell(t);
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

// --- names --------------------------------------------------------------------------------------

static void transfer_start(struct transfer *t)
{
    int64_t left_ms = t->started_ms + t->limit_ms - loop_now_ms(t->client->loop, LOOP_REAL_TIME);
    left_ms = left_ms > 1 ? left_ms : 1;
    if (t->timeout_ms != (long)left_ms) {
        t->timeout_ms = (long)left_ms;
        curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS, t->timeout_ms);
    }
    transfer_move(t, &t->client->running);
    CURLMcode rc = curl_multi_add_handle(t->client->multi, t->easy);
    if (rc != CURLM_OK) {
        say(t, curl_multi_strerror(rc));
        transfer_fail(t, CLIENT_CONNECT);
    }
}

// The addresses that may be used, as an entry that curl puts into its cache when the transfer
// starts. Twice, because curl may or may not look a name up with the dot at its end.
static int give_addresses(struct transfer *t, const struct resolve_answer *a)
{
    struct buf *out = &t->resolve_text;
    const struct url *u = &t->parts;
    bool has_dot = u->host.data[u->host.len - 1] == '.';
    buf_reset(out);
    size_t second = 0;
    for (int form = 0; form <= has_dot; form++) {
        second = out->len;
        buf_printf(out, "+" STR_FMT ":%u:", (int)(u->host.len - (size_t)form), u->host.data,
                   u->port);
        const char *separator = "";
        for (size_t i = 0; i < a->count; i++) {
            char text[46];
            if (!transfer_refusal(t, &a->addresses[i])) {
                netaddr_format(text, &a->addresses[i]);
                buf_printf(out, a->addresses[i].is_v6 ? "%s[%s]" : "%s%s", separator, text);
                separator = ",";
            }
        }
        buf_append_char(out, '\0');
    }
    if (out->failed) {
        return out->failed;
    }
    t->resolve_nodes[0] = (struct curl_slist){out->data, has_dot ? &t->resolve_nodes[1] : NULL};
    t->resolve_nodes[1] = (struct curl_slist){out->data + second, NULL};
    curl_easy_setopt(t->easy, CURLOPT_RESOLVE, &t->resolve_nodes[0]);
    return 0;
}

static void transfer_resolved(struct transfer *t, const struct resolve_answer *a)
{
    if (a->code != 0) {
        snprintf(t->response.detail, sizeof t->response.detail, STR_FMT ": %s",
                 STR_ARG(t->parts.host), a->detail);
        transfer_fail(t, CLIENT_DNS);
        return;
    }
    size_t good = 0;
    for (size_t i = 0; i < a->count; i++) {
        const char *why = transfer_refusal(t, &a->addresses[i]);
        if (!why) {
            good++;
        } else if (!t->is_refused) {
            transfer_say_refused(t, &a->addresses[i], why);
        }
    }
    if (good == 0) {
        transfer_fail(t, CLIENT_ADDRESS_REFUSED);
    } else if (give_addresses(t, a) != 0) {
        say(t, "out of memory");
        transfer_fail(t, CLIENT_CONNECT);
    } else {
        t->is_refused = false; // another one will do; the words stay in case that it does not
        transfer_start(t);
    }
}

static void on_resolved(void *ctx, const struct resolve_answer *a)
{
    struct transfer *t = ctx;
    loop_timer_stop(&t->resolve_timer);
    transfer_resolved(t, a);
}

static void on_resolve_late(void *ctx)
{
    struct transfer *t = ctx;
    resolver_cancel(t->client->resolver, &t->wait);
    say(t, "the name servers did not answer in time");
    transfer_fail(t, CLIENT_DNS);
}

static int parse_url(struct transfer *t)
{
    struct err e;
    if (!t->is_url_parsed) {
        if (url_parse(str_from(t->url.data), &t->parts, &e) != 0) {
            say(t, e.text);
            return ERR_INVALID;
        }
        t->is_literal = url_address(&t->parts, &t->literal);
        t->is_url_parsed = true;
    }
    return 0;
}

// Finds where the request goes and starts it, or starts to look.
static void transfer_route(struct transfer *t)
{
    struct client *c = t->client;
    if (parse_url(t) != 0) {
        transfer_fail(t, CLIENT_PROTOCOL);
        return;
    }
    if (t->is_literal) {
        const char *why = transfer_refusal(t, &t->literal);
        if (why) {
            transfer_say_refused(t, &t->literal, why);
            transfer_fail(t, CLIENT_ADDRESS_REFUSED);
        } else {
            transfer_start(t);
        }
        return;
    }
    const struct resolve_answer *now;
    int rc = resolver_get(c->resolver, t->parts.host, &t->wait, &now);
    if (rc > 0) {
        transfer_resolved(t, now);
    } else if (rc == 0) {
        // Looking a name up is part of connecting.
        int64_t connect_ms = c->config.connect_timeout_ms;
        loop_timer_start(&t->resolve_timer, t->limit_ms < connect_ms ? t->limit_ms : connect_ms);
    } else {
        say(t, "too many names are being looked up");
        transfer_fail(t, CLIENT_DNS);
    }
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
    t->has_also_allow = q->also_allow != NULL;
    if (q->also_allow) {
        t->also_allow = *q->also_allow;
    }
    t->body_kept.max = q->max_response_bytes ? q->max_response_bytes : c->config.max_response_bytes;
    t->on_done = q->on_done;
    t->ctx = q->ctx;
    transfer_move(t, &c->resolving);
    transfer_route(t);
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
