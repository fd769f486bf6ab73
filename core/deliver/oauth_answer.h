// What a token server answered (RFC 6749 sections 5.1 and 5.2): an access token, or why there is
// none, in words. Nothing in it is trusted. Any thread.
#ifndef DELIVER_OAUTH_ANSWER_H
#define DELIVER_OAUTH_ANSWER_H

#include "base/buf.h"
#include "deliver/mask.h"
#include "wire/client.h"

enum { OAUTH_TOKEN_BYTES_MAX = 16 * 1024, OAUTH_DETAIL_MAX = 640 };

struct oauth_grant {
    bool is_given;
    int64_t lifetime_ms;           // how long it may be used: less than its server says
    char detail[OAUTH_DETAIL_MAX]; // not given: why
};

// server: what the words call it. mask: of the client's secret, which an answer may repeat. token:
// takes the access token, OAUTH_TOKEN_BYTES_MAX at most.
void oauth_answer_read(const struct client_response *r, struct str server, const struct mask *mask,
                       struct buf *token, struct oauth_grant *out);

#endif
