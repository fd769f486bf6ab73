// The engine: the generation in force, its reload, and what an event makes owed. Loop thread only;
// a generation is built on a pool thread.
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/id.h"
#include "base/log.h"
#include "engine/event.h"
#include "engine/generation.h"
#include "loop/loop.h"
#include "store/store.h"

struct engine;

struct engine_config {
    struct loop *loop;
    struct store *store;
    const struct log *log;
    struct rules_config rules; // borrowed texts
    struct id_source *ids;
    const char *crash_at; // a named point to die at (tests), or NULL
};

int engine_new(struct engine **out, const struct engine_config *c, struct err *e);
// A reload must not be under way. The engine's own memory and the generation's.
void engine_free(struct engine *g);

// Builds the next generation beside the one in force, stores its texts, swaps it in between two
// events. The first one starts from the last stored texts. Reloads asked for meanwhile are made one
// after another. on_done: code 0 and the new generation, or the fault; the old one stays in force
// then.
void engine_reload(struct engine *g, void (*on_done)(void *ctx, int code, const struct err *e),
                   void *ctx);
bool engine_is_reloading(const struct engine *g);

// The generation in force: NULL before the first load; borrowed until the loop's next turn.
const struct generation *engine_generation(const struct engine *g);

// Judges one event by the generation in force: fills out->runs with what it owes, ids given, all of
// it on the arena (the event's own bytes are borrowed). `id` is the event's row, `shown_id` the id
// it goes by. A rule's fault is a run with the outcome `error`. 0; ERR_NOMEM; ERR_TOO_LARGE where
// the arena has no room for it beside what was judged before.
int engine_judge(struct engine *g, const struct event *ev, struct str shown_id, struct arena *arena,
                 struct store_event *out, struct err *e);

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
