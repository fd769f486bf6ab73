#include "engine/recheck.h"

#include "engine/event_text.h"
#include "engine/internal.h"

enum { RECHECK_TEXT_MAX = 64 << 20 };

static int recheck_read_event(struct event *out, struct str payload, struct arena *arena)
{
    struct buf scratch;
    struct json_reader r;
    struct err e;
    buf_init(&scratch, payload.len + 1);
    json_reader_init(&r, payload, JSON_DEPTH_MAX, &scratch);
    int code = event_read(out, &r, EVENT_STORED, arena, &e);
    buf_fini(&scratch);
    return code;
}

// The event as the conditions are to see it: its record as it is now, `previous` as it was judged.
static struct str recheck_write(const struct recheck_event *q, struct str record,
                                struct str previous, struct arena *arena)
{
    struct event_text parts = {
        .id = q->id, .time_ms = q->time_ms, .record = record, .previous = previous};
    struct buf text;
    struct json_writer w;
    buf_init(&text, RECHECK_TEXT_MAX);
    json_writer_init(&w, &text);
    int code = event_text_write(&w, q->payload, &parts);
    struct str kept =
        code || text.failed ? (struct str){NULL, 0} : arena_dup(arena, buf_str(&text));
    buf_fini(&text);
    return kept;
}

static bool recheck_say(struct arena *arena, struct str *reason, const char *words,
                        struct str detail)
{
    struct buf text;
    buf_init(&text, ERR_TEXT_MAX);
    buf_printf(&text, "%s" STR_FMT, words, STR_ARG(detail));
    *reason = arena_dup(arena, text.failed ? str_from(words) : buf_str(&text));
    buf_fini(&text);
    return false;
}

static bool recheck_judge(struct rules *rules, size_t workflow, const struct rules_event *ev,
                          const struct recheck_event *q, struct arena *arena, struct str *reason)
{
    static const char failed[] = "its conditions could not be judged again: ";
    struct rules_run run = {0};
    struct err e;
    if (rules_event_begin(rules, ev, &e)) {
        return recheck_say(arena, reason, failed, str_from(e.text));
    }
    rules_recheck(rules, workflow, arena, &run);
    if (q->on_judged) {
        q->on_judged(q->ctx, rules, workflow, run.verdict == RULES_MATCH);
    }
    rules_event_end(rules);
    if (run.verdict == RULES_NO_MATCH) {
        return recheck_say(arena, reason, "its conditions held no longer after the delay", STR(""));
    }
    return run.verdict == RULES_MATCH || recheck_say(arena, reason, failed, run.message);
}

bool recheck_holds(struct rules *rules, size_t workflow, const struct recheck_event *q,
                   struct arena *arena, struct str *reason)
{
    const struct event *cause = q->cause;
    if (q->has_state && q->is_deleted && cause->verb != RULES_DELETED) {
        return recheck_say(arena, reason, "its record was deleted during the delay", STR(""));
    }
    struct str record = q->has_state ? q->record : cause->record;
    struct str previous = q->previous.len ? q->previous : cause->previous;
    struct rules_event ev = {.json = recheck_write(q, record, previous, arena),
                             .id = q->id,
                             .type = cause->type,
                             .record_type = cause->record_type,
                             .verb = cause->verb_word,
                             .time_ms = q->time_ms,
                             .previous = previous};
    if (ev.json.data == NULL) {
        return recheck_say(arena, reason, "there is no memory to judge its conditions again",
                           STR(""));
    }
    return recheck_judge(rules, workflow, &ev, q, arena, reason);
}

bool engine_holds_still(struct engine *g, const struct engine_recheck *q, struct arena *arena,
                        struct str *reason)
{
    const struct generation_workflow *w = generation_find(g->current, q->workflow);
    struct event cause, state;
    if (w == NULL || w->rule == NULL) {
        return recheck_say(arena, reason,
                           "its workflow is gone: the conditions cannot be judged again", STR(""));
    }
    bool has_state = q->state->version != 0;
    if (recheck_read_event(&cause, q->cause->payload, arena) ||
        (has_state && recheck_read_event(&state, q->state->payload, arena))) {
        return recheck_say(arena, reason,
                           "what its conditions are to be judged by is not stored any more",
                           STR(""));
    }
    struct recheck_event ev = {.cause = &cause,
                               .id = q->cause->key,
                               .time_ms = q->cause->time_ms,
                               .payload = q->cause->payload,
                               .has_state = has_state,
                               .is_deleted = has_state && state.verb == RULES_DELETED,
                               .record = has_state ? state.record : STR(""),
                               .previous = q->previous};
    return recheck_holds(g->current->rules, w->index, &ev, arena, reason);
}
