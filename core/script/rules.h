// Workflow files, loaded into one Lua state: what they declare, and what they owe for an event.
// This is the only door between the host and Lua; values cross it, never pointers, and everything
// that runs a rule's code goes through the gate (script/gate.h). A `struct rules` is built on any
// one thread (off the loop) and then used by one thread at a time.
#ifndef SCRIPT_RULES_H
#define SCRIPT_RULES_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/netaddr.h"
#include "base/str.h"
#include "script/lookup.h"
#include "script/part.h"

struct rules;

struct rules_limits { // of one run; 0: the default
    int64_t steps;    // Lua instructions, with a charge for bytes made (default 1,000,000, about 10
                      // ms; 10,000,000 at most)
    size_t memory_bytes; // allocated in the run (default 32 MiB)
    size_t output_bytes; // of all that the run owes (default 8 MiB)
    int64_t cpu_ms;      // of the processor, where steps do not see what takes long (default 90)
};

enum { // those defaults
    RULES_RUN_STEPS = 1000000,
    RULES_RUN_MEMORY = 32 * 1024 * 1024,
    RULES_RUN_OUTPUT = 8 * 1024 * 1024
};

struct rules_config {
    const char *library_dir; // --lua DIR; NULL: the embedded library
    const char *rules_dir;   // for the words in messages
    struct rules_limits limits;
    const struct netblock *allow; // addresses that a URL may name; borrowed for the rules' life
    size_t allow_count;
    // hook.var: the value of a plain setting, or {NULL,0}; any thread that loads. May be NULL.
    struct str (*var)(void *ctx, struct str name);
    // What rules print, a line without its end. May be NULL: it goes nowhere.
    void (*print)(void *ctx, struct str line);
    void *ctx;
};

int rules_new(struct rules **out, const struct rules_config *c, struct err *e);
void rules_free(struct rules *r);

// --- loading -------------------------------------------------------------------------------------

// An error or a warning about a file, for `check`, the log, the API. Borrowed until the next load.
struct rules_fault {
    bool is_warning;
    bool is_of_module; // of a module, not of the workflow that was loaded
    char *file;        // "rules/x.lua" as the user knows it
    int line;          // 0: none
    int column;        // in bytes, from 1; 0: none. Faults of templates have one
    char *path;        // "actions[1].headers", or NULL
    char *message;     // what is wrong and what to write instead
};

// The other files of the folder (modules, templates, ...), for what is loaded after: path relative
// to the folder ("lib/money.lua"), NUL-terminated, both borrowed for the rules' life. 0, ERR_NOMEM.
int rules_add_text(struct rules *r, struct str path, struct str text);

// Another set of such texts, empty, for what is loaded from now on; sets are counted from 0. What
// was loaded before goes on with its own. 0 or ERR_NOMEM.
int rules_begin_texts(struct rules *r);
void rules_use_texts(struct rules *r, size_t set);

// Loads one workflow file: file is "invoice.lua" (relative to the rules folder), text its source.
// 0: it has become the next workflow (there may be warnings). ERR_INVALID: its faults, all of them,
// are added to those that rules_fault gives. ERR_NOMEM.
int rules_load(struct rules *r, const char *file, struct str text);

// Adds the faults of the modules that no workflow has needed: whether they compile.
void rules_check_modules(struct rules *r);

// Adds an error that only the whole folder shows (an id that is taken); file as it is to be shown.
// 0, ERR_NOMEM, or ERR_TOO_LARGE past 10,000 faults.
int rules_add_fault(struct rules *r, const char *file, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

enum rules_stubs { RULES_STUBS_LIBRARY, RULES_STUBS_CATALOGUES };

// Appends the annotations by which an editor completes rules: of the library, or of the catalogues
// among the texts. 0; ERR_INVALID, ERR_NOMEM with words.
int rules_write_stubs(struct rules *r, enum rules_stubs which, struct buf *out, struct err *e);

// Likewise a warning. 0, ERR_NOMEM or ERR_TOO_LARGE.
int rules_add_warning(struct rules *r, const char *file, const char *message);

// Drops the faults from that count on.
void rules_forget_faults(struct rules *r, size_t count);
size_t rules_fault_count(const struct rules *r);
const struct rules_fault *rules_fault(const struct rules *r, size_t i);

enum {
    RULES_CREATED = 1,
    RULES_UPDATED = 2,
    RULES_DELETED = 4,
    RULES_DELIVERED = 8, // of the record type "webhook": how a delivery ended
    RULES_TERMINATED = 16,
    RULES_SCHEDULED = 32
};

enum rules_schedule_kind { RULES_DAILY, RULES_WEEKLY, RULES_MONTHLY, RULES_DATE };

struct rules_schedule { // a time trigger
    enum rules_schedule_kind kind;
    int at_minutes;     // local time, from midnight
    unsigned weekdays;  // WEEKLY: a bit for each day, Monday's the lowest
    int month_day;      // MONTHLY: 1..31
    const char **field; // DATE: the names of the path to it
    size_t field_count;
    int offset_days;  // DATE
    const char *zone; // IANA; known when it was loaded
    const char *text; // all of it but the zone: another schedule has another text
};

struct rules_workflow { // borrowed for the rules' life
    const char *id;
    const char *name;
    const char *description; // "" when it has none
    const char *file;
    const char *record; // record type
    unsigned verbs;     // RULES_CREATED | ...; RULES_SCHEDULED alone where it has a schedule
    const struct rules_schedule *schedule; // NULL: none
    bool is_once;
    bool is_active;             // what the file says
    unsigned when_stopped;      // 0 finish, 1 hold, 2 cancel what it owes when it is stopped
    bool is_dry;                // active = "dry": judged and stored, never sent
    int64_t cooldown_ms;        // not again for that record within it; 0: none
    int64_t delay_ms;           // until the first attempt
    bool is_rechecked;          // its conditions are judged again then
    bool has_functions;         // its conditions, actions, content or transform are Lua functions
    const struct lookup *when;  // what an event must have for its conditions to hold; NULL: unknown
    const struct lookup *watch; // and what an update besides; NULL: nothing
    const struct str *notify;   // mail addresses that are told of it besides the admins
    size_t notify_count;
    const struct str *secrets; // that its webhooks name, as far as the file says it
    size_t secret_count;
    bool reads_all;          // of an event; else:
    const struct str *reads; // these fields of the record
    size_t read_count;
    bool reads_time; // and the event's time and id
};

// --- sources: adapters of foreign events (hook.source) -------------------------------------------

enum rules_verify_form {
    RULES_VERIFY_NONE,     // the request needs a token of the host's own
    RULES_VERIFY_STANDARD, // Standard Webhooks 1.0.0
    RULES_VERIFY_STRIPE,   // Stripe-Signature
    RULES_VERIFY_HMAC,     // HMAC-SHA256 of the body in `header`, behind `prefix`
    RULES_VERIFY_TOKEN     // in `header` behind `prefix`, or in the query parameter `query`
};

enum { RULES_VERIFY_SECRETS_MAX = 2 };

struct rules_verify { // borrowed for the rules' life
    enum rules_verify_form form;
    const char *header;
    const char *prefix;
    const char *query;
    bool is_base64; // HMAC; else hex
    int64_t tolerance_ms;
    const char *secrets[RULES_VERIFY_SECRETS_MAX]; // names: one of them must fit
    size_t secret_count;
};

struct rules_source {  // borrowed for the rules' life
    const char *name;  // "github_issues" for sources/github_issues.lua
    const char *title; // what people call it
    const char *file;  // "rules/sources/github_issues.lua"
    struct rules_verify verify;
    bool is_loaded;    // else nothing of it is in force
    bool has_fault;    // the file as it stands has an error:
    size_t fault;      // rules_fault() by this index is its first
    bool is_last_good; // it was loaded from older texts
};

// Whether a path is a source's: "sources/NAME.lua".
bool rules_is_source(struct str path);
// Loads it from the texts in use: the next source, or, where it is there already and has not
// loaded, that one from older texts. After the workflows. 0; ERR_INVALID: its faults are added to
// those that rules_fault gives; ERR_NOMEM.
int rules_load_source(struct rules *r, const char *path);
size_t rules_source_count(const struct rules *r);
const struct rules_source *rules_source(const struct rules *r, size_t i);

// After the last load and before the first event, on the thread that loads: collects what loading
// left behind and sets the collector's pace to what stayed. It takes milliseconds for thousands of
// workflows.
void rules_settle(struct rules *r);

size_t rules_workflow_count(const struct rules *r);
const struct rules_workflow *rules_workflow(const struct rules *r, size_t i);

// --- running -------------------------------------------------------------------------------------

struct rules_event {
    struct str json; // the event as it was sent, valid JSON
    struct str id;   // as shown: given or made by the host
    struct str type; // "deal.updated"
    struct str record_type;
    struct str verb; // "updated"
    int64_t time_ms;
    struct str previous; // of its "previous"; empty: an update whose changes are unknown
    bool is_compared; // `previous` is not in json: the host found it in the record's stored state
    // What the workflows that will be asked read of it; NULL: all of it is decoded.
    const struct part *parts;
    size_t part_count;
    bool reads_time; // they read its time or id besides
};

enum rules_verdict {
    RULES_NO_MATCH,
    RULES_MATCH, // requests are what it owes
    RULES_ERROR, // raised; message says where
    RULES_BUDGET_STEPS,
    RULES_BUDGET_MEMORY,
    RULES_BUDGET_OUTPUT
};

struct rules_request { // one webhook owed
    int action;        // from 1
    struct str head;   // encode/head.h
    struct str body;
    struct str target; // "https://host:443"
    struct str retry;  // non-default windows ("15s 1m|2h"), else empty
    int64_t timeout_ms;
    bool is_ordered;    // those of the workflow and the record go one after another
    bool is_latest;     // and a newer one supersedes those that wait
    struct str invalid; // why it cannot be sent (not legal where it was rendered), else empty
    int64_t dropped_characters; // of the values: those that the encoding may not have
};

struct rules_run {
    enum rules_verdict verdict;
    struct str message; // ERROR, BUDGET: "rules/x.lua:12: attempt to ...", then frames, one a line
    struct rules_request *requests;
    size_t request_count;
    bool is_out_of_room; // BUDGET_OUTPUT because of what was on the arena before, not of this run
};

// Decodes the event, or of it what is read, once for all the runs on it; it stays until the next
// begin. 0, ERR_INVALID, ERR_NOMEM.
int rules_event_begin(struct rules *r, const struct rules_event *ev, struct err *e);
// Judges and, where it matches, renders. Out values are on the arena. Never fails: a fault is a
// verdict.
void rules_run(struct rules *r, size_t workflow, struct arena *arena, struct rules_run *out);
// Judges the conditions alone, of an event that has the latest state of its record: MATCH (they
// hold), NO_MATCH, or a fault. Never fails.
void rules_recheck(struct rules *r, size_t workflow, struct arena *arena, struct rules_run *out);
struct rules_answer { // of a receiver
    int status;
    struct str headers; // "Name: value" lines
    struct str body;
};
struct rules_attempt {  // that failed
    int number;         // from 1
    int status;         // 0: there was no answer
    const char *error;  // why there was none, or NULL
    int64_t elapsed_ms; // since the first failure
};
enum rules_say { RULES_SAY_NOTHING, RULES_SAY_FAULT, RULES_SAY_NO, RULES_SAY_YES };
struct rules_saying {
    enum rules_say say; // NOTHING: the webhook has no such function
    int64_t wait_ms;    // of a retry: YES
    struct str message; // FAULT; on the arena
};
// Asks the `success` of a workflow's webhook (action: from 1) whether an answer is one. Never
// fails.
void rules_success(struct rules *r, size_t workflow, int action, const struct rules_answer *answer,
                   struct arena *arena, struct rules_saying *out);
// Asks its `retry`, a function, whether there is another attempt, and when. Never fails.
void rules_retry(struct rules *r, size_t workflow, int action, const struct rules_attempt *attempt,
                 struct arena *arena, struct rules_saying *out);
// The same conditions with a trace, as JSON (the tree of GET /v1/events/ID/explain), appended to
// out.
int rules_explain(struct rules *r, size_t workflow, struct buf *out, struct err *e);
// Each condition's verdict for the event, in the order in which they are written, as JSON appended
// to out: [{ "line", "words", "verdict" }, ...]; [] where the trigger does not want the event.
int rules_cover(struct rules *r, size_t workflow, struct buf *out, struct err *e);
// Lets go of the event.
void rules_event_end(struct rules *r);

struct rules_source_request { // what an adapter is given
    struct str headers;       // "Name: value" lines
    struct str query;         // without '?', not decoded
    struct str body;
    bool is_json; // the body is legal JSON
};

struct rules_source_run {
    enum rules_verdict verdict; // MATCH: `events` is what it gave
    struct str message;         // ERROR, BUDGET: as of a run
    struct str events;          // a JSON array, on the arena
};

// Runs the adapter of source i. Never fails: a fault is a verdict.
void rules_source_run(struct rules *r, size_t i, const struct rules_source_request *request,
                      struct arena *arena, struct rules_source_run *out);

size_t rules_memory_bytes(const struct rules *r); // what the Lua state holds now

#endif
