// The callback URL of a webhook: taken apart and judged strictly, so that what is checked is what
// is sent.
#ifndef ENCODE_URL_H
#define ENCODE_URL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/netaddr.h"

enum { URL_TARGET_MAX = 320 }; // bytes of a target

struct url {
    bool is_https;
    struct str host; // without brackets, as written; borrowed from the text
    bool host_is_v6; // was in brackets
    unsigned port;   // 80 or 443 where the text has none
    struct str path; // from the first '/', query included; may be empty ("" means "/")
};

// Accepts http and https, a host name of letters, digits, '-', '_' and '.' (IDN as xn--), a
// canonical IPv4 or a bracketed IPv6 address; refuses userinfo, fragments, spaces, control and
// non-ASCII bytes, backslashes, other spellings of an IPv4 address (a last label that is a number:
// 0x7f.1, 2130706433, 127.1), zone ids, port 0. Says in words what to write instead. ERR_INVALID.
int url_parse(struct str text, struct url *out, struct err *e);

// The target: "https://host:443", the host in lower case and without a trailing dot. Appended.
void url_target(struct buf *out, const struct url *u);

// The target that text names, however it is written: "HTTPS://App.example.com/" is
// "https://app.example.com:443". Appended. ERR_INVALID: it is no URL, or has a path; ERR_NOMEM.
int url_target_of(struct buf *out, struct str text);

// Where the host is a literal address: fills it and returns true.
bool url_address(const struct url *u, struct netaddr *out);

#endif
