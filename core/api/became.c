#include "api/became.h"

#include "base/rfc3339.h"
#include "store/audit.h"

static bool became_fired(const struct store_run_row *run)
{
    return run->outcome == RUN_SENT || run->outcome == RUN_DRY;
}

const struct store_run_row *became_run(const struct store_event_row *ev, struct str workflow)
{
    const struct store_run_row *found = NULL;
    for (size_t i = 0; i < ev->run_count; i++) {
        const struct store_run_row *run = &ev->runs[i];
        if (str_eq(run->workflow, workflow) &&
            (found == NULL || became_fired(run) || !became_fired(found))) {
            found = run;
        }
    }
    return found;
}

bool became_is_open(const struct store_event_row *ev, const struct engine_explained *item)
{
    return item->verdict && became_run(ev, item->workflow) == NULL;
}

// The last start or stop before the event came, or NULL.
static const struct store_audit *became_last_act(const struct became_known *known,
                                                 struct str workflow)
{
    for (size_t i = 0; i < known->act_count; i++) {
        const struct store_audit *a = &known->acts[i];
        if (str_eq(a->subject, workflow)) {
            return a;
        }
    }
    return NULL;
}

// Whether the workflow was not asked, with the words for it.
static bool became_was_stopped(struct buf *words, const struct became_known *known,
                               const struct engine_explained *item)
{
    const struct store_audit *last = became_last_act(known, item->workflow);
    char at[RFC3339_LEN + 1];
    if (last && str_eq(last->act, STR("workflow.deactivate"))) {
        rfc3339_format(at, last->at_ms);
        buf_printf(words, "it was stopped by an operator (" STR_FMT ", %s)", STR_ARG(last->who),
                   at);
        return true;
    }
    bool is_started = last && str_eq(last->act, STR("workflow.activate"));
    if (!item->is_active && !is_started) {
        buf_append_text(words, "it was not started: active = false in its file");
        return true;
    }
    return false;
}

static const struct store_run_row *became_earlier(const struct became_known *known,
                                                  struct str workflow)
{
    for (size_t i = 0; i < known->run_count; i++) {
        if (str_eq(known->runs[i].workflow, workflow) && known->runs[i].delivery_count) {
            return &known->runs[i];
        }
    }
    return NULL;
}

// Whether the workflow was not to fire again for the record, with the words for it.
static bool became_was_marked(struct became *b, const struct became_known *known,
                              const struct engine_explained *item, int64_t mark_until_ms)
{
    bool has_cooldown = !item->is_once && item->cooldown_ms > 0;
    const struct store_run_row *earlier =
        item->is_once || has_cooldown ? became_earlier(known, item->workflow) : NULL;
    int64_t received_ms = known->event->received_at_ms;
    bool holds_now = mark_until_ms > received_ms;
    if (!earlier && !(holds_now && item->is_once)) {
        return false;
    }
    if (item->is_once) {
        buf_append_text(&b->words, "hook.once has fired for this record already");
    } else {
        char until[RFC3339_LEN + 1];
        int64_t fired_ms = id_time_ms(earlier->delivery_ids[0]);
        if (fired_ms + item->cooldown_ms <= received_ms) {
            return false;
        }
        rfc3339_format(until, fired_ms + item->cooldown_ms);
        buf_printf(&b->words, "it has fired for this record: cooldown until %s", until);
    }
    if (earlier) {
        b->earlier = earlier->event_key;
        buf_printf(&b->words, " (event " STR_FMT ")", STR_ARG(b->earlier));
    }
    return true;
}

static void became_tell_of_none(struct became *b, const struct became_known *known,
                                const struct engine_explained *item, int64_t mark_until_ms)
{
    buf_append_text(&b->words, "its conditions hold, but ");
    if (known->depth > EVENT_RUN_DEPTH_MAX) {
        buf_printf(&b->words, "the event came through %u workflows: it is stored and not run",
                   known->depth);
    } else if (!became_was_stopped(&b->words, known, item) &&
               !became_was_marked(b, known, item, mark_until_ms)) {
        buf_append_text(&b->words, "no run of it is stored");
    }
}

void became_tell(struct became *b, const struct became_known *known,
                 const struct engine_explained *item, int64_t mark_until_ms)
{
    b->run = became_run(known->event, item->workflow);
    b->fires = b->run && became_fired(b->run);
    b->earlier = (struct str){NULL, 0};
    if (b->run == NULL) {
        if (item->verdict) {
            became_tell_of_none(b, known, item, mark_until_ms);
        } else {
            buf_append_text(&b->words, "does not fire");
        }
        return;
    }
    switch (b->run->outcome) {
    case RUN_SENT:
        buf_append_text(&b->words, b->run->delivery_count ? "fires" : "fires, and owes no webhook");
        break;
    case RUN_DRY:
        buf_append_text(&b->words, "fires, dry: what it owes is shown and never sent");
        break;
    case RUN_ERROR:
        buf_printf(&b->words, "its run raised: " STR_FMT, STR_ARG(b->run->reason));
        break;
    case RUN_SUPPRESSED:
        buf_printf(&b->words, "%s: " STR_FMT,
                   item->verdict ? "its conditions hold, but it was suppressed" : "suppressed",
                   STR_ARG(b->run->reason));
        break;
    }
}
