// A 64-bit digest of a JSON value: equal for equal values whatever their white space, escapes,
// order of keys and way of writing a number; it tells whether an event that comes again is the same
// event.
#ifndef ENCODE_JSON_DIGEST_H
#define ENCODE_JSON_DIGEST_H

#include "base/str.h"

// text: one JSON value (depth at most JSON_DEPTH_MAX).
// skip_keys: names of top-level members that do not count (NULL-terminated array, or NULL).
// Of a name that comes twice in one object the last counts, as it does for a reader. Numbers are
// compared by their decimal value, whatever their length: 1, 1.0 and 1e0 are equal, and so are 0
// and -0. Time is linear in the text's length, whatever is in it. 0; ERR_INVALID where text is not
// JSON (never for one that json_reader took); ERR_NOMEM.
int json_digest(struct str text, const char *const *skip_keys, uint64_t *digest);

#endif
