#include "base/duration.h"
#include "base/id.h"
#include "cli/json_tree.h"
#include "cli/show.h"
#include "cli/table.h"
#include "cli/trial.h"
#include "deliver/missing.h"

enum { ARENA_MAX_BYTES = 512 * 1024 * 1024, DOCUMENT_MAX_BYTES = 512 * 1024 * 1024 };

static void print_curl(FILE *out, struct str curl)
{
    // As it stands: it is to be pasted. What is in it is quoted, and no secret.
    fprintf(out, "\nThe same as a curl command:\n\n" STR_FMT "\n", STR_ARG(curl));
}

// What becomes of a delivery whose attempt fails so.
static void print_consequence(FILE *out, const struct json_node *request)
{
    const struct json_node *wait = json_tree_get(request, "retry_in_ms");
    struct str reason = json_tree_text(json_tree_get(request, "reason"));
    struct str fault = json_tree_text(json_tree_get(request, "fault"));
    char text[24];
    int64_t ms;

    if (wait && str_to_int64(json_tree_text(wait), &ms) == 0) {
        duration_format(text, ms);
        fprintf(out, "A host would try again in %s.\n", text);
    } else if (reason.len) {
        fputs("A host would give up: ", out);
        table_print_safe(out, reason, false);
        fputc('\n', out);
    }
    if (fault.len) {
        fputs("A function of the webhook failed, so what holds without it does: ", out);
        table_print_safe(out, fault, true);
        fputc('\n', out);
    }
}

static void print_outcome(FILE *out, const struct json_node *request)
{
    const struct json_node *response = json_tree_get(request, "response_received");
    struct str error = json_tree_text(json_tree_get(request, "error"));
    struct str detail = json_tree_text(json_tree_get(request, "detail"));
    struct str elapsed = json_tree_text(json_tree_get(request, "elapsed_ms"));
    bool is_success = json_tree_is_true(json_tree_get(request, "success"));

    fprintf(out, "\nresponse_received:\n");
    if (response && response->kind == JSON_OBJECT_BEGIN)
        show_response(out, response, SHOW_AS_SENT);
    else
        fprintf(out, "  < nothing\n");
    fprintf(out, "\n%s: ", is_success ? "Success" : "Failure");
    if (error.len)
        fprintf(out, STR_FMT "%s", STR_ARG(error), detail.len ? ": " : "");
    else if (detail.len == 0)
        fprintf(out, "status " STR_FMT, STR_ARG(json_tree_text(json_tree_get(response, "status"))));
    table_print_safe(out, detail, false);
    if (elapsed.len)
        fprintf(out, " (in " STR_FMT " ms)", STR_ARG(elapsed));
    fputc('\n', out);
    print_consequence(out, request);
    if (!is_success) {
        table_print_safe(out, json_tree_text(json_tree_get(request, "advice")), false);
        fputc('\n', out);
    }
}

static void print_request(FILE *out, const struct json_node *request)
{
    const struct json_node *invalid = json_tree_get(request, "invalid");

    fprintf(out, "\nrequest_sent:\n");
    show_request(out, json_tree_get(request, "request_sent"), SHOW_AS_SENT);
    if (invalid && invalid->kind == JSON_STRING) {
        fputs("\nIt is invalid and would never be sent: ", out);
        table_print_safe(out, invalid->text, false);
        fputc('\n', out);
        return;
    }
    struct str dropped = json_tree_text(json_tree_get(request, "dropped_characters"));
    if (!str_eq(dropped, STR("0")))
        fprintf(out, "\ndropped: " STR_FMT " of the values' characters, which XML may not have\n",
                STR_ARG(dropped));
    print_curl(out, json_tree_text(json_tree_get(request, "curl")));
    if (json_tree_get(request, "success"))
        print_outcome(out, request);
}

static void print_head(const struct trial *t, const struct json_node *root)
{
    FILE *out = t->in->out;
    struct str error = json_tree_text(json_tree_get(root, "error"));

    fprintf(out, "%s: %s, with %s: ", t->workflow->id,
            error.len       ? "would fail"
            : t->would_fire ? "would fire"
                            : "would not fire",
            trial_origin_words(t->origin));
    table_print_safe(out, t->event.id.len ? t->event.id : STR("without an id"), false);
    fprintf(out, ", " STR_FMT "\n", STR_ARG(t->event.type));
    show_trace(out, json_tree_get(root, "trace"), 2);
    if (error.len) {
        fputc('\n', out);
        table_print_safe(out, error, true);
        fputc('\n', out);
    }
    trial_say_state(t);
}

static int print(const struct trial *t, struct str document)
{
    struct arena arena;
    struct json_node *root;
    const struct json_node *requests;
    struct err e = {0};
    int status = CLI_DONE;

    if (options_has(&t->in->options, "json")) {
        fwrite(document.data, 1, document.len, t->in->out);
        fputc('\n', t->in->out);
        return CLI_DONE;
    }
    arena_init(&arena, ARENA_MAX_BYTES);
    if (json_tree_read(&root, document, &arena, &e) != 0) {
        status = cli_fail(t->in, "%s", e.text);
        goto out;
    }
    print_head(t, root);
    requests = json_tree_get(root, "requests");
    for (const struct json_node *r = requests->first; r; r = r->next)
        print_request(t->in->out, r);
    if (t->would_fire && !requests->first)
        fprintf(t->in->out, "\nIt owes no webhook for this event.\n");
out:
    arena_fini(&arena);
    return status;
}

static int open_sender(struct trial *t, struct err *e)
{
    struct client_config client = {.allow = t->config->allow,
                                   .allow_count = t->config->allow_count};
    int code = secrets_new(&t->secrets, t->config->data_dir, e);

    id_source_init(&t->ids, 0, 0);
    config_redirect_block(t->config, &t->redirect_block);
    if (code == 0 && t->sends)
        code = caller_open(&t->caller, &client, e);
    if (code == 0 && t->sends)
        code = config_give_targets(t->config, t->secrets, t->caller.client, e);
    if (code == 0 && t->sends) {
        struct oauth_config oauth = {.secrets = t->secrets,
                                     .clock = &t->caller.clock,
                                     .send = trial_send,
                                     .send_ctx = &t->caller};

        code = oauth_new(&t->oauth, &oauth, e);
    }
    return code;
}

static void print_missing(void *ctx, const struct missing *m)
{
    const struct trial *t = ctx;

    fprintf(t->in->messages, "hookline: warning: %s\n", m->message);
}

static int try_out(struct trial *t)
{
    struct buf document;
    struct err e = {0};
    int status = CLI_DONE;

    buf_init(&document, DOCUMENT_MAX_BYTES);
    if (open_sender(t, &e) != 0 || trial_find_event(t, &e) != 0 || trial_run(t, &document, &e) != 0)
        status = cli_fail(t->in, "%s", e.code ? e.text : "out of memory");
    else
        status = print(t, buf_str(&document));
    if (status == CLI_DONE && secrets_are_readable(t->secrets))
        missing_each_of(t->workflow, t->secrets, print_missing, t);
    buf_fini(&document);
    if (status == CLI_DONE && (!t->would_fire || t->has_failed))
        status = CLI_FAILED;
    return status;
}

static int run(const struct invocation *in)
{
    struct config c;
    struct trial t;
    int status = trial_open(&t, in, &c);

    if (status == 0)
        status = try_out(&t);
    trial_close(&t);
    config_fini(&c);
    return status;
}

static const struct option options[] = {
    {"event", "FILE", OPTION_PATH, false, false, "the event to try with, as JSON; - is stdin"},
    {"send", NULL, OPTION_SWITCH, false, false, "send the requests, and show what comes back"},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};

const struct command command_try = {
    .name = "try",
    .arguments = "RULES/NAME.lua",
    .summary = "Show what a workflow would send for an event, or send it",
    .details =
        "Prints whether the workflow would fire and why, each request with its secrets masked, and "
        "the\n"
        "same as a curl command. Nothing is stored and no once-mark is taken. Without --event it "
        "takes\n"
        "the last event of its type that the data folder's running host took, else a sample that "
        "its\n"
        "conditions like. The exit status is 0 if it would fire and, with --send, every request\n"
        "succeeded. --json prints { \"would_fire\", \"trace\", \"requests\": [...] }.\n",
    .options = options,
    .common = COMMON_LOAD | COMMON_REMOTE | COMMON_JSON,
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run,
};
