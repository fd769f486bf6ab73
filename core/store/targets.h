// The part of the store that is about targets: leases, which an operator has paused, or all that is
// owed, and what each is owed. As store/store.h, whose contract it belongs to.
#ifndef STORE_TARGETS_H
#define STORE_TARGETS_H

#include "store/store.h"

// The reason of a delivery that is held because its target is paused.
#define STORE_PAUSED_REASON "its target is paused by an operator"

struct store_lease {
    struct store_item item; // the store's
    struct str target;
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
    int64_t paused_at_ms; // 0: it is not
    int64_t owed;         // deliveries pending, retrying or held
};

#endif
