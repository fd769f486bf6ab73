// Delivery: from a webhook owed to its outcome. What is due soon is held in memory, bounded for
// each target; the rest of the backlog stays in the store. Targets take turns, each with its own
// limit in flight, so that a dead one does not delay the others. Loop thread only.
#ifndef DELIVER_DELIVER_H
#define DELIVER_DELIVER_H

#include "base/log.h"
#include "deliver/notices.h"
#include "deliver/oauth.h"
#include "deliver/secrets.h"
#include "engine/engine.h"
#include "loop/loop.h"
#include "store/audit.h"
#include "store/store.h"
#include "wire/client.h"

struct deliver;

enum deliver_target_state { TARGET_CLOSED, TARGET_OPEN, TARGET_HALF_OPEN, TARGET_PAUSED };
const char *deliver_target_state_word(enum deliver_target_state s); // "closed", "half_open", ...

struct deliver_limits {  // of one target
    size_t in_flight;    // it starts with 2 in flight and earns more by success, up to this
    int64_t interval_us; // between the starts of two attempts at least; 0: any
};

struct deliver_change { // of one delivery: it is in another state, or was tried again
    uint64_t delivery;
    enum delivery_state state;
    struct str workflow;
    struct str target;
    struct str head;                     // of its request (encode/head.h)
    const struct store_attempt *attempt; // that led to it; NULL: none
};

// Is told what is stored, in the order in which it was; all borrowed until it returns, and each may
// be NULL.
struct deliver_observer {
    void (*on_event)(void *ctx, const struct store_event *ev); // with its runs and what they owe
    void (*on_state)(void *ctx, const struct deliver_change *c);
    void *ctx;
};

struct deliver_config {
    struct loop *loop;
    struct store *store;
    struct client *client;
    struct secrets *secrets;
    struct oauth *oauth;
    struct notices *notices; // NULL: nobody is told by mail
    struct engine *engine;   // judges outcomes that workflows want as events
    struct id_source *ids;
    const struct log *log;
    size_t max_in_flight; // in all
    void (*target_limits)(void *ctx, struct str target, struct deliver_limits *out);
    void *ctx;
    struct deliver_observer observer;
    const char *redirect_all; // send everything here; or NULL
    const struct netblock
        *redirect_allow;  // the address of redirect_all, allowed for it alone; or NULL
    const char *crash_at; // a named point to die at (tests), or NULL
};

int deliver_open(struct deliver **out, const struct deliver_config *c, struct err *e);
// Asks the store what is owed and begins, or looks again.
void deliver_start(struct deliver *d);
// What was stored just now with an event: it is sent from memory where there is room, later from
// the store otherwise. All is copied.
void deliver_take_event(struct deliver *d, const struct store_event *ev);
// Its two halves, for who has to answer in between: first those are told who watch, or get mails
// (what the event says of itself is looked at for the last time), then it is sent.
void deliver_tell_event(struct deliver *d, const struct store_event *ev);
void deliver_start_event(struct deliver *d, const struct store_event *ev);
// The webhooks of a workflow are held back or cancelled in the store from now on: what waits here
// is dropped, what is under way ends. Or they go on: what is due is looked for.
void deliver_hold_back(struct deliver *d, struct str workflow, bool is_held_back);
// An operator's act on a delivery to that target is stored: one that was resent is looked for, one
// that was cancelled is not started from memory any more.
void deliver_resent(struct deliver *d, struct str target);
// One that waited for another is due, if it is any.
void deliver_freed(struct deliver *d, const struct store_freed *freed);
void deliver_cancelled(struct deliver *d, uint64_t id);
struct deliver_target { // how a target does
    enum deliver_target_state state;
    size_t in_flight;
    int64_t interval_us;   // of its rate; 0: any
    int64_t not_before_ms; // running: its breaker lets nothing through until then
    int failures;          // in a row, of those that say that it is down
};
// As it stands in memory: of one that has done nothing for long, that it is closed. Borrowed until
// the next turn. Whether it is paused is in the store, too.
void deliver_look_at(const struct deliver *d, struct str target, struct deliver_target *out);
// Nothing more is started to the target, over restarts too, and what it is owed is held; or that
// goes on. An empty target is everything, and `who` says by whom (deliver_paused). on_done: 0 once
// that is stored; ERR_NOT_FOUND: nothing was ever owed to it; or what the store said. Returns an
// error where it does not even begin. audit: told with it, and taken, even where it fails; or NULL.
int deliver_pause(struct deliver *d, struct str target, struct str who, bool is_paused,
                  struct store_audit_put *audit, void (*on_done)(void *ctx, int code), void *ctx);
// Since when what waits for its first attempt, or is due, has waited longest (wall), as far as it
// is known in memory; INT64_MAX: nothing does.
int64_t deliver_waits_since_ms(const struct deliver *d);
// How many of the targets that something was done with of late are in each state, by enum
// deliver_target_state.
void deliver_count_targets(const struct deliver *d, size_t count[TARGET_PAUSED + 1]);
struct deliver_paused { // everything
    int64_t since_ms;   // wall; 0: it is not
    char by[64];
};
const struct deliver_paused *deliver_paused(const struct deliver *d);
// Whether nothing is under way, nor due but to targets that are left alone (a breaker that
// is open). *next_ms: when the next attempt is due (running time);
// INT64_MAX: none.
bool deliver_is_idle(const struct deliver *d, int64_t *next_ms);
// Whether all that is due has been started, as far as the limits let it.
bool deliver_is_settled(const struct deliver *d);
size_t deliver_in_flight(const struct deliver *d);
// Starts nothing more. on_drained runs when nothing is in flight and every outcome is stored, or
// after limit_ms of real time: what is in flight then is sent again by the next start.
void deliver_drain(struct deliver *d, int64_t limit_ms, void (*on_drained)(void *ctx), void *ctx);
// After the drain, the client and the store are closed: no callback can come any more.
void deliver_free(struct deliver *d);

#endif
