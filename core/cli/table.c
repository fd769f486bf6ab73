#include "cli/table.h"

#include <stdlib.h>
#include <string.h>

void table_print_safe(FILE *out, struct str text, bool keep_lines)
{
    size_t at = 0;

    while (at < text.len) {
        struct str rest = {text.data + at, text.len - at};
        size_t good = 0;

        if (str_is_utf8(rest, &good))
            good = rest.len;
        for (size_t i = 0; i < good; i++) {
            unsigned char ch = (unsigned char)rest.data[i];
            // U+0080 to U+009F are control characters of terminals too.
            bool is_c1 = ch == 0xC2 && i + 1 < good && (unsigned char)rest.data[i + 1] < 0xA0;

            if (keep_lines && (ch == '\n' || ch == '\t'))
                fputc(ch, out);
            else if (ch == '\n')
                fputs("\\n", out);
            else if (is_c1)
                fprintf(out, "\\x%02X", (unsigned char)rest.data[++i]);
            else if (ch < 0x20 || ch == 0x7F)
                fprintf(out, "\\x%02X", ch);
            else
                fputc(ch, out);
        }
        at += good;
        if (at < text.len)
            fprintf(out, "\\x%02X", (unsigned char)text.data[at++]);
    }
}

void table_init(struct table *t, const char *const *names, size_t column_count, struct arena *arena)
{
    *t = (struct table){.arena = arena, .names = names, .column_count = column_count};
}

// Characters, as a terminal counts them for most of the world: not the bytes that continue one.
static size_t width(struct str s)
{
    size_t count = 0;

    for (size_t i = 0; i < s.len; i++)
        count += ((unsigned char)s.data[i] & 0xC0) != 0x80;
    return count;
}

// A cell as it is shown, on the arena: safe, and cut where it is too long.
static struct str shown(struct table *t, struct str cell, bool may_be_long)
{
    char *text = NULL;
    size_t len = 0;
    FILE *memory = open_memstream(&text, &len);
    struct str out = {"", 0};

    if (!memory)
        return out;
    table_print_safe(memory, cell, false);
    fclose(memory);
    if (!may_be_long && width((struct str){text, len}) > TABLE_CELL_MAX) {
        size_t keep = 0;
        size_t count = 0;

        while (keep < len) {
            count += ((unsigned char)text[keep] & 0xC0) != 0x80;
            if (count > TABLE_CELL_MAX - 3)
                break;
            keep++;
        }
        memcpy(text + keep, "...", 3);
        len = keep + 3;
    }
    out = arena_dup(t->arena, (struct str){text, len});
    free(text);
    return out;
}

void table_add(struct table *t, struct str cell)
{
    bool is_last = t->cell_count % t->column_count == t->column_count - 1;

    if (t->cell_count == t->cell_cap) {
        size_t cap = t->cell_cap ? t->cell_cap * 2 : t->column_count * 32;
        struct str *cells = arena_alloc(t->arena, cap * sizeof(*cells));

        if (!cells)
            return;
        if (t->cells)
            memcpy(cells, t->cells, t->cell_count * sizeof(*cells));
        t->cells = cells;
        t->cell_cap = cap;
    }
    t->cells[t->cell_count++] = shown(t, cell, is_last);
}

void table_print(const struct table *t, FILE *out)
{
    size_t widths[TABLE_COLUMNS_MAX];

    for (size_t i = 0; i < t->column_count; i++)
        widths[i] = strlen(t->names[i]);
    for (size_t i = 0; i < t->cell_count; i++) {
        size_t w = width(t->cells[i]);

        if (w > widths[i % t->column_count])
            widths[i % t->column_count] = w;
    }
    for (size_t i = 0; i < t->column_count; i++)
        fprintf(out, "%-*s%s", i + 1 < t->column_count ? (int)widths[i] : 0, t->names[i],
                i + 1 < t->column_count ? "  " : "\n");
    for (size_t i = 0; i < t->cell_count; i++) {
        size_t column = i % t->column_count;
        struct str cell = t->cells[i];

        fwrite(cell.data, 1, cell.len, out);
        if (column + 1 == t->column_count)
            fputc('\n', out);
        else
            fprintf(out, "%*s", (int)(widths[column] - width(cell) + 2), "");
    }
}
