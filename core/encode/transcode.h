// A JSON text as XML or as a form, by the layouts of docs/reference.md (Encodings), token by token:
// the order of its keys and the written forms of its numbers stay. Any thread.
#ifndef ENCODE_TRANSCODE_H
#define ENCODE_TRANSCODE_H

#include "base/buf.h"
#include "base/err.h"

// What is known of a value's type from elsewhere than from its JSON. Text is text whatever it looks
// like; a number may be written as text.
struct transcode_type {
    struct str path; // "amount", "sales_account.name", "products[*].price"
    enum { TRANSCODE_TEXT, TRANSCODE_INTEGER, TRANSCODE_DECIMAL } type;
};

// What XML (extended) has besides: types at the values and, first in the root, an <event/>.
struct transcode_extended {
    const struct transcode_type *types; // by their paths' bytes
    size_t type_count;
    bool has_event;
    struct str id; // of the event; an attribute whose text is NULL is left out
    struct str type;
    struct str time;
    struct str workflow;
};

// Appends to out the JSON value as one element `root`. extended: NULL for plain XML. scratch is for
// the reader. *dropped: how many characters XML may not have. 0; ERR_INVALID where the text is not
// JSON; ERR_TOO_LARGE (deeper than JSON_DEPTH_MAX too) and ERR_NOMEM.
int transcode_to_xml(struct str json, struct str root, const struct transcode_extended *extended,
                     struct buf *out, struct buf *scratch, size_t *dropped, struct err *e);

// Appends to out the JSON object as a form. null, [] and {} are empty values. Errors as above;
// ERR_INVALID for a value that is no object too.
int transcode_to_form(struct str json, struct buf *out, struct buf *scratch, struct err *e);

#endif
