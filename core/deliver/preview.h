// What a workflow would do for an event, as one JSON document: `hookline try` prints it, and POST
// /v1/workflows/ID/test answers it. Nothing is stored and no once-mark is taken; what is owed may
// be sent once. The thread of the rules.
#ifndef DELIVER_PREVIEW_H
#define DELIVER_PREVIEW_H

#include "base/id.h"
#include "deliver/curl_command.h"
#include "deliver/mask.h"
#include "deliver/oauth.h"
#include "deliver/request.h"
#include "deliver/secrets.h"
#include "encode/head.h"
#include "encode/json_writer.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "script/rules.h"
#include "wire/client.h"

struct preview_config { // all borrowed until on_done
    const char *data_dir;
    const char *redirect_all;              // send everything here; or NULL
    const struct netblock *redirect_allow; // its address, allowed for it alone; or NULL
    // What the curl command needs of the target's configuration.
    void (*target)(void *ctx, struct str target, struct curl_command_target *out);
    void *target_ctx;
    struct secrets *secrets;
    struct oauth *oauth; // NULL: nothing is sent
    // Whose rules in force when an answer comes are asked what it leads to; NULL: those of the
    // preview are.
    const struct engine *engine;
    struct id_source *ids; // of the webhook-ids that are shown
    const struct clock *clock;
    // Sends a request: q->on_done runs once, within the call or later. Else nothing was sent, and
    // the error has words. NULL: nothing is sent at all.
    int (*send)(void *ctx, const struct client_request *q, struct err *e);
    void *send_ctx;
};

struct preview {
    struct preview_config config;
    struct rules *rules; // with an engine not needed any more when preview_run returns
    size_t workflow;
    const struct event *event; // not needed any more when preview_run returns
    const char *event_from;    // a word for the document
    struct arena *arena;
    struct buf *out; // takes the document:
    // { "workflow", "would_fire", "event", "event_from", "trace", "error", "requests": [...] },
    // each request { "action", "target", "invalid", "dropped_characters", "request_sent", "curl" }
    // and, where it was sent, { "response_received", "success", "state", "reason", "retry_in_ms",
    // "fault", "error", "detail", "elapsed_ms", "advice" }: the state is the one that a delivery
    // would have after it, null where nothing was sent for a reason of this machine's.
    // 0, or an error with words where there is no document. Runs once, within preview_run or later.
    void (*on_done)(void *ctx, int code, const struct err *e);
    void *ctx;
    // out:
    bool would_fire;
    bool has_failed; // something was not sent, not accepted, or cannot be
    // its own:
    struct json_writer w;
    struct str id; // the workflow's
    struct rules_run run;
    size_t next; // the request to be written
    const struct rules_request *owed;
    struct request_input input;
    struct head head;
    struct request masked;
    struct mask mask;
    struct str oauth2;     // what the request's access token depends on; empty: it has none
    uint64_t token_serial; // for oauth_reject
    bool is_renewed;       // it was answered 401 with another token before
    bool is_sent_again;    // with another token, once the call that sent it has returned
    bool is_sending;       // such a call
    bool is_listening;
    struct oauth_listener listener;
    bool is_waiting; // for an answer, or a token
    bool is_writing; // the requests, one after another
    int code;
    struct err err;
};

// Whether the workflow can be tried with an event of that type: one that it wants, or, for a
// schedule, any that has a record as it stands.
bool preview_wants(const struct rules_workflow *w, struct str type);
// Makes an event of a schedule's record type the time that the workflow waits for; others stay. 0
// or ERR_NOMEM.
int preview_fit(struct event *ev, const struct rules_workflow *w, struct arena *arena,
                struct err *e);
// An event as rules take it.
struct rules_event preview_event(const struct event *ev);
// Whether on_done is still to come: else it has run, and p may be gone.
bool preview_run(struct preview *p);
// Of one that is given up while it waits.
void preview_abandon(struct preview *p);

#endif
