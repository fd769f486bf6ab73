#include "base/arena.h"

#include <stdalign.h>
#include <stdlib.h>

// The first block fits what malloc keeps at hand for each thread.
enum { FIRST_BLOCK_BYTES = 992, LARGEST_BLOCK_BYTES = 256 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t size;
    alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *a, size_t max_bytes)
{
    *a = (struct arena){.max_bytes = max_bytes};
}

void arena_fini(struct arena *a)
{
    while (a->head) {
        struct arena_block *next = a->head->next;
        free(a->head);
        a->head = next;
    }
    arena_init(a, a->max_bytes);
}

static struct arena_block *block_new(size_t size)
{
    struct arena_block *block = malloc(sizeof *block + size);
    if (block) {
        block->next = NULL;
        block->used = 0;
        block->size = size;
    }
    return block;
}

// A block with room for `len` bytes. A piece that would waste most of a block gets one of its own,
// behind the head, so that the head's rest is still used.
static struct arena_block *block_for(struct arena *a, size_t len)
{
    struct arena_block *head = a->head;
    if (head && head->size - head->used >= len) {
        return head;
    }
    size_t size = head ? head->size * 2 : FIRST_BLOCK_BYTES;
    size = size < LARGEST_BLOCK_BYTES ? size : LARGEST_BLOCK_BYTES;
    bool is_large = len > size / 2;
    struct arena_block *block = block_new(is_large ? len : size);
    if (!block) {
        a->is_starved = true;
        return NULL;
    }
    if (is_large && head) {
        block->next = head->next;
        head->next = block;
    } else {
        block->next = head;
        a->head = block;
    }
    return block;
}

static void *take(struct arena *a, size_t len)
{
    size_t align = alignof(max_align_t);
    if (len > SIZE_MAX - align || a->used_bytes > a->max_bytes) {
        return NULL;
    }
    size_t rounded = (len + align - 1) & ~(align - 1);
    if (rounded > a->max_bytes - a->used_bytes) {
        return NULL;
    }
    struct arena_block *block = block_for(a, rounded);
    if (!block) {
        return NULL;
    }
    void *piece = block->bytes + block->used;
    block->used += rounded;
    a->used_bytes += rounded;
    return piece;
}

void *arena_alloc(struct arena *a, size_t len)
{
    void *piece = take(a, len > 0 ? len : 1);
    return piece ? memset(piece, 0, len) : NULL;
}

struct str arena_dup(struct arena *a, struct str s)
{
    char *copy = s.len < SIZE_MAX ? take(a, s.len + 1) : NULL;
    if (!copy) {
        return (struct str){NULL, 0};
    }
    if (s.len > 0) {
        memcpy(copy, s.data, s.len);
    }
    copy[s.len] = '\0';
    return (struct str){copy, s.len};
}
