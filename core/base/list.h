// An intrusive list, first in, first out, of which any node may leave: the node sits in the
// caller's struct, zeroed while it is in no list. Nothing is allocated. The list stays where it is.
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_node {
    struct list_node *next, *previous; // NULL: in no list
};

struct list {
    struct list_node ends; // a ring: `next` is the first, `previous` the last
};

// The struct that has the node as its member.
#define LIST_OWNER(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))

static inline void list_init(struct list *l)
{
    l->ends.next = l->ends.previous = &l->ends;
}

// NULL: it is empty. Borrowed until it leaves.
static inline struct list_node *list_first(const struct list *l)
{
    return l->ends.next == &l->ends ? NULL : l->ends.next;
}

static inline bool list_holds(const struct list_node *n)
{
    return n->next != NULL;
}

// Behind all others; n in no list.
static inline void list_append(struct list *l, struct list_node *n)
{
    n->next = &l->ends;
    n->previous = l->ends.previous;
    n->previous->next = n;
    l->ends.previous = n;
}

static inline void list_remove(struct list_node *n) // no-op if it is in none
{
    if (n->next) {
        n->next->previous = n->previous;
        n->previous->next = n->next;
        *n = (struct list_node){NULL, NULL};
    }
}

#endif
