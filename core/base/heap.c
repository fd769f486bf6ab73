#include "base/heap.h"

#include <stdlib.h>

#include "base/err.h"

enum { FIRST_CAP = 16 };

void heap_init(struct heap *h)
{
    *h = (struct heap){.nodes = NULL};
}

void heap_fini(struct heap *h)
{
    free(h->nodes);
    heap_init(h);
}

static void place(struct heap *h, size_t at, struct heap_node *n)
{
    h->nodes[at] = n;
    n->index = at + 1;
}

static size_t sift_up(struct heap *h, size_t at, struct heap_node *n)
{
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (h->nodes[parent]->key <= n->key) {
            break;
        }
        place(h, at, h->nodes[parent]);
        at = parent;
    }
    return at;
}

static size_t sift_down(struct heap *h, size_t at, struct heap_node *n)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= h->count) {
            break;
        }
        if (child + 1 < h->count && h->nodes[child + 1]->key < h->nodes[child]->key) {
            child++;
        }
        if (h->nodes[child]->key >= n->key) {
            break;
        }
        place(h, at, h->nodes[child]);
        at = child;
    }
    return at;
}

// Puts n where it belongs, starting from the free place `at`.
static void settle(struct heap *h, size_t at, struct heap_node *n)
{
    size_t up = sift_up(h, at, n);
    place(h, up == at ? sift_down(h, at, n) : up, n);
}

int heap_push(struct heap *h, struct heap_node *n, int64_t key)
{
    if (h->count == h->cap) {
        size_t cap = h->cap ? h->cap * 2 : FIRST_CAP;
        struct heap_node **nodes = realloc(h->nodes, cap * sizeof(struct heap_node *));
        if (!nodes) {
            return ERR_NOMEM;
        }
        h->nodes = nodes;
        h->cap = cap;
    }
    n->key = key;
    h->count++;
    settle(h, h->count - 1, n);
    return 0;
}

void heap_move(struct heap *h, struct heap_node *n, int64_t key)
{
    n->key = key;
    settle(h, n->index - 1, n);
}

void heap_remove(struct heap *h, struct heap_node *n)
{
    if (!heap_holds(n)) {
        return;
    }
    size_t at = n->index - 1;
    struct heap_node *last = h->nodes[--h->count];
    if (last != n) {
        settle(h, at, last);
    }
    n->index = 0;
}
