#include "app_sockets.h"

#include <sys/resource.h>

#include "wire/httpd.h"

enum {
    OWN_FILES = 40, // the store, the loop, the resolver, files that are read, and some more
    SOCKETS_MIN = 8,
    CLIENTS_MAX = 4096
};

void app_share_sockets(struct app_sockets *out, size_t to_targets, const struct log *log)
{
    struct rlimit l = {RLIM_INFINITY, RLIM_INFINITY};
    if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < l.rlim_max) {
        l.rlim_cur = l.rlim_max;
        setrlimit(RLIMIT_NOFILE, &l);
    }
    size_t room = l.rlim_cur > OWN_FILES + SOCKETS_MIN ? l.rlim_cur - OWN_FILES : SOCKETS_MIN;
    out->to_targets = to_targets < room / 2 ? to_targets : room / 2;
    size_t clients = room - out->to_targets;
    clients -= httpd_extra(clients);
    out->from_clients = clients < CLIENTS_MAX ? clients : CLIENTS_MAX;
    if (out->to_targets < to_targets) {
        log_warn(log,
                 "%zu files may be open (ulimit -n, LimitNOFILE in systemd): enough for %zu "
                 "connections to targets in the place of %zu, and for %zu from clients",
                 (size_t)l.rlim_cur, out->to_targets, to_targets, out->from_clients);
    }
}
