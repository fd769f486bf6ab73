#include "deliver/sign.h"

#include "encode/base64.h"
#include "encode/hmac.h"

enum { SIGN_KEY_MAX = 64 * 1024, SIGN_TEXTS_MAX = 64 * 1024, SIGN_FIELDS = 4 };

int sign_fill(struct buf *out, struct str text, struct str signature, const struct sign_input *in)
{
    const struct {
        struct str mark, value;
    } fields[SIGN_FIELDS] = {{STR("{id}"), in->id},
                             {STR("{timestamp}"), in->timestamp},
                             {STR("{body}"), in->body},
                             {STR("{signature}"), signature}};
    const size_t count = signature.data ? SIGN_FIELDS : SIGN_FIELDS - 1;
    while (text.len) {
        size_t i = 0, taken = 1;
        while (i < count && !str_starts_with(text, fields[i].mark)) {
            i++;
        }
        if (i < count) {
            buf_append_str(out, fields[i].value);
            taken = fields[i].mark.len;
        } else {
            buf_append_char(out, text.data[0]);
        }
        text = (struct str){text.data + taken, text.len - taken};
    }
    return out->failed;
}

static void append_hex(struct buf *out, const unsigned char mac[HMAC_SHA256_LEN])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < HMAC_SHA256_LEN; i++) {
        buf_append_char(out, digits[mac[i] >> 4]);
        buf_append_char(out, digits[mac[i] & 15]);
    }
}

int sign_hmac(struct buf *out, struct str secret, struct str signed_text, bool is_base64,
              const struct sign_input *in)
{
    struct buf text;
    unsigned char mac[HMAC_SHA256_LEN];
    // However often a text of the rule repeats the body: no more is signed than that.
    buf_init(&text, SIGN_TEXTS_MAX + 2 * in->body.len);
    int code = sign_fill(&text, signed_text, (struct str){NULL, 0}, in);
    code = code ? code : hmac_sha256(secret, buf_str(&text), mac);
    buf_fini(&text);
    if (code) {
        return ERR_NOMEM;
    }
    if (is_base64) {
        base64_encode(out, (struct str){(const char *)mac, sizeof mac});
    } else {
        append_hex(out, mac);
    }
    return out->failed ? ERR_NOMEM : 0;
}

int sign_standard(struct buf *out, struct str secret, const struct sign_input *in)
{
    struct buf key;
    buf_init(&key, SIGN_KEY_MAX);
    int code = hmac_webhook_key(&key, secret);
    if (code == 0) {
        buf_append_text(out, "v1,");
        code = sign_hmac(out, buf_str(&key), STR("{id}.{timestamp}.{body}"), true, in);
    }
    if (key.len) {
        explicit_bzero(key.data, key.len);
    }
    buf_fini(&key);
    return code == ERR_INVALID ? code : code ? ERR_NOMEM : 0;
}
