// The engine: the generation in force, its reload, and what an event makes owed. Loop thread only;
// a generation is built on a pool thread.
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/id.h"
#include "base/log.h"
#include "engine/event.h"
#include "engine/generation.h"
#include "engine/past.h"
#include "loop/loop.h"
#include "store/audit.h"

struct engine;

struct engine_config {
    struct loop *loop;
    struct store *store;
    const struct log *log;
    struct rules_config rules; // borrowed texts
    struct id_source *ids;
    // Another generation is in force, or another of its workflows runs. May be NULL.
    void (*on_generation)(void *ctx);
    const char *crash_at; // a named point to die at (tests), or NULL
    // What a workflow owes is held back or cancelled from now on, or goes on: the sender drops what
    // it has of it, or looks into the store again.
    void (*on_owed)(void *ctx, struct str workflow, bool is_held_back);
    // The host itself has suspended a workflow.
    void (*on_suspended)(void *ctx, struct str workflow, struct str reason);
    // A reload has ended, the first load too: what was asked for is in force, or not. May be NULL.
    void (*on_reload)(void *ctx, bool is_good);
    // A workflow ran too often for one record; once for as long as that goes on.
    void (*on_looping)(void *ctx, struct str workflow, struct str reason);
    void *ctx;
    // How long a webhook with that retry text may be tried (deliver/decide.h).
    int64_t (*window_ms)(struct str retry);
    bool traces_all; // an event that came without a trace begins one
};

enum { CONTROL_WORDS_MAX = 512 };

// What an operator and the host have said of a workflow beside its file (store.h, store_workflow).
struct control_values {
    enum store_started started;
    enum when_stopped when_stopped;
    int64_t suspended_at_ms; // 0: it is not
    uint64_t suspended_text;
    char suspended_reason[CONTROL_WORDS_MAX];
    enum when_stopped owed;
    int64_t owed_since_ms;
    char owed_reason[CONTROL_WORDS_MAX];
    bool is_owed_done;
};

int engine_new(struct engine **out, const struct engine_config *c, struct err *e);
// Begins nothing more in the store by itself.
void engine_stop(struct engine *g);
// A reload must not be under way, the store is closed. The engine's own memory and the
// generation's.
void engine_free(struct engine *g);

// Reads the folder, builds the next generation beside the one in force, stores its texts, swaps it
// in between two events. Where no text differs the generation keeps its id, and nothing is stored.
// The first one starts from the last stored texts. Reloads asked for meanwhile are made one after
// another. on_done: code 0 and the new generation, or the fault; the old one stays in force then.
// audit: the act, the engine's from here on, or NULL; it is given the generations before and after
// with the files that changed, and is stored before on_done, which has the store's fault where it
// could not be (and the generation is the same, for its files could not be stored either). A change
// of the rules that nobody asked for is an act of "folder", or of "start" where it was made while
// the host was down.
void engine_reload(struct engine *g, struct store_audit_put *audit,
                   void (*on_done)(void *ctx, int code, const struct err *e), void *ctx);
// The same, but where nothing in the folder has changed nothing is done.
void engine_follow_folder(struct engine *g);
// From now on the folder is followed as its files change, until it is told to stop (before the loop
// can end). 0 or ERR_NOMEM.
int engine_watch(struct engine *g);
void engine_watch_stop(struct engine *g);
bool engine_is_reloading(const struct engine *g);

// The generation in force: NULL before the first load; borrowed until the loop's next turn.
const struct generation *engine_generation(const struct engine *g);
// Its rules, and the place of a workflow among them. NULL, and 0: nothing of it is in force.
struct rules *engine_rules(const struct engine *g, struct str workflow, size_t *index);

// An operator's start or stop of a workflow of the generation in force, or (STARTED_BY_FILE) the
// end of it. A start lifts a suspension too. audit: the act, the engine's from here on, stored with
// it; or NULL. on_done when it is stored and in force: 0, or the
// store's code.
void engine_control(struct engine *g, const struct generation_workflow *w,
                    enum store_started started, struct store_audit_put *audit,
                    void (*on_done)(void *ctx, int code), void *ctx);
// Borrowed until the loop's next turn; NULL: nothing was said.
const struct control_values *engine_control_of(const struct engine *g, struct str id);

// Judges one event by the generation in force: fills out->runs with what it owes, ids given, all of
// it on the arena (the event's own bytes are borrowed). `id` is the event's row, `shown_id` the id
// it goes by. A rule's fault is a run with the outcome `error`. 0; ERR_NOMEM; ERR_TOO_LARGE where
// the arena has no room for it beside what was judged before.
int engine_judge(struct engine *g, const struct event *ev, struct str shown_id, struct arena *arena,
                 struct store_event *out, struct err *e);
// The runs of what was judged were not stored: they do not count among those of the last minute.
void engine_take_back(struct engine *g, const struct store_event *ev);
// The same as engine_judge by one workflow of the generation in force, of which something is in
// force.
int engine_judge_one(struct engine *g, const struct generation_workflow *w, const struct event *ev,
                     struct str shown_id, struct arena *arena, struct store_event *out,
                     struct err *e);

enum { ENGINE_EXPLAIN_MAX_BYTES = 32 * 1024 * 1024, ENGINE_OLD_GENERATIONS = 2 };

struct engine_explained { // what one workflow says of the event
    struct str workflow;
    bool verdict;    // its trigger and its conditions let the event through
    struct str tree; // the trace, as JSON; empty: there is none, and `error` says why
    struct str error;
    bool is_active; // as its file says
    bool is_once;
    int64_t cooldown_ms;
};

// A stored event, judged again with a trace by the rules that were in force then. The caller's,
// with all it points at, until on_done.
struct engine_explain {
    struct event event;
    struct str shown_id;
    int64_t time_ms;
    uint64_t generation; // in: 0: the one in force at at_ms; out
    int64_t at_ms;
    struct str workflow; // empty: all that want its type
    struct arena *arena; // for out values; the engine's until on_done
    void (*on_done)(struct engine_explain *x);
    void *ctx;
    // out:
    int code;       // ERR_NOT_FOUND (no such generation or workflow), ERR_TOO_LARGE, ...
    struct err err; // then
    struct engine_explained *items;
    size_t count;
    // the engine's:
    struct engine_explain *next;
    struct past_load past;
    struct generation *built;
};
void engine_explain(struct engine *g, struct engine_explain *x);

struct engine_recheck { // a delivery whose conditions are to be judged again; all borrowed
    struct str workflow;
    const struct store_event_row *cause; // the event that made it owed
    struct str previous; // that was found for that event when it was judged, or empty
    const struct store_record_row
        *state; // the latest state of its record; version 0: there is none
};
// Whether the workflow's conditions still hold, in the generation in force, for the event with the
// latest state of its record. false: *reason says why not, on the arena. A deleted record is a
// reason, and so is a workflow that is not there any more or that fails: its owner asked for
// nothing to be sent that was not judged twice.
bool engine_holds_still(struct engine *g, const struct engine_recheck *q, struct arena *arena,
                        struct str *reason);

// Whether a workflow in force wants one of these outcomes of webhooks as events (RULES_DELIVERED |
// RULES_TERMINATED).
bool engine_wants(const struct engine *g, unsigned verbs);

#endif
