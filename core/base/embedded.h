// Files that the Makefile puts into the binary: its rule `embed` makes the tables.
#ifndef BASE_EMBEDDED_H
#define BASE_EMBEDDED_H

#include <stddef.h>

// A table ends with a NULL name.
struct embedded_file {
    const char *name; // without the folder that it comes from
    const char *text;
    size_t len;
    const char *hash; // of the text: the first 16 hexadecimal digits of its SHA-256
};

#endif
