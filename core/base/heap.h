// An intrusive binary min-heap: the node sits in the caller's struct, so an entry costs one
// pointer.
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
    int64_t key;  // smallest first
    size_t index; // place in the heap + 1; 0: not in a heap
};

struct heap {
    struct heap_node **nodes;
    size_t count;
    size_t cap;
};

void heap_init(struct heap *h); // allocates nothing
void heap_fini(struct heap *h); // forgets the nodes; frees the array alone
int heap_push(struct heap *h, struct heap_node *n, int64_t key);  // n not in a heap; 0 or ERR_NOMEM
void heap_move(struct heap *h, struct heap_node *n, int64_t key); // n in the heap; its new key
void heap_remove(struct heap *h, struct heap_node *n);            // no-op if it is not in
static inline struct heap_node *heap_top(const struct heap *h)
{
    return h->count ? h->nodes[0] : NULL;
}
static inline bool heap_holds(const struct heap_node *n)
{
    return n->index != 0;
}

#endif
