#include "deliver/mask_base64.h"

enum { VALUE_BITS = 6, VALUE_ALL = 63, VALUE_PADDING = 64, VALUE_OTHER = -1, VALUE_CUT = -2 };

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void mask_base64_write(struct buf *values, struct mask_base64 *edges, struct str secret,
                       size_t before)
{
    unsigned bits = (unsigned)(before * 8 % VALUE_BITS); // that wait for the rest of their value
    unsigned held = 0;
    edges->first = (unsigned char)(VALUE_ALL >> bits);
    for (size_t i = 0; i < secret.len; i++) {
        held = held << 8 | (unsigned char)secret.data[i];
        for (bits += 8; bits >= VALUE_BITS; bits -= VALUE_BITS) {
            buf_append_char(values, (char)(held >> (bits - VALUE_BITS) & VALUE_ALL));
        }
        held &= (1U << bits) - 1;
    }
    edges->last = VALUE_ALL;
    if (bits) {
        unsigned others = VALUE_BITS - bits;
        edges->last = (unsigned char)(VALUE_ALL >> others << others);
        buf_append_char(values, (char)(held << others));
    }
}

static int base64_value(unsigned c)
{
    if (c >= 'A' && c <= 'Z') {
        return (int)c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return (int)c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return (int)c - '0' + 52;
    }
    return c == '+' || c == '-'   ? 62
           : c == '/' || c == '_' ? 63
           : c == '='             ? VALUE_PADDING
                                  : VALUE_OTHER;
}

// The value of a character that is written as `digits` hexadecimal ones.
static int base64_coded(struct str text, size_t *at, size_t digits)
{
    unsigned c = 0;
    for (size_t i = 0; i < digits; i++, (*at)++) {
        if (*at == text.len) {
            return VALUE_CUT;
        }
        unsigned d = (unsigned char)text.data[*at];
        unsigned letter = d | 0x20;
        if (!(d >= '0' && d <= '9') && !(letter >= 'a' && letter <= 'f')) {
            return VALUE_OTHER;
        }
        c = c << 4 | (d <= '9' ? d - '0' : letter - 'a' + 10);
    }
    return base64_value(c);
}

// Takes one character: 'A', '/', "\/", "\u002F", "%2F".
static int base64_take(struct str text, size_t *at)
{
    if (*at == text.len) {
        return VALUE_CUT;
    }
    char c = text.data[(*at)++];
    if (c == '%') {
        return base64_coded(text, at, 2);
    }
    if (c != '\\') {
        return base64_value((unsigned char)c);
    }
    if (*at == text.len) {
        return VALUE_CUT;
    }
    c = text.data[(*at)++];
    return c == 'u' ? base64_coded(text, at, 4) : c == '/' ? base64_value('/') : VALUE_OTHER;
}

// Where the next character is, behind the end of a line, also as JSON writes it.
static size_t base64_skip_break(struct str text, size_t at)
{
    for (;;) {
        char c = at < text.len ? text.data[at] : '\0';
        char next = at + 1 < text.len ? text.data[at + 1] : '\0';
        if (c == '\r' || c == '\n') {
            at += 1;
        } else if (c == '\\' && (next == 'r' || next == 'n')) {
            at += 2;
        } else {
            return at;
        }
    }
}

static size_t base64_skip_padding(struct str text, size_t at)
{
    size_t next = base64_skip_break(text, at);
    while (base64_take(text, &next) == VALUE_PADDING) {
        at = next;
    }
    return at;
}

static unsigned base64_bits(struct str values, struct mask_base64 edges, size_t i)
{
    unsigned bits = i == 0 ? edges.first : VALUE_ALL;
    return i + 1 == values.len ? bits & edges.last : bits;
}

size_t mask_base64_match(struct str values, struct mask_base64 edges, struct str text, size_t from,
                         bool is_cut)
{
    size_t at = from;
    for (size_t i = 0; i < values.len; i++) {
        at = i ? base64_skip_break(text, at) : at;
        int value = base64_take(text, &at);
        if (value == VALUE_CUT) {
            return is_cut ? text.len - from : 0;
        }
        unsigned differs = (unsigned)value ^ (unsigned char)values.data[i];
        if (value < 0 || value == VALUE_PADDING || differs & base64_bits(values, edges, i)) {
            return 0;
        }
    }
    return base64_skip_padding(text, at) - from;
}

void mask_base64_mark(struct str values, struct mask_base64 edges, size_t at, uint64_t bit,
                      uint64_t marks[256])
{
    static const char escapes[] = "%\\", breaks[] = "\r\n";
    unsigned bits = base64_bits(values, edges, at);
    unsigned wanted = (unsigned char)values.data[at] & bits;
    for (unsigned others = 0; others <= VALUE_ALL; others = (others | bits) + 1) {
        unsigned value = wanted | (others & ~bits);
        marks[(unsigned char)ALPHABET[value]] |= bit;
        marks['-'] |= value == 62 ? bit : 0;
        marks['_'] |= value == 63 ? bit : 0;
    }
    for (size_t i = 0; i < 2; i++) {
        marks[(unsigned char)escapes[i]] |= bit;
        marks[(unsigned char)breaks[i]] |= at ? bit : 0;
    }
}
