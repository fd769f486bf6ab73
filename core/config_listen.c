// Where the host listens, and the certificate that it shows there.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "config_keys.h"
#include "wire/pem.h"

enum { CWD_MAX = 4096 };

static const struct str http = STR("http://"), https = STR("https://"), unix_prefix = STR("unix:");

static struct str behind(struct str text, struct str prefix)
{
    return str_starts_with(text, prefix)
               ? (struct str){text.data + prefix.len, text.len - prefix.len}
               : text;
}

int config_check_listen(struct str text, struct err *e)
{
    struct str host, port = {0};
    struct netaddr address;
    int64_t n;

    if (str_starts_with(text, unix_prefix))
        return text.len > unix_prefix.len
                   ? 0
                   : err_set(e, ERR_INVALID, "a path is missing after unix:");
    if (!str_eq(config_shown(text), text))
        return err_set(e, ERR_INVALID,
                       "an address to listen on has no user and no password: write ADDR:PORT");
    text = behind(behind(text, https), http);
    host = text;
    for (size_t i = text.len; i > 0; i--)
        if (text.data[i - 1] == ':') {
            host.len = i - 1;
            port = (struct str){text.data + i, text.len - i};
            break;
        }
    if (!port.len || str_to_int64(port, &n) != 0 || n < 0 || n > 65535)
        return err_set(e, ERR_INVALID,
                       "'" STR_FMT "' is no address to listen on: write ADDR:PORT, such as "
                       "127.0.0.1:8080 (port 0 takes a free one), or unix:PATH",
                       STR_ARG(text));
    if (host.len >= 2 && host.data[0] == '[' && host.data[host.len - 1] == ']')
        host = (struct str){host.data + 1, host.len - 2};
    else if (memchr(host.data, ':', host.len))
        return err_set(e, ERR_INVALID, "an IPv6 address goes in brackets: [" STR_FMT "]:" STR_FMT,
                       STR_ARG(host), STR_ARG(port));
    if (host.len && netaddr_parse(host, &address) != 0)
        return err_set(e, ERR_INVALID,
                       "'" STR_FMT "' is no IP address to listen on (not a name): write "
                       "127.0.0.1:" STR_FMT " or [::1]:" STR_FMT,
                       STR_ARG(host), STR_ARG(port), STR_ARG(port));
    return 0;
}

// DATA/address names the socket for commands that are called elsewhere.
static const char *absolute(struct config *c, const struct config_place *at, struct str text)
{
    char cwd[CWD_MAX];
    struct config_place from = *at;
    const char *path;
    char *joined;

    if (!str_starts_with(text, unix_prefix))
        return arena_dup(&c->arena, text).data;
    text = behind(text, unix_prefix);
    if (!from.folder && getcwd(cwd, sizeof(cwd)))
        from.folder = cwd;
    path = config_key_path(c, &from, text);
    joined = path ? arena_alloc(&c->arena, unix_prefix.len + strlen(path) + 1) : NULL;
    if (joined)
        sprintf(joined, "unix:%s", path);
    return joined;
}

static void add_listen(struct config *c, const struct config_place *at, struct str text)
{
    struct err why = {0};

    if (config_check_listen(text, &why) != 0) {
        config_say(c, true, "%s: %s", at->label, why.text);
        return;
    }
    // What wins gives the whole list.
    if (!c->listen_from || strcmp(c->listen_from, at->label) != 0) {
        c->listen_from = arena_dup(&c->arena, str_from(at->label)).data;
        c->listen_count = 0;
    }
    if (c->listen_count == HTTPD_LISTENERS_MAX) {
        config_say(c, true, "%s: more than %d addresses are given", at->label, HTTPD_LISTENERS_MAX);
        return;
    }
    c->listen[c->listen_count] = absolute(c, at, text);
    if (c->listen[c->listen_count])
        c->listen_count++;
}

static void set_mode(struct config *c, const struct config_place *at, struct str text)
{
    unsigned mode = 0;

    for (size_t i = 0; i < text.len && mode <= 0777; i++) {
        unsigned digit = (unsigned)(text.data[i] - '0');

        mode = digit < 8 ? mode * 8 + digit : 01000;
    }
    if (mode == 0 || mode > 0777)
        config_say(c, true,
                   "%s: wants the rights of a socket's file in octal, such as \"0660\" (the host's "
                   "user and group) or \"0666\" (everybody), not '" STR_FMT "'",
                   at->label, STR_ARG(config_shown(text)));
    else
        c->socket_mode = mode;
}

void config_listen_set(struct config *c, const struct config_key *k, const struct config_place *at,
                       struct str text)
{
    if (k->kind == CONFIG_MODE) {
        set_mode(c, at, text);
        return;
    }
    struct str one;
    bool is_empty = true;

    for (; str_next_item(&text, &one); is_empty = false)
        add_listen(c, at, one);
    if (is_empty)
        config_say(c, true, "%s: is empty", at->label);
}

void config_listen_check(struct config *c)
{
    if (!c->tls_cert != !c->tls_key)
        config_say(c, true,
                   "%s: is given without tls.%s: TLS takes tls = { cert = \"FILE\", key = \"FILE\" "
                   "} (one file may hold both)",
                   config_where(c, c->tls_cert ? "tls.cert" : "tls.key"),
                   c->tls_cert ? "key" : "cert");
    for (size_t i = 0; i < c->listen_count; i++)
        if (str_starts_with(str_from(c->listen[i]), https) && !c->tls_cert)
            config_say(c, true,
                       "%s: %s wants a certificate: tls = { cert = \"FILE\", key = \"FILE\" }",
                       c->listen_from, c->listen[i]);
}

size_t config_listens(const struct config *c, struct httpd_listen out[HTTPD_LISTENERS_MAX])
{
    for (size_t i = 0; i < c->listen_count; i++) {
        struct str text = str_from(c->listen[i]);
        bool is_plain = str_starts_with(text, http) || str_starts_with(text, unix_prefix);

        out[i] = (struct httpd_listen){.address = behind(behind(text, https), http).data,
                                       .mode = c->socket_mode,
                                       .is_tls = c->tls_cert && !is_plain};
    }
    return c->listen_count;
}

bool config_socket_is_tls(const struct config *c, int fd, const char *name)
{
    int family = 0;
    socklen_t len = sizeof(family);

    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len);
    return c->tls_cert && family != AF_UNIX && strcmp(name, "http") != 0;
}

// A key that everybody may read is no secret: said, and not refused, since it works.
static void warn_of_rights(const char *path, const struct log *log)
{
    struct stat st;

    if (stat(path, &st) == 0 && (st.st_mode & S_IROTH))
        log_warn(log, "tls.key: everybody on this machine can read %s: chmod 600 %s", path, path);
}

int config_give_tls(const struct config *c, struct tls_server *tls, const struct log *log,
                    struct err *e)
{
    char *cert = NULL, *key = NULL;
    size_t cert_len = 0, key_len = 0;
    int code;

    if (!c->tls_cert)
        return 0;
    code = file_read(c->tls_cert, PEM_MAX_BYTES, &cert, &cert_len, e);
    if (code) {
        err_context(e, "tls.cert");
        goto out;
    }
    code = file_read(c->tls_key, PEM_MAX_BYTES, &key, &key_len, e);
    if (code) {
        err_context(e, "tls.key");
        goto out;
    }
    warn_of_rights(c->tls_key, log);
    code = tls_server_set(tls, (struct str){cert, cert_len}, (struct str){key, key_len}, e);
    if (code)
        err_context(e, "tls: %s and %s", c->tls_cert, c->tls_key);
out:
    if (key)
        explicit_bzero(key, key_len);
    free(cert);
    free(key);
    return code;
}
