// The part of the store that is about generations of workflow files: their texts, so that a file
// that broke keeps its last good one over a restart, and old events can be explained. As
// store/store.h, whose contract it belongs to.
#ifndef STORE_GENERATIONS_H
#define STORE_GENERATIONS_H

#include "store/store.h"

struct store_file {
    struct str path; // relative to the rules folder
    struct str text; // put: {NULL, 0}: the file is gone
};

struct store_base { // a workflow that runs from the texts of an older generation
    struct str path;
    uint64_t generation;
};

struct store_generation {
    struct store_item item; // the store's
    // put: the next one. get: which, else 0 for the last at `at_ms`; out: 0: there is none.
    uint64_t id;
    int64_t at_ms;
    struct store_file *files; // put: those that changed since the one before; get: all, by path
    size_t file_count;
    struct store_base *bases;
    size_t base_count;
    bool is_begun;       // put: files of it were put before
    bool is_unfinished;  // put: more will be; until the last nobody gets any of it
    struct arena *arena; // get: for files and bases
    void (*on_done)(struct store_generation *g);
    void *ctx;
    int code; // out
};
// A text that several generations share is stored once, and so is a file that does not change. Many
// files are put in pieces, each in a transaction of its own, so that events need not wait for all.
void store_generation_put(struct store *s, struct store_generation *g);
// Of what was put before it was asked: on_done of the put has run.
void store_generation_get(struct store *s, struct store_generation *g);

#endif
