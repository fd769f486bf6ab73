// Takes secrets out of what a receiver sends back: a value and its base64 (at any alignment, with
// the characters at its edges that hold some bits of it) become "****", as they are and in the
// escapes of JSON strings and of URLs, or in two of them: JSON in JSON, a URL in JSON. Base64 may
// go over several lines, also with blanks at their beginning, whose ends may be escaped, too.
#ifndef DELIVER_MASK_H
#define DELIVER_MASK_H

#include "base/buf.h"

enum { MASK_SECRETS_MAX = 16 };

struct mask {
    struct buf needles; // each: a struct mask_needle, then its bytes
};

void mask_init(struct mask *m);
void mask_fini(struct mask *m); // wipes
// One more value to look for; empty ones are ignored. 0, ERR_NOMEM, ERR_TOO_LARGE: a mask that
// lacks one makes "****" of any text.
int mask_add(struct mask *m, struct str secret);
// What goes out in base64 alone, "user:password": that is masked whole, the user with it, also
// where it is in base64 once more. Not empty. Fails as mask_add does.
int mask_add_credential(struct mask *m, struct str pair);
static inline bool mask_is_empty(const struct mask *m)
{
    return m->needles.len == 0 && !m->needles.failed;
}
// Appends text to out, masked: every place of each value, those that overlap as one. is_cut: text
// was cut off at its end; a value's beginning there is masked too. The time it takes grows with the
// text and the values, whatever is in them; where memory is out the text is "****".
// 0, or what out failed with.
int mask_apply(const struct mask *m, struct buf *out, struct str text, bool is_cut);

#endif
