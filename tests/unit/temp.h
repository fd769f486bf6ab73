// Where tests put what they write: under TMPDIR, in which the runner looks for what was left
// behind.
#ifndef UNIT_TEMP_H
#define UNIT_TEMP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A template for mkdtemp or mkstemp. Short, since a Unix socket's path may stand on it.
static inline void temp_template(char *out, size_t size)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(out, size, "%s/hookline-XXXXXX", tmp && *tmp && strlen(tmp) < 32 ? tmp : "/tmp");
}

#endif
