// A name server on 127.0.0.1, on the loop of the test.
#ifndef UNIT_WIRE_NAME_SERVER_H
#define UNIT_WIRE_NAME_SERVER_H

#include "wire/peer.h"

// A name server: answers what the test says, remembers what it was asked.
struct server {
    struct loop *loop;
    struct loop_poll *poll;
    int fd;
    char address[32];
    size_t query_count; // of A records
    size_t pending;     // names asked for and not answered, while it is silent
    bool is_silent;
    int code; // RCODE: 0, 2 SERVFAIL, 3 NXDOMAIN
    unsigned ttl_s;
    unsigned char v4[4];
    size_t v4_count;
    bool has_v6; // ::1 too
    char last_name[300];
};

static inline size_t name_end(const unsigned char *packet, size_t len, char *text)
{
    size_t at = 12;
    size_t used = 0;
    while (at < len && packet[at] != 0) {
        size_t label = packet[at];
        assert_true(at + label < len);
        memcpy(text + used, packet + at + 1, label);
        used += label;
        text[used++] = '.';
        at += label + 1;
    }
    text[used ? used - 1 : 0] = '\0';
    return at + 1;
}

static inline void put_record(unsigned char *out, size_t *len, unsigned type, unsigned ttl_s,
                              const void *data, unsigned data_len)
{
    unsigned char head[12] = {0xc0, 12, 0, (unsigned char)type, 0, 1};
    head[8] = (unsigned char)(ttl_s >> 8);
    head[9] = (unsigned char)ttl_s;
    head[11] = (unsigned char)data_len;
    memcpy(out + *len, head, sizeof head);
    memcpy(out + *len + sizeof head, data, data_len);
    *len += sizeof head + data_len;
}

static inline void server_on_query(void *ctx, int fd, int events)
{
    struct server *s = ctx;
    unsigned char packet[1024];
    struct sockaddr_in from;
    socklen_t from_len = sizeof from;
    (void)events;
    ssize_t got =
        recvfrom(fd, packet, 512, MSG_DONTWAIT, (struct sockaddr *)(void *)&from, &from_len);
    if (got < 17) {
        return;
    }
    size_t end = name_end(packet, (size_t)got, s->last_name) + 4;
    unsigned type = packet[end - 3];
    s->query_count += type == 1;
    if (s->is_silent) {
        s->pending += type == 1;
        return;
    }
    packet[2] = 0x81;
    packet[3] = (unsigned char)(0x80 | s->code);
    memset(packet + 6, 0, 6); // no records yet, and no EDNS
    size_t len = end;
    if (s->code == 0 && type == 1) {
        for (size_t i = 0; i < s->v4_count; i++) {
            unsigned char v4[4] = {s->v4[0], s->v4[1], s->v4[2], (unsigned char)(s->v4[3] + i)};
            put_record(packet, &len, 1, s->ttl_s, v4, 4);
            packet[7]++;
        }
    } else if (s->code == 0 && type == 28 && s->has_v6) {
        put_record(packet, &len, 28, s->ttl_s, &in6addr_loopback, 16);
        packet[7]++;
    }
    sendto(fd, packet, len, 0, (struct sockaddr *)(void *)&from, from_len);
}

static inline void server_open(struct server *s, struct loop *l)
{
    *s = (struct server){.loop = l, .ttl_s = 60, .v4 = {192, 0, 2, 1}, .v4_count = 1};
    s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    assert_int_equal(bind(s->fd, (struct sockaddr *)(void *)&at, len), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)(void *)&at, &len), 0);
    snprintf(s->address, sizeof s->address, "127.0.0.1:%u", ntohs(at.sin_port));
    assert_int_equal(loop_poll_open(&s->poll, l, s->fd, server_on_query, s), 0);
    assert_int_equal(loop_poll_set(s->poll, LOOP_READABLE), 0);
}

static inline void server_close(struct server *s)
{
    loop_poll_close(s->poll);
    close(s->fd);
}

#endif
