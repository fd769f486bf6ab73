#include "cli/top_page.h"

#include <stdlib.h>

#include "base/rfc3339.h"
#include "cli/span.h"

enum {
    OVERVIEW_MAX_BYTES = 4 * 1024 * 1024,
    TREE_MAX_BYTES = 64 * 1024 * 1024,
    ROWS_MAX = 64, // of a table; the host gives 51
    NUMBER_MAX = 32,
    MINUTES = 60,
    NAME_WIDTH = 28,
    TARGET_WIDTH = 36,
    COUNT_WIDTH = -10,
};

static const char *const ORDERS[TOP_ORDERS] = {"failed", "most work", "delivered", "name"};

void top_page_init(struct top_page *p)
{
    *p = (struct top_page){.events_rate = -1, .delivered_rate = -1};
    buf_init(&p->overview, OVERVIEW_MAX_BYTES);
}

void top_page_fini(struct top_page *p)
{
    buf_fini(&p->overview);
}

static struct str text_of(const struct json_node *node, const char *path)
{
    return json_tree_text(json_tree_get(node, path));
}

static int64_t number_in(const struct json_node *node)
{
    int64_t n = 0;

    return str_to_int64(json_tree_text(node), &n) == 0 ? n : 0;
}

static int64_t number_of(const struct json_node *node, const char *path)
{
    return number_in(json_tree_get(node, path));
}

static int64_t time_of(const struct json_node *node, const char *path)
{
    int64_t ms;

    return rfc3339_parse(text_of(node, path), &ms) == 0 ? ms : 0;
}

// --- what comes ---------------------------------------------------------------------------------

static double rate(int64_t now, int64_t before, int64_t span_ms)
{
    return now >= before ? (double)(now - before) * 1000 / (double)span_ms : -1;
}

void top_page_take(struct top_page *p, struct str overview)
{
    struct arena arena;
    struct json_node *root;

    arena_init(&arena, TREE_MAX_BYTES);
    if (json_tree_read(&root, overview, &arena, NULL) == 0 && time_of(root, "at")) {
        int64_t at_ms = time_of(root, "at");
        int64_t events = number_of(root, "events.total");
        int64_t delivered = number_of(root, "deliveries.by_state.delivered");

        if (p->at_ms && at_ms > p->at_ms) {
            p->events_rate = rate(events, p->events, at_ms - p->at_ms);
            p->delivered_rate = rate(delivered, p->delivered, at_ms - p->at_ms);
        }
        p->at_ms = at_ms;
        p->events = events;
        p->delivered = delivered;
        buf_reset(&p->overview);
        buf_append_str(&p->overview, overview);
    }
    arena_fini(&arena);
}

void top_page_take_delivery(struct top_page *p, const struct json_node *delivery)
{
    struct str state = text_of(delivery, "state");
    struct str why = text_of(delivery, "reason");
    struct str last_error = text_of(delivery, "last_error");
    struct str at = text_of(delivery, "attempt.at");
    struct top_failure *f = &p->failures[p->failure_count % TOP_FAILURES_MAX];

    if (!str_eq(state, STR("retrying")) && !str_eq(state, STR("terminated")) &&
        !str_eq(state, STR("invalid")))
        return;
    p->failure_count++;
    at = at.len ? at : text_of(delivery, "created_at");
    if (!why.len)
        why = last_error;
    snprintf(f->at, sizeof(f->at), "%.8s", at.len > 19 ? at.data + 11 : "");
    snprintf(f->state, sizeof(f->state), STR_FMT, STR_ARG(state));
    snprintf(f->text, sizeof(f->text), STR_FMT "  " STR_FMT " " STR_FMT " -> " STR_FMT "  " STR_FMT,
             STR_ARG(text_of(delivery, "workflow")), STR_ARG(text_of(delivery, "record.type")),
             STR_ARG(text_of(delivery, "record.id")), STR_ARG(text_of(delivery, "target")),
             STR_ARG(why));
}

// --- the head -----------------------------------------------------------------------------------

// "1,234,567".
static struct str grouped(char out[NUMBER_MAX], int64_t n)
{
    char digits[NUMBER_MAX];
    int len = snprintf(digits, sizeof(digits), "%lld", (long long)n);
    size_t at = 0;

    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0 && digits[i - 1] != '-')
            out[at++] = ',';
        out[at++] = digits[i];
    }
    return (struct str){out, at};
}

static void draw_minutes(struct canvas *c, const struct json_node *minutes)
{
    static const char *const bars[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    enum { HIGHEST = sizeof(bars) / sizeof(bars[0]) - 1 };
    int64_t most = 1;

    for (const struct json_node *m = minutes ? minutes->first : NULL; m; m = m->next) {
        int64_t n = number_in(m);

        most = n > most ? n : most;
    }
    for (const struct json_node *m = minutes ? minutes->first : NULL; m; m = m->next) {
        int64_t n = number_in(m);

        canvas_text(c, COLOUR_CYAN, str_from(bars[n ? 1 + n * (HIGHEST - 1) / most : 0]));
    }
}

// "delivered   12.5/s      740 last minute      44,400 last hour  ▁▂▃".
static void draw_flow(struct canvas *c, const char *name, double a_second,
                      const struct json_node *minutes)
{
    char number[NUMBER_MAX];
    char text[NUMBER_MAX];
    int64_t hour = 0, minute = 0, this_minute = 0;

    for (const struct json_node *m = minutes ? minutes->first : NULL; m; m = m->next) {
        minute = this_minute;
        this_minute = number_in(m);
        hour += this_minute;
    }
    canvas_cell(c, COLOUR_BOLD, 10, str_from(name));
    snprintf(text, sizeof(text), "%.1f/s", a_second);
    canvas_cell(c, COLOUR_NONE, -10, a_second < 0 ? STR("") : str_from(text));
    canvas_cell(c, COLOUR_NONE, -9, grouped(number, this_minute));
    canvas_text(c, COLOUR_FAINT, STR("this minute "));
    canvas_cell(c, COLOUR_NONE, -9, grouped(number, minute));
    canvas_text(c, COLOUR_FAINT, STR("the last "));
    canvas_cell(c, COLOUR_NONE, -11, grouped(number, hour));
    canvas_text(c, COLOUR_FAINT, STR("an hour "));
    if (c->is_screen)
        draw_minutes(c, minutes);
    canvas_line(c);
}

static void draw_owed(const struct top_page *p, struct canvas *c, const struct json_node *root)
{
    static const char *const states[] = {"pending", "retrying", "held"};
    int64_t terminated;
    const struct json_node *by_state = json_tree_get(root, "deliveries.by_state");
    int64_t oldest_ms = time_of(root, "oldest_owed_at");
    char number[NUMBER_MAX];
    char span[SPAN_LEN_MAX];

    canvas_cell(c, COLOUR_BOLD, 10, STR("owed"));
    canvas_cell(c, COLOUR_NONE, COUNT_WIDTH, grouped(number, number_of(root, "owed")));
    if (oldest_ms)
        canvas_print(c, COLOUR_NONE, "oldest %s  ", span_format(span, p->at_ms - oldest_ms));
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        int64_t n = number_of(by_state, states[i]);

        if (n) {
            canvas_print(c, colour_of(str_from(states[i])), "%s ", states[i]);
            canvas_text(c, COLOUR_NONE, grouped(number, n));
            canvas_text(c, COLOUR_NONE, STR("  "));
        }
    }
    terminated = number_of(by_state, "terminated");
    if (terminated) {
        canvas_text(c, COLOUR_FAINT, STR("since the start: "));
        canvas_print(c, colour_of(STR("terminated")), "terminated ");
        canvas_text(c, COLOUR_NONE, grouped(number, terminated));
    }
    canvas_line(c);
}

static void draw_head(const struct top_page *p, struct canvas *c, const struct json_node *root)
{
    char span[SPAN_LEN_MAX];
    char at[RFC3339_LEN + 1];

    rfc3339_format(at, p->at_ms);
    canvas_print(c, COLOUR_BOLD, "hookline " STR_FMT, STR_ARG(text_of(root, "version")));
    canvas_print(c, COLOUR_NONE, "  up %s  %.10s %.8sZ",
                 span_format(span, p->at_ms - time_of(root, "started_at")), at, at + 11);
    if (json_tree_is_true(json_tree_get(root, "paused")))
        canvas_text(c, COLOUR_YELLOW, STR("  everything is paused"));
    if (p->is_paused)
        canvas_text(c, COLOUR_YELLOW, STR("  this view is paused: p"));
    if (p->trouble[0])
        canvas_print(c, COLOUR_RED, "  %s", p->trouble);
    canvas_line(c);
    draw_flow(c, "events", p->events_rate, json_tree_get(root, "events.per_minute"));
    draw_flow(c, "delivered", p->delivered_rate,
              json_tree_get(root, "deliveries.delivered_per_minute"));
    draw_flow(c, "failed", -1, json_tree_get(root, "deliveries.failed_per_minute"));
    draw_owed(p, c, root);
    canvas_line(c);
}

// --- the tables ---------------------------------------------------------------------------------

struct column {
    const char *title;
    const char *path;
    int width;
};

struct kind {
    const struct column *columns; // it ends with a title of NULL; the first is the name
    const char *by_work;          // TOP_BY_WORK
    const char *none;
};

struct sorting {
    const struct json_node *row;
    int64_t weight;
    struct str name;
};

static int compare(const void *a, const void *b)
{
    const struct sorting *x = a, *y = b;
    size_t shorter = x->name.len < y->name.len ? x->name.len : y->name.len;

    if (x->weight != y->weight)
        return x->weight > y->weight ? -1 : 1;
    int order = shorter ? memcmp(x->name.data, y->name.data, shorter) : 0;

    return order ? order : (x->name.len > y->name.len) - (x->name.len < y->name.len);
}

static size_t sort_rows(const struct top_page *p, const struct json_node *list,
                        const struct kind *kind, struct sorting out[ROWS_MAX])
{
    const char *const paths[TOP_ORDERS] = {"failed", kind->by_work, "delivered", NULL};
    size_t count = 0;

    for (const struct json_node *row = list ? list->first : NULL; row && count < ROWS_MAX;
         row = row->next)
        out[count++] = (struct sorting){row, paths[p->order] ? number_of(row, paths[p->order]) : 0,
                                        text_of(row, kind->columns[0].path)};
    qsort(out, count, sizeof(*out), compare);
    return count;
}

static void draw_row(struct canvas *c, const struct json_node *row, const struct kind *kind)
{
    for (const struct column *k = kind->columns; k->title; k++) {
        struct str text = text_of(row, k->path);
        bool is_bad =
            str_eq(str_from(k->path), STR("failed")) || str_eq(str_from(k->path), STR("errors"));
        char number[NUMBER_MAX];
        enum colour how = COLOUR_NONE;
        int64_t n;

        if (k->width < 0 && str_to_int64(text, &n) == 0) {
            how = is_bad && n ? COLOUR_RED : COLOUR_NONE;
            text = grouped(number, n);
        } else if (str_eq(str_from(k->path), STR("state"))) {
            how = colour_of(text);
        }
        canvas_cell(c, how, k->width, text);
    }
    canvas_line(c);
}

static void draw_table(const struct top_page *p, struct canvas *c, const struct json_node *list,
                       const struct kind *kind, size_t most)
{
    struct sorting rows[ROWS_MAX];
    size_t count = sort_rows(p, list, kind, rows);
    size_t first = p->skip < count ? p->skip : count ? count - 1 : 0;

    for (const struct column *k = kind->columns; k->title; k++)
        canvas_cell(c, COLOUR_REVERSE, k->width, str_from(k->title));
    canvas_line(c);
    for (size_t i = first; i < count && i - first < most; i++)
        draw_row(c, rows[i].row, kind);
    if (!count) {
        canvas_text(c, COLOUR_FAINT, str_from(kind->none));
        canvas_line(c);
    }
}

static void draw_failures(const struct top_page *p, struct canvas *c)
{
    size_t kept = p->failure_count < TOP_FAILURES_MAX ? p->failure_count : TOP_FAILURES_MAX;

    canvas_text(c, COLOUR_REVERSE, STR("LAST FAILURES"));
    canvas_line(c);
    for (size_t i = 1; i <= kept && !canvas_is_full(c); i++) {
        const struct top_failure *f = &p->failures[(p->failure_count - i) % TOP_FAILURES_MAX];

        canvas_cell(c, COLOUR_FAINT, 8, str_from(f->at));
        canvas_cell(c, colour_of(str_from(f->state)), 10, str_from(f->state));
        canvas_text(c, COLOUR_NONE, str_from(f->text));
        canvas_line(c);
    }
    if (!kept) {
        canvas_text(c, COLOUR_FAINT, STR("none"));
        canvas_line(c);
    }
}

static void draw_keys(const struct top_page *p, struct canvas *c)
{
    while (canvas_rows_left(c) > 1)
        canvas_line(c);
    canvas_print(c, COLOUR_FAINT, "q ends  p pauses  arrows: order, rows  by: %s",
                 ORDERS[p->order]);
    canvas_line(c);
}

static void draw_all(const struct top_page *p, struct canvas *c, const struct json_node *root)
{
    static const struct column workflow_columns[] = {
        {"WORKFLOW", "id", NAME_WIDTH},
        {"EVENTS", "events", COUNT_WIDTH},
        {"RUNS", "runs", COUNT_WIDTH},
        {"DELIVERED", "delivered", COUNT_WIDTH},
        {"FAILED", "failed", COUNT_WIDTH},
        {"ERRORS", "errors", COUNT_WIDTH},
        {NULL, NULL, 0},
    };
    static const struct column target_columns[] = {
        {"TARGET", "target", TARGET_WIDTH}, {"STATE", "state", 9},
        {"OWED", "owed", COUNT_WIDTH},      {"DELIVERED", "delivered", COUNT_WIDTH},
        {"FAILED", "failed", COUNT_WIDTH},  {"p50 ms", "latency_ms.p50", -7},
        {"p99 ms", "latency_ms.p99", -7},   {NULL, NULL, 0},
    };
    static const struct kind workflows = {workflow_columns, "runs", "no workflow has run yet"};
    static const struct kind targets = {target_columns, "owed", "nothing was sent yet"};
    enum { OTHER_ROWS = 5 }; // titles, spaces between
    size_t third;

    c->kept_rows = c->is_screen;
    draw_head(p, c, root);
    third = canvas_rows_left(c) == SIZE_MAX        ? ROWS_MAX
            : canvas_rows_left(c) > OTHER_ROWS + 3 ? (canvas_rows_left(c) - OTHER_ROWS) / 3
                                                   : 1;
    draw_table(p, c, json_tree_get(root, "workflows"), &workflows, third);
    canvas_line(c);
    draw_table(p, c, json_tree_get(root, "targets"), &targets, third);
    canvas_line(c);
    draw_failures(p, c);
    c->kept_rows = 0;
    if (c->is_screen)
        draw_keys(p, c);
}

void top_page_draw(const struct top_page *p, struct canvas *c)
{
    struct arena arena;
    struct json_node *root;

    arena_init(&arena, TREE_MAX_BYTES);
    canvas_begin(c);
    if (p->overview.len && json_tree_read(&root, buf_str(&p->overview), &arena, NULL) == 0)
        draw_all(p, c, root);
    canvas_end(c);
    arena_fini(&arena);
}
