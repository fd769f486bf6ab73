// A generation: the workflow files that are in force together, loaded into a Lua state of their
// own, and the index from an event's type to the workflows that want it. It is built off the loop,
// handed over, used by the loop alone, and dropped when the next one takes its place. A file with
// an error keeps its last good text in force (SPEC 2.6).
#ifndef ENGINE_GENERATION_H
#define ENGINE_GENERATION_H

#include "base/map.h"
#include "script/rules.h"

struct generation_file { // a text in force, or one that could be
    char *path;          // relative to the rules folder
    char *text;          // NULL: the file could not be read
    size_t len;
    char *fault; // then: why
};

struct generation_workflow {           // one line of GET /v1/workflows
    const char *id;                    // the stem where the file could not be loaded
    const char *file;                  // as the user knows it: "rules/x.lua"
    const struct rules_workflow *rule; // NULL: nothing of it is in force
    size_t index;                      // its place among the rules, where rule is set
    bool has_fault;                    // the file as it stands has an error:
    size_t fault;                      // rules_fault() by this index is its first
    bool is_last_good;                 // an older text is in force
};

struct generation {
    uint64_t id;
    struct rules *rules;
    struct generation_workflow *workflows; // in the order of their files' names
    size_t workflow_count;
    size_t error_count;            // faults that are errors
    struct generation_file *files; // the texts in force
    size_t file_count;
    struct map by_type; // "deal.updated" -> struct generation_matches
    unsigned verbs;     // of all of them: RULES_CREATED | ...
    struct arena arena; // what the workflows and the index are made of
};

struct generation_matches { // indexes into rules, in the order of their files' names
    size_t *workflows;
    size_t count;
    size_t cap;
};

// Loads every workflow file of c->rules_dir. last_good: the texts in force so far. Any thread;
// blocks. Fails only where the folder cannot be read or memory is out; a bad file is in the faults.
int generation_build(struct generation **out, const struct rules_config *c,
                     const struct generation_file *last_good, size_t last_good_count,
                     struct err *e);
void generation_free(struct generation *g);

// Which workflows want events of this type ("deal.updated"); NULL for none.
const struct generation_matches *generation_match(const struct generation *g, struct str type);

// The workflow's line by its id, or NULL.
const struct generation_workflow *generation_find(const struct generation *g, struct str id);

#endif
