// One act on all deliveries that filters find, through the API: first they are counted, and only
// with
// --yes is it done, one after another. Main thread; blocks.
#ifndef CLI_BULK_H
#define CLI_BULK_H

#include "cli/command.h"

// verb: "resend" or "cancel"; done: what is said of one ("resent"). Returns the exit status: failed
// where some could not be.
int bulk_run(const struct invocation *in, const char *verb, const char *done);

#endif
