// The head of a request: found in the byte stream, held to the letter of RFC 9112, and taken apart
// by llhttp. What llhttp lets pass (bare LF, folded lines, a head that two parsers would read in
// two ways) is refused before it sees it. Part of httpd; pure functions over memory.
#ifndef WIRE_HTTPD_HEAD_H
#define WIRE_HTTPD_HEAD_H

#include "base/str.h"

// Why a request is not served: an HTTP status, 0 for none, and a constant text for people.
struct httpd_refusal {
    int status;
    const char *detail;
};

// Where the search for the head's end stands. Zeroed at the start of each request.
struct httpd_head_scan {
    size_t start;      // of the request line: 0, or 2 behind one empty line (RFC 9112 2.2)
    size_t line_start; // of the line that is not complete yet
    size_t searched;   // bytes that hold no end of that line
    size_t line_count;
};

enum httpd_head_state { HTTPD_HEAD_PARTIAL, HTTPD_HEAD_COMPLETE, HTTPD_HEAD_REFUSED };

// Looks at what came since the last call; data is the head from its first byte on. Each line is
// judged when it is complete, so the result does not depend on how the stream was cut. COMPLETE:
// *end is the length of the head with its empty line.
enum httpd_head_state httpd_head_scan(struct httpd_head_scan *s, const char *data, size_t len,
                                      size_t *end, struct httpd_refusal *why);

// All borrowed from the bytes that were parsed.
struct httpd_head {
    struct str method;
    struct str path;  // as sent, without the query
    struct str query; // without '?'
    struct str lines; // the header lines, each with its CRLF
    bool is_http_1_1;
    bool is_head; // the method is HEAD
    bool wants_close;
    bool wants_keep_alive;
    bool expects_continue;
    bool is_chunked;
    uint64_t content_length; // 0 without one
};

// Takes a complete head apart, from s->start to its end. False: *why says what is wrong.
bool httpd_head_parse(struct httpd_head *h, const struct httpd_head_scan *s, const char *data,
                      size_t end, struct httpd_refusal *why);

// The value of the first header of that name (lower case), {NULL,0} when absent.
struct str httpd_head_find(const struct httpd_head *h, const char *name);

// Whether c may stand in a method or a header's name (RFC 9110 5.6.2).
bool httpd_is_token_char(unsigned char c);

#endif
