// W3C Trace Context, version 00: what the sender of an event says of its trace, carried to the
// webhooks of the event. Kept as one text, "TRACEPARENT" or "TRACEPARENT TRACESTATE". Any thread.
#ifndef ENCODE_TRACE_CONTEXT_H
#define ENCODE_TRACE_CONTEXT_H

#include "base/str.h"

enum {
    TRACE_PARENT_LEN = 55, // "00-", 32 hex, "-", 16 hex, "-", 2 hex
    TRACE_ID_LEN = 32,
    TRACE_SPAN_LEN = 16,
    TRACE_STATE_MAX = 512,
    TRACE_TEXT_MAX = TRACE_PARENT_LEN + 1 + TRACE_STATE_MAX
};

struct trace_context {
    struct str parent; // the whole header; empty: none
    struct str state;  // empty: none
};

// What the two headers say ({NULL,0}: not there), borrowed: nothing where the first is not right,
// and of the second as many whole members, from its front, as TRACE_STATE_MAX bytes hold.
struct trace_context trace_read(struct str traceparent, struct str tracestate);
// The two parts of a kept text, borrowed; nothing where it is empty or not right. The parent-id may
// be all zeros there: the trace begins with what was kept.
struct trace_context trace_split(struct str text);
// A trace that begins here, as a traceparent with a parent-id of zeros. The text returned is `out`.
struct str trace_begin(char out[TRACE_PARENT_LEN + 1]);
struct str trace_id(const struct trace_context *t);     // 32 hex digits, borrowed
struct str trace_parent(const struct trace_context *t); // 16; {NULL,0}: the trace begins here
bool trace_is_sampled(const struct trace_context *t);

// The id of a span of that trace, of what has this id, number and time: always the same one, never
// 0. The rest is told apart by the trace.
uint64_t trace_span_id(const struct trace_context *t, uint64_t id, int number, int64_t at_ms);
// The header with another parent-id, NUL-terminated. The text returned is `out`.
struct str trace_put_parent(char out[TRACE_PARENT_LEN + 1], const struct trace_context *t,
                            uint64_t span_id);
// The text to keep with what an event makes owed: the event's own span is the parent there. Not
// terminated. The text returned is `out`; {NULL,0}: there is no trace.
struct str trace_put_event(char out[TRACE_TEXT_MAX], const struct trace_context *t, uint64_t event);

#endif
