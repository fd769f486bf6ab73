// One line of plain advice for a request that failed, by the kind of its failure. Any thread.
#ifndef DELIVER_ADVICE_H
#define DELIVER_ADVICE_H

#include "base/buf.h"
#include "encode/url.h"
#include "wire/client.h"

struct failure {
    const char *error;   // a word of the API ("dns", ...); NULL: an answer came
    int status;          // 0: no answer
    const char *url;     // that was called, secrets masked
    struct str secret;   // secret_missing: its name, where it is known
    struct str location; // of a redirect
    int64_t timeout_ms;
    enum client_tls tls; // as the response has it
    bool is_proxied;     // it went through the target's proxy
    int proxy_status;    // with which the proxy refused; 0: it did not
};

// Appended to out, without a newline.
void advice_write(struct buf *out, const struct failure *f);

#endif
