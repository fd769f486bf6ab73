// A writer of Prometheus' text format (0.0.4): families one after another, each with its HELP and
// TYPE. Seconds are printed from microseconds. Any thread.
#ifndef API_EXPOSITION_H
#define API_EXPOSITION_H

#include "base/buf.h"
#include "base/histogram.h"

struct exposition {
    struct buf *out;
    const char *name; // of the family under way
};

struct exposition_label {
    const char *name;
    struct str value; // any text: it is escaped, and what is no UTF-8 in it becomes U+FFFD
};

// type: "counter", "gauge", "histogram".
void exposition_family(struct exposition *x, const char *name, const char *type, const char *help);
void exposition_integer(struct exposition *x, const struct exposition_label *labels, size_t count,
                        int64_t value);
void exposition_seconds(struct exposition *x, int64_t us);                  // without labels
void exposition_histogram(struct exposition *x, const struct histogram *h); // whole family

// A family of one value without labels.
void exposition_counter(struct exposition *x, const char *name, const char *help, uint64_t value);
void exposition_gauge(struct exposition *x, const char *name, const char *help, int64_t value);

#endif
