// What rules.c (loading) and rules_run.c (running) share.
#ifndef SCRIPT_RULES_INTERNAL_H
#define SCRIPT_RULES_INTERNAL_H

#include "base/map.h"
#include "script/rules.h"
#include "script/state.h"

struct rules_entry {
    struct rules_workflow shown;
    int ref_description;       // the table that the library gave for it
    const struct files *files; // the texts it was loaded beside
    uint64_t seed;             // of math.random, mixed with the event's
};

struct rules_reads {  // what the workflows of one record type read of an event
    bool is_all;      // one of them has functions: everything
    struct map names; // else these fields of the record (the value is the name's own text)
    bool has_time;    // and the event's time
};

struct rules {
    struct state *s;
    char *dir;
    struct budget_limits load_limits;
    struct budget_limits run_limits;
    struct arena arena; // the words of workflows and faults
    struct rules_entry **entries;
    size_t entry_count;
    size_t entry_cap;
    struct rules_fault *faults;
    size_t fault_count;
    size_t fault_cap;
    struct files **files; // each set of texts
    size_t files_count;
    size_t files_in_use;
    struct map reads; // record type -> struct rules_reads
    uint64_t event_seed;
    // In the registry:
    int ref_load, ref_check_module, ref_run, ref_explain; // the functions of hookline.host
    int ref_event;                                        // the event that is there, or nil
};

// --- rules_files.c ---
void rules_free_files(struct rules *r);

// What is done with a file once it is compiled: the library's function that loads it is called with
// its name and its chunk, and gives a value, or nil, and a list of faults.
struct rules_loader {
    int ref_load; // in the registry
    // The value is on top, the file has no errors; shown is its path. May longjmp.
    void (*take)(lua_State *L, struct rules *r, const char *shown, void *ctx);
    void *ctx;
};

// Loads a file so: 0; ERR_INVALID, its faults among those that rules_fault gives; ERR_NOMEM.
int rules_load_with(struct rules *r, const char *file, struct str text,
                    const struct rules_loader *loader);

#endif
