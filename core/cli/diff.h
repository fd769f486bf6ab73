// What the files of `hookline diff` share. Main thread.
#ifndef CLI_DIFF_H
#define CLI_DIFF_H

#include "cli/diff_side.h"
#include "cli/remote.h"
#include "encode/json_writer.h"

enum diff_kind { DIFF_SAME, DIFF_ADDED, DIFF_REMOVED, DIFF_CHANGED, DIFF_KINDS };

struct diff_tally { // of one workflow
    const char *id;
    int64_t counts[DIFF_KINDS]; // webhooks
};

struct diff {
    const struct invocation *in;
    struct config config;
    struct remote *remote;
    struct diff_side old; // the rules in force
    struct diff_side new; // those of --rules
    struct str only;      // --workflow; empty: all
    struct diff_tally *tallies;
    size_t tally_count;
    struct map by_id; // -> struct diff_tally
    struct buf last;  // the id of the newest event when it began
    size_t judged_count;
    size_t lost_count; // retention has removed what was sent
    int64_t difference_count;
    int64_t limit;        // of the differences that are shown
    struct json_writer w; // --json
    struct buf json;
};

// --- diff_events.c: the host's events, the oldest first, through both sides ---
// What the host answers, on the arena.
int diff_read_host(struct diff *d, const char *path, struct arena *arena, struct json_node **root,
                   struct err *e);
// Those that the filters let through and some workflow wants, in pages: memory is bounded.
int diff_judge_all(struct diff *d, struct err *e);
// On stderr, where that is a terminal.
void diff_show_progress(const struct diff *d, bool is_end);

// --- diff_show.c: what differs, counted, and shown up to the limit ---
struct diff_at { // where both runs are of
    const struct store_event_row *row;
    const struct event *event;
    const char *workflow;
};
// old, new: NULL where that side sends nothing.
int diff_compare_runs(struct diff *d, const struct diff_at *at, const struct diff_run *old,
                      const struct diff_run *new, struct arena *arena);
// The document's last bytes, or a table and a sentence.
void diff_show_end(struct diff *d);
void diff_show_begin(struct diff *d);

#endif
