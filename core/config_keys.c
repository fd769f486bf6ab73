#include "config_keys.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/duration.h"
#include "encode/head.h"
#include "encode/url.h"

enum { MESSAGES_MAX = 64, VARS_MAX = 1024, BLOCKS_MAX = 256 };

#define KIB INT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define TIB (GIB * 1024)

#define AT(member) offsetof(struct config, member)
#define OF_TARGET(member) offsetof(struct config_target, member)

const struct config_key config_keys[] = {
    {"listen", "HOOKLINE_LISTEN", "--listen", CONFIG_LISTEN_ADDRESS, 0, 0, 0},
    {"socket_mode", "HOOKLINE_SOCKET_MODE", "--socket-mode", CONFIG_MODE, 0, 0, 0},
    {"tls.cert", "HOOKLINE_TLS_CERT", "--tls-cert", CONFIG_PATH, AT(tls_cert), 0, 0},
    {"tls.key", "HOOKLINE_TLS_KEY", "--tls-key", CONFIG_PATH, AT(tls_key), 0, 0},
    {"data", "HOOKLINE_DATA", "--data", CONFIG_PATH, AT(data_dir), 0, 0},
    {"rules", "HOOKLINE_RULES", "--rules", CONFIG_PATH, AT(rules_dir), 0, 0},
    {"vars.*", NULL, NULL, CONFIG_VAR, 0, 0, 0},
    {"network.allow", "HOOKLINE_ALLOW_TARGET", "--allow-target", CONFIG_BLOCKS, 0, 0, 0},
    {"targets.*.in_flight", NULL, NULL, CONFIG_TARGET_COUNT, OF_TARGET(in_flight), 1, 1024},
    {"targets.*.rate", NULL, NULL, CONFIG_TARGET_RATE, OF_TARGET(interval_us), 0, 0},
    {"targets.*.ca", NULL, NULL, CONFIG_TARGET_PATH, OF_TARGET(ca), 0, 0},
    {"targets.*.cert", NULL, NULL, CONFIG_TARGET_PATH, OF_TARGET(cert), 0, 0},
    {"targets.*.key", NULL, NULL, CONFIG_TARGET_PATH, OF_TARGET(key), 0, 0},
    {"targets.*.proxy", NULL, NULL, CONFIG_TARGET_PROXY, OF_TARGET(proxy), 0, 0},
    {"limits.body", "HOOKLINE_LIMITS_BODY", NULL, CONFIG_BYTES, AT(limits.body_bytes), KIB,
     256 * MIB},
    {"limits.events", "HOOKLINE_LIMITS_EVENTS", NULL, CONFIG_COUNT, AT(limits.events), 1, 100000},
    {"limits.depth", "HOOKLINE_LIMITS_DEPTH", NULL, CONFIG_COUNT, AT(limits.depth), 4, 64},
    {"limits.owed", "HOOKLINE_LIMITS_OWED", NULL, CONFIG_COUNT, AT(limits.owed), 1,
     INT64_C(1000000000000)},
    {"limits.free_disk", "HOOKLINE_LIMITS_FREE_DISK", NULL, CONFIG_BYTES,
     AT(limits.free_disk_bytes), 0, 1024 * TIB},
    {"limits.step_budget", "HOOKLINE_LIMITS_STEP_BUDGET", NULL, CONFIG_COUNT,
     AT(limits.step_budget), 10000, 10000000},
    {"limits.memory", "HOOKLINE_LIMITS_MEMORY", NULL, CONFIG_BYTES, AT(limits.memory_bytes),
     64 * KIB, 4 * GIB},
    {"limits.output", "HOOKLINE_LIMITS_OUTPUT", NULL, CONFIG_BYTES, AT(limits.output_bytes), KIB,
     256 * MIB},
    {"limits.connections", "HOOKLINE_LIMITS_CONNECTIONS", NULL, CONFIG_COUNT,
     AT(limits.connections), 1, 65536},
    {"log.level", "HOOKLINE_LOG_LEVEL", NULL, CONFIG_LOG_LEVEL, 0, 0, 0},
    {"log.format", "HOOKLINE_LOG_FORMAT", NULL, CONFIG_LOG_FORMAT, 0, 0, 0},
    {NULL, "HOOKLINE_LUA", "--lua", CONFIG_PATH, AT(library_dir), 0, 0},
    {NULL, "HOOKLINE_REDIRECT_ALL", "--redirect-all", CONFIG_URL, AT(redirect_all), 0, 0},
    {NULL, "HOOKLINE_CONFIG", NULL, CONFIG_ELSEWHERE, 0, 0, 0},
    {NULL, "HOOKLINE_URL", NULL, CONFIG_ELSEWHERE, 0, 0, 0},
    {NULL, "HOOKLINE_TOKEN", NULL, CONFIG_TOKEN, 0, 0, 0},
    {NULL, "HOOKLINE_CA", NULL, CONFIG_ELSEWHERE, 0, 0, 0},
    {"mail.server", NULL, NULL, CONFIG_MAIL_SERVER, 0, 0, 0},
    {"mail.from", NULL, NULL, CONFIG_MAIL_FROM, 0, 0, 0},
    {"mail.admins", NULL, NULL, CONFIG_MAIL_ADMIN, 0, 0, 0},
    {"mail.tls", NULL, NULL, CONFIG_MAIL_TLS, 0, 0, 0},
    {"mail.user", NULL, NULL, CONFIG_TEXT, AT(mail.user), 0, 0},
    {"mail.password", NULL, NULL, CONFIG_MAIL_PASSWORD, 0, 0, 0},
    {"otlp.url", "HOOKLINE_OTLP_URL", NULL, CONFIG_URL, AT(otlp.url), 0, 0},
    {"otlp.headers.*", NULL, NULL, CONFIG_OTLP_HEADER, 0, 0, 0},
    {"retention.payloads", "HOOKLINE_RETENTION_PAYLOADS", NULL, CONFIG_AGE,
     AT(retention.payloads_ms), CONFIG_DAY_MS / 24, 36500 * CONFIG_DAY_MS},
    {"retention.attempts", "HOOKLINE_RETENTION_ATTEMPTS", NULL, CONFIG_AGE,
     AT(retention.attempts_ms), CONFIG_DAY_MS / 24, 36500 * CONFIG_DAY_MS},
    {"retention.ids", "HOOKLINE_RETENTION_IDS", NULL, CONFIG_AGE, AT(retention.ids_ms),
     30 * CONFIG_DAY_MS, 36500 * CONFIG_DAY_MS},
    {"retention.audit", "HOOKLINE_RETENTION_AUDIT", NULL, CONFIG_AGE, AT(retention.audit_ms),
     CONFIG_DAY_MS, 36500 * CONFIG_DAY_MS},
    {"retention.size", "HOOKLINE_RETENTION_SIZE", NULL, CONFIG_BYTES, AT(retention.size_bytes), MIB,
     1024 * TIB},
    {NULL, NULL, NULL, CONFIG_ELSEWHERE, 0, 0, 0},
};

void config_say(struct config *c, bool is_error, const char *format, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;
    struct str copy;

    if (!c->messages)
        c->messages = arena_alloc(&c->arena, MESSAGES_MAX * sizeof(*c->messages));
    if (!c->messages || c->message_count == MESSAGES_MAX)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    copy = arena_dup(&c->arena, str_from(text));
    c->messages[c->message_count++] =
        (struct config_message){is_error, copy.data ? copy.data : "out of memory"};
}

struct str config_shown(struct str text)
{
    const char *colon = text.len ? memchr(text.data, ':', text.len) : NULL;
    size_t left = colon ? text.len - (size_t)(colon - text.data) : 0;

    return left && memchr(colon, '@', left) ? STR("****") : text;
}

static const char *copy_text(struct config *c, struct str text)
{
    struct str copy = arena_dup(&c->arena, text);

    if (!copy.data)
        config_say(c, true, "the configuration takes too much memory");
    return copy.data;
}

// A whole number, or where units are allowed one with KiB, MiB, GiB or TiB behind it.
static int parse_amount(struct str text, bool has_units, int64_t *out)
{
    static const struct {
        struct str name;
        int64_t factor;
    } units[] = {{STR("KiB"), KIB}, {STR("MiB"), MIB}, {STR("GiB"), GIB}, {STR("TiB"), TIB}};
    int64_t factor = 1;

    for (size_t i = 0; has_units && i < sizeof(units) / sizeof(units[0]); i++)
        if (str_ends_with(text, units[i].name)) {
            text.len -= units[i].name.len;
            factor = units[i].factor;
            text = str_trim(text);
            break;
        }
    if (str_to_int64(text, out) != 0 || *out < 0 || *out > INT64_MAX / factor)
        return ERR_INVALID;
    *out *= factor;
    return 0;
}

bool config_key_amount(struct config *c, const struct config_key *k, const struct config_place *at,
                       struct str text, int64_t *out)
{
    bool has_units = k->kind == CONFIG_BYTES;
    char least[32], most[32];

    if (parse_amount(text, has_units, out) == 0 && *out >= k->least && *out <= k->most)
        return true;
    snprintf(least, sizeof(least), "%lld", (long long)k->least);
    snprintf(most, sizeof(most), "%lld", (long long)k->most);
    if (has_units) {
        config_bytes_format(least, k->least);
        config_bytes_format(most, k->most);
    }
    config_say(c, true, "%s: wants a whole number%s from %s to %s%s, not '" STR_FMT "'", at->label,
               has_units ? " of bytes" : "", least, most,
               has_units ? " (with a unit it is a text: \"8MiB\")" : "",
               STR_ARG(config_shown(text)));
    return false;
}

static void set_age(struct config *c, const struct config_key *k, const struct config_place *at,
                    struct str text)
{
    char least[24], most[24];
    int64_t ms;

    if (duration_parse(text, &ms) == 0 && ms >= k->least && ms <= k->most) {
        *(int64_t *)((char *)c + k->offset) = ms;
        return;
    }
    duration_format(least, k->least);
    duration_format(most, k->most);
    config_say(c, true, "%s: wants a duration from \"%s\" to \"%s\", not '" STR_FMT "'", at->label,
               least, most, STR_ARG(config_shown(text)));
}

const char *config_key_path(struct config *c, const struct config_place *at, struct str text)
{
    char *joined;
    size_t folder_len;

    if (memchr(text.data, '\0', text.len)) {
        config_say(c, true, "%s: a path has no NUL in it", at->label);
        return NULL;
    }
    // What cannot be opened is told with its path.
    if (memchr(text.data, '\n', text.len) || memmem(text.data, text.len, "://", 3)) {
        config_say(c, true, "%s: wants a path, not a URL or what is in the file", at->label);
        return NULL;
    }
    if (!at->folder || text.data[0] == '/')
        return copy_text(c, text);
    folder_len = strlen(at->folder);
    joined = arena_alloc(&c->arena, folder_len + 1 + text.len + 1);
    if (!joined) {
        config_say(c, true, "the configuration takes too much memory");
        return NULL;
    }
    memcpy(joined, at->folder, folder_len);
    joined[folder_len] = '/';
    memcpy(joined + folder_len + 1, text.data, text.len);
    joined[folder_len + 1 + text.len] = '\0';
    return joined;
}

static void set_path(struct config *c, const struct config_key *k, const struct config_place *at,
                     struct str text)
{
    const char *path = config_key_path(c, at, text);

    if (path)
        *(const char **)((char *)c + k->offset) = path;
}

static void add_block(struct config *c, const struct config_place *at, struct str text)
{
    struct err why = {0};

    if (!c->allow)
        c->allow = arena_alloc(&c->arena, BLOCKS_MAX * sizeof(*c->allow));
    if (!c->allow || c->allow_count == BLOCKS_MAX) {
        config_say(c, true, "%s: more than %d blocks are allowed", at->label, BLOCKS_MAX);
        return;
    }
    if (!str_eq(config_shown(text), text))
        config_say(c, true, "%s: wants an address or a block, not a URL", at->label);
    else if (netblock_parse(text, &c->allow[c->allow_count], &why) != 0)
        config_say(c, true, "%s: %s", at->label, why.text);
    else
        c->allow_count++;
}

static void add_blocks(struct config *c, const struct config_place *at, struct str text)
{
    struct str one;

    while (str_next_item(&text, &one))
        add_block(c, at, one);
}

bool config_is_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char ch = s.data[i];
        bool is_letter = (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') || ch == '_';

        if (!is_letter && !(i > 0 && ch >= '0' && ch <= '9'))
            return false;
    }
    return s.len > 0;
}

struct str config_var(void *ctx, struct str name)
{
    const struct config *c = ctx;

    for (size_t i = 0; i < c->var_count; i++)
        if (str_eq(c->vars[i].name, name))
            return c->vars[i].value;
    return (struct str){NULL, 0};
}

static const struct config_key *key_of_vars(void)
{
    const struct config_key *k = config_keys;

    while (k->kind != CONFIG_VAR)
        k++;
    return k;
}

void config_add_var(struct config *c, const struct config_place *at, struct str value)
{
    if (!c->vars)
        c->vars = arena_alloc(&c->arena, VARS_MAX * sizeof(*c->vars));
    if (config_var(c, at->name).data)
        return;
    if (!c->vars || c->var_count == VARS_MAX) {
        config_say(c, true, "vars: there are more than %d", VARS_MAX);
        return;
    }
    c->vars[c->var_count++] =
        (struct config_var){arena_dup(&c->arena, at->name), arena_dup(&c->arena, value)};
    config_note(c, key_of_vars(), at, value);
}

static void set_log_level(struct config *c, const struct config_place *at, struct str text)
{
    if (str_eq(text, STR("debug")))
        c->log_level = LOG_DEBUG;
    else if (str_eq(text, STR("info")))
        c->log_level = LOG_INFO;
    else if (str_eq(text, STR("warn")))
        c->log_level = LOG_WARN;
    else if (str_eq(text, STR("error")))
        c->log_level = LOG_ERROR;
    else
        config_say(c, true, "%s: wants debug, info, warn or error, not '" STR_FMT "'", at->label,
                   STR_ARG(config_shown(text)));
}

static void set_log_format(struct config *c, const struct config_place *at, struct str text)
{
    c->log_format_is_set = true;
    if (str_eq(text, STR("text")))
        c->log_format = LOG_TEXT;
    else if (str_eq(text, STR("json")))
        c->log_format = LOG_JSON;
    else
        config_say(c, true, "%s: wants text or json, not '" STR_FMT "'", at->label,
                   STR_ARG(config_shown(text)));
}

void config_note(struct config *c, const struct config_key *k, const struct config_place *at,
                 struct str text)
{
    struct config_origin *o = arena_alloc(&c->arena, sizeof(*o));
    bool is_hidden = k->kind == CONFIG_TOKEN || (k->kind == CONFIG_OTLP_HEADER && !at->is_secret);

    if (!o) {
        config_say(c, true, "the configuration takes too much memory");
        return;
    }
    *o = (struct config_origin){
        .key = k,
        .name = arena_dup(&c->arena, at->name),
        .text = arena_dup(&c->arena, is_hidden ? STR("****") : text),
        .source = at->source,
        .where = at->source == CONFIG_FROM_FILE ? c->file
                                                : arena_dup(&c->arena, str_from(at->label)).data,
        .is_secret = at->is_secret,
    };
    *(c->last_origin ? &c->last_origin->next : &c->origins) = o;
    c->last_origin = o;
}

const char *config_where(struct config *c, const char *pattern)
{
    const struct config_origin *last = NULL;
    struct buf text;
    const char *copy;

    for (const struct config_origin *o = c->origins; o; o = o->next)
        if (o->key->pattern && strcmp(o->key->pattern, pattern) == 0)
            last = o;
    if (last && last->source != CONFIG_FROM_FILE)
        return last->where;
    buf_init(&text, ERR_TEXT_MAX);
    buf_append_text(&text, c->file ? c->file : "");
    buf_append_text(&text, c->file ? ": " : "");
    buf_append_text(&text, pattern);
    copy = arena_dup(&c->arena, buf_str(&text)).data;
    buf_fini(&text);
    return copy ? copy : pattern;
}

static void add_otlp_header(struct config *c, const struct config_place *at, struct str text)
{
    struct spans_config *o = &c->otlp;
    struct err why = {0};

    if (o->header_count == SPANS_HEADERS_MAX)
        config_say(c, true, "%s: more than %d headers are allowed", at->label, SPANS_HEADERS_MAX);
    else if (at->is_secret && !secrets_is_name(text))
        config_say(c, true, "%s: a secret's name is capital letters, digits and '_'", at->label);
    else if (head_check_name(at->name, &why) != 0 ||
             (!at->is_secret && head_check_value(text, &why) != 0))
        config_say(c, true, "%s: %s", at->label, why.text);
    else
        o->headers[o->header_count++] = (struct spans_header){
            arena_dup(&c->arena, at->name), arena_dup(&c->arena, text), at->is_secret};
}

static void set_value(struct config *c, const struct config_key *k, const struct config_place *at,
                      struct str text)
{
    struct url u;
    int64_t n;

    switch (k->kind) {
    case CONFIG_TEXT:
        *(const char **)((char *)c + k->offset) = copy_text(c, text);
        break;
    case CONFIG_PATH:
        set_path(c, k, at, text);
        break;
    case CONFIG_LISTEN_ADDRESS:
    case CONFIG_MODE:
        config_listen_set(c, k, at, text);
        break;
    case CONFIG_URL:
        if (url_parse(text, &u, NULL) != 0)
            config_say(c, true,
                       "%s: wants a URL such as \"https://example.com/path\", without a user and a "
                       "password",
                       at->label);
        else
            *(const char **)((char *)c + k->offset) = copy_text(c, text);
        break;
    case CONFIG_COUNT:
    case CONFIG_BYTES:
        if (config_key_amount(c, k, at, text, &n))
            *(int64_t *)((char *)c + k->offset) = n;
        break;
    case CONFIG_AGE:
        set_age(c, k, at, text);
        break;
    case CONFIG_BLOCKS:
        add_blocks(c, at, text);
        break;
    case CONFIG_LOG_LEVEL:
        set_log_level(c, at, text);
        break;
    case CONFIG_LOG_FORMAT:
        set_log_format(c, at, text);
        break;
    case CONFIG_VAR:
        if (config_is_name(at->name))
            config_add_var(c, at, text);
        else
            config_say(c, true, "%s: a name has letters, digits and _, and no digit first",
                       at->label);
        break;
    case CONFIG_TARGET_COUNT:
    case CONFIG_TARGET_RATE:
    case CONFIG_TARGET_PATH:
    case CONFIG_TARGET_PROXY:
        config_targets_set(c, k, at, text);
        break;
    case CONFIG_MAIL_SERVER:
    case CONFIG_MAIL_FROM:
    case CONFIG_MAIL_ADMIN:
    case CONFIG_MAIL_TLS:
    case CONFIG_MAIL_PASSWORD:
        config_mail_set(c, k, at, text);
        break;
    case CONFIG_OTLP_HEADER:
        add_otlp_header(c, at, text);
        break;
    case CONFIG_ELSEWHERE:
    case CONFIG_TOKEN:
        break;
    }
}

void config_key_set(struct config *c, const struct config_key *k, const struct config_place *at,
                    struct str text)
{
    size_t before = c->message_count;

    if (!text.len && k->kind != CONFIG_VAR) {
        config_say(c, true, "%s: is empty", at->label);
        return;
    }
    set_value(c, k, at, text);
    if (c->message_count == before && k->kind != CONFIG_VAR)
        config_note(c, k, at, text);
}
