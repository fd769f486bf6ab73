#include "encode/hmac.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/err.h"
#include "encode/base64.h"

int hmac_sha256(struct str key, struct str text, unsigned char out[HMAC_SHA256_LEN])
{
    unsigned len = 0;
    const void *bytes = key.data ? key.data : "";
    if (key.len > INT_MAX) {
        return ERR_NOMEM;
    }
    return HMAC(EVP_sha256(), bytes, (int)key.len, (const unsigned char *)text.data, text.len, out,
                &len)
               ? 0
               : ERR_NOMEM;
}

int hmac_webhook_key(struct buf *out, struct str secret)
{
    const struct str mark = STR("whsec_");
    if (!str_starts_with(secret, mark)) {
        buf_append_str(out, secret);
    } else if (secret.len == mark.len ||
               base64_decode(out, (struct str){secret.data + mark.len, secret.len - mark.len})) {
        return out->failed ? out->failed : ERR_INVALID;
    }
    return out->failed;
}
