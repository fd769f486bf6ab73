// An event to try a workflow with where there is no real one: a record of its type with plausible
// fields, to which the values are given that its conditions want. Main thread.
#ifndef CLI_SAMPLE_H
#define CLI_SAMPLE_H

#include "cli/json_tree.h"
#include "script/rules.h"

struct sample {
    struct arena *arena;
    const struct rules_workflow *workflow;
    const char *verb;
    int64_t time_ms;
    struct json_node *record;
    struct json_node *previous; // NULL: none
};

// workflow and arena are borrowed. 0 or ERR_NOMEM.
int sample_init(struct sample *s, const struct rules_workflow *workflow, int64_t time_ms,
                struct arena *arena);
// Looks at the trace of the sample (rules_explain) and gives the fields of conditions that stand in
// the way the values that they want. Whether there was anything to change.
bool sample_adjust(struct sample *s, const struct json_node *trace);
// The event as JSON, appended. 0 or the buffer's error.
int sample_write(const struct sample *s, struct buf *out);

#endif
