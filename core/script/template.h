// One template in Liquid, rendered alone over one JSON value: nothing is escaped, nothing added.
// Any thread; each call has a Lua state of its own, inside the gate, so that what never ends or
// grows without bound is stopped.
#ifndef SCRIPT_TEMPLATE_H
#define SCRIPT_TEMPLATE_H

#include "base/buf.h"
#include "base/err.h"

enum { TEMPLATE_TEXT_MAX = 8 * 1024 * 1024 }; // of a template, a partial, the data, the output

struct template_request {
    const char *name;        // for messages: the file's path
    struct str text;         // the template
    struct str data;         // JSON, an object: the template's variables
    int64_t now_ms;          // what "now" is for the filter `date`
    const char *library_dir; // NULL: the embedded library
    // Appends a partial's text by its name. 0, or an error with words. May be NULL: there are none.
    int (*partial)(void *ctx, struct str name, struct buf *out, struct err *e);
    void *ctx;
};

// Appends what the template shows. ERR_INVALID: it is not valid, or what it does is not, with
// "NAME:LINE:COLUMN: error: ...", columns counted in characters; or the data is no JSON object;
// ERR_TOO_LARGE: it ran over its budget of steps, memory or output; ERR_NOMEM.
int template_render(const struct template_request *t, struct buf *out, struct err *e);

#endif
