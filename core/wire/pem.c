#include "wire/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

// Without it OpenSSL would ask whoever sits at the terminal.
static int no_passphrase(char *out, int size, int is_write, void *ctx)
{
    bool *is_asked = ctx;
    (void)out;
    (void)size;
    (void)is_write;
    *is_asked = true;
    return -1;
}

static BIO *open_text(struct str pem, struct err *e)
{
    BIO *in = pem.len <= PEM_MAX_BYTES ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
    if (!in) {
        err_set(e, ERR_NOMEM, "out of memory");
    }
    return in;
}

int pem_check_certificates(struct str pem, struct err *e)
{
    BIO *in = open_text(pem, e);
    if (!in) {
        return ERR_NOMEM;
    }
    int count = 0;
    bool is_asked = false;
    X509 *x;
    ERR_clear_error();
    while ((x = PEM_read_bio_X509_AUX(in, NULL, no_passphrase, &is_asked))) {
        X509_free(x);
        count++;
    }
    BIO_free(in);
    bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    if (!is_end) {
        return err_set(e, ERR_INVALID, "its certificate %d cannot be read: the file is damaged",
                       count + 1);
    }
    return count ? 0
                 : err_set(e, ERR_INVALID,
                           "there is no certificate in it: it must be PEM, with the line "
                           "-----BEGIN CERTIFICATE-----");
}

static EVP_PKEY *read_key(struct str pem, struct err *e)
{
    BIO *in = open_text(pem, e);
    if (!in) {
        return NULL;
    }
    bool is_asked = false;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, no_passphrase, &is_asked);
    BIO_free(in);
    ERR_clear_error();
    if (!key && is_asked) {
        err_set(e, ERR_INVALID,
                "the key has a passphrase, which nobody could type: take it off with `openssl pkey "
                "-in OLD -out NEW`, and let the host's user alone read the file");
    } else if (!key) {
        err_set(e, ERR_INVALID,
                "there is no private key in it: it must be PEM, with the line -----BEGIN PRIVATE "
                "KEY-----");
    }
    return key;
}

int pem_check_key(struct str pem, struct err *e)
{
    EVP_PKEY *key = read_key(pem, e);
    EVP_PKEY_free(key);
    return key ? 0 : ERR_INVALID;
}

int pem_check_pair(struct str cert, struct str key, struct err *e)
{
    EVP_PKEY *private = read_key(key, e);
    BIO *in = private ? open_text(cert, e) : NULL;
    bool is_asked = false;
    X509 *x = in ? PEM_read_bio_X509_AUX(in, NULL, no_passphrase, &is_asked) : NULL;
    int code = x ? 0 : ERR_INVALID;
    if (x && X509_check_private_key(x, private) != 1) {
        code = err_set(e, ERR_INVALID,
                       "the key is not the certificate's: the certificate's own must be given "
                       "(where the file has a chain, the client's certificate is the first of it)");
    }
    X509_free(x);
    BIO_free(in);
    EVP_PKEY_free(private);
    ERR_clear_error();
    return code;
}
