// The tables, and the way from an older schema to the newest. The version stands in `PRAGMA
// user_version`, and `PRAGMA application_id` says that a file is hookline's. For the start alone.
#ifndef STORE_SQLITE_SCHEMA_H
#define STORE_SQLITE_SCHEMA_H

#include "base/err.h"
#include "base/log.h"

#include <sqlite3.h>
#include <stddef.h>

struct schema_step { // from one version to the next
    int from;
    const char *sql;
};

struct schema {
    int version;
    const char *create_sql;
    const struct schema_step *steps;
    size_t step_count;
};

extern const struct schema SCHEMA;

enum { SCHEMA_APPLICATION_ID = 0x686b6c6e }; // "hkln"

// Makes the tables in an empty file, or takes an older one step by step to the newest version, each
// step in a transaction of its own, after a copy of the file was made beside it (PATH.schema-N),
// which the log names. ERR_VERSION (newer, or too old to migrate), ERR_CORRUPT (not hookline's,
// damaged), ERR_FULL, ERR_IO. `path` is for the words.
int schema_prepare(sqlite3 *db, const char *path, const struct schema *schema,
                   const struct log *log, struct err *e);

#endif
