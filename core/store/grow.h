// An array on an arena that grows while rows are read into it. Any thread.
#ifndef STORE_GROW_H
#define STORE_GROW_H

#include "base/arena.h"

// Where `count` has met `*cap`: a copy with room for twice as many, zeroed behind the old ones;
// else `items` itself. NULL when the arena is out.
static inline void *grow_on_arena(struct arena *a, void *items, size_t count, size_t *cap,
                                  size_t item_bytes)
{
    if (count < *cap) {
        return items;
    }
    size_t more = *cap ? *cap * 2 : 8;
    void *grown = arena_alloc(a, more * item_bytes);
    if (grown) {
        if (count > 0) {
            memcpy(grown, items, count * item_bytes);
        }
        *cap = more;
    }
    return grown;
}

#endif
