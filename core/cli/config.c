#include "cli/command.h"
#include "cli/config_faults.h"
#include "cli/table.h"
#include "encode/json_writer.h"

enum { JSON_MAX_BYTES = 64 * 1024 * 1024, KEY_WIDTH = 22, VALUE_WIDTH = 20 };

static const char *source_word(enum config_source source)
{
    static const char *const words[] = {[CONFIG_FROM_DEFAULT] = "default",
                                        [CONFIG_FROM_FILE] = "file",
                                        [CONFIG_FROM_ENVIRONMENT] = "environment",
                                        [CONFIG_FROM_FLAG] = "flag"};

    return words[source];
}

static void print_padded(FILE *out, const char *text, int width)
{
    int left = width - (int)strlen(text);

    table_print_safe(out, str_from(text), false);
    fprintf(out, "%*s", left > 0 ? left : 0, "");
}

// "limits.body            4MiB                  hookline.conf.lua"
static void print_value(void *ctx, const struct config_value *v)
{
    FILE *out = ctx;

    print_padded(out, v->key, KEY_WIDTH);
    fputs("  ", out);
    print_padded(out, v->text ? v->text : "-", VALUE_WIDTH);
    fputs("  ", out);
    table_print_safe(out, str_from(v->where ? v->where : source_word(v->source)), false);
    fputc('\n', out);
}

static void write_value(void *ctx, const struct config_value *v)
{
    struct json_writer *w = ctx;

    json_object_begin(w);
    json_member_text(w, "key", v->key);
    if (v->text)
        json_member_text(w, "value", v->text);
    else
        json_member_null(w, "value");
    json_member_text(w, "source", source_word(v->source));
    if (v->where)
        json_member_text(w, "where", v->where);
    else
        json_member_null(w, "where");
    json_object_end(w);
}

// A secret in the environment is a value, too, and no more than its name is anybody's business.
static void each_secret(const struct invocation *in,
                        void (*visit)(void *, const struct config_value *), void *ctx)
{
    const size_t prefix_len = strlen("HOOKLINE_SECRET_");
    char name[256];

    for (char *const *p = in->environment; p && *p; p++) {
        size_t len = strcspn(*p, "=");

        if (strncmp(*p, "HOOKLINE_SECRET_", prefix_len) != 0 || (*p)[len] != '=' ||
            len >= sizeof(name))
            continue;
        memcpy(name, *p, len);
        name[len] = '\0';
        visit(ctx,
              &(struct config_value){
                  .key = name, .text = "****", .source = CONFIG_FROM_ENVIRONMENT, .where = name});
    }
}

static int print_json(const struct invocation *in, const struct config *c)
{
    struct buf out;
    struct json_writer w;
    int code;

    buf_init(&out, JSON_MAX_BYTES);
    json_writer_init(&w, &out);
    json_object_begin(&w);
    if (c->file)
        json_member_text(&w, "file", c->file);
    else
        json_member_null(&w, "file");
    json_key(&w, STR("settings"));
    json_array_begin(&w);
    code = config_each_value(c, write_value, &w);
    each_secret(in, write_value, &w);
    json_array_end(&w);
    config_faults_write(&w, c);
    json_object_end(&w);
    if (code == 0 && !out.failed)
        fprintf(in->out, STR_FMT "\n", STR_ARG(buf_str(&out)));
    code = code || out.failed;
    buf_fini(&out);
    return code ? cli_fail(in, "out of memory") : CLI_DONE;
}

static int run(const struct invocation *in)
{
    struct config c;
    int status = cli_load_config(in, &c);

    if (status == 0 && options_has(&in->options, "json")) {
        status = print_json(in, &c);
    } else if (status == 0) {
        config_faults_print(in->messages, &c);
        if (config_each_value(&c, print_value, in->out) != 0)
            status = cli_fail(in, "out of memory");
        each_secret(in, print_value, in->out);
    }
    config_fini(&c);
    return status;
}

const struct command command_config = {
    .name = "config",
    .arguments = "",
    .summary = "Show what is in force, and where each value comes from",
    .details =
        "One line for each key: its value, and the file, the environment variable or the flag "
        "that\n"
        "gave it, or `default`. It is what `serve` would have with the same options, in this "
        "folder\n"
        "and this environment; no host is asked. A dash: nothing is set. Tokens and secrets are "
        "not\n"
        "shown. With --json: { \"file\", \"settings\": [{ \"key\", \"value\", \"source\", "
        "\"where\" "
        "}],\n"
        "\"errors\", \"warnings\" }, where source is default, file, environment or flag. `hookline "
        "check\n"
        "--config` finds the mistakes.\n",
    .options = serve_options,
    .common = COMMON_LOAD | COMMON_JSON,
    .least_arguments = 0,
    .most_arguments = 0,
    .run = run,
};
