// The simulator: the host as it is (app.c and all below it) over a clock, a network, threads and a
// disk that are simulated here, in one thread and from one seed. What the host links instead of
// core/loop/, wire/client.h, wire/httpd.h, wire/smtp.h and SQLite's file system stands in this
// folder, and so does the small model that every history is held against.
#ifndef SIMULATE_SIM_H
#define SIMULATE_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/str.h"

struct sim_call;

// --- world.c: chance, time, fibers, what happens when --------------------------------------------
uint64_t sim_random(void);
unsigned sim_below(unsigned n); // 0..n-1
bool sim_chance(unsigned one_in);
int64_t sim_mono_ms(void);
int64_t sim_wall_ms(void);
int64_t sim_running_ms(void); // in which the host ran
void sim_jump_wall(int64_t ms);
void sim_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
uint64_t sim_trace_hash(void);
// The history is wrong: says so, with the seed, and ends the process.
void sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

// Outside of the host, at a time: lives on over crashes.
void sim_after(int64_t ms, void (*run)(void *ctx), void *ctx);

unsigned sim_life(void); // 1 for the first start of the host
bool sim_is_up(void);
void sim_start_host(int (*main)(void));
// Runs until the time, or until the host is down, whichever is first.
void sim_run_until(int64_t mono_ms);
void sim_rest_until(int64_t mono_ms); // the host is down
// Ends the host at this very place, from wherever it is called.
void sim_crash(const char *where);
// A crash after so many more steps of the scheduler; 0: none.
void sim_crash_in_steps(unsigned steps);
// Gives the turn back to the scheduler, inside the host's main fiber.
void sim_yield(void);
bool sim_has_ended(void); // by itself, and not in a crash
int sim_exit_code(void);  // of the last orderly end

void sim_init(uint64_t seed, FILE *report, bool is_tracing);

// --- loop.c
// ---------------------------------------------------------------------------------------
bool sim_loop_is_ready(void);
int64_t sim_loop_next_ms(void);                           // the earliest timer; INT64_MAX: none
void sim_loop_enqueue(void (*run)(void *ctx), void *ctx); // on the host's loop, later
void sim_loop_signal(int signum);
int64_t sim_signalled_ms(void); // when the last signal was sent
void sim_loop_forget(void);

// --- disk.c
// ---------------------------------------------------------------------------------------
void sim_disk_init(void); // the default VFS of SQLite from now on
// From now on one of so many operations fails; 0: none.
void sim_disk_faults(unsigned one_in);
void sim_disk_crash_in(unsigned operations); // 0: none
unsigned sim_disk_fault_count(void);
// The host is gone; with a power loss what was not synced is lost, in pieces.
void sim_disk_down(bool is_power_lost);

// --- net.c: receivers
// ------------------------------------------------------------------------------
enum sim_answer {
    ANSWER_OK,
    ANSWER_FAIL,
    ANSWER_HANG,
    ANSWER_RESET,
    ANSWER_LOST,
    ANSWER_SLOW,
    ANSWER_BUSY,
    ANSWER_GONE,
    ANSWER_REFUSED // 404, 429, 500, 501
};
void sim_net_calm(bool is_calm); // from now on every receiver answers 200

// --- http.c: requests to the host
// ----------------------------------------------------------------- on_answer: status 0 where the
// host went away first.
void sim_http_send(const char *method, const char *path, const char *body,
                   void (*on_answer)(void *ctx, int status, struct str body), void *ctx);
void sim_http_forget(void); // the host is gone: whoever waits is told
bool sim_http_is_open(void);

// --- model.c: what must, may and must not be sent
// ----------------------------------------------------
enum { MODEL_RECORDS_MAX = 48, MODEL_TURNS_MAX = 32 }; // of a long day
void model_init(unsigned records, unsigned turns);     // how many there are in this history
enum model_path {
    PATH_PLAIN,
    PATH_ONCE,
    PATH_ORDER,
    PATH_SHORT,
    PATH_DELAY,
    PATH_LATEST,
    PATH_POLICY, // retry_on = { 429, "5xx" }, give_up_on = { 501 }
    PATH_COOLDOWN,
    PATH_OUTCOME, // of each of PATH_POLICY
    PATHS
};
#define MODEL_PATH_NAMES                                                                           \
    {                                                                                              \
        "plain", "once", "order", "short", "delay", "latest", "policy", "cooldown", "outcome"      \
    }
void model_asked(unsigned record, unsigned turn);
void model_acked(unsigned record, unsigned turn, struct str answer);
// Before it is received: which delivery an outcome tells of, and how that ended.
void model_told(unsigned record, unsigned turn, const char *cause, const char *state);
void model_received(enum model_path path, unsigned record, unsigned turn, struct str webhook_id);
// The host has the answer.
void model_answered(enum model_path path, unsigned record, unsigned turn, int status,
                    int64_t retry_after_ms); // negative: none; status 0: there was no answer
void model_quiet(void);                      // the host has nothing to do just now
void model_died(bool is_in_order, bool is_power_lost);
void model_was_down(int64_t ms); // the host did not run, and starts
void model_jumped(int64_t ms);   // the wall clock was set
void model_cancelled(enum model_path path, unsigned record, unsigned turn);
const char *model_id(enum model_path path, unsigned record, unsigned turn); // empty: never sent
// At the end, by the host's own list.
void model_state(unsigned record, unsigned turn, struct str workflow, struct str id,
                 struct str state);
void model_outcome(struct str cause, struct str id, struct str state);
void model_check_end(void);

// --- model_pause.c: when a target is paused, and the time without that
// --------------------------------------------
void model_pause_asked(enum model_path path, bool is_paused);
void model_pause_answered(enum model_path path, bool is_paused); // it is so from now on
bool model_is_paused(enum model_path path);                      // for sure
int64_t model_path_ms(enum model_path path);        // running time, without that of pauses
int64_t model_pause_tail_ms(enum model_path path);  // for how long it has been paused; 0: it is not
int64_t model_pause_slack_ms(enum model_path path); // by which pauses may make it later, in all

// --- model_cooldown.c: which events may fire
// ----------------------------------------------------------
void cooldown_asked(unsigned record, unsigned turn);
void cooldown_answered(unsigned record, unsigned turn);
void cooldown_jumped(int64_t ms); // the wall clock was set
void cooldown_check(unsigned record, unsigned turn, bool has_fired, int last_turn); // -1: none

#endif
