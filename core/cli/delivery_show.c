#include "cli/delivery_show.h"

#include "base/rfc3339.h"
#include "cli/colour.h"
#include "cli/show.h"
#include "cli/span.h"
#include "cli/table.h"

struct page {
    FILE *out;
    const struct json_node *root;
    const struct json_node *last; // attempt; NULL: none is kept
    struct str id, state;
    int64_t created_ms; // 0: not known
    int64_t now_ms;
    bool has_colour;
};

static struct str text_of(const struct json_node *node, const char *path)
{
    return json_tree_text(json_tree_get(node, path));
}

static int64_t time_of(const struct json_node *node, const char *path)
{
    int64_t ms;

    return rfc3339_parse(text_of(node, path), &ms) == 0 ? ms : 0;
}

static void print(const struct page *p, struct str text)
{
    table_print_safe(p->out, text, false);
}

static void title(const struct page *p, const char *words)
{
    fprintf(p->out, "\n%s%s%s\n", colour(p->has_colour, COLOUR_BOLD), words,
            colour(p->has_colour, COLOUR_NONE));
}

static void print_coloured(const struct page *p, enum colour c, struct str text)
{
    fputs(colour(p->has_colour, c), p->out);
    print(p, text);
    fputs(colour(p->has_colour, COLOUR_NONE), p->out);
}

// --- what it is ---------------------------------------------------------------------------------

static void show_head(const struct page *p)
{
    struct str url = text_of(p->last, "request_sent.url");
    char span[SPAN_LEN_MAX];

    print_coloured(p, COLOUR_BOLD, p->id);
    fputs("  ", p->out);
    print_coloured(p, colour_of(p->state), p->state);
    fputc('\n', p->out);
    show_field(p->out, "workflow", json_tree_get(p->root, "workflow"));
    show_field(p->out, "webhook", json_tree_get(p->root, "action"));
    fputs("  record     ", p->out);
    print(p, text_of(p->root, "record.type"));
    fputc(' ', p->out);
    print(p, text_of(p->root, "record.id"));
    fputs("\n  event      ", p->out);
    print(p, text_of(p->root, "event"));
    if (text_of(p->root, "type").len) {
        fputs(", ", p->out);
        print(p, text_of(p->root, "type"));
    }
    fputs("\n  to         ", p->out);
    print(p, url.len ? url : text_of(p->root, "target"));
    fputs("\n  created    ", p->out);
    print(p, text_of(p->root, "created_at"));
    if (p->created_ms && p->now_ms >= p->created_ms)
        fprintf(p->out, " (%s ago)", span_format(span, p->now_ms - p->created_ms));
    fputc('\n', p->out);
}

// --- why, and what comes next -------------------------------------------------------------------

// "503", or "connect: connection refused".
static void print_result(const struct page *p, const struct json_node *attempt)
{
    struct str error = text_of(attempt, "error");
    struct str detail = text_of(attempt, "detail");
    struct str status = text_of(attempt, "response_received.status");
    bool is_good = !error.len && status.len && status.data[0] == '2' && !detail.len;

    fputs(colour(p->has_colour, is_good ? COLOUR_GREEN : COLOUR_RED), p->out);
    print(p, error.len ? error : status.len ? status : STR("no answer is kept"));
    fputs(colour(p->has_colour, COLOUR_NONE), p->out);
    if (detail.len) {
        fputs(": ", p->out);
        print(p, detail);
    }
}

static void show_why(const struct page *p)
{
    struct str reason = text_of(p->root, "reason");
    struct str waits_for = text_of(p->root, "waits_for");
    bool is_due = str_eq(p->state, STR("retrying")) || str_eq(p->state, STR("delivered"));
    bool is_pending = str_eq(p->state, STR("pending"));

    title(p, "Why it is so");
    fputs("  ", p->out);
    if (reason.len) {
        print(p, reason);
    } else if (is_due && p->last) {
        fprintf(p->out, "attempt " STR_FMT ": ", STR_ARG(text_of(p->last, "number")));
        print_result(p, p->last);
    } else if (is_pending && p->last) {
        fprintf(p->out, "it was resent after attempt " STR_FMT ": ",
                STR_ARG(text_of(p->last, "number")));
        print_result(p, p->last);
    } else if (is_pending) {
        fputs("it is owed, and not tried yet", p->out);
    } else {
        fputs("nothing is kept that says why", p->out);
    }
    fputc('\n', p->out);
    if (waits_for.len) {
        fputs("  ", p->out);
        print(p, waits_for);
        fputc('\n', p->out);
    }
}

static void show_next_attempt(const struct page *p, struct str at)
{
    int64_t next_ms = time_of(p->root, "next_attempt_at");
    int64_t last_ms = time_of(p->last, "at");
    int64_t number = 0;
    char span[SPAN_LEN_MAX];

    str_to_int64(text_of(p->last, "number"), &number);
    fprintf(p->out, "attempt %lld at " STR_FMT, (long long)number + 1, STR_ARG(at));
    if (last_ms)
        fprintf(p->out, ", %s after the last one", span_format(span, next_ms - last_ms));
    if (next_ms > p->now_ms)
        fprintf(p->out, " (in %s)", span_format(span, next_ms - p->now_ms));
}

static void show_end(const struct page *p, struct str at)
{
    int64_t end_ms = time_of(p->root, "ends_at");
    char span[SPAN_LEN_MAX];

    fputs("\n  it is given up at the latest at ", p->out);
    print(p, at);
    if (end_ms > p->now_ms)
        fprintf(p->out, " (in %s)", span_format(span, end_ms - p->now_ms));
}

static void show_next(const struct page *p)
{
    static const struct {
        struct str state;
        const char *words; // the id behind it where it ends with a space
    } ends[] = {
        {STR("held"), "it goes on when what holds it is over"},
        {STR("delivered"), "nothing: it has arrived. Once more: hookline deliveries resend "},
        {STR("terminated"), "nothing by itself. To try again: hookline deliveries resend "},
        {STR("cancelled"), "nothing by itself. To send it after all: hookline deliveries resend "},
        {STR("superseded"), "nothing: a later one goes in its place"},
        {STR("invalid"), "nothing: mend the workflow, then: hookline events replay "},
    };
    struct str at = text_of(p->root, "next_attempt_at");
    struct str ends_at = text_of(p->root, "ends_at");

    title(p, "What comes next");
    fputs("  ", p->out);
    if (at.len)
        show_next_attempt(p, at);
    if (ends_at.len)
        show_end(p, ends_at);
    for (size_t i = 0; !at.len && i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (!str_eq(ends[i].state, p->state))
            continue;
        fputs(ends[i].words, p->out);
        if (ends[i].words[strlen(ends[i].words) - 1] == ' ')
            print(p, str_eq(p->state, STR("invalid")) ? text_of(p->root, "event") : p->id);
    }
    fputc('\n', p->out);
}

// --- attempts -----------------------------------------------------------------------------------

// "  2  +15s       503  3 ms  2026-11-23T09:15:15.000Z".
static void show_step(const struct page *p, const struct json_node *attempt)
{
    int64_t at_ms = time_of(attempt, "at");
    char span[SPAN_LEN_MAX];

    fprintf(p->out, "  %3.*s  ", STR_ARG(text_of(attempt, "number")));
    fprintf(p->out, "%s" STR_FMT "%s  ", colour(p->has_colour, COLOUR_FAINT),
            STR_ARG(text_of(attempt, "at")), colour(p->has_colour, COLOUR_NONE));
    if (p->created_ms && at_ms)
        fprintf(p->out, "+%-8s", span_format(span, at_ms - p->created_ms));
    fprintf(p->out, "%6.*s ms  ", STR_ARG(text_of(attempt, "elapsed_ms")));
    print_result(p, attempt);
    fputc('\n', p->out);
}

// Whether an attempt ended before there was a connection to send anything over.
static bool was_unsent(const struct json_node *attempt)
{
    static const char *const errors[] = {"secret_missing", "oauth", "address_refused", "dns",
                                         "connect"};
    struct str error = text_of(attempt, "error");

    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (str_eq(error, str_from(errors[i])))
            return true;
    return false;
}

static void show_exchange(const struct page *p)
{
    const struct json_node *request = json_tree_get(p->last, "request_sent");
    const struct json_node *response = json_tree_get(p->last, "response_received");
    char words[80];

    if (request && request->first) {
        snprintf(words, sizeof(words), "Attempt " STR_FMT ": %s",
                 STR_ARG(text_of(p->last, "number")),
                 was_unsent(p->last) ? "nothing was sent; it would have been:" : "what was sent");
        title(p, words);
        show_request(p->out, request, SHOW_INDENTED);
    }
    if (response && response->first) {
        snprintf(words, sizeof(words), "Attempt " STR_FMT ": what came back",
                 STR_ARG(text_of(p->last, "number")));
        title(p, words);
        show_response(p->out, response, SHOW_INDENTED);
    }
}

static void show_earlier(const struct page *p, const struct json_node *attempts)
{
    for (const struct json_node *a = attempts->first; a && a != p->last; a = a->next) {
        const struct json_node *response = json_tree_get(a, "response_received");
        char words[64];

        if (!response || !response->first)
            continue;
        snprintf(words, sizeof(words), "Attempt " STR_FMT ": what came back",
                 STR_ARG(text_of(a, "number")));
        title(p, words);
        show_response(p->out, response, SHOW_INDENTED);
    }
}

void delivery_show(FILE *out, const struct json_node *delivery, int64_t now_ms, bool has_colour)
{
    const struct json_node *attempts = json_tree_get(delivery, "attempts");
    struct str note = text_of(delivery, "note");
    struct page p = {.out = out,
                     .root = delivery,
                     .id = text_of(delivery, "id"),
                     .state = text_of(delivery, "state"),
                     .created_ms = time_of(delivery, "created_at"),
                     .now_ms = now_ms,
                     .has_colour = has_colour};

    for (const struct json_node *a = attempts ? attempts->first : NULL; a; a = a->next)
        p.last = a;
    show_head(&p);
    show_why(&p);
    show_next(&p);
    title(&p, "Attempts");
    for (const struct json_node *a = attempts ? attempts->first : NULL; a; a = a->next)
        show_step(&p, a);
    if (!p.last)
        fprintf(out, "  %s\n", note.len ? "none is kept" : "none yet");
    if (note.len) {
        fputs("  ", out);
        print(&p, note);
        fputc('\n', out);
    }
    if (p.last) {
        show_earlier(&p, attempts);
        show_exchange(&p);
    }
}
