// A bar for what takes long, on a terminal. Main thread.
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdio.h>

#include "base/str.h"

struct progress {
    FILE *out;         // NULL: nothing is shown
    const char *noun;  // what is counted ("events")
    int64_t all_bytes; // 0: not known, so there is a count and a rate alone
    int64_t start_ms;
    int64_t start_bytes; // were done before
    bool has_begun;
};

// Nothing is shown where messages is no terminal.
void progress_init(struct progress *p, FILE *messages, const char *noun, int64_t all_bytes);
// The time runs from here.
void progress_begin(struct progress *p, int64_t done_bytes);
// "[##########..........]  50 %  120000 events, 45000/s, 0:12 left"
void progress_show(const struct progress *p, int64_t done_bytes, uint64_t count);
// Takes the bar away, for a message or for good.
void progress_clear(const struct progress *p);

#endif
