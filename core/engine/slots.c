// Which times there are, how far they have come, and when the next one is due.
#include "engine/slots_internal.h"

#include <stdio.h>
#include <stdlib.h>

// Wall clocks are set: what is due is looked for at least so often.
enum { WAKE_MS_MAX = 5 * 60 * 1000, SCHEDULE_TEXT_MAX = 1024 };

static void entries_free(struct slots_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(entries[i].workflow);
        free(entries[i].schedule);
        free(entries[i].last_record);
    }
    free(entries);
}

static int64_t now_ms(const struct slots *s)
{
    return clock_wall_ms(loop_clock(s->config.loop));
}

// --- the table at the store ----------------------------------------------------------------------

static void table_put(struct slots *s);

static void table_on_put(struct store_slots *q)
{
    struct slots *s = q->ctx;
    s->is_at_store = false;
    arena_fini(&s->table_arena);
    if (q->code) {
        log_error(s->config.log, "the times of workflows could not be stored: %s",
                  err_word((enum err_code)q->code));
    }
    if (s->is_put_owed) {
        table_put(s);
    }
}

static bool table_fill(struct slots *s)
{
    struct arena *arena = &s->table_arena;
    s->table.slots = arena_alloc(arena, (s->count + 1) * sizeof *s->table.slots);
    for (size_t i = 0; s->table.slots && i < s->count; i++) {
        const struct slots_entry *e = &s->entries[i];
        struct store_slot *slot = &s->table.slots[i];
        *slot = (struct store_slot){.workflow = arena_dup(arena, str_from(e->workflow)),
                                    .schedule = arena_dup(arena, str_from(e->schedule)),
                                    .done_ms = e->done_ms,
                                    .under_way_ms = e->under_way_ms,
                                    .last_record = arena_dup(arena, str_from(e->last_record))};
        if (!slot->workflow.data || !slot->schedule.data || !slot->last_record.data) {
            return false;
        }
    }
    return s->table.slots != NULL;
}

static void table_put(struct slots *s)
{
    s->is_put_owed = s->is_at_store;
    if (s->is_at_store) {
        return;
    }
    arena_init(&s->table_arena, SLOTS_ARENA_MAX);
    s->table = (struct store_slots){.count = s->count, .on_done = table_on_put, .ctx = s};
    if (!table_fill(s)) {
        arena_fini(&s->table_arena);
        log_error(s->config.log, "the times of workflows could not be stored: out of memory");
        return;
    }
    s->is_at_store = true;
    store_slots_put(s->config.store, &s->table);
}

// --- from a generation to the entries ------------------------------------------------------------

static bool is_scheduled(const struct generation *g, const struct generation_workflow *w)
{
    if (!w->rule || !w->rule->schedule || !w->zone) {
        return false;
    }
    enum workflow_mode mode = (enum workflow_mode)g->modes[w->index];
    return mode == WORKFLOW_RUNS || mode == WORKFLOW_DRY;
}

// What is under way goes on where it was; a workflow that is new, or has another schedule, begins
// now. *is_new tells.
static int entry_fill(struct slots *s, struct slots_entry *e, const struct slots_entry *old,
                      const struct generation_workflow *w, bool *is_new)
{
    char schedule[SCHEDULE_TEXT_MAX];
    const struct rules_schedule *rule = w->rule->schedule;
    snprintf(schedule, sizeof schedule, "%s %s %s", w->rule->record, rule->text, rule->zone);
    bool is_same = old && strcmp(old->schedule, schedule) == 0;
    if (old && !is_same && old->under_way_ms) {
        log_write(s->config.log, LOG_WARN, LOG_FIELDS({"workflow", str_from(w->id)}),
                  "%s has another schedule: what was under way ends here", w->id);
    }
    *e = (struct slots_entry){.workflow = strdup(w->id),
                              .schedule = strdup(schedule),
                              .last_record = strdup(is_same ? old->last_record : ""),
                              .done_ms = is_same ? old->done_ms : now_ms(s),
                              .under_way_ms = is_same ? old->under_way_ms : 0,
                              .of = w,
                              .record = w->rule->record,
                              .times = {rule, w->zone}};
    bool is_known = is_same && old->next_ms;
    e->next_ms = is_known ? old->next_ms : timetable_next_ms(&e->times, e->done_ms);
    *is_new = !is_same;
    return e->workflow && e->schedule && e->last_record ? 0 : ERR_NOMEM;
}

static int entries_make(struct slots *s, struct slots_entry **out, size_t *count, bool *is_changed)
{
    const struct generation *g = engine_generation(s->config.engine);
    struct slots_entry *entries = calloc(g->workflow_count + 1, sizeof *entries);
    int code = entries ? 0 : ERR_NOMEM;
    struct map old;
    map_init(&old);
    *out = entries;
    for (size_t i = 0; code == 0 && i < s->count; i++) {
        code = map_put(&old, str_from(s->entries[i].workflow), &s->entries[i]);
    }
    for (size_t i = 0; code == 0 && i < g->workflow_count; i++) {
        bool is_new = false;
        if (is_scheduled(g, &g->workflows[i])) {
            code = entry_fill(s, &entries[(*count)++], map_get(&old, str_from(g->workflows[i].id)),
                              &g->workflows[i], &is_new);
        }
        *is_changed = *is_changed || is_new;
    }
    *is_changed = *is_changed || *count != s->count;
    map_fini(&old);
    return code;
}

void slots_reload(struct slots *s)
{
    if (!s->is_loaded || s->is_stopping) {
        return;
    }
    s->is_reload_owed = s->state == SLOTS_STORING || s->is_judging;
    if (s->is_reload_owed) {
        return;
    }
    struct slots_entry *entries;
    size_t count = 0;
    bool is_changed = false;
    slots_page_drop(s);
    int code = entries_make(s, &entries, &count, &is_changed);
    if (code) { // nothing of the old generation may be used any more
        log_error(s->config.log,
                  "out of memory: the times of workflows stand still until a reload");
        entries_free(entries, count);
        entries = NULL;
        count = 0;
        is_changed = false;
    }
    entries_free(s->entries, s->count);
    s->entries = entries;
    s->count = count;
    if (is_changed) {
        table_put(s);
    }
    slots_wake(s);
}

// --- when ----------------------------------------------------------------------------------------

// The one that is due first, NULL for none.
static struct slots_entry *first_due(struct slots *s, int64_t *due_ms)
{
    struct slots_entry *first = NULL;
    *due_ms = INT64_MAX;
    for (size_t i = 0; i < s->count; i++) {
        struct slots_entry *e = &s->entries[i];
        int64_t at_ms = e->under_way_ms ? e->under_way_ms : e->next_ms;
        if (at_ms < *due_ms) {
            first = e;
            *due_ms = at_ms;
        }
    }
    return first;
}

void slots_wake(struct slots *s)
{
    if (s->state != SLOTS_IDLE || !s->is_loaded || s->is_stopping) {
        return;
    }
    int64_t due_ms, now = now_ms(s);
    struct slots_entry *e = first_due(s, &due_ms);
    if (e == NULL) {
        loop_timer_stop(&s->wake);
    } else if (due_ms > now && e->under_way_ms == 0) {
        loop_timer_start(&s->wake, due_ms - now < WAKE_MS_MAX ? due_ms - now : WAKE_MS_MAX);
    } else {
        if (e->under_way_ms == 0) { // of those that were missed the last alone
            e->under_way_ms = timetable_last_ms(&e->times, now);
            e->last_record[0] = '\0';
        }
        slots_page_begin(s, e);
    }
}

void slots_idle(struct slots *s)
{
    s->state = SLOTS_IDLE;
    if (s->is_reload_owed) {
        slots_reload(s);
    } else {
        slots_wake(s);
    }
}

void slots_pause(struct slots *s)
{
    s->state = SLOTS_PAUSED;
    loop_timer_start(&s->pause, SLOTS_PAUSE_MS);
}

static void on_wake(void *ctx)
{
    slots_wake(ctx);
}

static void on_pause_end(void *ctx)
{
    struct slots *s = ctx;
    if (s->is_loaded) {
        slots_idle(s);
    } else {
        s->state = SLOTS_IDLE;
        slots_start(s);
    }
}

// --- the whole -----------------------------------------------------------------------------------

int slots_new(struct slots **out, const struct slots_config *c, struct err *e)
{
    struct slots *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    s->config = *c;
    loop_timer_init(&s->wake, c->loop, LOOP_HOST_TIME, on_wake, s);
    loop_timer_init(&s->turn, c->loop, LOOP_REAL_TIME, slots_page_turn, s);
    loop_timer_init(&s->pause, c->loop, LOOP_REAL_TIME, on_pause_end, s);
    slots_page_init(s);
    *out = s;
    return 0;
}

// The rows become entries of no generation, from which the first reload takes over.
static int table_take(struct slots *s, const struct store_slots *q)
{
    s->entries = calloc(q->count + 1, sizeof *s->entries);
    if (s->entries == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < q->count; i++) {
        const struct store_slot *slot = &q->slots[i];
        struct slots_entry *e = &s->entries[s->count++];
        *e = (struct slots_entry){.workflow = str_dup(slot->workflow),
                                  .schedule = str_dup(slot->schedule),
                                  .last_record = str_dup(slot->last_record),
                                  .done_ms = slot->done_ms,
                                  .under_way_ms = slot->under_way_ms};
        if (!e->workflow || !e->schedule || !e->last_record) {
            return ERR_NOMEM;
        }
    }
    return 0;
}

static void table_on_got(struct store_slots *q)
{
    struct slots *s = q->ctx;
    s->is_at_store = false;
    int code = q->code ? q->code : table_take(s, q);
    arena_fini(&s->table_arena);
    if (s->is_stopping) {
        return;
    }
    if (code) {
        log_error(s->config.log, "the times of workflows could not be read: %s",
                  err_word((enum err_code)code));
        entries_free(s->entries, s->count);
        s->entries = NULL;
        s->count = 0;
        slots_pause(s);
        return;
    }
    s->is_loaded = true;
    slots_reload(s);
}

void slots_start(struct slots *s)
{
    arena_init(&s->table_arena, SLOTS_ARENA_MAX);
    s->table = (struct store_slots){.arena = &s->table_arena, .on_done = table_on_got, .ctx = s};
    s->is_at_store = true;
    store_slots_get(s->config.store, &s->table);
}

void slots_stop(struct slots *s)
{
    s->is_stopping = true;
    loop_timer_stop(&s->wake);
    loop_timer_stop(&s->pause);
    if (s->state != SLOTS_STORING) {
        slots_page_drop(s);
    }
}

void slots_hold(struct slots *s, bool is_held)
{
    s->is_held = is_held;
}

bool slots_is_busy(const struct slots *s)
{
    return s->is_at_store || s->state == SLOTS_READING || s->state == SLOTS_STORING;
}

bool slots_is_settled(const struct slots *s)
{
    return s->is_loaded && !s->is_at_store && (s->state == SLOTS_IDLE || s->state == SLOTS_PAUSED);
}

void slots_free(struct slots *s)
{
    if (s == NULL) {
        return;
    }
    entries_free(s->entries, s->count);
    arena_fini(&s->page.rows);
    arena_fini(&s->page.owed);
    buf_fini(&s->json);
    buf_fini(&s->scratch);
    free(s);
}
