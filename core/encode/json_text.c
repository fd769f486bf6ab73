#include "encode/json_text.h"

#include "base/err.h"

static const uint64_t EACH_BYTE = UINT64_C(0x0101010101010101);
static const uint64_t EACH_HIGH_BIT = UINT64_C(0x8080808080808080);

static bool is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

// The high bit of each byte that is not plain. Above the lowest such byte a borrow can mark a plain
// one too, so only the lowest mark means something.
static uint64_t mark_special(uint64_t eight)
{
    uint64_t quote = eight ^ (EACH_BYTE * '"');
    uint64_t backslash = eight ^ (EACH_BYTE * '\\');
    uint64_t marks = (eight - EACH_BYTE * 0x20) | (quote - EACH_BYTE) | (backslash - EACH_BYTE);
    return (marks | eight) & EACH_HIGH_BIT;
}

const char *json_text_skip_plain(const char *at, const char *end)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    while ((size_t)(end - at) >= sizeof(uint64_t)) {
        uint64_t eight;
        memcpy(&eight, at, sizeof eight);
        uint64_t marks = mark_special(eight);
        if (marks) {
            return at + (__builtin_ctzll(marks) >> 3);
        }
        at += sizeof eight;
    }
#endif
    while (at < end && is_plain(*at)) {
        at++;
    }
    return at;
}

static const char *fail(struct json_text_fault *fault, int code, const char *what, const char *at)
{
    *fault = (struct json_text_fault){code, what, at};
    return NULL;
}

static const char *fail_early_end(struct json_text_fault *fault, const char *end)
{
    return fail(fault, ERR_INVALID, "a string has no end", end);
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// at: behind "\u". Returns the byte after the four digits.
static const char *read_hex(const char *at, const char *end, uint32_t *unit,
                            struct json_text_fault *fault)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, at++) {
        if (at == end) {
            return fail_early_end(fault, end);
        }
        int digit = hex_value(*at);
        if (digit < 0) {
            return fail(fault, ERR_INVALID, "\\u takes four hexadecimal digits", at);
        }
        *unit = *unit << 4 | (uint32_t)digit;
    }
    return at;
}

static size_t put_utf8(char out[4], uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

static bool is_surrogate(uint32_t unit)
{
    return unit >= 0xD800 && unit <= 0xDFFF;
}

// at: the backslash of "\u". Two escapes where they are a surrogate pair.
static const char *read_unicode_escape(const char *at, const char *end, char out[4],
                                       size_t *out_len, struct json_text_fault *fault)
{
    uint32_t unit;
    const char *next = read_hex(at + 2, end, &unit, fault);
    if (!next) {
        return NULL;
    }
    if (!is_surrogate(unit)) {
        *out_len = put_utf8(out, unit);
        return next;
    }
    bool is_high = unit < 0xDC00;
    if (is_high && (next == end || (*next == '\\' && next + 1 == end))) {
        return fail_early_end(fault, end);
    }
    if (!is_high || next[0] != '\\' || next[1] != 'u') {
        return fail(fault, ERR_INVALID, "a lone surrogate", at);
    }
    uint32_t low;
    next = read_hex(next + 2, end, &low, fault);
    if (!next) {
        return NULL;
    }
    if (low < 0xDC00 || low > 0xDFFF) {
        return fail(fault, ERR_INVALID, "a lone surrogate", at);
    }
    *out_len = put_utf8(out, 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
    return next;
}

const char *json_text_read_escape(const char *at, const char *end, char out[4], size_t *out_len,
                                  struct json_text_fault *fault)
{
    if (at + 1 == end) {
        return fail_early_end(fault, end);
    }
    *out_len = 1;
    switch (at[1]) {
    case '"':
    case '\\':
    case '/':
        out[0] = at[1];
        break;
    case 'b':
        out[0] = '\b';
        break;
    case 'f':
        out[0] = '\f';
        break;
    case 'n':
        out[0] = '\n';
        break;
    case 'r':
        out[0] = '\r';
        break;
    case 't':
        out[0] = '\t';
        break;
    case 'u':
        return read_unicode_escape(at, end, out, out_len, fault);
    default:
        return fail(fault, ERR_INVALID, "an unknown escape in a string", at);
    }
    return at + 2;
}

// Passes over what needs no unescaping: to a quote or a backslash.
static const char *skip_unescaped(const char *at, const char *end, struct json_text_fault *fault)
{
    for (;;) {
        at = json_text_skip_plain(at, end);
        if (at == end) {
            return fail_early_end(fault, end);
        }
        if (*at == '"' || *at == '\\') {
            return at;
        }
        if ((unsigned char)*at < 0x20) {
            return fail(fault, ERR_INVALID, "a control character in a string", at);
        }
        do {
            size_t len = str_utf8_char_len(at, (size_t)(end - at));
            if (len == 0) {
                return fail(fault, ERR_INVALID, "invalid UTF-8 in a string", at);
            }
            at += len;
        } while (at < end && (unsigned char)*at >= 0x80);
    }
}

static const char *read_with_escapes(const char *start, const char *at, const char *end,
                                     struct str *text, struct buf *scratch,
                                     struct json_text_fault *fault)
{
    buf_reset(scratch);
    buf_append(scratch, start, (size_t)(at - start));
    while (*at == '\\') {
        char unescaped[4];
        size_t len;
        at = json_text_read_escape(at, end, unescaped, &len, fault);
        if (!at) {
            return NULL;
        }
        const char *run = at;
        at = skip_unescaped(run, end, fault);
        if (!at) {
            return NULL;
        }
        size_t run_len = (size_t)(at - run);
        char *to = buf_reserve(scratch, len + run_len);
        if (to) {
            memcpy(to, unescaped, len);
            memcpy(to + len, run, run_len);
            scratch->len += len + run_len;
        }
    }
    if (scratch->failed) {
        bool is_memory = scratch->failed == ERR_NOMEM;
        return fail(fault, scratch->failed,
                    is_memory ? "out of memory for a string" : "a string is too long", start);
    }
    *text = buf_str(scratch);
    return at + 1;
}

const char *json_text_read(const char *at, const char *end, struct str *text, struct buf *scratch,
                           struct json_text_fault *fault)
{
    const char *stop = skip_unescaped(at, end, fault);
    if (!stop) {
        return NULL;
    }
    if (*stop == '"') {
        *text = (struct str){at, (size_t)(stop - at)};
        return stop + 1;
    }
    return read_with_escapes(at, stop, end, text, scratch, fault);
}
