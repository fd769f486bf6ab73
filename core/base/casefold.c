#include "base/casefold.h"

#include "base/casefold_table.h"

static uint32_t fold(uint32_t c)
{
    size_t low = 0;
    size_t high = sizeof CASEFOLD_RANGES / sizeof CASEFOLD_RANGES[0];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct casefold_range *r = &CASEFOLD_RANGES[middle];
        if (c < r->first) {
            high = middle;
        } else if (c > r->last) {
            low = middle + 1;
        } else {
            return (c - r->first) % r->step == 0 ? (uint32_t)((int32_t)c + r->delta) : c;
        }
    }
    return c;
}

// A well-formed character of 2 to 4 bytes.
static uint32_t decode(const unsigned char *p, size_t len)
{
    uint32_t c = p[0] & (0xFFu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        c = c << 6 | (p[i] & 0x3F);
    }
    return c;
}

static size_t encode(char out[4], uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3F));
        c >>= 6;
    }
    out[0] = (char)((0xF00u >> len & 0xFF) | c);
    return len;
}

static void fold_ascii(char *out, const char *in, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char c = in[i];
        out[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
}

int casefold_simple(struct buf *out, struct str s)
{
    size_t at = 0;
    while (at < s.len) {
        size_t start = at;
        while (at < s.len && (unsigned char)s.data[at] < 0x80) {
            at++;
        }
        if (at > start) {
            char *room = buf_reserve(out, at - start);
            if (!room) {
                return out->failed;
            }
            fold_ascii(room, s.data + start, at - start);
            out->len += at - start;
            continue;
        }
        char piece[4] = {s.data[at]};
        size_t piece_len = 1;
        size_t len = str_utf8_char_len(s.data + at, s.len - at);
        if (len > 1) {
            piece_len = encode(piece, fold(decode((const unsigned char *)s.data + at, len)));
        }
        int rc = buf_append(out, piece, piece_len);
        if (rc != 0) {
            return rc;
        }
        at += len > 0 ? len : 1;
    }
    return out->failed;
}
