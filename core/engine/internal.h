// What the files of the engine share.
#ifndef ENGINE_INTERNAL_H
#define ENGINE_INTERNAL_H

#include "engine/engine.h"
#include "engine/past.h"
#include "engine/watch.h"

struct engine_waiter { // somebody who asked for a reload
    struct engine_waiter *next;
    bool is_explicit;
    void (*on_done)(void *ctx, int code, const struct err *e);
    void *ctx;
};

struct engine {
    struct engine_config config;
    struct generation *current;
    struct index_look look; // for the event being judged
    // the reload under way
    bool is_reloading;
    struct engine_waiter *served;  // by the reload under way
    struct engine_waiter *waiting; // came later: by the next one
    struct generation *next;
    struct err fault;
    int code;
    bool is_explicit;                               // somebody asked; else a file has changed
    bool is_same;                                   // none of the texts has
    struct engine_explain *explains;                // the first is under way
    struct generation *old[ENGINE_OLD_GENERATIONS]; // built for them, the last used first
    struct watch *watch;                            // NULL: the folder is not watched
    // what was in force before the first load: read once
    bool has_past;
    struct past_load past;
    struct store_generation put; // a piece of the files
    struct store_file *put_files;
    size_t put_count;
};

#endif
