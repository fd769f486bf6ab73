#include "wire/tls_server.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "wire/pem.h"

enum {
    HANDSHAKE_MS = 10 * 1000,
    // One read of the loop, and what of a record came with the one before it.
    PLAIN_MAX_BYTES = 96 * 1024,
    JOINED_MAX_BYTES = 16 * 1024, // the most that one record holds
    // Encrypted at a time: some records go out with one write, and a large answer is not held
    // twice.
    BATCH_BYTES = 128 * 1024,
    SEALED_MAX_BYTES = 256 * 1024,
    // Sent without being asked to (handshake, alerts, new keys) that the peer does not take.
    UNASKED_MAX_BYTES = 64 * 1024
};

struct tls_server {
    struct loop *loop;
    const struct log *log;
    SSL_CTX *context; // NULL: no certificate yet
    BIO_METHOD *method;
    struct buf sealed;           // what OpenSSL has to send
    char plain[PLAIN_MAX_BYTES]; // of the read that is under way
    char joined[JOINED_MAX_BYTES];
};

struct session {
    struct tls_server *server;
    struct loop_stream *stream;
    SSL *ssl;
    struct loop_timer handshake; // stopped when it is through
    const char *in;              // of the read that is under way
    size_t in_len;
    size_t unasked_bytes; // queued on the stream since its queue was last empty
    bool is_open;         // the handshake is through
    bool is_broken;
};

// --- between OpenSSL and the stream -------------------------------------------------------------

static int bio_read(BIO *b, char *out, int size)
{
    struct session *x = BIO_get_data(b);
    size_t len = x->in_len < (size_t)size ? x->in_len : (size_t)size;
    BIO_clear_retry_flags(b);
    if (len == 0) {
        BIO_set_retry_read(b);
        return -1;
    }
    memcpy(out, x->in, len);
    x->in += len;
    x->in_len -= len;
    return (int)len;
}

static int bio_write(BIO *b, const char *data, int len)
{
    struct session *x = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    return buf_append(&x->server->sealed, data, (size_t)len) == 0 ? len : -1;
}

static long bio_ctrl(BIO *b, int what, long number, void *pointer)
{
    (void)b;
    (void)number;
    (void)pointer;
    return what == BIO_CTRL_FLUSH;
}

// Sends what OpenSSL has to send; as loop_stream_send.
static int flush(struct session *x, void (*on_sent)(void *ctx, int code), void *ctx)
{
    struct buf *sealed = &x->server->sealed;
    struct str piece = buf_str(sealed);
    int rc = sealed->failed ? ERR_NOMEM : loop_stream_send_raw(x->stream, &piece, 1, on_sent, ctx);
    buf_reset(sealed);
    return rc;
}

static int flush_unasked(struct session *x)
{
    size_t len = x->server->sealed.len;
    if (loop_stream_queued_bytes(x->stream) == 0) {
        x->unasked_bytes = 0;
    }
    x->unasked_bytes += len;
    if (x->unasked_bytes > UNASKED_MAX_BYTES) {
        buf_reset(&x->server->sealed);
        return ERR_TOO_LARGE;
    }
    return flush(x, NULL, NULL);
}

// --- what comes ---------------------------------------------------------------------------------

static void say_failed(const struct session *x, unsigned long reason)
{
    char peer[LOOP_PEER_MAX];
    const char *words = ERR_reason_error_string(reason);
    if (x->server->log && !x->is_open) {
        loop_stream_peer(x->stream, peer);
        log_write(x->server->log, LOG_DEBUG, NULL, 0, "a TLS handshake with %s failed: %s",
                  peer[0] ? peer : "a client", words ? words : "the connection was closed");
    }
}

static void refuse_plain(struct session *x)
{
    static const struct str answer =
        STR("HTTP/1.1 400 Bad Request\r\nContent-Type: application/problem+json\r\n"
            "Content-Length: 102\r\nConnection: close\r\n\r\n"
            "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,"
            "\"detail\":\"This port speaks TLS: use https.\"}\n");
    buf_reset(&x->server->sealed);
    loop_stream_send_raw(x->stream, &answer, 1, NULL, NULL);
}

// OpenSSL wants no more of this connection, or has had its end.
static long fail(struct session *x, int code)
{
    unsigned long reason = ERR_peek_error();
    x->is_broken = true;
    if (ERR_GET_REASON(reason) == SSL_R_HTTP_REQUEST) {
        refuse_plain(x);
    }
    say_failed(x, reason);
    ERR_clear_error();
    flush_unasked(x); // the alert
    return code;
}

// Decrypts what came into server->plain. Returns 1 while the connection goes on, else what to tell
// the owner behind the bytes: 0 for the peer's end, negative for a broken one.
static long decrypt(struct session *x, size_t *len)
{
    char *plain = x->server->plain;
    *len = 0;
    while (*len < PLAIN_MAX_BYTES) {
        ERR_clear_error();
        int got = SSL_read(x->ssl, plain + *len, (int)(PLAIN_MAX_BYTES - *len));
        if (got > 0) {
            *len += (size_t)got;
            continue;
        }
        switch (SSL_get_error(x->ssl, got)) {
        case SSL_ERROR_WANT_READ:
            return flush_unasked(x) < 0 ? ERR_IO : 1;
        case SSL_ERROR_ZERO_RETURN:
            return flush_unasked(x) < 0 ? ERR_IO : 0;
        default:
            return fail(x, ERR_IO);
        }
    }
    return fail(x, ERR_TOO_LARGE); // cannot be: more came out than went in
}

static void on_received(void *ctx, char *data, long len)
{
    struct session *x = ctx;
    if (len <= 0 || x->is_broken) {
        loop_stream_pass(x->stream, NULL, x->is_broken ? ERR_IO : len);
        return;
    }
    x->in = data;
    x->in_len = (size_t)len;
    size_t plain_len;
    long end = decrypt(x, &plain_len);
    x->in_len = 0;
    if (!x->is_open && SSL_is_init_finished(x->ssl)) {
        x->is_open = true;
        loop_timer_stop(&x->handshake);
    }
    if (plain_len > 0) {
        loop_stream_pass(x->stream, x->server->plain, (long)plain_len);
    }
    if (end <= 0 && !loop_stream_is_closed(x->stream)) {
        loop_stream_pass(x->stream, NULL, end);
    }
}

static void on_handshake_late(void *ctx)
{
    struct session *x = ctx;
    x->is_broken = true;
    loop_stream_pass(x->stream, NULL, ERR_TIMEOUT);
}

// --- what goes ----------------------------------------------------------------------------------

// Pieces that fit into one record are one: a head and its body, most of the time.
static struct str join(struct tls_server *t, const struct str *pieces, size_t count)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        if (pieces[i].len > JOINED_MAX_BYTES - len) {
            return (struct str){NULL, 0};
        }
        if (pieces[i].len > 0) {
            memcpy(t->joined + len, pieces[i].data, pieces[i].len);
        }
        len += pieces[i].len;
    }
    return (struct str){t->joined, len};
}

static int on_send(void *ctx, const struct str *pieces, size_t count,
                   void (*on_sent)(void *ctx, int code), void *sent_ctx)
{
    struct session *x = ctx;
    struct buf *sealed = &x->server->sealed;
    if (x->is_broken || !x->is_open) {
        return ERR_CLOSED; // nothing can be told to who has not shaken hands
    }
    struct str joined = count > 1 ? join(x->server, pieces, count) : (struct str){NULL, 0};
    if (joined.data) {
        pieces = &joined;
        count = 1;
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t at = 0; at < pieces[i].len;) {
            size_t len = pieces[i].len - at < BATCH_BYTES ? pieces[i].len - at : BATCH_BYTES;
            // What came before went out or is queued, in order: its callback is the last one's.
            if (sealed->len + len > BATCH_BYTES && flush(x, NULL, NULL) < 0) {
                return ERR_IO;
            }
            ERR_clear_error();
            if (SSL_write(x->ssl, pieces[i].data + at, (int)len) <= 0) {
                ERR_clear_error();
                buf_reset(sealed);
                return ERR_IO;
            }
            at += len;
        }
    }
    return flush(x, on_sent, sent_ctx);
}

static void say_end(struct session *x)
{
    if (!x->is_broken && x->is_open) {
        ERR_clear_error();
        SSL_shutdown(x->ssl);
        ERR_clear_error();
        flush_unasked(x);
    }
}

static void on_end(void *ctx)
{
    say_end(ctx);
}

static void on_close(void *ctx)
{
    struct session *x = ctx;
    say_end(x);
    loop_timer_stop(&x->handshake);
    x->is_broken = true;
}

static void on_free(void *ctx)
{
    struct session *x = ctx;
    SSL_free(x->ssl);
    free(x);
}

static const struct loop_filter filter = {
    .received = on_received, .send = on_send, .end = on_end, .close = on_close, .free = on_free};

// --- a stream -----------------------------------------------------------------------------------

int tls_server_attach(struct tls_server *t, struct loop_stream *s)
{
    struct session *x = calloc(1, sizeof *x);
    SSL *ssl = x && t->context ? SSL_new(t->context) : NULL;
    BIO *bio = ssl ? BIO_new(t->method) : NULL;
    if (!bio) {
        SSL_free(ssl);
        free(x);
        ERR_clear_error();
        return ERR_NOMEM;
    }
    *x = (struct session){.server = t, .stream = s, .ssl = ssl};
    BIO_set_data(bio, x);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_accept_state(ssl);
    loop_timer_init(&x->handshake, t->loop, LOOP_REAL_TIME, on_handshake_late, x);
    loop_timer_start(&x->handshake, HANDSHAKE_MS);
    loop_stream_set_filter(s, &filter, x);
    return 0;
}

// --- the certificate ----------------------------------------------------------------------------

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *in, unsigned in_len, void *ctx)
{
    static const unsigned char ours[] = "\x08http/1.1";
    (void)ssl;
    (void)ctx;
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof ours - 1, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *new_context(void)
{
    SSL_CTX *c = SSL_CTX_new(TLS_server_method());
    if (c) {
        SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
        SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
        // A connection that waits holds no buffers.
        SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
        // Tickets are kept by the clients; what this side would keep is bounded by nothing.
        SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
        SSL_CTX_set_num_tickets(c, 1);
        SSL_CTX_set_alpn_select_cb(c, choose_protocol, NULL);
    }
    return c;
}

static int use_certificates(SSL_CTX *c, struct str pem)
{
    BIO *in = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509 *x = in ? PEM_read_bio_X509_AUX(in, NULL, NULL, NULL) : NULL;
    bool is_used = x && SSL_CTX_use_certificate(c, x) == 1;
    X509_free(x);
    while (is_used && (x = PEM_read_bio_X509(in, NULL, NULL, NULL))) {
        is_used = SSL_CTX_add0_chain_cert(c, x) == 1;
        if (!is_used) {
            X509_free(x);
        }
    }
    BIO_free(in);
    return is_used ? 0 : ERR_INVALID;
}

static int use_key(SSL_CTX *c, struct str pem)
{
    BIO *in = BIO_new_mem_buf(pem.data, (int)pem.len);
    EVP_PKEY *key = in ? PEM_read_bio_PrivateKey(in, NULL, NULL, NULL) : NULL;
    bool is_used = key && SSL_CTX_use_PrivateKey(c, key) == 1;
    EVP_PKEY_free(key);
    BIO_free(in);
    return is_used ? 0 : ERR_INVALID;
}

static void warn_of_time(const struct tls_server *t)
{
    const X509 *x = SSL_CTX_get0_certificate(t->context);
    if (t->log && X509_cmp_current_time(X509_get0_notAfter(x)) < 0) {
        log_warn(t->log, "the certificate of the listener has expired: clients will refuse it");
    } else if (t->log && X509_cmp_current_time(X509_get0_notBefore(x)) > 0) {
        log_warn(t->log,
                 "the certificate of the listener is not valid yet: clients will refuse it");
    }
}

int tls_server_set(struct tls_server *t, struct str cert, struct str key, struct err *e)
{
    int code = pem_check_certificates(cert, e);
    code = code ? code : pem_check_key(key, e);
    code = code ? code : pem_check_pair(cert, key, e);
    if (code) {
        return code;
    }
    SSL_CTX *c = new_context();
    if (!c) {
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    ERR_clear_error();
    if (use_certificates(c, cert) != 0 || use_key(c, key) != 0) {
        const char *words = ERR_reason_error_string(ERR_peek_last_error());
        err_set(e, ERR_INVALID, "OpenSSL does not take the certificate: %s",
                words ? words : "it does not say why");
        ERR_clear_error();
        SSL_CTX_free(c);
        return ERR_INVALID;
    }
    ERR_clear_error();
    SSL_CTX_free(t->context); // connections keep theirs
    t->context = c;
    warn_of_time(t);
    return 0;
}

int tls_server_public_key(const struct tls_server *t, struct buf *out)
{
    BIO *b = BIO_new(BIO_s_mem());
    EVP_PKEY *key = X509_get0_pubkey(SSL_CTX_get0_certificate(t->context));
    char *text;
    int code = ERR_NOMEM;
    if (b && PEM_write_bio_PUBKEY(b, key) == 1) {
        long len = BIO_get_mem_data(b, &text);
        code = buf_append(out, text, (size_t)len);
    }
    BIO_free(b);
    return code;
}

// --- life ---------------------------------------------------------------------------------------

int tls_server_new(struct tls_server **out, struct loop *l, const struct log *log, struct err *e)
{
    struct tls_server *t = calloc(1, sizeof *t);
    BIO_METHOD *method =
        t ? BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream") : NULL;
    if (!method) {
        free(t);
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_ctrl(method, bio_ctrl);
    t->loop = l;
    t->log = log;
    t->method = method;
    buf_init(&t->sealed, SEALED_MAX_BYTES);
    *out = t;
    return 0;
}

void tls_server_free(struct tls_server *t)
{
    if (t) {
        SSL_CTX_free(t->context);
        BIO_meth_free(t->method);
        buf_fini(&t->sealed);
        free(t);
    }
}
