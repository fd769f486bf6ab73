// Time triggers: workflows whose schedule has come are judged for every stored record of their type
// (docs/architecture.md, Time triggers). What matches is stored as an event "deal.scheduled" that
// is the workflow's alone, with an id made of workflow, time and record, in one transaction with
// how far the work has come: a crash at any point runs nothing twice and leaves nothing out. It
// goes in small pages, between which the loop serves everything else. Loop thread only.
#ifndef ENGINE_SLOTS_H
#define ENGINE_SLOTS_H

#include "engine/engine.h"

struct slots;

struct slots_config {
    struct loop *loop;
    struct store *store;
    struct engine *engine;
    const struct log *log;
    struct id_source *ids;
    int64_t max_owed; // deliveries: with so many owed it waits
    // An event was stored with what it owes.
    void (*on_stored)(void *ctx, const struct store_event *ev);
    void *ctx;
    const char *crash_at; // a named point to die at (tests), or NULL
};

int slots_new(struct slots **out, const struct slots_config *c, struct err *e);
// Not busy any more, and the store closed or about to be.
void slots_free(struct slots *s);
// Reads how far everything has come and begins; a generation must be in force.
void slots_start(struct slots *s);
// The engine has another generation, or another workflow of it runs.
void slots_reload(struct slots *s);
// Begins nothing more; what is at the store comes back while it is busy.
void slots_stop(struct slots *s);
// No time is run, and what comes due meanwhile is missed as by a host that is down; or that goes
// on.
void slots_hold(struct slots *s, bool is_held);
bool slots_is_busy(const struct slots *s);
// Whether all that is due has been run, as far as the store lets it.
bool slots_is_settled(const struct slots *s);

// The workflow whose time a stored event is, from its type and id; empty for other events. No other
// workflow is judged for it.
struct str slots_workflow_of(struct str type, struct str id);

#endif
