// SipHash-1-3 (Aumasson, Bernstein): keyed, so that names from outside cannot be made to collide.
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_key {
    uint64_t k0, k1;
};

extern const struct hash_key
    HASH_KEY_FIXED; // for values that are stored or must agree between hosts

uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t len);

// Random bytes from the kernel (getrandom); aborts if there are none.
void random_bytes(void *out, size_t len);

#endif
