// A generation: the workflow files that are in force together, loaded into a Lua state of their
// own, and the index from an event's type to the workflows that want it. It is built off the loop,
// handed over, used by the loop alone, and dropped when the next one takes its place. A file with
// an error keeps its last good text in force.
#ifndef ENGINE_GENERATION_H
#define ENGINE_GENERATION_H

#include "base/map.h"
#include "base/zone.h"
#include "engine/folder.h"
#include "engine/index.h"
#include "script/rules.h"

struct generation_base { // a workflow that does not load as it stands
    char *path;
    struct folder *folder; // what it runs from: its own text there, and the modules beside it
};

// Where the workflows of a generation came from: from the folder, but for those that ran from an
// older one.
struct generation_past {
    struct folder *folder;         // NULL: there is none
    struct generation_base *older; // by path
    size_t older_count;
};

struct generation_workflow {           // one line of GET /v1/workflows
    const char *id;                    // the stem where the file could not be loaded
    const char *file;                  // as the user knows it: "rules/x.lua"
    const struct rules_workflow *rule; // NULL: nothing of it is in force
    size_t index;                      // its place among the rules, where rule is set
    const struct zone *zone;           // of its schedule, where it has one
    bool has_fault;                    // the file as it stands has an error:
    size_t fault;                      // rules_fault() by this index is its first
    bool is_last_good;                 // an older text is in force
    uint64_t text_hash;                // of the text in force
};

// What a workflow does with an event: by its file, unless an operator or the host has said
// otherwise.
enum workflow_mode { WORKFLOW_STOPPED, WORKFLOW_RUNS, WORKFLOW_DRY, WORKFLOW_SUSPENDED };

struct generation {
    uint64_t id;
    struct rules *rules;
    unsigned char *modes; // of each of the rules: enum workflow_mode, the loop's to change
    struct generation_workflow *workflows; // in the order of their files' names
    size_t workflow_count;
    size_t error_count;          // faults that are errors
    struct generation_past past; // for the next one
    struct folder **sets;        // the texts that its rules borrow
    size_t set_count;
    struct map by_id;   // -> struct generation_workflow
    struct map zones;   // name -> struct zone
    unsigned verbs;     // of all of them: RULES_CREATED | ...
    struct index index; // from an event to the workflows that could match
    struct arena arena; // what the workflows are made of
};

// Loads every workflow of the folder; one that does not load runs from where it ran in the past,
// which may be NULL. Any thread; blocks. Fails only where memory is out; a bad file is in the
// faults.
int generation_build(struct generation **out, const struct rules_config *c, struct folder *folder,
                     const struct generation_past *past, struct err *e);
void generation_free(struct generation *g);

// path is copied; paths are added in their order. 0 or ERR_NOMEM.
int generation_past_add(struct generation_past *p, const char *path, struct folder *folder);
void generation_past_fini(struct generation_past *p);
// Whether the same texts are in force. Folders that stood in the past have their generation.
bool generation_past_is_same(const struct generation_past *a, const struct generation_past *b);

// The workflow's line by its id, or NULL.
const struct generation_workflow *generation_find(const struct generation *g, struct str id);

#endif
