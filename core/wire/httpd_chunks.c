#include "wire/httpd_chunks.h"

enum { SIZE_DIGITS_MAX = 16, LINE_MAX_BYTES = 256, TRAILER_MAX_BYTES = 4096 };

enum state {
    SIZE = 0,
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_START,
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    LAST_LF
};

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool is_text(char c)
{
    unsigned char u = (unsigned char)c;
    return u == '\t' || (u >= ' ' && u != 0x7f);
}

static const char *take_size(struct httpd_chunks *k, char c)
{
    int digit = hex_value(c);
    if (digit >= 0 && k->line_bytes < SIZE_DIGITS_MAX) {
        k->left = k->left * 16 + (uint64_t)digit;
        k->line_bytes++;
        return NULL;
    }
    if (k->line_bytes == 0 || (c != ';' && c != '\r')) {
        return "A chunk's size is not a hexadecimal number.";
    }
    k->state = c == ';' ? EXTENSION : SIZE_LF;
    return NULL;
}

static const char *take_trailer(struct httpd_chunks *k, char c)
{
    if (k->state == TRAILER_START && c == '\r') {
        k->state = LAST_LF;
    } else if (k->state == TRAILER_VALUE && c == '\r') {
        k->state = TRAILER_LF;
    } else if (k->state == TRAILER_NAME && c == ':') {
        k->state = TRAILER_VALUE;
    } else if (k->state == TRAILER_VALUE) {
        return is_text(c) ? NULL : "A trailer holds a control character.";
    } else if (httpd_is_token_char((unsigned char)c)) {
        k->state = TRAILER_NAME;
    } else {
        return "A trailer is malformed.";
    }
    return NULL;
}

// One byte of what stands between the chunks' data.
static const char *take_framing(struct httpd_chunks *k, char c)
{
    switch ((enum state)k->state) {
    case SIZE:
        return take_size(k, c);
    case EXTENSION:
        if (c == '\r') {
            k->state = SIZE_LF;
            return NULL;
        }
        return is_text(c) && k->line_bytes++ < LINE_MAX_BYTES
                   ? NULL
                   : "A chunk's extension is malformed or too long.";
    case SIZE_LF:
        k->state = k->left > 0 ? DATA : TRAILER_START;
        return c == '\n' ? NULL : "A chunk's size does not end with CR LF.";
    case DATA_CR:
        k->state = DATA_LF;
        return c == '\r' ? NULL : "A chunk is longer than its size says.";
    case DATA_LF:
        k->state = SIZE;
        k->line_bytes = 0;
        return c == '\n' ? NULL : "A chunk does not end with CR LF.";
    case TRAILER_LF:
        k->state = TRAILER_START;
        return c == '\n' ? NULL : "A trailer does not end with CR LF.";
    case LAST_LF:
        return "The body does not end with CR LF.";
    default:
        return take_trailer(k, c);
    }
}

enum httpd_chunks_result httpd_chunks_take(struct httpd_chunks *k, const char *data, size_t len,
                                           struct buf *body, size_t *used,
                                           struct httpd_refusal *why)
{
    size_t at = 0;
    while (at < len) {
        if (k->state == DATA) {
            size_t n = len - at < k->left ? len - at : (size_t)k->left;
            if (buf_append(body, data + at, n) != 0) {
                *why = (struct httpd_refusal){503, "There is no memory for the body."};
                return HTTPD_CHUNKS_REFUSED;
            }
            at += n;
            k->left -= n;
            k->state = k->left > 0 ? DATA : DATA_CR;
            continue;
        }
        char c = data[at++];
        if (k->state == LAST_LF && c == '\n') {
            *used = at;
            return HTTPD_CHUNKS_END;
        }
        const char *fault = take_framing(k, c);
        if (fault) {
            *why = (struct httpd_refusal){400, fault};
            return HTTPD_CHUNKS_REFUSED;
        }
        if (k->state >= TRAILER_START && ++k->trailer_bytes > TRAILER_MAX_BYTES) {
            *why = (struct httpd_refusal){431, "The trailers are too large."};
            return HTTPD_CHUNKS_REFUSED;
        }
        if (k->state == DATA && k->left > body->max - body->len) {
            *why = (struct httpd_refusal){413, "The body is too large."};
            return HTTPD_CHUNKS_REFUSED;
        }
    }
    *used = len;
    return HTTPD_CHUNKS_MORE;
}
