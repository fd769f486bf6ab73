// The store: what was accepted, what is owed, what became of it. One asynchronous interface; a
// backend (sqlite/) behind it. Requests are intrusive structs that the caller fills and owns, with
// everything they point at, until their on_done has run (on the loop thread, in the order in which
// they were given, for requests that go to the writer). Whatever is queued when the writer is free
// is one transaction, so the price of a sync is shared. A request that failed changed nothing.
//
// Durability: on_done with code 0 means that it is on disk.
//
// Due times, bases, since when something is held, and `now_ms` are the host's running time
// (base/clock.h), which the store keeps: each transaction that writes carries it, and the close.
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/histogram.h"
#include "base/log.h"
#include "base/str.h"
#include "encode/trace_context.h"
#include "loop/loop.h"

struct store;
struct store_audit;
struct store_token;

struct store_config {
    const char *dir; // the data folder; made (0700) when missing; one host at a time (a lock file)
    struct loop *loop;
    const struct log *log;
    unsigned host_slot;    // 0..63, part of every id
    const char *host_name; // under which leases are held
};

enum { STORE_SHARDS = 16 };
enum { STORE_SCHEMA_VERSION = 6 };
enum { STORE_PAGE_MAX = 1000 };

// Opens or makes, migrates older schemas, starts a new epoch (which voids the leases of any earlier
// one), sets the running time of the loop's clock. Blocks: for the start alone. ERR_BUSY (another
// host has it), ERR_VERSION (a newer schema), ERR_CORRUPT, ERR_FULL, ERR_IO: with words for people.
int store_open(struct store **out, const struct store_config *c, struct err *e);
// Finishes what is queued, then closes; on_closed on the loop. Nothing may be queued after.
void store_close(struct store *s, void (*on_closed)(void *ctx), void *ctx);

// The greatest id stored when it was opened, 0 for none.
uint64_t store_last_id(const struct store *s);
uint64_t store_epoch(const struct store *s);
// Deliveries pending, retrying or held; kept, not counted.
int64_t store_owed_count(const struct store *s);
struct store_owed_states { // the same by state, in the order of enum delivery_state
    int64_t count[3];
    // Deliveries that a state ended beside an attempt's outcome, since the start.
    int64_t cancelled;
    int64_t superseded;
};
void store_owed_states(const struct store *s, struct store_owed_states *out);
// How long transactions that wrote have taken, up to their sync. Copied; the bounds are static.
void store_commits(struct store *s, struct histogram *out);
int64_t store_memory_bytes(struct store *s); // pages that it keeps in memory, after the last batch
int64_t store_size_bytes(const struct store *s); // of the files, looked up
int64_t store_free_bytes(struct store *s);       // on the disk, looked up at most once a second
// NULL while the last write went well, else why the store can write nothing now (full, failing):
// kept up to date by the writer, which tries again by itself, but not once the file was found
// damaged. Borrowed until the next turn.
const char *store_trouble(const struct store *s);

// What the store keeps in each request while it has it, as its first member; nobody else's.
struct store_item {
    struct store_item *next;
    int kind;
};

// --- the vocabulary -----------------------------------------------------------------------------

// The states (docs/reference.md, Deliveries); the numbers are stored.
enum delivery_state {
    DELIVERY_PENDING = 0,
    DELIVERY_RETRYING = 1,
    DELIVERY_HELD = 2,
    DELIVERY_DELIVERED = 3,
    DELIVERY_TERMINATED = 4,
    DELIVERY_INVALID = 5,
    DELIVERY_CANCELLED = 6,
    DELIVERY_SUPERSEDED = 7
};
const char *delivery_state_word(enum delivery_state s);
int delivery_state_parse(struct str word, enum delivery_state *out);
// The same, or "owed": those that are owed still. *out: a bit for each state. ERR_INVALID.
int delivery_states_parse(struct str word, unsigned *out);

enum run_outcome { RUN_SENT = 0, RUN_DRY = 1, RUN_ERROR = 2, RUN_SUPPRESSED = 3 };
const char *run_outcome_word(enum run_outcome o);
int run_outcome_parse(struct str word, enum run_outcome *out);

// The shard of a delivery: hash of its order key, else of its id, modulo STORE_SHARDS.
unsigned store_shard(struct str order_key, uint64_t id);

// --- accept: one request body, all or nothing ---------------------------------------------------

// A delivery that a newer one is to supersede, unless an attempt of it is under way: it is due now,
// and store_finish as RETRYING ends it.
struct store_outdated {
    uint64_t id;       // 0: none
    struct str target; // its own
};

struct store_delivery {        // one webhook owed
    uint64_t id;               // given before the commit
    int action;                // 1 for the workflow's first webhook
    enum delivery_state state; // PENDING, INVALID, HELD
    struct str target;         // "https://host:443"
    // Of those with the same key one is under way at a time, in the order of their ids; the others
    // are HELD, and `latest` is the one that supersedes older ones that wait, for their turn or to
    // be tried again. Empty: none.
    struct str order_key;
    bool is_latest;
    int64_t due_at_ms;
    bool is_delayed; // by its workflow: the time in which the host is down counts (store/time.h)
    struct str head; // encode/head.h
    struct str body;
    struct str retry;   // the retry windows as text where they are not the default, else empty
    int64_t window_ms;  // how long it may be tried from its base; 0: by the default windows
    int64_t timeout_ms; // 0: the default
    struct str reason;  // why invalid or held
    bool wants_recheck; // its conditions are to be judged again before its first attempt
    struct str recheck_previous;    // then: the `previous` that was found for its event; or empty
    bool is_waiting;                // out: it was stored as HELD, since another one goes first
    struct store_outdated outdated; // out: that one, where it is RETRYING and this is `latest`
};

struct store_mark { // once, cooldown: one primitive
    bool is_set;
    int64_t until_ms; // not again for (workflow, record) before this wall time; INT64_MAX: ever
    bool is_forced;   // taken also where an earlier run holds it
};

struct store_run {
    struct str workflow;
    uint64_t generation;
    enum run_outcome outcome;
    struct str reason;   // words for ERROR and SUPPRESSED
    bool is_over_budget; // ERROR: it was stopped for what it used; not stored
    struct store_mark mark;
    struct store_delivery *deliveries;
    size_t delivery_count;
    bool was_marked; // out: an earlier run holds the mark: neither the run nor its deliveries were
                     // stored
    bool is_held_back; // out: the workflow is stopped: what was PENDING was stored as HELD or
                       // CANCELLED (store_workflow.owed)
};

struct store_slot { // how far a workflow with a schedule has come
    struct str workflow;
    struct str schedule;    // what it went by, as text
    int64_t done_ms;        // its times up to this one are dealt with
    int64_t under_way_ms;   // the time that it is being run for; 0: none
    struct str last_record; // under way: up to this record it is done
};

struct store_event {
    uint64_t id;     // its row
    struct str key;  // the id it was sent with; empty: the host made one ("evt_" + id). A key that
                     // is what the host made for a stored event means that event
    uint64_t digest; // encode/json_digest.h; 0 without a key: made of the payload when it is needed
    struct str type; // "deal.updated"
    struct str record_type;
    struct str record_id; // as text: 4021 and "4021" are one record
    int64_t time_ms;      // the event's own
    int64_t received_at_ms;
    struct str payload; // the event as it was sent, one JSON value
    struct store_run *runs;
    size_t run_count;
    // The version (store_record.version) of the record's state that the event was judged against,
    // where needs_version; another in the store now, and the whole body is stale: nothing stored.
    bool needs_version;
    uint64_t judged_version;
    // The runs are added to those of the stored event `id`; nothing else of it is looked at but
    // record_type and record_id, and received_at_ms, which says what marks have run out.
    bool is_replay;
    bool is_import;             // the engine's: its runs are not counted (engine/loops.h)
    struct trace_context trace; // of what brought it, for those who watch: it is not stored
    bool is_stateless;          // it holds no new state of its record, which gets no pointer to it
    // out:
    bool is_duplicate;      // the same key and digest were there
    uint64_t first_id;      // duplicate: the row of the first one
    uint64_t *delivery_ids; // duplicate: the ids that answered it, on the request's arena
    size_t delivery_count;
};

struct store_accept {
    struct store_item item; // the store's
    struct store_event *events;
    size_t event_count;            // 0: the slot alone
    const struct store_slot *slot; // takes the place of its workflow's; NULL: none
    struct arena *arena;           // for out values
    void (*on_done)(struct store_accept *a);
    void *ctx;
    // out:
    int code; // 0; ERR_CONFLICT: events[fault_index] has a known key and another digest; ERR_BUSY:
              // events[fault_index] is stale, judge again (is_duplicate tells of all events which
              // are known already and so are no record's latest state; of a key that comes twice in
              // the body it may not); ERR_NOT_FOUND: a replay of an event that is not there;
              // ERR_FULL, ERR_IO, ERR_CORRUPT
    size_t fault_index;
    struct err err;
};
// In one transaction: the runs and their deliveries of each new event, its row, the pointer from
// its record to it (where no later event holds it). A mark and all deliveries of its run go in
// together or not at all. Of two events of one body with the same key the second is a duplicate or
// a conflict of the first.
void store_accept(struct store *s, struct store_accept *a);

// --- slots: the times of workflows with a schedule -----------------------------------------------

struct store_slots {
    struct store_item item;   // the store's
    struct store_slot *slots; // put: in; get: out, on the arena
    size_t count;
    struct arena *arena; // get
    void (*on_done)(struct store_slots *q);
    void *ctx;
    int code; // out
};
// These and no others from now on; each goes on by store_accept's slot.
void store_slots_put(struct store *s, struct store_slots *q);
void store_slots_get(struct store *s, struct store_slots *q);

// --- finish: an attempt has ended ---------------------------------------------------------------

struct store_attempt {
    int number; // from 1
    int64_t at_ms;
    int64_t elapsed_ms;
    struct str error;   // a word of the API ("dns", ...), empty: an answer came
    struct str detail;  // words for people
    int status;         // 0: no answer
    struct str headers; // "name: value\n" lines
    struct str body;
    bool body_is_truncated;
};

// The delivery that waited for the one that has ended, and is due now: where it goes. Empty: none.
struct store_freed {
    struct str target;
    int64_t due_at_ms;
};

struct store_finish {
    struct store_item item; // the store's
    struct {                // the store's: as they were given, for when it has to be made again
        enum delivery_state state;
        struct str reason;
    } wanted;
    uint64_t delivery;
    enum delivery_state state; // what it is now
    int64_t due_at_ms;         // RETRYING: the next attempt's time
    int64_t base_ms; // the first failure's time: what retry offsets count from; 0: none yet
    struct str reason;
    struct store_attempt attempt; // number 0: none (a state change alone)
    bool is_rechecked;            // attempt.number other than 1: it wants no recheck any more
    struct str order_key;         // of the delivery; empty: none
    int64_t now_ms;               // with an order key
    int64_t window_ms;            // RETRYING: how long it may be tried from its base
    int64_t held_up_ms; // up to then the breaker of its target has let nothing through; 0: it has
    struct str target_error; // why its target fails, empty: it does not; data NULL: as it was
    struct arena *arena;     // with an order key, or events: for out values
    // The events that this outcome is, with what they make owed, stored in the same transaction.
    // They are new and the host's own: no key, digest or version of theirs is looked at.
    struct store_event *events;
    size_t event_count;
    void (*on_done)(struct store_finish *f);
    void *ctx;
    // out:
    int code; // 0, ERR_NOT_FOUND, ERR_FULL, ERR_IO, ERR_CORRUPT
    struct store_freed freed;
};
// In one transaction: the attempt, the delivery's state, the follower in its order where it has
// ended, the events with their runs, marks and
// deliveries (was_marked is told for each run). Of a delivery that is not there nothing is stored.
// Where the delivery was held or ended while its attempt was under way, a failed attempt leaves it
// so: `state` says then what it is. One that is to be RETRYING, with an order key, is SUPERSEDED
// where a newer one waits that is `latest`, and `state` says so.
void store_finish(struct store *s, struct store_finish *f);

// --- what is due ---------------------------------------------------------------------

struct store_owed { // a delivery to be attempted
    uint64_t id;
    uint64_t event;
    struct str event_key; // as the API shows it ("crm-88121", "evt_...")
    struct str workflow;
    struct str record_type;
    struct str record_id;
    int action;
    enum delivery_state state;
    struct str target;
    int64_t due_at_ms;
    int64_t base_ms;
    int attempt_count; // made so far
    struct str head;
    struct str body;
    struct str retry;
    struct str order_key;
    int64_t timeout_ms;
    bool wants_recheck; // as in store_delivery, and not rechecked yet
    struct str recheck_previous;
    bool is_outdated; // RETRYING, and a newer one supersedes it: as struct store_outdated
};

// --- workflows: what is said of them beside their files -----------------------------------------

enum store_started { STARTED_BY_FILE = 0, STARTED_BY_OPERATOR = 1, STOPPED_BY_OPERATOR = 2 };

// What becomes of the webhooks that a stopped workflow still owes.
enum when_stopped { WHEN_STOPPED_FINISH = 0, WHEN_STOPPED_HOLD = 1, WHEN_STOPPED_CANCEL = 2 };

struct store_workflow { // one without a row is as its file says
    struct str id;
    enum store_started started;
    enum when_stopped when_stopped; // what its file said last, for when it is removed
    int64_t suspended_at_ms;        // 0: it is not
    uint64_t suspended_text;        // hash of the text that was suspended
    struct str suspended_reason;
    // The rule for the webhooks it owes. From the put on, new ones are stored by it; those that
    // are there are seen to by store_workflow_step.
    enum when_stopped owed; // FINISH: they are sent
    int64_t owed_since_ms;  // HOLD, and FINISH after it: since when they are, or were, held
    struct str owed_reason; // of each that is held or cancelled
    bool is_owed_done;      // those that were there have been seen to
};

struct store_workflow_put {
    struct store_item item; // the store's
    struct store_workflow row;
    void (*on_done)(struct store_workflow_put *p);
    void *ctx;
    int code; // out
};
void store_workflow_put(struct store *s, struct store_workflow_put *p);

struct store_workflows {    // all rows, for the start
    struct store_item item; // the store's
    struct arena *arena;
    void (*on_done)(struct store_workflows *q);
    void *ctx;
    // out:
    int code;
    struct store_workflow *rows;
    size_t count;
};
void store_workflows(struct store *s, struct store_workflows *q);

struct store_workflow_step {
    struct store_item item; // the store's
    struct str workflow;
    int64_t now_ms;
    struct store_step_place {
        int64_t target;
        int64_t due_at_ms;
        uint64_t id;
    } place; // how far it has come; zeroed for the first, then left as it is
    struct store_step_place came_to; // the store's: the place from when the step is stored
    void (*on_done)(struct store_workflow_step *q);
    void *ctx;
    // out:
    int code;
    bool is_done;   // with all; is_owed_done is stored with it
    size_t changed; // deliveries
};
// Holds, cancels or releases some of the webhooks that a workflow owes, as its row says. What is
// released is as if the time in which it was held had not been: its base and its due time move.
void store_workflow_step(struct store *s, struct store_workflow_step *q);

struct store_mark_forget {  // once and cooldown of one record
    struct store_item item; // the store's
    struct str workflow;
    struct str record_type;
    struct str record_id;
    void (*on_done)(struct store_mark_forget *q);
    void *ctx;
    // out:
    int code;
    bool was_marked;
    struct str before; // in a word; static
};
void store_mark_forget(struct store *s, struct store_mark_forget *q);

enum store_act_kind { STORE_RESEND, STORE_CANCEL };
// The reason of a delivery whose workflow only shows what it would send: it is never sent.
#define STORE_DRY_REASON "a dry run: it is shown and never sent"

struct store_act {          // an operator's, on one delivery
    struct store_item item; // the store's
    enum store_act_kind kind;
    uint64_t delivery;
    int64_t now_ms;      // when one that is RESENT is due
    struct arena *arena; // for out values
    void (*on_done)(struct store_act *a);
    void *ctx;
    // out:
    int code;          // 0, ERR_NOT_FOUND; ERR_CONFLICT: `state` does not allow it, err says why
    struct str target; // of the delivery
    struct str before; // its state as a word, and what it is now; static
    struct str after;
    struct store_freed freed;
    struct err err;
};
// RESEND: a delivery is due at once, in whatever state it was but HELD and INVALID, its retry
// windows begin anew, and its attempts are counted on; not one whose workflow is stopped, nor a dry
// one. CANCEL: one that is owed is CANCELLED.
void store_act(struct store *s, struct store_act *a);

// --- notices: what people are still to be told by mail ------------------------------------------

struct store_notice {
    struct str topic; // what it is about: a target or a workflow
    int kind;         // of the one who keeps them; with the topic it is the key
    bool is_open;     // what it tells of goes on
    bool is_urgent;   // to be told at once; else with the next digest
    int64_t count;    // that nobody was told of yet
    int64_t first_at_ms;
    int64_t last_at_ms;
    int64_t told_at_ms;   // when one was last told at once: wall time
    struct str text;      // of the first
    struct str workflows; // ids, one a line
};

struct store_notice_put {
    struct store_item item; // the store's
    struct store_notice row;
    bool is_gone; // there is nothing to keep: the row is deleted
    void (*on_done)(struct store_notice_put *p);
    void *ctx;
    int code; // out
};
void store_notice_put(struct store *s, struct store_notice_put *p);

struct store_notices {      // all rows, for the start
    struct store_item item; // the store's
    struct arena *arena;
    void (*on_done)(struct store_notices *q);
    void *ctx;
    // out:
    int code;
    struct store_notice *rows;
    size_t count;
};
void store_notices(struct store *s, struct store_notices *q);

// --- reads, on a thread and a connection of their own -------------------------------------------

struct store_run_row {
    struct str event_key;
    struct str workflow;
    uint64_t generation;
    enum run_outcome outcome;
    struct str reason;
    bool is_replay;
    struct str type; // of the event, and its record; in a list of runs
    struct str record_type;
    struct str record_id;
    uint64_t *delivery_ids;
    size_t delivery_count;
};

struct store_event_row {
    uint64_t id;
    struct str key; // as shown
    struct str type;
    struct str record_type;
    struct str record_id;
    int64_t time_ms;
    int64_t received_at_ms;
    struct str payload;  // empty in what is read of one: retention has taken it
    struct str before;   // for one: the event that held the record's state it was compared with
    bool is_before_gone; // for one: there was such an event, and retention has taken its payload
    struct store_run_row *runs;
    size_t run_count;
};

struct store_delivery_row {
    struct store_owed owed; // head and body included for one, empty in a list. An empty head of
                            // one: retention has taken both, and the answers
    struct str event_type;
    int64_t created_at_ms;
    struct str reason;
    // For one: all of them. In a list: the last one alone, without the answer, of those that were
    // not delivered.
    struct store_attempt *attempts;
    size_t attempt_count;
};

struct store_record_row {
    struct str record_type; // in
    struct str record_id;   // in
    uint64_t version;       // out: the id of the event that holds its latest state; 0: none
    int64_t time_ms;        // out
    struct str payload;     // out: that event
    bool is_deleted;        // out, of STORE_READ_RECORD_PAGE: the record is gone
};

struct store_mark_row {
    struct str workflow;    // in
    struct str record_type; // in
    struct str record_id;   // in
    int64_t until_ms;       // out: 0: there is no mark
};

enum store_read_kind {
    STORE_READ_EVENT,      // by `key` (as shown or as sent)
    STORE_READ_DELIVERY,   // by `id`
    STORE_READ_DELIVERIES, // a page, newest first
    STORE_READ_EVENTS,     // a page, newest first, or is_oldest_first; without runs, and without
                           // payload and before but where has_payload
    STORE_READ_TARGETS,    // a page, newest first, of filter.target where it is not empty
    STORE_READ_RUNS,       // a page, newest first: runs with `outcome` where has_outcome
    STORE_READ_AUDIT,      // a page, newest first
    STORE_READ_TOKENS,     // a page, newest first, the revoked ones too
    STORE_READ_OLDEST,     // `oldest` alone
    STORE_READ_RECORDS,    // records[], in and out
    STORE_READ_MARKS,      // marks[], in and out
    STORE_READ_RECORD_PAGE // records[], out: those of the type filter.type behind the record
                           // filter.record, in the order of their ids; next is not 0 where there
                           // are more. A full arena ends the page early
};

// Of the filters that no index serves a read looks at a bounded number of rows, so a page may be
// short of the limit, even empty, while `next` is not 0. The time of a row's making is the time in
// its id.
struct store_filter { // empty or 0: any
    bool has_state;
    unsigned states; // then: a bit for each state
    bool has_outcome;
    enum run_outcome outcome;
    struct str workflow;
    struct str target;
    struct str type;     // "deal.updated" or "deal"
    struct str record;   // a record's id
    struct str who, act; // of acts: "admin", "delivery.resend" or "delivery"
    struct str subject;  // of acts: whole, or its beginning before a space: "w" of "w record 1"
    int64_t since_ms;    // created at or after
    int64_t until_ms;    // created before; 0: any
};

struct store_read {
    struct store_item item; // the store's
    enum store_read_kind kind;
    struct str key;
    uint64_t id;
    struct store_filter filter;
    uint64_t before; // the cursor: rows with an id below it (runs: of events); 0: from the newest
    bool is_oldest_first; // of events: from the oldest on, `before` is the id that they are above
    bool has_payload;     // of events: payload, before and is_before_gone, too
    size_t max_bytes;     // then: a page ends behind the event that reaches it; 0: any
    size_t limit; // at most STORE_PAGE_MAX; the runs of one event stay together, even beyond it
    struct arena *arena; // for out values
    void (*on_done)(struct store_read *r);
    void *ctx;
    // in and out:
    struct store_record_row *records;
    size_t record_count;
    struct store_mark_row *marks;
    size_t mark_count;
    // out:
    int code; // 0, ERR_NOT_FOUND (one by key or id), ERR_TOO_LARGE (the arena), ERR_IO, ERR_CORRUPT
    struct store_event_row *events;
    struct store_delivery_row *deliveries;
    struct store_run_row *runs;
    struct store_audit *audits;       // store/audit.h
    struct store_target_row *targets; // store/targets.h
    struct store_token *tokens;       // store/tokens.h
    size_t count;
    uint64_t oldest; // the least id of a delivery that is retrying or held; 0: none
    uint64_t next;   // the cursor of the next page, 0 for none
};
void store_read(struct store *s, struct store_read *r);

#endif
