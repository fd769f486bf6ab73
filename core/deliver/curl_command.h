// A webhook request as a curl command for a POSIX shell, that sends the same bytes when it is
// pasted. Secrets stand in it as $(cat DATA/secrets/NAME) or $HOOKLINE_SECRET_NAME, never as
// values. Any thread.
#ifndef DELIVER_CURL_COMMAND_H
#define DELIVER_CURL_COMMAND_H

#include "base/buf.h"
#include "deliver/request.h"
#include "encode/head.h"

// What the configuration says of a target, as far as curl needs it. Borrowed; zeroed: nothing.
struct curl_command_target {
    const char *ca; // paths of PEM files; NULL: not given
    const char *cert;
    const char *key;
    struct str proxy; // a URL, or the name of the secret that is one; empty: none
    bool proxy_is_secret;
};

struct curl_command {
    const struct head *head;      // as the rule made it: which parts are secret
    const struct request *masked; // request_build without secrets: what the host adds
    const char *redirect_all;     // where everything goes instead, or NULL
    struct str body;
    bool sends_body; // POST, PUT, PATCH
    const char *data_dir;
    int64_t timeout_ms;
    struct curl_command_target target;
};

// Appended to out, over several lines, without a newline at the end. 0, ERR_NOMEM or ERR_TOO_LARGE.
int curl_command_write(struct buf *out, const struct curl_command *c);

// A text quoted for a shell: 'it'\''s'.
void curl_quote(struct buf *out, struct str text);

#endif
