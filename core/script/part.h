// A member of an event's record, as it stands in the JSON. Borrowed from there.
#ifndef SCRIPT_PART_H
#define SCRIPT_PART_H

#include "base/str.h"

struct part {
    struct str name; // unescaped
    struct str json; // its value
    bool is_read;    // else it is decoded only where `previous` has it
};

#endif
