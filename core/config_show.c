// What is in force, and where it came from.
#include <stdio.h>

#include "base/duration.h"
#include "config_keys.h"

enum { KEY_MAX_BYTES = 4096, TEXT_MAX_BYTES = 4 * 1024 * 1024 };

struct showing {
    const struct config *c;
    void (*visit)(void *ctx, const struct config_value *v);
    void *ctx;
    struct buf key, text;
    bool has_failed;
};

void config_bytes_format(char out[32], int64_t n)
{
    static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;

    while (n && n % 1024 == 0 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        n /= 1024;
        unit++;
    }
    snprintf(out, 32, "%lld%s", (long long)n, units[unit]);
}

// A number of a run's limits is 0 where nobody has given one.
static int64_t number(const struct config *c, const struct config_key *k)
{
    int64_t n = *(const int64_t *)((const char *)c + k->offset);

    if (n == 0 && k->offset == offsetof(struct config, limits.step_budget))
        return RULES_RUN_STEPS;
    if (n == 0 && k->offset == offsetof(struct config, limits.memory_bytes))
        return RULES_RUN_MEMORY;
    if (n == 0 && k->offset == offsetof(struct config, limits.output_bytes))
        return RULES_RUN_OUTPUT;
    return n;
}

// The user and password of a URL, which a plain setting may have.
static void append_masked(struct buf *out, struct str text)
{
    struct str scheme = STR("://");

    for (size_t i = 0; i + scheme.len <= text.len; i++) {
        size_t from = i + scheme.len;
        size_t end = from;
        size_t at = 0;

        if (memcmp(text.data + i, scheme.data, scheme.len) != 0)
            continue;
        for (; end < text.len && !strchr("/?# ", text.data[end]); end++)
            if (text.data[end] == '@')
                at = end;
        if (at) {
            buf_append(out, text.data, from);
            buf_append_text(out, "****");
            buf_append(out, text.data + at, text.len - at);
            return;
        }
    }
    buf_append_str(out, text);
}

static void append_given(struct buf *out, const struct config_origin *o)
{
    if (o->is_secret) {
        buf_append_text(out, "hook.secret \"");
        buf_append_str(out, o->text);
        buf_append_char(out, '"');
    } else {
        append_masked(out, o->text);
    }
}

// What the host works with, where that is another text than the one given, or none was given.
// False: it is the one given.
static bool append_in_force(struct buf *out, const struct config *c, const struct config_key *k)
{
    static const char *const levels[] = {
        [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};
    static const char *const mail_tls[] = {[SMTP_TLS_REQUIRED] = "required",
                                           [SMTP_TLS_OPPORTUNISTIC] = "opportunistic",
                                           [SMTP_TLS_NONE] = "none"};
    const char *path;
    char text[32];

    switch (k->kind) {
    case CONFIG_PATH:
        path = *(const char *const *)((const char *)c + k->offset);
        buf_append_text(out, path ? path : "");
        return true;
    case CONFIG_LISTEN_ADDRESS:
        for (size_t i = 0; i < c->listen_count; i++) {
            buf_append_text(out, i ? ", " : "");
            buf_append_text(out, c->listen[i]);
        }
        return true;
    case CONFIG_MODE:
        snprintf(text, sizeof(text), "%04o", c->socket_mode);
        break;
    case CONFIG_COUNT:
        snprintf(text, sizeof(text), "%lld", (long long)number(c, k));
        break;
    case CONFIG_BYTES:
        // No limit is set, and none can be asked for.
        if (number(c, k) == 0 && k->least > 0)
            return true;
        config_bytes_format(text, number(c, k));
        break;
    case CONFIG_AGE:
        duration_format(text, number(c, k));
        break;
    case CONFIG_LOG_LEVEL:
        snprintf(text, sizeof(text), "%s", levels[c->log_level]);
        break;
    case CONFIG_LOG_FORMAT:
        snprintf(text, sizeof(text), "%s",
                 !c->log_format_is_set       ? "json, on a terminal text"
                 : c->log_format == LOG_TEXT ? "text"
                                             : "json");
        break;
    case CONFIG_MAIL_TLS:
        snprintf(text, sizeof(text), "%s", mail_tls[c->mail.tls]);
        break;
    case CONFIG_TARGET_COUNT:
        snprintf(text, sizeof(text), "%d", CONFIG_IN_FLIGHT_DEFAULT);
        break;
    default:
        return false;
    }
    buf_append_text(out, text);
    return true;
}

static void append_key(struct buf *out, const struct config_key *k, const struct config_origin *o)
{
    const char *star = k->pattern ? strchr(k->pattern, '*') : NULL;

    if (!star || !o) {
        buf_append_text(out, k->pattern ? k->pattern : k->flag ? k->flag : k->environment);
    } else if (k->kind == CONFIG_VAR) {
        buf_append_text(out, "vars.");
        buf_append_str(out, o->name);
    } else if (k->kind == CONFIG_OTLP_HEADER) {
        buf_append_text(out, "otlp.headers[\"");
        buf_append_str(out, o->name);
        buf_append_text(out, "\"]");
    } else {
        buf_append_text(out, "targets[\"");
        buf_append_str(out, o->name);
        buf_append_text(out, "\"]");
        buf_append_text(out, star + 1);
    }
}

// Ends the texts and hands them over.
static void show(struct showing *s, const struct config_key *k, const struct config_origin *o)
{
    struct config_value v = {.source = o ? o->source : CONFIG_FROM_DEFAULT,
                             .where = o ? o->where : NULL};
    bool has_text = s->text.len > 0 || (o && k->kind == CONFIG_VAR);

    buf_reset(&s->key);
    append_key(&s->key, k, o);
    buf_append_char(&s->key, '\0');
    buf_append_char(&s->text, '\0');
    s->has_failed = s->has_failed || s->key.failed || s->text.failed;
    if (s->has_failed)
        return;
    v.key = s->key.data;
    v.text = has_text ? s->text.data : NULL;
    s->visit(s->ctx, &v);
}

static bool is_each_shown(enum config_kind kind)
{
    return kind == CONFIG_VAR || kind == CONFIG_OTLP_HEADER || kind == CONFIG_BLOCKS ||
           kind == CONFIG_TARGET_COUNT || kind == CONFIG_TARGET_RATE ||
           kind == CONFIG_TARGET_PATH || kind == CONFIG_TARGET_PROXY;
}

static void show_key(struct showing *s, const struct config_key *k)
{
    const struct config_origin *last = NULL;

    buf_reset(&s->text);
    for (const struct config_origin *o = s->c->origins; o; o = o->next) {
        if (o->key != k)
            continue;
        if (is_each_shown(k->kind)) {
            buf_reset(&s->text);
            append_given(&s->text, o);
            show(s, k, o);
        } else if (k->kind == CONFIG_MAIL_ADMIN) {
            buf_append_text(&s->text, last ? ", " : "");
            append_given(&s->text, o);
        }
        last = o;
    }
    if (last && is_each_shown(k->kind))
        return;
    if (k->kind != CONFIG_MAIL_ADMIN && !append_in_force(&s->text, s->c, k) && last)
        append_given(&s->text, last);
    // What has no key of the file is shown where it is given, and so is what stands for many.
    if (last || (k->pattern && (!strchr(k->pattern, '*') || s->text.len)))
        show(s, k, last);
}

int config_each_value(const struct config *c,
                      void (*visit)(void *ctx, const struct config_value *v), void *ctx)
{
    struct showing s = {.c = c, .visit = visit, .ctx = ctx};

    buf_init(&s.key, KEY_MAX_BYTES);
    buf_init(&s.text, TEXT_MAX_BYTES);
    for (const struct config_key *k = config_keys; k->pattern || k->environment; k++)
        show_key(&s, k);
    buf_fini(&s.key);
    buf_fini(&s.text);
    return s.has_failed ? ERR_NOMEM : 0;
}
