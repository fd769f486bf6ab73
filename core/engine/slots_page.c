// A time under way: its records in pages, each judged in short turns, what they owe stored in small
// transactions together with how far it has come.
#include "engine/slots_internal.h"

#include <stdlib.h>

#include "base/crash_point.h"
#include "base/rfc3339.h"

enum {
    TURN_MS = 1,           // of judging, then the loop turns
    TURN_RECORDS = 4,      // between two looks at the time
    UNSAVED_RECORDS = 4096 // of which nothing is owed: judged again after a crash, to no harm
};

static void page_read(struct slots *s);

void slots_page_init(struct slots *s)
{
    arena_init(&s->page.rows, SLOTS_ARENA_MAX);
    arena_init(&s->page.owed, SLOTS_ARENA_MAX);
    buf_init(&s->json, SLOTS_ARENA_MAX);
    buf_init(&s->scratch, SLOTS_ARENA_MAX);
}

static void arena_renew(struct arena *a)
{
    arena_fini(a);
    arena_init(a, SLOTS_ARENA_MAX);
}

static void page_forget_owed(struct slots *s)
{
    s->page.event_count = 0;
    arena_renew(&s->page.owed);
}

void slots_page_drop(struct slots *s)
{
    loop_timer_stop(&s->turn);
    s->page.is_stale = s->state == SLOTS_READING;
    if (s->state == SLOTS_JUDGING) {
        page_forget_owed(s);
        arena_renew(&s->page.rows);
        s->state = SLOTS_IDLE;
    }
}

static bool is_refused(const struct slots *s)
{
    return s->is_held || store_trouble(s->config.store) ||
           store_owed_count(s->config.store) >= s->config.max_owed;
}

// The entry keeps its place: from there it goes on.
static void page_fail(struct slots *s, const char *words)
{
    log_write(s->config.log, LOG_ERROR, LOG_FIELDS({"workflow", str_from(s->page.entry->workflow)}),
              "%s: %s; it is tried again", s->page.entry->workflow, words);
    page_forget_owed(s);
    slots_pause(s);
}

static int entry_move_on(struct slots_entry *e, struct str last_record)
{
    char *kept = str_dup(last_record);
    if (kept == NULL) {
        return ERR_NOMEM;
    }
    free(e->last_record);
    e->last_record = kept;
    return 0;
}

// --- what is owed is stored ----------------------------------------------------------------------

static struct str last_judged(const struct slots_page *p)
{
    return p->at ? p->read.records[p->at - 1].record_id : str_from(p->entry->last_record);
}

static void page_store(struct slots *s);

// Somebody has posted an event under the id that is this record's: it is not run for it.
static void page_drop_event(struct slots *s, size_t index)
{
    struct slots_page *p = &s->page;
    log_write(
        s->config.log, LOG_WARN,
        LOG_FIELDS({"workflow", str_from(p->entry->workflow)}, {"event", p->events[index].key}),
        "%s does not run for a record: another event has the id of its run", p->entry->workflow);
    p->event_count--;
    memmove(&p->events[index], &p->events[index + 1],
            (p->event_count - index) * sizeof p->events[0]);
    page_store(s);
}

static void page_finish(struct slots *s)
{
    struct slots_entry *e = s->page.entry;
    char time[RFC3339_LEN + 1];
    rfc3339_format(time, e->under_way_ms);
    log_write(s->config.log, LOG_INFO, LOG_FIELDS({"workflow", str_from(e->workflow)}),
              "%s has run for its time %s: %zu of the records fired", e->workflow, time,
              s->page.run_count);
    e->done_ms = e->under_way_ms;
    e->under_way_ms = 0;
    e->next_ms = timetable_next_ms(&e->times, e->done_ms);
    arena_renew(&s->page.rows);
    slots_idle(s);
}

static void page_tell(struct slots *s)
{
    struct slots_page *p = &s->page;
    for (size_t i = 0; i < p->event_count; i++) {
        if (!p->events[i].is_duplicate) {
            s->config.on_stored(s->config.ctx, &p->events[i]);
        }
    }
    p->run_count += p->event_count;
    page_forget_owed(s);
}

static void page_on_stored(struct store_accept *a)
{
    struct slots *s = a->ctx;
    struct slots_page *p = &s->page;
    if (a->code == ERR_CONFLICT) {
        page_drop_event(s, a->fault_index);
        return;
    }
    if (a->code || entry_move_on(p->entry, last_judged(p))) {
        page_fail(s, a->code ? a->err.text : "out of memory");
        return;
    }
    p->unsaved = 0;
    page_tell(s);
    if (p->is_last) {
        page_finish(s);
        return;
    }
    crash_point(s->config.crash_at, "slot_page");
    if (s->is_reload_owed || s->is_stopping) {
        arena_renew(&p->rows);
        slots_idle(s);
    } else if (p->at < p->read.record_count) {
        s->state = SLOTS_JUDGING;
        loop_timer_start(&s->turn, 0);
    } else {
        page_read(s);
    }
}

static void page_store(struct slots *s)
{
    struct slots_page *p = &s->page;
    const struct slots_entry *e = p->entry;
    p->is_last = p->at == p->read.record_count && !p->read.next;
    p->slot = (struct store_slot){.workflow = str_from(e->workflow),
                                  .schedule = str_from(e->schedule),
                                  .done_ms = p->is_last ? e->under_way_ms : e->done_ms,
                                  .under_way_ms = p->is_last ? 0 : e->under_way_ms,
                                  .last_record = p->is_last ? STR("") : last_judged(p)};
    p->accept = (struct store_accept){.events = p->events,
                                      .event_count = p->event_count,
                                      .slot = &p->slot,
                                      .arena = &p->owed,
                                      .on_done = page_on_stored,
                                      .ctx = s};
    s->state = SLOTS_STORING;
    store_accept(s->config.store, &p->accept);
}

// --- records are judged --------------------------------------------------------------------------

// All of the page's records are judged.
static void page_end(struct slots *s)
{
    struct slots_page *p = &s->page;
    p->unsaved += p->read.record_count;
    if (p->event_count > 0 || !p->read.next || p->unsaved >= UNSAVED_RECORDS) {
        page_store(s);
    } else if (entry_move_on(p->entry, last_judged(p))) {
        page_fail(s, "out of memory");
    } else {
        page_read(s);
    }
}

// Whether the page goes on with its next record.
static bool page_judge_next(struct slots *s)
{
    struct slots_page *p = &s->page;
    s->is_judging = true;
    int code = slots_judge_record(s, &p->read.records[p->at]);
    s->is_judging = false;
    if (code && p->event_count > 0) { // it has room when what is owed already is stored
        page_store(s);
        return false;
    }
    if (code == ERR_NOMEM) {
        page_fail(s, "out of memory");
        return false;
    }
    if (code) { // alone it does not fit either
        log_write(s->config.log, LOG_ERROR,
                  LOG_FIELDS({"workflow", str_from(p->entry->workflow)},
                             {"record", p->read.records[p->at].record_id}),
                  "%s does not run for a record: what it owes takes too much memory",
                  p->entry->workflow);
    }
    p->at++;
    if (p->event_count == SLOTS_EVENTS) {
        page_store(s);
        return false;
    }
    return true;
}

void slots_page_turn(void *ctx)
{
    struct slots *s = ctx;
    struct slots_page *p = &s->page;
    struct clock real; // a test clock stands still while we work
    clock_init(&real);
    int64_t until_ms = clock_mono_ms(&real) + TURN_MS;
    while (p->at < p->read.record_count) {
        if (!page_judge_next(s)) {
            return;
        }
        if (s->is_reload_owed) {
            page_store(s);
            return;
        }
        if (p->at % TURN_RECORDS == 0 && clock_mono_ms(&real) >= until_ms) {
            loop_timer_start(&s->turn, 0);
            return;
        }
    }
    page_end(s);
}

// --- and read ------------------------------------------------------------------------------------

static void page_on_read(struct store_read *read)
{
    struct slots *s = read->ctx;
    if (s->page.is_stale) {
        arena_renew(&s->page.rows);
        s->state = SLOTS_IDLE;
        slots_wake(s);
        return;
    }
    if (read->code) {
        page_fail(s, "its records cannot be read");
        return;
    }
    s->state = SLOTS_JUDGING;
    loop_timer_start(&s->turn, 0);
}

static void page_read(struct slots *s)
{
    struct slots_page *p = &s->page;
    if (is_refused(s)) {
        slots_pause(s);
        return;
    }
    arena_renew(&p->rows);
    p->at = 0;
    p->is_stale = false;
    p->read = (struct store_read){
        .kind = STORE_READ_RECORD_PAGE,
        .filter = {.type = str_from(p->entry->record),
                   .record = arena_dup(&p->rows, str_from(p->entry->last_record))},
        .limit = SLOTS_PAGE_RECORDS,
        .arena = &p->rows,
        .on_done = page_on_read,
        .ctx = s};
    p->read.filter.type = arena_dup(&p->rows, p->read.filter.type); // a reload may come meanwhile
    s->state = SLOTS_READING;
    store_read(s->config.store, &p->read);
}

void slots_page_begin(struct slots *s, struct slots_entry *e)
{
    if (s->page.entry != e || e->last_record[0] == '\0') {
        s->page.run_count = 0;
    }
    s->page.entry = e;
    s->page.unsaved = 0;
    page_read(s);
}
