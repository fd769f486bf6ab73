// What a webhook's own keys say of its attempts, as it is stored with a delivery: retry windows,
// and behind them, each after a ';', "retry" and "success" (functions of the rule are asked),
// "on=429,5xx" (these statuses alone are tried again) and "give_up=4xx" (at these it ends). Pure,
// any thread.
#ifndef DELIVER_POLICY_H
#define DELIVER_POLICY_H

#include "deliver/retry.h"

struct policy {
    struct retry_policy windows;
    bool asks_retry;
    bool asks_success;
    struct str retry_on;   // "429,5xx"; empty: all; borrowed from the text
    struct str give_up_on; // empty: none
};

// Empty text: the default windows alone. 0, or what retry_parse says, ERR_INVALID for another word.
int policy_parse(struct str text, struct policy *out);

// Whether a delivery with that text needs the whole of an answer's body.
bool policy_asks_success(struct str text);

// Whether a list has a status ("429", or "4xx" for all from 400 to 499).
bool policy_has_status(struct str list, int status);

#endif
