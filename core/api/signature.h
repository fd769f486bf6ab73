// Whether a request is its sender's: the forms of hook.verify (docs/reference.md, Sources), checked
// before the adapter sees a byte of it. Signatures and tokens are compared in constant time. Pure
// but for the secrets. Loop thread.
#ifndef API_SIGNATURE_H
#define API_SIGNATURE_H

#include "base/err.h"
#include "deliver/secrets.h"
#include "script/rules.h"

// What is looked at of a request. `get` gives a header by its name in lower case, or {NULL,0};
// `query` a query parameter, decoded, borrowed until the next call.
struct signature_request {
    struct str body;
    int64_t now_ms;
    struct str (*header)(void *ctx, const char *name);
    struct str (*query)(void *ctx, const char *name);
    void *ctx;
};

// 0 where one of the secrets fits. ERR_REFUSED with what is wrong, in words that a sender may see;
// ERR_NOT_FOUND, ERR_IO and ERR_INVALID where a secret is missing or no key: the operator's fault,
// whose words are for the log.
int signature_check(const struct rules_verify *v, const struct signature_request *q,
                    struct secrets *secrets, struct err *e);

#endif
