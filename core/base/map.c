#include "base/map.h"

#include <stdlib.h>

#include "base/err.h"

enum { FIRST_CAP = 8 };

void map_init(struct map *m)
{
    *m = (struct map){.slots = NULL};
}

void map_fini(struct map *m)
{
    free(m->slots);
    map_init(m);
}

// The slot that holds the key, or the free one where it would go. There is always a free slot.
static struct map_slot *find(struct map_slot *slots, size_t cap, struct str key, uint64_t hash)
{
    size_t at = (size_t)hash & (cap - 1);
    while (slots[at].value && !(slots[at].hash == hash && str_eq(slots[at].key, key))) {
        at = (at + 1) & (cap - 1);
    }
    return &slots[at];
}

void *map_get(const struct map *m, struct str key)
{
    if (m->count == 0) {
        return NULL;
    }
    return find(m->slots, m->cap, key, hash_bytes(&m->key, key.data, key.len))->value;
}

static int grow(struct map *m)
{
    size_t cap = m->cap ? m->cap * 2 : FIRST_CAP;
    struct map_slot *slots = calloc(cap, sizeof *slots);
    if (!slots) {
        return ERR_NOMEM;
    }
    if (m->cap == 0) {
        random_bytes(&m->key, sizeof m->key);
    }
    for (size_t i = 0; i < m->cap; i++) {
        struct map_slot *old = &m->slots[i];
        if (old->value) {
            *find(slots, cap, old->key, old->hash) = *old;
        }
    }
    free(m->slots);
    m->slots = slots;
    m->cap = cap;
    return 0;
}

int map_put(struct map *m, struct str key, void *value)
{
    // At most three quarters full: linear probing stays short.
    if (m->count >= m->cap / 4 * 3) {
        int rc = grow(m);
        if (rc != 0) {
            return rc;
        }
    }
    uint64_t hash = hash_bytes(&m->key, key.data, key.len);
    struct map_slot *slot = find(m->slots, m->cap, key, hash);
    m->count += slot->value ? 0 : 1;
    *slot = (struct map_slot){key, value, hash};
    return 0;
}

void *map_remove(struct map *m, struct str key)
{
    if (m->count == 0) {
        return NULL;
    }
    struct map_slot *slot = find(m->slots, m->cap, key, hash_bytes(&m->key, key.data, key.len));
    void *value = slot->value;
    if (!value) {
        return NULL;
    }
    m->count--;
    // Close the gap: an entry moves back into it unless it already sits between its home and the
    // gap.
    size_t mask = m->cap - 1;
    size_t gap = (size_t)(slot - m->slots);
    for (size_t at = (gap + 1) & mask; m->slots[at].value; at = (at + 1) & mask) {
        size_t home = (size_t)m->slots[at].hash & mask;
        if (((at - home) & mask) >= ((at - gap) & mask)) {
            m->slots[gap] = m->slots[at];
            gap = at;
        }
    }
    m->slots[gap] = (struct map_slot){.value = NULL};
    return value;
}

bool map_next(const struct map *m, size_t *at, struct str *key, void **value)
{
    for (; *at < m->cap; (*at)++) {
        const struct map_slot *slot = &m->slots[*at];
        if (slot->value) {
            if (key) {
                *key = slot->key;
            }
            *value = slot->value;
            (*at)++;
            return true;
        }
    }
    return false;
}
