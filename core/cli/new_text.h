// The texts that `hookline new` writes: a workflow and its tests, with fields that make sense for
// the record type. Main thread.
#ifndef CLI_NEW_TEXT_H
#define CLI_NEW_TEXT_H

#include "base/buf.h"

struct new_text {
    const char *name;   // the workflow's
    const char *record; // the record type
    const char *secret; // the name of a secret that it could use
};

void new_text_workflow(struct buf *out, const struct new_text *t);
void new_text_test(struct buf *out, const struct new_text *t);

#endif
