// What has changed between two states of a record, told from their JSON texts: the `previous` of an
// update that came without one. Any thread.
#ifndef ENGINE_RECORD_DIFF_H
#define ENGINE_RECORD_DIFF_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"

struct record_field {
    struct str name;  // unescaped
    struct str value; // as it was written
    uint64_t digest;  // encode/json_digest.h, made when it is needed
    bool has_digest;
};

struct record_fields {
    struct record_field *list; // on the arena; of a name that comes twice the last counts
    size_t count;
    struct map by_name;
};

// Takes a record apart: the text of a JSON object that the reader took before, borrowed. 0;
// ERR_TOO_LARGE (the arena), ERR_NOMEM, ERR_INVALID (no object); then too record_fields_fini is
// due.
int record_fields_read(struct record_fields *out, struct str record, struct arena *arena);
void record_fields_fini(struct record_fields *f);

// Puts the old values of the fields that differ into `out`, a JSON object in the form of
// `previous`: a field that is new is null in it, one that is gone has its old value. Values are
// compared as json_digest does (1.0 equals 1) and written as they were. `id` is left out: it is one
// record. Time and memory are linear in the length of `now` and of what is put out. 0,
// ERR_TOO_LARGE (out's maximum), ERR_NOMEM.
int record_diff(struct record_fields *before, struct record_fields *now, struct buf *out);

#endif
