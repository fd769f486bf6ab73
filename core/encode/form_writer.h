// A push writer of application/x-www-form-urlencoded (WHATWG URL, 5.2) into a buffer. Fields nest
// by brackets: "deal[items][0][sku]=A1". Errors stick in the buffer. Any thread.
#ifndef ENCODE_FORM_WRITER_H
#define ENCODE_FORM_WRITER_H

#include "base/buf.h"

enum { FORM_WRITER_DEPTH_MAX = 136 };

struct form_writer {
    struct buf *out;
    struct buf *path; // the name of the field at hand, encoded
    bool needs_ampersand;
    unsigned depth;
    size_t starts[FORM_WRITER_DEPTH_MAX]; // where each part of the path begins in it
};

// Both are borrowed. `path` is emptied; it has the bound of a name.
void form_writer_init(struct form_writer *w, struct buf *out, struct buf *path);
// Enters a field, by its name or by its place in a list (from 0), and leaves it. Nesting is the
// caller's to keep right (asserted).
void form_field_begin(struct form_writer *w, struct str name);
void form_item_begin(struct form_writer *w, size_t index);
void form_field_end(struct form_writer *w);
// The value of the field that was entered. Valid UTF-8 is expected, and not looked at.
void form_value(struct form_writer *w, struct str value);

#endif
