// The text of a JSON string (RFC 8259, 7), between its quotes: scanned, checked, unescaped. Any
// thread.
#ifndef ENCODE_JSON_TEXT_H
#define ENCODE_JSON_TEXT_H

#include "base/buf.h"

struct json_text_fault {
    int code;         // ERR_INVALID, or what the scratch buffer says
    const char *what; // a constant text
    const char *at;
};

// Reads from behind the opening quote at `at` to the closing one and returns the byte after it;
// NULL on a fault. *text is borrowed from the input where the string has no escapes, else from
// scratch.
const char *json_text_read(const char *at, const char *end, struct str *text, struct buf *scratch,
                           struct json_text_fault *fault);

// Reads the escape whose backslash is at `at`, before `end`, and returns the byte after it; two
// where they are a surrogate pair. NULL on a fault, which is at `end` where that comes too early.
const char *json_text_read_escape(const char *at, const char *end, char out[4], size_t *out_len,
                                  struct json_text_fault *fault);

// The first byte at or after `at` that is not plain: a quote, a backslash, a control character
// (below 0x20) or not ASCII. `end` where there is none.
const char *json_text_skip_plain(const char *at, const char *end);

#endif
