#include "base/id_set.h"

#include <stdlib.h>

#include "base/err.h"

enum { CAP_LEAST = 64 };

// Where it is, or belongs. There is always a free slot.
static size_t find_slot(const struct id_set *s, uint64_t id)
{
    size_t at = (size_t)((id * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (s->cap - 1);
    while (s->slots[at] && s->slots[at] != id) {
        at = (at + 1) & (s->cap - 1);
    }
    return at;
}

static int grow(struct id_set *s)
{
    struct id_set more = {.cap = s->cap ? s->cap * 2 : CAP_LEAST, .count = s->count};
    more.slots = calloc(more.cap, sizeof *more.slots);
    if (more.slots == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < s->cap; i++) {
        if (s->slots[i]) {
            more.slots[find_slot(&more, s->slots[i])] = s->slots[i];
        }
    }
    free(s->slots);
    *s = more;
    return 0;
}

int id_set_add(struct id_set *s, uint64_t id)
{
    if (s->count * 2 >= s->cap && grow(s) != 0) {
        return ERR_NOMEM;
    }
    size_t at = find_slot(s, id);
    s->count += s->slots[at] == 0;
    s->slots[at] = id;
    return 0;
}

bool id_set_has(const struct id_set *s, uint64_t id)
{
    return s->cap && s->slots[find_slot(s, id)] == id;
}

void id_set_fini(struct id_set *s)
{
    free(s->slots);
    *s = (struct id_set){0};
}
