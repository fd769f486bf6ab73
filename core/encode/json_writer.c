#include "encode/json_writer.h"

#include <assert.h>
#include <math.h>

#include "base/err.h"
#include "base/rfc3339.h"
#include "encode/json_print.h"
#include "encode/json_text.h"

void json_writer_init(struct json_writer *w, struct buf *out)
{
    *w = (struct json_writer){.out = out};
}

// Puts `len` bytes as one value: a comma first where one is due.
static void put_value(struct json_writer *w, const char *value, size_t len)
{
    if (w->needs_comma) {
        buf_append_char(w->out, ',');
    }
    buf_append(w->out, value, len);
    w->needs_comma = true;
}

static void begin(struct json_writer *w, const char *bracket)
{
    put_value(w, bracket, 1);
    w->needs_comma = false;
    w->depth++;
}

static void end(struct json_writer *w, char bracket)
{
    assert(w->depth > 0);
    buf_append_char(w->out, bracket);
    w->needs_comma = true;
    w->depth--;
}

void json_object_begin(struct json_writer *w)
{
    begin(w, "{");
}

void json_object_end(struct json_writer *w)
{
    end(w, '}');
}

void json_array_begin(struct json_writer *w)
{
    begin(w, "[");
}

void json_array_end(struct json_writer *w)
{
    end(w, ']');
}

static void put_escape(struct buf *out, unsigned char c)
{
    static const char HEX[] = "0123456789abcdef";
    char escape[6] = {'\\', (char)c, '0', '0', HEX[c >> 4], HEX[c & 0xF]};
    size_t len = 2;
    switch (c) {
    case '"':
    case '\\':
        break;
    case '\b':
        escape[1] = 'b';
        break;
    case '\f':
        escape[1] = 'f';
        break;
    case '\n':
        escape[1] = 'n';
        break;
    case '\r':
        escape[1] = 'r';
        break;
    case '\t':
        escape[1] = 't';
        break;
    default:
        escape[1] = 'u';
        len = 6;
        break;
    }
    buf_append(out, escape, len);
}

// The end of the run from `at` that can be copied as it stands.
static const char *skip_copyable(const char *at, const char *stop)
{
    for (;;) {
        at = json_text_skip_plain(at, stop);
        if (at == stop || (unsigned char)*at < 0x80) {
            return at;
        }
        size_t len = str_utf8_char_len(at, (size_t)(stop - at));
        if (len == 0) {
            return at;
        }
        at += len;
    }
}

static void put_text_slowly(struct buf *out, const char *at, const char *special, const char *stop)
{
    for (;;) {
        buf_append(out, at, (size_t)(special - at));
        if (special == stop || out->failed) {
            return;
        }
        unsigned char c = (unsigned char)*special;
        if (c < 0x80) {
            put_escape(out, c);
        } else {
            buf_append_text(out, "\xEF\xBF\xBD"); // U+FFFD
        }
        at = special + 1;
        special = skip_copyable(at, stop);
    }
}

// quote, text, quote and what comes after: one reservation where nothing needs an escape.
static void put_quoted(struct json_writer *w, struct str text, bool is_key)
{
    struct buf *out = w->out;
    if (w->needs_comma) {
        buf_append_char(out, ',');
    }
    const char *stop = text.data + text.len;
    const char *special = text.len > 0 ? skip_copyable(text.data, stop) : stop;
    if (special == stop) {
        char *to = buf_reserve(out, text.len + (is_key ? 3 : 2));
        if (!to) {
            return;
        }
        *to++ = '"';
        if (text.len > 0) {
            memcpy(to, text.data, text.len);
            to += text.len;
        }
        *to++ = '"';
        if (is_key) {
            *to++ = ':';
        }
        out->len = (size_t)(to - out->data);
    } else {
        buf_append_char(out, '"');
        put_text_slowly(out, text.data, special, stop);
        buf_append(out, "\":", is_key ? 2 : 1);
    }
    w->needs_comma = !is_key;
}

void json_key(struct json_writer *w, struct str name)
{
    assert(w->depth > 0);
    put_quoted(w, name, true);
}

void json_string(struct json_writer *w, struct str text)
{
    put_quoted(w, text, false);
}

void json_integer(struct json_writer *w, int64_t n)
{
    char text[JSON_PRINT_MAX];
    put_value(w, text, json_print_integer(text, n));
}

int json_double(struct json_writer *w, double n)
{
    if (!isfinite(n)) {
        return ERR_INVALID;
    }
    char text[JSON_PRINT_MAX];
    put_value(w, text, json_print_double(text, n));
    return w->out->failed;
}

void json_bool(struct json_writer *w, bool b)
{
    put_value(w, b ? "true" : "false", b ? 4 : 5);
}

void json_null(struct json_writer *w)
{
    put_value(w, "null", 4);
}

void json_raw(struct json_writer *w, struct str value)
{
    put_value(w, value.data, value.len);
}

void json_member_string(struct json_writer *w, const char *key, struct str text)
{
    json_key(w, str_from(key));
    if (text.data) {
        json_string(w, text);
    } else {
        json_null(w);
    }
}

void json_member_string_or_null(struct json_writer *w, const char *key, struct str text)
{
    json_member_string(w, key, text.len ? text : (struct str){0});
}

void json_member_text(struct json_writer *w, const char *key, const char *text)
{
    json_member_string(w, key, str_from(text));
}

void json_member_integer(struct json_writer *w, const char *key, int64_t n)
{
    json_key(w, str_from(key));
    json_integer(w, n);
}

void json_member_bool(struct json_writer *w, const char *key, bool b)
{
    json_key(w, str_from(key));
    json_bool(w, b);
}

void json_member_null(struct json_writer *w, const char *key)
{
    json_key(w, str_from(key));
    json_null(w);
}

void json_member_time(struct json_writer *w, const char *key, int64_t wall_ms)
{
    char text[RFC3339_LEN + 1];
    rfc3339_format(text, wall_ms);
    json_member_text(w, key, text);
}

void json_member_time_or_null(struct json_writer *w, const char *key, int64_t wall_ms)
{
    if (wall_ms) {
        json_member_time(w, key, wall_ms);
    } else {
        json_member_null(w, key);
    }
}
