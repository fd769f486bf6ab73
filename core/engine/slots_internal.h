// What the files of the time triggers share.
#ifndef ENGINE_SLOTS_INTERNAL_H
#define ENGINE_SLOTS_INTERNAL_H

#include "engine/slots.h"
#include "engine/timetable.h"

enum {
    SLOTS_EVENTS = 32,        // of one transaction: what an event may have to wait for
    SLOTS_PAGE_RECORDS = 128, // read at once
    SLOTS_PAUSE_MS = 1000,    // while the store takes nothing
    SLOTS_ARENA_MAX = 64 << 20
};

struct slots_entry { // a workflow with a schedule that is in force
    char *workflow;
    char *schedule;       // with its record type and zone: of another one nothing is taken over
    char *last_record;    // under way: up to this one it is done
    int64_t done_ms;      // its times up to this one are dealt with
    int64_t under_way_ms; // 0: none
    int64_t next_ms;      // the first behind done_ms
    const struct generation_workflow *of; // in the generation in force
    const char *record;                   // its record type; the generation's
    struct timetable times;               // the generation's
};

enum slots_state {
    SLOTS_IDLE,
    SLOTS_READING, // a page of records is at the store
    SLOTS_JUDGING,
    SLOTS_STORING, // what they owe is at the store
    SLOTS_PAUSED
};

struct slots_page {
    struct slots_entry *entry;
    bool is_stale; // what is being read is of no use any more
    struct store_read read;
    struct arena rows;
    size_t at; // the first record that is not judged
    size_t unsaved;
    // what they owe, not yet stored
    struct store_event events[SLOTS_EVENTS];
    size_t event_count;
    struct arena owed;
    struct store_accept accept;
    struct store_slot slot;
    bool is_last;     // with it the time is dealt with
    size_t run_count; // of this time
};

struct slots {
    struct slots_config config;
    struct slots_entry *entries;
    size_t count;
    bool is_loaded;
    bool is_stopping;
    bool is_held;
    bool is_reload_owed;
    bool is_judging; // Lua runs for a record: it can end with its workflow being suspended
    bool is_put_owed;
    bool is_at_store; // `table`
    struct store_slots table;
    struct arena table_arena;
    enum slots_state state;
    struct slots_page page;
    struct loop_timer wake; // host time: the next time that is due
    struct loop_timer turn; // real time
    struct loop_timer pause;
    struct buf json;
    struct buf scratch;
};

// slots.c: begins with what is due, or waits for it.
void slots_wake(struct slots *s);
// The page's events are stored, or it is given up: whatever was put off meanwhile.
void slots_idle(struct slots *s);
void slots_pause(struct slots *s);

// slots_page.c
void slots_page_init(struct slots *s);
void slots_page_begin(struct slots *s, struct slots_entry *e);
void slots_page_drop(struct slots *s); // not while it is being stored
void slots_page_turn(void *slots);

// slots_event.c: judges one record; where something is owed, its event is put behind the page's.
// 0, or ERR_TOO_LARGE (no room beside what the page owes already), ERR_NOMEM.
int slots_judge_record(struct slots *s, const struct store_record_row *row);

#endif
