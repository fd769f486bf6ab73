#include "config_keys.h"

#include <stdio.h>

#include "base/nearest.h"
#include "encode/json_reader.h"
#include "script/conf.h"

enum { FILE_JSON_MAX_BYTES = 4 * 1024 * 1024, LABEL_MAX = 512 };

struct walk {
    struct config *c;
    struct json_reader reader;
    const char *folder;
    struct str segments[CONFIG_SEGMENTS_MAX + 1]; // of the path, on the config's arena
};

// The pattern's segment at `index`; {NULL,0} where it has none.
static struct str pattern_segment(const char *pattern, size_t index)
{
    for (const char *at = pattern;; index--) {
        size_t len = strcspn(at, ".");

        if (index == 0)
            return (struct str){at, len};
        if (!at[len])
            return (struct str){NULL, 0};
        at += len + 1;
    }
}

// Whether the first `count` segments of the path are those of the pattern.
static bool fits(const struct walk *w, const char *pattern, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct str want = pattern_segment(pattern, i);

        if (!want.data)
            return false;
        if (!str_eq(want, STR("*")) && !str_eq(want, w->segments[i]))
            return false;
    }
    return true;
}

static const struct config_key *key_of(const struct walk *w, size_t count, bool *is_section)
{
    *is_section = false;
    for (const struct config_key *k = config_keys; k->pattern || k->environment; k++) {
        if (!k->pattern || !fits(w, k->pattern, count))
            continue;
        if (!pattern_segment(k->pattern, count).data)
            return k;
        *is_section = true;
    }
    return NULL;
}

// "hookline.conf.lua: targets["https://h"].rate", as a Lua user would write the path; without the
// user and password of a URL.
static void write_label(const struct walk *w, size_t count, char out[LABEL_MAX])
{
    size_t len = (size_t)snprintf(out, LABEL_MAX, count ? "%s: " : "%s", w->c->file);

    for (size_t i = 0; i < count && len < LABEL_MAX; i++) {
        struct str s = w->segments[i];
        const char *format = !config_is_name(s) ? "[\"" STR_FMT "\"]" : i ? "." STR_FMT : STR_FMT;
        const char *at = memrchr(s.data, '@', s.len);

        if (at) {
            format = "[\"****" STR_FMT "\"]";
            s = (struct str){at, s.len - (size_t)(at - s.data)};
        }
        len += (size_t)snprintf(out + len, LABEL_MAX - len, format, STR_ARG(s));
    }
}

// A key that stands elsewhere by this name ("body" is limits.body), or is set by it
// (HOOKLINE_DATA); NULL: there is none.
static const char *pattern_elsewhere(struct str name)
{
    for (const struct config_key *k = config_keys; k->pattern || k->environment; k++) {
        const char *dot = k->pattern ? strrchr(k->pattern, '.') : NULL;

        if (k->pattern && ((dot && str_eq(name, str_from(dot + 1))) ||
                           (k->environment && str_eq(name, str_from(k->environment)))))
            return k->pattern;
    }
    return NULL;
}

static void refuse_unknown(const struct walk *w, size_t count)
{
    const char *elsewhere = pattern_elsewhere(w->segments[count - 1]);
    struct nearest near;
    char label[LABEL_MAX];

    nearest_init(&near, w->segments[count - 1]);
    for (const struct config_key *k = config_keys; k->pattern || k->environment; k++) {
        struct str one;

        if (!k->pattern || !fits(w, k->pattern, count - 1))
            continue;
        one = pattern_segment(k->pattern, count - 1);
        if (!one.data || str_eq(one, STR("*")))
            continue;
        nearest_offer(&near, one);
    }
    write_label(w, count, label);
    if (near.name.data)
        config_say(w->c, true, "%s: there is no such key; did you mean " STR_FMT "?", label,
                   STR_ARG(near.name));
    else if (elsewhere)
        config_say(w->c, true, "%s: there is no such key; did you mean %s?", label, elsewhere);
    else
        config_say(w->c, true, "%s: there is no such key (`hookline config` shows them all)",
                   label);
}

static const char *kind_words(enum config_kind kind)
{
    switch (kind) {
    case CONFIG_COUNT:
    case CONFIG_TARGET_COUNT:
        return "a whole number";
    case CONFIG_BYTES:
        return "a number of bytes, or a text such as \"8MiB\"";
    case CONFIG_BLOCKS:
        return "a list of texts, such as { \"10.0.0.0/8\" }";
    case CONFIG_MAIL_ADMIN:
        return "a list of mail addresses, such as { \"admin@example.com\" }";
    case CONFIG_MAIL_PASSWORD:
        return "hook.secret \"NAME\", so that the password itself is in no file of the project";
    case CONFIG_LISTEN_ADDRESS:
        return "a text such as \"127.0.0.1:8080\" or \"unix:/run/hookline.sock\", or a list of "
               "them";
    case CONFIG_VAR:
        return "a text, a number or a boolean";
    case CONFIG_OTLP_HEADER:
        return "a text, or hook.secret \"NAME\" where it lets somebody in";
    case CONFIG_TARGET_PROXY:
        return "a text such as \"http://proxy.example.com:3128\", or hook.secret \"NAME\" where a "
               "user and a password are in it";
    case CONFIG_TARGET_RATE:
        return "a number a second, a minute or an hour, such as \"20/s\"";
    case CONFIG_AGE:
        return "a duration, such as \"30d\"";
    case CONFIG_MODE:
        return "a text of octal digits, such as \"0660\"";
    case CONFIG_LOG_LEVEL:
        return "\"debug\", \"info\", \"warn\" or \"error\"";
    case CONFIG_LOG_FORMAT:
        return "\"text\" or \"json\"";
    case CONFIG_MAIL_TLS:
        return "\"required\", \"opportunistic\" or \"none\"";
    default:
        return "a text";
    }
}

// A number, or a word of a few: what stands in its place may be shown. Anything else may be a
// password, or a URL with one, at the wrong key.
static bool is_shown(enum config_kind kind)
{
    switch (kind) {
    case CONFIG_COUNT:
    case CONFIG_TARGET_COUNT:
    case CONFIG_BYTES:
    case CONFIG_AGE:
    case CONFIG_TARGET_RATE:
    case CONFIG_MODE:
    case CONFIG_LOG_LEVEL:
    case CONFIG_LOG_FORMAT:
    case CONFIG_MAIL_TLS:
        return true;
    default:
        return false;
    }
}

// Says what is wanted, and what stands there in its place.
static void refuse(const struct walk *w, const char *label, const char *wanted, bool is_hidden,
                   enum json_token found)
{
    struct json_reader ahead = w->reader;
    struct str text = STR("a table");

    if (found == JSON_STRING && !is_hidden) {
        config_say(w->c, true, "%s: wants %s, not '" STR_FMT "'", label, wanted,
                   STR_ARG(config_shown(w->reader.text)));
        return;
    }
    if (found == JSON_NUMBER)
        text = is_hidden ? STR("a number") : w->reader.text;
    else if (found == JSON_TRUE || found == JSON_FALSE)
        text = found == JSON_TRUE ? STR("true") : STR("false");
    else if (found == JSON_STRING)
        text = STR("a text");
    else if (found == JSON_ARRAY_BEGIN)
        text = STR("a list");
    else if (json_read(&ahead) == JSON_KEY && str_eq(ahead.text, STR("$secret")))
        text = STR("a secret");
    config_say(w->c, true, "%s: wants %s, not " STR_FMT, label, wanted, STR_ARG(text));
}

static void refuse_value(const struct walk *w, const struct config_key *k, const char *label,
                         enum json_token found)
{
    refuse(w, label, kind_words(k->kind), !is_shown(k->kind), found);
}

// Lua has one table for lists and records, so an empty one may come as either. Consumes it where it
// is.
static bool is_empty_table(struct walk *w, enum json_token first)
{
    struct json_reader ahead = w->reader;
    enum json_token next = json_read(&ahead);

    if ((first != JSON_ARRAY_BEGIN || next != JSON_ARRAY_END) &&
        (first != JSON_OBJECT_BEGIN || next != JSON_OBJECT_END))
        return false;
    w->reader = ahead;
    return true;
}

static void read_list(struct walk *w, const struct config_key *k, const char *label,
                      enum json_token first)
{
    struct config_place at = {.source = CONFIG_FROM_FILE, .label = label, .folder = w->folder};
    enum json_token t;

    if (is_empty_table(w, first))
        return;
    if (first != JSON_ARRAY_BEGIN) {
        refuse_value(w, k, label, first);
        json_skip(&w->reader, first);
        return;
    }
    while ((t = json_read(&w->reader)) != JSON_ARRAY_END && t != JSON_ERROR) {
        if (t == JSON_STRING) {
            config_key_set(w->c, k, &at, w->reader.text);
        } else {
            refuse_value(w, k, label, t);
            json_skip(&w->reader, t);
        }
    }
}

// {"$secret":"NAME"}
static void read_secret(struct walk *w, const struct config_key *k, struct config_place at,
                        enum json_token first)
{
    struct json_reader ahead = w->reader;

    at.is_secret = true;
    if (first == JSON_OBJECT_BEGIN && json_read(&ahead) == JSON_KEY &&
        str_eq(ahead.text, STR("$secret")) && json_read(&ahead) == JSON_STRING) {
        config_key_set(w->c, k, &at, ahead.text);
        json_read(&ahead);
        w->reader = ahead;
    } else {
        refuse_value(w, k, at.label, first);
        json_skip(&w->reader, first);
    }
}

static void read_key(struct walk *w, const struct config_key *k, size_t count,
                     enum json_token first)
{
    char label[LABEL_MAX];
    char digits[32];
    struct config_place at = {.source = CONFIG_FROM_FILE,
                              .label = label,
                              .folder = w->folder,
                              .name = w->segments[count > 1 ? 1 : 0]};
    const struct json_number *n = &w->reader.number;
    bool wants_number =
        k->kind == CONFIG_COUNT || k->kind == CONFIG_TARGET_COUNT || k->kind == CONFIG_BYTES;
    bool is_list = k->kind == CONFIG_BLOCKS || k->kind == CONFIG_MAIL_ADMIN ||
                   (k->kind == CONFIG_LISTEN_ADDRESS && first == JSON_ARRAY_BEGIN);

    if (k->kind == CONFIG_OTLP_HEADER)
        at.name = w->segments[count - 1];
    write_label(w, count, label);
    if (is_list) {
        read_list(w, k, label, first);
    } else if (k->kind == CONFIG_MAIL_PASSWORD ||
               ((k->kind == CONFIG_TARGET_PROXY || k->kind == CONFIG_OTLP_HEADER) &&
                first == JSON_OBJECT_BEGIN)) {
        read_secret(w, k, at, first);
    } else if (first == JSON_NUMBER && wants_number && !n->is_integer && n->value >= -1e15 &&
               n->value <= 1e15 && n->value == (double)(int64_t)n->value) {
        // 8e6 is a float to Lua and a whole number to whoever wrote it.
        snprintf(digits, sizeof(digits), "%lld", (long long)n->value);
        config_key_set(w->c, k, &at, str_from(digits));
    } else if (first == JSON_NUMBER && (wants_number || k->kind == CONFIG_VAR)) {
        config_key_set(w->c, k, &at, w->reader.text);
    } else if ((first == JSON_TRUE || first == JSON_FALSE) && k->kind == CONFIG_VAR) {
        config_key_set(w->c, k, &at, first == JSON_TRUE ? STR("true") : STR("false"));
    } else if (first == JSON_STRING && (!wants_number || k->kind == CONFIG_BYTES)) {
        config_key_set(w->c, k, &at, w->reader.text);
    } else {
        refuse_value(w, k, label, first);
        json_skip(&w->reader, first);
    }
}

static void read_value(struct walk *w, size_t count, enum json_token first);

static void read_section(struct walk *w, size_t count, enum json_token first)
{
    char label[LABEL_MAX];
    enum json_token t;

    if (is_empty_table(w, first))
        return;
    if (first != JSON_OBJECT_BEGIN) {
        write_label(w, count, label);
        refuse(w, label, "a table of keys", true, first);
        json_skip(&w->reader, first);
        return;
    }
    while ((t = json_read(&w->reader)) == JSON_KEY) {
        w->segments[count] = arena_dup(&w->c->arena, w->reader.text);
        if (!w->segments[count].data) {
            config_say(w->c, true, "%s: takes too much memory", w->c->file);
            return;
        }
        read_value(w, count + 1, json_read(&w->reader));
    }
}

static void read_value(struct walk *w, size_t count, enum json_token first)
{
    bool is_section;
    const struct config_key *k = key_of(w, count, &is_section);
    size_t said = w->c->message_count;

    if (first == JSON_ERROR)
        return;
    if (k) {
        read_key(w, k, count, first);
    } else if (is_section && first == JSON_OBJECT_BEGIN) {
        read_section(w, count, first);
        return;
    } else if (is_section) {
        read_section(w, count, first);
    } else {
        refuse_unknown(w, count);
        json_skip(&w->reader, first);
    }
    config_say_line(w->c, said, w->segments[count - 1]);
}

void config_read_file(struct config *c, const char *path)
{
    struct walk w = {.c = c};
    struct buf json, scratch;
    struct err e = {0};
    char folder[4096];
    const char *slash = strrchr(path, '/');

    buf_init(&json, FILE_JSON_MAX_BYTES);
    buf_init(&scratch, FILE_JSON_MAX_BYTES);
    if (slash) {
        snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : (int)(slash - path), path);
        w.folder = folder;
    }
    if (conf_load(path, &json, &e) != 0) {
        // The first line is the place in the file; behind it is how Lua came there.
        config_say(c, true, "%.*s", (int)strcspn(e.text, "\n"), e.text);
        goto out;
    }
    json_reader_init(&w.reader, buf_str(&json), JSON_DEPTH_MAX, &scratch);
    read_section(&w, 0, json_read(&w.reader));
    if (w.reader.fault) {
        json_reader_error(&w.reader, &e);
        config_say(c, true, "%s: %s", path, e.text);
    }
out:
    buf_fini(&scratch);
    buf_fini(&json);
}
