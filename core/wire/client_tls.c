// Why a TLS handshake failed, from what curl and OpenSSL tell: their codes, not their words.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "wire/client_internal.h"

enum {
    TURN_MAX_BYTES = 4 * 1024 * 1024, // that are read of a connection at a stretch
    RECORD_COST_BYTES = 256           // what a record counts besides its bytes
};

// Called where a server asks for a client certificate and there is none for it: in the handshake,
// or later over a kept connection, whose first transfer is gone.
static int on_cert_wanted(SSL *ssl, X509 **cert, EVP_PKEY **key)
{
    const SSL_CTX *tls = SSL_get_SSL_CTX(ssl);
    const struct client *c = SSL_CTX_get_app_data(tls);
    (void)cert;
    (void)key;
    for (struct transfer *t = c->running.first; t; t = t->next) {
        if (t->tls_context == tls) {
            t->is_cert_wanted = true;
        }
    }
    return 0; // none
}

// curl reads on until a stream has something or the socket has nothing: frames of HTTP/2 that bear
// nothing (empty DATA, WINDOW_UPDATE, kinds that nobody knows), sent faster than they are read,
// would hold the loop for ever. A connection with too much for one turn is at its end.
static void on_tls_message(int is_write, int version, int type, const void *data, size_t len,
                           SSL *ssl, void *ctx)
{
    struct client *c = ctx;
    const unsigned char *head = data;
    (void)version;
    if (is_write || type != SSL3_RT_HEADER || len < SSL3_RT_HEADER_LENGTH) {
        return;
    }
    if (c->read_tls != ssl) {
        c->read_tls = ssl;
        c->read_bytes = 0;
    }
    c->read_bytes += RECORD_COST_BYTES + ((size_t)head[3] << 8 | head[4]);
    if (c->read_bytes > TURN_MAX_BYTES) {
        SSL_set_shutdown(ssl, SSL_get_shutdown(ssl) | SSL_RECEIVED_SHUTDOWN);
    }
}

static CURLcode on_tls_context(CURL *easy, void *tls, void *ctx)
{
    struct transfer *t = ctx;
    (void)easy;
    SSL_CTX_set_msg_callback(tls, on_tls_message);
    SSL_CTX_set_msg_callback_arg(tls, t->client); // outlives its connections
    if (!t->route || t->route->cert.len == 0) {
        t->tls_context = tls;
        SSL_CTX_set_app_data((SSL_CTX *)tls, t->client);
        SSL_CTX_set_client_cert_cb(tls, on_cert_wanted);
    }
    return CURLE_OK;
}

void client_tls_prepare(struct transfer *t)
{
    CURL *easy = t->easy;
    const char *ca_file = t->client->ca_file;
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    const char *key_file = t->client->config.key_file;
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, key_file ? 0L : 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, key_file ? 0L : 2L);
    curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, key_file);
    curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (ca_file) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
        curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, ca_file);
    }
    // With a path beside the file curl would not keep the parsed certificates, but read them for
    // each connection, on the loop.
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_tls_context);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, t);
}

// The reason in "... error:0A00045C:SSL routines::...", 0 where there is none.
static int reason_of(const char *text)
{
    const char *at = strstr(text, "error:");
    unsigned long code = at ? strtoul(at + strlen("error:"), NULL, 16) : 0;
    return ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
}

static enum client_tls fault_of_certificate(long verified)
{
    switch (verified) {
    case X509_V_OK:
    case X509_V_ERR_UNSPECIFIED: // the chain is good: curl compares the name itself
        return CLIENT_TLS_NAME;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return CLIENT_TLS_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return CLIENT_TLS_NOT_YET_VALID;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return CLIENT_TLS_SELF_SIGNED;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return CLIENT_TLS_UNKNOWN_CA;
    default:
        return CLIENT_TLS_OTHER;
    }
}

static enum client_tls fault_of_handshake(int reason)
{
    switch (reason) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        return CLIENT_TLS_CERT_WANTED;
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
        return CLIENT_TLS_OLD;
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
        return CLIENT_TLS_NOT_SPOKEN;
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
        return CLIENT_TLS_CERT_REFUSED;
    default:
        return CLIENT_TLS_OTHER;
    }
}

static bool is_broken_connection(CURLcode code)
{
    return code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING;
}

static enum client_tls fault_of(const struct transfer *t, CURLcode code, bool is_proxy)
{
    int reason = reason_of(t->error_text);
    long verified = 0;
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
        curl_easy_getinfo(t->easy,
                          is_proxy ? CURLINFO_PROXY_SSL_VERIFYRESULT : CURLINFO_SSL_VERIFYRESULT,
                          &verified);
        return fault_of_certificate(verified);
    case CURLE_SSL_CONNECT_ERROR:
        break;
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
        return CLIENT_TLS_OTHER;
    default:
        // In TLS 1.3 a server judges the client's certificate when the handshake is through for the
        // client, which then meets an alert, or a connection that broke, where the answer should
        // be.
        if (!is_broken_connection(code) || (reason < SSL_AD_REASON_OFFSET && !t->is_cert_wanted)) {
            return CLIENT_TLS_FINE;
        }
        break;
    }
    return t->is_cert_wanted ? CLIENT_TLS_CERT_WANTED : fault_of_handshake(reason);
}

enum client_tls client_tls_fault(const struct transfer *t, CURLcode code)
{
    long connected = 0;
    curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &connected);
    bool is_proxy = t->response.is_proxied && t->route->proxy_parts.is_https && connected == 0;
    enum client_tls fault = fault_of(t, code, is_proxy);
    return fault != CLIENT_TLS_FINE && is_proxy ? CLIENT_TLS_PROXY : fault;
}
