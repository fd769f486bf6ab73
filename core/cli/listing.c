#include "cli/listing.h"

#include "base/clock.h"
#include "base/rfc3339.h"
#include "encode/percent.h"

enum { TREE_MAX_BYTES = 512 * 1024 * 1024, PATH_MAX_BYTES = 16 * 1024 };

static int read_answer(const struct invocation *in, const struct remote_answer *answer,
                       int (*use)(struct listing *l), struct err *e)
{
    struct listing l = {.in = in};
    int status;

    arena_init(&l.arena, TREE_MAX_BYTES);
    if (json_tree_read(&l.root, answer->body, &l.arena, e) != 0)
        status = cli_fail(in, "the host's answer is not to be read: %s", e->text);
    else
        status = use(&l);
    arena_fini(&l.arena);
    return status;
}

int listing_run(const struct invocation *in, const char *method, const char *path,
                int (*show)(struct listing *l), int (*judge)(struct listing *l))
{
    struct config c;
    struct remote *remote = NULL;
    struct remote_answer answer;
    struct err e = {0};
    int status = cli_load_config(in, &c);

    if (status)
        goto out;
    if (remote_open(&remote, in, &c, &e) != 0 ||
        remote_get(remote, method, path, &answer, &e) != 0) {
        status = cli_fail(in, "%s", e.text);
        goto out;
    }
    if (options_has(&in->options, "json")) {
        fwrite(answer.body.data, 1, answer.body.len, in->out);
        fputc('\n', in->out);
    } else {
        status = read_answer(in, &answer, show, &e);
    }
    if (status == CLI_DONE && judge)
        status = read_answer(in, &answer, judge, &e);
out:
    remote_close(remote);
    config_fini(&c);
    return status;
}

int listing_path(const struct invocation *in, const char *base, struct buf *out)
{
    static const char *const not_filters[] = {"json", "url",   "token", "config",
                                              "data", "rules", "help",  NULL};
    struct clock clock;
    char separator = '?';

    clock_init(&clock);
    buf_append_text(out, base);
    for (size_t i = 0; i < in->options.value_count; i++) {
        const struct option_value *v = &in->options.values[i];
        bool is_filter = true;
        char time[RFC3339_LEN + 1];
        const char *text = v->text;
        int64_t at_ms;

        for (size_t k = 0; not_filters[k]; k++)
            if (strcmp(not_filters[k], v->option->name) == 0)
                is_filter = false;
        if (!is_filter)
            continue;
        if (v->option->kind == OPTION_SINCE &&
            options_since(text, clock_wall_ms(&clock), &at_ms) == 0) {
            rfc3339_format(time, at_ms);
            text = time;
        }
        buf_append_char(out, separator);
        buf_append_text(out, v->option->name);
        buf_append_char(out, '=');
        percent_encode(out, str_from(text));
        separator = '&';
    }
    buf_append_char(out, '\0');
    return out->failed;
}

int listing_path_of(const char *base, const char *id, struct buf *out)
{
    buf_append_text(out, base);
    buf_append_char(out, '/');
    percent_encode(out, str_from(id));
    buf_append_char(out, '\0');
    return out->failed;
}

void listing_print_table(struct listing *l, const char *name, const char *const *titles,
                         const char *const *paths, size_t count)
{
    const struct json_node *rows = json_tree_get(l->root, name);
    struct table t;

    if (!rows || !rows->first) {
        fprintf(l->in->messages, "There are no %s%s.\n", name,
                l->in->options.value_count ? " like that" : " yet");
        return;
    }
    table_init(&t, titles, count, &l->arena);
    for (const struct json_node *row = rows->first; row; row = row->next)
        for (size_t i = 0; i < count; i++)
            table_add(&t, json_tree_text(json_tree_get(row, paths[i])));
    table_print(&t, l->in->out);
}

void listing_say_more(const struct listing *l)
{
    struct str next = json_tree_text(json_tree_get(l->root, "next"));

    if (next.len)
        fprintf(l->in->messages, "There are more: add --cursor " STR_FMT ", or a higher --limit.\n",
                STR_ARG(next));
}

int listing_act(const struct invocation *in, const struct listing_verb *v)
{
    const struct options *o = &in->options;
    const char *verb = o->argument_count ? o->arguments[0] : "list";
    struct buf path;
    int status;

    buf_init(&path, PATH_MAX_BYTES);
    if (strcmp(verb, "list") == 0 && o->argument_count < 2) {
        status = listing_path(in, v->base, &path)
                     ? cli_fail(in, "the filters are too long")
                     : listing_run(in, "GET", path.data, v->list, NULL);
    } else if (strcmp(verb, "show") == 0 && o->argument_count == 2) {
        status = listing_path_of(v->base, o->arguments[1], &path)
                     ? cli_fail(in, "the id is too long")
                     : listing_run(in, "GET", path.data, v->show, NULL);
    } else if (strcmp(verb, "show") == 0) {
        status = cli_refuse(in, "an id is missing: hookline %s show ID", in->command->name);
    } else if (strcmp(verb, "list") == 0) {
        status = cli_refuse(in, "one argument too many: %s", o->arguments[1]);
    } else {
        status = cli_refuse(in, "%s wants list or show ID, not '%s'", in->command->name, verb);
    }
    buf_fini(&path);
    return status;
}
