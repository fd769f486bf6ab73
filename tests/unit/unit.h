// What every C unit test includes: cmocka with the headers it wants, and assertions on struct str.
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/str.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

// The message of a failed case of a table: says which case it was.
#define fail_case(index, ...)                                                                      \
    do {                                                                                           \
        print_error("case %zu: ", (size_t)(index));                                                \
        print_error(__VA_ARGS__);                                                                  \
        print_error("\n");                                                                         \
        fail();                                                                                    \
    } while (0)

static inline void assert_str(struct str got, struct str wanted)
{
    if (!str_eq(got, wanted)) {
        print_error("got    \"" STR_FMT "\"\nwanted \"" STR_FMT "\"\n", STR_ARG(got),
                    STR_ARG(wanted));
        fail();
    }
}

static inline void assert_str_text(struct str got, const char *wanted)
{
    assert_str(got, str_from(wanted));
}

// A small generator of numbers for property tests (xorshift64*): the same on every machine.
static inline uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545F4914F6CDD1D);
}

#endif
