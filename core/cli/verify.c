#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/table.h"
#include "encode/json_writer.h"
#include "store/verify.h"

enum { JSON_MAX_BYTES = 16 * 1024 * 1024 };

struct verifying {
    const struct invocation *in;
    bool is_json;
    bool shows_progress;
    struct buf text; // --json: the faults, then the checks
    struct json_writer faults;
    struct buf checks_text;
    struct json_writer checks;
};

static void clear_progress(const struct verifying *v)
{
    if (v->shows_progress)
        fprintf(v->in->messages, "\r\033[K");
}

static void on_progress(void *ctx, const char *check, unsigned number, unsigned count)
{
    const struct verifying *v = ctx;

    fprintf(v->in->messages, "\r\033[K%u of %u: %s ...", number, count, check);
    fflush(v->in->messages);
}

static void on_fault(void *ctx, const char *check, const char *subject, const char *words)
{
    struct verifying *v = ctx;

    if (v->is_json) {
        json_object_begin(&v->faults);
        json_member_text(&v->faults, "check", check);
        json_member_string_or_null(&v->faults, "subject", str_from(subject));
        json_member_text(&v->faults, "fault", words);
        json_object_end(&v->faults);
        return;
    }
    clear_progress(v);
    fprintf(v->in->out, "%s: ", check);
    if (*subject) {
        table_print_safe(v->in->out, str_from(subject), false);
        fprintf(v->in->out, ": ");
    }
    table_print_safe(v->in->out, str_from(words), false);
    fputc('\n', v->in->out);
}

static void on_check(void *ctx, const struct store_verify_check *done)
{
    struct verifying *v = ctx;

    if (v->is_json) {
        json_object_begin(&v->checks);
        json_member_text(&v->checks, "check", done->name);
        json_member_integer(&v->checks, "rows", done->rows);
        json_member_integer(&v->checks, "faults", done->faults);
        json_object_end(&v->checks);
        return;
    }
    clear_progress(v);
    fprintf(v->in->out, "%10lld %-24s ", (long long)done->rows, done->name);
    if (done->faults == 0)
        fprintf(v->in->out, "ok\n");
    else
        fprintf(v->in->out, "%lld fault%s%s\n", (long long)done->faults,
                done->faults == 1 ? "" : "s",
                done->faults > STORE_VERIFY_SHOWN_MAX ? ", the first are shown" : "");
}

static int print_json(struct verifying *v, int64_t faults)
{
    json_array_end(&v->faults);
    json_array_end(&v->checks);
    if (v->text.failed || v->checks_text.failed)
        return cli_fail(v->in, "the report is too long");
    fprintf(v->in->out, "{\"faults\":%lld,\"checks\":" STR_FMT ",\"found\":" STR_FMT "}\n",
            (long long)faults, STR_ARG(buf_str(&v->checks_text)), STR_ARG(buf_str(&v->text)));
    return CLI_DONE;
}

static int verify(struct verifying *v, const char *dir)
{
    struct store_verify request = {.dir = dir,
                                   .ctx = v,
                                   .on_fault = on_fault,
                                   .on_check = on_check,
                                   .on_progress = v->shows_progress ? on_progress : NULL};
    struct err e = {0};
    int code = store_verify(&request, &e);
    int status = CLI_DONE;

    clear_progress(v);
    if (code)
        return cli_fail(v->in, "%s", e.text);
    if (v->is_json)
        status = print_json(v, request.faults);
    else if (request.faults == 0)
        fprintf(v->in->out, "%s is as it should be\n", dir);
    if (request.faults)
        status = cli_fail(v->in,
                          "%s has %lld fault%s: stop the host, keep a copy of the folder, and "
                          "restore the last good one",
                          dir, (long long)request.faults, request.faults == 1 ? "" : "s");
    return status;
}

static int run(const struct invocation *in)
{
    struct verifying v = {.in = in, .is_json = options_has(&in->options, "json")};
    struct config c;
    int status = cli_load_config(in, &c);

    v.shows_progress = in->messages == stderr && isatty(STDERR_FILENO);
    buf_init(&v.text, JSON_MAX_BYTES);
    buf_init(&v.checks_text, JSON_MAX_BYTES);
    json_writer_init(&v.faults, &v.text);
    json_writer_init(&v.checks, &v.checks_text);
    json_array_begin(&v.faults);
    json_array_begin(&v.checks);
    if (status == CLI_DONE)
        status = verify(&v, c.data_dir);
    buf_fini(&v.text);
    buf_fini(&v.checks_text);
    config_fini(&c);
    return status;
}

const struct command command_verify = {
    .name = "verify",
    .arguments = "",
    .summary = "Look through the data folder for what is not as it should be",
    .details =
        "Checks the pages of DATA/hookline.db, and that every event, run, delivery, attempt, "
        "mark,\n"
        "record, order and what else is stored there fits the others: an event has the deliveries\n"
        "that it caused, what is owed is due, attempts are whole, an order has one under way. "
        "Each\n"
        "fault is a line with the id of the row. Changes nothing, and may be run beside a host "
        "that\n"
        "works on the folder: it looks at one moment. Exit status 0: no fault, 1: some.\n",
    .options = NULL,
    .common = COMMON_JSON,
    .least_arguments = 0,
    .most_arguments = 0,
    .run = run,
};
