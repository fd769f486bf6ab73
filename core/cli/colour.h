// Colours on a terminal. Main thread.
#ifndef CLI_COLOUR_H
#define CLI_COLOUR_H

#include <stdio.h>

#include "base/str.h"

enum colour {
    COLOUR_NONE, // ends any other
    COLOUR_BOLD,
    COLOUR_FAINT,
    COLOUR_REVERSE,
    COLOUR_RED,
    COLOUR_GREEN,
    COLOUR_YELLOW,
    COLOUR_CYAN
};

// On a terminal, unless it is asked not to (no-color.org).
bool colour_is_wanted(FILE *out);
// The escape sequence, or nothing where is_on is false.
const char *colour(bool is_on, enum colour c);
// Of a delivery's state, or a run's outcome, or a breaker's state, as their words.
enum colour colour_of(struct str word);

#endif
