// Mail as text: addresses checked, and a message written (RFC 5322, RFC 2045, RFC 2047). Nothing
// that goes into it can make a header or end the body: control characters become spaces, bytes that
// are no UTF-8 become '?'. Any thread.
#ifndef ENCODE_MAIL_H
#define ENCODE_MAIL_H

#include "base/buf.h"
#include "base/err.h"

enum { MAIL_ADDRESS_MAX = 254 };

// Whether text is one address to send to, "name@example.com": no display name, no quotes, no
// comments. It may be UTF-8 (RFC 6531).
bool mail_address_is_valid(struct str text);
// "name@example.com" or "Words <name@example.com>"; name is empty where there is none. Borrowed
// from text. ERR_INVALID with words.
int mail_address_parse(struct str text, struct str *name, struct str *address, struct err *e);

struct mail_message {     // all borrowed
    struct str from_name; // or empty
    struct str from;      // an address that was checked, as those of `to`
    const struct str *to;
    size_t to_count;
    struct str id; // of the message, without its domain: letters, digits, '.', '-'
    int64_t at_ms; // wall
    struct str subject;
    struct str body; // lines with '\n'
};

// Appends the message with CRLF lines, none over 998 bytes. 0, or what buf failed with.
int mail_write(struct buf *out, const struct mail_message *m);

#endif
