#include "deliver/mask.h"

#include <stdint.h>

#include "deliver/mask_base64.h"
#include "encode/base64.h"
#include "encode/percent.h"

enum { MASK_NEEDLES_MAX_BYTES = 1024 * 1024 };

struct mask_needle {
    size_t len; // of the bytes that follow
    bool is_base64;
    struct mask_base64 edges; // of one that is
};

void mask_init(struct mask *m)
{
    buf_init(&m->needles, MASK_NEEDLES_MAX_BYTES);
}

static void mask_wipe(struct buf *b)
{
    if (b->data) {
        explicit_bzero(b->data, b->len);
    }
    buf_fini(b);
}

void mask_fini(struct mask *m)
{
    mask_wipe(&m->needles);
}

static void mask_add_needle(struct mask *m, struct str bytes)
{
    struct mask_needle needle = {.len = bytes.len};
    buf_append(&m->needles, &needle, sizeof needle);
    buf_append_str(&m->needles, bytes);
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

static void mask_add_base64(struct mask *m, struct str secret, size_t before)
{
    struct mask_needle needle = {.is_base64 = true};
    size_t start = m->needles.len;
    buf_append(&m->needles, &needle, sizeof needle);
    mask_base64_write(&m->needles, &needle.edges, secret, before);
    if (m->needles.failed) {
        m->needles.len = start;
        return;
    }
    needle.len = m->needles.len - start - sizeof needle;
    memcpy(m->needles.data + start, &needle, sizeof needle);
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

int mask_add_credential(struct mask *m, struct str pair)
{
    struct buf coded;
    buf_init(&coded, pair.len * 2 + 4);
    base64_encode(&coded, pair);
    int code = coded.failed;
    mask_add_base64(m, pair, 0);
    for (size_t before = 0; code == 0 && before < 3; before++) {
        mask_add_base64(m, buf_str(&coded), before);
    }
    mask_wipe(&coded);
    return code ? code : m->needles.failed;
}

// The next needle, whose bytes are *bytes; false: there is none.
static bool mask_next(const struct mask *m, size_t *at, struct mask_needle *needle,
                      struct str *bytes)
{
    if (*at == m->needles.len) {
        return false;
    }
    memcpy(needle, m->needles.data + *at, sizeof *needle);
    *bytes = (struct str){m->needles.data + *at + sizeof *needle, needle->len};
    *at += sizeof *needle + needle->len;
    return true;
}

static size_t mask_match_bytes(struct str bytes, struct str text, size_t from, bool is_cut)
{
    size_t left = text.len - from;
    size_t len = bytes.len <= left ? bytes.len : is_cut ? left : 0;
    return memcmp(text.data + from, bytes.data, len) == 0 ? len : 0;
}

// Which needles may stand where these bytes are, a bit for each (the 65th has that of the first):
// most of a text is passed over by them.
struct mask_marks {
    uint64_t first[256];
    uint64_t second[256];
};

static uint64_t mask_bit(size_t number)
{
    return UINT64_C(1) << number % 64;
}

static void mask_mark(const struct mask *m, struct mask_marks *marks)
{
    struct mask_needle needle;
    struct str bytes;
    size_t at = 0;
    *marks = (struct mask_marks){0};
    for (size_t i = 0; mask_next(m, &at, &needle, &bytes); i++) {
        if (needle.is_base64) {
            mask_base64_mark(bytes, needle.edges, 0, mask_bit(i), marks->first);
            mask_base64_mark(bytes, needle.edges, 1, mask_bit(i), marks->second);
            continue;
        }
        marks->first[(unsigned char)bytes.data[0]] |= mask_bit(i);
        for (size_t c = 0; bytes.len == 1 && c < 256; c++) {
            marks->second[c] |= mask_bit(i);
        }
        marks->second[(unsigned char)bytes.data[bytes.len > 1]] |= mask_bit(i);
    }
}

static uint64_t mask_candidates(const struct mask_marks *marks, struct str text, size_t from)
{
    unsigned char c = (unsigned char)text.data[from];
    // What is escaped is one character over several bytes.
    if (c == '%' || c == '\\' || from + 1 == text.len) {
        return marks->first[c];
    }
    return marks->first[c] & marks->second[(unsigned char)text.data[from + 1]];
}

// The longest needle that stands at text[from], or, where the text was cut, that begins there.
static size_t mask_match(const struct mask *m, uint64_t candidates, struct str text, size_t from,
                         bool is_cut)
{
    struct mask_needle needle;
    struct str bytes;
    size_t longest = 0;
    size_t at = 0;
    for (size_t i = 0; candidates && mask_next(m, &at, &needle, &bytes); i++) {
        size_t len = 0;
        if (candidates & mask_bit(i)) {
            len = needle.is_base64 ? mask_base64_match(bytes, needle.edges, text, from, is_cut)
                                   : mask_match_bytes(bytes, text, from, is_cut);
        }
        longest = len > longest ? len : longest;
    }
    return longest;
}

int mask_apply(const struct mask *m, struct buf *out, struct str text, bool is_cut)
{
    if (mask_is_empty(m) || text.len == 0) {
        return buf_append_str(out, text);
    }
    struct mask_marks marks;
    mask_mark(m, &marks);
    size_t from = 0;
    size_t plain = 0;
    while (from < text.len) {
        size_t len = mask_match(m, mask_candidates(&marks, text, from), text, from, is_cut);
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
