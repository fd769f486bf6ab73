#include "cli/show.h"

#include <stdlib.h>

#include "cli/colour.h"
#include "cli/table.h"

enum { FIELD_WIDTH = 10, TREE_MAX_BYTES = 64 * 1024 * 1024 };

void show_field(FILE *out, const char *name, const struct json_node *value)
{
    struct str text = json_tree_text(value);

    if (!text.len)
        return;
    fprintf(out, "  %-*s ", FIELD_WIDTH, name);
    table_print_safe(out, text, false);
    fputc('\n', out);
}

void show_json(FILE *out, const struct json_node *value, int indent)
{
    bool is_object = value->kind == JSON_OBJECT_BEGIN;

    if (!value->first) {
        // Escapes stand as they were written, so a text cannot play with the terminal.
        table_print_safe(out, value->raw, false);
        return;
    }
    fputs(is_object ? "{\n" : "[\n", out);
    for (const struct json_node *n = value->first; n; n = n->next) {
        fprintf(out, "%*s", indent + 2, "");
        if (is_object) {
            fputc('"', out);
            table_print_safe(out, n->key, false);
            fputs("\": ", out);
        }
        show_json(out, n, indent + 2);
        fputs(n->next ? ",\n" : "\n", out);
    }
    fprintf(out, "%*s%c", indent, "", is_object ? '}' : ']');
}

static void show_headers(FILE *out, const char *mark, const struct json_node *headers)
{
    for (const struct json_node *h = headers ? headers->first : NULL; h; h = h->next) {
        fputs(mark, out);
        table_print_safe(out, h->key, false);
        fputs(": ", out);
        table_print_safe(out, json_tree_text(h), false);
        fputc('\n', out);
    }
}

// JSON over several lines, in memory to be freed; NULL: it is not JSON, or there is no memory.
static char *show_indented(struct str body, size_t *len)
{
    struct arena arena;
    struct json_node *root;
    char *text = NULL;
    FILE *memory = NULL;

    arena_init(&arena, TREE_MAX_BYTES);
    if (body.len && (body.data[0] == '{' || body.data[0] == '[') &&
        json_tree_read(&root, body, &arena, NULL) == 0 && root->first)
        memory = open_memstream(&text, len);
    if (memory) {
        show_json(memory, root, 0);
        if (fclose(memory) != 0) {
            free(text);
            text = NULL;
        }
    }
    arena_fini(&arena);
    return text;
}

static void show_body(FILE *out, const char *mark, struct str body, enum show_bodies bodies)
{
    size_t indented_len;
    char *indented = bodies == SHOW_INDENTED ? show_indented(body, &indented_len) : NULL;

    if (body.len)
        fprintf(out, "%s\n", mark);
    if (indented)
        body = (struct str){indented, indented_len};
    while (body.len) {
        const char *end = memchr(body.data, '\n', body.len);
        size_t len = end ? (size_t)(end - body.data) : body.len;

        fputs(mark, out);
        table_print_safe(out, (struct str){body.data, len}, true);
        fputc('\n', out);
        len += end ? 1 : 0;
        body = (struct str){body.data + len, body.len - len};
    }
    free(indented);
}

void show_request(FILE *out, const struct json_node *request, enum show_bodies bodies)
{
    fputs("  > ", out);
    table_print_safe(out, json_tree_text(json_tree_get(request, "method")), false);
    fputc(' ', out);
    table_print_safe(out, json_tree_text(json_tree_get(request, "url")), false);
    fputc('\n', out);
    show_headers(out, "  > ", json_tree_get(request, "headers"));
    show_body(out, "  > ", json_tree_text(json_tree_get(request, "body")), bodies);
}

void show_response(FILE *out, const struct json_node *response, enum show_bodies bodies)
{
    fprintf(out, "  < status " STR_FMT "\n",
            STR_ARG(json_tree_text(json_tree_get(response, "status"))));
    show_headers(out, "  < ", json_tree_get(response, "headers"));
    show_body(out, "  < ", json_tree_text(json_tree_get(response, "body")), bodies);
    if (json_tree_is_true(json_tree_get(response, "truncated")))
        fputs("  < ... (the rest was not kept)\n", out);
}

static void show_leaf(FILE *out, const struct json_node *leaf)
{
    const struct json_node *wanted = json_tree_get(leaf, "wanted");
    const struct json_node *seen = json_tree_get(leaf, "seen");
    struct str field = json_tree_text(json_tree_get(leaf, "field"));
    struct str note = json_tree_text(json_tree_get(leaf, "note"));

    table_print_safe(out, field.len ? field : STR("a function"), false);
    if (field.len) {
        fputc(' ', out);
        table_print_safe(out, json_tree_text(json_tree_get(leaf, "operator")), false);
    }
    if (wanted && wanted->kind != JSON_NULL) {
        fputc(' ', out);
        table_print_safe(out, wanted->raw, false);
    }
    if (field.len && seen) {
        fputs(", seen: ", out);
        table_print_safe(out, seen->raw, false);
    }
    if (note.len) {
        fputs(" (", out);
        table_print_safe(out, note, false);
        fputc(')', out);
    }
    fputc('\n', out);
}

void show_trace(FILE *out, const struct json_node *trace, int indent)
{
    static const char *const groups[] = {"all", "any", "none"};
    bool holds = json_tree_is_true(json_tree_get(trace, "verdict"));

    bool is_on = colour_is_wanted(out);

    fprintf(out, "%*s%s%s%s ", indent, "", colour(is_on, holds ? COLOUR_GREEN : COLOUR_RED),
            holds ? "yes" : "no ", colour(is_on, COLOUR_NONE));
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        const struct json_node *list = json_tree_get(trace, groups[i]);

        if (!list)
            continue;
        fprintf(out, "%s of\n", groups[i]);
        for (const struct json_node *child = list->first; child; child = child->next)
            show_trace(out, child, indent + 2);
        return;
    }
    show_leaf(out, trace);
}
