// What one entry into Lua may use: steps (instructions, and a charge for bytes and for the inner
// loops of C functions), bytes allocated, and, behind both, processor time. One budget counts for
// every coroutine of the state. Once it has stopped a run, every instruction that a rule still
// tries raises again, so that no pcall, message handler, `__close` or coroutine goes on; only the
// gate starts anew.
#ifndef SCRIPT_BUDGET_H
#define SCRIPT_BUDGET_H

#include "base/str.h"

#include <lua.h>

struct state;

enum budget_stop { BUDGET_RUNS, BUDGET_STOP_STEPS, BUDGET_STOP_MEMORY, BUDGET_STOP_OUTPUT };

struct budget_limits { // 0: none
    int64_t steps;
    size_t memory_bytes;
    size_t output_bytes;
    int64_t cpu_ms;
    bool is_unhooked; // only the library runs, whose work is bounded: no instruction is counted
};

enum { BUDGET_TRACE_MAX = 1024 };

struct budget {
    bool is_open; // between the gate's entry and its return
    enum budget_stop stop;
    bool is_out_of_time; // the stop of steps was the clock's
    const char *refused; // why the stop of memory was another than its amount, or NULL
    struct budget_limits limits;
    int64_t steps_left;
    size_t allocated_bytes; // in this run, never less for what is freed
    size_t charged_bytes;   // of them, already charged as steps
    int64_t cpu_limit_ms;   // where no instruction is counted yet
    int64_t started_ms;     // coarse
    int64_t cpu_started_ms; // 0: not asked yet
    bool is_hooked;         // the main thread has the hook
    bool is_granted;        // what is made now has been charged already
    char
        trace[BUDGET_TRACE_MAX]; // where it was stopped: "rules/x.lua:12: ", then the frames' lines
    size_t trace_place_len;      // of it, the place in front
};

// The gate's: starts and ends a run.
void budget_begin(struct state *s, const struct budget_limits *limits);
void budget_end(struct state *s);

// Charges steps for work that a C function is about to do. May longjmp (over the budget, or
// stopped).
void budget_charge(lua_State *L, int64_t steps);

// From here on the instructions of an uncounted run are counted: what runs in it has met a value
// that is not small. May be called again.
void budget_count(lua_State *L);

// Charges `bytes` that a C function is about to make, before they are. May longjmp.
void budget_charge_bytes(lua_State *L, size_t bytes);

// Raises again where the run is stopped: for whatever catches errors. May longjmp.
void budget_check(lua_State *L);

// Stops the run and raises. Always longjmps.
_Noreturn void budget_stop(lua_State *L, enum budget_stop stop);

// The allocator's question: may `growth` more bytes be had? Never longjmps.
bool budget_grants(struct state *s, size_t growth);

// Notes that memory was refused for another reason, in words (a constant text): the run is stopped.
// Never longjmps.
void budget_refuse(struct state *s, const char *why);

#endif
