// A copy of the store in one file, taken beside a host that works on it, and put back in the place
// of the store of a host that does not. Blocks. Any thread.
//
// What is in the copy: events, deliveries, attempts, records, marks, generations with their texts,
// operators' acts: all that the store holds. Not in it: secrets, tokens' files, rules,
// configuration.
#ifndef STORE_BACKUP_H
#define STORE_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct store_copy {
    const char *dir;  // the data folder
    const char *file; // the copy
    bool is_forced;   // backup: a file of that name is replaced
    bool is_paused;   // restore: everything is paused then, until an operator resumes it
    void *ctx;
    // Now and then; NULL: not wanted.
    void (*on_progress)(void *ctx, int64_t done_bytes, int64_t all_bytes);
    int64_t bytes; // out: of the copy
    char *kept; // out, restore: where what was in its place is now (the caller frees it), or NULL
};

// Copies one moment of the store to a file of mode 0600, a piece at a time with as long a pause
// behind it, so that half of the disk's time is left to the host; looks through the copy, syncs it,
// and only then gives it its name. ERR_CONFLICT (there is such a file), ERR_NOT_FOUND (no store),
// ERR_CORRUPT, ERR_FULL, ERR_IO, with words.
int store_backup(struct store_copy *c, struct err *e);

// Looks through the copy, then puts it in the store's place, which is kept beside it under another
// name. An older schema is taken to the newest by the next start. ERR_BUSY (a host works on the
// folder), ERR_VERSION (of a newer hookline), ERR_NOT_FOUND, ERR_CORRUPT, ERR_FULL, ERR_IO: then
// the folder is as it was.
int store_restore(struct store_copy *c, struct err *e);

#endif
