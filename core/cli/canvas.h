// Lines of text for a screen of a certain size, or for a file that has none: what does not fit is
// left out. Main thread.
#ifndef CLI_CANVAS_H
#define CLI_CANVAS_H

#include <stdio.h>

#include "cli/colour.h"

struct canvas {
    FILE *out;
    size_t rows, columns; // 0: any number
    size_t kept_rows;     // of these, at the bottom, for what is drawn last
    bool is_screen;       // lines end by what clears the rest of them
    bool has_colour;
    size_t row, column;
};

void canvas_begin(struct canvas *c); // at the top, over what is there
// Text from outside too: what could play with the terminal is made harmless.
void canvas_text(struct canvas *c, enum colour colour, struct str text);
void canvas_print(struct canvas *c, enum colour colour, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// The same in a column: width > 0 from its left end, < 0 from its right end; cut where it is
// longer, and a space behind it.
void canvas_cell(struct canvas *c, enum colour colour, int width, struct str text);
void canvas_line(struct canvas *c); // the line is whole
bool canvas_is_full(const struct canvas *c);
size_t canvas_rows_left(const struct canvas *c); // SIZE_MAX where there is no end
void canvas_end(struct canvas *c);               // clears what is below

#endif
