// A request head: the stored form of a webhook request without its body, as rules owe it and the
// sender reads it. Text, one thing a line, a line feed at each end:
//
//     POST https://invoices.example.com/api/invoices
//     Content-Type: application/json
//     X-Sample-CustomHeader1: VALUE
//     :basic INVOICE_PASSWORD crm
//     :header API_KEY X-Api-Key: Token
//     :query API_KEY api_key
//     :depth 2
//
// A line with a colon first is the sender's to fill in. Where a secret goes; the secret itself is
// in no head:
//
//   ":basic NAME USER"            Authorization: Basic base64(USER:secret)
//   ":header NAME HEADER: PREFIX" the header HEADER: PREFIX and the secret right behind it, so a
//                                 prefix often ends in a space; it may be empty
//   ":query NAME KEY"             KEY=secret, both percent-encoded, added to the URL's query
//   ":sign NAME"                  the secret signs as Standard Webhooks 1.0.0 has it; two such
//                                 lines while keys are rotated
//   ":hmac NAME ENCODING HEADER TIMESTAMP SIGNED VALUE"
//                                 the header HEADER: VALUE, with the HMAC-SHA256 of SIGNED in it;
//                                 ENCODING: hex or base64; TIMESTAMP: a header for the time, or
//                                 empty. All from HEADER on percent-encoded; {id}, {timestamp},
//                                 {body} and (in VALUE) {signature} are filled in
//   ":oauth2 NAME PLACE ID URL FORM"
//                                 the header Authorization: Bearer TOKEN. The token is asked of URL
//                                 for the client ID (percent-encoded), whose secret NAME goes into
//                                 PLACE: basic, a header, or body. FORM: the other parameters, as a
//                                 form. There is one such line at most
//
// And ":depth N": how many workflows this request came through, where it is more than one;
// ":trace TRACEPARENT TRACESTATE": of the event, where its sender said it (encode/trace_context.h).
// Each attempt is another span of that trace; without a state the line ends before it.
#ifndef ENCODE_HEAD_H
#define ENCODE_HEAD_H

#include "base/buf.h"
#include "base/err.h"
#include "encode/trace_context.h"

enum head_secret_kind {
    HEAD_SECRET_BASIC,
    HEAD_SECRET_HEADER,
    HEAD_SECRET_QUERY,
    HEAD_SECRET_SIGN,
    HEAD_SECRET_HMAC,
    HEAD_SECRET_OAUTH2
};

struct head_header {
    struct str name;
    struct str value;
};

struct head_secret {
    enum head_secret_kind kind;
    struct str secret; // its name
    struct str key;    // BASIC: the user; HEADER, HMAC: the header's name; QUERY: the parameter;
                       // OAUTH2: the client's id, percent-encoded once it was taken apart
    struct str prefix; // HEADER
    // HMAC; the texts of a head that was taken apart are percent-encoded, as is then its key:
    bool is_base64;
    struct str timestamp; // the header for the time; empty: none
    struct str signed_text;
    struct str value;
    // OAUTH2:
    bool is_in_body; // the client's secret: it is a parameter, and not in a header
    struct str token_url;
    struct str form;
};

enum {
    HEAD_HEADERS_MAX = 64,
    HEAD_SECRETS_MAX = 16,
    HEAD_BYTES_MAX = 64 * 1024,
    HEAD_OAUTH2_BYTES_MAX = 4 * 1024, // of such a line
    HEAD_DEPTH_MAX = 1000000
};

struct head {
    struct str method;
    struct str url;
    struct head_header headers[HEAD_HEADERS_MAX];
    size_t header_count;
    struct head_secret secrets[HEAD_SECRETS_MAX];
    size_t secret_count;
    unsigned depth; // 1 where no line says another
    struct trace_context trace;
};

// Writers append one line and check it; on a fault nothing is appended. ERR_INVALID with words that
// say which and why; what head_check_name says of a header; what out says when it is full (it
// should have HEAD_BYTES_MAX as its maximum). The caller counts up to the two maxima above. method:
// capital letters. url: as url_parse takes it.
int head_write_start(struct buf *out, struct str method, struct str url, struct err *e);
// Spaces and tabs around the value are dropped: they are no part of it (RFC 9110, 5.5).
int head_write_header(struct buf *out, struct str name, struct str value, struct err *e);
int head_write_secret(struct buf *out, const struct head_secret *s, struct err *e);
int head_write_depth(struct buf *out, unsigned depth, struct err *e);  // from 1 up
int head_write_trace(struct buf *out, struct str text, struct err *e); // as trace_put_event has it

// Takes a head apart; the parts are borrowed from text. ERR_INVALID for what the writers do not
// make, ERR_TOO_LARGE over one of the maxima.
int head_parse(struct str text, struct head *out, struct err *e);

// What stands behind ":oauth2 " in a head, which is what its token depends on; {NULL,0}: no such
// line. Borrowed from text.
struct str head_find_oauth2(struct str text);
// The same of ":trace ".
struct str head_find_trace(struct str text);
// Takes apart what head_find_oauth2 found, borrowed. ERR_INVALID.
int head_parse_oauth2(struct str text, struct head_secret *out, struct err *e);

// Whether a header may be given by a rule at all: a token (RFC 9110, 5.1), and not one of the
// host's own (Host, Content-Length, Transfer-Encoding, Connection, webhook-id, ...). ERR_INVALID /
// ERR_REFUSED with words.
int head_check_name(struct str name, struct err *e);
// Anything but control characters (tabs, CR, LF and NUL among them). ERR_INVALID.
int head_check_value(struct str value, struct err *e);

#endif
