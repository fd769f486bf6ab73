// Turns at records: of the bodies that are compared with a record's stored state, one at a time is
// judged and committed, in the order in which they came, so that each sees the one before it. A
// body has its turn when it is the first at all of its records; since it queues at all of them at
// once, no two bodies wait for each other. Loop thread.
#ifndef ENGINE_RECORD_QUEUE_H
#define ENGINE_RECORD_QUEUE_H

#include "base/arena.h"
#include "base/map.h"

struct record_queue { // zeroed: nobody is in it
    struct map gates; // a record's key -> struct record_gate
};

struct record_gate;

struct record_place { // of one body at one record
    struct record_gate *gate;
    struct record_place *next;
    struct record_turn *turn;
};

struct record_turn { // of one body
    struct record_place *places;
    size_t count;
    size_t ahead; // places at which somebody is before it
    void (*on_turn)(void *ctx);
    void *ctx;
};

// Queues at a record. All of a body's are entered in one go, then record_turn_has_come says whether
// the turn has come already; else on_turn is called when it does, out of another's leave: it must
// not leave itself there. places: room for all of them. 0 or ERR_NOMEM; then too leave is due.
int record_queue_enter(struct record_queue *q, struct record_turn *t, struct str key);
bool record_turn_has_come(const struct record_turn *t);
void record_queue_leave(struct record_queue *q, struct record_turn *t);
void record_queue_fini(struct record_queue *q); // nobody may be in it

#endif
