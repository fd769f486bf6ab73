#include "cli/test_cover.h"

#include "cli/json_tree.h"
#include "cli/table.h"

enum { COVER_ARENA_MAX = 64 * 1024 * 1024, COVER_TEXT_MAX = 8 * 1024 * 1024 };

void test_cover_init(struct test_cover *c)
{
    *c = (struct test_cover){.first = NULL};
    arena_init(&c->arena, COVER_ARENA_MAX);
}

void test_cover_fini(struct test_cover *c)
{
    arena_fini(&c->arena);
}

static struct test_cover_file *find(struct test_cover *c, const char *file)
{
    struct test_cover_file **tail = &c->first;

    for (; *tail; tail = &(*tail)->next)
        if (str_eq((*tail)->file, str_from(file)))
            return *tail;
    struct test_cover_file *made = arena_alloc(&c->arena, sizeof(*made));
    if (!made)
        return NULL;
    made->file = arena_dup(&c->arena, str_from(file));
    *tail = made;
    return made->file.data ? made : NULL;
}

int test_cover_add(struct test_cover *c, const char *file)
{
    return find(c, file) ? 0 : ERR_NOMEM;
}

static size_t count_children(const struct json_node *list)
{
    size_t count = 0;

    for (const struct json_node *n = list->first; n; n = n->next)
        count++;
    return count;
}

static int64_t integer(const struct json_node *node)
{
    int64_t n = 0;

    str_to_int64(json_tree_text(node), &n);
    return n;
}

// The first time that a workflow is seen says what its conditions are.
static int take_lines(struct test_cover *c, struct test_cover_file *f, const struct json_node *list)
{
    size_t i = 0;

    if (!f->lines) {
        f->line_count = count_children(list);
        f->lines = arena_alloc(&c->arena, (f->line_count + 1) * sizeof(*f->lines));
    }
    if (!f->lines)
        return ERR_NOMEM;
    for (const struct json_node *n = list->first; n && i < f->line_count; n = n->next, i++) {
        struct test_cover_line *line = &f->lines[i];
        bool verdict = json_tree_is_true(json_tree_get(n, "verdict"));

        if (!line->words.data) {
            line->line = integer(json_tree_get(n, "line"));
            line->words = arena_dup(&c->arena, json_tree_text(json_tree_get(n, "words")));
        }
        line->was_true |= verdict;
        line->was_false |= !verdict;
    }
    return 0;
}

int test_cover_see(struct test_cover *c, struct rules *rules, size_t workflow, bool has_fired,
                   struct err *e)
{
    struct test_cover_file *f = find(c, rules_workflow(rules, workflow)->file);
    struct arena arena;
    struct json_node *root;
    struct buf text;
    int code = f ? 0 : ERR_NOMEM;

    arena_init(&arena, COVER_ARENA_MAX);
    buf_init(&text, COVER_TEXT_MAX);
    if (code == 0)
        code = rules_cover(rules, workflow, &text, e);
    if (code == 0)
        code = json_tree_read(&root, buf_str(&text), &arena, e);
    // An event of another trigger says nothing of the conditions.
    if (code == 0 && root->first)
        code = take_lines(c, f, root);
    if (code == 0) {
        f->was_true |= has_fired;
        f->was_false |= !has_fired;
    }
    buf_fini(&text);
    arena_fini(&arena);
    return code;
}

static const char *never(bool was_true, bool was_false)
{
    return was_true ? "never false" : was_false ? "never true" : "never judged";
}

static void print_file(const struct test_cover_file *f, FILE *out, size_t *all, size_t *both)
{
    if (!f->was_true && !f->was_false)
        fprintf(out, STR_FMT ": no test runs it\n", STR_ARG(f->file));
    else if (!f->was_true)
        fprintf(out, STR_FMT ": no case makes it fire\n", STR_ARG(f->file));
    for (size_t i = 0; i < f->line_count; i++) {
        const struct test_cover_line *line = &f->lines[i];

        ++*all;
        if (line->was_true && line->was_false) {
            ++*both;
            continue;
        }
        fprintf(out, STR_FMT ":%lld: ", STR_ARG(f->file), (long long)line->line);
        table_print_safe(out, line->words, false);
        fprintf(out, ": %s\n", never(line->was_true, line->was_false));
    }
}

void test_cover_print(const struct test_cover *c, FILE *out)
{
    size_t all = 0;
    size_t both = 0;

    for (const struct test_cover_file *f = c->first; f; f = f->next)
        print_file(f, out, &all, &both);
    fprintf(out, "%zu of %zu conditions were true and false.\n", both, all);
}

void test_cover_write_json(const struct test_cover *c, struct json_writer *w)
{
    json_key(w, STR("coverage"));
    json_array_begin(w);
    for (const struct test_cover_file *f = c->first; f; f = f->next) {
        json_object_begin(w);
        json_member_string(w, "file", f->file);
        json_member_bool(w, "fired", f->was_true);
        json_member_bool(w, "did_not_fire", f->was_false);
        json_key(w, STR("conditions"));
        json_array_begin(w);
        for (size_t i = 0; i < f->line_count; i++) {
            json_object_begin(w);
            json_member_integer(w, "line", f->lines[i].line);
            json_member_string(w, "condition", f->lines[i].words);
            json_member_bool(w, "was_true", f->lines[i].was_true);
            json_member_bool(w, "was_false", f->lines[i].was_false);
            json_object_end(w);
        }
        json_array_end(w);
        json_object_end(w);
    }
    json_array_end(w);
}
