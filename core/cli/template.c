#include "script/template.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/command.h"

// A partial is a file of the folder, or of one below it.
static bool is_name_inside(struct str name)
{
    char path[FILE_PATH_MAX + 3];

    if (!name.len || name.len >= FILE_PATH_MAX || memchr(name.data, '\0', name.len) ||
        name.data[0] == '/')
        return false;
    snprintf(path, sizeof(path), "/" STR_FMT "/", STR_ARG(name));
    return strstr(path, "/../") == NULL;
}

static int read_partial(void *ctx, struct str name, struct buf *out, struct err *e)
{
    const char *dir = ctx;
    char path[FILE_PATH_MAX];
    char *text;
    size_t len;

    if (!is_name_inside(name))
        return err_set(e, ERR_INVALID, "'" STR_FMT "' is no name of a partial", STR_ARG(name));
    int n = snprintf(path, sizeof(path), "%s/" STR_FMT, dir, STR_ARG(name));
    if (n < 0 || (size_t)n >= sizeof(path))
        return err_set(e, ERR_INVALID, "the path of a partial is too long");
    int code = file_read(path, TEMPLATE_TEXT_MAX, &text, &len, e);
    if (code == ERR_NOT_FOUND)
        return err_set(e, code, "there is no partial '" STR_FMT "' in %s", STR_ARG(name), dir);
    if (code)
        return code;
    code = buf_append(out, text, len);
    free(text);
    return code ? err_set(e, (enum err_code)code, "%s: not enough memory", path) : 0;
}

static int render(const struct invocation *in, struct str text, struct str data)
{
    const char *partials = options_text(&in->options, "partials");
    struct clock clock;
    clock_init(&clock);
    struct template_request t = {
        .name = in->options.arguments[0],
        .text = text,
        .data = data,
        .now_ms = clock_wall_ms(&clock),
        .library_dir = options_text(&in->options, "lua"),
        .partial = partials ? read_partial : NULL,
        .ctx = (void *)(uintptr_t)partials,
    };
    struct buf out;
    struct err e = {0};
    int status = CLI_DONE;

    buf_init(&out, TEMPLATE_TEXT_MAX);
    if (template_render(&t, &out, &e) != 0) {
        fprintf(in->messages, "%s\n", e.text);
        status = CLI_FAILED;
    } else if (out.len) {
        fwrite(out.data, 1, out.len, in->out);
    }
    buf_fini(&out);
    return status;
}

static int run(const struct invocation *in)
{
    const char *data_path = options_text(&in->options, "data");
    char *text = NULL, *data = NULL;
    size_t text_len = 0, data_len = 0;
    struct err e = {0};
    int status;

    if (file_read(in->options.arguments[0], TEMPLATE_TEXT_MAX, &text, &text_len, &e) != 0 ||
        (data_path && file_read(data_path, TEMPLATE_TEXT_MAX, &data, &data_len, &e) != 0)) {
        status = cli_fail(in, "%s", e.text);
        goto out;
    }
    status =
        render(in, (struct str){text, text_len}, data ? (struct str){data, data_len} : STR("{}"));
out:
    free(text);
    free(data);
    return status;
}

static const struct option options[] = {
    {"data", "FILE", OPTION_PATH, false, false, "a JSON object: the template's variables"},
    {"partials", "DIR", OPTION_PATH, false, false,
     "the templates that render and include show, by their exact names"},
    {"lua", "DIR", OPTION_PATH, false, false,
     "the Lua library from this folder in place of the embedded one"},
    {NULL, NULL, OPTION_SWITCH, false, false, NULL},
};

const struct command command_template = {
    .name = "template",
    .arguments = "FILE",
    .summary = "Render a Liquid template alone",
    .details = "What it shows goes to stdout byte for byte: nothing is escaped, no newline added. "
               "Where it is not\nvalid the message begins with file:line:column.\n",
    .options = options,
    .common = 0,
    .least_arguments = 1,
    .most_arguments = 1,
    .run = run,
};
