// What the fuzz targets share. A target is one file with LLVMFuzzerTestOneInput: it feeds the bytes
// to a parser and aborts where what comes out breaks a promise of the parser's header. Linked with
// libFuzzer (`make fuzz`), or with replay.c, which runs the kept corpus (`make test`).
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A promise that the code under test gives. Unlike assert() it is there in every build.
#define promise(holds)                                                                             \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #holds);                    \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static inline struct str fuzz_text(const uint8_t *data, size_t size)
{
    return (struct str){(const char *)data, size};
}

// Whether `part` lies in `whole`, ends included.
static inline bool fuzz_is_inside(struct str part, struct str whole)
{
    return part.len == 0 || (part.data >= whole.data && part.len <= whole.len &&
                             part.data - whole.data <= (ptrdiff_t)(whole.len - part.len));
}

#endif
