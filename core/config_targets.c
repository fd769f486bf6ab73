// The keys of targets: how much they bear, and how they are reached.
#include "config_keys.h"
#include "encode/url.h"

enum { TARGETS_MAX = 4096, TARGET_TEXT_MAX = 1024, RATE_MAX = 1000000 };

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

    buf_init(&target, TARGET_TEXT_MAX);
    if (url_parse(at->name, &u, &why) != 0) {
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

// "20/s", "300/m", "1000/h": the time between two.
static int parse_rate(struct str text, int64_t *interval_us)
{
    static const struct {
        char unit;
        int64_t us;
    } units[] = {{'s', 1000000}, {'m', 60 * 1000000}, {'h', INT64_C(3600) * 1000000}};
    int64_t n;

    if (text.len < 3 || text.data[text.len - 2] != '/' ||
        str_to_int64((struct str){text.data, text.len - 2}, &n) != 0 || n < 1 || n > RATE_MAX)
        return ERR_INVALID;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (units[i].unit == text.data[text.len - 1]) {
            *interval_us = units[i].us / n > 0 ? units[i].us / n : 1;
            return 0;
        }
    return ERR_INVALID;
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
    } else {
        if (parse_rate(text, member) != 0)
            config_say(c, true,
                       "%s: wants a number a second, a minute or an hour, such as \"20/s\", "
                       "\"300/m\" or \"1000/h\", not '" STR_FMT "'",
                       at->label, STR_ARG(text));
    }
}
