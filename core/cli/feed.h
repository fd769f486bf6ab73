// What happens in a running host (GET /v1/live), for as long as one watches: it is asked again
// where the stream ends, as it does when the host is started again. Main thread.
#ifndef CLI_FEED_H
#define CLI_FEED_H

#include "cli/remote.h"
#include "cli/sse.h"

struct feed {
    struct remote *remote;
    const struct invocation *in;
    const char *path; // "/v1/live?topics=..."
    struct sse sse;
    struct loop_timer again;
    bool is_live;
    bool was_live; // ever: then it is asked again when it ends
    bool is_over;
    int code; // why it has ended for good, with err
    struct err err;
    // A message; both texts are borrowed until it returns.
    void (*on_message)(void *ctx, struct str event, struct str data);
    // The stream is there (words NULL), or it has ended, and why.
    void (*on_change)(void *ctx, const char *words);
    void *ctx;
};

// remote: borrowed until feed_close. Begins on the remote's loop; the caller runs that, and it is
// stopped when the feed is over. All but the callbacks and ctx is the feed's.
void feed_open(struct feed *f, const struct invocation *in, struct remote *remote,
               const char *path);
void feed_end(struct feed *f, int code); // from inside the loop, which it stops
void feed_close(struct feed *f);

#endif
