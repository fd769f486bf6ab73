// The runs of an event as one compact JSON text, kept in the event's row, so that an ordinary run
// costs no row of its own: [["workflow", generation, outcome, "reason", delivery id, ...], ...].
// Any thread.
#ifndef STORE_RUNS_H
#define STORE_RUNS_H

#include "store/store.h"

#include "base/buf.h"

// Appends the text, without the runs that were_marked; nothing where no run is left. To a text that
// is there already the runs are added. Errors stick in out.
void runs_write(struct buf *out, const struct store_run *runs, size_t count, bool is_replay);

// Reads a text back, on the arena; event_key is borrowed by the rows. `scratch` is for unescaping.
// 0, ERR_CORRUPT, ERR_TOO_LARGE (the arena), ERR_NOMEM.
int runs_read(struct str text, struct str event_key, struct arena *arena, struct buf *scratch,
              struct store_run_row **runs, size_t *count);

// The ids of all deliveries of a text, in order, without those of replays: what answered the event.
// Errors as above.
int runs_read_ids(struct str text, struct arena *arena, struct buf *scratch, uint64_t **ids,
                  size_t *count);

#endif
