// Where a secret stands in a reading of a text, in a time that grows with the two together, however
// alike their parts are. Any thread.
#ifndef DELIVER_MASK_SEARCH_H
#define DELIVER_MASK_SEARCH_H

#include "deliver/mask_base64.h"

struct mask_needle {
    struct str bytes; // of the secret, or the values of its base64; not empty
    bool is_base64;
    struct mask_base64 edges; // of base64
};

// What of a text is a secret's.
struct mask_spans {
    uint32_t *ends; // of the longest span that begins at each byte of the text; 0: none does
    size_t len;
    size_t steps; // that the searches took so far: what a test holds them to
};

int mask_spans_init(struct mask_spans *spans, size_t len); // 0, ERR_NOMEM, ERR_TOO_LARGE
void mask_spans_fini(struct mask_spans *spans);

// Adds every place of the needle, which may overlap, in base64 with the padding behind it; where
// the text was cut, also one where it ends before the needle does. 0, ERR_NOMEM.
int mask_search(struct mask_spans *spans, const struct mask_needle *needle,
                const struct mask_reading *in);

#endif
