// What an event must have for a workflow's conditions to hold, as the library says it
// (lua/hookline/lookups.lua, which tells what each part means): necessary, not sufficient.
// Immutable; lives as long as the rules it came from.
#ifndef SCRIPT_LOOKUP_H
#define SCRIPT_LOOKUP_H

#include "encode/json_number.h"

enum lookup_kind {
    LOOKUP_ALL,    // all children are necessary
    LOOKUP_ANY,    // one of them is; without any it never holds
    LOOKUP_VALUES, // the field has one of the values
    LOOKUP_RANGE,  // ... lies in the range
    LOOKUP_CHANGED // ... has changed
};

enum lookup_view { // of the record that is seen
    LOOKUP_NOW,
    LOOKUP_CHANGED_TO, // as it is, if the field has changed
    LOOKUP_BEFORE,     // as it was, if the field has changed
    LOOKUP_VIEWS
};

enum lookup_axis {
    LOOKUP_NUMBER,
    LOOKUP_TIME, // milliseconds since 1970
    LOOKUP_AGE,  // milliseconds before the event's time
    LOOKUP_AXES
};

enum lookup_value_kind {
    LOOKUP_EMPTY,
    LOOKUP_FALSE,
    LOOKUP_TRUE,
    LOOKUP_TEXT, // folded
    LOOKUP_IS_NUMBER
};

struct lookup_value {
    enum lookup_value_kind kind;
    struct str text;
    struct json_number number;
};

struct lookup {
    enum lookup_kind kind;
    enum lookup_view view;
    enum lookup_axis axis;
    size_t count; // of children or values
    union {
        const struct lookup **children;
        struct lookup_value *values;
        double range[2]; // its ends, both in it
    };
    struct str *path; // names from the record inwards; {NULL, 0}: each element of a list
    size_t path_len;
};

#endif
