// What the checks of store/verify.h look at, as data: verify.c makes one statement of each part.
#ifndef STORE_SQLITE_VERIFY_H
#define STORE_SQLITE_VERIFY_H

#include "base/err.h"

#include <sqlite3.h>

struct verify_rule {
    const char *condition; // SQL: true for a row that is wrong
    const char *words;     // SQL: what is wrong with it. The first rule that holds is told
};

struct verify_part {
    const char *prefix;  // what the subject, an id, is shown behind ("dlv_"); NULL: it is words
    const char *subject; // SQL: which row
    const char *from;    // SQL: the rows
    const struct verify_rule *rules; // they end with a condition of NULL
};

enum { VERIFY_PARTS_MAX = 3 };

struct verify_check {
    const char *name;
    const char *count;                          // SQL: how many rows are looked at
    struct verify_part parts[VERIFY_PARTS_MAX]; // they end with rules of NULL
};

// It ends with a name of NULL.
extern const struct verify_check VERIFY_CHECKS[];

// verify_lookup.c: the functions that the rules use beside SQLite's own.
struct verify_lookup;
// For the connection, which outlives it. ERR_NOMEM, ERR_CORRUPT.
int verify_lookup_new(struct verify_lookup **out, sqlite3 *db, struct err *e);
void verify_lookup_free(struct verify_lookup *l);

#endif
