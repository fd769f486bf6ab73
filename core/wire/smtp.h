// Sends one mail over SMTP by libcurl, on a pool thread: a mail server that is slow or hangs stops
// nothing. Its name is resolved by the system, and its address is not checked against
// network.allow: the operator named it. Loop thread only.
#ifndef WIRE_SMTP_H
#define WIRE_SMTP_H

#include "base/err.h"
#include "base/str.h"
#include "loop/loop.h"

enum smtp_tls {
    SMTP_TLS_REQUIRED,      // STARTTLS, or nothing is sent; the certificate is checked
    SMTP_TLS_OPPORTUNISTIC, // STARTTLS where the server offers it, with any certificate (RFC 7435)
    SMTP_TLS_NONE
};

struct smtp_send { // filled by the caller and borrowed, with all it points at, until on_done
    struct loop *loop;
    const char *server; // "smtp://HOST:PORT"; "smtps://...": TLS from the first byte, checked
    enum smtp_tls tls;
    const char *user; // NULL: no login
    const char *password;
    struct str from;
    const struct str *to; // addresses that were checked. Where the server takes some, it is sent
    size_t to_count;
    struct str message;
    const char *ca_file; // trusted certificates; NULL: the system's
    void (*on_done)(struct smtp_send *s);
    void *ctx;
    // out:
    int code;       // 0: the server has taken it; ERR_IO, ERR_NOMEM
    struct err err; // then: in words, without the password
    // smtp.c's:
    bool is_cancelled; // atomic
    size_t sent;
};

// on_done runs later, exactly once. 0 or ERR_NOMEM (then it does not). Any number of minutes: two
// at most.
int smtp_send(struct smtp_send *s);
// Gives up what is under way: on_done follows within a second or two, with an error unless it was
// just taken.
void smtp_cancel(struct smtp_send *s);

#endif
