#include "encode/xml_writer.h"

#include <assert.h>

#include "encode/xml_name.h"

void xml_writer_init(struct xml_writer *w, struct buf *out)
{
    w->out = out;
    w->dropped = 0;
    w->depth = 0;
    w->has_open_tag = false;
}

static void close_tag(struct xml_writer *w)
{
    if (w->has_open_tag) {
        buf_append_char(w->out, '>');
        w->has_open_tag = false;
    }
}

void xml_element_begin(struct xml_writer *w, struct str name)
{
    assert(w->depth < XML_WRITER_DEPTH_MAX);
    struct xml_written *written = &w->names[w->depth++];
    close_tag(w);
    buf_append_char(w->out, '<');
    written->start = w->out->len;
    xml_name_append(w->out, name);
    written->len = w->out->len - written->start;
    w->has_open_tag = true;
}

void xml_element_end(struct xml_writer *w)
{
    assert(w->depth > 0);
    struct xml_written written = w->names[--w->depth];
    if (w->has_open_tag) {
        w->has_open_tag = false;
        buf_append(w->out, "/>", 2);
        return;
    }
    char *to = w->out->failed ? NULL : buf_reserve(w->out, written.len + 3);
    if (!to) {
        return;
    }
    memcpy(to, "</", 2);
    memcpy(to + 2, w->out->data + written.start, written.len);
    to[2 + written.len] = '>';
    w->out->len += written.len + 3;
}

// What stands for an ASCII character; "" where XML may not have it; NULL where it stands for
// itself. In an attribute white space would be read back as plain spaces, so it goes as a
// reference.
static const char *escape_of(char c, bool is_attribute)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>': // "]]>" may not stand in text
        return "&gt;";
    case '"':
        return is_attribute ? "&quot;" : NULL;
    case '\t':
        return is_attribute ? "&#9;" : NULL;
    case '\n':
        return is_attribute ? "&#10;" : NULL;
    case '\r':
        return "&#13;";
    default:
        return (unsigned char)c < 0x20 ? "" : NULL;
    }
}

// U+FFFE and U+FFFF.
static bool is_no_character(const char *at, size_t len)
{
    return len == 3 && memcmp(at, "\xEF\xBF", 2) == 0 && (unsigned char)at[2] >= 0xBE;
}

size_t xml_escape(struct buf *out, struct str text, bool is_attribute)
{
    size_t dropped = 0;
    const char *run = text.data; // what has been looked at and goes as it stands
    const char *at = text.data;
    const char *stop = text.len > 0 ? text.data + text.len : text.data;
    while (at < stop && !out->failed) {
        size_t len = 1;
        const char *instead = NULL;
        if ((unsigned char)*at < 0x80) {
            instead = escape_of(*at, is_attribute);
        } else {
            len = str_utf8_char_len(at, (size_t)(stop - at));
            if (len == 0) {
                len = 1;
                instead = "\xEF\xBF\xBD"; // U+FFFD
            } else if (is_no_character(at, len)) {
                instead = "";
            }
        }
        if (instead) {
            buf_append(out, run, (size_t)(at - run));
            buf_append_text(out, instead);
            dropped += instead[0] == '\0';
            run = at + len;
        }
        at += len;
    }
    buf_append(out, run, (size_t)(at - run));
    return dropped;
}

void xml_attribute(struct xml_writer *w, const char *name, struct str value)
{
    assert(w->has_open_tag);
    buf_append_char(w->out, ' ');
    buf_append_text(w->out, name);
    buf_append(w->out, "=\"", 2);
    w->dropped += xml_escape(w->out, value, true);
    buf_append_char(w->out, '"');
}

void xml_text(struct xml_writer *w, struct str text)
{
    close_tag(w);
    w->dropped += xml_escape(w->out, text, false);
}
