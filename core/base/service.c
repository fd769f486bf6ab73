#include "base/service.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"

enum { FIRST_FD = 3, MESSAGE_MAX = 1024, SEND_TIMEOUT_US = 200 * 1000 };

// A number of the environment; -1 where it is not there or none.
static int64_t number(const char *name)
{
    const char *text = getenv(name);
    int64_t n;
    return text && str_to_int64(str_from(text), &n) == 0 && n >= 0 ? n : -1;
}

// Whether what goes with that variable is for this process.
static bool is_ours(const char *pid_name, bool may_be_missing)
{
    return getenv(pid_name) ? number(pid_name) == getpid() : may_be_missing;
}

static void name_sockets(struct service *s)
{
    const char *at = getenv("LISTEN_FDNAMES");
    for (size_t i = 0; at && i < s->socket_count; i++) {
        size_t len = strcspn(at, ":");
        size_t kept = len < SERVICE_NAME_MAX ? len : SERVICE_NAME_MAX - 1;
        memcpy(s->sockets[i].name, at, kept);
        at = at[len] ? at + len + 1 : NULL;
    }
}

int service_init(struct service *s, struct err *e)
{
    *s = (struct service){.socket_count = 0};
    const char *notify = getenv("NOTIFY_SOCKET");
    if (notify && (notify[0] == '/' || notify[0] == '@') && strlen(notify) < sizeof s->notify) {
        memcpy(s->notify, notify, strlen(notify));
    }
    int64_t watchdog_us = is_ours("WATCHDOG_PID", true) ? number("WATCHDOG_USEC") : -1;
    s->watchdog_ms = watchdog_us > 0 && s->notify[0] ? watchdog_us / 1000 : 0;
    int64_t count = is_ours("LISTEN_PID", false) ? number("LISTEN_FDS") : 0;
    if (count > SERVICE_SOCKETS_MAX) {
        return err_set(e, ERR_INVALID, "LISTEN_FDS: more than %d sockets are passed",
                       SERVICE_SOCKETS_MAX);
    }
    for (int fd = FIRST_FD; fd < FIRST_FD + (int)count; fd++) {
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
            return err_set(e, ERR_INVALID, "LISTEN_FDS: the descriptor %d is not open", fd);
        }
        s->sockets[s->socket_count++].fd = fd;
    }
    name_sockets(s);
    return 0;
}

void service_tell(const struct service *s, const char *format, ...)
{
    if (!s->notify[0]) {
        return;
    }
    char text[MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || len < 0) {
        return;
    }
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    memcpy(to.sun_path, s->notify, sizeof s->notify);
    if (to.sun_path[0] == '@') {
        to.sun_path[0] = '\0'; // one of no file
    }
    // The address of such a one is as long as it is said to be.
    socklen_t to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(s->notify));
    struct timeval limit = {.tv_usec = SEND_TIMEOUT_US};
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    size_t whole = (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    sendto(fd, text, whole, MSG_NOSIGNAL, (const struct sockaddr *)&to, to_len);
    close(fd);
}
