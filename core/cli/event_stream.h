// Events out of a file or a pipe, one after another, whatever its size: NDJSON, an array, one
// object, or objects one after another over several lines. Only the event under way is in memory.
// Main thread; blocks.
#ifndef CLI_EVENT_STREAM_H
#define CLI_EVENT_STREAM_H

#include "base/buf.h"
#include "base/err.h"

enum event_stream_item {
    EVENT_STREAM_EVENT,  // an event
    EVENT_STREAM_BAD,    // this one is not JSON, or too large; the next one can be read
    EVENT_STREAM_END,    // there are no more
    EVENT_STREAM_BROKEN, // what follows cannot be told apart any more, or the file cannot be read
};

enum event_stream_form {
    EVENT_STREAM_UNKNOWN,
    EVENT_STREAM_LINES,
    EVENT_STREAM_ARRAY,
    EVENT_STREAM_VALUES
};

struct event_stream {
    int fd; // borrowed
    size_t max_event_bytes;
    struct buf window; // what has been read and not been taken
    size_t at;         // the first byte of the window that is not taken
    size_t line;       // of that byte, from 1
    bool is_at_end;    // of the file
    bool is_first;     // nothing has been taken yet
    bool is_closed;    // the array has ended
    bool wants_comma;  // in an array, before the next element
    enum event_stream_form form;
    struct buf scratch; // for the check of one event
    uint64_t read_bytes;
    bool has_id;    // of the last event: the member is there, whatever it is
    uint64_t count; // of items taken, bad ones too
};

void event_stream_init(struct event_stream *s, int fd, size_t max_event_bytes);
void event_stream_fini(struct event_stream *s);

// The next one: its text (borrowed until the next call) and the line it begins on. BAD and BROKEN:
// e says why, without the line.
enum event_stream_item event_stream_next(struct event_stream *s, struct str *event, size_t *line,
                                         struct err *e);

#endif
