#include "cli/canvas.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include "cli/table.h"

enum { PRINT_MAX_BYTES = 1024 };

void canvas_begin(struct canvas *c)
{
    c->row = c->column = 0;
    if (c->is_screen)
        fputs("\033[H", c->out);
}

bool canvas_is_full(const struct canvas *c)
{
    return c->rows && c->row + c->kept_rows >= c->rows;
}

size_t canvas_rows_left(const struct canvas *c)
{
    return !c->rows ? SIZE_MAX : canvas_is_full(c) ? 0 : c->rows - c->kept_rows - c->row;
}

static bool begins_character(char byte)
{
    return ((unsigned char)byte & 0xC0) != 0x80;
}

// How many bytes of the text have room in so many columns; *width: the columns they take.
static size_t fitting(struct str text, size_t columns, size_t *width)
{
    size_t at = 0;

    *width = 0;
    while (at < text.len) {
        if (begins_character(text.data[at]) && (*width)++ == columns) {
            (*width)--;
            break;
        }
        at++;
    }
    return at;
}

// Writes safe text and spaces about it, as far as the line goes.
static void put(struct canvas *c, enum colour how, struct str text, int cell)
{
    size_t left = c->columns ? c->columns - c->column : SIZE_MAX;
    size_t most = (size_t)abs(cell);
    size_t width;
    size_t len = fitting(text, cell && most < left ? most : left, &width);
    size_t pad = cell && most > width && most <= left ? most - width : 0;

    if (canvas_is_full(c))
        return;
    fprintf(c->out, "%*s%s%.*s%s%*s", cell < 0 ? (int)pad : 0, "",
            how == COLOUR_NONE ? "" : colour(c->has_colour, how), (int)len, text.data,
            how == COLOUR_NONE ? "" : colour(c->has_colour, COLOUR_NONE), cell > 0 ? (int)pad : 0,
            "");
    c->column += width + pad;
}

static void put_any(struct canvas *c, enum colour how, struct str text, int cell)
{
    char *safe = NULL;
    size_t len = 0;
    FILE *memory = open_memstream(&safe, &len);

    if (memory) {
        table_print_safe(memory, text, false);
        if (fclose(memory) == 0)
            put(c, how, (struct str){safe, len}, cell);
        free(safe);
    }
}

void canvas_text(struct canvas *c, enum colour how, struct str text)
{
    put_any(c, how, text, 0);
}

void canvas_print(struct canvas *c, enum colour how, const char *format, ...)
{
    char text[PRINT_MAX_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    put_any(c, how, str_from(text), 0);
}

void canvas_cell(struct canvas *c, enum colour how, int width, struct str text)
{
    put_any(c, how, text, width);
    put(c, COLOUR_NONE, STR(" "), 0);
}

void canvas_line(struct canvas *c)
{
    if (!canvas_is_full(c)) {
        bool is_last = c->rows && c->row + 1 == c->rows;

        // A line's end on the last row would move all of them up.
        fputs(!c->is_screen ? "\n" : is_last ? "\033[K" : "\033[K\r\n", c->out);
    }
    c->row += !canvas_is_full(c);
    c->column = 0;
}

void canvas_end(struct canvas *c)
{
    if (c->is_screen && !canvas_is_full(c))
        fputs("\033[J", c->out);
    fflush(c->out);
}
