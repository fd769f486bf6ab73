// At which line of the file a wrong value stands. The table that Lua returns does not tell, so its
// key is looked for in the text: where one place alone gives such a key, that is the line.
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "config_keys.h"

enum { LINES_FILE_MAX = 1024 * 1024 };

static bool is_name_char(char c)
{
    return config_is_name((struct str){(char[]){'_', c}, 2});
}

// Whether the name at `at` is whole there, and given a value: `name =`, `["name"] =`.
static bool is_given_at(struct str line, size_t at, size_t name_len)
{
    size_t i = at + name_len;

    if (at > 0 && is_name_char(line.data[at - 1]))
        return false;
    if (i + 1 < line.len && (line.data[i] == '"' || line.data[i] == '\'') &&
        line.data[i + 1] == ']')
        i += 2;
    while (i < line.len && (line.data[i] == ' ' || line.data[i] == '\t'))
        i++;
    return i < line.len && line.data[i] == '=' && (i + 1 == line.len || line.data[i + 1] != '=');
}

// How long the line is without its comment; `--` in a text begins none.
static size_t code_len(struct str line)
{
    char quote = 0;

    for (size_t i = 0; i < line.len; i++) {
        char c = line.data[i];

        if (quote && c == '\\')
            i++;
        else if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '-' && i + 1 < line.len && line.data[i + 1] == '-')
            return i;
    }
    return line.len;
}

static size_t count_in_line(struct str line, struct str name)
{
    size_t count = 0;

    line.len = code_len(line);
    for (size_t i = 0; i + name.len <= line.len; i++)
        if (memcmp(line.data + i, name.data, name.len) == 0 && is_given_at(line, i, name.len))
            count++;
    return count;
}

size_t config_line_of(struct str text, struct str name)
{
    size_t found = 0, line = 1;

    while (text.len && name.len) {
        const char *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;
        size_t count = count_in_line((struct str){text.data, len}, name);

        if (count > 1 || (count && found))
            return 0;
        found = count ? line : found;
        len += end != NULL;
        text = (struct str){text.data + len, text.len - len};
        line++;
    }
    return found;
}

void config_say_line(struct config *c, size_t from, struct str name)
{
    const size_t file_len = strlen(c->file);
    char *text = NULL;
    size_t len, line = 0;

    if (from == c->message_count)
        return;
    if (file_read(c->file, LINES_FILE_MAX, &text, &len, NULL) == 0)
        line = config_line_of((struct str){text, len}, name);
    free(text);
    for (size_t i = from; line && i < c->message_count; i++) {
        struct config_message *m = &c->messages[i];
        char said[ERR_TEXT_MAX];
        struct str copy;

        if (strncmp(m->text, c->file, file_len) != 0)
            continue;
        snprintf(said, sizeof(said), "%s:%zu%s", c->file, line, m->text + file_len);
        copy = arena_dup(&c->arena, str_from(said));
        m->text = copy.data ? copy.data : m->text;
    }
}
