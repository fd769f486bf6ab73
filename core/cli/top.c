// hookline top: what a running host does, on the whole of a terminal.
#include <unistd.h>

#include "cli/command.h"
#include "cli/feed.h"
#include "cli/screen.h"
#include "cli/top_page.h"

enum { TREE_MAX_BYTES = 64 * 1024 * 1024, DRAW_MS = 100, NARROW_COLUMNS = 20 };

struct top {
    const struct invocation *in;
    struct feed feed;
    struct screen screen;
    struct canvas canvas;
    struct top_page page;
    struct loop_timer draw; // changes are drawn together
    bool is_draw_due;
};

// --- drawing ------------------------------------------------------------------------------------

static void draw_now(struct top *t)
{
    t->canvas.rows = t->screen.rows;
    t->canvas.columns = t->screen.columns > NARROW_COLUMNS ? t->screen.columns : NARROW_COLUMNS;
    top_page_draw(&t->page, &t->canvas);
}

static void on_draw(void *ctx)
{
    struct top *t = ctx;

    t->is_draw_due = false;
    draw_now(t);
}

static void draw_soon(struct top *t)
{
    if (!t->is_draw_due && !t->page.is_paused)
        loop_timer_start(&t->draw, DRAW_MS);
    t->is_draw_due = !t->page.is_paused;
}

static void take_delivery(struct top *t, struct str data)
{
    struct arena arena;
    struct json_node *node;

    arena_init(&arena, TREE_MAX_BYTES);
    if (json_tree_read(&node, data, &arena, NULL) == 0)
        top_page_take_delivery(&t->page, node);
    arena_fini(&arena);
}

static void on_message(void *ctx, struct str event, struct str data)
{
    struct top *t = ctx;

    if (str_eq(event, STR("overview"))) {
        top_page_take(&t->page, data);
        draw_soon(t);
    } else if (str_eq(event, STR("delivery"))) {
        take_delivery(t, data); // drawn with the next overview
    }
}

static void on_change(void *ctx, const char *words)
{
    struct top *t = ctx;

    snprintf(t->page.trouble, sizeof(t->page.trouble), "%s%s", words ? "not up to date: " : "",
             words ? words : "");
    if (t->screen.is_taken)
        draw_now(t);
}

static void on_resize(void *ctx)
{
    draw_now(ctx);
}

static void on_key(void *ctx, int key)
{
    struct top *t = ctx;
    struct top_page *p = &t->page;

    switch (key) {
    case 'q':
        loop_stop(t->screen.loop);
        return;
    case 'p':
    case ' ':
        p->is_paused = !p->is_paused;
        break;
    case 's':
    case SCREEN_KEY_RIGHT:
        p->order = (p->order + 1) % TOP_ORDERS;
        break;
    case SCREEN_KEY_LEFT:
        p->order = (p->order + TOP_ORDERS - 1) % TOP_ORDERS;
        break;
    case 'j':
    case SCREEN_KEY_DOWN:
        p->skip++;
        break;
    case 'k':
    case SCREEN_KEY_UP:
        p->skip -= p->skip > 0;
        break;
    default:
        return;
    }
    draw_now(t);
}

// --- the command --------------------------------------------------------------------------------

static int read_overview(struct top *t, struct remote *remote, struct err *e)
{
    struct remote_answer answer;
    int code = remote_get(remote, "GET", "/v1/overview", &answer, e);

    if (code == 0)
        top_page_take(&t->page, answer.body);
    return code;
}

// Those of before, so that the list is not empty at first: the oldest of the last ones first.
static int read_failures(struct top *t, struct remote *remote, const char *path, struct err *e)
{
    enum { LIMIT = TOP_FAILURES_MAX / 2 };
    struct remote_answer answer;
    struct arena arena;
    struct json_node *root;
    const struct json_node *found[LIMIT];
    size_t count = 0;
    int code = remote_get(remote, "GET", path, &answer, e);

    arena_init(&arena, TREE_MAX_BYTES);
    if (code == 0)
        code = json_tree_read(&root, answer.body, &arena, e);
    if (code == 0) {
        const struct json_node *list = json_tree_get(root, "deliveries");

        for (const struct json_node *d = list ? list->first : NULL; d && count < LIMIT; d = d->next)
            found[count++] = d;
    }
    while (count)
        top_page_take_delivery(&t->page, found[--count]);
    arena_fini(&arena);
    return code;
}

static int watch(struct top *t, struct remote *remote)
{
    struct err e = {0};
    int status = CLI_DONE;

    t->canvas.is_screen = true;
    t->screen.on_key = on_key;
    t->screen.on_resize = on_resize;
    t->screen.ctx = t;
    loop_timer_init(&t->draw, remote_loop(remote), LOOP_REAL_TIME, on_draw, t);
    if (screen_open(&t->screen, remote_loop(remote), t->in->out, STDIN_FILENO, &e) != 0)
        status = cli_fail(t->in, "%s", e.text);
    if (status == CLI_DONE) {
        draw_now(t);
        t->feed.on_message = on_message;
        t->feed.on_change = on_change;
        t->feed.ctx = t;
        feed_open(&t->feed, t->in, remote, "/v1/live?topics=overview,deliveries");
        if (!t->feed.is_over)
            loop_run(remote_loop(remote));
        feed_close(&t->feed);
    }
    loop_timer_stop(&t->draw);
    screen_close(&t->screen);
    if (t->feed.code)
        status = cli_fail(t->in, "%s", t->feed.err.text);
    return status;
}

static int run(const struct invocation *in)
{
    struct top t = {.in = in, .canvas = {.out = in->out, .has_colour = colour_is_wanted(in->out)}};
    bool is_once = options_has(&in->options, "once");
    struct remote *remote = NULL;
    struct config c;
    struct err e = {0};
    int status = cli_load_config(in, &c);

    top_page_init(&t.page);
    if (status == CLI_DONE && !is_once && !isatty(fileno(in->out)))
        status = cli_refuse(in, "top draws on a terminal: hookline top --once prints one page");
    if (status == CLI_DONE &&
        (remote_open(&remote, in, &c, &e) != 0 || read_overview(&t, remote, &e) != 0 ||
         read_failures(&t, remote, "/v1/deliveries?state=retrying&limit=10", &e) != 0 ||
         read_failures(&t, remote, "/v1/deliveries?state=terminated&limit=10", &e) != 0))
        status = cli_fail(in, "%s", e.text);
    if (status == CLI_DONE && is_once)
        top_page_draw(&t.page, &t.canvas);
    else if (status == CLI_DONE)
        status = watch(&t, remote);
    remote_close(remote);
    top_page_fini(&t.page);
    config_fini(&c);
    screen_die(&t.screen);
    return status;
}

static const struct option options[] = {
    {"once", NULL, OPTION_SWITCH, false, false, "print one page as text, and end"},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};

const struct command command_top = {
    .name = "top",
    .arguments = "",
    .summary = "Watch a running host on the whole of the terminal",
    .details =
        "Rates, what is owed and how old the oldest of it is, the workflows, the targets with\n"
        "their breakers, the last failures: drawn anew each second, over restarts of the host\n"
        "too. Counts are since the host's start.\n"
        "\n"
        "Keys: q ends; p or space pauses the view; left, right or s change what the tables are\n"
        "ordered by; up and down (k, j) move through them.\n"
        "\n"
        "Colours are not used where NO_COLOR is set.\n",
    .options = options,
    .common = COMMON_REMOTE,
    .least_arguments = 0,
    .most_arguments = 0,
    .run = run,
};
