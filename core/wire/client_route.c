// Where a request goes: the target's address, which is checked, or the proxy that is to connect to
// it.
#include <stdio.h>

#include "wire/client_internal.h"

enum { RESOLVE_MAX_BYTES = 8 * 1024 };

// --- addresses ----------------------------------------------------------------------------------

const char *transfer_refusal(const struct transfer *t, const struct netaddr *a)
{
    const struct client_config *config = &t->client->config;
    if (t->is_trusted) {
        return NULL;
    }
    const char *why = netaddr_refusal(a, config->allow, config->allow_count);
    return why && t->has_also_allow ? netaddr_refusal(a, &t->also_allow, 1) : why;
}

void transfer_say_refused(struct transfer *t, const struct netaddr *a, const char *why)
{
    char text[46];
    netaddr_format(text, a);
    t->is_refused = true;
    snprintf(t->response.detail, sizeof t->response.detail,
             "the address %s is refused (%s); --allow-target %s/%d allows it", text, why, text,
             a->is_v6 ? 128 : 32);
}

// Appends an entry that curl puts into its cache when the transfer starts, and its NUL.
static void add_entry(struct transfer *t, struct str host, unsigned port,
                      const struct resolve_answer *a, bool is_checked)
{
    struct buf *out = &t->resolve_text;
    const char *separator = "";
    buf_printf(out, "+" STR_FMT ":%u:", STR_ARG(host), port);
    for (size_t i = 0; i < a->count; i++) {
        char text[46];
        if (!is_checked || !transfer_refusal(t, &a->addresses[i])) {
            netaddr_format(text, &a->addresses[i]);
            buf_printf(out, a->addresses[i].is_v6 ? "%s[%s]" : "%s%s", separator, text);
            separator = ",";
        }
    }
    buf_append_char(out, '\0');
}

// The addresses that curl may use for a host.
static int give_addresses(struct transfer *t, const struct url *u, const struct resolve_answer *a,
                          bool is_checked)
{
    struct buf *out = &t->resolve_text;
    struct str host = u->host;
    buf_reset(out);
    add_entry(t, host, u->port, a, is_checked);
    size_t second = out->len;
    bool has_dot = host.data[host.len - 1] == '.';
    if (has_dot) { // curl may or may not look a name up with the dot at its end
        add_entry(t, (struct str){host.data, host.len - 1}, u->port, a, is_checked);
    }
    if (out->failed) {
        return out->failed;
    }
    t->resolve_nodes[0] = (struct curl_slist){out->data, has_dot ? &t->resolve_nodes[1] : NULL};
    t->resolve_nodes[1] = (struct curl_slist){out->data + second, NULL};
    return curl_easy_setopt(t->easy, CURLOPT_RESOLVE, &t->resolve_nodes[0]) == CURLE_OK ? 0
                                                                                        : ERR_NOMEM;
}

// The address that the proxy is asked to connect to: the one that was checked, never the name,
// which the proxy would look up again. IPv4 where there is one: what the proxy can reach is not
// known here. NULL: the URL's host is the address.
static void connect_proxy_to(struct transfer *t, const struct netaddr *a)
{
    char text[46];
    if (a) {
        netaddr_format(text, a);
        snprintf(t->connect_to_text, sizeof t->connect_to_text, a->is_v6 ? "::[%s]:%u" : "::%s:%u",
                 text, t->parts.port);
        t->connect_to = (struct curl_slist){t->connect_to_text, NULL};
    }
    curl_easy_setopt(t->easy, CURLOPT_CONNECT_TO, a ? &t->connect_to : NULL);
}

// --- names --------------------------------------------------------------------------------------

static void proxy_resolved(struct transfer *t, const struct resolve_answer *a)
{
    const struct url *proxy = &t->route->proxy_parts;
    if (a->code != 0) {
        snprintf(t->response.detail, sizeof t->response.detail, "the proxy " STR_FMT ": %s",
                 STR_ARG(proxy->host), a->detail);
        transfer_fail(t, CLIENT_DNS);
    } else if (give_addresses(t, proxy, a, false) != 0) {
        transfer_say(t, "out of memory");
        transfer_fail(t, CLIENT_CONNECT);
    } else {
        transfer_start(t);
    }
}

static void target_resolved(struct transfer *t, const struct resolve_answer *a);

static void look_up(struct transfer *t, struct str host)
{
    struct client *c = t->client;
    const struct resolve_answer *now;
    int rc = resolver_get(c->resolver, host, &t->wait, &now);
    if (rc > 0) {
        (t->is_resolving_proxy ? proxy_resolved : target_resolved)(t, now);
    } else if (rc == 0) {
        // Looking a name up is part of connecting.
        int64_t connect_ms = c->config.connect_timeout_ms;
        loop_timer_start(&t->resolve_timer, t->limit_ms < connect_ms ? t->limit_ms : connect_ms);
    } else {
        transfer_say(t, "too many names are being looked up");
        transfer_fail(t, CLIENT_DNS);
    }
}

// The target's address is known, and good. The proxy's is what the operator has configured.
static void start_through_proxy(struct transfer *t, const struct netaddr *target)
{
    connect_proxy_to(t, target);
    if (t->route->is_proxy_literal) {
        transfer_start(t);
    } else {
        t->is_resolving_proxy = true;
        look_up(t, t->route->proxy_parts.host);
    }
}

static const struct netaddr *choose_for_proxy(const struct transfer *t,
                                              const struct resolve_answer *a)
{
    const struct netaddr *chosen = NULL;
    for (size_t i = 0; i < a->count; i++) {
        bool is_better = !chosen || (chosen->is_v6 && !a->addresses[i].is_v6);
        if (is_better && !transfer_refusal(t, &a->addresses[i])) {
            chosen = &a->addresses[i];
        }
    }
    return chosen;
}

static void target_resolved(struct transfer *t, const struct resolve_answer *a)
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
        return;
    }
    t->is_refused = false; // another one will do; the words stay in case that it does not
    if (t->response.is_proxied) {
        start_through_proxy(t, choose_for_proxy(t, a));
    } else if (give_addresses(t, &t->parts, a, true) != 0) {
        transfer_say(t, "out of memory");
        transfer_fail(t, CLIENT_CONNECT);
    } else {
        transfer_start(t);
    }
}

static void on_resolved(void *ctx, const struct resolve_answer *a)
{
    struct transfer *t = ctx;
    loop_timer_stop(&t->resolve_timer);
    (t->is_resolving_proxy ? proxy_resolved : target_resolved)(t, a);
}

static void on_resolve_late(void *ctx)
{
    struct transfer *t = ctx;
    resolver_cancel(t->client->resolver, &t->wait);
    transfer_say(t, "the name servers did not answer in time");
    transfer_fail(t, CLIENT_DNS);
}

// --- the way ------------------------------------------------------------------------------------

static int parse_url(struct transfer *t)
{
    struct err e;
    if (!t->is_url_parsed) {
        if (url_parse(str_from(t->url.data), &t->parts, &e) != 0) {
            transfer_say(t, e.text);
            return ERR_INVALID;
        }
        t->is_literal = url_address(&t->parts, &t->literal);
        t->is_url_parsed = true;
        t->targets_version = 0;
    }
    return 0;
}

void client_route_prepare(struct transfer *t)
{
    t->wait.on_done = on_resolved;
    t->wait.ctx = t;
    loop_timer_init(&t->resolve_timer, t->client->loop, LOOP_REAL_TIME, on_resolve_late, t);
    buf_init(&t->resolve_text, RESOLVE_MAX_BYTES);
}

void client_route(struct transfer *t)
{
    if (parse_url(t) != 0) {
        transfer_fail(t, CLIENT_PROTOCOL);
        return;
    }
    if (client_target_set(t) != 0) {
        transfer_say(t, "out of memory");
        transfer_fail(t, CLIENT_CONNECT);
        return;
    }
    t->response.is_proxied = t->route && t->route->proxy;
    t->is_resolving_proxy = false;
    if (!t->is_literal) {
        look_up(t, t->parts.host);
        return;
    }
    const char *why = transfer_refusal(t, &t->literal);
    if (why) {
        transfer_say_refused(t, &t->literal, why);
        transfer_fail(t, CLIENT_ADDRESS_REFUSED);
    } else if (t->response.is_proxied) {
        start_through_proxy(t, NULL);
    } else {
        transfer_start(t);
    }
}
