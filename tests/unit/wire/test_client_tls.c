// TLS: the receiver's certificate is verified, and a refusal says what is wrong with it. The
// certificates are made by the test; the receivers are threads of their own.
#include "wire/client.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>

#include "temp.h"
#include "wire/send.h"

struct identity {
    EVP_PKEY *key;
    X509 *certificate;
};

static void add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

// issuer NULL: signed by itself. names NULL: an authority.
static void identity_make(struct identity *id, const char *cn, const struct identity *issuer,
                          const char *names, long from_s, long to_s)
{
    id->key = EVP_EC_gen("P-256");
    assert_non_null(id->key);
    X509 *x = X509_new();
    id->certificate = x;
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), issuer ? 2 : 1);
    X509_gmtime_adj(X509_getm_notBefore(x), from_s);
    X509_gmtime_adj(X509_getm_notAfter(x), to_s);
    X509_NAME *name = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)cn, -1, -1, 0);
    X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer->certificate) : name);
    X509_set_pubkey(x, id->key);
    X509 *by = issuer ? issuer->certificate : x;
    add_extension(x, by, NID_basic_constraints, names ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (names) {
        add_extension(x, by, NID_subject_alt_name, names);
    } else {
        add_extension(x, by, NID_key_usage, "critical,keyCertSign");
    }
    assert_true(X509_sign(x, issuer ? issuer->key : id->key, EVP_sha256()) > 0);
}

static void identity_fini(struct identity *id)
{
    EVP_PKEY_free(id->key);
    X509_free(id->certificate);
}

// --- a receiver with TLS ------------------------------------------------------------------------

struct receiver {
    const struct identity *identity;
    int max_version; // 0: any
    int listener;
    int connection_count;
    int request_count;
    char url[64];
    pthread_t thread;
};

static void serve(struct receiver *r, SSL *ssl)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    char request[4096];
    while (SSL_read(ssl, request, sizeof request) > 0) { // small requests come in one piece
        r->request_count++;
        if (SSL_write(ssl, answer, sizeof answer - 1) <= 0) {
            return;
        }
    }
}

static void *run(void *ctx)
{
    struct receiver *r = ctx;
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(tls, r->identity->certificate);
    SSL_CTX_use_PrivateKey(tls, r->identity->key);
    if (r->max_version) {
        SSL_CTX_set_security_level(tls, 0);
        SSL_CTX_set_max_proto_version(tls, r->max_version);
    }
    int fd;
    while ((fd = accept(r->listener, NULL, NULL)) >= 0) {
        SSL *ssl = SSL_new(tls);
        SSL_set_fd(ssl, fd);
        if (SSL_accept(ssl) == 1) {
            r->connection_count++;
            serve(r, ssl);
        }
        SSL_free(ssl);
        close(fd);
    }
    SSL_CTX_free(tls);
    return NULL;
}

static void receiver_open(struct receiver *r, const struct identity *id, int max_version)
{
    *r = (struct receiver){.identity = id, .max_version = max_version};
    r->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    assert_int_equal(bind(r->listener, (struct sockaddr *)(void *)&at, len), 0);
    assert_int_equal(listen(r->listener, 16), 0);
    assert_int_equal(getsockname(r->listener, (struct sockaddr *)(void *)&at, &len), 0);
    snprintf(r->url, sizeof r->url, "https://127.0.0.1:%u/", ntohs(at.sin_port));
    assert_int_equal(pthread_create(&r->thread, NULL, run, r), 0);
}

static void receiver_close(struct receiver *r)
{
    shutdown(r->listener, SHUT_RDWR);
    pthread_join(r->thread, NULL);
    close(r->listener);
}

// --- the tests ----------------------------------------------------------------------------------

struct scene {
    struct fixture *f;
    struct identity authority, other_authority;
    char ca_file[64];
};

static void scene_open(struct scene *s, struct fixture *f)
{
    s->f = f;
    identity_make(&s->authority, "authority", NULL, NULL, -3600, 3600);
    identity_make(&s->other_authority, "other", NULL, NULL, -3600, 3600);
    temp_template(s->ca_file, sizeof s->ca_file);
    int fd = mkstemp(s->ca_file);
    assert_true(fd >= 0);
    FILE *out = fdopen(fd, "w");
    PEM_write_X509(out, s->authority.certificate);
    fclose(out);
}

static void scene_close(struct scene *s)
{
    unlink(s->ca_file);
    identity_fini(&s->authority);
    identity_fini(&s->other_authority);
}

static void verifies_the_receiver(void **state)
{
    static const struct {
        const char *names;
        long from_s, to_s;
        enum { GOOD, SELF, OTHER } issuer;
        int max_version;
        enum client_error error;
        const char *detail; // part of it
    } rows[] = {
        {"IP:127.0.0.1", -60, 3600, GOOD, 0, CLIENT_OK, ""},
        {"IP:127.0.0.1", -60, 3600, GOOD, TLS1_2_VERSION, CLIENT_OK, ""},
        {"DNS:other.example.com", -60, 3600, GOOD, 0, CLIENT_TLS, "name"},
        {"IP:127.0.0.1", -3600, -60, GOOD, 0, CLIENT_TLS, "expired"},
        {"IP:127.0.0.1", 600, 3600, GOOD, 0, CLIENT_TLS, "not yet valid"},
        {"IP:127.0.0.1", -60, 3600, SELF, 0, CLIENT_TLS, "self-signed"},
        {"IP:127.0.0.1", -60, 3600, OTHER, 0, CLIENT_TLS, "issuer certificate"},
        {"IP:127.0.0.1", -60, 3600, GOOD, TLS1_1_VERSION, CLIENT_TLS, "version"},
    };
    struct scene s;
    scene_open(&s, *state);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct identity id;
        identity_make(&id, "receiver",
                      rows[i].issuer == GOOD    ? &s.authority
                      : rows[i].issuer == OTHER ? &s.other_authority
                                                : NULL,
                      rows[i].names, rows[i].from_s, rows[i].to_s);
        struct receiver r;
        receiver_open(&r, &id, rows[i].max_version);
        struct client *c = client_at(s.f->loop, &(struct client_config){.ca_file = s.ca_file});
        for (int round = 0; round < 2; round++) {
            struct sent sent;
            send_wait(s.f->loop, c, &sent,
                      &(struct client_request){
                          .method = STR("POST"), .url = r.url, .body = STR("hello")});
            if (sent.response.error != rows[i].error ||
                !strstr(sent.response.detail, rows[i].detail)) {
                fail_case(i, "%s: %s", client_error_word(sent.response.error),
                          sent.response.detail);
            }
            sent_fini(&sent);
        }
        client_end(s.f->loop, c);
        receiver_close(&r);
        bool is_good = rows[i].error == CLIENT_OK;
        assert_int_equal(r.request_count, is_good ? 2 : 0);
        assert_true(r.connection_count == 1 || !is_good); // the second request used the first's
        identity_fini(&id);
    }
    scene_close(&s);
}

static void says_what_is_wrong_with_its_trust(void **state)
{
    struct scene s;
    scene_open(&s, *state);
    struct identity id;
    identity_make(&id, "receiver", &s.authority, "IP:127.0.0.1", -60, 3600);
    struct receiver r;
    receiver_open(&r, &id, 0);
    static const char *const files[] = {"/nonexistent/ca.pem", NULL}; // NULL: the system's
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        struct client *c = client_at(s.f->loop, &(struct client_config){.ca_file = files[i]});
        struct sent sent;
        send_wait(s.f->loop, c, &sent, &(struct client_request){.url = r.url});
        assert_int_equal(sent.response.error, CLIENT_TLS);
        assert_true(strlen(sent.response.detail) > 10);
        sent_fini(&sent);
        client_end(s.f->loop, c);
    }
    receiver_close(&r);
    identity_fini(&id);
    scene_close(&s);
}

static void *answer_in_plain_text(void *ctx)
{
    int listener = *(int *)ctx;
    int fd = accept(listener, NULL, NULL);
    static const char words[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    ssize_t n = send(fd, words, sizeof words - 1, MSG_NOSIGNAL);
    (void)n;
    shutdown(fd, SHUT_WR);
    char rest[1024];
    while (recv(fd, rest, sizeof rest, 0) > 0) {
    }
    close(fd);
    return NULL;
}

static void says_that_the_other_side_has_no_tls(void **state)
{
    struct fixture *f = *state;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    assert_int_equal(bind(listener, (struct sockaddr *)(void *)&at, len), 0);
    assert_int_equal(listen(listener, 16), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)(void *)&at, &len), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, answer_in_plain_text, &listener), 0);
    char url[64];
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", ntohs(at.sin_port));
    struct client *c = client_at(f->loop, &(struct client_config){.log = NULL});
    struct sent sent;
    send_wait(f->loop, c, &sent, &(struct client_request){.url = url});
    assert_int_equal(sent.response.error, CLIENT_TLS);
    sent_fini(&sent);
    client_end(f->loop, c);
    pthread_join(thread, NULL);
    close(listener);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(verifies_the_receiver),
        CASE(says_what_is_wrong_with_its_trust),
        CASE(says_that_the_other_side_has_no_tls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
