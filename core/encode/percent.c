#include "encode/percent.h"

#include "base/err.h"

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void percent_encode(struct buf *out, struct str s)
{
    static const char HEX[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.len && !out->failed; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (is_unreserved(s.data[i])) {
            buf_append_char(out, s.data[i]);
        } else {
            buf_append(out, (char[3]){'%', HEX[c >> 4], HEX[c & 0xF]}, 3);
        }
    }
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

int percent_decode(struct buf *out, struct str s)
{
    char *to = buf_reserve(out, s.len); // the decoded text is never longer
    if (!to) {
        return out->failed;
    }
    size_t len = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] != '%') {
            to[len++] = s.data[i];
            continue;
        }
        int high = s.len - i > 2 ? hex_value(s.data[i + 1]) : -1;
        int low = high >= 0 ? hex_value(s.data[i + 2]) : -1;
        if (low < 0) {
            return ERR_INVALID;
        }
        to[len++] = (char)(high << 4 | low);
        i += 2;
    }
    out->len += len;
    return 0;
}
