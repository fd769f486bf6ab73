// A set of ids. Zeroed it is empty. Any thread, one at a time.
#ifndef BASE_ID_SET_H
#define BASE_ID_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct id_set {
    uint64_t *slots; // 0: free
    size_t cap;      // 0 or a power of two
    size_t count;
};

// id is not 0. 0, also where it was in it; ERR_NOMEM.
int id_set_add(struct id_set *s, uint64_t id);
bool id_set_has(const struct id_set *s, uint64_t id);
void id_set_fini(struct id_set *s);

#endif
