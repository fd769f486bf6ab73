#include "cli/trial.h"

static const char *origin_word(enum trial_origin origin)
{
    switch (origin) {
    case TRIAL_EVENT_FILE:
        return "file";
    case TRIAL_EVENT_HOST:
        return "host";
    case TRIAL_EVENT_SAMPLE:
        break;
    }
    return "sample";
}

static int write_trace(struct trial *t, struct json_writer *w, struct err *e)
{
    json_key(w, STR("trace"));
    if (w->out->failed)
        return w->out->failed;
    // The writer's own state is moved past the value, the bytes come from the rules.
    json_raw(w, STR(""));
    return rules_explain(t->rules, 0, w->out, e);
}

static int write_run(struct trial *t, const struct rules_run *run, struct json_writer *w,
                     struct err *e)
{
    int code = 0;

    if (run->verdict == RULES_MATCH || run->verdict == RULES_NO_MATCH)
        json_member_null(w, "error");
    else
        json_member_string(w, "error", run->message);
    json_key(w, STR("requests"));
    json_array_begin(w);
    for (size_t i = 0; code == 0 && i < run->request_count; i++)
        code = trial_write_request(t, &run->requests[i], w, e);
    json_array_end(w);
    return code;
}

int trial_run(struct trial *t, struct buf *out, struct err *e)
{
    struct json_writer w;
    struct rules_run run = {0};
    int code = trial_begin_event(t, e);

    if (code)
        return code;
    rules_run(t->rules, 0, &t->arena, &run);
    t->would_fire = run.verdict == RULES_MATCH;
    json_writer_init(&w, out);
    json_object_begin(&w);
    json_member_text(&w, "workflow", t->workflow->id);
    json_member_bool(&w, "would_fire", t->would_fire);
    json_key(&w, STR("event"));
    json_raw(&w, t->event.json);
    json_member_text(&w, "event_from", origin_word(t->origin));
    code = write_trace(t, &w, e);
    rules_event_end(t->rules);
    if (code == 0)
        code = write_run(t, &run, &w, e);
    json_object_end(&w);
    return code ? code : out->failed;
}
