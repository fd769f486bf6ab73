// A configuration file: Lua that returns a table, run in the rules' sandbox under a budget. Any
// thread.
#ifndef SCRIPT_CONF_H
#define SCRIPT_CONF_H

#include "base/buf.h"
#include "base/err.h"

// Runs the file and appends what it returns to json_out as one JSON object, keys sorted. In it
// `hook.secret "NAME"` (hook is there, and `require "hookline"` gives it) stands for
// {"$secret":"NAME"}. 0; ERR_NOT_FOUND or ERR_IO where it cannot be read; ERR_INVALID with
// "FILE:LINE: ..."; ERR_NOMEM.
int conf_load(const char *path, struct buf *json_out, struct err *e);

#endif
