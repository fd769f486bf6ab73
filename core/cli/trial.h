// A workflow tried on one event: what `try` prints, as one JSON document. Nothing is stored, no
// once-mark is taken. Main thread; blocks.
#ifndef CLI_TRIAL_H
#define CLI_TRIAL_H

#include "base/id.h"
#include "cli/caller.h"
#include "cli/command.h"
#include "deliver/oauth.h"
#include "encode/json_writer.h"
#include "engine/event.h"
#include "engine/folder.h"
#include "script/rules.h"

enum trial_origin { TRIAL_EVENT_FILE, TRIAL_EVENT_HOST, TRIAL_EVENT_SAMPLE };

struct trial {
    const struct invocation *in;
    const struct config *config;
    bool sends;
    struct folder *folder; // the workflow's
    struct rules *rules;
    const struct rules_workflow *workflow;
    struct arena arena;
    enum trial_origin origin;
    struct buf event_json;
    struct event event;
    struct secrets *secrets;
    struct oauth *oauth; // while sends
    struct id_source ids;
    struct caller caller; // open while sends
    struct netblock redirect_block;
    // out:
    bool would_fire;
    bool has_failed; // something was not sent, not accepted, or cannot be
};

// --- trial_open.c ---
// Loads the workflow file that the command line names, with the files of its folder; what is wrong
// with it is printed. 0, or the exit status to end with; trial_close and config_fini in any case.
int trial_open(struct trial *t, const struct invocation *in, struct config *c);
void trial_close(struct trial *t);

// --- trial_event.c ---
// Finds the event to try with: --event FILE, else the last stored one of the type from the data
// folder's running host, else a sample. 0, or an error with words.
int trial_find_event(struct trial *t, struct err *e);
// Gives the event to the rules; rules_event_end is the caller's.
int trial_begin_event(struct trial *t, struct err *e);
// Where it is from: "the event given".
const char *trial_origin_words(enum trial_origin origin);
// Says on in->messages where a host would not run the workflow, or not send.
void trial_say_state(const struct trial *t);

// --- trial.c ---
// ctx is a caller: sends and waits for the answer (preview_config.send).
int trial_send(void *ctx, const struct client_request *q, struct err *e);
// Judges the event, and with `sends` sends what it owes; appends the document of
// deliver/preview.h to out.
int trial_run(struct trial *t, struct buf *out, struct err *e);

#endif
