#include <stdlib.h>

#include "wire/client_internal.h"

enum {
    DNS_KEPT_S = 15 * 60, // longer than any transfer: curl never has to look a name up itself
    URL_MAX_BYTES = 64 * 1024,
    HEADERS_MAX_BYTES = 1024 * 1024,
    HTTP2_BODY_MAX_BYTES = 32 * 1024,
    OWN_HEADERS = 4 // User-Agent, Accept, Expect, Content-Type
};

enum method { METHOD_NONE, METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_PATCH, METHOD_DELETE };

static const char *const METHOD_WORDS[] = {NULL, "GET", "POST", "PUT", "PATCH", "DELETE"};

void client_request_prepare(struct transfer *t)
{
    CURL *easy = t->easy;
    buf_init(&t->url, URL_MAX_BYTES);
    buf_init(&t->header_text, HEADERS_MAX_BYTES);
    const struct client *c = t->client;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); // until client_target.c says otherwise
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, (long)DNS_KEPT_S);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)c->config.connect_timeout_ms);
}

static bool is_clean(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '\r' || s.data[i] == '\n' || s.data[i] == '\0') {
            return false;
        }
    }
    return true;
}

static void add_header(struct transfer *t, size_t *count, struct str name, struct str value,
                       bool is_none)
{
    struct buf *out = &t->header_text;
    t->header_nodes[(*count)++].data = out->data + out->len;
    buf_append_str(out, name);
    // curl's notation: "Name:" leaves out a header of curl's own, "Name;" is one with an empty
    // value.
    if (value.len > 0) {
        buf_append_str(out, STR(": "));
        buf_append_str(out, value);
    } else {
        buf_append_char(out, is_none ? ':' : ';');
    }
    buf_append_char(out, '\0');
}

// The list that curl reads, in memory that is used again. Room is made first: the nodes point into
// it.
static int set_headers(struct transfer *t, const struct client_request *q)
{
    struct str agent = str_from(t->client->user_agent);
    size_t bytes = 96 + agent.len;
    bool has_agent = false;
    for (size_t i = 0; i < q->header_count; i++) {
        if (!is_clean(q->headers[i].name) || !is_clean(q->headers[i].value)) {
            return ERR_INVALID;
        }
        bytes += q->headers[i].name.len + q->headers[i].value.len + 4;
        has_agent |= str_eq_nocase(q->headers[i].name, STR("user-agent"));
    }
    size_t max = q->header_count + OWN_HEADERS;
    buf_reset(&t->header_text);
    if (!buf_reserve(&t->header_text, bytes)) {
        return ERR_NOMEM;
    }
    if (max > t->header_cap) {
        struct curl_slist *nodes = realloc(t->header_nodes, max * sizeof *nodes);
        if (!nodes) {
            return ERR_NOMEM;
        }
        t->header_nodes = nodes;
        t->header_cap = max;
    }
    bool has_accept = false;
    bool has_type = false;
    size_t count = 0;
    if (agent.len && !has_agent) { // as one of the list: curl formats its own twice
        add_header(t, &count, STR("User-Agent"), agent, false);
    }
    for (size_t i = 0; i < q->header_count; i++) {
        const struct client_header *h = &q->headers[i];
        has_accept |= h->name.len == 6 && str_eq_nocase(h->name, STR("accept"));
        has_type |= h->name.len == 12 && str_eq_nocase(h->name, STR("content-type"));
        add_header(t, &count, h->name, str_trim(h->value), false);
    }
    add_header(t, &count, STR("Expect"), STR(""), true);
    if (!has_accept) {
        add_header(t, &count, STR("Accept"), STR(""), true);
    }
    if (!has_type) {
        add_header(t, &count, STR("Content-Type"), STR(""), true);
    }
    for (size_t i = 0; i < count; i++) {
        t->header_nodes[i].next = i + 1 < count ? &t->header_nodes[i + 1] : NULL;
    }
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->header_nodes);
    return 0;
}

static int set_method(struct transfer *t, const struct client_request *q)
{
    int method = METHOD_GET;
    while (method <= METHOD_DELETE && !str_eq(q->method, str_from(METHOD_WORDS[method]))) {
        method++;
    }
    if (method > METHOD_DELETE) {
        return ERR_INVALID;
    }
    bool has_body = method == METHOD_POST || method == METHOD_PUT || method == METHOD_PATCH;
    if (has_body) {
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, q->body.len > 0 ? q->body.data : "");
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.len);
    }
    if (method != t->method) {
        t->method = method;
        bool is_plain = method == METHOD_GET || method == METHOD_POST;
        if (!has_body) {
            curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L);
        }
        curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, is_plain ? NULL : METHOD_WORDS[method]);
    }
    return 0;
}

// HTTP/2 where it is offered, but not for a body that a stream's first window (64 KiB) may not
// hold: curl 7.88 does not see an answer that comes before all of a body is sent, and waits for the
// end of the time.
static void set_version(struct transfer *t, size_t body_bytes)
{
    long version =
        body_bytes > HTTP2_BODY_MAX_BYTES ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS;
    if (version != t->http_version) {
        t->http_version = version;
        curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, version);
    }
}

static int set_url(struct transfer *t, const char *url)
{
    size_t size = strlen(url) + 1;
    if (t->url.len == size && memcmp(t->url.data, url, size) == 0) {
        return 0;
    }
    buf_reset(&t->url);
    t->is_url_parsed = false;
    if (buf_append(&t->url, url, size) != 0 ||
        curl_easy_setopt(t->easy, CURLOPT_URL, t->url.data) != CURLE_OK) {
        buf_reset(&t->url); // so that it is not taken for the one set
        return ERR_NOMEM;
    }
    return 0;
}

int client_request_set(struct transfer *t, const struct client_request *q)
{
    curl_easy_setopt(t->easy, CURLOPT_FORBID_REUSE, (long)q->is_alone);
    int rc = set_method(t, q);
    set_version(t, q->body.len);
    if (rc == 0) {
        rc = set_url(t, q->url);
    }
    return rc == 0 ? set_headers(t, q) : rc;
}
