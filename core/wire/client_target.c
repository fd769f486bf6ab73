// What holds for some targets alone: whom to trust, the client's certificate, the proxy. One table,
// looked into when an easy handle gets another URL.
#include <stdio.h>
#include <stdlib.h>

#include "encode/percent.h"
#include "wire/client_internal.h"

enum { TARGET_TEXT_MAX_BYTES = 64 * 1024, PROXY_TEXT_MAX_BYTES = 4096 };

static void wipe(char *text)
{
    if (text) {
        explicit_bzero(text, strlen(text));
    }
    free(text);
}

// --- proxies ------------------------------------------------------------------------------------

struct proxy_text {
    struct str scheme;         // "http://"
    struct str user, password; // still encoded; {NULL,0}: none
    struct str authority;      // "host:port"
};

static struct proxy_text proxy_split(struct str text)
{
    struct proxy_text out = {.authority = text};
    const char *slashes = memmem(text.data, text.len, "//", 2);
    size_t scheme_len = slashes ? (size_t)(slashes - text.data) + 2 : 0;
    out.scheme = (struct str){text.data, scheme_len};
    out.authority = (struct str){text.data + scheme_len, text.len - scheme_len};
    const char *at = memrchr(out.authority.data, '@', out.authority.len);
    if (!at) {
        return out;
    }
    size_t len = (size_t)(at - out.authority.data);
    const char *colon = memchr(out.authority.data, ':', len);
    size_t user_len = colon ? (size_t)(colon - out.authority.data) : len;
    out.user = (struct str){out.authority.data, user_len};
    out.password = colon ? (struct str){colon + 1, len - user_len - 1} : STR("");
    out.authority = (struct str){at + 1, out.authority.len - len - 1};
    return out;
}

static char *decode(struct str text)
{
    struct buf out;
    buf_init(&out, PROXY_TEXT_MAX_BYTES);
    char *copy = percent_decode(&out, text) == 0 && !memchr(out.data ? out.data : "", 0, out.len)
                     ? str_dup(buf_str(&out))
                     : NULL;
    buf_fini(&out);
    return copy;
}

// Takes the text apart into r. ERR_NOMEM, ERR_INVALID.
static int proxy_parse(struct target_route *r, struct str text, struct err *e)
{
    struct proxy_text p = proxy_split(text);
    struct buf plain;
    buf_init(&plain, PROXY_TEXT_MAX_BYTES);
    buf_append_str(&plain, p.scheme);
    buf_append_str(&plain, p.authority);
    r->proxy = plain.failed ? NULL : str_dup(buf_str(&plain));
    buf_fini(&plain);
    if (!r->proxy) {
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    if (url_parse(str_from(r->proxy), &r->proxy_parts, e) != 0) {
        return ERR_INVALID;
    }
    if (r->proxy_parts.path.len > 1) {
        return err_set(e, ERR_INVALID, "a proxy is http://HOST:PORT, without a path");
    }
    struct netaddr address;
    r->is_proxy_literal = url_address(&r->proxy_parts, &address);
    if (p.user.data) {
        r->proxy_user = decode(p.user);
        r->proxy_password = decode(p.password);
        if (!r->proxy_user || !r->proxy_password) {
            return err_set(e, ERR_INVALID,
                           "the proxy's user and password are written percent-encoded: an @ in "
                           "them as %%40, a %% as %%25");
        }
    }
    // curl takes port 1080 where none is written.
    struct buf full;
    buf_init(&full, PROXY_TEXT_MAX_BYTES);
    const struct url *u = &r->proxy_parts;
    buf_printf(&full, u->host_is_v6 ? "%s[" STR_FMT "]:%u" : "%s" STR_FMT ":%u",
               u->is_https ? "https://" : "http://", STR_ARG(u->host), u->port);
    char *proxy = full.failed ? NULL : str_dup(buf_str(&full));
    buf_fini(&full);
    free(r->proxy);
    r->proxy = proxy;
    return proxy ? url_parse(str_from(proxy), &r->proxy_parts, e)
                 : err_set(e, ERR_NOMEM, "out of memory");
}

// --- the table ----------------------------------------------------------------------------------

static void route_unref(struct target_route *r)
{
    if (!r || --r->refs > 0) {
        return;
    }
    free(r->target);
    free((char *)r->ca.data);
    free((char *)r->cert.data);
    wipe((char *)r->key.data);
    free(r->proxy);
    free(r->proxy_user);
    wipe(r->proxy_password);
    free(r);
}

static int copy_text(struct str *out, struct str text)
{
    char *copy = text.len ? str_dup(text) : NULL;
    *out = (struct str){copy, copy ? text.len : 0};
    return text.len && !copy ? ERR_NOMEM : 0;
}

static struct target_route *route_new(const struct client_target *t, int *code)
{
    struct target_route *r = calloc(1, sizeof *r);
    *code = ERR_NOMEM;
    if (!r) {
        return NULL;
    }
    r->refs = 1;
    r->target = str_dup(t->target);
    if (r->target && copy_text(&r->ca, t->ca) == 0 && copy_text(&r->cert, t->cert) == 0 &&
        copy_text(&r->key, t->key) == 0) {
        *code = t->proxy.len ? proxy_parse(r, t->proxy, NULL) : 0;
    }
    if (*code != 0) {
        route_unref(r);
        return NULL;
    }
    return r;
}

static void table_fini(struct map *m)
{
    size_t at = 0;
    void *route;
    while (map_next(m, &at, NULL, &route)) {
        route_unref(route);
    }
    map_fini(m);
}

int client_proxy_check(struct str proxy, struct err *e)
{
    struct target_route r = {.refs = 1};
    int code = proxy_parse(&r, proxy, e);
    free(r.proxy);
    free(r.proxy_user);
    wipe(r.proxy_password);
    return code;
}

int client_set_targets(struct client *c, const struct client_target *targets, size_t count)
{
    struct map table;
    map_init(&table);
    for (size_t i = 0; i < count; i++) {
        int code;
        struct target_route *r = route_new(&targets[i], &code);
        if (r && map_put(&table, str_from(r->target), r) != 0) {
            route_unref(r);
            code = ERR_NOMEM;
        }
        if (code != 0) {
            table_fini(&table);
            return code;
        }
    }
    table_fini(&c->targets);
    c->targets = table;
    c->targets_version++;
    return 0;
}

void client_targets_fini(struct client *c)
{
    table_fini(&c->targets);
}

// --- on an easy handle --------------------------------------------------------------------------

static bool set_blob(CURL *easy, CURLoption option, struct str text)
{
    struct curl_blob blob = {(void *)text.data, text.len, CURL_BLOB_COPY};
    return curl_easy_setopt(easy, option, text.len ? &blob : NULL) == CURLE_OK;
}

static int route_apply(CURL *easy, const struct target_route *r)
{
    static const struct target_route none;
    r = r ? r : &none;
    // By content, not as files: curl keeps the certificates of one file alone parsed, which is the
    // system's; and what it compares before it uses a connection again is then what counts.
    bool is_set = set_blob(easy, CURLOPT_CAINFO_BLOB, r->ca) &&
                  set_blob(easy, CURLOPT_SSLCERT_BLOB, r->cert) &&
                  set_blob(easy, CURLOPT_SSLKEY_BLOB, r->key);
    // The empty text and "*": the environment has no say.
    is_set = is_set &&
             curl_easy_setopt(easy, CURLOPT_PROXY, r->proxy ? r->proxy : "") == CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_NOPROXY, r->proxy ? "" : "*") == CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, r->proxy_user) == CURLE_OK &&
             curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, r->proxy_password) == CURLE_OK;
    // A tunnel for http:// too: of a plain request a proxy would look the name up again.
    curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, r->proxy ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, r->proxy ? 0L : 1L);
    if (!r->proxy) {
        curl_easy_setopt(easy, CURLOPT_CONNECT_TO, NULL);
    }
    return is_set ? 0 : ERR_NOMEM;
}

int client_target_set(struct transfer *t)
{
    struct client *c = t->client;
    if (t->targets_version == c->targets_version) {
        return 0;
    }
    struct target_route *r = NULL;
    if (c->targets.count > 0) {
        struct buf name;
        buf_init(&name, TARGET_TEXT_MAX_BYTES);
        url_target(&name, &t->parts);
        r = name.failed ? NULL : map_get(&c->targets, buf_str(&name));
        int failed = name.failed;
        buf_fini(&name);
        if (failed) {
            return failed;
        }
    }
    if (r != t->route || !t->is_route_set) {
        client_target_unset(t);
        t->is_route_set = route_apply(t->easy, r) == 0;
        if (!t->is_route_set) {
            return ERR_NOMEM;
        }
        t->route = r;
        if (r) {
            r->refs++;
        }
    }
    t->targets_version = c->targets_version;
    return 0;
}

void client_target_unset(struct transfer *t)
{
    route_unref(t->route);
    t->route = NULL;
}
