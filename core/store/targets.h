// The part of the store that is about targets: leases, which an operator has paused, or all that is
// owed, and what each is owed. As store/store.h, whose contract it belongs to.
#ifndef STORE_TARGETS_H
#define STORE_TARGETS_H

#include "store/store.h"

// The reason of a delivery that is held because its target is paused.
#define STORE_PAUSED_REASON "its target is paused by an operator"

struct store_due_target {
    struct str target;
    uint16_t shards; // in: those held (a bit each)
    unsigned quota;  // in: at most so many deliveries
    bool is_over;    // in: those that have no time left, instead of those that are due
    // out: of what was not returned, the earliest due time; INT64_MAX: nothing, or it is_over
    int64_t next_due_at_ms;
    bool has_more; // out, with is_over: the quota or the arena was full
};

struct store_due {
    struct store_item item; // the store's
    struct store_due_target *targets;
    size_t target_count;
    int64_t until_ms;    // due, or over, at or before
    int64_t window_ms;   // how long is tried what has no window of its own; with is_over
    struct arena *arena; // for out values
    void (*on_done)(struct store_due *d);
    void *ctx;
    // out:
    int code;
    struct store_owed *owed; // by target in the order asked, the earliest due first
    size_t owed_count;
};
// The heads of what is PENDING or RETRYING, by target, so that a dead target's rows cannot crowd
// out the rest: those that are in flight too, since nothing is written when an attempt begins. Goes
// through the writer's queue: it sees every request given before it, and none given after. An arena
// that is full ends the list early, and next_due_at_ms tells so; ERR_TOO_LARGE where not even one
// delivery had room. What is over is what has not been sent by the end of its window from its base
// (or from when it fell due, without a base): the quota is for those that have a window of their
// own, and once more for the rest.
void store_due(struct store *s, struct store_due *d);

struct store_targets {      // every target that is owed something, for the start
    struct store_item item; // the store's
    struct arena *arena;
    void (*on_done)(struct store_targets *t);
    void *ctx;
    // out:
    int code;
    struct store_due_target *targets; // target and next_due_at_ms
    size_t target_count;
};
void store_targets(struct store *s, struct store_targets *t);

enum { STORE_TARGET_ERROR_MAX = 32 };

struct store_lease {
    struct store_item item; // the store's
    struct str target;
    // The caller's, STORE_TARGET_ERROR_MAX bytes: takes the last that store_finish told; or NULL.
    char *last_error;
    void (*on_done)(struct store_lease *l);
    void *ctx;
    // out:
    int code;
    uint16_t shards;    // a bit for each shard of the target that this host now holds
    bool is_paused;     // by an operator
    int64_t held_up_ms; // the last that store_finish told
};
// Takes what is free of a target's shards for this host and epoch. SQLite: one host, all of them.
void store_lease(struct store *s, struct store_lease *l);

enum store_pause {
    STORE_PAUSE_NONE = 0,
    STORE_PAUSE_ON = 1,
    STORE_PAUSE_ENDING = 2 // paused no more, what was held for it is still to be released
};

struct store_pause_put {
    struct store_item item; // the store's
    struct str target;      // empty: everything
    bool is_paused;
    struct str who; // everything: by whom
    int64_t now_ms;
    void (*on_done)(struct store_pause_put *p);
    void *ctx;
    // out:
    struct str before; // what it was, in a word
    int code;          // ERR_NOT_FOUND: no delivery has ever had that target
};
// From a pause on, what becomes owed to the target is stored as HELD; what is owed to it already is
// seen to by store_pause_step. A pause of everything is a mark alone: no delivery is another one
// for it, and the host sends nothing while it stands. When it ends all times move as by a release.
void store_pause_put(struct store *s, struct store_pause_put *p);

struct store_pause_step {
    struct store_item item; // the store's
    struct str target;
    int64_t now_ms;
    uint64_t place;   // how far it has come; 0 for the first, then left as it is
    uint64_t came_to; // the store's: the place from when the step is stored
    void (*on_done)(struct store_pause_step *q);
    void *ctx;
    // out:
    int code;
    bool is_done;   // with all
    size_t changed; // deliveries
};
// Holds or releases some of what is owed to the target, as its pause says. What is released is as
// if the time in which it was held had not been: its base and its due time move. What a stopped
// workflow owes goes on being held, or is cancelled, as that says.
void store_pause_step(struct store *s, struct store_pause_step *q);

struct store_pauses {       // targets that are paused, or whose pause is ending: for the start
    struct store_item item; // the store's
    struct arena *arena;
    void (*on_done)(struct store_pauses *q);
    void *ctx;
    // out:
    int code;
    struct store_target_row *rows; // target and pause alone
    size_t count;
    int64_t all_since_ms; // since when everything is paused; 0: it is not
    struct str all_by;
};
void store_pauses(struct store *s, struct store_pauses *q);

struct store_target_row { // of STORE_READ_TARGETS
    uint64_t id;
    struct str target;
    enum store_pause pause;
    int64_t paused_at_ms;     // 0: it is not
    int64_t owed;             // deliveries pending, retrying or held
    struct str last_error;    // why its last attempt failed; empty: it did not
    int64_t failing_since_ms; // when the first of those that failed up to now began; 0: unknown
};

#endif
