#include "deliver/mask_base64.h"

enum { VALUE_BITS = 6 };

void mask_base64_write(struct buf *values, struct mask_base64 *edges, struct str secret,
                       size_t before)
{
    unsigned bits = (unsigned)(before * 8 % VALUE_BITS); // that wait for the rest of their value
    unsigned held = 0;
    edges->first = (unsigned char)(MASK_BASE64_BITS >> bits);
    for (size_t i = 0; i < secret.len; i++) {
        held = held << 8 | (unsigned char)secret.data[i];
        for (bits += 8; bits >= VALUE_BITS; bits -= VALUE_BITS) {
            buf_append_char(values, (char)(held >> (bits - VALUE_BITS) & MASK_BASE64_BITS));
        }
        held &= (1U << bits) - 1;
    }
    edges->last = MASK_BASE64_BITS;
    if (bits) {
        unsigned others = VALUE_BITS - bits;
        edges->last = (unsigned char)(MASK_BASE64_BITS >> others << others);
        buf_append_char(values, (char)(held << others));
    }
}

static void base64_fill(char values[256])
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    memset(values, MASK_BASE64_OTHER, 256);
    for (size_t i = 0; alphabet[i]; i++) {
        values[(unsigned char)alphabet[i]] = (char)i;
    }
    values['-'] = values['+'];
    values['_'] = values['/'];
}

int mask_base64_read(struct mask_reading *r, const struct mask_reading *in)
{
    char values[256];
    bool is_break = false;
    int code = mask_reading_from(r, in);
    base64_fill(values);
    for (size_t i = 0; code == 0 && i < in->len; i++) {
        char c = in->bytes[i];
        is_break = c == '\r' || c == '\n' || (is_break && (c == ' ' || c == '\t'));
        if (!is_break) {
            r->places[r->len] = mask_reading_place(in, i);
            r->own[r->len++] = values[(unsigned char)c];
        }
    }
    return code;
}
