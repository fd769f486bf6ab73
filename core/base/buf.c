#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"

enum { FIRST_CAP = 64 };

void buf_init(struct buf *b, size_t max_bytes)
{
    *b = (struct buf){.max = max_bytes < SIZE_MAX / 4 ? max_bytes : SIZE_MAX / 4};
}

void buf_fini(struct buf *b)
{
    free(b->data);
    buf_init(b, b->max);
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->failed = 0;
}

// One byte more than cap is always allocated: the place of a NUL.
static int grow(struct buf *b, size_t len)
{
    if (b->failed) {
        return b->failed;
    }
    if (len > b->max - b->len) {
        return b->failed = ERR_TOO_LARGE;
    }
    size_t need = b->len + len;
    if (b->data && need <= b->cap) {
        return 0;
    }
    size_t cap = b->cap * 2 > FIRST_CAP ? b->cap * 2 : FIRST_CAP;
    cap = cap > need ? cap : need;
    cap = cap < b->max ? cap : b->max;
    char *data = realloc(b->data, cap + 1);
    if (!data) {
        return b->failed = ERR_NOMEM;
    }
    b->data = data;
    b->cap = cap;
    return 0;
}

int buf_append(struct buf *b, const void *data, size_t len)
{
    int rc = grow(b, len);
    if (rc == 0 && len > 0) {
        memcpy(b->data + b->len, data, len);
        b->len += len;
    }
    return rc;
}

int buf_append_str(struct buf *b, struct str s)
{
    return buf_append(b, s.data, s.len);
}

int buf_append_text(struct buf *b, const char *text)
{
    return buf_append(b, text, strlen(text));
}

int buf_append_char(struct buf *b, char c)
{
    return buf_append(b, &c, 1);
}

int buf_printf(struct buf *b, const char *format, ...)
{
    int rc = grow(b, 0);
    if (rc != 0) {
        return rc;
    }
    va_list args;
    va_start(args, format);
    int len = vsnprintf(b->data + b->len, b->cap - b->len + 1, format, args);
    va_end(args);
    if (len < 0) {
        return b->failed = ERR_INVALID;
    }
    if ((size_t)len > b->cap - b->len) {
        rc = grow(b, (size_t)len);
        if (rc != 0) {
            return rc;
        }
        va_start(args, format);
        vsnprintf(b->data + b->len, (size_t)len + 1, format, args);
        va_end(args);
    }
    b->len += (size_t)len;
    return 0;
}

char *buf_reserve(struct buf *b, size_t len)
{
    return grow(b, len) == 0 ? b->data + b->len : NULL;
}

char *buf_take(struct buf *b, size_t *len)
{
    if (!b->data && grow(b, 0) != 0) {
        return NULL;
    }
    char *text = realloc(b->data, b->len + 1);
    if (!text) {
        text = b->data; // shrinking failed: the larger block serves as well
    }
    text[b->len] = '\0';
    if (len) {
        *len = b->len;
    }
    buf_init(b, b->max);
    return text;
}
