// A pull reader of JSON (RFC 8259), strict: UTF-8 checked, lone surrogates refused, depth bounded,
// nothing allocated but the unescaped text of strings that have escapes. Any thread.
#ifndef ENCODE_JSON_READER_H
#define ENCODE_JSON_READER_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "encode/json_number.h"

enum json_token {
    JSON_END,   // the value is complete and only white space follows
    JSON_ERROR, // malformed: json_reader_error() says what and where
    JSON_NULL,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_KEY, // a member's name; its value follows
    JSON_OBJECT_BEGIN,
    JSON_OBJECT_END,
    JSON_ARRAY_BEGIN,
    JSON_ARRAY_END
};

enum { JSON_DEPTH_MAX = 128 };

struct json_reader {
    const char *start;
    const char *at;
    const char *end;
    struct buf *scratch; // unescaped text; borrowed, reset at each string
    unsigned depth;
    unsigned max_depth;
    unsigned char stack[JSON_DEPTH_MAX / 8 + 1]; // one bit a level: object or array
    unsigned char expect;                        // what may follow (reader's own)
    // of the last token:
    const char *token; // where it starts in the input
    struct str text;   // STRING, KEY: unescaped, borrowed until the next call. NUMBER: as written
    struct json_number number; // NUMBER
    const char *fault;         // ERROR: what is wrong, a constant text
    int fault_code;            // ERR_INVALID, ERR_TOO_LARGE (depth), ERR_NOMEM
    size_t fault_at; // ERROR: byte offset in the input (its length where the text ends too early)
};

// text and scratch are borrowed while reading. max_depth: at most JSON_DEPTH_MAX (a greater one
// counts as that); `[[1]]` has depth 2.
void json_reader_init(struct json_reader *r, struct str text, unsigned max_depth,
                      struct buf *scratch);
// The next token. After JSON_END or JSON_ERROR the same again.
enum json_token json_read(struct json_reader *r);
// After a token that begins a value (any but KEY and the ends): skips to its end, checking all that
// it skips. 0 or r->fault_code.
int json_skip(struct json_reader *r, enum json_token first);
// The offset of the last token, and of the byte after it.
static inline size_t json_token_offset(const struct json_reader *r)
{
    return (size_t)(r->token - r->start);
}
static inline size_t json_offset(const struct json_reader *r)
{
    return (size_t)(r->at - r->start);
}
// "... at byte N". Returns r->fault_code.
int json_reader_error(const struct json_reader *r, struct err *e);

#endif
