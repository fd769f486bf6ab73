#include "cli/test_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "cli/test_event.h"
#include "cli/test_order.h"
#include "cli/test_time.h"
#include "deliver/request.h"
#include "engine/folder.h"
#include "engine/judge.h"

enum { WORLD_ARENA_MAX = 512 * 1024 * 1024, WORLD_TEXT_MAX = 64 * 1024 * 1024 };

int world_open(struct world *w, const struct rules_config *c, const struct world_files *files,
               int64_t now_ms, struct test_cover *cover, struct err *e)
{
    int code;

    *w = (struct world){.dir = c->rules_dir, .cover = cover, .now_ms = now_ms, .last = &w->first};
    arena_init(&w->arena, WORLD_ARENA_MAX);
    map_init(&w->records);
    map_init(&w->marks);
    map_init(&w->ids);
    id_source_init(&w->source, 0, 0);
    w->loops = loops_new();
    code = w->loops ? rules_new(&w->rules, c, e) : err_set(e, ERR_NOMEM, "out of memory");
    if (code == 0)
        code = folder_add_texts(files->folder, w->rules);
    for (size_t i = 0; code == 0 && i < files->workflow_count; i++) {
        const struct folder_file *file = files->workflows[i];

        code = rules_load(w->rules, file->path, (struct str){file->text, file->len});
    }
    return code ? code : test_time_open(w, e);
}

void world_close(struct world *w)
{
    test_time_close(w);
    rules_free(w->rules);
    loops_free(w->loops);
    map_fini(&w->records);
    map_fini(&w->marks);
    map_fini(&w->ids);
    arena_fini(&w->arena);
}

// --- deliveries ----------------------------------------------------------------------------------

static int owe(struct world *w, struct str workflow, size_t index, struct event *cause,
               const struct store_delivery *row)
{
    struct world_delivery *d = arena_alloc(&w->arena, sizeof(*d));

    if (!d)
        return ERR_NOMEM;
    *d = (struct world_delivery){.workflow = workflow, .index = index, .cause = cause, .row = *row};
    if (row->state == DELIVERY_INVALID)
        d->invalid = row->reason;
    *w->last = d;
    w->last = &d->next;
    return test_order_enter(w, d);
}

// --- judging -------------------------------------------------------------------------------------

static int write_trace(struct world *w, size_t i, struct json_writer *out, struct err *e)
{
    struct buf text;
    int code;

    buf_init(&text, WORLD_TEXT_MAX);
    code = rules_explain(w->rules, i, &text, e);
    if (code == 0) {
        json_key(out, STR("trace"));
        json_raw(out, buf_str(&text));
    }
    buf_fini(&text);
    // Where explaining fails the run does, too, and says so.
    return code == ERR_INVALID ? 0 : code;
}

static void begin_run(struct json_writer *out, const struct event *ev, const char *workflow,
                      const char *verdict)
{
    json_object_begin(out);
    json_member_string(out, "event", ev->id);
    json_member_text(out, "workflow", workflow);
    json_member_text(out, "verdict", verdict);
}

// The store's rule: a mark is taken where there is none, or it has run out. *is_held: there is.
static int take_mark(struct world *w, const struct event *ev, const struct store_run *run,
                     bool *is_held)
{
    char text[EVENT_NAME_MAX + EVENT_RECORD_ID_MAX + 256];
    struct str record = test_event_record_key(w, ev);
    int len =
        snprintf(text, sizeof(text), STR_FMT "\n" STR_FMT, STR_ARG(run->workflow), STR_ARG(record));
    struct str key = arena_dup(&w->arena, (struct str){text, (size_t)len});
    struct store_mark *mark = key.data ? map_get(&w->marks, key) : NULL;

    *is_held = mark && mark->until_ms > w->now_ms;
    if (!mark)
        mark = key.data ? arena_alloc(&w->arena, sizeof(*mark)) : NULL;
    if (!mark)
        return ERR_NOMEM;
    if (!*is_held)
        *mark = run->mark;
    return map_put(&w->marks, key, mark);
}

static struct str why_held(const struct rules_workflow *workflow)
{
    return workflow->is_once ? STR("it fires once, and has fired for this record before")
                             : STR("its cooldown has not passed since it fired for this record");
}

// Why a run that fires owes nothing all the same; *why is empty where it does.
static int find_hindrance(struct world *w, const struct rules_workflow *workflow,
                          const struct event *ev, const struct store_run *run, struct str *why)
{
    struct buf words;
    bool is_held;
    int code;

    *why = (struct str){0};
    if (run->mark.is_set) {
        code = take_mark(w, ev, run, &is_held);
        *why = code == 0 && is_held ? why_held(workflow) : *why;
        return code;
    }
    // What has a mark cannot go in circles.
    if (run->outcome != RUN_SENT || loops_count(w->loops, run->workflow, ev->record_type,
                                                ev->record_id, w->now_ms) == LOOPS_FINE)
        return 0;
    buf_init(&words, WORLD_TEXT_MAX);
    loops_say(&words, ev->record_type, ev->record_id);
    *why = arena_dup(&w->arena, buf_str(&words));
    buf_fini(&words);
    return why->data ? 0 : ERR_NOMEM;
}

static int write_run(struct world *w, size_t index, const struct event *ev,
                     const struct store_run *run, struct json_writer *out)
{
    const struct rules_workflow *workflow = rules_workflow(w->rules, index);
    struct event *cause = arena_alloc(&w->arena, sizeof(*cause));
    struct str hindrance;
    int code = find_hindrance(w, workflow, ev, run, &hindrance);

    if (!cause)
        return ERR_NOMEM;
    *cause = *ev;
    begin_run(out, ev, workflow->id,
              run->outcome == RUN_ERROR ? "error"
              : hindrance.len           ? "suppressed"
                                        : "match");
    if (run->outcome == RUN_ERROR)
        json_member_string(out, "message", run->reason);
    else if (hindrance.len)
        json_member_string(out, "message", hindrance);
    for (size_t i = 0; code == 0 && !hindrance.len && i < run->delivery_count; i++)
        code = owe(w, run->workflow, index, cause, &run->deliveries[i]);
    return code;
}

static int judge(struct world *w, size_t i, const struct event *ev, struct json_writer *out,
                 struct err *e)
{
    const struct rules_workflow *workflow = rules_workflow(w->rules, i);
    struct judge_context context = {.rules = w->rules,
                                    .event = ev,
                                    .ids = &w->source,
                                    .now_ms = w->now_ms,
                                    .running_ms = w->now_ms,
                                    .arena = &w->arena};
    struct store_run run;
    enum rules_verdict verdict;
    int code = judge_workflow(&context, i, workflow->is_dry, &run, &verdict);
    bool is_stored = code == 0 && verdict != RULES_NO_MATCH;

    if (code)
        return err_set(e, (enum err_code)code, "what is owed takes too much memory");
    if (is_stored) {
        code = write_run(w, i, ev, &run, out);
    } else {
        begin_run(out, ev, workflow->id, "no_match");
        code = write_trace(w, i, out, e);
    }
    json_object_end(out);
    if (code == 0 && w->cover)
        code = test_cover_see(w->cover, w->rules, i, is_stored && run.outcome != RUN_ERROR, e);
    return code;
}

static bool is_asked(const struct world *w, const struct world_asked *asked, size_t i)
{
    return asked->only ? i == *asked->only
                       : asked->verb == 0 || (rules_workflow(w->rules, i)->verbs & asked->verb);
}

int world_judge(struct world *w, const struct event *ev, struct world_asked asked,
                struct json_writer *out, struct err *e)
{
    struct rules_event shown = {
        .json = ev->json,
        .id = ev->id,
        .type = ev->type,
        .record_type = ev->record_type,
        .verb = ev->verb_word,
        .time_ms = ev->time_ms,
        .previous = ev->previous,
        .is_compared = ev->is_compared,
    };
    int code = rules_event_begin(w->rules, &shown, e);

    if (code)
        return code;
    for (size_t i = 0; code == 0 && i < rules_workflow_count(w->rules); i++)
        if (is_asked(w, &asked, i))
            code = judge(w, i, ev, out, e);
    rules_event_end(w->rules);
    return code;
}

static int take_event(struct world *w, const struct json_node *node, struct json_writer *out,
                      struct err *e)
{
    struct event ev;
    int code = test_event_make(w, node, false, &ev, e);

    if (code)
        return code;
    if (map_get(&w->ids, ev.id)) {
        begin_run(out, &ev, rules_workflow(w->rules, 0)->id, "duplicate");
        json_member_text(out, "message", "an event of this id came before: it is not run again");
        json_object_end(out);
        return 0;
    }
    code = map_put(&w->ids, ev.id, (void *)ev.json.data);
    if (code == 0)
        code = test_event_compare(w, &ev, e);
    if (code == 0 && ev.depth <= EVENT_RUN_DEPTH_MAX)
        code = world_judge(w, &ev, (struct world_asked){0}, out, e);
    if (code == 0)
        code = test_event_keep(w, &ev);
    return code;
}

// --- what a plan says ----------------------------------------------------------------------------

// The list of a plan's events: it is there, or in the file that it names.
static int find_list(struct world *w, const struct json_node *given, const struct json_node **list,
                     struct err *e)
{
    char path[FILE_PATH_MAX];
    struct json_node *root;
    struct str kept;
    char *text;
    size_t len;
    int code;

    *list = given && given->kind == JSON_ARRAY_BEGIN ? given->first : NULL;
    if (!given || given->kind != JSON_STRING)
        return 0;
    snprintf(path, sizeof(path), "%s/" STR_FMT, w->dir, STR_ARG(given->text));
    if ((code = file_read(path, FOLDER_FILE_MAX_BYTES, &text, &len, e)) != 0)
        return code;
    kept = arena_dup(&w->arena, (struct str){text, len});
    free(text);
    if (!kept.data)
        return err_set(e, ERR_TOO_LARGE, "%s: too large", path);
    if ((code = json_tree_read(&root, kept, &w->arena, e)) != 0)
        return err_context(e, "%s", path);
    *list = root->kind == JSON_ARRAY_BEGIN ? root->first : root;
    return 0;
}

int world_put_records(struct world *w, const struct json_node *records, struct err *e)
{
    const struct json_node *list;
    int code = find_list(w, records, &list, e);

    for (const struct json_node *n = list; n && code == 0; n = n->next) {
        struct event ev;

        code = test_event_make(w, n, true, &ev, e);
        if (code == 0)
            code = test_event_keep(w, &ev);
    }
    return code;
}

static void take_answers(struct world *w, const struct json_node *answers)
{
    const struct json_node *each = json_tree_get(answers, "each");

    if (answers)
        w->answers = (struct world_answers){.each = each ? each->first : NULL,
                                            .always = json_tree_get(answers, "always")};
}

static int write_delivery(struct world *w, const struct world_delivery *d, struct json_writer *out)
{
    struct request_input input = {.head = d->row.head, .delivery = d->row.id, .at_ms = w->now_ms};
    int code;

    json_object_begin(out);
    json_member_string(out, "workflow", d->workflow);
    code = request_write_json(out, "request", &input, d->row.body, &w->arena);
    if (d->invalid.len)
        json_member_string(out, "invalid", d->invalid);
    json_member_text(out, "state", delivery_state_word(d->row.state));
    json_member_integer(out, "attempts", d->attempts);
    if (d->row.reason.len)
        json_member_string(out, "reason", d->row.reason);
    if (test_time_is_owed(d))
        json_member_integer(out, "next_attempt_ms", d->row.due_at_ms);
    json_object_end(out);
    return code;
}

static int write_deliveries(struct world *w, const char *key, const struct world_delivery *first,
                            struct json_writer *out)
{
    int code = 0;

    json_key(out, str_from(key));
    json_array_begin(out);
    for (const struct world_delivery *d = first; d && code == 0; d = d->next)
        code = write_delivery(w, d, out);
    json_array_end(out);
    return code;
}

static int64_t duration_of(const struct json_node *step)
{
    int64_t ms = 0;

    str_to_int64(json_tree_text(json_tree_get(step, "after_ms")), &ms);
    return ms;
}

int world_step(struct world *w, const struct json_node *step, struct json_writer *out,
               struct err *e)
{
    const struct json_node *events = NULL;
    struct world_delivery **owed = w->last;
    int code;

    take_answers(w, json_tree_get(step, "answers"));
    json_object_begin(out);
    json_key(out, STR("runs"));
    json_array_begin(out);
    code = test_time_advance(w, w->now_ms + duration_of(step), out, e);
    if (code == 0)
        code = find_list(w, json_tree_get(step, "given"), &events, e);
    for (const struct json_node *n = events; n && code == 0; n = n->next)
        code = take_event(w, n, out, e);
    if (code == 0)
        code = test_time_advance(w, w->now_ms, out, e);
    json_array_end(out);
    if (code == 0)
        code = write_deliveries(w, "owed", *owed, out);
    if (code == 0)
        code = write_deliveries(w, "deliveries", w->first, out);
    json_member_integer(out, "now_ms", w->now_ms);
    json_object_end(out);
    if (code && !e->code)
        err_set(e, (enum err_code)code, "out of memory");
    return code;
}
