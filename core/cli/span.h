// Spans of time for people: short, and no more exact than they need to be. Any thread.
#ifndef CLI_SPAN_H
#define CLI_SPAN_H

#include <stdint.h>

enum { SPAN_LEN_MAX = 32 };

// "0 ms", "120 ms", "1.5s", "15s", "2m30s", "3h5m", "2d4h"; below 0 it is 0.
const char *span_format(char out[SPAN_LEN_MAX], int64_t ms);

#endif
