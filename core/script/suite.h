// A test file (`*_test.lua`), loaded into a Lua state of its own: what it says is to be done, and
// how what came of that compares with what it expects. One thread at a time.
#ifndef SCRIPT_SUITE_H
#define SCRIPT_SUITE_H

#include "script/rules.h"

struct suite;

// 0; what rules_new says, with words. c as for rules_new.
int suite_new(struct suite **out, const struct rules_config *c, struct err *e);
void suite_free(struct suite *s);

// Loads the file: file is "invoice_test.lua" (relative to the rules folder), text its source. The
// plan, a JSON object, is appended to it: { "line", "workflow", "vars", "cases": [{ "name", "skip",
// "now_ms", "records", "steps": [{ "given", "after_ms", "answers" }] }] }. 0; ERR_INVALID: its
// faults are those of suite_rules; ERR_NOMEM.
int suite_load(struct suite *s, const char *file, struct str text, struct buf *plan);
// What it is loaded into: for the folder's other texts (rules_add_text) and the faults. Borrowed.
struct rules *suite_rules(const struct suite *s);

// Compares what came of a case (from 0) in two fresh states with what is expected: appends a JSON
// array of messages, empty where all is as it should be. What a result is: testing/compare.lua. 0,
// or an error with words.
int suite_compare(struct suite *s, size_t index, struct str result, struct str again,
                  struct buf *out, struct err *e);

#endif
