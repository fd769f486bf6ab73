#include "base/netaddr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

enum { NETADDR_TEXT_MAX = 46 };

int netaddr_parse(struct str s, struct netaddr *out)
{
    char text[NETADDR_TEXT_MAX];
    if (s.len == 0 || s.len >= sizeof text || memchr(s.data, '\0', s.len)) {
        return ERR_INVALID;
    }
    memcpy(text, s.data, s.len);
    text[s.len] = '\0';
    struct netaddr a = {.is_v6 = memchr(text, ':', s.len) != NULL};
    if (inet_pton(a.is_v6 ? AF_INET6 : AF_INET, text, a.bytes) != 1) {
        return ERR_INVALID;
    }
    *out = a;
    return 0;
}

int netaddr_from_sockaddr(const struct sockaddr *sa, struct netaddr *out)
{
    struct netaddr a = {.is_v6 = sa->sa_family == AF_INET6};
    if (sa->sa_family == AF_INET) {
        memcpy(a.bytes, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
    } else if (sa->sa_family == AF_INET6) {
        memcpy(a.bytes, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
    } else {
        return ERR_INVALID;
    }
    *out = a;
    return 0;
}

void netaddr_format(char out[46], const struct netaddr *a)
{
    if (!inet_ntop(a->is_v6 ? AF_INET6 : AF_INET, a->bytes, out, NETADDR_TEXT_MAX)) {
        out[0] = '\0';
    }
}

static bool has_prefix(const unsigned char *bytes, const unsigned char *prefix, unsigned bits)
{
    unsigned whole = bits / 8;
    unsigned rest = bits % 8;
    if (memcmp(bytes, prefix, whole) != 0) {
        return false;
    }
    return rest == 0 || (bytes[whole] ^ prefix[whole]) >> (8 - rest) == 0;
}

bool netblock_holds(const struct netblock *b, const struct netaddr *a)
{
    return b->base.is_v6 == a->is_v6 && has_prefix(a->bytes, b->base.bytes, b->prefix);
}

static bool is_base_clean(const struct netblock *b)
{
    struct netaddr clean = {.is_v6 = b->base.is_v6};
    unsigned whole = b->prefix / 8;
    memcpy(clean.bytes, b->base.bytes, whole);
    if (b->prefix % 8 != 0) {
        clean.bytes[whole] = (uint8_t)(b->base.bytes[whole] & (0xFF << (8 - b->prefix % 8)));
    }
    return memcmp(clean.bytes, b->base.bytes, sizeof clean.bytes) == 0;
}

int netblock_parse(struct str s, struct netblock *out, struct err *e)
{
    const char *slash = s.len > 0 ? memchr(s.data, '/', s.len) : NULL;
    struct str address = {s.data, slash ? (size_t)(slash - s.data) : s.len};
    struct netblock b;
    if (netaddr_parse(address, &b.base) != 0) {
        return err_set(e, ERR_INVALID, "\"" STR_FMT "\" is not an IP address or block",
                       (int)(s.len < 64 ? s.len : 64), s.data);
    }
    int64_t bits_max = b.base.is_v6 ? 128 : 32;
    int64_t bits = bits_max;
    if (slash) {
        struct str digits = {slash + 1, s.len - address.len - 1};
        if (str_to_int64(digits, &bits) != 0 || digits.data[0] == '-' || bits > bits_max ||
            (digits.data[0] == '0' && digits.len > 1)) {
            return err_set(e, ERR_INVALID,
                           "\"" STR_FMT "\" does not end in a prefix of 0 to %d bits",
                           (int)(s.len < 64 ? s.len : 64), s.data, (int)bits_max);
        }
    }
    b.prefix = (unsigned)bits;
    if (!is_base_clean(&b)) {
        return err_set(e, ERR_INVALID,
                       "\"" STR_FMT "\" has bits set behind its prefix; a block starts at its base",
                       STR_ARG(s));
    }
    *out = b;
    return 0;
}

// The IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890), the multicast blocks, what
// was reserved and given up later, and the one metadata service that has a public address (others
// lie in 169.254/16, 100.64/10, 192.0.0/24 and fc00::/7). The first block that holds an address
// names it.
struct special_block {
    unsigned char base[16];
    unsigned char prefix;
    const char *name;
};

static const struct special_block SPECIAL_V4[] = {
    {{0}, 8, "this network"},              // RFC 791
    {{10}, 8, "private"},                  // RFC 1918
    {{100, 64}, 10, "shared"},             // RFC 6598, carrier-grade NAT
    {{127}, 8, "loopback"},                // RFC 1122
    {{168, 63, 129, 16}, 32, "metadata"},  // Azure's WireServer: public, and in each machine there
    {{169, 254}, 16, "link-local"},        // RFC 3927; cloud metadata services too
    {{172, 16}, 12, "private"},            // RFC 1918
    {{192, 0, 0}, 24, "reserved"},         // RFC 6890, protocol assignments
    {{192, 0, 2}, 24, "documentation"},    // RFC 5737
    {{192, 88, 99}, 24, "reserved"},       // RFC 7526, was the 6to4 relay
    {{192, 168}, 16, "private"},           // RFC 1918
    {{198, 18}, 15, "benchmarking"},       // RFC 2544
    {{198, 51, 100}, 24, "documentation"}, // RFC 5737
    {{203, 0, 113}, 24, "documentation"},  // RFC 5737
    {{224}, 4, "multicast"},               // RFC 5771
    {{255, 255, 255, 255}, 32, "broadcast"}, // RFC 919
    {{240}, 4, "reserved"},                  // RFC 1112
};

static const struct special_block SPECIAL_V6[] = {
    {{0}, 128, "unspecified"},                                           // RFC 4291
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, "loopback"}, // RFC 4291
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, "local NAT64"},           // RFC 8215
    {{0x01, 0x00}, 64, "discard"},                                       // RFC 6666
    {{0x20, 0x01, 0x00, 0x00}, 32, "Teredo"},                            // RFC 4380
    {{0x20, 0x01, 0x00, 0x02, 0x00, 0x00}, 48, "benchmarking"},          // RFC 5180
    {{0x20, 0x01, 0x00, 0x10}, 28, "ORCHID"},                            // RFC 4843
    {{0x20, 0x01, 0x00, 0x20}, 28, "ORCHID"},                            // RFC 7343
    {{0x20, 0x01, 0x00}, 23, "reserved"},                                // RFC 2928
    {{0x20, 0x01, 0x0d, 0xb8}, 32, "documentation"},                     // RFC 3849
    {{0x3f, 0xff}, 20, "documentation"},                                 // RFC 9637
    {{0xfc}, 7, "unique-local"},                                         // RFC 4193
    {{0xfe, 0x80}, 10, "link-local"},                                    // RFC 4291
    {{0xfe, 0xc0}, 10, "site-local"},                                    // RFC 3879
    {{0xff}, 8, "multicast"},                                            // RFC 4291
};

static const char *special_name(const struct netaddr *a)
{
    const struct special_block *blocks = a->is_v6 ? SPECIAL_V6 : SPECIAL_V4;
    size_t count = a->is_v6 ? sizeof SPECIAL_V6 / sizeof SPECIAL_V6[0]
                            : sizeof SPECIAL_V4 / sizeof SPECIAL_V4[0];
    for (size_t i = 0; i < count; i++) {
        if (has_prefix(a->bytes, blocks[i].base, blocks[i].prefix)) {
            return blocks[i].name;
        }
    }
    // All that was ever given out for global unicast lies in 2000::/3.
    bool is_outside = a->is_v6 && a->bytes[0] >> 5 != 1;
    return is_outside ? "reserved" : NULL;
}

// Blocks whose addresses stand for an IPv4 address. Behind a translator, a relay or the kernel it
// is that one which is reached.
static const struct carrier {
    unsigned char base[16];
    unsigned char prefix;
    unsigned char v4_at;
    const char *name;
} CARRIERS[] = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, 12, "IPv4-mapped"},     // RFC 4291
    {{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0}, 96, 12, "IPv4-translated"}, // RFC 7915
    {{0}, 96, 12, "IPv4-compatible"},                                        // RFC 4291
    {{0x00, 0x64, 0xff, 0x9b}, 96, 12, "NAT64"},                             // RFC 6052
    // Of the local NAT64 block only this form tells where the IPv4 address is: RFC 6052 puts it
    // elsewhere for other prefix lengths, and lets the bytes behind it be anything.
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 96, 12, "local NAT64"}, // RFC 8215
    {{0x20, 0x02}, 16, 2, "6to4"},                                 // RFC 3056; given up, RFC 7526
};

static const struct carrier *carrier_of(const struct netaddr *a, struct netaddr *inner)
{
    // :: and ::1 are themselves.
    static const unsigned char zero[15] = {0};
    if (!a->is_v6 || (memcmp(a->bytes, zero, 15) == 0 && a->bytes[15] <= 1)) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof CARRIERS / sizeof CARRIERS[0]; i++) {
        if (has_prefix(a->bytes, CARRIERS[i].base, CARRIERS[i].prefix)) {
            *inner = (struct netaddr){.is_v6 = false};
            memcpy(inner->bytes, a->bytes + CARRIERS[i].v4_at, 4);
            return &CARRIERS[i];
        }
    }
    return NULL;
}

static bool is_allowed(const struct netaddr *a, const struct netblock *allow, size_t allow_count)
{
    for (size_t i = 0; i < allow_count; i++) {
        if (netblock_holds(&allow[i], a)) {
            return true;
        }
    }
    return false;
}

const char *netaddr_refusal(const struct netaddr *a, const struct netblock *allow,
                            size_t allow_count)
{
    struct netaddr inner;
    const struct carrier *carrier = carrier_of(a, &inner);
    if (is_allowed(a, allow, allow_count) || (carrier && is_allowed(&inner, allow, allow_count))) {
        return NULL;
    }
    const char *name = special_name(carrier ? &inner : a);
    return carrier && !name ? carrier->name : name;
}
