// How many connections the host may have, by what the system lets it open. For the start.
#ifndef APP_SOCKETS_H
#define APP_SOCKETS_H

#include "base/log.h"

#include <stddef.h>

struct app_sockets { // connections at most
    size_t to_targets;
    size_t from_clients;
};

// Asks the system for as many open files as it gives, and shares them out: up to to_targets for
// targets, the rest for clients, and always some for the store. Warns where they are too few.
void app_share_sockets(struct app_sockets *out, size_t to_targets, const struct log *log);

#endif
