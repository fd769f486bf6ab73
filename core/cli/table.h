// Text for people on a terminal: values that came from outside made harmless, and tables with
// aligned columns. Main thread.
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdio.h>

#include "base/arena.h"
#include "base/str.h"

// Writes text with control characters and broken UTF-8 as escapes (\n, \x1B), so that no event can
// play with the terminal. keep_lines: newlines and tabs stay.
void table_print_safe(FILE *out, struct str text, bool keep_lines);

enum { TABLE_COLUMNS_MAX = 10, TABLE_CELL_MAX = 60 };

struct table {
    struct arena *arena;
    const char *const *names; // column_count of them
    size_t column_count;
    struct str *cells; // row by row
    size_t cell_count;
    size_t cell_cap;
};

// names: borrowed. Cells are borrowed until table_print.
void table_init(struct table *t, const char *const *names, size_t column_count,
                struct arena *arena);
void table_add(struct table *t, struct str cell); // row by row, column by column
// A cell over TABLE_CELL_MAX characters ends with "..."; the last column is never cut.
void table_print(const struct table *t, FILE *out);

#endif
