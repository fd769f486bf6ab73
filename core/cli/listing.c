#include "cli/listing.h"

#include "base/clock.h"
#include "base/nearest.h"
#include "base/rfc3339.h"
#include "encode/percent.h"

enum { TREE_MAX_BYTES = 512 * 1024 * 1024, PATH_MAX_BYTES = 16 * 1024 };

static int read_answer(const struct invocation *in, struct remote *remote,
                       const struct remote_answer *answer, int (*use)(struct listing *l),
                       struct err *e)
{
    struct listing l = {.in = in, .remote = remote};
    int status;

    arena_init(&l.arena, TREE_MAX_BYTES);
    if (json_tree_read(&l.root, answer->body, &l.arena, e) != 0)
        status = cli_fail(in, "the host's answer is not to be read: %s", e->text);
    else
        status = use(&l);
    arena_fini(&l.arena);
    return status;
}

static int ask(const struct invocation *in, const char *method, const char *path, struct str body,
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
        remote_send(remote, method, path, body, &answer, &e) != 0) {
        status = cli_fail(in, "%s", e.text);
        goto out;
    }
    if (options_has(&in->options, "json")) {
        fwrite(answer.body.data, 1, answer.body.len, in->out);
        fputc('\n', in->out);
    } else {
        status = read_answer(in, remote, &answer, show, &e);
    }
    if (status == CLI_DONE && judge)
        status = read_answer(in, remote, &answer, judge, &e);
out:
    remote_close(remote);
    config_fini(&c);
    return status;
}

int listing_run(const struct invocation *in, const char *method, const char *path,
                int (*show)(struct listing *l), int (*judge)(struct listing *l))
{
    return ask(in, method, path, STR(""), show, judge);
}

int listing_send(const struct invocation *in, const char *path, struct str body,
                 int (*show)(struct listing *l))
{
    return ask(in, "POST", path, body, show, NULL);
}

// The common options are no parameters of the API.
static bool is_parameter(const struct option *option)
{
    static const char *const others[] = {"json",  "url",  "ca",  "token", "config", "data",
                                         "rules", "help", "yes", "all",   NULL};

    for (size_t k = 0; others[k]; k++)
        if (strcmp(others[k], option->name) == 0)
            return false;
    return true;
}

static void append_parameters(const struct invocation *in, struct buf *out)
{
    struct clock clock;
    char separator = '?';

    clock_init(&clock);
    for (size_t i = 0; i < in->options.value_count; i++) {
        const struct option_value *v = &in->options.values[i];
        char time[RFC3339_LEN + 1];
        const char *text = v->option->kind == OPTION_SWITCH ? "true" : v->text;
        int64_t at_ms;

        if (!is_parameter(v->option))
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
}

int listing_path(const struct invocation *in, const char *base, struct buf *out)
{
    buf_append_text(out, base);
    append_parameters(in, out);
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

// Why a list is empty, where the workflow that was asked for is none of the host's: its name may be
// misspelt. The answer that was shown is gone then.
static void say_unknown_workflow(struct listing *l)
{
    const char *wanted = options_text(&l->in->options, "workflow");
    struct remote_answer answer;
    struct json_node *root;
    const struct json_node *rows;
    struct nearest near;
    struct err e = {0};

    if (!wanted || remote_get(l->remote, "GET", "/v1/workflows", &answer, &e) != 0 ||
        json_tree_read(&root, answer.body, &l->arena, &e) != 0)
        return;
    rows = json_tree_get(root, "workflows");
    if (!rows || !rows->first)
        return;
    nearest_init(&near, str_from(wanted));
    for (const struct json_node *row = rows->first; row; row = row->next) {
        struct str id = json_tree_text(json_tree_get(row, "id"));

        if (str_eq(id, str_from(wanted)))
            return;
        nearest_offer(&near, id);
    }
    fprintf(l->in->messages, "There is no workflow %s", wanted);
    if (near.name.len)
        fprintf(l->in->messages, "; did you mean " STR_FMT "?", STR_ARG(near.name));
    fputc('\n', l->in->messages);
}

bool listing_is_empty(struct listing *l, const char *name)
{
    const struct json_node *rows = json_tree_get(l->root, name);

    if (rows && rows->first)
        return false;
    fprintf(l->in->messages, "There are no %s%s.\n", strcmp(name, "audit") ? name : "acts",
            l->in->options.value_count ? " like that" : " yet");
    if (json_tree_text(json_tree_get(l->root, "next")).len ==
        0) // else it was not looked for in all
        say_unknown_workflow(l);
    return true;
}

void listing_print_table(struct listing *l, const char *name, const char *const *titles,
                         const char *const *paths, size_t count)
{
    const struct json_node *rows = json_tree_get(l->root, name);
    struct table t;

    if (listing_is_empty(l, name))
        return;
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

static bool takes_option(const char *options, const char *name)
{
    char word[64];

    snprintf(word, sizeof(word), " %s ", name);
    return options && strstr(options, word);
}

// The first option given that the verb has no use for, or NULL. options NULL: it takes them all.
static const char *useless_option(const struct options *o, const char *options)
{
    for (size_t i = 0; options && i < o->value_count; i++) {
        const struct option *option = o->values[i].option;

        if (is_parameter(option) && !takes_option(options, option->name))
            return option->name;
    }
    return NULL;
}

static int act_on_one(const struct invocation *in, const struct listing_verb *v,
                      const struct listing_action *action)
{
    const struct options *o = &in->options;
    struct buf path;
    int status;

    if (o->argument_count != 2)
        return cli_refuse(in, "an id is missing: hookline %s %s ID", in->command->name,
                          action->verb);
    if (action->needed && !options_has(o, action->needed))
        return cli_refuse(in, "%s needs --%s", action->verb, action->needed);
    buf_init(&path, PATH_MAX_BYTES);
    if (listing_path_of(v->base, o->arguments[1], &path) == 0) {
        path.len--; // the NUL
        buf_append_char(&path, '/');
        buf_append_text(&path, action->verb);
        append_parameters(in, &path);
    }
    status = path.failed ? cli_fail(in, "the id is too long")
                         : listing_run(in, "POST", path.data, action->show, NULL);
    buf_fini(&path);
    return status;
}

static int list_or_show(const struct invocation *in, const struct listing_verb *v, const char *verb)
{
    const struct options *o = &in->options;
    struct buf path;
    int status;

    buf_init(&path, PATH_MAX_BYTES);
    if (strcmp(verb, "list") == 0 && o->argument_count < 2) {
        status = listing_path(in, v->base, &path)
                     ? cli_fail(in, "the filters are too long")
                     : listing_run(in, "GET", path.data, v->list, NULL);
    } else if (v->show && strcmp(verb, "show") == 0 && o->argument_count == 2) {
        status = listing_path_of(v->base, o->arguments[1], &path)
                     ? cli_fail(in, "the id is too long")
                     : listing_run(in, "GET", path.data, v->show, NULL);
    } else if (v->show && strcmp(verb, "show") == 0) {
        status = cli_refuse(in, "an id is missing: hookline %s show ID", in->command->name);
    } else if (strcmp(verb, "list") == 0) {
        status = cli_refuse(in, "one argument too many: %s", o->arguments[1]);
    } else {
        status = cli_refuse(in, "%s wants %s, not '%s'", in->command->name,
                            v->actions ? in->command->arguments : "list or show ID", verb);
    }
    buf_fini(&path);
    return status;
}

int listing_act(const struct invocation *in, const struct listing_verb *v)
{
    const struct options *o = &in->options;
    const char *verb = o->argument_count ? o->arguments[0] : "list";
    const struct listing_action *action = v->actions;
    const char *useless;

    while (action && action->verb && strcmp(action->verb, verb) != 0)
        action++;
    if (action && !action->verb)
        action = NULL;
    useless = useless_option(o, action ? action->options : v->list_options);
    if (useless)
        return cli_refuse(in, "%s takes no --%s", verb, useless);
    return action ? act_on_one(in, v, action) : list_or_show(in, v, verb);
}
