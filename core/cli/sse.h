// A reader of server-sent events (the HTML standard's "event stream interpretation"), fed with
// pieces as they come. Comments, ids and retry times are passed over. Main thread.
#ifndef CLI_SSE_H
#define CLI_SSE_H

#include "base/buf.h"

struct sse {
    struct buf line;  // that has not ended yet
    struct buf event; // of the message that has not ended yet
    struct buf data;
    // event: "message" where none was named. Both borrowed until it returns.
    void (*on_message)(void *ctx, struct str event, struct str data);
    void *ctx;
};

// max_bytes: of a line, and of a message's data.
void sse_init(struct sse *s, size_t max_bytes,
              void (*on_message)(void *ctx, struct str event, struct str data), void *ctx);
void sse_fini(struct sse *s);
void sse_reset(struct sse *s); // a new stream begins
// 0, or ERR_TOO_LARGE, ERR_NOMEM: then it is to be reset.
int sse_take(struct sse *s, struct str piece);

#endif
