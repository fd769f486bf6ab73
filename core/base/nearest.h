// "Did you mean": the nearest of the right names to a word that is none of them. Any thread; a
// value.
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include "base/str.h"

struct nearest {
    struct str word;   // borrowed
    struct str name;   // the nearest so far, borrowed; {NULL,0} while none is near enough
    unsigned distance; // of name; else the least distance that is too far
};

// Near enough is an edit distance of at most 1 for a word of up to 3 bytes, 2 for up to 8, else 3.
void nearest_init(struct nearest *n, struct str word);
// Offers a right name; of two at the same distance the first stays.
void nearest_offer(struct nearest *n, struct str name);

#endif
