// HTTP requests one at a time, each waited for: a client and the loop that it needs, for commands
// that have nothing else to do meanwhile. Main thread; blocks.
#ifndef CLI_CALLER_H
#define CLI_CALLER_H

#include "wire/client.h"

struct caller {
    struct clock clock;
    struct log log;
    struct loop *loop;
    struct client *client;
    const struct client_request *request; // under way
};

// config: what it points at stays borrowed until caller_close; user_agent and log are the caller's
// to fill in. caller_close whatever it returned.
int caller_open(struct caller *c, const struct client_config *config, struct err *e);
void caller_close(struct caller *c);

// Sends and waits; q->on_done has run when it returns 0. Else nothing was sent.
int caller_send(struct caller *c, const struct client_request *q, struct err *e);

#endif
