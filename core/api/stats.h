// What the host has done since its start, counted in memory as it happens: for GET /v1/overview and
// /metrics. An entry for each workflow and target that something happened to, up to a bound; beyond
// it all is counted as the rest's. Counting allocates only for the first of a name. Loop thread
// only.
#ifndef API_STATS_H
#define API_STATS_H

#include "base/histogram.h"
#include "base/map.h"
#include "deliver/deliver.h"
#include "store/targets.h"

enum {
    STATS_NAMES_MAX = 16384, // entries of a family
    STATS_SHOWN_MAX = 50,    // that are shown by name
    STATS_MINUTES = 60
};

#define STATS_OTHER "other" // the name of the rest

enum stats_count { // of a workflow or a target
    STATS_EVENTS,  // that a workflow matched
    STATS_RUNS,    // four, in the order of enum run_outcome
    STATS_RUNS_LAST = STATS_RUNS + RUN_SUPPRESSED,
    STATS_BUDGET_STOPS, // runs that were stopped for what they used
    STATS_OWED,         // webhooks made
    STATS_DELIVERED,
    STATS_TERMINATED,
    STATS_TRIED,  // attempts that led to a delivery
    STATS_FAILED, // and those that did not
    STATS_COUNTS
};

struct stats_entry {
    uint64_t count[STATS_COUNTS];
    uint64_t hidden[STATS_COUNTS]; // of it, what was counted before it was shown by name
    int64_t owed;                  // of a target, when the store was asked last; -1: not known
    struct histogram *attempts;    // of a target: how long they took
    bool is_shown;
    size_t name_len;
    char name[];
};

struct stats_family {
    struct map entries; // by name
    uint64_t total[STATS_COUNTS];
    struct stats_entry *shown[STATS_SHOWN_MAX];
    size_t shown_count;
    bool has_histograms;
};

struct stats_minutes { // what happened in each of the last minutes of the wall clock
    int64_t last;      // the minute of the newest
    uint32_t count[STATS_MINUTES];
};

enum stats_result { // of an attempt; the words are in stats_result_word
    STATS_RESULT_OTHER_STATUS,
    STATS_RESULT_2XX,
    STATS_RESULT_3XX,
    STATS_RESULT_4XX,
    STATS_RESULT_5XX,
    STATS_RESULT_ERRORS, // from here on: no whole answer came
    STATS_RESULTS = STATS_RESULT_ERRORS + 11
};

struct stats {
    int64_t started_ms; // wall
    uint64_t events;    // accepted, the host's own outcomes and times too; duplicates are not
    struct stats_minutes events_by_minute;
    struct stats_minutes delivered_by_minute;
    struct stats_minutes failed_by_minute; // attempts
    uint64_t made;                         // webhooks, of all events
    uint64_t ended[DELIVERY_INVALID + 1]; // deliveries, by the state that ended them: of those that
                                          // the store does not count
    uint64_t results[STATS_RESULTS];
    uint64_t reloads;
    uint64_t reloads_failed;
    int64_t reloaded_ms;            // wall: when one went well last; 0: never
    struct histogram decide;        // of an event
    struct histogram first_attempt; // from the event to its end
    struct histogram end_to_end;    // from the event to the delivery
    struct histogram attempts;      // how long they took
    struct stats_family workflows;
    struct stats_family targets;
};

int stats_new(struct stats **out, int64_t wall_ms);
void stats_free(struct stats *s);

// How many deliveries are in a state that is owed, or came to that end since the start.
int64_t stats_in_state(const struct stats *s, const struct store_owed_states *owed,
                       enum delivery_state state);

const char *stats_result_word(size_t result); // "2xx", "timeout", ...

void stats_saw_event(struct stats *s, const struct store_event *ev); // as a deliver_observer
void stats_saw_state(struct stats *s, const struct deliver_change *c);
// What each target is owed now; of those that are not told, it is not known.
void stats_saw_owed(struct stats *s, const struct store_target_row *rows, size_t count);
void stats_saw_reload(struct stats *s, bool is_good, int64_t wall_ms);
void stats_saw_decisions(struct stats *s, size_t events, int64_t us); // all of them together

// Chooses anew who is shown by name: those that most happens to. What is not shown belongs to the
// rest, whose counts never fall for that.
void stats_choose(struct stats_family *f);
// The count of an entry since it is shown; of NULL, the rest's.
uint64_t stats_shown_count(const struct stats_family *f, const struct stats_entry *e,
                           enum stats_count c);
// The most active entries, at most `max`: how many.
size_t stats_top(const struct stats_family *f, struct stats_entry **out, size_t max);

// The counts of the last STATS_MINUTES minutes, oldest first, the one of wall_ms last.
void stats_minutes_read(const struct stats_minutes *m, int64_t wall_ms,
                        uint32_t out[STATS_MINUTES]);

#endif
