#include "encode/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>

enum {
    HOST_MAX = 253, // RFC 1035, as text
    LABEL_MAX = 63,
    PORT_MAX = 65535,
    HTTP_PORT = 80,
    HTTPS_PORT = 443
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static struct str slice(struct str s, size_t from, size_t to)
{
    return (struct str){s.data + from, to - from};
}

// The place of the first of `chars` in s, or s.len.
static size_t find_any(struct str s, const char *chars)
{
    size_t i = 0;
    while (i < s.len && (s.data[i] == '\0' || !strchr(chars, s.data[i]))) {
        i++;
    }
    return i;
}

static int check_bytes(struct str text, struct err *e)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == ' ') {
            return err_set(e, ERR_INVALID, "the URL has a space at byte %zu; write it as %%20", i);
        }
        if (c < 0x20 || c == 0x7F) {
            return err_set(e, ERR_INVALID,
                           "the URL has a control character (0x%02x) at byte %zu; leave it out", c,
                           i);
        }
        if (c >= 0x80) {
            return err_set(e, ERR_INVALID,
                           "the URL has a character that is not ASCII at byte %zu; percent-encode "
                           "it (in a host name write the xn-- form)",
                           i);
        }
        if (c == '\\') {
            return err_set(e, ERR_INVALID, "the URL has a backslash at byte %zu; write / or %%5C",
                           i);
        }
        if (c == '#') {
            return err_set(e, ERR_INVALID,
                           "the URL has a fragment (#) at byte %zu, which is never sent; leave it "
                           "out, or write %%23 where a # is meant",
                           i);
        }
    }
    return 0;
}

// Takes "http://" or "https://" off the front of *rest.
static int parse_scheme(struct str *rest, struct url *out, struct err *e)
{
    size_t colon = find_any(*rest, ":/?");
    struct str scheme = slice(*rest, 0, colon);
    bool is_https = str_eq_nocase(scheme, STR("https"));
    bool is_known = is_https || str_eq_nocase(scheme, STR("http"));
    // "host:80" has none; "http:127.0.0.1" has, and lacks the slashes.
    bool has_scheme = colon < rest->len && rest->data[colon] == ':' &&
                      (is_known || colon + 1 == rest->len || !is_digit(rest->data[colon + 1]));
    if (!has_scheme) {
        // What stands in the query may be a secret.
        return err_set(e, ERR_INVALID, "the URL has no scheme; write https://" STR_FMT,
                       (int)find_any(*rest, "?"), rest->data);
    }
    out->is_https = is_https;
    if (!is_known) {
        return err_set(e, ERR_INVALID,
                       "the URL's scheme is \"" STR_FMT "\"; only https:// and http:// are sent to",
                       STR_ARG(scheme));
    }
    *rest = slice(*rest, colon + 1, rest->len);
    if (!str_starts_with(*rest, STR("//"))) {
        return err_set(e, ERR_INVALID, "two slashes must follow the URL's scheme; write %s://host/",
                       out->is_https ? "https" : "http");
    }
    *rest = slice(*rest, 2, rest->len);
    return 0;
}

// A last label that is a number makes the host an IPv4 address for some readers (the URL standard's
// "ends in a number"): decimal, or hexadecimal with 0x.
static bool ends_in_number(struct str host)
{
    size_t start = host.len;
    while (start > 0 && host.data[start - 1] != '.') {
        start--;
    }
    struct str label = slice(host, start, host.len);
    bool is_hex = label.len >= 2 && label.data[0] == '0' && (label.data[1] | 0x20) == 'x';
    for (size_t i = is_hex ? 2 : 0; i < label.len; i++) {
        char lower = (char)(label.data[i] | 0x20);
        if (!is_digit(label.data[i]) && !(is_hex && lower >= 'a' && lower <= 'f')) {
            return false;
        }
    }
    return label.len > 0;
}

// host: without a trailing dot, ends in a number.
static int check_ipv4(struct str host, bool has_dot, struct err *e)
{
    struct netaddr address;
    if (netaddr_parse(host, &address) == 0 && !has_dot) {
        return 0;
    }
    char text[HOST_MAX + 1];
    memcpy(text, host.data, host.len);
    text[host.len] = '\0';
    struct in_addr meant;
    if (!inet_aton(text, &meant)) {
        return err_set(e, ERR_INVALID,
                       "the URL's host \"" STR_FMT "\" ends in a number but is no IPv4 address; "
                       "write a name, or four decimal numbers from 0 to 255",
                       STR_ARG(host));
    }
    char plain[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &meant, plain, sizeof plain);
    return err_set(e, ERR_INVALID,
                   "the URL's host \"" STR_FMT
                   "%s\" is another spelling of an IPv4 address; write %s",
                   STR_ARG(host), has_dot ? "." : "", plain);
}

static int check_labels(struct str host, struct err *e)
{
    size_t label = 0;
    for (size_t i = 0; i <= host.len; i++) {
        if (i < host.len && host.data[i] != '.') {
            char c = host.data[i];
            if (!is_letter(c) && !is_digit(c) && c != '-' && c != '_') {
                return err_set(e, ERR_INVALID,
                               "the URL's host has \"%c\" in it; a host name is of letters, "
                               "digits, '-', '_' and '.'",
                               c);
            }
            continue;
        }
        if (i == label) {
            return err_set(e, ERR_INVALID,
                           "the URL's host \"" STR_FMT "\" has an empty part; write one dot "
                           "between two names",
                           STR_ARG(host));
        }
        if (i - label > LABEL_MAX) {
            return err_set(e, ERR_INVALID, "a part of the URL's host is longer than %d characters",
                           LABEL_MAX);
        }
        label = i + 1;
    }
    return 0;
}

static int parse_host(struct str host, struct url *out, struct err *e)
{
    if (host.len == 0) {
        return err_set(e, ERR_INVALID, "the URL has no host; write %s://host/",
                       out->is_https ? "https" : "http");
    }
    out->host = host;
    bool has_dot = host.data[host.len - 1] == '.';
    struct str name = slice(host, 0, host.len - (has_dot ? 1 : 0));
    if (name.len > HOST_MAX) {
        return err_set(e, ERR_INVALID, "the URL's host is longer than %d characters", HOST_MAX);
    }
    int rc = check_labels(name, e);
    if (rc != 0) {
        return rc;
    }
    return ends_in_number(name) ? check_ipv4(name, has_dot, e) : 0;
}

// *authority begins with '['; the bracketed address is taken off its front.
static int parse_ipv6(struct str *authority, struct url *out, struct err *e)
{
    size_t close = find_any(*authority, "]");
    if (close == authority->len) {
        return err_set(e, ERR_INVALID, "the URL's IPv6 address has no closing bracket");
    }
    struct str text = slice(*authority, 1, close);
    size_t zone = find_any(text, "%");
    if (zone < text.len) {
        return err_set(e, ERR_INVALID,
                       "the URL's IPv6 address has a zone (%%...), which means something on one "
                       "machine only; write [" STR_FMT "]",
                       (int)zone, text.data);
    }
    struct netaddr address;
    if (netaddr_parse(text, &address) != 0 || !address.is_v6) {
        return err_set(e, ERR_INVALID, "\"" STR_FMT "\" in the URL's brackets is no IPv6 address",
                       STR_ARG(text));
    }
    out->host = text;
    out->host_is_v6 = true;
    *authority = slice(*authority, close + 1, authority->len);
    return 0;
}

// text: what follows the host, empty or from its ':'.
static int parse_port(struct str text, struct url *out, struct err *e)
{
    out->port = out->is_https ? HTTPS_PORT : HTTP_PORT;
    if (text.len == 0) {
        return 0;
    }
    struct str digits = slice(text, 1, text.len);
    int64_t port = 0;
    bool is_plain = text.data[0] == ':' && digits.len > 0 && is_digit(digits.data[0]) &&
                    digits.data[0] != '0' && str_to_int64(digits, &port) == 0;
    if (!is_plain || port > PORT_MAX) {
        return err_set(e, ERR_INVALID,
                       "\"" STR_FMT "\" is no port; write a number from 1 to 65535 behind one "
                       "colon, or no colon",
                       STR_ARG(text));
    }
    out->port = (unsigned)port;
    return 0;
}

static int parse_authority(struct str authority, struct url *out, struct err *e)
{
    if (find_any(authority, "@") < authority.len) {
        return err_set(e, ERR_INVALID,
                       "the URL has a user or password in front of an @; leave it out and give "
                       "the webhook's auth instead");
    }
    if (authority.len > 0 && authority.data[0] == '[') {
        int rc = parse_ipv6(&authority, out, e);
        return rc != 0 ? rc : parse_port(authority, out, e);
    }
    size_t colon = find_any(authority, ":");
    struct str port = slice(authority, colon, authority.len);
    if (port.len > 0 && find_any(slice(port, 1, port.len), ":") < port.len - 1) {
        return err_set(e, ERR_INVALID,
                       "the URL's host has more than one colon; an IPv6 address goes in brackets, "
                       "[" STR_FMT "]",
                       STR_ARG(authority));
    }
    int rc = parse_host(slice(authority, 0, colon), out, e);
    return rc != 0 ? rc : parse_port(port, out, e);
}

int url_parse(struct str text, struct url *out, struct err *e)
{
    *out = (struct url){.is_https = false};
    if (text.len == 0) {
        return err_set(e, ERR_INVALID, "the URL is empty; write https://host/path");
    }
    int rc = check_bytes(text, e);
    if (rc != 0) {
        return rc;
    }
    struct str rest = text;
    rc = parse_scheme(&rest, out, e);
    if (rc != 0) {
        return rc;
    }
    size_t path = find_any(rest, "/?");
    out->path = slice(rest, path, rest.len);
    return parse_authority(slice(rest, 0, path), out, e);
}

void url_target(struct buf *out, const struct url *u)
{
    buf_append_text(out, u->is_https ? "https://" : "http://");
    struct netaddr address;
    if (u->host_is_v6 && url_address(u, &address)) {
        char text[46]; // an address has many spellings, its target has one
        netaddr_format(text, &address);
        buf_printf(out, "[%s]", text);
    } else {
        bool has_dot = str_ends_with(u->host, STR("."));
        for (size_t i = 0; i < u->host.len - (has_dot ? 1 : 0); i++) {
            char c = u->host.data[i];
            buf_append_char(out, c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c);
        }
    }
    buf_printf(out, ":%u", u->port);
}

int url_target_of(struct buf *out, struct str text)
{
    struct url u;
    if (url_parse(text, &u, NULL) || u.path.len > 1) {
        return ERR_INVALID;
    }
    url_target(out, &u);
    return out->failed ? ERR_NOMEM : 0;
}

bool url_address(const struct url *u, struct netaddr *out)
{
    return netaddr_parse(u->host, out) == 0;
}
