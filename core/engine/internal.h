// What the files of the engine share.
#ifndef ENGINE_INTERNAL_H
#define ENGINE_INTERNAL_H

#include "engine/engine.h"

struct engine_waiter { // somebody who asked for a reload
    struct engine_waiter *next;
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
    // the texts of the last stored generation: read once, before the first load
    bool has_last;
    struct arena last_arena;
    struct store_generation last;
    struct generation_file *last_files;
    struct store_generation put;
    struct store_file *put_files;
};

#endif
