// Looks through a whole data folder and says what in it is not as the store writes it (`hookline
// verify`). Reads alone, one moment of the file, so a host may be at work on it meanwhile; beside
// one that was killed SQLite may leave a file hookline.db-shm. Blocks. Any thread.
#ifndef STORE_VERIFY_H
#define STORE_VERIFY_H

#include "base/err.h"

enum { STORE_VERIFY_SHOWN_MAX = 100 }; // faults of one check that are told; all are counted

struct store_verify_check {
    const char *name; // what is looked at, in the plural
    int64_t rows;
    int64_t faults;
};

struct store_verify {
    const char *dir; // the data folder
    void *ctx;
    // subject: the row ("dlv_...", "deal 4021"), empty where there is none. Texts are the call's.
    void (*on_fault)(void *ctx, const char *check, const char *subject, const char *words);
    void (*on_check)(void *ctx, const struct store_verify_check *done);
    // Now and then while a check runs, the `number`-th of `count`. NULL: not wanted.
    void (*on_progress)(void *ctx, const char *check, unsigned number, unsigned count);
    int64_t faults; // out
};

// 0 where all could be looked at, whatever was found. Else nothing could: ERR_NOT_FOUND (no data
// there), ERR_VERSION (another schema), ERR_CORRUPT (no database of hookline's), ERR_IO, ERR_NOMEM.
int store_verify(struct store_verify *v, struct err *e);

#endif
