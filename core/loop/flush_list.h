// Flushes that are requested, each once, in the order in which they were. Not thread-safe; the
// flushes stay their owners'.
#ifndef LOOP_FLUSH_LIST_H
#define LOOP_FLUSH_LIST_H

#include <stddef.h>

#include "loop/loop.h"

struct flush_list { // zeroed: empty
    struct loop_flush *first, *last;
    size_t count;
};

// False where it was in the list already.
bool flush_list_add(struct flush_list *l, struct loop_flush *f);
void flush_list_remove(struct flush_list *l, struct loop_flush *f); // no-op if it is not in it
// Takes the first one out and calls it. There must be one.
void flush_list_serve(struct flush_list *l);

#endif
