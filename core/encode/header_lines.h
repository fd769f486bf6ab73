// The headers of an answer as they are stored: "name: value\n" lines. Any thread.
#ifndef ENCODE_HEADER_LINES_H
#define ENCODE_HEADER_LINES_H

#include "encode/json_writer.h"

enum { HEADER_LINES_MAX = 128, HEADER_LINES_JOINED_MAX = 64 * 1024 };

// Takes the next line off *left; false at the end. Lines without a colon are passed over.
bool header_lines_next(struct str *left, struct str *name, struct str *value);

// Writes them (the first HEADER_LINES_MAX) as one JSON object; the values of a name that comes more
// than once are joined with a comma (RFC 9110, 5.3).
void header_lines_write_json(struct json_writer *w, struct str lines);

#endif
