#include "encode/json_check.h"

#include "encode/json_reader.h"

static void find_place(struct str text, size_t offset, size_t *line, size_t *column)
{
    *line = 1;
    *column = 1;
    for (size_t i = 0; i < offset && i < text.len; i++) {
        if (text.data[i] == '\n') {
            ++*line;
            *column = 1;
        } else {
            *column += ((unsigned char)text.data[i] & 0xC0) != 0x80; // not inside a character
        }
    }
}

int json_check(struct str text, unsigned max_depth, struct buf *scratch, struct err *e)
{
    struct json_reader r;
    size_t line, column;
    json_reader_init(&r, text, max_depth, scratch);
    if (json_skip(&r, json_read(&r)) == 0 && json_read(&r) == JSON_END) {
        return 0;
    }
    find_place(text, r.fault_at, &line, &column);
    return err_set(e, (enum err_code)r.fault_code, "line %zu, column %zu: %s", line, column,
                   r.fault);
}
