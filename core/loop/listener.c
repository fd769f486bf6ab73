#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "loop/stream_internal.h"

enum { USUAL_BACKLOG = 511, ADDRESS_TEXT_MAX = 128, ACCEPT_RETRY_MS = 100 };

struct loop_listener {
    union loop_socket handle;
    struct loop *loop;
    void (*on_stream)(void *ctx, struct loop_stream *s);
    void *ctx;
    struct loop_timer retry; // of an accept that found no memory or no descriptor
    int reserve;             // a descriptor to give up when there is no other; -1: given up
    bool is_unix;
    bool is_inherited;
    bool must_unlink; // a Unix socket's file
    char address[ADDRESS_TEXT_MAX];
};

// --- addresses
// --------------------------------------------------------------------------------------

static int refuse_address(struct err *e, const char *address)
{
    return err_set(e, ERR_INVALID,
                   "\"%s\" is not an address to listen on; say \"127.0.0.1:8080\", \"[::1]:8080\", "
                   "\":8080\" or \"unix:/path\"",
                   address);
}

static int parse_port(const char *text, int *port)
{
    int64_t value;
    if (text[0] == '-' || str_to_int64(str_from(text), &value) != 0 || value > 65535) {
        return ERR_INVALID;
    }
    *port = (int)value;
    return 0;
}

static int parse_tcp_address(const char *text, struct sockaddr_storage *out)
{
    char host[INET6_ADDRSTRLEN] = "";
    const char *colon = strrchr(text, ':');
    int port;
    if (!colon || parse_port(colon + 1, &port) != 0) {
        return ERR_INVALID;
    }
    size_t len = (size_t)(colon - text);
    if (len == 0) {
        return uv_ip6_addr("::", port, (struct sockaddr_in6 *)(void *)out);
    }
    bool is_v6 = len > 2 && text[0] == '[' && text[len - 1] == ']';
    struct str inside = is_v6 ? (struct str){text + 1, len - 2} : (struct str){text, len};
    if (inside.len >= sizeof host) {
        return ERR_INVALID;
    }
    memcpy(host, inside.data, inside.len);
    int rc = is_v6 ? uv_ip6_addr(host, port, (struct sockaddr_in6 *)(void *)out)
                   : uv_ip4_addr(host, port, (struct sockaddr_in *)(void *)out);
    return rc == 0 ? 0 : ERR_INVALID;
}

static int format_tcp_address(const uv_tcp_t *tcp, char *out, size_t size)
{
    struct sockaddr_storage bound;
    int len = sizeof bound;
    int rc = uv_tcp_getsockname(tcp, (struct sockaddr *)&bound, &len);
    if (rc != 0) {
        return rc;
    }
    char host[INET6_ADDRSTRLEN];
    if (bound.ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)&bound;
        uv_ip6_name(v6, host, sizeof host);
        snprintf(out, size, "[%s]:%u", host, ntohs(v6->sin6_port));
    } else {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)&bound;
        uv_ip4_name(v4, host, sizeof host);
        snprintf(out, size, "%s:%u", host, ntohs(v4->sin_port));
    }
    return 0;
}

// --- binding
// ----------------------------------------------------------------------------------------

static int bind_tcp(struct loop_listener *s, struct sockaddr_storage *address, bool is_any)
{
    int rc = uv_tcp_bind(&s->handle.tcp, (const struct sockaddr *)address, 0);
    if (rc == UV_EAFNOSUPPORT && is_any) {
        // A machine without IPv6: its IPv4 addresses are all there are.
        int port = ntohs(((struct sockaddr_in6 *)(void *)address)->sin6_port);
        uv_ip4_addr("0.0.0.0", port, (struct sockaddr_in *)(void *)address);
        rc = uv_tcp_bind(&s->handle.tcp, (const struct sockaddr *)address, 0);
    }
    if (rc == 0) {
        // Accepted sockets inherit it: no system call for each of them.
        rc = uv_tcp_nodelay(&s->handle.tcp, 1);
    }
    return rc;
}

static int listen_tcp(struct loop_listener *s, const struct loop_listener_config *c,
                      uv_connection_cb on_connection, struct err *e)
{
    struct sockaddr_storage address;
    memset(&address, 0, sizeof address);
    if (parse_tcp_address(c->address, &address) != 0) {
        return refuse_address(e, c->address);
    }
    int rc = bind_tcp(s, &address, c->address[0] == ':');
    if (rc == 0) {
        rc = uv_listen(&s->handle.stream, c->backlog > 0 ? c->backlog : USUAL_BACKLOG,
                       on_connection);
    }
    if (rc == 0) {
        rc = format_tcp_address(&s->handle.tcp, s->address, sizeof s->address);
    }
    if (rc != 0) {
        return err_set(e, loop_err_code(rc), "cannot listen on %s: %s", c->address,
                       uv_strerror(rc));
    }
    return 0;
}

// Whether somebody answers on the socket file: 0 no, 1 yes, else -errno.
static int ask_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    int rc = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 ? 1 : -errno;
    close(fd);
    if (rc == -EAGAIN) {
        return 1; // its backlog is full
    }
    return rc == -ECONNREFUSED || rc == -ENOENT ? 0 : rc;
}

static int clear_socket_file(const char *path, struct err *e)
{
    struct stat st;
    if (lstat(path, &st) != 0) {
        return 0; // binding tells what is wrong, if anything is
    }
    if (!S_ISSOCK(st.st_mode)) {
        return err_set(e, ERR_REFUSED, "cannot listen on %s: it is a file, and no socket", path);
    }
    int answer = ask_socket(path);
    if (answer == 1) {
        return err_set(e, ERR_BUSY, "cannot listen on %s: another process does", path);
    }
    if (answer < 0) {
        return err_set(e, loop_err_code(answer), "cannot listen on %s: %s", path,
                       uv_strerror(answer));
    }
    unlink(path);
    return 0;
}

// The file never has more rights than `mode`, not even for a moment: a socket's own are those that
// its file gets, less the umask.
static int bind_unix(struct loop_listener *s, const char *path, unsigned mode)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path));
    int rc = mode == 0 || fchmod(fd, (mode_t)mode) == 0 ? 0 : -errno;
    if (rc == 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        rc = -errno;
    }
    if (rc == 0) {
        s->must_unlink = true;
        rc = mode == 0 || chmod(path, (mode_t)mode) == 0 ? 0 : -errno;
    }
    if (rc == 0) {
        rc = uv_pipe_open(&s->handle.unix_socket, fd);
    }
    if (rc != 0) {
        close(fd);
    }
    return rc;
}

static int listen_unix(struct loop_listener *s, const struct loop_listener_config *c,
                       uv_connection_cb on_connection, struct err *e)
{
    const char *path = c->address + strlen("unix:");
    const size_t path_max = sizeof((struct sockaddr_un *)0)->sun_path - 1;
    if (path[0] == '\0') {
        return refuse_address(e, c->address);
    }
    if (strlen(path) > path_max) {
        return err_set(e, ERR_TOO_LARGE,
                       "cannot listen on %s: a socket's path has at most %zu bytes", path,
                       path_max);
    }
    int rc = clear_socket_file(path, e);
    if (rc != 0) {
        return rc;
    }
    snprintf(s->address, sizeof s->address, "%s", c->address);
    rc = bind_unix(s, path, c->mode);
    if (rc == 0) {
        rc = uv_listen(&s->handle.stream, c->backlog > 0 ? c->backlog : USUAL_BACKLOG,
                       on_connection);
    }
    if (rc != 0) {
        return err_set(e, loop_err_code(rc), "cannot listen on %s: %s", path,
                       rc == UV_ENOENT ? "no such folder" : uv_strerror(rc));
    }
    return 0;
}

// --- inherited
// --------------------------------------------------------------------------------------

static int inherited_option(int fd, int option)
{
    int value = 0;
    socklen_t len = sizeof value;
    return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 ? value : -1;
}

static int listen_inherited(struct loop_listener *s, int fd, uv_connection_cb on_connection,
                            struct err *e)
{
    if (inherited_option(fd, SO_TYPE) != SOCK_STREAM || inherited_option(fd, SO_ACCEPTCONN) != 1) {
        return err_set(e, ERR_INVALID,
                       "the inherited descriptor %d is no stream socket that listens", fd);
    }
    int rc;
    if (s->is_unix) {
        rc = uv_pipe_open(&s->handle.unix_socket, fd);
    } else {
        rc = uv_tcp_open(&s->handle.tcp, fd);
        if (rc == 0) {
            rc = uv_tcp_nodelay(&s->handle.tcp, 1);
        }
    }
    // To listen again sets the length of the backlog alone: never less than whoever made it wanted.
    if (rc == 0) {
        rc = uv_listen(&s->handle.stream, SOMAXCONN, on_connection);
    }
    if (rc == 0 && s->is_unix) {
        char path[ADDRESS_TEXT_MAX] = "";
        size_t len = sizeof path - 1;
        uv_pipe_getsockname(&s->handle.unix_socket, path, &len);
        snprintf(s->address, sizeof s->address, "unix:%.*s", (int)(sizeof s->address - 6), path);
    } else if (rc == 0) {
        rc = format_tcp_address(&s->handle.tcp, s->address, sizeof s->address);
    }
    if (rc != 0) {
        return err_set(e, loop_err_code(rc), "cannot listen on the inherited descriptor %d: %s", fd,
                       uv_strerror(rc));
    }
    return 0;
}

// --- accepting
// --------------------------------------------------------------------------------------

static void accept_next(void *ctx)
{
    struct loop_listener *s = ctx;
    if (s->reserve < 0) {
        s->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    struct loop_stream *stream = s->reserve < 0 ? NULL : loop_stream_new(s->loop, s->is_unix);
    if (!stream) {
        // libuv holds the connection, and accepts no other, until it is taken.
        loop_timer_start(&s->retry, ACCEPT_RETRY_MS);
        return;
    }
    if (uv_accept(&s->handle.stream, &stream->handle.stream) != 0) {
        loop_stream_close(stream, NULL, NULL);
        return;
    }
    s->on_stream(s->ctx, stream);
}

static void on_connection(uv_stream_t *handle, int status)
{
    struct loop_listener *s = handle->data;
    if (status == 0) {
        accept_next(s);
    } else if ((status == UV_EMFILE || status == UV_ENFILE) && s->reserve >= 0) {
        // libuv drops what waits for want of a descriptor by one that it keeps for that. Where it
        // could not have that one back, it calls accept over and over until one succeeds: with
        // ours, which makes it rest, since the connection is not taken before there are descriptors
        // again.
        close(s->reserve);
        s->reserve = -1;
    } // any other accept that failed is the peer's to repeat
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

int loop_listen(struct loop_listener **out, struct loop *l, const struct loop_listener_config *c,
                struct err *e)
{
    struct loop_listener *s = calloc(1, sizeof *s);
    if (!s) {
        return err_set(e, ERR_NOMEM, "no memory to listen");
    }
    s->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    s->loop = l;
    s->on_stream = c->on_stream;
    s->ctx = c->ctx;
    s->is_inherited = c->inherited_fd > 0;
    s->is_unix = s->is_inherited ? inherited_option(c->inherited_fd, SO_DOMAIN) == AF_UNIX
                                 : str_starts_with(str_from(c->address), STR("unix:"));
    loop_timer_init(&s->retry, l, LOOP_REAL_TIME, accept_next, s);
    if (s->is_unix) {
        uv_pipe_init(&l->uv, &s->handle.unix_socket, 0);
    } else {
        uv_tcp_init(&l->uv, &s->handle.tcp);
    }
    s->handle.any.data = s;
    int rc = s->is_inherited ? listen_inherited(s, c->inherited_fd, on_connection, e)
             : s->is_unix    ? listen_unix(s, c, on_connection, e)
                             : listen_tcp(s, c, on_connection, e);
    if (rc != 0) {
        loop_listener_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

const char *loop_listener_address(const struct loop_listener *s)
{
    return s->address;
}

void loop_listener_finish(struct loop_listener *s)
{
    uv_os_fd_t fd;
    int peer;
    if (!s->is_inherited && uv_fileno(&s->handle.any, &fd) == 0) {
        while ((peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
            struct loop_stream *stream = loop_stream_new(s->loop, s->is_unix);
            if (!stream) {
                close(peer);
                continue;
            }
            int rc = s->is_unix ? uv_pipe_open(&stream->handle.unix_socket, peer)
                                : uv_tcp_open(&stream->handle.tcp, peer);
            if (rc != 0) {
                close(peer);
                loop_stream_close(stream, NULL, NULL);
                continue;
            }
            s->on_stream(s->ctx, stream);
        }
    }
    loop_listener_close(s);
}

void loop_listener_close(struct loop_listener *s)
{
    loop_timer_stop(&s->retry);
    if (s->must_unlink) {
        unlink(s->address + strlen("unix:"));
    }
    if (s->reserve >= 0) {
        close(s->reserve);
        s->reserve = -1;
    }
    uv_close(&s->handle.any, on_closed);
}
