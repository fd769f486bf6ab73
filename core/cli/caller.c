#include "cli/caller.h"

#include <unistd.h>

int caller_open(struct caller *c, const struct client_config *config, struct err *e)
{
    struct client_config mine = *config;
    int code;

    *c = (struct caller){0};
    clock_init(&c->clock);
    log_init(&c->log, STDERR_FILENO, &c->clock);
    c->log.least = LOG_ERROR;
    mine.max_connections = 1;
    mine.user_agent = "hookline/" HOOKLINE_VERSION;
    mine.log = &c->log;
    code = loop_new(&c->loop, &c->clock, e);
    if (code == 0)
        code = client_open(&c->client, c->loop, &mine, e);
    return code;
}

void caller_close(struct caller *c)
{
    if (c->client) {
        client_close(c->client, NULL, NULL);
        loop_run(c->loop);
    }
    if (c->loop)
        loop_free(c->loop);
    *c = (struct caller){0};
}

static void on_done(void *ctx, const struct client_response *r)
{
    struct caller *c = ctx;

    c->request->on_done(c->request->ctx, r);
    loop_stop(c->loop);
}

int caller_send(struct caller *c, const struct client_request *q, struct err *e)
{
    struct client_request mine = *q;
    int code;

    mine.on_done = on_done;
    mine.ctx = c;
    c->request = q;
    code = client_send(c->client, &mine);
    if (code)
        return err_set(e, (enum err_code)code, "the request cannot be sent: %s", err_word(code));
    loop_run(c->loop);
    return 0;
}
