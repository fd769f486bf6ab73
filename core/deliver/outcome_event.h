// The end of a delivery as an event of its own, webhook.delivered or webhook.terminated: with the
// request, the answer and the event that caused it. The host and `hookline test` make it alike. Any
// thread.
#ifndef DELIVER_OUTCOME_EVENT_H
#define DELIVER_OUTCOME_EVENT_H

#include "base/arena.h"
#include "base/err.h"
#include "engine/event.h"
#include "script/rules.h"
#include "store/store.h"

struct outcome_end { // all borrowed
    uint64_t delivery;
    enum delivery_state state; // DELIVERED or TERMINATED
    struct str workflow;
    int action;
    struct str target;
    struct str head; // encode/head.h
    struct str body;
    const char *redirect_all; // where it went instead; or NULL
    struct str reason;
    const struct store_attempt *attempt; // the last one
    int attempts;                        // made
    struct str answer;                   // its body, as far as it was read
    bool is_answer_cut;
    // What caused it; an empty payload: it is not stored any more.
    struct str cause_key;
    int64_t cause_time_ms;
    struct str cause_payload;
};

// RULES_DELIVERED, RULES_TERMINATED, or 0: a delivery in that state is no event.
unsigned outcome_verb(enum delivery_state state);

// Makes the event, id as shown ("evt_..."); its texts are on the arena. ERR_TOO_LARGE.
int outcome_event_make(struct event *out, const struct outcome_end *end, struct str id,
                       int64_t now_ms, struct arena *arena, struct err *e);

#endif
