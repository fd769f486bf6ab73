// A record event as it is posted: what the host itself must know of it. Everything else stays as
// the bytes that came. Rules: docs/reference.md, Events. Any thread.
#ifndef ENGINE_EVENT_H
#define ENGINE_EVENT_H

#include "base/arena.h"
#include "base/err.h"
#include "encode/json_reader.h"

enum {
    EVENT_ID_MAX = 256,  // bytes of an event's id
    EVENT_NAME_MAX = 64, // bytes of a record type
    EVENT_TYPE_MAX = 80, // bytes of a type, with room for the verb
    EVENT_RECORD_ID_MAX = 256,
    EVENT_DEPTH_MAX = 64,   // nesting of one event
    EVENT_RUN_DEPTH_MAX = 5 // an event that came through more workflows is stored and not run
};

struct event {
    struct str json;        // the whole value, borrowed from the body
    struct str id;          // as given; empty: none
    struct str type;        // "deal.updated"
    struct str record_type; // "deal"
    unsigned verb;          // RULES_CREATED, RULES_UPDATED, ...; 0: a record type alone
    struct str verb_word;   // "updated"
    struct str record_id;   // as text: 4021 and "4021" are one record
    bool has_time;
    int64_t time_ms;
    struct str record;   // the value of "record", an object, as it was sent
    struct str previous; // of "previous", where it is an object; else empty
    bool is_compared;    // `previous` was not sent: it was found by comparing with the stored state
    size_t line;         // its line of an NDJSON body, from 1; 0 otherwise
    unsigned depth;      // of the chain of workflows that caused it
};

enum event_origin {
    EVENT_POSTED, // from outside
    EVENT_RECORD, // from outside, a record to be stored: the type may be its type alone, "deal"
    EVENT_STORED  // by this host: it may also have a type of the host's own, "deal.scheduled"
};

// Reads the one value that follows in r. Texts that had escapes are unescaped on the arena, the
// rest is borrowed from the reader's text. ERR_INVALID, ERR_TOO_LARGE (nesting) or ERR_NOMEM, with
// words.
int event_read(struct event *out, struct json_reader *r, enum event_origin origin,
               struct arena *arena, struct err *e);

// Whether text may be an event's id (given in the event or as Idempotency-Key).
int event_check_id(struct str id, struct err *e);

#endif
