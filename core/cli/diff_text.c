#include "cli/diff_text.h"

#include <stdlib.h>

#include "base/duration.h"
#include "cli/json_tree.h"
#include "cli/show.h"
#include "cli/table.h"
#include "deliver/request.h"

enum {
    CONTEXT_LINES = 3,
    TABLE_CELLS_MAX = 4 * 1000 * 1000 // of the table of common lines: above it all is another
};

bool diff_text_is_same(const struct store_delivery *a, int64_t a_now_ms,
                       const struct store_delivery *b, int64_t b_now_ms)
{
    return str_eq(a->head, b->head) && str_eq(a->body, b->body) && str_eq(a->retry, b->retry) &&
           str_eq(a->order_key, b->order_key) && str_eq(a->reason, b->reason) &&
           a->state == b->state && a->timeout_ms == b->timeout_ms && a->is_latest == b->is_latest &&
           a->wants_recheck == b->wants_recheck &&
           a->due_at_ms - a_now_ms == b->due_at_ms - b_now_ms;
}

// --- one webhook ---------------------------------------------------------------------------------

static void write_body(struct buf *out, struct str body, struct arena *arena)
{
    struct json_node *root;
    char *text = NULL;
    size_t len = 0;
    FILE *f;

    if (!body.len)
        return;
    buf_append_char(out, '\n');
    f = json_tree_read(&root, body, arena, NULL) == 0 ? open_memstream(&text, &len) : NULL;
    if (f) {
        show_json(f, root, 0);
        fclose(f);
        buf_append(out, text, len);
        free(text);
    } else {
        buf_append_str(out, body);
    }
    buf_append_char(out, '\n');
}

static void write_settings(struct buf *out, const struct store_delivery *d, int64_t now_ms)
{
    char text[24];

    if (d->due_at_ms > now_ms) {
        duration_format(text, d->due_at_ms - now_ms);
        buf_printf(out, "(delay %s%s)\n", text, d->wants_recheck ? ", with a recheck" : "");
    }
    if (d->timeout_ms) {
        duration_format(text, d->timeout_ms);
        buf_printf(out, "(timeout %s)\n", text);
    }
    if (d->order_key.len)
        buf_printf(out, "(order %s)\n", d->is_latest ? "latest" : "record");
    if (d->retry.len)
        buf_printf(out, "(retry " STR_FMT ")\n", STR_ARG(d->retry));
}

int diff_text_write(struct buf *out, const struct store_delivery *d, int64_t now_ms,
                    struct arena *arena)
{
    struct request request;
    struct request_input in = {.head = d->head, .at_ms = now_ms};
    struct err e = {0};

    if (d->state == DELIVERY_INVALID)
        buf_printf(out, "(invalid, never sent: " STR_FMT ")\n", STR_ARG(d->reason));
    if (d->head.len && request_build(&request, &in, NULL, NULL, arena, &e) == 0) {
        buf_printf(out, STR_FMT " %s\n", STR_ARG(request.method), request.url);
        for (size_t i = 0; i < request.header_count; i++)
            // Those differ in every attempt.
            if (!str_eq_nocase(request.headers[i].name, STR("webhook-id")) &&
                !str_eq_nocase(request.headers[i].name, STR("webhook-timestamp")))
                buf_printf(out, STR_FMT ": " STR_FMT "\n", STR_ARG(request.headers[i].name),
                           STR_ARG(request.headers[i].value));
    }
    write_settings(out, d, now_ms);
    write_body(out, d->body, arena);
    return out->failed;
}

// --- two texts -----------------------------------------------------------------------------------

struct lines {
    struct str *list;
    size_t count;
};

static int split(struct lines *l, struct str text, struct arena *arena)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += text.data[i] == '\n';
    count += text.len && text.data[text.len - 1] != '\n';
    l->list = arena_alloc(arena, (count + 1) * sizeof(*l->list));
    if (!l->list)
        return ERR_NOMEM;
    for (l->count = 0; l->count < count; l->count++) {
        const char *end = memchr(text.data, '\n', text.len);
        size_t len = end ? (size_t)(end - text.data) : text.len;

        l->list[l->count] = (struct str){text.data, len};
        len += end ? 1 : 0;
        text = (struct str){text.data + len, text.len - len};
    }
    return 0;
}

struct edits { // one mark for each line of the diff: ' ', '-', '+'
    char *marks;
    size_t count;
};

static void mark(struct edits *e, char c, size_t times)
{
    memset(e->marks + e->count, c, times);
    e->count += times;
}

// The lines between what is the same at both ends, by the longest common subsequence.
static int mark_middle(struct edits *e, const struct lines *a, const struct lines *b, size_t start,
                       size_t a_end, size_t b_end)
{
    size_t n = a_end - start, m = b_end - start, i = 0, j = 0;
    bool is_small = n && m && n < TABLE_CELLS_MAX / m;
    uint32_t *common = is_small ? calloc((n + 1) * (m + 1), sizeof(*common)) : NULL;

    if (is_small && !common)
        return ERR_NOMEM;
    for (size_t y = n; common && y-- > 0;)
        for (size_t x = m; x-- > 0;) {
            uint32_t down = common[(y + 1) * (m + 1) + x], right = common[y * (m + 1) + x + 1];

            common[y * (m + 1) + x] = str_eq(a->list[start + y], b->list[start + x])
                                          ? common[(y + 1) * (m + 1) + x + 1] + 1
                                      : down > right ? down
                                                     : right;
        }
    while (common && i < n && j < m) {
        if (str_eq(a->list[start + i], b->list[start + j])) {
            mark(e, ' ', 1);
            i++, j++;
        } else if (common[(i + 1) * (m + 1) + j] >= common[i * (m + 1) + j + 1]) {
            mark(e, '-', 1);
            i++;
        } else {
            mark(e, '+', 1);
            j++;
        }
    }
    mark(e, '-', n - i);
    mark(e, '+', m - j);
    free(common);
    return 0;
}

static int compare(struct edits *e, const struct lines *a, const struct lines *b,
                   struct arena *arena)
{
    size_t start = 0, end = 0;
    int code;

    *e = (struct edits){.marks = arena_alloc(arena, a->count + b->count + 1)};
    if (!e->marks)
        return ERR_NOMEM;
    while (start < a->count && start < b->count && str_eq(a->list[start], b->list[start]))
        start++;
    while (end < a->count - start && end < b->count - start &&
           str_eq(a->list[a->count - 1 - end], b->list[b->count - 1 - end]))
        end++;
    mark(e, ' ', start);
    code = mark_middle(e, a, b, start, a->count - end, b->count - end);
    mark(e, ' ', end);
    return code;
}

struct hunk {
    size_t from, to;         // marks
    size_t a_line, b_line;   // where it begins, from 0
    size_t a_count, b_count; // lines
};

// The next hunk from h->to on: changes that are close to one another are one.
static bool next_hunk(const struct edits *e, struct hunk *h)
{
    size_t at = h->to, a = h->a_line + h->a_count, b = h->b_line + h->b_count, first, quiet = 0;

    for (first = at; first < e->count && e->marks[first] == ' '; first++)
        ;
    if (first == e->count)
        return false;
    h->from = first - at > CONTEXT_LINES ? first - CONTEXT_LINES : at;
    for (h->to = first; h->to < e->count && quiet <= 2 * CONTEXT_LINES; h->to++)
        quiet = e->marks[h->to] == ' ' ? quiet + 1 : 0;
    h->to -= quiet > CONTEXT_LINES ? quiet - CONTEXT_LINES : 0;
    h->a_line = a + h->from - at;
    h->b_line = b + h->from - at;
    h->a_count = h->b_count = 0;
    for (size_t i = h->from; i < h->to; i++) {
        h->a_count += e->marks[i] != '+';
        h->b_count += e->marks[i] != '-';
    }
    return true;
}

int diff_text_print(FILE *out, struct str before, struct str after, struct arena *arena)
{
    struct lines a, b;
    struct edits e;
    struct hunk h = {0};
    int code = split(&a, before, arena);

    code = code ? code : split(&b, after, arena);
    code = code ? code : compare(&e, &a, &b, arena);
    while (code == 0 && next_hunk(&e, &h)) {
        size_t x = h.a_line, y = h.b_line;

        fprintf(out, "@@ -%zu,%zu +%zu,%zu @@\n", h.a_count ? h.a_line + 1 : h.a_line, h.a_count,
                h.b_count ? h.b_line + 1 : h.b_line, h.b_count);
        for (size_t i = h.from; i < h.to; i++) {
            fputc(e.marks[i], out);
            table_print_safe(out, e.marks[i] == '+' ? b.list[y] : a.list[x], false);
            fputc('\n', out);
            x += e.marks[i] != '+';
            y += e.marks[i] != '-';
        }
    }
    return code;
}
