// Sending with the client of core/wire and keeping what came back.
#ifndef UNIT_WIRE_SEND_H
#define UNIT_WIRE_SEND_H

#include "wire/client.h"
#include "wire/peer.h"

static const struct netblock LOOPBACK = {.base = {.bytes = {127}}, .prefix = 8};

struct sent {
    bool is_done;
    size_t done_count;
    struct client_response response; // its texts point to the copies
    struct buf headers;
    struct buf body;
};

static inline void sent_keep(void *ctx, const struct client_response *r)
{
    struct sent *s = ctx;
    s->is_done = true;
    s->done_count++;
    s->response = *r;
    buf_init(&s->headers, PEER_MAX_BYTES);
    buf_init(&s->body, PEER_MAX_BYTES);
    buf_append_str(&s->headers, r->headers);
    buf_append_str(&s->body, r->body);
    s->response.headers = buf_str(&s->headers);
    s->response.body = buf_str(&s->body);
}

static inline void sent_fini(struct sent *s)
{
    buf_fini(&s->headers);
    buf_fini(&s->body);
}

static inline void send_start(struct client *c, struct sent *s, const struct client_request *q)
{
    *s = (struct sent){.is_done = false};
    struct client_request request = *q;
    request.method = q->method.len ? q->method : STR("GET");
    request.on_done = sent_keep;
    request.ctx = s;
    assert_int_equal(client_send(c, &request), 0);
    assert_false(s->is_done); // never inside the call
}

static inline void send_wait(struct loop *l, struct client *c, struct sent *s,
                             const struct client_request *q)
{
    send_start(c, s, q);
    wait_until(l, flag_is_set, &s->is_done);
    assert_int_equal(s->done_count, 1);
}

static inline struct client *client_at(struct loop *l, const struct client_config *config)
{
    struct client *c = NULL;
    struct client_config with_loopback = *config;
    with_loopback.allow = &LOOPBACK;
    with_loopback.allow_count = 1;
    assert_int_equal(client_open(&c, l, &with_loopback, NULL), 0);
    return c;
}

static inline void client_end(struct loop *l, struct client *c)
{
    bool is_closed = false;
    client_close(c, set_flag, &is_closed);
    assert_false(is_closed);
    wait_until(l, flag_is_set, &is_closed);
}

#endif
