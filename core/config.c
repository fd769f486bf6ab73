#include "config.h"

#include <stdio.h>
#include <unistd.h>

#include "base/nearest.h"
#include "config_keys.h"
#include "encode/url.h"

enum { CONFIG_ARENA_MAX_BYTES = 32 * 1024 * 1024, ENVIRONMENT_NAME_MAX = 128 };

static const char default_file[] = "hookline.conf.lua";

static void set_defaults(struct config *c)
{
    memset(c, 0, sizeof(*c));
    arena_init(&c->arena, CONFIG_ARENA_MAX_BYTES);
    c->rules_dir = "rules";
    c->data_dir = "data";
    c->listen[0] = "127.0.0.1:8080";
    c->listen_count = 1;
    c->socket_mode = 0660;
    c->log_level = LOG_INFO;
    c->limits = (struct config_limits){
        .body_bytes = INT64_C(8) << 20,
        .events = 10000,
        .depth = 64,
        .owed = 5000000,
        .free_disk_bytes = INT64_C(1) << 30,
        .connections = 512,
    };
    c->retention = (struct config_retention){
        .payloads_ms = 30 * CONFIG_DAY_MS,
        .attempts_ms = 30 * CONFIG_DAY_MS,
        .ids_ms = 30 * CONFIG_DAY_MS,
        .audit_ms = 365 * CONFIG_DAY_MS,
    };
}

// The value of an environment variable; NULL where it is missing or empty.
static const char *environment_get(char *const *environment, const char *name)
{
    size_t len = strlen(name);

    for (char *const *p = environment; p && *p; p++)
        if (strncmp(*p, name, len) == 0 && (*p)[len] == '=')
            return (*p)[len + 1] ? *p + len + 1 : NULL;
    return NULL;
}

static const struct config_key *key_by_environment(struct str name)
{
    for (const struct config_key *k = config_keys; k->pattern || k->environment; k++)
        if (k->environment && str_eq(name, str_from(k->environment)))
            return k;
    return NULL;
}

// A name that is nearly a known one is a slip; any other is none of our business (Kubernetes makes
// HOOKLINE_PORT and its like for a service of that name).
static void warn_of_slip(struct config *c, struct str name)
{
    const size_t skip = strlen("HOOKLINE_"); // or all names would be near one another
    struct nearest near;

    nearest_init(&near, (struct str){name.data + skip, name.len - skip});
    for (const struct config_key *k = config_keys; k->pattern || k->environment; k++)
        if (k->environment)
            nearest_offer(&near, str_from(k->environment + skip));
    if (near.name.data)
        config_say(c, false,
                   STR_FMT ": there is no such environment variable; did you mean HOOKLINE_" STR_FMT
                           "?",
                   STR_ARG(name), STR_ARG(near.name));
}

static void read_environment(struct config *c, char *const *environment)
{
    static const struct str prefix = STR("HOOKLINE_");
    static const struct str var = STR("HOOKLINE_VAR_");
    static const struct str secret = STR("HOOKLINE_SECRET_");

    for (char *const *p = environment; p && *p; p++) {
        const char *equals = strchr(*p, '=');
        struct str name = {*p, equals ? (size_t)(equals - *p) : 0};
        struct str value;
        const struct config_key *k;

        if (!equals || !str_starts_with(name, prefix) || str_starts_with(name, secret))
            continue;
        value = str_from(equals + 1);
        if (str_starts_with(name, var)) {
            struct config_place at = {
                .source = CONFIG_FROM_ENVIRONMENT,
                .label = arena_dup(&c->arena, name).data,
                .name = {name.data + var.len, name.len - var.len},
            };

            if (at.label)
                config_add_var(c, &at, value);
            continue;
        }
        k = key_by_environment(name);
        if (!k) {
            warn_of_slip(c, name);
        } else if (value.len) {
            struct config_place at = {.source = CONFIG_FROM_ENVIRONMENT, .label = k->environment};

            config_key_set(c, k, &at, value);
        }
    }
}

static void set_flag(struct config *c, const char *flag, const char *value)
{
    struct config_place at = {.source = CONFIG_FROM_FLAG, .label = flag};

    if (!value)
        return;
    for (const struct config_key *k = config_keys; k->pattern || k->environment; k++)
        if (k->flag && strcmp(k->flag, flag) == 0)
            config_key_set(c, k, &at, str_from(value));
}

static const char *keep(struct config *c, const char *text)
{
    return text ? arena_dup(&c->arena, str_from(text)).data : NULL;
}

static void read_flags(struct config *c, const struct config_flags *flags)
{
    set_flag(c, "--rules", flags->rules_dir);
    set_flag(c, "--data", flags->data_dir);
    set_flag(c, "--lua", flags->library_dir);
    for (size_t i = 0; i < flags->listen_count; i++)
        set_flag(c, "--listen", flags->listen[i]);
    set_flag(c, "--socket-mode", flags->socket_mode);
    set_flag(c, "--tls-cert", flags->tls_cert);
    set_flag(c, "--tls-key", flags->tls_key);
    set_flag(c, "--redirect-all", flags->redirect_all);
    for (size_t i = 0; i < flags->allow_count; i++)
        set_flag(c, "--allow-target", flags->allow[i]);
    c->test_clock = keep(c, flags->test_clock);
    c->crash_at = keep(c, flags->crash_at);
    c->no_watch = flags->no_watch;
}

int config_load(struct config *c, const struct config_flags *flags, char *const *environment,
                struct err *e)
{
    const char *file = flags->config_file;

    set_defaults(c);
    if (!file)
        file = environment_get(environment, "HOOKLINE_CONFIG");
    if (!file && access(default_file, F_OK) == 0)
        file = default_file;
    if (file) {
        c->file = keep(c, file);
        config_read_file(c, file);
    }
    read_environment(c, environment);
    read_flags(c, flags);
    config_listen_check(c);
    config_targets_check(c);
    config_mail_check(c);
    for (size_t i = 0; i < c->message_count; i++)
        if (c->messages[i].is_error)
            return err_set(e, ERR_INVALID, "%s", c->messages[i].text);
    return 0;
}

void config_fini(struct config *c)
{
    arena_fini(&c->arena);
}

void config_open_log(const struct config *c, struct log *log, struct clock *clock)
{
    log_init(log, STDERR_FILENO, clock);
    log->least = c->log_level;
    if (c->log_format_is_set)
        log->format = c->log_format;
    for (size_t i = 0; i < c->message_count; i++)
        log_warn(log, "%s", c->messages[i].text);
}

struct rules_config config_rules(const struct config *c)
{
    return (struct rules_config){
        .library_dir = c->library_dir,
        .rules_dir = c->rules_dir,
        .limits = {.steps = c->limits.step_budget,
                   .memory_bytes = (size_t)c->limits.memory_bytes,
                   .output_bytes = (size_t)c->limits.output_bytes},
        .allow = c->allow,
        .allow_count = c->allow_count,
        .var = config_var,
        .ctx = (void *)c,
    };
}

bool config_redirect_block(const struct config *c, struct netblock *out)
{
    struct url u;

    netblock_parse(STR("::/128"), out, NULL);
    if (!c->redirect_all || url_parse(str_from(c->redirect_all), &u, NULL) != 0)
        return false;
    if (url_address(&u, &out->base)) {
        out->prefix = out->base.is_v6 ? 128 : 32;
        return true;
    }
    return str_eq_nocase(u.host, STR("localhost")) &&
           netblock_parse(STR("127.0.0.0/8"), out, NULL) == 0;
}
