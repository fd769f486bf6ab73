// A fault of a workflow file, as `check` and `try` print it. Main thread.
#ifndef CLI_FAULT_H
#define CLI_FAULT_H

#include <stdio.h>

#include "encode/json_writer.h"
#include "script/rules.h"

// "rules/x.lua:12: error: actions[1].url: MESSAGE"
void fault_print(FILE *out, const struct rules_fault *f);
// {"file","line","severity","path","message"}; line is null where there is none.
void fault_write_json(struct json_writer *w, const struct rules_fault *f);

#endif
