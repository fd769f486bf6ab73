#include "encode/query.h"

#include "encode/percent.h"

// What stands before the first c; *rest is what stands behind it.
static struct str split(struct str s, char c, struct str *rest)
{
    const char *at = s.len ? memchr(s.data, c, s.len) : NULL;
    size_t len = at ? (size_t)(at - s.data) : s.len;
    size_t next = at ? len + 1 : len;
    *rest = (struct str){s.data + next, s.len - next};
    return (struct str){s.data, len};
}

bool query_next(struct str *rest, struct str *name, struct str *value)
{
    while (rest->len > 0) {
        *name = split(split(*rest, '&', rest), '=', value);
        if (name->len > 0) {
            return true;
        }
    }
    return false;
}

void query_decode(struct buf *out, struct str text)
{
    for (;;) {
        struct str rest;
        struct str piece = split(text, '+', &rest);
        percent_decode(out, piece); // cannot fail: the text was checked
        if (piece.len == text.len) {
            return;
        }
        buf_append_char(out, ' ');
        text = rest;
    }
}
