// Numbers as JSON writes them (RFC 8259, 6): read exactly. Any thread.
#ifndef ENCODE_JSON_NUMBER_H
#define ENCODE_JSON_NUMBER_H

#include "base/str.h"

struct json_number {
    bool is_integer; // written as an integer and within int64 ("-0" is not: it is the double -0.0)
    bool prints_otherwise; // json_double/json_integer may not give the written form back, byte for
                           // byte
    int64_t integer;       // where is_integer
    double value;          // always; correctly rounded, infinite where it is too large for a double
};

// Reads one number's text. 0 or ERR_INVALID where it is not exactly a JSON number.
int json_number_parse(struct str text, struct json_number *out);

// Reads the number that begins at `at` (before `end`) and returns the byte after it. Where it is
// none: sets *fault to what is wrong, a constant text, and returns the byte at fault (which may be
// `end`).
const char *json_number_scan(const char *at, const char *end, struct json_number *out,
                             const char **fault);

#endif
