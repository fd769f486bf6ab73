#include "deliver/mask.h"

#include "encode/base64.h"
#include "encode/percent.h"

enum { MASK_NEEDLES_MAX_BYTES = 1024 * 1024, MASK_BASE64_LEAST = 4 };

void mask_init(struct mask *m)
{
    buf_init(&m->needles, MASK_NEEDLES_MAX_BYTES);
}

void mask_fini(struct mask *m)
{
    if (m->needles.data) {
        explicit_bzero(m->needles.data, m->needles.len);
    }
    buf_fini(&m->needles);
}

static void mask_add_needle(struct mask *m, struct str needle)
{
    buf_append(&m->needles, &needle.len, sizeof needle.len);
    buf_append_str(&m->needles, needle);
}

// As a text of JSON, where that is another: most writers of JSON leave '/' as it is, some do not.
static void mask_add_json(struct mask *m, struct str text, bool is_slash_escaped)
{
    struct buf coded;
    buf_init(&coded, text.len * 2);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '"' || c == '\\' || (c == '/' && is_slash_escaped)) {
            buf_append_char(&coded, '\\');
        }
        buf_append_char(&coded, c);
    }
    if (!coded.failed && coded.len != text.len) {
        mask_add_needle(m, buf_str(&coded));
    }
    buf_fini(&coded);
}

// The characters of base64 that the secret alone decides, when `before` bytes of something else
// stand ahead of it in its group of three.
static void mask_add_base64(struct mask *m, struct str secret, size_t before)
{
    struct buf plain, coded;
    buf_init(&plain, secret.len + 2);
    buf_init(&coded, secret.len * 2 + 16);
    buf_append(&plain, "\0\0", before);
    buf_append_str(&plain, secret);
    base64_encode(&coded, buf_str(&plain));
    size_t from = before ? before + 1 : 0; // characters that the bytes ahead have a part in
    size_t whole = plain.len * 8 / 6;      // characters that no byte behind has a part in
    if (!coded.failed && !plain.failed && whole >= from + MASK_BASE64_LEAST) {
        struct str core = {coded.data + from, whole - from};
        mask_add_needle(m, core);
        mask_add_json(m, core, true);
        buf_reset(&plain); // base64url (RFC 4648 section 5): the other alphabet
        buf_append_str(&plain, core);
        bool differs = false;
        for (size_t i = 0; i < plain.len; i++) {
            differs = differs || plain.data[i] == '+' || plain.data[i] == '/';
            plain.data[i] = plain.data[i] == '+' ? '-' : plain.data[i] == '/' ? '_' : plain.data[i];
        }
        if (differs) {
            mask_add_needle(m, buf_str(&plain));
        }
    }
    buf_fini(&plain);
    buf_fini(&coded);
}

static void mask_add_percent(struct mask *m, struct str secret)
{
    struct buf coded;
    buf_init(&coded, secret.len * 3 + 1);
    percent_encode(&coded, secret);
    if (!coded.failed && coded.len != secret.len) {
        mask_add_needle(m, buf_str(&coded));
        for (size_t i = 0; i + 2 < coded.len; i++) {
            if (coded.data[i] == '%') {
                for (size_t k = i + 1; k <= i + 2; k++) {
                    char c = coded.data[k];
                    coded.data[k] = (char)(c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c);
                }
            }
        }
        mask_add_needle(m, buf_str(&coded));
    }
    buf_fini(&coded);
}

int mask_add(struct mask *m, struct str secret)
{
    if (secret.len == 0) {
        return 0;
    }
    mask_add_needle(m, secret);
    mask_add_json(m, secret, false);
    mask_add_json(m, secret, true);
    for (size_t before = 0; before < 3; before++) {
        mask_add_base64(m, secret, before);
    }
    mask_add_percent(m, secret);
    return m->needles.failed;
}

static struct str mask_needle(const struct mask *m, size_t *at)
{
    struct str needle = {0};
    if (*at < m->needles.len) {
        memcpy(&needle.len, m->needles.data + *at, sizeof needle.len);
        needle.data = m->needles.data + *at + sizeof needle.len;
        *at += sizeof needle.len + needle.len;
    }
    return needle;
}

// The longest needle that stands at text[from], or, where the text was cut, that begins there.
static size_t mask_match(const struct mask *m, struct str text, size_t from, bool is_cut)
{
    size_t longest = 0;
    size_t left = text.len - from;
    size_t at = 0;
    for (struct str n = mask_needle(m, &at); n.len; n = mask_needle(m, &at)) {
        size_t len = n.len <= left ? n.len : is_cut ? left : 0;
        if (len > longest && memcmp(text.data + from, n.data, len) == 0) {
            longest = len;
        }
    }
    return longest;
}

int mask_apply(const struct mask *m, struct buf *out, struct str text, bool is_cut)
{
    if (mask_is_empty(m)) {
        return buf_append_str(out, text);
    }
    bool starts[256] = {false}; // the first bytes of needles: most of a text is passed over by them
    size_t at = 0;
    for (struct str n = mask_needle(m, &at); n.len; n = mask_needle(m, &at)) {
        starts[(unsigned char)n.data[0]] = true;
    }
    size_t from = 0;
    size_t plain = 0;
    while (from < text.len) {
        size_t len = starts[(unsigned char)text.data[from]] ? mask_match(m, text, from, is_cut) : 0;
        if (len == 0) {
            from++;
            continue;
        }
        buf_append(out, text.data + plain, from - plain);
        buf_append_text(out, "****");
        from += len;
        plain = from;
    }
    buf_append(out, text.data + plain, text.len - plain);
    return out->failed;
}
