#include "encode/base64.h"

#include "base/err.h"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct buf *out, struct str s)
{
    if (s.len > SIZE_MAX / 2) {
        out->failed = ERR_TOO_LARGE;
        return;
    }
    size_t len = (s.len + 2) / 3 * 4;
    char *to = buf_reserve(out, len);
    if (!to) {
        return;
    }
    const unsigned char *from = (const unsigned char *)s.data;
    for (size_t i = 0; i < s.len; i += 3) {
        size_t left = s.len - i;
        uint32_t bits = (uint32_t)from[i] << 16;
        bits |= left > 1 ? (uint32_t)from[i + 1] << 8 : 0;
        bits |= left > 2 ? from[i + 2] : 0;
        *to++ = ALPHABET[bits >> 18];
        *to++ = ALPHABET[bits >> 12 & 63];
        *to++ = '=';
        *to++ = '=';
        if (left > 1) {
            to[-2] = ALPHABET[bits >> 6 & 63];
        }
        if (left > 2) {
            to[-1] = ALPHABET[bits & 63];
        }
    }
    out->len += len;
}

static int sextet(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

// Four characters, of which the last `padding` are not read. Returns the 24 bits, or -1.
static int32_t decode_group(const char *from, size_t padding)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i < 4 - padding ? sextet(from[i]) : 0;
        if (value < 0) {
            return -1;
        }
        bits = bits << 6 | (uint32_t)value;
    }
    // Bits that no byte takes must be zero, or two texts would mean the same bytes.
    bool has_stray_bits = (bits & ((1u << (8 * padding)) - 1)) != 0;
    return has_stray_bits ? -1 : (int32_t)bits;
}

int base64_decode(struct buf *out, struct str s)
{
    if (s.len % 4 != 0) {
        return ERR_INVALID;
    }
    if (s.len == 0) {
        return 0;
    }
    size_t padding = s.data[s.len - 1] != '=' ? 0 : s.data[s.len - 2] != '=' ? 1 : 2;
    size_t len = s.len / 4 * 3 - padding;
    char *to = buf_reserve(out, len);
    if (!to) {
        return out->failed;
    }
    size_t done = 0;
    for (size_t i = 0; i < s.len; i += 4) {
        size_t unread = i + 4 == s.len ? padding : 0;
        int32_t bits = decode_group(s.data + i, unread);
        if (bits < 0) {
            return ERR_INVALID;
        }
        for (size_t k = 0; k < 3 - unread; k++) {
            to[done++] = (char)(bits >> (16 - 8 * k) & 0xFF);
        }
    }
    out->len += len;
    return 0;
}
