#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "cli/event_stream.h"
#include "cli/remote.h"
#include "cli/sample.h"
#include "cli/trial.h"
#include "deliver/preview.h"
#include "encode/percent.h"

enum {
    EVENT_MAX_BYTES = 8 * 1024 * 1024,
    PATH_MAX_BYTES = 4096,
    SAMPLE_ROUNDS = 4, // a condition that is mended can let another one come to light
};

const char *trial_origin_words(enum trial_origin origin)
{
    static const char *const origins[] = {
        [TRIAL_EVENT_FILE] = "the event given",
        [TRIAL_EVENT_HOST] = "the last event of its type that the host took",
        [TRIAL_EVENT_SAMPLE] = "a sample event (give your own with --event FILE)",
    };

    return origins[origin];
}

void trial_say_state(const struct trial *t)
{
    if (!t->workflow->is_active)
        fprintf(t->in->messages,
                "The workflow is not started (active = false): a host would not run it.\n");
    else if (t->workflow->is_dry)
        fprintf(
            t->in->messages,
            "The workflow is dry (active = \"dry\"): a host would store this and not send it.\n");
}

int trial_begin_event(struct trial *t, struct err *e)
{
    struct rules_event ev = preview_event(&t->event);

    return rules_event_begin(t->rules, &ev, e);
}

// Takes the JSON in t->event_json apart.
static int read_event(struct trial *t, struct err *e)
{
    struct json_reader r;
    struct buf scratch;
    struct clock clock;
    int code;

    buf_init(&scratch, t->event_json.len + 16);
    json_reader_init(&r, buf_str(&t->event_json), JSON_DEPTH_MAX, &scratch);
    code = event_read(&t->event, &r, EVENT_STORED, &t->arena, e);
    if (code == 0 && !t->event.has_time) {
        clock_init(&clock);
        t->event.time_ms = clock_wall_ms(&clock);
    }
    buf_fini(&scratch);
    return code ? code : preview_fit(&t->event, t->workflow, &t->arena, e);
}

static int event_from_file(struct trial *t, const char *name, struct err *e)
{
    bool is_stdin = strcmp(name, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    struct event_stream stream;
    struct str text;
    size_t line;
    enum event_stream_item item;
    int code = 0;

    if (fd < 0)
        return err_set(e, ERR_IO, "%s: %s", name, strerror(errno));
    event_stream_init(&stream, fd, EVENT_MAX_BYTES);
    item = event_stream_next(&stream, &text, &line, e);
    if (item == EVENT_STREAM_END)
        code = err_set(e, ERR_INVALID, "there is no event in it");
    else if (item != EVENT_STREAM_EVENT)
        code = e->code;
    else
        code = buf_append_str(&t->event_json, text);
    if (code == 0)
        code = read_event(t, e);
    if (code)
        err_context(e, "%s", is_stdin ? "stdin" : name);
    event_stream_fini(&stream);
    if (!is_stdin)
        close(fd);
    return code;
}

// What the host says of an event, as the event that was sent to it.
static int rebuild_event(struct trial *t, const struct json_node *root)
{
    static const char *const members[] = {"id", "type", "time", "record", "previous"};
    struct json_writer w;

    json_writer_init(&w, &t->event_json);
    json_object_begin(&w);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const struct json_node *value = json_tree_get(root, members[i]);

        if (!value || value->kind == JSON_NULL)
            continue;
        json_key(&w, str_from(members[i]));
        json_raw(&w, value->raw);
    }
    json_object_end(&w);
    return t->event_json.failed;
}

static int event_from_remote(struct trial *t, struct remote *remote, struct err *e)
{
    struct buf path;
    struct remote_answer answer;
    struct json_node *root;
    const struct json_node *list;
    int code = ERR_NOT_FOUND;

    buf_init(&path, PATH_MAX_BYTES);
    buf_append_text(&path, "/v1/events?limit=100&type=");
    percent_encode(&path, str_from(t->workflow->record));
    buf_append_char(&path, '\0');
    if (path.failed || remote_get(remote, "GET", path.data, &answer, e) != 0 ||
        json_tree_read(&root, answer.body, &t->arena, e) != 0)
        goto out;
    list = json_tree_get(root, "events");
    for (const struct json_node *n = list ? list->first : NULL; n; n = n->next) {
        if (!preview_wants(t->workflow, json_tree_text(json_tree_get(n, "type"))))
            continue;
        buf_reset(&path);
        buf_append_text(&path, "/v1/events/");
        percent_encode(&path, json_tree_text(json_tree_get(n, "id")));
        buf_append_char(&path, '\0');
        if (path.failed || remote_get(remote, "GET", path.data, &answer, e) != 0 ||
            json_tree_read(&root, answer.body, &t->arena, e) != 0 || rebuild_event(t, root) != 0)
            goto out;
        code = read_event(t, e);
        break;
    }
out:
    buf_fini(&path);
    return code;
}

static int event_from_host(struct trial *t, struct err *e)
{
    struct remote *remote = NULL;
    int code = remote_open(&remote, t->in, t->config, e);

    if (code == 0)
        code = event_from_remote(t, remote, e);
    remote_close(remote);
    if (code)
        buf_reset(&t->event_json);
    return code;
}

static int event_from_sample(struct trial *t, struct err *e)
{
    struct sample sample;
    struct clock clock;
    struct buf trace;
    struct json_node *root;
    bool is_adjusted = true;
    int code;

    clock_init(&clock);
    buf_init(&trace, EVENT_MAX_BYTES);
    code = sample_init(&sample, t->workflow, clock_wall_ms(&clock), &t->arena);
    for (int i = 0; code == 0 && is_adjusted && i <= SAMPLE_ROUNDS; i++) {
        buf_reset(&t->event_json);
        buf_reset(&trace);
        code = sample_write(&sample, &t->event_json);
        if (code == 0)
            code = read_event(t, e);
        if (code == 0)
            code = trial_begin_event(t, e);
        if (code)
            break;
        code = rules_explain(t->rules, 0, &trace, e);
        rules_event_end(t->rules);
        if (code == 0) {
            struct str copy = arena_dup(&t->arena, buf_str(&trace));

            code = copy.data ? json_tree_read(&root, copy, &t->arena, e) : ERR_NOMEM;
        }
        is_adjusted = code == 0 && i < SAMPLE_ROUNDS && sample_adjust(&sample, root);
    }
    buf_fini(&trace);
    return code;
}

int trial_find_event(struct trial *t, struct err *e)
{
    const char *file = options_text(&t->in->options, "event");
    struct err why = {0};

    if (file) {
        t->origin = TRIAL_EVENT_FILE;
        return event_from_file(t, file, e);
    }
    t->origin = TRIAL_EVENT_HOST;
    if (event_from_host(t, &why) == 0)
        return 0;
    // A host that was named must be there; that of the data folder need not run.
    if (options_has(&t->in->options, "url") && why.code != ERR_NOT_FOUND && why.code) {
        *e = why;
        return why.code;
    }
    t->origin = TRIAL_EVENT_SAMPLE;
    return event_from_sample(t, e);
}
