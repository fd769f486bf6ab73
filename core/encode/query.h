// The query of a request's target, and the body of a form: pairs of percent-encoded texts,
// "a=1&b=2" (WHATWG URL, application/x-www-form-urlencoded).
#ifndef ENCODE_QUERY_H
#define ENCODE_QUERY_H

#include "base/buf.h"

// The name and the value of the next parameter, as they stand there (borrowed); *rest goes on
// behind it. What has no name is left out. false at the end.
bool query_next(struct str *rest, struct str *name, struct str *value);

// Appends what a name or a value means: '+' is a space, and percent-encoded bytes are decoded. The
// text has been checked.
void query_decode(struct buf *out, struct str text);

#endif
