// What a service manager (systemd) and its services say to each other: sd_notify(3),
// sd_watchdog_enabled(3) and sd_listen_fds(3) as protocols, without its library. Where no service
// manager started the process, all of it does nothing. Any thread.
#ifndef BASE_SERVICE_H
#define BASE_SERVICE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { SERVICE_SOCKETS_MAX = 16, SERVICE_NAME_MAX = 64 };

struct service_socket {
    int fd;
    char name[SERVICE_NAME_MAX]; // FileDescriptorName=; empty: none
};

struct service {
    char notify[108];    // a Unix datagram socket's address; empty: nobody listens
    int64_t watchdog_ms; // within which a sign of life is wanted; 0: none is
    size_t socket_count;
    struct service_socket sockets[SERVICE_SOCKETS_MAX]; // passed to us, listening already
};

// Reads the process's environment (NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, LISTEN_FDS,
// LISTEN_PID, LISTEN_FDNAMES); what is meant for another process is left alone. The sockets are
// closed in programs that this one starts. ERR_INVALID with words.
int service_init(struct service *s, struct err *e);
// Sends a message ("READY=1\nSTATUS=..."). A manager that does not take it in time misses it.
void service_tell(const struct service *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
