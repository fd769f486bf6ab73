// What rules.c (loading) and rules_run.c (running) share.
#ifndef SCRIPT_RULES_INTERNAL_H
#define SCRIPT_RULES_INTERNAL_H

#include "script/gate.h"
#include "script/rules.h"
#include "script/state.h"

struct rules_entry {
    struct rules_workflow shown;
    int ref_description;       // the table that the library gave for it
    const struct files *files; // the texts it was loaded beside
    int ref_undo;              // what its functions keep (undo.h)
    uint64_t seed;             // of math.random, mixed with the event's
};

struct rules_source_entry {
    struct rules_source shown;
    struct rules_entry entry; // what the gate's entry wants to know; shown.file alone is set
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
    struct rules_source_entry **sources;
    size_t source_count;
    uint64_t event_seed;
    // In the registry:
    // the functions of hookline.host
    int ref_load, ref_check_module, ref_run, ref_recheck, ref_explain, ref_success, ref_retry,
        ref_load_source, ref_run_source;
    int ref_event; // the event that is there, or nil
};

// What is done with a file once it is compiled: the library's function that loads it is called with
// its name and its chunk, and gives a value, or nil, and a list of faults.
struct rules_loader {
    int ref_load; // in the registry
    // The value is on top, the file has no errors; shown is its path. May longjmp.
    void (*take)(lua_State *L, struct rules *r, const char *shown, void *ctx);
    void *ctx;
};

struct rules_loading { // of one file
    struct rules *r;
    const char *file;  // "invoice.lua"
    const char *chunk; // the name it is compiled under, which its errors begin with; NULL: none
    char *shown;       // "rules/invoice.lua"
    struct str text;
    const struct rules_loader *loader;
    bool has_errors;
};

// --- rules.c ---
// Copies that live as long as the rules; NULL when memory is out. A path is shown with the folder.
char *rules_keep(struct rules *r, const char *text);
char *rules_keep_path(struct rules *r, const char *file);
// Of the table on top; inside the gate, may longjmp. NULL where it has no such text.
char *rules_keep_field(lua_State *L, struct rules *r, const char *key);
bool rules_field_is_true(lua_State *L, const char *key);
// The list of faults on top. Those of modules are the modules' own. May longjmp.
void rules_take_faults(lua_State *L, struct rules_loading *l);

// --- rules_run.c ---
// Enters the gate for what a file's functions do: its budget, its seed, and what is to be done
// after.
// has_functions: a rule's own may run, so steps are counted.
enum gate_outcome rules_enter(struct rules *r, const struct rules_entry *entry, bool has_functions,
                              lua_CFunction inside, void *arg);
enum rules_verdict rules_verdict_of(enum gate_outcome outcome);

// --- rules_sources.c ---
// Puts a name, in lower case, and a value into the table on top; of a header that comes twice the
// values are joined with a comma (RFC 9110, 5.3). May longjmp.
void rules_put_header(lua_State *L, struct str name, struct str value);

// --- rules_files.c ---
void rules_free_files(struct rules *r);

// --- rules_lookup.c ---
// Of the description on top: what of its conditions can be looked up, what of an event it reads.
// May longjmp.
void rules_take_lookups(lua_State *L, struct rules *r, struct rules_workflow *w);
void rules_take_reads(lua_State *L, struct rules *r, struct rules_workflow *w);
void rules_take_notify(lua_State *L, struct rules *r, struct rules_workflow *w);
void rules_take_secrets(lua_State *L, struct rules *r, struct rules_workflow *w);

// Loads a file so: 0; ERR_INVALID, its faults among those that rules_fault gives; ERR_NOMEM.
int rules_load_with(struct rules *r, const char *file, struct str text,
                    const struct rules_loader *loader);

// --- rules_schedule.c ---
// The schedule of the description on top, NULL for none. May longjmp.
const struct rules_schedule *rules_take_schedule(lua_State *L, struct rules *r);

#endif
