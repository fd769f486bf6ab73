// A bump allocator: many small pieces that die together (one request body and all it caused).
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

struct arena_block;

struct arena {
    struct arena_block *head;
    size_t used_bytes;
    size_t max_bytes;
    bool is_starved; // malloc had nothing; else what could not be given went over the maximum
};

void arena_init(struct arena *a, size_t max_bytes); // allocates nothing
void arena_fini(struct arena *a);

// Zeroed, aligned for any type; NULL when memory (is_starved) or the maximum is out.
void *arena_alloc(struct arena *a, size_t len);
// A copy that lives as long as the arena, NUL-terminated behind its end. {NULL,0} when memory is
// out (an empty s gives a non-NULL data pointer).
struct str arena_dup(struct arena *a, struct str s);

#endif
