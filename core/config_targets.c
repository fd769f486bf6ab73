// The keys of targets: how much they bear, and how they are reached.
#include <stdlib.h>

#include "base/file.h"
#include "base/rate.h"
#include "config_keys.h"
#include "encode/url.h"
#include "wire/pem.h"

enum { TARGETS_MAX = 4096 };

// The rest of a message about a proxy's URL, which is not shown: there may be a password in it.
#define PROXY_WORDS "a proxy is http://HOST:PORT or https://HOST:PORT, without a path"

static const struct config_target none_said = {.in_flight = CONFIG_IN_FLIGHT_DEFAULT};

const struct config_target *config_target(const struct config *c, struct str target)
{
    for (size_t i = 0; i < c->target_count; i++)
        if (str_eq(c->targets[i].target, target))
            return &c->targets[i];
    return &none_said;
}

static struct config_target *add_target(struct config *c, struct str target)
{
    if (!c->targets)
        c->targets = arena_alloc(&c->arena, TARGETS_MAX * sizeof(*c->targets));
    if (!c->targets || c->target_count == TARGETS_MAX) {
        config_say(c, true, "targets: there are more than %d", TARGETS_MAX);
        return NULL;
    }
    c->targets[c->target_count] = none_said;
    c->targets[c->target_count].target = arena_dup(&c->arena, target);
    return &c->targets[c->target_count++];
}

// The target that the place names, however its URL is written; NULL: said why not.
static struct config_target *find_target(struct config *c, const struct config_place *at)
{
    struct config_target *found = NULL;
    struct buf target;
    struct url u;
    struct err why = {0};

    buf_init(&target, URL_TARGET_MAX);
    if (memchr(at->name.data, '@', at->name.len)) {
        config_say(c, true, "%s: a target has no user and no password", at->label);
    } else if (url_parse(at->name, &u, &why) != 0) {
        config_say(c, true, "%s: %s", at->label, why.text);
    } else if (u.path.len > 1) {
        config_say(c, true, "%s: a target is scheme, host and port, without a path", at->label);
    } else {
        url_target(&target, &u);
        found = (struct config_target *)config_target(c, buf_str(&target));
        if (found == &none_said)
            found = add_target(c, buf_str(&target));
    }
    buf_fini(&target);
    return found;
}

// The time between two.
static int parse_rate(struct str text, int64_t *interval_us)
{
    struct rate r;

    if (rate_parse(text, &r) != 0)
        return ERR_INVALID;
    *interval_us = r.per_ms * 1000 / r.count > 0 ? r.per_ms * 1000 / r.count : 1;
    return 0;
}

static void set_proxy(struct config *c, struct config_target *t, const struct config_place *at,
                      struct str text)
{
    if (at->is_secret && !secrets_is_name(text))
        config_say(c, true, "%s: a secret's name is capital letters, digits and '_'", at->label);
    else if (!at->is_secret && memchr(text.data, '@', text.len))
        config_say(
            c, true,
            "%s: a user and a password do not belong into this file: put the whole URL into "
            "a secret, `hookline secrets set PROXY`, and write proxy = hook.secret \"PROXY\"",
            at->label);
    else if (!at->is_secret && client_proxy_check(text, NULL) != 0)
        config_say(c, true, "%s: " PROXY_WORDS, at->label);
    else
        t->proxy = arena_dup(&c->arena, text);
    t->proxy_is_secret = at->is_secret;
}

void config_targets_set(struct config *c, const struct config_key *k, const struct config_place *at,
                        struct str text)
{
    struct config_target *t = find_target(c, at);
    void *member = t ? (char *)t + k->offset : NULL;
    int64_t n;

    if (!t)
        return;
    if (k->kind == CONFIG_TARGET_COUNT) {
        if (config_key_amount(c, k, at, text, &n))
            *(int64_t *)member = n;
    } else if (k->kind == CONFIG_TARGET_PATH) {
        const char *path = config_key_path(c, at, text);

        if (path)
            *(const char **)member = path;
    } else if (k->kind == CONFIG_TARGET_PROXY) {
        set_proxy(c, t, at, text);
    } else {
        if (parse_rate(text, member) != 0)
            config_say(c, true,
                       "%s: wants a number a second, a minute or an hour, such as \"20/s\", "
                       "\"300/m\" or \"1000/h\", not '" STR_FMT "'",
                       at->label, STR_ARG(config_shown(text)));
    }
}

void config_targets_check(struct config *c)
{
    for (size_t i = 0; i < c->target_count; i++) {
        const struct config_target *t = &c->targets[i];
        bool is_tls = str_starts_with(t->target, STR("https://"));

        if (!t->cert != !t->key)
            config_say(
                c, true,
                "%s: targets[\"" STR_FMT "\"].%s: is given without %s: a client certificate is "
                "cert = \"FILE\" and key = \"FILE\" (one file may hold both)",
                c->file, STR_ARG(t->target), t->cert ? "cert" : "key", t->cert ? "key" : "cert");
        if (!is_tls && (t->ca || t->cert || t->key))
            config_say(c, true,
                       "%s: targets[\"" STR_FMT
                       "\"]: ca, cert and key are for https:// targets: this one "
                       "is reached without TLS",
                       c->file, STR_ARG(t->target));
    }
}

void config_curl_target(void *config, struct str target, struct curl_command_target *out)
{
    const struct config_target *t = config_target(config, target);

    *out = (struct curl_command_target){.ca = t->ca,
                                        .cert = t->cert,
                                        .key = t->key,
                                        .proxy = t->proxy,
                                        .proxy_is_secret = t->proxy_is_secret};
}

// --- what the files hold
// -------------------------------------------------------------------------------------

// The text of a key's file; the caller frees it. {NULL,0} where the key is not given.
static int read_pem(const char *path, int (*check)(struct str pem, struct err *e), struct str *out,
                    struct err *e)
{
    char *text;
    size_t len;
    int code;

    *out = (struct str){NULL, 0};
    if (!path)
        return 0;
    code = file_read(path, PEM_MAX_BYTES, &text, &len, e);
    if (code == 0) {
        *out = (struct str){text, len};
        code = check(*out, e);
        if (code != 0)
            err_context(e, "%s", path);
    }
    return code;
}

static int read_proxy(const struct config_target *t, struct secrets *secrets, struct str *out,
                      struct err *e)
{
    int code = 0;

    *out = t->proxy;
    if (t->proxy_is_secret) {
        code = secrets_get(secrets, t->proxy, out, e);
        if (code == 0 && client_proxy_check(*out, NULL) != 0)
            code = err_set(e, ERR_INVALID,
                           "the secret " STR_FMT ": " PROXY_WORDS
                           ", perhaps with USER:PASSWORD@ before the host (in them an @ is %%40, "
                           "a %% is %%25)",
                           STR_ARG(t->proxy));
    }
    return code;
}

// e says which key it was.
static int read_target(const struct config_target *t, struct secrets *secrets,
                       struct client_target *out, struct err *e)
{
    const char *key = "ca";
    int code = read_pem(t->ca, pem_check_certificates, &out->ca, e);

    out->target = t->target;
    if (code == 0) {
        key = "cert";
        code = read_pem(t->cert, pem_check_certificates, &out->cert, e);
    }
    if (code == 0) {
        key = "key";
        code = read_pem(t->key, pem_check_key, &out->key, e);
    }
    if (code == 0 && t->key) {
        code = pem_check_pair(out->cert, out->key, e);
        if (code != 0)
            err_context(e, "%s and %s", t->key, t->cert);
    }
    if (code == 0) {
        key = "proxy";
        code = read_proxy(t, secrets, &out->proxy, e);
    }
    return code == 0 ? 0 : err_context(e, "targets[\"" STR_FMT "\"].%s", STR_ARG(t->target), key);
}

static void free_texts(struct client_target *t)
{
    if (t->key.data)
        explicit_bzero((char *)t->key.data, t->key.len);
    free((char *)t->ca.data);
    free((char *)t->cert.data);
    free((char *)t->key.data);
}

int config_give_targets(const struct config *c, struct secrets *secrets, struct client *client,
                        struct err *e)
{
    struct client_target *list = calloc(c->target_count + 1, sizeof(*list));
    size_t count = 0;
    int code = list ? 0 : err_set(e, ERR_NOMEM, "out of memory");

    for (size_t i = 0; code == 0 && i < c->target_count; i++) {
        const struct config_target *t = &c->targets[i];

        if (t->ca || t->cert || t->proxy.len)
            code = read_target(t, secrets, &list[count++], e);
    }
    if (code == 0 && client_set_targets(client, list, count) != 0)
        code = err_set(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < count; i++)
        free_texts(&list[i]);
    free(list);
    return code;
}
