// The text of an answer: status line, headers, and the problem documents (RFC 9457) of httpd's own
// refusals. Part of httpd.
#ifndef WIRE_HTTPD_ANSWER_H
#define WIRE_HTTPD_ANSWER_H

#include "base/buf.h"
#include "wire/httpd.h"

// "Mon, 23 Nov 2026 09:15:00 GMT" (RFC 9110 5.6.7), made once a second.
struct httpd_date {
    int64_t second;
    char text[32]; // empty: not made yet
};

void httpd_date_update(struct httpd_date *d, int64_t wall_ms);

enum httpd_connection { HTTPD_CONNECTION_UNSAID, HTTPD_CONNECTION_CLOSE, HTTPD_CONNECTION_KEEP };
// How the client learns where the body ends.
enum httpd_framing { HTTPD_FRAMING_LENGTH, HTTPD_FRAMING_CHUNKED, HTTPD_FRAMING_END };

// Appends everything before the body. Content-Length is left out where a status has no body (RFC
// 9110 8.6). What went wrong is in out->failed.
void httpd_answer_head(struct buf *out, const struct httpd_answer *a, const char *date,
                       enum httpd_connection connection, enum httpd_framing framing);
bool httpd_status_has_body(int status);

// {"type":"about:blank","title":...,"status":...,"detail":...}; detail is plain text without
// quotes, backslashes and control characters.
void httpd_answer_problem(struct buf *out, int status, const char *detail);

#endif
