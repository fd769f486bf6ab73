#include "cli/options.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/duration.h"
#include "base/nearest.h"
#include "base/netaddr.h"
#include "base/rate.h"
#include "base/rfc3339.h"
#include "config.h"
#include "encode/url.h"
#include "store/tokens.h"

enum { COUNT_MOST = 1000, DATE_LEN = 10 };

void options_init(struct options *o)
{
    memset(o, 0, sizeof(*o));
}

void options_add_table(struct options *o, const struct option *table)
{
    if (table)
        o->tables[o->table_count++] = table;
}

static const struct option *find(const struct options *o, struct str name)
{
    for (size_t t = 0; t < o->table_count; t++)
        for (const struct option *p = o->tables[t]; p->name; p++)
            if (str_eq(name, str_from(p->name)))
                return p;
    return NULL;
}

static int refuse_unknown(const struct options *o, struct str name, struct err *e)
{
    struct nearest near;

    nearest_init(&near, name);
    for (size_t t = 0; t < o->table_count; t++)
        for (const struct option *p = o->tables[t]; p->name; p++)
            if (!p->is_hidden)
                nearest_offer(&near, str_from(p->name));
    if (near.name.data)
        return err_set(e, ERR_INVALID,
                       "there is no option --" STR_FMT "; did you mean --" STR_FMT "?",
                       STR_ARG(name), STR_ARG(near.name));
    return err_set(e, ERR_INVALID, "there is no option --" STR_FMT, STR_ARG(name));
}

// "09:15" or "09:15:00" of the date that `date` begins with, in UTC.
static int parse_clock(const char *date, const char *clock, int64_t *at_ms)
{
    char text[RFC3339_LEN + 1];
    size_t len = strlen(clock);

    if (len != strlen("09:15") && len != strlen("09:15:00"))
        return ERR_INVALID;
    snprintf(text, sizeof(text), "%.*sT%s%sZ", DATE_LEN, date, clock, len == 5 ? ":00" : "");
    return rfc3339_parse(str_from(text), at_ms);
}

int options_since(const char *text, int64_t now_ms, int64_t *at_ms)
{
    static const int64_t day_ms = INT64_C(24) * 60 * 60 * 1000;
    struct str s = str_from(text);
    int64_t back_ms;
    char today[RFC3339_LEN + 1];

    if (duration_parse(s, &back_ms) == 0) {
        *at_ms = now_ms - back_ms;
        return 0;
    }
    if (rfc3339_parse(s, at_ms) == 0 || rfc3339_parse_date(s, at_ms) == 0)
        return 0;
    if (s.len > DATE_LEN && (text[DATE_LEN] == ' ' || text[DATE_LEN] == 'T'))
        return parse_clock(text, text + DATE_LEN + 1, at_ms);
    rfc3339_format(today, now_ms);
    if (parse_clock(today, text, at_ms) != 0)
        return ERR_INVALID;
    *at_ms -= *at_ms > now_ms ? day_ms : 0;
    return 0;
}

static int check_url(const char *text, struct err *e)
{
    struct url u;

    return url_parse(str_from(text), &u, e);
}

static int check_target(const char *text)
{
    struct buf target;
    int code;

    buf_init(&target, URL_TARGET_MAX);
    code = url_target_of(&target, str_from(text));
    buf_fini(&target);
    return code;
}

static int check_value(const struct option *p, const char *text, struct err *e)
{
    struct netblock block;
    enum run_outcome outcome;
    unsigned states;
    enum store_role role;
    struct rate rate;
    int64_t n;
    struct err why = {0};

    if (!*text)
        return err_set(e, ERR_INVALID, "--%s is empty: it wants %s", p->name, p->argument);
    switch (p->kind) {
    case OPTION_SWITCH:
    case OPTION_TEXT:
    case OPTION_PATH:
    case OPTION_MAYBE_PATH:
        return 0;
    case OPTION_COUNT:
        if (str_to_int64(str_from(text), &n) != 0 || n < 1 || n > COUNT_MOST)
            return err_set(e, ERR_INVALID, "--%s wants a whole number from 1 to %d, not '%s'",
                           p->name, COUNT_MOST, text);
        return 0;
    case OPTION_NUMBER:
        if (str_to_int64(str_from(text), &n) != 0 || n < 1)
            return err_set(e, ERR_INVALID, "--%s wants a whole number from 1, not '%s'", p->name,
                           text);
        return 0;
    case OPTION_LISTEN:
        if (config_check_listen(str_from(text), &why) != 0)
            return err_set(e, ERR_INVALID, "--%s: %s", p->name, why.text);
        return 0;
    case OPTION_CIDR:
        if (netblock_parse(str_from(text), &block, &why) != 0)
            return err_set(e, ERR_INVALID, "--%s: %s", p->name, why.text);
        return 0;
    case OPTION_HOST:
        if (str_starts_with(str_from(text), STR("unix:")) && text[strlen("unix:")])
            return 0;
        // fall through
    case OPTION_URL:
        if (check_url(text, &why) != 0)
            return err_set(e, ERR_INVALID, "--%s: %s", p->name, why.text);
        return 0;
    case OPTION_TARGET:
        if (check_target(text) != 0)
            return err_set(e, ERR_INVALID,
                           "--%s wants scheme, host and port, such as "
                           "https://app.example.com:443, not '%s'",
                           p->name, text);
        return 0;
    case OPTION_SINCE:
        if (options_since(text, 0, &n) != 0)
            return err_set(e, ERR_INVALID,
                           "--%s wants a duration back from now (30m, 12h, 2d), a time in UTC "
                           "(09:15, \"2026-11-23 09:15\", 2026-11-23T09:15:00Z) or a date "
                           "(2026-11-23), not '%s'",
                           p->name, text);
        return 0;
    case OPTION_DURATION:
        if (duration_parse(str_from(text), &n) != 0)
            return err_set(e, ERR_INVALID, "--%s wants a duration (30s, 10m, 2h), not '%s'",
                           p->name, text);
        return 0;
    case OPTION_ROLE:
        if (store_role_parse(str_from(text), &role) != 0)
            return err_set(e, ERR_INVALID, "--%s wants ingest, read or admin, not '%s'", p->name,
                           text);
        return 0;
    case OPTION_RATE:
        if (rate_parse(str_from(text), &rate) != 0)
            return err_set(e, ERR_INVALID, "--%s wants a rate (100/s, 300/m, 1000/h), not '%s'",
                           p->name, text);
        return 0;
    case OPTION_STATE:
        if (delivery_states_parse(str_from(text), &states) != 0)
            return err_set(e, ERR_INVALID,
                           "--%s wants pending, retrying, held (or owed: all three), delivered, "
                           "terminated, invalid, cancelled or superseded, not '%s'",
                           p->name, text);
        return 0;
    case OPTION_OUTCOME:
        if (run_outcome_parse(str_from(text), &outcome) != 0)
            return err_set(e, ERR_INVALID, "--%s wants sent, dry, error or suppressed, not '%s'",
                           p->name, text);
        return 0;
    }
    return 0;
}

static int add_value(struct options *o, const struct option *p, const char *text, struct err *e)
{
    if (!p->is_repeatable && options_has(o, p->name))
        return err_set(e, ERR_INVALID, "--%s is given twice", p->name);
    if (o->value_count == OPTIONS_VALUES_MAX)
        return err_set(e, ERR_INVALID, "more than %d options are given", OPTIONS_VALUES_MAX);
    o->values[o->value_count++] = (struct option_value){p, text};
    return 0;
}

// One "--name", "--name value" or "--name=value" at argv[*at]; "-k" for a name of one letter.
static int parse_option(struct options *o, int argc, char *const *argv, int *at, struct err *e)
{
    const char *given = argv[*at] + (argv[*at][1] == '-' ? 2 : 1);
    const char *equals = strchr(given, '=');
    struct str name = {given, equals ? (size_t)(equals - given) : strlen(given)};
    const struct option *p = find(o, name);
    const char *value = equals ? equals + 1 : "";
    int code;

    if (!p)
        return refuse_unknown(o, name, e);
    if (p->kind == OPTION_SWITCH) {
        if (equals)
            return err_set(e, ERR_INVALID, "--%s takes no value", p->name);
        return add_value(o, p, "", e);
    }
    if (!equals) {
        // A value that looks like an option is most likely a forgotten value.
        bool is_missing = *at + 1 >= argc || strncmp(argv[*at + 1], "--", 2) == 0;

        if (is_missing && p->kind == OPTION_MAYBE_PATH)
            return add_value(o, p, "", e);
        if (is_missing)
            return err_set(e, ERR_INVALID, "--%s wants a value: --%s %s", p->name, p->name,
                           p->argument);
        value = argv[++*at];
    }
    code = check_value(p, value, e);
    return code ? code : add_value(o, p, value, e);
}

static int add_argument(struct options *o, const char *text, struct err *e)
{
    if (o->argument_count == OPTIONS_ARGUMENTS_MAX)
        return err_set(e, ERR_INVALID, "more than %d arguments are given", OPTIONS_ARGUMENTS_MAX);
    o->arguments[o->argument_count++] = text;
    return 0;
}

int options_parse(struct options *o, int argc, char *const *argv, struct err *e)
{
    bool only_arguments = false;
    int code = 0;

    for (int i = 0; i < argc && code == 0; i++) {
        const char *word = argv[i];

        if (only_arguments || word[0] != '-' || word[1] == '\0')
            code = add_argument(o, word, e);
        else if (strcmp(word, "--") == 0)
            only_arguments = true;
        else if (strcmp(word, "-h") == 0 && find(o, STR("help")))
            code = add_value(o, find(o, STR("help")), "", e);
        else if (word[1] != '-' && (word[2] != '\0' || !find(o, str_from(word + 1))))
            code =
                err_set(e, ERR_INVALID, "there is no option %s (options are written --name)", word);
        else
            code = parse_option(o, argc, argv, &i, e);
    }
    return code;
}

bool options_has(const struct options *o, const char *name)
{
    return options_text(o, name) != NULL;
}

const char *options_text(const struct options *o, const char *name)
{
    size_t at = 0;

    return options_next(o, name, &at);
}

int64_t options_count(const struct options *o, const char *name, int64_t otherwise)
{
    const char *text = options_text(o, name);
    int64_t n;

    return text && str_to_int64(str_from(text), &n) == 0 ? n : otherwise;
}

const char *options_next(const struct options *o, const char *name, size_t *at)
{
    while (*at < o->value_count) {
        const struct option_value *v = &o->values[(*at)++];

        if (strcmp(v->option->name, name) == 0)
            return v->text;
    }
    return NULL;
}
