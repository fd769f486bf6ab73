// What the files of the delivery share: jobs (a delivery in memory) and targets.
#ifndef DELIVER_INTERNAL_H
#define DELIVER_INTERNAL_H

#include "base/arena.h"
#include "base/list.h"
#include "base/map.h"
#include "deliver/deliver.h"
#include "deliver/mask.h"
#include "deliver/retry.h"
#include "store/targets.h"
#include "store/time.h"

enum {
    TARGET_FIRST_IN_FLIGHT = 2,
    TARGET_JOBS_MAX = 128,            // held in memory for one target
    DELIVER_JOB_BYTES_MAX = 16 << 20, // held in memory in all
    DELIVER_IDLE_TARGETS_MAX = 16384,
    DELIVER_DUE_TARGETS_MAX = 64, // asked of the store at once
    DELIVER_TRIALS = 2,           // begun at once to targets not proven
    DELIVER_TRIALS_MS = 2,        // after which the next ones have their turn
    DELIVER_AGAIN_MS = 1000,      // after a store that failed
    JOB_ARENA_MAX = 96 << 20      // of one attempt and what its outcome causes
};

// What a target's last attempt says of it, and so how many places it may share.
enum target_standing { TARGET_PROVEN, TARGET_NEW, TARGET_FAILING, TARGET_STANDINGS };

struct target {
    struct heap_node due; // first: place among the targets by when the store holds something due
    struct deliver *deliver;
    struct list_node ready; // among those of its standing that may start something
    struct list_node idle;  // among those that may be forgotten
    struct list_node over;  // among those of which the store is to be asked what is over
    bool has_more_over;     // it did not say all at once
    bool is_failing;        // people are told when it takes something again
    enum target_standing standing;
    bool is_leased;
    bool is_lease_asked;
    bool is_paused;  // by an operator: nothing is started
    bool is_starved; // something is due in the store, no room for it here yet
    int64_t due_ms;  // the earliest that is owed in the store and not here; INT64_MAX: nothing
    uint16_t shards;
    // The breaker and the rate (gate.c)
    struct heap_node wake; // place among the targets that sleep, by loop_now_ms(LOOP_HOST_TIME)
    enum deliver_target_state state;
    bool is_ramping;                         // it was open: what it may have in flight grows slowly
    bool has_probe;                          // half open: one attempt is under way
    bool is_untold;                          // last_error, to the store: with the next outcome
    int failures;                            // in a row, of those that say that it is down
    unsigned ending_count;                   // jobs that are over, until the store has that
    int64_t open_ms;                         // how long it was opened for last
    int64_t open_until_ms;                   // loop_now_ms(LOOP_HOST_TIME)
    int64_t held_up_until_ms;                // up to then it has been open; 0: never
    int64_t told_held_up_ms;                 // what the store was told of that last
    int64_t interval_us;                     // between the starts of two attempts at least; 0: any
    int64_t next_us;                         // the next may start then
    size_t successes;                        // of those that `allowed` grows by while it ramps
    char last_error[STORE_TARGET_ERROR_MAX]; // why the last attempt failed; empty: it did not
    struct job *first;                       // waiting to be started
    struct job **last;
    size_t job_count; // waiting, in flight, or with an outcome that is being stored
    size_t in_flight;
    size_t allowed; // in flight now at most: earned by success, halved by failure
    size_t most;    // in flight ever
    struct store_lease lease;
    size_t name_len;
    char name[]; // "https://host:443"
};

static inline struct str target_name(const struct target *t)
{
    return (struct str){t->name, t->name_len};
}

struct cause { // what caused a delivery
    struct job *job;
    struct store_read read;
    void (*on_done)(struct job *j, int code);
    const struct store_delivery_row *delivery;
    const struct store_event_row *event;
};

struct job { // a delivery in memory, from when it is due until its outcome is stored
    struct job *next;
    struct target *target;
    uint64_t id;
    int attempts_made;
    int action; // of its workflow, from 1
    int64_t due_ms;
    int64_t base_ms;
    int64_t end_ms; // whatever becomes of its attempts; 0: nobody has asked yet
    int64_t timeout_ms;
    int64_t started_ms; // wall time of this attempt
    struct str head;    // in data
    struct str body;
    struct str retry;
    struct str workflow;
    struct str order_key;
    bool was_held_up; // by its target's breaker, before this attempt
    bool is_probe;    // of a target that is half open
    bool is_in_flight;
    bool is_cancelled;             // by an operator, while it was under way
    bool is_ending;                // it is over, and was given up
    enum target_standing standing; // of its target when the attempt began: where it is counted
    struct arena arena;            // of this attempt: request and outcome
    struct mask mask;
    struct str oauth2;     // what its access token depends on (encode/head.h), in head; empty: none
    struct str token;      // of this attempt; on the arena
    uint64_t token_serial; // for oauth_reject
    bool is_renewed;       // it was answered 401 with another token before
    struct str answer;     // its body as far as it was read, masked; on the arena
    bool is_answer_cut;
    struct store_finish finish;
    struct outcome *outcome; // where a workflow wants it as an event; on the arena
    struct recheck *recheck; // while its conditions are judged again; on the arena
    size_t size;
    char data[];
};

struct deliver {
    struct deliver_config config;
    struct map targets;                  // by name
    struct map jobs;                     // by id
    struct map held_back;                // ids of workflows whose webhooks are not to be started
    struct heap due;                     // targets with something due in the store
    struct list ready[TARGET_STANDINGS]; // of targets that may start something
    enum target_standing turn;           // whose was the last
    struct list over; // of targets of which the store is to be asked what is over
    struct list idle; // of targets that owed nothing when they were looked at last
    size_t trials;    // attempts to targets not proven that were begun since the last turn of those
    struct loop_timer trial_timer;
    struct loop_timer timer;
    struct heap asleep; // targets that wait for their breaker or rate
    struct loop_timer wake_timer;
    struct deliver_paused paused;
    bool is_pause_known; // until then nothing is started
    struct map pauses;   // targets whose deliveries are being held or released, by name
    bool is_pauses_owed;
    struct store_pauses pauses_read;
    struct arena pauses_arena;
    size_t in_flight;
    size_t in_flight_of[TARGET_STANDINGS];
    size_t job_bytes;
    bool is_draining;
    bool is_drained; // the store is closed next: it is asked nothing more
    size_t asked;    // requests to the store other than outcomes: leases, targets at the start
    // one read of what is due at a time
    bool is_reading_due;
    struct store_due due_read;
    struct store_due_target due_targets[DELIVER_DUE_TARGETS_MAX];
    struct target *due_owners[DELIVER_DUE_TARGETS_MAX];
    struct arena due_arena;
    // the running time is being stored
    bool is_marking;
    int64_t marked_ms;
    struct store_time mark;
    // at the start
    struct store_time delay_step; // delays are made up for an outage
    bool is_delay_owed;           // the store failed
    bool has_moved_delays;
    bool has_started;
    bool is_start_asked;
    bool is_start_owed; // asked for meanwhile, or the store could not say what is owed
    struct store_targets start_read;
    struct arena start_arena;
    struct { // to be judged again before they may be started
        struct job *first;
        struct job **last;
    } rechecks;
    size_t recheck_count; // under way
    struct {              // that wait for an access token
        struct job *first;
        struct job **last;
    } at_oauth;
    struct oauth_listener oauth_listener;
    // with outcomes that could not be stored yet
    struct job *unstored;
    struct loop_timer again_timer; // after the store failed
    // the end
    struct loop_timer drain_timer;
    void (*on_drained)(void *ctx);
    void *drain_ctx;
};

// By the host's running time (base/clock.h), as is all that is due, a base or an end.
static inline int64_t deliver_now_ms(const struct deliver *d)
{
    return clock_running_ms(loop_clock(d->config.loop));
}
static inline int64_t deliver_wall_ms(const struct deliver *d)
{
    return clock_wall_ms(loop_clock(d->config.loop));
}

// Its order made its first attempt late: nothing else gives a base to what was never tried.
static inline bool job_has_waited(const struct job *j)
{
    return j->base_ms && j->attempts_made == 0;
}

// --- target.c ---
struct target *target_get(struct deliver *d, struct str name); // found or made; NULL: no memory
// Something is owed in the store at due_ms.
void target_mark_due(struct target *t, int64_t due_ms);
// Whether it may take part in the turns now; puts it among those that are ready if so.
void target_update_ready(struct target *t);
// Lets a target go that has nothing left, when there are many.
// Something of it ended: there may be room for more, or it may be forgotten one day.
void target_settle(struct target *t);
void target_look_again(struct target *t); // there is room for more of it
void target_succeeded(struct target *t);
// error: NULL where an answer came, with `status`.
void target_failed(struct target *t, const struct job *j, const char *error, int status);
// Lets an outcome that is given to the store say what the store does not know of the target.
void target_tell(struct target *t, struct store_finish *f, struct arena *arena);
void target_untold(struct target *t);            // it failed: all is said again
void target_ask_leases_again(struct deliver *d); // those that failed
void target_free_all(struct deliver *d);

// --- gate.c ---
// Whether the target may start its first job now. If not, it is looked at again when it may; jobs
// that its breaker held up beyond their end have been ended.
bool gate_lets(struct target *t);
void gate_started(struct target *t, struct job *j); // an attempt of it begins
// An attempt has ended: with an answer (error NULL), or without.
void gate_succeeded(struct target *t);
void gate_failed(struct target *t, const struct job *j, const char *error, int status);
void gate_took_back(struct target *t, struct job *j); // it is begun again later, by another turn
void gate_on_timer(void *ctx);
void gate_forget(struct target *t); // it sleeps no more

// --- job.c ---
// Copies what is owed: it waits for its turn, or to be judged again. NULL: no memory, or it is here
// already.
struct job *job_add(struct target *t, const struct store_owed *owed);
void job_wait(struct job *j); // for its target's turn; it is in no queue
void job_drop(struct job *j); // frees it; it is in no queue

// --- held_back.c ---
bool held_back_has(const struct deliver *d, struct str workflow);
// Drops what waits for its turn, or to be judged again, of a target: its rows are seen to.
void held_back_drop_all(struct target *t);
// A newer one supersedes it, unless an attempt of it is under way: read again, as what it is now.
void held_back_outdated(struct deliver *d, const struct store_outdated *o);
void held_back_free(struct deliver *d);

// --- pause.c ---
void pause_start(struct deliver *d);              // goes on with what the last run of the host left
void pause_set(struct target *t, bool is_paused); // as the store has it
void pause_step_again(struct deliver *d);         // after the store failed
void pause_free_all(struct deliver *d);

// --- cause.c ---
// Reads it onto the job's arena. on_done: 0 and what is borrowed from there; what the store said
// (ERR_NOT_FOUND, ERR_IO, ...); ERR_CLOSED where the store is being closed.
void cause_read(struct cause *c, struct job *j, void (*on_done)(struct job *j, int code));

// --- oauth_wait.c ---
// Whether it has the access token that it needs. If not, it waits for one, or has ended; it is in
// no queue, and not in flight.
bool oauth_wait_lets(struct job *j);
// It was answered 401: with true it waits for its turn with another token, or has ended.
bool oauth_wait_renew(struct job *j);
void oauth_wait_on_change(void *ctx);

// --- recheck.c ---
void recheck_pump(struct deliver *d); // judges again what waits for it, a few at a time

// --- schedule.c ---
bool schedule_is_held(const struct deliver *d); // nothing is started, whatever is due
void schedule_arm(struct deliver *d); // the timer, for the earliest that is due in the store
void schedule_on_trial(void *ctx);
void schedule_on_timer(void *ctx);
// What its breaker holds up ends in time, also where it is in the store alone.
void schedule_ask_over(struct target *t);
void schedule_pump(struct deliver *d); // starts what may be started
void schedule_on_start(struct store_targets *t);
bool schedule_leave(struct job *j); // it is not in flight any more; whether it was

// --- running.c ---
// How long to wait, of what waits for so long, until the running time is to be stored again.
int64_t running_look_ms(int64_t wait_ms);
void running_mark(struct deliver *d);       // stores it, unless that was just done
void running_start(struct deliver *d);      // delays that waited while the host was down
void running_step_again(struct deliver *d); // after the store failed

// --- attempt.c ---
void attempt_start(struct job *j);
// Nothing could be sent, and the target has no part in that; it is in no queue.
void attempt_fail(struct job *j, const char *error, struct str detail);
void attempt_give_up(struct job *j);  // no attempt got through before its end; it is in no queue
void attempt_outdated(struct job *j); // a newer one of its order supersedes it; it is in no queue
void attempt_keep(struct job *j);     // its outcome, until the store can be asked again
void attempt_store_again(struct deliver *d); // outcomes that were kept

// --- outcome.c ---
// Stores j->finish, an outcome, with the event that it is where a workflow in force wants that.
void outcome_finish(struct job *j);

// --- deliver.c ---
void deliver_check_drained(struct deliver *d);
void deliver_ask_again(struct deliver *d);    // what the store refused, in a while
void deliver_tell_state(const struct job *j); // j->finish is stored

#endif
