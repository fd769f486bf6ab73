// One delivery as a page: what it is, why it is in its state and what comes next, its attempts as a
// timeline, the exchanges in full. Main thread.
#ifndef CLI_DELIVERY_SHOW_H
#define CLI_DELIVERY_SHOW_H

#include <stdint.h>
#include <stdio.h>

#include "cli/json_tree.h"

// delivery: as /v1/deliveries/ID has it. now_ms: wall time, for how long ago it was.
void delivery_show(FILE *out, const struct json_node *delivery, int64_t now_ms, bool has_colour);

#endif
