#include "script/pool.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { POOL_SLAB_BYTES = 32 * 1024, POOL_SPARES_MAX = 32 };

// At the start of its slab, which is aligned to its size: a piece finds its slab by its address.
struct pool_slab {
    struct pool_slab *next, *previous; // of those of its size with room, or of the spares
    void *free;                        // pieces given back, each pointing at the next
    char *fresh;                       // the first piece never given out
    uint32_t used;
    uint32_t piece_bytes;
};

enum { POOL_HEADER_BYTES = 64 };
_Static_assert(sizeof(struct pool_slab) <= POOL_HEADER_BYTES, "the header has its place");

void pool_init(struct pool *p)
{
    memset(p, 0, sizeof *p);
}

void pool_fini(struct pool *p)
{
    while (p->spare) {
        struct pool_slab *slab = p->spare;
        p->spare = slab->next;
        free(slab);
    }
    free(p->reserve);
    p->reserve = NULL;
}

static size_t pool_class(size_t bytes)
{
    return (bytes - 1) / POOL_GRAIN;
}

static struct pool_slab *pool_slab_of(void *piece)
{
    return (struct pool_slab *)((uintptr_t)piece & ~(uintptr_t)(POOL_SLAB_BYTES - 1));
}

static void pool_link(struct pool_slab **list, struct pool_slab *slab)
{
    slab->previous = NULL;
    slab->next = *list;
    if (slab->next)
        slab->next->previous = slab;
    *list = slab;
}

static void pool_unlink(struct pool_slab **list, struct pool_slab *slab)
{
    if (slab->previous)
        slab->previous->next = slab->next;
    else
        *list = slab->next;
    if (slab->next)
        slab->next->previous = slab->previous;
}

static struct pool_slab *pool_new_slab(struct pool *p, size_t class)
{
    struct pool_slab *slab = p->spare;
    if (slab) {
        p->spare = slab->next;
        p->spare_count--;
    } else {
        slab = aligned_alloc(POOL_SLAB_BYTES, POOL_SLAB_BYTES);
        if (!slab)
            return NULL;
        if (!p->reserve)
            p->reserve = aligned_alloc(POOL_SLAB_BYTES, POOL_SLAB_BYTES);
    }
    slab->free = NULL;
    slab->fresh = (char *)slab + POOL_HEADER_BYTES;
    slab->used = 0;
    slab->piece_bytes = (uint32_t)((class + 1) * POOL_GRAIN);
    pool_link(&p->partial[class], slab);
    return slab;
}

static bool pool_has_fresh(const struct pool_slab *slab)
{
    return slab->fresh + slab->piece_bytes <= (const char *)slab + POOL_SLAB_BYTES;
}

static void *pool_take(struct pool *p, size_t bytes)
{
    size_t class = pool_class(bytes);
    struct pool_slab *slab = p->partial[class];
    if (!slab && !(slab = pool_new_slab(p, class)))
        return NULL;
    void *piece = slab->free;
    if (piece) {
        memcpy(&slab->free, piece, sizeof slab->free);
    } else {
        piece = slab->fresh;
        slab->fresh += slab->piece_bytes;
    }
    slab->used++;
    if (!slab->free && !pool_has_fresh(slab))
        pool_unlink(&p->partial[class], slab);
    return piece;
}

// A large piece that becomes a small one cannot stay: it would be taken for one of a slab.
static void *pool_take_reserve(struct pool *p, size_t bytes)
{
    struct pool_slab *slab = p->reserve;
    if (!slab)
        return NULL;
    p->reserve = NULL;
    slab->next = p->spare;
    p->spare = slab;
    p->spare_count++;
    return pool_take(p, bytes);
}

// The slab knows its size: a piece that shrank in place is of a smaller one by now.
static void pool_give_back(struct pool *p, void *piece)
{
    struct pool_slab *slab = pool_slab_of(piece);
    size_t class = pool_class(slab->piece_bytes);
    if (!slab->free && !pool_has_fresh(slab)) // it was full
        pool_link(&p->partial[class], slab);
    memcpy(piece, &slab->free, sizeof slab->free);
    slab->free = piece;
    if (--slab->used > 0)
        return;
    pool_unlink(&p->partial[class], slab);
    if (p->spare_count == POOL_SPARES_MAX) {
        free(slab);
        return;
    }
    slab->next = p->spare;
    p->spare = slab;
    p->spare_count++;
}

void *pool_realloc(struct pool *p, void *old, size_t old_bytes, size_t new_bytes)
{
    bool was_small = old && old_bytes <= POOL_PIECE_MAX;
    bool is_small = new_bytes <= POOL_PIECE_MAX;
    if (new_bytes == 0) {
        if (was_small)
            pool_give_back(p, old);
        else
            free(old);
        return NULL;
    }
    if (!is_small && !was_small) {
        void *moved = realloc(old, new_bytes);
        return moved || new_bytes > old_bytes ? moved : old;
    }
    if (was_small && is_small && pool_class(old_bytes) == pool_class(new_bytes))
        return old;
    void *piece = is_small ? pool_take(p, new_bytes) : malloc(new_bytes);
    if (!piece && new_bytes < old_bytes) {
        if (was_small)
            return old;
        piece = pool_take_reserve(p, new_bytes);
    }
    if (!piece || !old)
        return piece;
    memcpy(piece, old, old_bytes < new_bytes ? old_bytes : new_bytes);
    if (was_small)
        pool_give_back(p, old);
    else
        free(old);
    return piece;
}
