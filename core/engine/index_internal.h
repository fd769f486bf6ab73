// What the files of the index share: building (index.c), its parts (index_field.c), choosing where
// a workflow goes (index_choose.c), looking (index_look.c).
#ifndef ENGINE_INDEX_INTERNAL_H
#define ENGINE_INDEX_INTERNAL_H

#include "engine/index.h"

struct index_list { // of workflows
    uint32_t *items;
    uint32_t count;
    uint32_t cap;
};

struct index_range {
    double low, high; // both in it
    double reach;     // the greatest high of the part of the list whose middle this is
    uint32_t workflow;
};

struct index_ranges { // by their low ends
    struct index_range *items;
    size_t count;
    size_t cap;
};

struct index_view {    // what of a field is looked up, in one view of the record
    struct map values; // key -> struct index_list
    size_t text_max;   // bytes of the longest text among them
    bool has_numbers;  // among them
    struct index_ranges ranges[LOOKUP_AXES];
};

struct index_field {
    struct str name;
    uint32_t number; // of a record's own field: its number in index.names
    struct map children;
    struct index_field *each; // the elements of a list
    struct index_view *views[LOOKUP_VIEWS];
    struct index_list *changed; // of a record's own field
    struct index_field *next_made;
    struct index_field *next_missed;
    bool is_missed; // is in its type's list of those
};

struct index_type {
    struct map fields;           // of the record
    struct index_field *missed;  // those that are looked up where they are missing
    struct index_list unindexed; // workflows that any event may match
};

struct index_reads { // of a workflow: its fields' numbers
    uint32_t *numbers;
    uint32_t count;
    bool is_all;
    bool has_time;
};

// The key of a value among a view's; written to room, of which text needs its length and one more.
enum { INDEX_KEY_MAX = 16 };
struct str index_key_of_number(const struct json_number *n, char room[INDEX_KEY_MAX]);
#define INDEX_KEY_EMPTY STR("e")
#define INDEX_KEY_FALSE STR("f")
#define INDEX_KEY_TRUE STR("t")
enum { INDEX_KEY_TEXT = '"' }; // in front of the folded text

// The record's own field, made where it is not there; NULL: no memory.
struct index_field *index_record_field(struct index *x, struct index_type *t, struct str name);
int index_list_add(struct index *x, struct index_list *list, uint32_t workflow);
// Puts a workflow at a leaf (not a group). 0 or ERR_NOMEM.
int index_add_leaf(struct index *x, struct index_type *t, const struct lookup *leaf,
                   enum lookup_view view, uint32_t workflow);
// The field at a leaf's path, or NULL.
const struct index_field *index_find_field(const struct index_type *t, const struct lookup *leaf);
// After the last one is added.
void index_seal(struct index *x);

// Puts a workflow where it is found by the fewest events, by what `wishes` has of all of them.
int index_choose(struct index *x, struct index_type *t, const struct index_type *wishes,
                 const struct rules_workflow *w, unsigned verb, uint32_t workflow);
// Puts it at all its leaves.
int index_wish(struct index *x, struct index_type *t, const struct rules_workflow *w, unsigned verb,
               uint32_t workflow);

#endif
