// Takes secrets out of what a receiver sends back: a value, its base64 (at any alignment, with the
// characters at its edges that hold some bits of it, and over several lines) and its
// percent-encoded form, also as JSON writes them, become "****".
#ifndef DELIVER_MASK_H
#define DELIVER_MASK_H

#include "base/buf.h"

enum { MASK_SECRETS_MAX = 16 };

struct mask {
    struct buf needles; // each: a struct mask_needle, then its bytes
};

void mask_init(struct mask *m);
void mask_fini(struct mask *m); // wipes
// One more value to look for; empty ones are ignored. 0, ERR_NOMEM, ERR_TOO_LARGE.
int mask_add(struct mask *m, struct str secret);
// What goes out in base64 alone, "user:password": that is masked whole, the user with it, also
// where it is in base64 once more. Not empty. 0, ERR_NOMEM, ERR_TOO_LARGE.
int mask_add_credential(struct mask *m, struct str pair);
static inline bool mask_is_empty(const struct mask *m)
{
    return m->needles.len == 0;
}
// Appends text to out, masked. is_cut: text was cut off at its end; a needle's beginning there is
// masked too.
int mask_apply(const struct mask *m, struct buf *out, struct str text, bool is_cut);

#endif
