#include "encode/header_lines.h"

bool header_lines_next(struct str *left, struct str *name, struct str *value)
{
    while (left->len) {
        const char *end = memchr(left->data, '\n', left->len);
        struct str line = {left->data, end ? (size_t)(end - left->data) : left->len};
        const char *colon;

        *left = end ? (struct str){end + 1, left->len - line.len - 1} : (struct str){NULL, 0};
        colon = line.len ? memchr(line.data, ':', line.len) : NULL;
        if (colon) {
            *name = (struct str){line.data, (size_t)(colon - line.data)};
            *value = str_trim((struct str){colon + 1, line.len - name->len - 1});
            return true;
        }
    }
    return false;
}

void header_lines_write_json(struct json_writer *w, struct str lines)
{
    struct str names[HEADER_LINES_MAX], values[HEADER_LINES_MAX];
    struct buf joined;
    size_t count = 0;

    while (count < HEADER_LINES_MAX && header_lines_next(&lines, &names[count], &values[count]))
        count++;
    buf_init(&joined, HEADER_LINES_JOINED_MAX);
    json_object_begin(w);
    for (size_t i = 0; i < count; i++) {
        struct str name = names[i];

        if (!name.len)
            continue;
        buf_reset(&joined);
        for (size_t k = i; k < count; k++) {
            if (!str_eq_nocase(names[k], name))
                continue;
            buf_append_text(&joined, k > i ? ", " : "");
            buf_append_str(&joined, values[k]);
            names[k].len = 0; // taken
        }
        json_key(w, name);
        json_string(w, buf_str(&joined));
    }
    json_object_end(w);
    buf_fini(&joined);
}
