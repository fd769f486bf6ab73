// Small pieces of memory for one Lua state, cut from slabs by size: what Lua makes and drops for
// each event comes from a few warm slabs, however large and old the heap of loaded rules is. Lua
// says how large a piece is when it gives it back, so that a piece has no header. One thread at a
// time.
#ifndef SCRIPT_POOL_H
#define SCRIPT_POOL_H

#include <stddef.h>

enum { POOL_PIECE_MAX = 512, POOL_GRAIN = 16, POOL_CLASSES = POOL_PIECE_MAX / POOL_GRAIN };

struct pool_slab;

struct pool {
    struct pool_slab *partial[POOL_CLASSES]; // slabs of a size that have room
    struct pool_slab *spare;                 // empty ones, kept for a while
    size_t spare_count;
    struct pool_slab *reserve; // for a piece that shrinks when memory is out
};

void pool_init(struct pool *p); // allocates nothing
void pool_fini(struct pool *p); // all pieces have been given back

// As realloc, for any size; old_bytes is 0 where old is NULL, and exact where it is not. new_bytes
// of 0 frees. NULL when memory is out (the old piece stays), which Lua does not allow of a piece
// that shrinks: it stays where it is, or has a place in the reserve while there is one.
void *pool_realloc(struct pool *p, void *old, size_t old_bytes, size_t new_bytes);

#endif
