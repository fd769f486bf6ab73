// hookline tail: deliveries and runs of a running host as they happen.
#include <unistd.h>

#include "base/clock.h"
#include "base/rfc3339.h"
#include "cli/colour.h"
#include "cli/command.h"
#include "cli/feed.h"
#include "cli/span.h"
#include "cli/table.h"
#include "encode/json_writer.h"
#include "encode/url.h"
#include "store/store.h"

enum { TREE_MAX_BYTES = 64 * 1024 * 1024, STATE_WIDTH = 10, PATH_MAX_BYTES = 128 };

struct tail {
    const struct invocation *in;
    struct feed feed;
    struct clock clock;
    bool is_json;
    bool has_colour;
    struct str workflow, state, type, record; // filters; empty: any
    struct buf target;                        // the same
    int64_t left;                             // lines to print; -1: any number
};

// --- what is wanted -----------------------------------------------------------------------------

static bool passes(struct str wanted, const struct json_node *node, const char *path)
{
    return !wanted.len || str_eq(wanted, json_tree_text(json_tree_get(node, path)));
}

// "deal.updated", or "deal" for all of that kind, as the lists take it.
static bool type_passes(struct str wanted, const struct json_node *node)
{
    return !wanted.len || passes(wanted, node, "type") || passes(wanted, node, "record.type");
}

static bool state_passes(const struct tail *t, const struct json_node *node)
{
    enum delivery_state is;
    unsigned wanted;

    return !t->state.len ||
           (delivery_states_parse(t->state, &wanted) == 0 &&
            delivery_state_parse(json_tree_text(json_tree_get(node, "state")), &is) == 0 &&
            wanted >> is & 1);
}

static bool is_wanted(const struct tail *t, struct str event, const struct json_node *node)
{
    bool is_delivery = str_eq(event, STR("delivery"));

    if (!passes(t->workflow, node, "workflow") || !type_passes(t->type, node) ||
        !passes(t->record, node, "record.id"))
        return false;
    if (!is_delivery)
        return !t->state.len && !t->target.len;
    // One that is only owed yet has just been told by its run.
    bool is_new = !json_tree_get(node, "attempt") && passes(STR("pending"), node, "state");

    return passes(buf_str(&t->target), node, "target") && state_passes(t, node) &&
           (!is_new || t->is_json || t->state.len);
}

// --- lines --------------------------------------------------------------------------------------

static void print_text(const struct tail *t, const struct json_node *node, const char *path)
{
    table_print_safe(t->in->out, json_tree_text(json_tree_get(node, path)), false);
}

static void print_word(const struct tail *t, struct str word)
{
    fprintf(t->in->out, "%s%-*.*s%s ", colour(t->has_colour, colour_of(word)), STATE_WIDTH,
            STR_ARG(word), colour(t->has_colour, COLOUR_NONE));
}

// "09:15:15 delivered  deal_won  deal 7": what all lines begin with.
static void print_start(const struct tail *t, struct str word, const struct json_node *node)
{
    FILE *out = t->in->out;
    char now[RFC3339_LEN + 1];

    rfc3339_format(now, clock_wall_ms(&t->clock));
    fprintf(out, "%s%.8s%s ", colour(t->has_colour, COLOUR_FAINT), now + 11,
            colour(t->has_colour, COLOUR_NONE));
    print_word(t, word);
    fputs(colour(t->has_colour, COLOUR_BOLD), out);
    print_text(t, node, "workflow");
    fprintf(out, "%s  ", colour(t->has_colour, COLOUR_NONE));
    print_text(t, node, "record.type");
    fputc(' ', out);
    print_text(t, node, "record.id");
}

// How long after the attempt the next one is due.
static void print_next(const struct tail *t, const struct json_node *node)
{
    int64_t next_ms, at_ms;
    char words[SPAN_LEN_MAX];

    if (rfc3339_parse(json_tree_text(json_tree_get(node, "next_attempt_at")), &next_ms) == 0 &&
        rfc3339_parse(json_tree_text(json_tree_get(node, "attempt.at")), &at_ms) == 0) {
        fprintf(t->in->out, ", again in %s", span_format(words, next_ms - at_ms));
    }
}

static void print_attempt(const struct tail *t, const struct json_node *node)
{
    FILE *out = t->in->out;
    struct str status = json_tree_text(json_tree_get(node, "attempt.status"));
    struct str number = json_tree_text(json_tree_get(node, "attempt.number"));

    fputs("  ", out);
    if (status.len) {
        fprintf(out, STR_FMT, STR_ARG(status));
    } else {
        print_text(t, node, "attempt.error");
        fputs(": ", out);
        print_text(t, node, "attempt.detail");
    }
    fprintf(out, " in " STR_FMT " ms",
            STR_ARG(json_tree_text(json_tree_get(node, "attempt.elapsed_ms"))));
    if (!str_eq(number, STR("1")))
        fprintf(out, ", attempt " STR_FMT, STR_ARG(number));
    print_next(t, node);
}

static void print_delivery(const struct tail *t, const struct json_node *node)
{
    FILE *out = t->in->out;
    const struct json_node *attempt = json_tree_get(node, "attempt");
    struct str reason = json_tree_text(json_tree_get(node, "reason"));

    print_start(t, json_tree_text(json_tree_get(node, "state")), node);
    fputs(" -> ", out);
    print_text(t, node, "target");
    if (attempt && attempt->first)
        print_attempt(t, node);
    if (reason.len) {
        fputs("  ", out);
        table_print_safe(out, reason, false);
    }
    fprintf(out, "  %s", colour(t->has_colour, COLOUR_FAINT));
    print_text(t, node, "id");
    fprintf(out, "%s\n", colour(t->has_colour, COLOUR_NONE));
}

static void print_run(const struct tail *t, const struct json_node *node)
{
    FILE *out = t->in->out;
    const struct json_node *deliveries = json_tree_get(node, "deliveries");
    struct str reason = json_tree_text(json_tree_get(node, "reason"));
    size_t count = 0;

    for (const struct json_node *d = deliveries ? deliveries->first : NULL; d; d = d->next)
        count++;
    print_start(t, json_tree_text(json_tree_get(node, "outcome")), node);
    fprintf(out, "  %s", json_tree_is_true(json_tree_get(node, "replay")) ? "a replay of " : "");
    print_text(t, node, "event");
    if (count)
        fprintf(out, ": %zu webhook%s", count, count == 1 ? "" : "s");
    if (reason.len) {
        fputs(": ", out);
        table_print_safe(out, reason, false);
    }
    fputc('\n', out);
}

static void print_json(const struct tail *t, struct str event, struct str data)
{
    struct buf line;
    struct json_writer w;

    buf_init(&line, data.len + 256);
    json_writer_init(&w, &line);
    json_object_begin(&w);
    json_member_string(&w, "event", event);
    json_member_time(&w, "at", clock_wall_ms(&t->clock));
    json_key(&w, STR("data"));
    json_raw(&w, data);
    json_object_end(&w);
    buf_append_char(&line, '\n');
    fwrite(line.data, 1, line.failed ? 0 : line.len, t->in->out);
    buf_fini(&line);
}

static void print(struct tail *t, struct str event, struct str data, const struct json_node *node)
{
    if (t->is_json)
        print_json(t, event, data);
    else if (str_eq(event, STR("delivery")))
        print_delivery(t, node);
    else
        print_run(t, node);
    if (fflush(t->in->out) != 0 || (t->left > 0 && --t->left == 0))
        feed_end(&t->feed, 0); // nobody reads it any more ("| head"), or it is enough
}

static void on_message(void *ctx, struct str event, struct str data)
{
    struct tail *t = ctx;
    struct arena arena;
    struct json_node *node;

    arena_init(&arena, TREE_MAX_BYTES);
    if (json_tree_read(&node, data, &arena, NULL) == 0) {
        if (str_eq(event, STR("skipped")))
            fprintf(t->in->messages,
                    "hookline: " STR_FMT " more happened: only a hundred a second are shown\n",
                    STR_ARG(json_tree_text(json_tree_get(node, "count"))));
        else if (is_wanted(t, event, node))
            print(t, event, data, node);
    }
    arena_fini(&arena);
}

static void on_change(void *ctx, const char *words)
{
    const struct tail *t = ctx;

    if (words)
        fprintf(t->in->messages, "hookline: nothing is seen any more: %s; trying again\n", words);
    else
        fprintf(t->in->messages, "hookline: watching\n");
    fflush(t->in->messages);
}

// --- the command --------------------------------------------------------------------------------

static struct str filter(const struct invocation *in, const char *name)
{
    const char *text = options_text(&in->options, name);

    return text ? str_from(text) : (struct str){NULL, 0};
}

static int run(const struct invocation *in)
{
    struct tail t = {.in = in,
                     .is_json = options_has(&in->options, "json"),
                     .has_colour = colour_is_wanted(in->out),
                     .workflow = filter(in, "workflow"),
                     .state = filter(in, "state"),
                     .type = filter(in, "type"),
                     .record = filter(in, "record"),
                     .left = options_count(&in->options, "limit", -1)};
    struct remote *remote = NULL;
    struct config c;
    struct err e = {0};
    int status = cli_load_config(in, &c);

    buf_init(&t.target, URL_TARGET_MAX);
    if (status == 0 && options_has(&in->options, "target") &&
        url_target_of(&t.target, filter(in, "target")) != 0)
        status = cli_fail(in, "out of memory"); // it was looked at when it was read
    clock_init(&t.clock);
    if (status == 0 && remote_open(&remote, in, &c, &e) != 0)
        status = cli_fail(in, "%s", e.text);
    if (status == 0) {
        t.feed.on_message = on_message;
        t.feed.on_change = on_change;
        t.feed.ctx = &t;
        feed_open(&t.feed, in, remote,
                  !t.target.len && !t.state.len ? "/v1/live?topics=deliveries,runs"
                                                : "/v1/live?topics=deliveries");
        if (!t.feed.is_over)
            loop_run(remote_loop(remote));
        if (t.feed.code)
            status = cli_fail(in, "%s", t.feed.err.text);
        feed_close(&t.feed);
    }
    remote_close(remote);
    config_fini(&c);
    buf_fini(&t.target);
    return status;
}

static const struct option options[] = {
    {"workflow", "ID", OPTION_TEXT, false, false, "of this workflow"},
    {"target", "TARGET", OPTION_TARGET, false, false,
     "deliveries to this target: https://host:443"},
    {"state", "STATE", OPTION_STATE, false, false,
     "deliveries that come into this state, or are owed"},
    {"type", "TYPE", OPTION_TEXT, false, false, "of events of this type: deal.updated, or deal"},
    {"record", "ID", OPTION_TEXT, false, false, "of the record with this id"},
    {"limit", "N", OPTION_COUNT, false, false, "end after so many lines (1000 at most)"},
    {"json", NULL, OPTION_SWITCH, false, false,
     "one JSON object a line: { \"event\", \"at\", \"data\" }"},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};

const struct command command_tail = {
    .name = "tail",
    .arguments = "",
    .summary = "See the runs and deliveries of a running host as they happen",
    .details =
        "A line for each run of a workflow, and for each attempt and change of a delivery, with\n"
        "how it ended and what comes next. It goes on until it is interrupted, over restarts of\n"
        "the host too; what happened while the host was away is in `hookline deliveries`. Of\n"
        "more than a hundred a second some are left out, and how many is said.\n"
        "\n"
        "Colours are used on terminals alone, and not where NO_COLOR is set.\n",
    .options = options,
    .common = COMMON_REMOTE,
    .least_arguments = 0,
    .most_arguments = 0,
    .run = run,
};
