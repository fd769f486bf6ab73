// A hash map from byte strings to pointers (open addressing, randomly keyed). Keys are borrowed:
// they must live as long as their entry, usually inside the value.
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/hash.h"
#include "base/str.h"

struct map_slot {
    struct str key;
    void *value; // NULL: free
    uint64_t hash;
};

struct map {
    struct map_slot *slots;
    size_t cap;   // 0 or a power of two
    size_t count; // entries in use
    struct hash_key key;
};

void map_init(struct map *m); // allocates nothing
void map_fini(struct map *m); // frees the slots, not what they point at

void *map_get(const struct map *m, struct str key); // NULL when absent
// Puts a value (not NULL) under a key; an entry already there is replaced, key and all. 0 or
// ERR_NOMEM.
int map_put(struct map *m, struct str key, void *value);
void *map_remove(struct map *m, struct str key); // what was there, or NULL

// Visits all: start with *at = 0; false at the end. key may be NULL. The map must not change
// meanwhile.
bool map_next(const struct map *m, size_t *at, struct str *key, void **value);

#endif
