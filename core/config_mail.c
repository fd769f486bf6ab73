// The keys of mail: a server, who sends, who is told.
#include "config_keys.h"
#include "deliver/notices.h"
#include "deliver/secrets.h"
#include "encode/mail.h"

enum { ADMINS_MAX = 50 };

// "HOST", "HOST:PORT", "[ADDRESS]:PORT"
static bool is_host_and_port(struct str text)
{
    const char *bracket = text.len ? memchr(text.data, ']', text.len) : NULL;
    bool is_v6 = text.len && text.data[0] == '[';
    size_t host_len = 0;
    int64_t port = 25;

    if (is_v6) {
        struct netaddr address;

        host_len = bracket ? (size_t)(bracket - text.data) + 1 : 0;
        if (host_len < 3 || netaddr_parse((struct str){text.data + 1, host_len - 2}, &address) != 0)
            return false;
    }
    for (; !is_v6 && host_len < text.len && text.data[host_len] != ':'; host_len++) {
        char ch = text.data[host_len];
        bool is_letter = (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z');

        if (!is_letter && !(ch >= '0' && ch <= '9') && ch != '-' && ch != '.' && ch != '_')
            return false;
    }
    if (host_len < text.len) {
        struct str digits = {text.data + host_len + 1, text.len - host_len - 1};

        if (text.data[host_len] != ':' || str_to_int64(digits, &port) != 0)
            return false;
    }
    return host_len > 0 && port > 0 && port < 65536;
}

static struct str without_scheme(struct str text, struct str scheme)
{
    return str_starts_with(text, scheme)
               ? (struct str){text.data + scheme.len, text.len - scheme.len}
               : (struct str){NULL, 0};
}

static const char *keep(struct config *c, struct str text)
{
    struct str copy = arena_dup(&c->arena, text);

    if (!copy.data)
        config_say(c, true, "the configuration takes too much memory");
    return copy.data;
}

static void set_server(struct config *c, const struct config_place *at, struct str text)
{
    if (is_host_and_port(without_scheme(text, STR("smtp://"))) ||
        is_host_and_port(without_scheme(text, STR("smtps://"))))
        c->mail.server = keep(c, text);
    else
        config_say(c, true,
                   "%s: wants \"smtp://HOST:PORT\", or smtps:// for TLS from the first byte; "
                   "user and password have keys of their own",
                   at->label);
}

static void set_from(struct config *c, const struct config_place *at, struct str text)
{
    struct str name, address;
    struct err why = {0};

    if (mail_address_parse(config_shown(text), &name, &address, &why) != 0)
        config_say(c, true, "%s: %s", at->label, why.text);
    else
        c->mail.from = keep(c, text);
}

static void add_admin(struct config *c, const struct config_place *at, struct str text)
{
    struct str *admins = (struct str *)c->mail.admins;

    if (!admins)
        c->mail.admins = admins = arena_alloc(&c->arena, ADMINS_MAX * sizeof(*admins));
    if (!mail_address_is_valid(text))
        config_say(c, true, "%s: '" STR_FMT "' is no mail address, such as \"admin@example.com\"",
                   at->label, STR_ARG(config_shown(text)));
    else if (!admins || c->mail.admin_count == ADMINS_MAX)
        config_say(c, true, "%s: there are more than %d", at->label, ADMINS_MAX);
    else
        admins[c->mail.admin_count++] = arena_dup(&c->arena, text);
}

static void set_tls(struct config *c, const struct config_place *at, struct str text)
{
    c->mail.tls_is_set = true;
    if (str_eq(text, STR("required")))
        c->mail.tls = SMTP_TLS_REQUIRED;
    else if (str_eq(text, STR("opportunistic")))
        c->mail.tls = SMTP_TLS_OPPORTUNISTIC;
    else if (str_eq(text, STR("none")))
        c->mail.tls = SMTP_TLS_NONE;
    else
        config_say(c, true, "%s: wants required, opportunistic or none, not '" STR_FMT "'",
                   at->label, STR_ARG(config_shown(text)));
}

void config_mail_set(struct config *c, const struct config_key *k, const struct config_place *at,
                     struct str text)
{
    if (memchr(text.data, '\0', text.len))
        config_say(c, true, "%s: has a NUL in it", at->label);
    else if (k->kind == CONFIG_MAIL_SERVER)
        set_server(c, at, text);
    else if (k->kind == CONFIG_MAIL_FROM)
        set_from(c, at, text);
    else if (k->kind == CONFIG_MAIL_ADMIN)
        add_admin(c, at, text);
    else if (k->kind == CONFIG_MAIL_TLS)
        set_tls(c, at, text);
    else if (!secrets_is_name(text))
        config_say(c, true, "%s: a secret's name is capital letters, digits and '_'", at->label);
    else
        c->mail.password = arena_dup(&c->arena, text);
}

void config_mail_check(struct config *c)
{
    const struct config_mail *m = &c->mail;
    bool is_tls_url = m->server && strncmp(m->server, "smtps:", 6) == 0;

    for (size_t i = 0; i < c->message_count; i++)
        if (c->messages[i].is_error)
            return; // it may be what seems to be missing
    if (!m->server && !m->from && !m->admin_count && !m->user && !m->password.len && !m->tls_is_set)
        return;
    if (!m->server || !m->from || !m->admin_count)
        config_say(c, true,
                   "%s: mail: wants server, from and admins: mail = { server = "
                   "\"smtp://HOST:25\", from = \"hookline@example.com\", admins = { "
                   "\"admin@example.com\" } }",
                   c->file);
    if (!m->user != !m->password.len)
        config_say(c, true, "%s: mail: user and password go together, or there is no login",
                   c->file);
    if (is_tls_url && m->tls_is_set && m->tls != SMTP_TLS_REQUIRED)
        config_say(c, true,
                   "%s: mail.tls: a server at smtps:// has TLS from the first byte: leave it "
                   "out, or write smtp://",
                   c->file);
    if (m->user && m->tls == SMTP_TLS_NONE)
        config_say(c, false,
                   "%s: mail.tls: with \"none\" the password goes to the server in the clear",
                   c->file);
}

void config_notices(const struct config *c, struct notices_config *out)
{
    const struct config_mail *m = &c->mail;

    out->server = m->server;
    out->tls = m->tls;
    out->from = m->from;
    out->admins = m->admins;
    out->admin_count = m->admin_count;
    out->user = m->user;
    out->password = m->password;
}
