// A 64-bit digest of a JSON value: equal for equal values whatever their white space, escapes, order of
// keys and way of writing a number; it tells whether an event that comes again is the same event.
#ifndef ENCODE_JSON_DIGEST_H
#define ENCODE_JSON_DIGEST_H

#include "base/str.h"

// text: one JSON value that has been read once without a fault (depth at most JSON_DEPTH_MAX).
// skip_keys: names of top-level members that do not count (NULL-terminated array, or NULL).
// Of a name that comes twice in one object the last counts, as it does for a reader.
uint64_t json_digest(struct str text, const char *const *skip_keys);

#endif
