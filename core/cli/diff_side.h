// One side of `hookline diff`: rules, and what they would send for stored events. Nothing is
// stored: marks of `once` and cooldowns begin empty and live here. Main thread.
#ifndef CLI_DIFF_SIDE_H
#define CLI_DIFF_SIDE_H

#include "base/id.h"
#include "cli/command.h"
#include "cli/json_tree.h"
#include "engine/generation.h"

struct diff_run { // of one workflow for one event
    const char *workflow;
    struct str fault; // it failed: why; else empty
    const struct store_delivery *deliveries;
    size_t count;
    int64_t now_ms; // what due times count from
    struct diff_run *next;
};

struct diff_side {
    struct generation *generation;
    struct folder *folder;
    struct index_look look;
    struct map marks;
    struct id_source ids;
};

void diff_side_init(struct diff_side *s); // without rules yet
void diff_side_fini(struct diff_side *s); // of one that was not loaded too

// Builds it from the texts of a folder, which is taken. A file with an error fails, and its faults
// are printed: the rules of a diff are whole. c: of the configuration.
int diff_side_load(struct diff_side *s, const struct invocation *in, const struct config *c,
                   struct folder *folder, struct err *e);
// What people have said of the workflows of a host (the "workflows" of its answer) holds for both
// sides; else the file says, or, is_host, the host does.
void diff_side_set_modes(struct diff_side *s, const struct json_node *workflows, bool is_host);

// Whether some workflow of it wants events of the type ("deal.updated").
bool diff_side_wants(const struct diff_side *s, struct str type);
// Judges a stored event (event_restore). only: that workflow alone, or empty. *out: the runs that
// send something or fail, in the order of their workflows, on the arena, which takes all texts too.
int diff_side_judge(struct diff_side *s, const struct event *ev, const struct store_event_row *row,
                    struct str only, struct arena *arena, struct diff_run **out, struct err *e);

#endif
