// A generation as it was stored: its texts, and those of the older ones that some of its workflows
// ran from. Loop thread only.
#ifndef ENGINE_PAST_H
#define ENGINE_PAST_H

#include "engine/generation.h"
#include "store/generations.h"

struct past_load {
    struct store *store;
    uint64_t id;   // which; 0: the last at `at_ms`. Out: 0: there is none.
    int64_t at_ms; // wall
    void (*on_done)(struct past_load *p);
    void *ctx;
    // out:
    int code;
    struct generation_past past; // the caller's, to end with generation_past_fini
    // its own:
    struct arena arena; // of the generation itself
    struct arena base_arena;
    struct store_generation get;
    struct store_base *bases;
    size_t base_count;
    size_t base_at;
};

// on_done is called with 0 and the past, ERR_NOMEM, or what the store says.
void past_load_begin(struct past_load *p);

#endif
