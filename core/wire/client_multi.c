#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/client_internal.h"

// --- dead connections ---------------------------------------------------------------------------

static unsigned local_port(int fd)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof at;
    if (getsockname(fd, (struct sockaddr *)(void *)&at, &len) != 0) {
        return 0;
    }
    return ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&at)->sin6_port
                                          : ((struct sockaddr_in *)(void *)&at)->sin_port);
}

// The socket of a transfer that has ended, by its two ends: curl tells no descriptor of a
// connection that others use. -1: it is closed.
static int socket_of(const struct transfer *t)
{
    const struct client *c = t->client;
    long port = 0;
    char *ip = NULL;
    struct netaddr peer;
    curl_easy_getinfo(t->easy, CURLINFO_LOCAL_PORT, &port);
    curl_easy_getinfo(t->easy, CURLINFO_PRIMARY_IP, &ip);
    if (!ip || netaddr_parse(str_from(ip), &peer) != 0) {
        return -1;
    }
    for (size_t fd = 0; fd < c->socket_cap; fd++) {
        const struct client_socket *s = &c->sockets[fd];
        if (s->is_tls && memcmp(&s->peer, &peer, sizeof peer) == 0 &&
            local_port((int)fd) == (unsigned)port) {
            return (int)fd;
        }
    }
    return -1;
}

static bool is_same_connection(const struct transfer *a, const struct transfer *b)
{
    long ports[2] = {0, 0};
    char *ips[2] = {NULL, NULL};
    curl_easy_getinfo(a->easy, CURLINFO_LOCAL_PORT, &ports[0]);
    curl_easy_getinfo(b->easy, CURLINFO_LOCAL_PORT, &ports[1]);
    curl_easy_getinfo(a->easy, CURLINFO_PRIMARY_IP, &ips[0]);
    curl_easy_getinfo(b->easy, CURLINFO_PRIMARY_IP, &ips[1]);
    return ports[0] == ports[1] && ips[0] && ips[1] && strcmp(ips[0], ips[1]) == 0;
}

// Whether the connection of the transfer has another one that may wait longer.
static bool has_more_patient(const struct transfer *t)
{
    for (const struct transfer *u = t->client->running.first; u; u = u->next) {
        if (u->limit_ms > t->limit_ms && is_same_connection(t, u)) {
            return true;
        }
    }
    return false;
}

// With HTTP/2 a request that times out ends alone, and its connection stays for others: one whose
// other side is gone without a word would take each that comes. So where nothing at all has come
// over it in the time of the request, it is broken; what else waits on it fails at once. But not
// what may wait longer: a server that is slow is not gone.
static void break_if_dead(struct transfer *t)
{
    int fd = t->parts.is_https ? socket_of(t) : -1;
    if (fd >= 0 && t->client->sockets[fd].heard_ms <= t->started_ms && !has_more_patient(t)) {
        shutdown(fd, SHUT_RDWR);
    }
}

// --- running curl -------------------------------------------------------------------------------

// curl acts on what happened, then all that ended is told: a message left lying would wait for the
// next event of some other transfer.
static void act(struct client *c, curl_socket_t fd, int events)
{
    c->is_inside = true;
    c->read_tls = NULL;
    int running;
    curl_multi_socket_action(c->multi, fd, events, &running);
    CURLMsg *message;
    while (!c->is_closing && (message = curl_multi_info_read(c->multi, &running))) {
        if (message->msg == CURLMSG_DONE) {
            CURLcode code = message->data.result;
            struct transfer *t;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t);
            if (code == CURLE_OPERATION_TIMEDOUT) {
                break_if_dead(t);
            }
            curl_multi_remove_handle(c->multi, message->easy_handle);
            transfer_done(t, code);
        }
    }
    c->is_inside = false;
    client_finish_closing(c);
}

static void on_timer_due(void *ctx)
{
    act(ctx, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long timeout_ms, void *ctx)
{
    struct client *c = ctx;
    if (multi != c->multi) {
        return 0; // one that is being closed, or not yet in use
    }
    if (timeout_ms < 0) {
        loop_timer_stop(&c->multi_timer);
    } else {
        loop_timer_start(&c->multi_timer, timeout_ms);
    }
    return 0;
}

// --- sockets ------------------------------------------------------------------------------------

static struct client_socket *socket_get(struct client *c, int fd)
{
    size_t index = (size_t)fd;
    if (index >= c->socket_cap) {
        size_t cap = c->socket_cap ? c->socket_cap : 64;
        while (cap <= index) {
            cap *= 2;
        }
        struct client_socket *sockets = realloc(c->sockets, cap * sizeof *sockets);
        if (!sockets) {
            return NULL;
        }
        memset(sockets + c->socket_cap, 0, (cap - c->socket_cap) * sizeof *sockets);
        c->sockets = sockets;
        c->socket_cap = cap;
    }
    return &c->sockets[index];
}

static void on_event(void *ctx, int fd, int events)
{
    struct client *c = ctx;
    struct client_socket *s = &c->sockets[fd];
    if (events & LOOP_READABLE) {
        s->heard_ms = loop_now_ms(c->loop, LOOP_REAL_TIME);
    }
    if (s->wanted == 0) {
        // The peer of a kept connection closed it. curl sees that before it would use it again.
        loop_poll_set(s->poll, 0);
        return;
    }
    // With HTTP/2 an answer may have come with what others read: curl looks for it where the socket
    // is said to be readable, and fails where it writes on to what is answered and over.
    bool is_read = (events & LOOP_READABLE) || s->is_tls;
    act(c, fd, (is_read ? CURL_CSELECT_IN : 0) | (events & LOOP_WRITABLE ? CURL_CSELECT_OUT : 0));
}

static void socket_forget(struct client_socket *s)
{
    if (s->poll) {
        loop_poll_close(s->poll);
    }
    *s = (struct client_socket){.poll = NULL};
}

// Whether the descriptor is still this socket, and its connection stands.
static bool is_connected(int fd, const struct client_socket *s)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof at;
    struct netaddr peer;
    return getpeername(fd, (struct sockaddr *)(void *)&at, &len) == 0 &&
           netaddr_from_sockaddr((struct sockaddr *)(void *)&at, &peer) == 0 &&
           memcmp(&peer, &s->peer, sizeof peer) == 0;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
    struct client *c = ctx;
    (void)easy;
    (void)socket_ctx;
    struct client_socket *s = socket_get(c, fd);
    if (!s) {
        return -1;
    }
    if (what == CURL_POLL_REMOVE) {
        // Where it is still connecting, it is given up: curl 7.88 closes it without a call of
        // on_close_socket, and has done so already. But all from the first byte to the answer may
        // have come in one turn, too.
        bool is_kept = s->is_ours && (s->wanted != LOOP_WRITABLE || is_connected(fd, s));
        s->wanted = 0;
        if (!is_kept) {
            socket_forget(s);
        } else if (s->poll) {
            // Not stopped: between two requests of a kept connection that would be four system
            // calls.
            loop_poll_set(s->poll, LOOP_READABLE);
        }
        return 0;
    }
    if (!s->poll && loop_poll_open(&s->poll, c->loop, fd, on_event, c) != 0) {
        s->poll = NULL;
        return -1;
    }
    s->wanted =
        (what & CURL_POLL_IN ? LOOP_READABLE : 0) | (what & CURL_POLL_OUT ? LOOP_WRITABLE : 0);
    return loop_poll_set(s->poll, s->wanted) == 0 ? 0 : -1;
}

static int on_close_socket(void *ctx, curl_socket_t fd)
{
    struct client *c = ctx;
    socket_forget(&c->sockets[fd]);
    return close(fd);
}

// --- addresses ----------------------------------------------------------------------------------

static curl_socket_t on_open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *t = ctx;
    struct client *c = t->client;
    (void)purpose;
    struct netaddr a = {0};
    bool is_unix = address->family == AF_UNIX; // config.unix_path
    if (!is_unix && netaddr_from_sockaddr(&address->addr, &a) != 0) {
        return CURL_SOCKET_BAD;
    }
    // Of a target with a proxy all is checked before; this is the proxy's address.
    const char *why = t->response.is_proxied || is_unix ? NULL : transfer_refusal(t, &a);
    if (why) {
        transfer_say_refused(t, &a, why);
        return CURL_SOCKET_BAD;
    }
    if ((t->has_also_allow || t->is_trusted) && !is_unix &&
        netaddr_refusal(&a, c->config.allow, c->config.allow_count)) {
        c->has_exceptions = true;
    }
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd < 0) {
        return CURL_SOCKET_BAD;
    }
    struct client_socket *s = socket_get(c, fd);
    if (!s) {
        close(fd);
        return CURL_SOCKET_BAD;
    }
    *s = (struct client_socket){.is_ours = true, .is_tls = t->parts.is_https, .peer = a};
    return fd;
}

// A kept connection was checked when it was opened, but perhaps under the exception of another
// request.
static int on_connected(void *ctx, char *peer, char *local, int peer_port, int local_port)
{
    struct transfer *t = ctx;
    (void)local;
    (void)peer_port;
    (void)local_port;
    if (!t->client->has_exceptions || t->response.is_proxied) {
        return CURL_PREREQFUNC_OK;
    }
    struct netaddr a;
    const char *why =
        netaddr_parse(str_from(peer), &a) != 0 ? "not known" : transfer_refusal(t, &a);
    if (!why) {
        return CURL_PREREQFUNC_OK;
    }
    transfer_say_refused(t, &a, why);
    t->is_refused_reused = true;
    return CURL_PREREQFUNC_ABORT;
}

void client_multi_prepare(struct transfer *t)
{
    curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
    curl_easy_setopt(t->easy, CURLOPT_CLOSESOCKETDATA, t->client); // outlives the transfer
    curl_easy_setopt(t->easy, CURLOPT_PREREQFUNCTION, on_connected);
    curl_easy_setopt(t->easy, CURLOPT_PREREQDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_UNIX_SOCKET_PATH, t->client->config.unix_path);
    int64_t idle_s = t->client->config.idle_ms / 1000;
    curl_easy_setopt(t->easy, CURLOPT_MAXAGE_CONN, (long)(idle_s > 0 ? idle_s : 1));
}

// --- life ---------------------------------------------------------------------------------------

static CURLM *multi_new(struct client *c)
{
    CURLM *multi = curl_multi_init();
    if (!multi) {
        return NULL;
    }
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, c);
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)c->config.max_connections);
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)c->config.max_connections);
    return multi;
}

// curl closes connections that are too old when another transfer starts, and has no call for it:
// where none has started for so long, all that it holds goes.
static void on_idle(void *ctx)
{
    struct client *c = ctx;
    int64_t left_ms = c->used_ms + c->config.idle_ms - loop_now_ms(c->loop, LOOP_REAL_TIME);
    c->is_idle_timer_on = false;
    if (c->running.count > 0) {
        return; // the end of the last one starts it again
    }
    if (left_ms > 0) {
        c->is_idle_timer_on = true;
        loop_timer_start(&c->idle_timer, left_ms);
        return;
    }
    CURLM *fresh = multi_new(c);
    if (fresh) {
        CURLM *old = c->multi;
        c->multi = fresh;
        c->has_exceptions = false;
        loop_timer_stop(&c->multi_timer);
        curl_multi_cleanup(old);
    }
}

void client_multi_used(struct client *c)
{
    c->used_ms = loop_now_ms(c->loop, LOOP_REAL_TIME);
    if (!c->is_idle_timer_on && c->running.count == 0) {
        c->is_idle_timer_on = true;
        loop_timer_start(&c->idle_timer, c->config.idle_ms);
    }
}

int client_multi_open(struct client *c)
{
    loop_timer_init(&c->multi_timer, c->loop, LOOP_REAL_TIME, on_timer_due, c);
    loop_timer_init(&c->idle_timer, c->loop, LOOP_REAL_TIME, on_idle, c);
    c->multi = multi_new(c);
    return c->multi ? 0 : ERR_NOMEM;
}

void client_multi_close(struct client *c)
{
    curl_multi_cleanup(c->multi);
    loop_timer_stop(&c->multi_timer);
    loop_timer_stop(&c->idle_timer);
    for (size_t fd = 0; fd < c->socket_cap; fd++) {
        socket_forget(&c->sockets[fd]);
    }
    free(c->sockets);
}
