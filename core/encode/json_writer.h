// A push writer of JSON into a buffer. Commas and colons are its own; nesting is the caller's to
// keep right (asserted). Errors stick in the buffer. Any thread.
#ifndef ENCODE_JSON_WRITER_H
#define ENCODE_JSON_WRITER_H

#include "base/buf.h"

struct json_writer {
    struct buf *out;
    bool needs_comma;
    unsigned depth;
};

// Starts one value; `out` is borrowed.
void json_writer_init(struct json_writer *w, struct buf *out);
void json_object_begin(struct json_writer *w);
void json_object_end(struct json_writer *w);
void json_array_begin(struct json_writer *w);
void json_array_end(struct json_writer *w);
void json_key(struct json_writer *w, struct str name);
void json_string(struct json_writer *w, struct str text); // valid UTF-8; bad bytes become U+FFFD
void json_integer(struct json_writer *w, int64_t n);
// The shortest decimal that reads back as the same double, "12500.5", "1e+300", always with ".0", a
// fraction or an exponent, so that a float stays one. ERR_INVALID (and nothing written) for NaN and
// infinities.
int json_double(struct json_writer *w, double n);
void json_bool(struct json_writer *w, bool b);
void json_null(struct json_writer *w);
void json_raw(struct json_writer *w, struct str value); // one whole JSON value, as it stands

// Shorthands for a member: key, then value. A text of NULL (a str with NULL data too) is null.
void json_member_string(struct json_writer *w, const char *key, struct str text);
void json_member_string_or_null(struct json_writer *w, const char *key,
                                struct str text); // "": null
void json_member_text(struct json_writer *w, const char *key, const char *text);
void json_member_integer(struct json_writer *w, const char *key, int64_t n);
void json_member_bool(struct json_writer *w, const char *key, bool b);
void json_member_null(struct json_writer *w, const char *key);
void json_member_time(struct json_writer *w, const char *key, int64_t wall_ms);         // RFC 3339
void json_member_time_or_null(struct json_writer *w, const char *key, int64_t wall_ms); // 0: null

#endif
