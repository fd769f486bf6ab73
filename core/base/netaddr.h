// IP addresses and blocks: which ones a webhook may be sent to. Loopback, private, link-local,
// multicast, documentation and otherwise reserved blocks (IANA special-purpose registries, RFC
// 6890) are refused unless a block allows them, and so are IPv6 addresses that stand for an IPv4
// address (IPv4-mapped, NAT64, 6to4).
#ifndef BASE_NETADDR_H
#define BASE_NETADDR_H

#include "base/err.h"
#include "base/str.h"

struct netaddr {
    uint8_t bytes[16]; // network order; IPv4 in the first four
    bool is_v6;
};

struct netblock {
    struct netaddr base;
    unsigned prefix; // bits
};

struct sockaddr;

int netaddr_parse(struct str s,
                  struct netaddr *out); // canonical IPv4 or IPv6 text only; ERR_INVALID
int netaddr_from_sockaddr(const struct sockaddr *sa, struct netaddr *out);
void netaddr_format(char out[46], const struct netaddr *a);
int netblock_parse(struct str s, struct netblock *out,
                   struct err *e); // "10.0.0.0/8", "::1", "127.0.0.1"
bool netblock_holds(const struct netblock *b, const struct netaddr *a);

// NULL where the address may be used, else why not ("loopback", "private", "link-local", ...). An
// address that a block of `allow` holds may always be used, and so may one that stands for it.
const char *netaddr_refusal(const struct netaddr *a, const struct netblock *allow,
                            size_t allow_count);

#endif
