#include "base/str.h"

#include <stdlib.h>

#include "base/err.h"

enum { DISTANCE_LEN_MAX = 128 };

bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool str_eq_constant_time(struct str a, struct str b)
{
    if (a.len != b.len) {
        return false;
    }
    // volatile: the compiler may not leave the loop early.
    volatile unsigned char difference = 0;
    for (size_t i = 0; i < a.len; i++) {
        difference = (unsigned char)(difference | (a.data[i] ^ b.data[i]));
    }
    return difference == 0;
}

static char to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (to_lower(a.data[i]) != to_lower(b.data[i])) {
            return false;
        }
    }
    return true;
}

bool str_starts_with(struct str s, struct str prefix)
{
    return s.len >= prefix.len && str_eq((struct str){s.data, prefix.len}, prefix);
}

bool str_ends_with(struct str s, struct str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.data + s.len - suffix.len, suffix.data, suffix.len) == 0);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
    while (s.len > 0 && is_blank(s.data[0])) {
        s.data++;
        s.len--;
    }
    while (s.len > 0 && is_blank(s.data[s.len - 1])) {
        s.len--;
    }
    return s;
}

int str_to_int64(struct str s, int64_t *out)
{
    bool is_negative = s.len > 0 && s.data[0] == '-';
    size_t at = is_negative ? 1 : 0;
    if (at == s.len) {
        return ERR_INVALID;
    }
    uint64_t limit = (uint64_t)INT64_MAX + (is_negative ? 1 : 0);
    uint64_t value = 0;
    bool is_over = false;
    for (; at < s.len; at++) {
        if (s.data[at] < '0' || s.data[at] > '9') {
            return ERR_INVALID;
        }
        uint64_t digit = (uint64_t)(s.data[at] - '0');
        if (is_over || value > (limit - digit) / 10) {
            is_over = true; // what follows must be digits too
        } else {
            value = value * 10 + digit;
        }
    }
    if (is_over) {
        return ERR_TOO_LARGE;
    }
    *out = is_negative ? (int64_t)(0 - value) : (int64_t)value;
    return 0;
}

char *str_dup(struct str s)
{
    char *copy = malloc(s.len + 1);
    if (!copy) {
        return NULL;
    }
    if (s.len > 0) {
        memcpy(copy, s.data, s.len);
    }
    copy[s.len] = '\0';
    return copy;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned str_distance(struct str a, struct str b, unsigned limit)
{
    size_t gap = a.len > b.len ? a.len - b.len : b.len - a.len;
    if (a.len > DISTANCE_LEN_MAX || b.len > DISTANCE_LEN_MAX) {
        return str_eq(a, b) ? 0 : limit + 1;
    }
    if (gap > limit) {
        return limit + 1;
    }
    // One row of the Wagner-Fischer table: row[j] is the distance of a's first i bytes to b's first
    // j.
    unsigned row[DISTANCE_LEN_MAX + 1];
    for (unsigned j = 0; j <= b.len; j++) {
        row[j] = j;
    }
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        unsigned best = row[0];
        for (unsigned j = 1; j <= b.len; j++) {
            unsigned changed = diagonal + (a.data[i - 1] == b.data[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = least(changed, least(row[j], row[j - 1]) + 1);
            best = least(best, row[j]);
        }
        if (best > limit) {
            return limit + 1;
        }
    }
    return least(row[b.len], limit + 1);
}

// After table 3-7 of the Unicode standard.
size_t str_utf8_char_len(const char *at, size_t left)
{
    const unsigned char *p = (const unsigned char *)at;
    unsigned char c = p[0];
    if (c < 0x80) {
        return 1;
    }
    if (c < 0xC2 || c > 0xF4) {
        return 0;
    }
    size_t len = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    if (left < len) {
        return 0;
    }
    unsigned char low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    unsigned char high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < low || p[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return len;
}

bool str_is_utf8(struct str s, size_t *bad_at)
{
    size_t at = 0;
    while (at < s.len) {
        uint64_t eight;
        while (s.len - at >= sizeof eight) {
            memcpy(&eight, s.data + at, sizeof eight);
            if (eight & UINT64_C(0x8080808080808080)) {
                break;
            }
            at += sizeof eight;
        }
        if (at == s.len) {
            break;
        }
        size_t len = str_utf8_char_len(s.data + at, s.len - at);
        if (len == 0) {
            if (bad_at) {
                *bad_at = at;
            }
            return false;
        }
        at += len;
    }
    return true;
}

bool str_next_item(struct str *text, struct str *item)
{
    while (text->len) {
        const char *comma = memchr(text->data, ',', text->len);
        size_t len = comma ? (size_t)(comma - text->data) : text->len;
        *item = str_trim((struct str){text->data, len});
        len += comma != NULL;
        *text = (struct str){text->data + len, text->len - len};
        if (item->len) {
            return true;
        }
    }
    return false;
}
