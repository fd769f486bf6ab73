#include "wire/resolve.h"

#include <ares.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"

enum {
    NAME_MAX_BYTES = 253, // RFC 1035 2.3.4
    NAMES_MAX = 4096,
    LOOKUPS_MAX = 64,
    SOCKETS_MAX = 32, // c-ares opens one for UDP and one for TCP for each server
    TIMEOUT_MS = 1500,
    TRIES = 2,
    TTL_MIN_S = 1,
    TTL_MAX_S = 300,
    FAILURE_MS = 2000,
    CONFIG_CHECK_MS = 5000
};

static const char RESOLV_CONF[] = "/etc/resolv.conf";

enum name_state { NAME_QUEUED, NAME_ACTIVE, NAME_KNOWN };

struct resolve_name {
    struct resolver *resolver;
    struct resolve_name *next,
        *prev; // in the queue, or among the known ones, least recently used first
    enum name_state state;
    bool is_telling; // its waiters are being called: it must stay
    struct resolve_wait *first, *last;
    struct resolve_answer answer;
    int64_t expires_at_ms;
    size_t len;
    char text[NAME_MAX_BYTES + 1]; // lower case, without a trailing dot
};

struct name_list {
    struct resolve_name *first, *last;
};

struct socket {
    ares_socket_t fd;
    struct loop_poll *poll; // NULL: free
};

struct resolver {
    struct loop *loop;
    struct resolver_config config;
    char *servers;
    ares_channel channel;
    struct loop_timer timer;
    struct map names;              // by text, all of them
    struct resolve_answer special; // for what is not looked up: a literal address, no name at all
    struct name_list queue, known;
    size_t active_count;
    bool is_closing;
    bool is_busy; // inside c-ares: lookups asked for by a callback are started afterwards
    struct socket sockets[SOCKETS_MAX];
    struct timespec config_changed;
    int64_t config_checked_ms;
};

// --- lists --------------------------------------------------------------------------------------

static void list_add(struct name_list *l, struct resolve_name *n)
{
    n->next = NULL;
    n->prev = l->last;
    *(l->last ? &l->last->next : &l->first) = n;
    l->last = n;
}

static void list_remove(struct name_list *l, struct resolve_name *n)
{
    *(n->prev ? &n->prev->next : &l->first) = n->next;
    *(n->next ? &n->next->prev : &l->last) = n->prev;
}

static void wait_remove(struct resolve_wait *w)
{
    struct resolve_name *n = w->name;
    *(w->prev ? &w->prev->next : &n->first) = w->next;
    *(w->next ? &w->next->prev : &n->last) = w->prev;
    w->name = NULL;
}

static void wait_add(struct resolve_name *n, struct resolve_wait *w)
{
    w->name = n;
    w->next = NULL;
    w->prev = n->last;
    *(n->last ? &n->last->next : &n->first) = w;
    n->last = w;
}

static void name_free(struct resolve_name *n)
{
    map_remove(&n->resolver->names, (struct str){n->text, n->len});
    free(n);
}

// --- c-ares on the loop -------------------------------------------------------------------------

static void watch_timeout(struct resolver *r)
{
    struct timeval left;
    if (!r->channel || !ares_timeout(r->channel, NULL, &left)) {
        loop_timer_stop(&r->timer);
        return;
    }
    // Rounded up: a timer that fires early would spin until the time has really come.
    loop_timer_start(&r->timer, (int64_t)left.tv_sec * 1000 + (left.tv_usec + 999) / 1000);
}

static void start_queued(struct resolver *r);

static void process(struct resolver *r, ares_socket_t readable, ares_socket_t writable)
{
    r->is_busy = true;
    ares_process_fd(r->channel, readable, writable);
    r->is_busy = false;
    start_queued(r);
}

static void on_socket(void *ctx, int fd, int events)
{
    process(ctx, events & LOOP_READABLE ? fd : ARES_SOCKET_BAD,
            events & LOOP_WRITABLE ? fd : ARES_SOCKET_BAD);
}

static void on_timeout(void *ctx)
{
    process(ctx, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static struct socket *socket_find(struct resolver *r, ares_socket_t fd)
{
    struct socket *unused = NULL;
    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        if (r->sockets[i].poll && r->sockets[i].fd == fd) {
            return &r->sockets[i];
        }
        if (!r->sockets[i].poll && !unused) {
            unused = &r->sockets[i];
        }
    }
    return unused;
}

// A socket that cannot be watched is left to c-ares' timeout.
static void on_socket_state(void *ctx, ares_socket_t fd, int readable, int writable)
{
    struct resolver *r = ctx;
    struct socket *s = socket_find(r, fd);
    if (!s) {
        return;
    }
    if (!readable && !writable) {
        if (s->poll) {
            loop_poll_close(s->poll);
            s->poll = NULL;
        }
        return;
    }
    if (!s->poll && loop_poll_open(&s->poll, r->loop, fd, on_socket, r) != 0) {
        s->poll = NULL;
        return;
    }
    s->fd = fd;
    loop_poll_set(s->poll, (readable ? LOOP_READABLE : 0) | (writable ? LOOP_WRITABLE : 0));
}

static int channel_open(struct resolver *r, struct err *e)
{
    struct ares_options options = {
        .timeout = (int)r->config.timeout_ms,
        .tries = r->config.tries,
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = r,
    };
    int rc = ares_init_options(&r->channel, &options,
                               ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    if (rc == ARES_SUCCESS && r->servers) {
        rc = ares_set_servers_ports_csv(r->channel, r->servers);
        if (rc != ARES_SUCCESS) {
            ares_destroy(r->channel);
        }
    }
    if (rc != ARES_SUCCESS) {
        r->channel = NULL;
        return err_set(e, rc == ARES_ENOMEM ? ERR_NOMEM : ERR_INVALID,
                       "the resolver does not start: %s", ares_strerror(rc));
    }
    return 0;
}

static struct timespec config_time(void)
{
    struct stat st;
    return stat(RESOLV_CONF, &st) == 0 ? st.st_mtim : (struct timespec){0, 0};
}

// c-ares reads its configuration once. A machine that moves to another network changes it.
static void follow_config(struct resolver *r)
{
    int64_t now_ms = loop_now_ms(r->loop, LOOP_REAL_TIME);
    if (r->servers || r->active_count > 0 || now_ms - r->config_checked_ms < CONFIG_CHECK_MS) {
        return;
    }
    r->config_checked_ms = now_ms;
    struct timespec changed = config_time();
    if (changed.tv_sec == r->config_changed.tv_sec &&
        changed.tv_nsec == r->config_changed.tv_nsec) {
        return;
    }
    ares_channel old = r->channel;
    if (channel_open(r, NULL) != 0) {
        r->channel = old;
        return;
    }
    r->config_changed = changed;
    ares_destroy(old);
}

// --- answers ------------------------------------------------------------------------------------

static void answer_failure(struct resolve_answer *a, int status)
{
    switch (status) {
    case ARES_ENOTFOUND:
    case ARES_ENONAME:
    case ARES_EBADNAME:
        *a = (struct resolve_answer){.code = ERR_NOT_FOUND, .detail = "the name does not exist"};
        break;
    case ARES_ENODATA:
        *a = (struct resolve_answer){.code = ERR_NOT_FOUND, .detail = "the name has no address"};
        break;
    case ARES_ETIMEOUT:
        *a = (struct resolve_answer){.code = ERR_TIMEOUT,
                                     .detail = "the name servers do not answer"};
        break;
    case ARES_ECONNREFUSED: // what c-ares makes of SERVFAIL, NOTIMP and REFUSED too
        *a = (struct resolve_answer){.code = ERR_IO,
                                     .detail = "the name servers fail or cannot be reached"};
        break;
    default:
        *a = (struct resolve_answer){.code = ERR_IO, .detail = ares_strerror(status)};
    }
}

static const struct ares_addrinfo_node *first_of(const struct ares_addrinfo *info, int family)
{
    const struct ares_addrinfo_node *n = info->nodes;
    while (n && n->ai_family != family) {
        n = n->ai_next;
    }
    return n;
}

// Whether the system knows a way there. No packet is sent.
static bool is_routed(const struct ares_addrinfo_node *n)
{
    int fd = socket(n->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool is_connected = fd >= 0 && connect(fd, n->ai_addr, n->ai_addrlen) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return is_connected;
}

static void take_family(struct resolve_answer *a, const struct ares_addrinfo *info, int family,
                        size_t max)
{
    for (const struct ares_addrinfo_node *n = info->nodes; n && a->count < max; n = n->ai_next) {
        if (n->ai_family == family &&
            netaddr_from_sockaddr(n->ai_addr, &a->addresses[a->count]) == 0) {
            a->count++;
        }
    }
}

// IPv6 goes first where there is a way (RFC 6724, rules 1 and 6), each family in the name server's
// order, and neither takes all the room. c-ares would sort by asking the system of each address:
// thousands of them, which any name server may send, would hold the loop for a tenth of a second.
static void take_addresses(struct resolve_answer *a, const struct ares_addrinfo *info)
{
    const struct ares_addrinfo_node *v6 = first_of(info, AF_INET6);
    bool has_both = v6 && first_of(info, AF_INET);
    bool is_v6_first = has_both && is_routed(v6);
    size_t share = has_both ? RESOLVE_ADDRESSES_MAX / 2 : RESOLVE_ADDRESSES_MAX;
    take_family(a, info, is_v6_first ? AF_INET6 : AF_INET, share);
    take_family(a, info, is_v6_first ? AF_INET : AF_INET6, RESOLVE_ADDRESSES_MAX);
}

// Returns for how long the answer holds.
static int64_t answer_addresses(struct resolve_answer *a, const struct ares_addrinfo *info)
{
    int ttl = TTL_MAX_S;
    *a = (struct resolve_answer){.code = 0};
    for (const struct ares_addrinfo_cname *c = info->cnames; c; c = c->next) {
        ttl = c->ttl < ttl ? c->ttl : ttl;
    }
    for (const struct ares_addrinfo_node *n = info->nodes; n; n = n->ai_next) {
        ttl = n->ai_ttl < ttl ? n->ai_ttl : ttl;
    }
    take_addresses(a, info);
    if (a->count == 0) {
        answer_failure(a, ARES_ENODATA);
        return FAILURE_MS;
    }
    return (int64_t)(ttl > TTL_MIN_S ? ttl : TTL_MIN_S) * 1000;
}

static void on_lookup(void *ctx, int status, int timeouts, struct ares_addrinfo *info)
{
    struct resolve_name *n = ctx;
    struct resolver *r = n->resolver;
    (void)timeouts;
    if (r->is_closing) {
        return; // ares_destroy: it is freed with the resolver, info is NULL
    }
    int64_t holds_ms = FAILURE_MS;
    if (status == ARES_SUCCESS) {
        holds_ms = answer_addresses(&n->answer, info);
    } else {
        answer_failure(&n->answer, status);
    }
    if (info) {
        ares_freeaddrinfo(info);
    }
    n->state = NAME_KNOWN;
    n->expires_at_ms = loop_now_ms(r->loop, LOOP_REAL_TIME) + holds_ms;
    r->active_count--;
    list_add(&r->known, n);
    n->is_telling = true;
    struct resolve_wait *w;
    while ((w = n->first)) {
        wait_remove(w);
        w->on_done(w->ctx, &n->answer);
    }
    n->is_telling = false;
}

static void start_queued(struct resolver *r)
{
    if (r->is_busy) {
        return;
    }
    struct resolve_name *n;
    while (r->active_count < LOOKUPS_MAX && (n = r->queue.first)) {
        follow_config(r);
        list_remove(&r->queue, n);
        n->state = NAME_ACTIVE;
        r->active_count++;
        struct ares_addrinfo_hints hints = {
            .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = ARES_AI_NOSORT};
        r->is_busy = true; // what the hosts file knows is answered inside the call
        ares_getaddrinfo(r->channel, n->text, NULL, &hints, on_lookup, n);
        r->is_busy = false;
    }
    watch_timeout(r);
}

// --- asking -------------------------------------------------------------------------------------

static const struct resolve_answer *answer_not_a_name(struct resolver *r, struct str host)
{
    struct resolve_answer *a = &r->special;
    *a = (struct resolve_answer){.code = 0};
    if (netaddr_parse(host, &a->addresses[0]) == 0) {
        a->count = 1;
        return a;
    }
    if (host.len == 0 || host.len > NAME_MAX_BYTES || memchr(host.data, '\0', host.len)) {
        answer_failure(a, ARES_EBADNAME);
        return a;
    }
    return NULL;
}

static int name_new(struct resolver *r, struct str text, struct resolve_name **out)
{
    if (r->names.count >= NAMES_MAX) {
        struct resolve_name *oldest = r->known.first;
        if (!oldest || oldest->is_telling) {
            return ERR_FULL;
        }
        list_remove(&r->known, oldest);
        name_free(oldest);
    }
    struct resolve_name *n = calloc(1, sizeof *n);
    if (!n) {
        return ERR_NOMEM;
    }
    n->resolver = r;
    n->len = text.len;
    memcpy(n->text, text.data, text.len);
    if (map_put(&r->names, (struct str){n->text, n->len}, n) != 0) {
        free(n);
        return ERR_NOMEM;
    }
    list_add(&r->queue, n);
    *out = n;
    return 0;
}

int resolver_get(struct resolver *r, struct str host, struct resolve_wait *w,
                 const struct resolve_answer **now)
{
    if (host.len > 0 && host.data[host.len - 1] == '.') {
        host.len--;
    }
    if ((*now = answer_not_a_name(r, host))) {
        return 1;
    }
    char lower[NAME_MAX_BYTES];
    for (size_t i = 0; i < host.len; i++) {
        char c = host.data[i];
        lower[i] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
    }
    struct str text = {lower, host.len};
    struct resolve_name *n = map_get(&r->names, text);
    if (!n) {
        int rc = name_new(r, text, &n);
        if (rc != 0) {
            return rc;
        }
    } else if (n->state == NAME_KNOWN) {
        list_remove(&r->known, n);
        if (n->expires_at_ms > loop_now_ms(r->loop, LOOP_REAL_TIME)) {
            list_add(&r->known, n);
            *now = &n->answer;
            return 1;
        }
        n->state = NAME_QUEUED;
        list_add(&r->queue, n);
    }
    start_queued(r);
    if (n->state == NAME_KNOWN) {
        *now = &n->answer;
        return 1;
    }
    wait_add(n, w);
    return 0;
}

void resolver_cancel(struct resolver *r, struct resolve_wait *w)
{
    (void)r;
    if (w->name) {
        wait_remove(w);
    }
}

// --- life ---------------------------------------------------------------------------------------

int resolver_open(struct resolver **out, struct loop *l, const struct resolver_config *c,
                  struct err *e)
{
    struct resolver *r = calloc(1, sizeof *r);
    if (!r) {
        return err_set(e, ERR_NOMEM, "no memory for the resolver");
    }
    r->loop = l;
    r->config.timeout_ms = c->timeout_ms > 0 ? c->timeout_ms : TIMEOUT_MS;
    r->config.tries = c->tries > 0 ? c->tries : TRIES;
    map_init(&r->names);
    loop_timer_init(&r->timer, l, LOOP_REAL_TIME, on_timeout, r);
    r->config_changed = config_time();
    r->config_checked_ms = loop_now_ms(l, LOOP_REAL_TIME);
    int rc = 0;
    if (c->servers && !(r->servers = str_dup(str_from(c->servers)))) {
        rc = err_set(e, ERR_NOMEM, "no memory for the resolver");
    }
    if (rc == 0) {
        ares_library_init(ARES_LIB_INIT_ALL); // counted; does nothing that can fail on Unix
        rc = channel_open(r, e);
        if (rc != 0) {
            ares_library_cleanup();
        }
    }
    if (rc != 0) {
        free(r->servers);
        free(r);
        return rc;
    }
    *out = r;
    return 0;
}

void resolver_close(struct resolver *r)
{
    r->is_closing = true;
    ares_destroy(r->channel);
    loop_timer_stop(&r->timer);
    size_t at = 0;
    struct str text;
    void *name;
    while (map_next(&r->names, &at, &text, &name)) {
        free(name);
    }
    map_fini(&r->names);
    free(r->servers);
    free(r);
    ares_library_cleanup();
}
