#include "encode/form_writer.h"

#include <assert.h>

#include "base/err.h"

void form_writer_init(struct form_writer *w, struct buf *out, struct buf *path)
{
    w->out = out;
    w->path = path;
    w->needs_ampersand = false;
    w->depth = 0;
    buf_reset(path);
}

static bool goes_as_it_stands(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '*' ||
           c == '-' || c == '.' || c == '_';
}

static void put_encoded(struct buf *out, struct str s)
{
    static const char HEX[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.len && !out->failed; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (goes_as_it_stands(s.data[i])) {
            buf_append_char(out, s.data[i]);
        } else if (c == ' ') {
            buf_append_char(out, '+');
        } else {
            buf_append(out, (char[3]){'%', HEX[c >> 4], HEX[c & 0xF]}, 3);
        }
    }
}

void form_field_begin(struct form_writer *w, struct str name)
{
    assert(w->depth < FORM_WRITER_DEPTH_MAX);
    bool is_nested = w->depth > 0;
    w->starts[w->depth++] = w->path->len;
    if (is_nested) {
        buf_append_text(w->path, "%5B");
    }
    put_encoded(w->path, name);
    if (is_nested) {
        buf_append_text(w->path, "%5D");
    }
}

void form_item_begin(struct form_writer *w, size_t index)
{
    assert(w->depth > 0 && w->depth < FORM_WRITER_DEPTH_MAX);
    w->starts[w->depth++] = w->path->len;
    buf_printf(w->path, "%%5B%zu%%5D", index);
}

void form_field_end(struct form_writer *w)
{
    assert(w->depth > 0);
    w->path->len = w->starts[--w->depth];
}

void form_value(struct form_writer *w, struct str value)
{
    assert(w->depth > 0);
    if (w->path->failed) {
        w->out->failed = w->path->failed;
        return;
    }
    if (w->needs_ampersand) {
        buf_append_char(w->out, '&');
    }
    buf_append_str(w->out, buf_str(w->path));
    buf_append_char(w->out, '=');
    put_encoded(w->out, value);
    w->needs_ampersand = true;
}
