#include "cli/diff_side.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/fault.h"
#include "engine/judge.h"
#include "engine/slots.h"

// Of a mark only a hash is kept, so that a million records cost little.
struct mark {
    uint64_t key;
    int64_t until_ms;
};

void diff_side_init(struct diff_side *s)
{
    *s = (struct diff_side){0};
    map_init(&s->marks);
    id_source_init(&s->ids, 0, 0);
}

void diff_side_fini(struct diff_side *s)
{
    size_t at = 0;
    void *mark;

    while (map_next(&s->marks, &at, NULL, &mark))
        free(mark);
    map_fini(&s->marks);
    index_look_fini(&s->look);
    generation_free(s->generation);
    folder_unref(s->folder);
}

int diff_side_load(struct diff_side *s, const struct invocation *in, const struct config *c,
                   struct folder *folder, struct err *e)
{
    const struct rules_config rules = config_rules(c);
    int code;

    s->folder = folder;
    code = generation_build(&s->generation, &rules, folder, NULL, e);
    if (code || s->generation->error_count == 0)
        return code;
    for (size_t i = 0; i < rules_fault_count(s->generation->rules); i++)
        if (!rules_fault(s->generation->rules, i)->is_warning)
            fault_print(in->messages, rules_fault(s->generation->rules, i));
    return err_set(e, ERR_INVALID, "%zu error%s", s->generation->error_count,
                   s->generation->error_count == 1 ? "" : "s");
}

static enum workflow_mode file_mode(const struct rules_workflow *w)
{
    return !w->is_active ? WORKFLOW_STOPPED : w->is_dry ? WORKFLOW_DRY : WORKFLOW_RUNS;
}

static enum workflow_mode host_mode(const struct json_node *said)
{
    const struct json_node *active = json_tree_get(said, "active");

    if (str_eq(json_tree_text(active), STR("dry")))
        return WORKFLOW_DRY;
    return json_tree_is_true(active) ? WORKFLOW_RUNS : WORKFLOW_STOPPED;
}

void diff_side_set_modes(struct diff_side *s, const struct json_node *workflows, bool is_host)
{
    struct generation *g = s->generation;

    for (size_t i = 0; i < rules_workflow_count(g->rules); i++)
        g->modes[i] = (unsigned char)file_mode(rules_workflow(g->rules, i));
    for (const struct json_node *n = workflows->first; n; n = n->next) {
        const struct generation_workflow *w =
            generation_find(g, json_tree_text(json_tree_get(n, "id")));
        struct str by = json_tree_text(json_tree_get(n, "started_by"));

        if (w && w->rule && (is_host || str_eq(by, STR("operator"))))
            g->modes[w->index] = (unsigned char)host_mode(n);
    }
}

bool diff_side_wants(const struct diff_side *s, struct str type)
{
    return index_wants(&s->generation->index, type) || str_ends_with(type, STR(".scheduled"));
}

// The store's rule: a mark is taken where there is none, or it has run out. *is_held: there is.
static int take_mark(struct diff_side *s, const struct event *ev, const struct store_run *run,
                     int64_t now_ms, bool *is_held)
{
    struct buf text;
    struct mark *mark;
    uint64_t key;
    int code = 0;

    buf_init(&text, 2 * EVENT_RECORD_ID_MAX + EVENT_NAME_MAX + 4096);
    buf_printf(&text, STR_FMT "\n" STR_FMT "\n", STR_ARG(run->workflow), STR_ARG(ev->record_type));
    buf_append_str(&text, ev->record_id);
    key = hash_bytes(&HASH_KEY_FIXED, text.data, text.len);
    buf_fini(&text);
    mark = map_get(&s->marks, (struct str){(const char *)&key, sizeof(key)});
    *is_held = mark && mark->until_ms > now_ms;
    if (!mark) {
        mark = malloc(sizeof(*mark));
        if (!mark)
            return ERR_NOMEM;
        *mark = (struct mark){.key = key};
        code = map_put(&s->marks, (struct str){(const char *)&mark->key, sizeof(key)}, mark);
        if (code)
            free(mark);
    }
    if (code == 0 && !*is_held)
        mark->until_ms = run->mark.until_ms;
    return code;
}

// The run where it shows: what is dry, or held by a mark, sends nothing.
static int keep_run(struct diff_side *s, const struct judge_context *c, const char *workflow,
                    const struct store_run *run, struct diff_run ***last)
{
    bool is_held = run->outcome == RUN_DRY;
    struct diff_run *kept;
    int code = 0;

    if (run->mark.is_set)
        code = take_mark(s, c->event, run, c->now_ms, &is_held);
    if (code || is_held || (run->outcome != RUN_ERROR && run->delivery_count == 0))
        return code;
    kept = arena_alloc(c->arena, sizeof(*kept));
    if (!kept)
        return ERR_NOMEM;
    *kept = (struct diff_run){.workflow = workflow, .now_ms = c->now_ms};
    if (run->outcome == RUN_ERROR) {
        kept->fault = run->reason.len ? run->reason : STR("it failed");
    } else {
        kept->deliveries = run->deliveries;
        kept->count = run->delivery_count;
    }
    **last = kept;
    *last = &kept->next;
    return 0;
}

static int judge_one(struct diff_side *s, const struct judge_context *c, size_t index,
                     struct str only, struct diff_run ***last)
{
    const struct rules_workflow *w = rules_workflow(s->generation->rules, index);
    enum workflow_mode mode = (enum workflow_mode)s->generation->modes[index];
    struct store_run run;
    enum rules_verdict verdict;
    int code;

    if (mode == WORKFLOW_STOPPED || (only.len && !str_eq(only, str_from(w->id))))
        return 0;
    code = judge_workflow(c, index, mode == WORKFLOW_DRY, &run, &verdict);
    return code || verdict == RULES_NO_MATCH ? code : keep_run(s, c, w->id, &run, last);
}

// Whom the event asks: of a time of a schedule its own workflow alone.
static int find_asked(struct diff_side *s, const struct event *ev,
                      const struct store_event_row *row, struct arena *arena,
                      const uint32_t **asked, size_t *count)
{
    struct str workflow = slots_workflow_of(row->type, row->key);
    const struct generation_workflow *w;
    uint32_t *one;
    int code;

    *count = 0;
    if (!workflow.len) {
        code = index_look(&s->look, &s->generation->index, ev, row->time_ms, arena);
        *asked = s->look.asked;
        *count = code ? 0 : s->look.asked_count;
        return code;
    }
    w = generation_find(s->generation, workflow);
    if (!w || !w->rule || !w->rule->schedule || !str_eq(str_from(w->rule->record), ev->record_type))
        return 0;
    one = arena_alloc(arena, sizeof(*one));
    if (!one)
        return ERR_NOMEM;
    *one = (uint32_t)w->index;
    *asked = one;
    *count = 1;
    return 0;
}

int diff_side_judge(struct diff_side *s, const struct event *ev, const struct store_event_row *row,
                    struct str only, struct arena *arena, struct diff_run **out, struct err *e)
{
    struct rules *rules = s->generation->rules;
    struct judge_context c = {.rules = rules,
                              .event = ev,
                              .ids = &s->ids,
                              .now_ms = row->received_at_ms,
                              .running_ms = row->received_at_ms,
                              .arena = arena};
    struct rules_event shown = {.json = ev->json,
                                .id = row->key,
                                .type = ev->type,
                                .record_type = ev->record_type,
                                .verb = ev->verb_word,
                                .time_ms = row->time_ms,
                                .previous = ev->previous,
                                .is_compared = ev->is_compared};
    const uint32_t *asked = NULL;
    struct diff_run **last = out;
    size_t count;
    int code;

    *out = NULL;
    if (ev->depth > EVENT_RUN_DEPTH_MAX)
        return 0;
    code = find_asked(s, ev, row, arena, &asked, &count);
    if (code || !count)
        return code ? err_set(e, (enum err_code)code, "out of memory") : 0;
    code = rules_event_begin(rules, &shown, e);
    if (code)
        return code;
    for (size_t i = 0; i < count && code == 0; i++)
        code = judge_one(s, &c, asked[i], only, &last);
    rules_event_end(rules);
    return code ? err_set(e, (enum err_code)code, "what is owed takes too much memory") : 0;
}
