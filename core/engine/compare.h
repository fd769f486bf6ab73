// The stop before judging: an update without `previous` is compared with the latest stored state of
// its record, the events before it in the same body included. For one body: which
// records' states are wanted, what the store told of them, and how each event of the body moves
// them on. What the store then finds stale is judged again against the states of that time.
// Loop thread; lives as long as its batch.
#ifndef ENGINE_COMPARE_H
#define ENGINE_COMPARE_H

#include "engine/batch.h"
#include "engine/generation.h"
#include "engine/record_diff.h"
#include "store/store.h"

enum { COMPARE_PREVIOUS_MAX = 64 << 20 }; // bytes of one `previous`

struct compare_state { // of one record, as the events judged so far leave it
    struct str key;    // type and id: one text for both
    uint64_t version;  // the id of the event that holds it; 0: there is none
    int64_t time_ms;
    struct str payload;          // the stored event, not yet looked into where record is empty
    struct str record;           // borrowed from it or from the body
    struct record_fields fields; // of `record`, once it was compared with
    bool has_fields;
};

struct compare_event {
    struct compare_state *state; // of its record; NULL: nothing of the body asks for it
    bool is_wanting;             // an update without `previous`, to be compared
    bool is_repeat;              // an earlier event of the body has its id
    bool is_known;               // it will not be stored, so it is no record's state
};

struct compare {
    struct compare_event *events; // one for each of the batch; NULL where there is nothing to do
    struct compare_state *states;
    struct store_record_row *rows; // one for each state: what to ask the store for
    size_t count;                  // 0: nothing of this body needs a stored state
    struct record_fields now;      // of the event being judged
    struct buf text;
};

// Looks which events of the batch are to be compared: those that a workflow in force wants. count 0
// is the common case and costs a look at each event. 0 or ERR_NOMEM (then too compare_fini is due).
int compare_begin(struct compare *c, const struct batch *batch, const struct generation *g,
                  struct arena *arena, struct err *e);
// Starts a round: the rows have been read (STORE_READ_RECORDS); what they hold stays borrowed.
void compare_load(struct compare *c);
// Before event i is judged: says in `out` which version it is judged against and, where there is a
// state, puts `previous` into ev, on the round's arena. Only for an event that is_wanting.
// 0, ERR_TOO_LARGE, ERR_NOMEM, ERR_CORRUPT, with words.
int compare_event(struct compare *c, size_t i, struct event *ev, struct store_event *out,
                  struct arena *arena, struct err *e);
// After event i was judged: it becomes its record's state, unless that is later or it is known.
void compare_advance(struct compare *c, size_t i, const struct event *ev,
                     const struct store_event *out);
// After the store's ERR_BUSY: which events are known and change no state.
void compare_learn(struct compare *c, const struct store_accept *accept);
void compare_fini(struct compare *c); // of a zeroed one too

// A stored event as it was judged then: `previous` is put together again where it was found by
// comparing. out borrows from the row and the arena. 0; ERR_NOT_FOUND where the payload is kept no
// more; ERR_TOO_LARGE, ERR_NOMEM, ERR_CORRUPT, with words.
int event_restore(struct event *out, const struct store_event_row *row, struct arena *arena,
                  struct err *e);

#endif
