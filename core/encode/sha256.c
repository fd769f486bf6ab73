#include "encode/sha256.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/err.h"

struct sha256 {
    EVP_MD *kind;
    EVP_MD_CTX *context;
};

struct sha256 *sha256_new(void)
{
    struct sha256 *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    s->kind = EVP_MD_fetch(NULL, "SHA256", NULL);
    s->context = EVP_MD_CTX_new();
    // Fetched and set once: from here on nothing is looked up any more.
    if (s->kind == NULL || s->context == NULL || !EVP_DigestInit_ex(s->context, s->kind, NULL)) {
        sha256_free(s);
        return NULL;
    }
    return s;
}

void sha256_free(struct sha256 *s)
{
    if (s) {
        EVP_MD_CTX_free(s->context);
        EVP_MD_free(s->kind);
        free(s);
    }
}

int sha256_digest(struct sha256 *s, struct str text, unsigned char out[SHA256_LEN])
{
    bool is_made = EVP_DigestInit_ex(s->context, NULL, NULL) &&
                   EVP_DigestUpdate(s->context, text.data ? text.data : "", text.len) &&
                   EVP_DigestFinal_ex(s->context, out, NULL);
    return is_made ? 0 : ERR_NOMEM; // nothing else can fail once the context is set
}
