#include "api/signature.h"

#include <ctype.h>

#include "base/buf.h"
#include "encode/base64.h"
#include "encode/hmac.h"

enum { KEY_MAX = SECRET_MAX_BYTES, SIGNATURES_MAX = 16, MS_PER_S = 1000, LOWER_MAX = 128 };

struct check {
    const struct rules_verify *v;
    const struct signature_request *q;
    struct str key; // of the secret that is being tried
    struct err *e;
};

// The header of a name as a rule wrote it.
static struct str header_of(const struct signature_request *q, const char *name)
{
    char lower[LOWER_MAX];
    size_t len = 0;
    for (; name[len] && len < sizeof lower - 1; len++) {
        lower[len] = (char)tolower((unsigned char)name[len]);
    }
    lower[len] = '\0';
    return q->header(q->ctx, lower);
}

static int refuse(struct err *e, const char *words)
{
    return err_set(e, ERR_REFUSED, "%s", words);
}

// --- signatures ----------------------------------------------------------------------------------

static bool is_hex_of(struct str text, const unsigned char mac[HMAC_SHA256_LEN])
{
    static const char digits[] = "0123456789abcdef";
    char wanted[2 * HMAC_SHA256_LEN];
    for (size_t i = 0; i < HMAC_SHA256_LEN; i++) {
        wanted[2 * i] = digits[mac[i] >> 4];
        wanted[2 * i + 1] = digits[mac[i] & 15];
    }
    char given[sizeof wanted];
    for (size_t i = 0; i < sizeof given && text.len == sizeof given; i++) {
        given[i] = (char)tolower((unsigned char)text.data[i]);
    }
    return text.len == sizeof given && str_eq_constant_time((struct str){given, sizeof given},
                                                            (struct str){wanted, sizeof wanted});
}

static bool is_base64_of(struct str text, const unsigned char mac[HMAC_SHA256_LEN])
{
    struct buf wanted;
    buf_init(&wanted, 2 * HMAC_SHA256_LEN);
    base64_encode(&wanted, (struct str){(const char *)mac, HMAC_SHA256_LEN});
    bool is_same = str_eq_constant_time(text, buf_str(&wanted));
    buf_fini(&wanted);
    return is_same;
}

// The next piece of a list, without what separates them.
static bool next_piece(struct str *left, char separator, struct str *piece)
{
    if (left->len == 0) {
        return false;
    }
    const char *end = memchr(left->data, separator, left->len);
    size_t len = end ? (size_t)(end - left->data) : left->len;
    *piece = str_trim((struct str){left->data, len});
    len += end != NULL;
    *left = (struct str){left->data + len, left->len - len};
    return true;
}

// HMAC of "A.B.body", A and B as given; empty ones are left out with their dot.
static int sign(const struct check *c, struct str first, struct str second,
                unsigned char mac[HMAC_SHA256_LEN])
{
    struct buf text;
    buf_init(&text, c->q->body.len + first.len + second.len + 2);
    const struct str parts[] = {first, second};
    for (size_t i = 0; i < 2; i++) {
        if (parts[i].len) {
            buf_append_str(&text, parts[i]);
            buf_append_char(&text, '.');
        }
    }
    buf_append_str(&text, c->q->body);
    int code = text.failed ? text.failed : hmac_sha256(c->key, buf_str(&text), mac);
    buf_fini(&text);
    return code ? err_set(c->e, ERR_NOMEM, "out of memory") : 0;
}

static int check_time(const struct check *c, struct str seconds)
{
    int64_t at_s = 0;
    if (str_to_int64(seconds, &at_s) || at_s < 0 || at_s > INT64_MAX / MS_PER_S) {
        return refuse(c->e, "the signature's time is not a number of seconds");
    }
    int64_t off_ms = at_s * MS_PER_S - c->q->now_ms;
    off_ms = off_ms < 0 ? -off_ms : off_ms;
    return off_ms > c->v->tolerance_ms
               ? refuse(c->e, "the signature's time is too far from now (a replay, or a clock that "
                              "is wrong)")
               : 0;
}

static int take_standard_key(struct check *c, struct buf *decoded)
{
    if (hmac_webhook_key(decoded, c->key)) {
        return err_set(c->e, ERR_INVALID, "a key with whsec_ is base64 behind it");
    }
    c->key = buf_str(decoded);
    return 0;
}

// Standard Webhooks 1.0.0: "v1,BASE64" pieces with spaces between them, over "ID.TIME.BODY".
static int check_standard(struct check *c)
{
    struct str id = header_of(c->q, "webhook-id");
    struct str at = header_of(c->q, "webhook-timestamp");
    struct str left = header_of(c->q, "webhook-signature"), piece;
    if (!id.len || !at.len || !left.len) {
        return refuse(c->e, "webhook-id, webhook-timestamp and webhook-signature are wanted");
    }
    unsigned char mac[HMAC_SHA256_LEN];
    struct buf decoded;
    buf_init(&decoded, KEY_MAX);
    int code = check_time(c, at);
    code = code ? code : take_standard_key(c, &decoded);
    code = code ? code : sign(c, id, at, mac);
    buf_fini(&decoded);
    for (int i = 0; code == 0 && i < SIGNATURES_MAX && next_piece(&left, ' ', &piece); i++) {
        if (str_starts_with(piece, STR("v1,")) &&
            is_base64_of((struct str){piece.data + 3, piece.len - 3}, mac)) {
            return 0;
        }
    }
    return code ? code : refuse(c->e, "the signature does not fit");
}

// Stripe-Signature: t=TIME,v1=HEX,v1=HEX over "TIME.BODY".
static int check_stripe(struct check *c)
{
    struct str header = header_of(c->q, "stripe-signature"), left = header, piece, at = {0};
    while (next_piece(&left, ',', &piece)) {
        if (str_starts_with(piece, STR("t="))) {
            at = (struct str){piece.data + 2, piece.len - 2};
        }
    }
    if (!at.len) {
        return refuse(c->e, "Stripe-Signature: t=...,v1=... is wanted");
    }
    unsigned char mac[HMAC_SHA256_LEN];
    int code = check_time(c, at);
    code = code ? code : sign(c, at, (struct str){0}, mac);
    left = header;
    for (int i = 0; code == 0 && i < SIGNATURES_MAX && next_piece(&left, ',', &piece); i++) {
        if (str_starts_with(piece, STR("v1=")) &&
            is_hex_of((struct str){piece.data + 3, piece.len - 3}, mac)) {
            return 0;
        }
    }
    return code ? code : refuse(c->e, "the signature does not fit");
}

// The header without its prefix; {NULL,0} where it does not begin with it.
static struct str header_value(const struct check *c)
{
    struct str value = header_of(c->q, c->v->header);
    struct str prefix = str_from(c->v->prefix);
    if (!value.data || !str_starts_with(value, prefix)) {
        return (struct str){0};
    }
    return (struct str){value.data + prefix.len, value.len - prefix.len};
}

static int check_hmac(struct check *c)
{
    struct str value = header_value(c);
    unsigned char mac[HMAC_SHA256_LEN];
    if (!value.len) {
        return err_set(c->e, ERR_REFUSED, "%s: %s... is wanted", c->v->header, c->v->prefix);
    }
    int code = sign(c, (struct str){0}, (struct str){0}, mac);
    if (code) {
        return code;
    }
    bool fits = c->v->is_base64 ? is_base64_of(value, mac) : is_hex_of(value, mac);
    return fits ? 0 : refuse(c->e, "the signature does not fit");
}

static int check_token(struct check *c)
{
    struct str value = c->v->query ? c->q->query(c->q->ctx, c->v->query) : header_value(c);
    if (!value.len) {
        return err_set(c->e, ERR_REFUSED, "a token is wanted, in %s %s",
                       c->v->query ? "the query parameter" : "the header",
                       c->v->query ? c->v->query : c->v->header);
    }
    return str_eq_constant_time(value, c->key) ? 0 : refuse(c->e, "the token does not fit");
}

static int check_one(struct check *c)
{
    switch (c->v->form) {
    case RULES_VERIFY_STANDARD:
        return check_standard(c);
    case RULES_VERIFY_STRIPE:
        return check_stripe(c);
    case RULES_VERIFY_HMAC:
        return check_hmac(c);
    case RULES_VERIFY_TOKEN:
        return check_token(c);
    case RULES_VERIFY_NONE:
        break;
    }
    return 0;
}

int signature_check(const struct rules_verify *v, const struct signature_request *q,
                    struct secrets *secrets, struct err *e)
{
    struct check c = {.v = v, .q = q, .e = e};
    int code = 0;
    for (size_t i = 0; i < v->secret_count; i++) {
        code = secrets_get(secrets, str_from(v->secrets[i]), &c.key, e);
        if (code == 0 && c.key.len == 0) {
            code = err_set(e, ERR_INVALID, "the secret %s is empty", v->secrets[i]);
        }
        code = code ? code : check_one(&c);
        if (code != ERR_REFUSED) {
            return code; // it fits, or nothing can be said
        }
    }
    return code;
}
