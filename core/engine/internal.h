// What the files of the engine share.
#ifndef ENGINE_INTERNAL_H
#define ENGINE_INTERNAL_H

#include "engine/engine.h"
#include "engine/loops.h"
#include "engine/past.h"
#include "engine/watch.h"

struct engine_waiter { // somebody who asked for a reload
    struct engine_waiter *next;
    bool is_explicit;
    struct store_audit_put *audit; // until it is given; or NULL
    void (*on_done)(void *ctx, int code, const struct err *e);
    void *ctx;
};

struct control_waiter { // an operator whose word is being stored
    struct control_waiter *next;
    struct store_audit_put *audit; // until it is given; or NULL
    void (*on_done)(void *ctx, int code);
    void *ctx;
};

enum { CONTROL_STOPS_MAX = 5, CONTROL_STOPS_WITHIN_MS = 60 * 1000 };

// What is said of one workflow beside its file; there is none for most.
struct control {
    struct engine *engine;
    struct control_values now;    // in force, and stored
    struct control_values wanted; // to be stored next
    struct control_values put_values;
    bool is_dirty; // wanted is to be stored
    bool is_busy;  // a put or a step is under way
    struct control_waiter *waiting;
    struct control_waiter *served; // by the put under way
    struct store_workflow_put put;
    struct store_workflow_step step;
    size_t changed;      // webhooks, by the steps so far
    uint64_t generation; // the last that had it
    int64_t stops_ms[CONTROL_STOPS_MAX];
    size_t stop_count;
    char id[];
};

struct engine {
    struct engine_config config;
    struct generation *current;
    struct index_look look; // for the event being judged
    struct map controls;    // by id
    struct loops *loops;    // how often what ran
    bool is_stopping;
    struct loop_timer control_again; // after the store failed
    struct arena control_arena;
    struct store_workflows control_rows;
    void (*control_on_loaded)(struct engine *g, int code);
    // the reload under way
    bool is_reloading;
    struct engine_waiter *served;  // by the reload under way
    struct engine_waiter *waiting; // came later: by the next one
    struct generation *next;
    struct err fault;
    int code;
    bool is_explicit;                               // somebody asked; else a file has changed
    bool is_same;                                   // none of the texts has
    struct engine_explain *explains;                // the first is under way
    struct generation *old[ENGINE_OLD_GENERATIONS]; // built for them, the last used first
    struct watch *watch;                            // NULL: the folder is not watched
    // what was in force before the first load: read once
    bool has_past;
    struct past_load past;
    struct store_generation put; // a piece of the files
    struct store_file *put_files;
    size_t put_count;
    struct buf changes; // what they are, in words
    size_t telling;     // acts that are being stored
    int told_code;      // of the reload that they are
};

// --- control.c ---
void control_load(struct engine *g, void (*on_loaded)(struct engine *g, int code));
void control_follow_generation(struct engine *g); // g->current is new: sets its modes
// A run of the workflow was stopped by its budget: the fifth in a minute suspends it.
void control_note_stop(struct engine *g, const char *id, struct str reason);
void control_on_again(void *ctx);
void control_free_all(struct engine *g);

// --- renamed.c ---
// Warns of each workflow of `now` that is one of `was` under another id and is not to fire again.
void renamed_warn(const struct log *log, const struct generation *was,
                  const struct generation *now);

// --- reload_words.c ---
// What differs, for the audit log: "added a.lua, b.lua; changed c.lua; removed 40 files". At most
// 20 names, and short enough for that log.
void reload_words(const struct folder *was, const struct folder *now,
                  const struct store_file *changes, size_t count, struct buf *out);

#endif
