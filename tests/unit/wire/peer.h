// For the tests of wire/: a loop, and raw TCP clients whose sockets never block, so that one thread
// can play both sides. Time is real; nothing is waited for longer than WAIT_MS, and nothing by
// sleeping.
#ifndef UNIT_WIRE_PEER_H
#define UNIT_WIRE_PEER_H

#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "loop/loop.h"

enum { WAIT_MS = 20000, PEER_MAX_BYTES = 64 * 1024 * 1024 };

struct fixture {
    struct clock clock;
    struct loop *loop;
};

static inline int fixture_set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f) {
        return -1;
    }
    clock_init(&f->clock);
    *state = f;
    alarm(120); // a lost wake-up would wait for ever
    return loop_new(&f->loop, &f->clock, NULL);
}

static inline int fixture_tear_down(void **state)
{
    struct fixture *f = *state;
    size_t open = loop_free(f->loop);
    free(f);
    alarm(0);
    return open == 0 ? 0 : -1;
}

// Turns the loop until is_true says so.
static inline void wait_until(struct loop *l, bool (*is_true)(void *ctx), void *ctx)
{
    int64_t end_ms = loop_now_ms(l, LOOP_REAL_TIME) + WAIT_MS;
    while (!is_true(ctx)) {
        loop_turn(l);
        if (loop_now_ms(l, LOOP_REAL_TIME) > end_ms) {
            fail_msg("waited for %d ms in vain", WAIT_MS);
        }
        sched_yield();
    }
}

static inline bool flag_is_set(void *flag)
{
    return *(bool *)flag;
}

static inline void set_flag(void *flag)
{
    *(bool *)flag = true;
}

// --- a raw client -------------------------------------------------------------------------------

struct peer {
    struct loop *loop;
    int fd;
    struct buf got;
    bool is_ended; // the other side closed
    bool is_reset;
};

static inline unsigned port_of(const char *address)
{
    return (unsigned)atoi(strrchr(address, ':') + 1);
}

static inline void peer_open(struct peer *p, struct loop *l, const char *address)
{
    *p = (struct peer){.loop = l, .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    buf_init(&p->got, PEER_MAX_BYTES);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port_of(address)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(p->fd, (struct sockaddr *)(void *)&to, sizeof to), 0);
    int one = 1;
    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static inline void peer_read(struct peer *p)
{
    char data[16384];
    while (!p->is_ended && !p->is_reset) {
        ssize_t n = recv(p->fd, data, sizeof data, MSG_DONTWAIT);
        if (n > 0) {
            assert_int_equal(buf_append(&p->got, data, (size_t)n), 0);
        } else if (n == 0) {
            p->is_ended = true;
        } else if (errno == EAGAIN) {
            return;
        } else {
            p->is_reset = true;
        }
    }
}

// Sends all of it, turning the loop where the socket is full; what a closed connection does not
// take is dropped.
static inline void peer_send(struct peer *p, struct str s)
{
    while (s.len > 0 && !p->is_reset) {
        ssize_t n = send(p->fd, s.data, s.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n >= 0) {
            s = (struct str){s.data + n, s.len - (size_t)n};
        } else if (errno != EAGAIN) {
            return;
        } else {
            loop_turn(p->loop);
            peer_read(p);
        }
    }
}

static inline void peer_close(struct peer *p)
{
    close(p->fd);
    buf_fini(&p->got);
}

static inline bool peer_is_over(void *ctx)
{
    struct peer *p = ctx;
    peer_read(p);
    return p->is_ended || p->is_reset;
}

// --- answers as a client reads them -------------------------------------------------------------

struct answer {
    int status;
    struct str head; // with the empty line
    struct str body;
    bool says_close;
};

static inline bool text_holds(struct str s, const char *what)
{
    return s.len > 0 && memmem(s.data, s.len, what, strlen(what)) != NULL;
}

// Takes the first answer off s. False where it is not complete.
static inline bool answer_take(struct str *s, bool is_head, struct answer *out)
{
    const char *end = s->len > 0 ? memmem(s->data, s->len, "\r\n\r\n", 4) : NULL;
    if (!end) {
        return false;
    }
    out->head = (struct str){s->data, (size_t)(end + 4 - s->data)};
    assert_true(str_starts_with(out->head, STR("HTTP/1.1 ")));
    out->status = atoi(s->data + 9);
    out->says_close = text_holds(out->head, "\r\nConnection: close\r\n");
    const char *length = memmem(out->head.data, out->head.len, "\r\nContent-Length: ", 18);
    size_t body = length && !is_head ? (size_t)atol(length + 18) : 0;
    if (s->len - out->head.len < body) {
        return false;
    }
    out->body = (struct str){end + 4, body};
    *s = (struct str){end + 4 + body, s->len - out->head.len - body};
    return true;
}

#endif
