// The signature of one attempt: its header's value, made of a secret and of what is sent. Standard
// Webhooks 1.0.0, and the forms that hook.hmac describes. Any thread.
#ifndef DELIVER_SIGN_H
#define DELIVER_SIGN_H

#include "base/buf.h"
#include "base/err.h"

struct sign_input {
    struct str id;        // the webhook-id
    struct str timestamp; // seconds of Unix time, as text
    struct str body;
};

// Appends "v1,BASE64", the HMAC-SHA256 of "ID.TIMESTAMP.BODY". secret: the key, base64 behind
// "whsec_", else its bytes. 0; ERR_INVALID where it is no base64; ERR_NOMEM.
int sign_standard(struct buf *out, struct str secret, const struct sign_input *in);

// Appends the HMAC-SHA256, in base64 or hex, of signed_text with {id}, {timestamp} and {body}
// filled in. 0 or ERR_NOMEM.
int sign_hmac(struct buf *out, struct str secret, struct str signed_text, bool is_base64,
              const struct sign_input *in);

// Appends a text with its placeholders filled in; {signature} too, unless it is {NULL,0}. Other
// braces stay. 0 or what out says when it is full.
int sign_fill(struct buf *out, struct str text, struct str signature, const struct sign_input *in);

#endif
