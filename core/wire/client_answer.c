#include <stdio.h>
#include <stdlib.h>

#include "wire/client_internal.h"

enum {
    HEADERS_KEPT_BYTES = 16 * 1024,
    HEADERS_MAX_BYTES = 256 * 1024, // of all heads of an answer; more is cut off
    TUNNEL_STEPS_MAX = 64 * 1024,   // bytes of a proxy's answer to CONNECT, about
    BUFFER_KEPT_BYTES = 4 * 1024    // a buffer that grew beyond it is freed after the request
};

static const int64_t RETRY_AFTER_MAX_S = INT64_C(10) * 366 * 24 * 3600;

const char *client_error_word(enum client_error e)
{
    static const char *const words[] = {
        [CLIENT_OK] = NULL,
        [CLIENT_DNS] = "dns",
        [CLIENT_CONNECT] = "connect",
        [CLIENT_TLS] = "tls",
        [CLIENT_TIMEOUT] = "timeout",
        [CLIENT_RESET] = "reset",
        [CLIENT_PROTOCOL] = "protocol",
        [CLIENT_ADDRESS_REFUSED] = "address_refused",
    };
    return words[e];
}

// --- what comes ---------------------------------------------------------------------------------

static struct str line_text(const char *data, size_t len)
{
    while (len > 0 && (data[len - 1] == '\n' || data[len - 1] == '\r')) {
        len--;
    }
    return (struct str){data, len};
}

static void keep_line(struct transfer *t, struct str line)
{
    bool is_folded = line.data[0] == ' ' || line.data[0] == '\t';
    if (is_folded && (t->headers.len == 0 || t->is_headers_full)) {
        return;
    }
    if (t->is_headers_full || t->headers.len + line.len + 1 > HEADERS_KEPT_BYTES) {
        t->is_headers_full = true;
        return;
    }
    if (is_folded) {
        t->headers.data[t->headers.len - 1] = ' '; // in place of the line's end
        line = str_trim(line);
    }
    buf_append_str(&t->headers, line);
    buf_append_char(&t->headers, '\n');
}

static void see_retry_after(struct transfer *t, struct str line)
{
    struct str name = STR("retry-after:");
    if (line.len > name.len && str_eq_nocase((struct str){line.data, name.len}, name)) {
        struct str value = str_trim((struct str){line.data + name.len, line.len - name.len});
        if (value.len < sizeof t->retry_after) {
            memcpy(t->retry_after, value.data, value.len);
            t->retry_after[value.len] = '\0';
        }
    }
}

static long answer_status(const struct transfer *t)
{
    long status = 0;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static size_t on_header(char *data, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    size_t len = size * count;
    t->header_bytes += len;
    if (t->header_bytes > HEADERS_MAX_BYTES) {
        t->is_flooded = true;
        return 0;
    }
    if (t->is_head_done) {
        return len; // a trailer
    }
    struct str line = line_text(data, len);
    if (str_starts_with(line, STR("HTTP/"))) {
        // Behind an interim answer (1xx) the next head begins.
        buf_reset(&t->headers);
        t->is_headers_full = false;
        t->retry_after[0] = '\0';
    } else if (line.len > 0) {
        keep_line(t, line);
        see_retry_after(t, line);
    } else {
        t->is_head_done = answer_status(t) >= 200;
    }
    return t->headers.failed ? 0 : len;
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    size_t len = size * count;
    if (t->on_piece && answer_status(t) == 200) {
        t->response.body_is_truncated = !t->on_piece(t->ctx, (struct str){data, len});
        return t->response.body_is_truncated ? 0 : len;
    }
    size_t room = t->body_kept.max - t->body_kept.len;
    if (buf_append(&t->body_kept, data, len < room ? len : room) != 0) {
        return 0;
    }
    if (len > room) {
        t->response.body_is_truncated = true;
        return 0;
    }
    return len;
}

static void buf_shrink(struct buf *b)
{
    if (b->cap > BUFFER_KEPT_BYTES) {
        buf_fini(b);
    }
    buf_reset(b);
}

// Until a proxy has connected it, curl reads byte by byte, and goes on for as long as there is one:
// a refusal with a body that does not end would hold the loop.
static int on_progress(void *ctx, curl_off_t to_come, curl_off_t came, curl_off_t to_go,
                       curl_off_t went)
{
    struct transfer *t = ctx;
    curl_off_t connected_us = 0;
    (void)to_come, (void)came, (void)to_go, (void)went;
    curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
    return connected_us == 0 && ++t->tunnel_steps > TUNNEL_STEPS_MAX;
}

void client_answer_reset(struct transfer *t)
{
    buf_shrink(&t->headers);
    buf_shrink(&t->body_kept);
    // Not the whole of it: the texts in it are long.
    t->response.error = CLIENT_OK;
    t->response.detail[0] = '\0';
    t->response.address[0] = '\0';
    t->response.status = 0;
    t->response.body_is_truncated = false;
    t->response.retry_after_ms = -1;
    t->response.tls = CLIENT_TLS_FINE;
    t->response.is_proxied = false;
    t->response.proxy_status = 0;
    t->header_bytes = 0;
    t->tunnel_steps = 0;
    t->is_head_done = t->is_headers_full = t->is_flooded = false;
    t->is_refused = t->is_refused_reused = t->is_cert_wanted = false;
    t->tls_context = NULL;
    t->retry_after[0] = '\0';
    t->error_text[0] = '\0';
}

void client_answer_prepare(struct transfer *t)
{
    buf_init(&t->headers, HEADERS_KEPT_BYTES);
    buf_init(&t->body_kept, t->client->config.max_response_bytes);
    curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_XFERINFOFUNCTION, on_progress); // client_target.c: of whom
    curl_easy_setopt(t->easy, CURLOPT_XFERINFODATA, t);
    curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->error_text);
    client_answer_reset(t);
}

// --- what it means ------------------------------------------------------------------------------

int64_t client_retry_after_ms(const char *value, int64_t wall_ms)
{
    struct str text = str_from(value);
    size_t digits = strspn(value, "0123456789");
    if (digits > 0 && digits == text.len) {
        int64_t seconds;
        bool is_far = str_to_int64(text, &seconds) != 0 || seconds > RETRY_AFTER_MAX_S;
        return (is_far ? RETRY_AFTER_MAX_S : seconds) * 1000;
    }
    // All three forms of a date begin with the day of the week; curl_getdate takes much more.
    if (text.len == 0 || value[0] < 'A' || value[0] > 'Z') {
        return -1;
    }
    time_t when = curl_getdate(value, NULL);
    if (when == -1) {
        return -1;
    }
    int64_t ms = (int64_t)when * 1000 - wall_ms;
    ms = ms > 0 ? ms : 0;
    return ms < RETRY_AFTER_MAX_S * 1000 ? ms : RETRY_AFTER_MAX_S * 1000;
}

// curl reports a line of the answer over 100 KiB as a lack of memory.
static bool is_line_too_long(const struct transfer *t, CURLcode code)
{
    curl_off_t sent_us = 0;
    curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
    return code == CURLE_OUT_OF_MEMORY && sent_us > 0;
}

// curl has the same code for it as for a connection that broke.
static bool is_chunk_wrong(const struct transfer *t, CURLcode code)
{
    return code == CURLE_RECV_ERROR && strstr(t->error_text, "chunked-encoding");
}

static enum client_error error_of(CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return CLIENT_DNS;
    case CURLE_OPERATION_TIMEDOUT:
        return CLIENT_TIMEOUT;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2_STREAM: // the server gave this one up
        return CLIENT_RESET;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
    case CURLE_HTTP_RETURNED_ERROR:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_WRITE_ERROR:
        return CLIENT_PROTOCOL;
    default:
        return CLIENT_CONNECT; // COULDNT_CONNECT, and what is out of memory or sockets here
    }
}

static void say_error(struct transfer *t, CURLcode code)
{
    struct client_response *r = &t->response;
    if (t->is_flooded) {
        snprintf(r->detail, sizeof r->detail, "the answer's headers are larger than %d bytes",
                 HEADERS_MAX_BYTES);
        return;
    }
    if (t->tunnel_steps > TUNNEL_STEPS_MAX) {
        snprintf(r->detail, sizeof r->detail, "the proxy's answer to CONNECT is over %d bytes",
                 TUNNEL_STEPS_MAX);
        return;
    }
    long os_error = 0;
    curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &os_error);
    const char *words = t->error_text[0] ? t->error_text : curl_easy_strerror(code);
    if (code == CURLE_COULDNT_CONNECT && r->detail[0]) {
        // One that was left out might have been the one that answers.
        char left_out[sizeof r->detail];
        memcpy(left_out, r->detail, sizeof left_out);
        snprintf(r->detail, sizeof r->detail, "%.90s; %.160s", words, left_out);
    } else if (code == CURLE_COULDNT_CONNECT && os_error != 0) {
        snprintf(r->detail, sizeof r->detail, "%.180s: %s", words, strerror((int)os_error));
    } else {
        snprintf(r->detail, sizeof r->detail, "%.255s", words);
    }
}

void client_answer_finish(struct transfer *t, CURLcode code)
{
    struct client_response *r = &t->response;
    long status = answer_status(t);
    long proxy_status = 0;
    char *address = NULL;
    if (r->is_proxied && code != CURLE_OK) {
        curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
    }
    curl_easy_getinfo(t->easy, CURLINFO_PRIMARY_IP, &address);
    r->status = (int)status;
    if (address) {
        snprintf(r->address, sizeof r->address, "%s", address);
    }
    if (t->retry_after[0]) {
        r->retry_after_ms =
            client_retry_after_ms(t->retry_after, clock_wall_ms(loop_clock(t->client->loop)));
    }
    if (r->body_is_truncated && code == CURLE_WRITE_ERROR) {
        code = CURLE_OK; // we closed it: the status decides
    }
    if (code == CURLE_HTTP2_STREAM && t->is_head_done && !t->error_text[0]) {
        // The answer was over before all of the body was sent, which curl 7.88 takes for an error
        // that it has no words for: it decides all the same.
        code = CURLE_OK;
    }
    if (code == CURLE_OK && status >= 200) {
        r->error = CLIENT_OK;
        r->detail[0] = '\0'; // of an address that was passed over
        r->tls = t->is_cert_wanted ? CLIENT_TLS_CERT_WANTED : CLIENT_TLS_FINE;
    } else if (code == CURLE_OK) {
        r->error = CLIENT_PROTOCOL;
        snprintf(r->detail, sizeof r->detail, "the answer has status %ld, which is not a final one",
                 status);
    } else if (t->is_refused &&
               (code == CURLE_COULDNT_CONNECT || code == CURLE_ABORTED_BY_CALLBACK)) {
        r->error = CLIENT_ADDRESS_REFUSED; // the words are there
    } else if (is_line_too_long(t, code)) {
        r->error = CLIENT_PROTOCOL;
        snprintf(r->detail, sizeof r->detail, "a line of the answer's head is too long");
    } else if (proxy_status >= 300) {
        r->error = CLIENT_CONNECT;
        r->proxy_status = (int)proxy_status;
        snprintf(r->detail, sizeof r->detail, "the proxy " STR_FMT ":%u answered %ld to CONNECT",
                 STR_ARG(t->route->proxy_parts.host), t->route->proxy_parts.port, proxy_status);
    } else {
        r->tls = client_tls_fault(t, code);
        r->error = r->tls != CLIENT_TLS_FINE ? CLIENT_TLS
                   : is_chunk_wrong(t, code) ? CLIENT_PROTOCOL
                                             : error_of(code);
        say_error(t, code);
    }
}
