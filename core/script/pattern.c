#include "script/pattern.h"

#include "script/budget.h"

#include <ctype.h>
#include <lauxlib.h>

enum { PATTERN_DEPTH_MAX = 200, PATTERN_CHARGE_EVERY = 256 };
enum { PATTERN_STEPS_A_STEP = 4, PATTERN_SET_BYTES_A_STEP = 2, PATTERN_BYTES_A_STEP = 64 };

static const char *pattern_here(struct pattern *m, const char *s, const char *p);

void pattern_init(struct pattern *m, lua_State *L, struct str text, struct str pattern)
{
    m->L = L;
    m->text = text;
    m->text_end = text.data + text.len;
    m->at = pattern.data;
    m->end = pattern.data + pattern.len;
    m->uncharged = 0;
    m->depth = 0;
    m->count = 0;
}

static void pattern_step(struct pattern *m)
{
    if (++m->uncharged >= PATTERN_CHARGE_EVERY) {
        int64_t steps = (int64_t)m->uncharged / PATTERN_STEPS_A_STEP;
        m->uncharged = 0;
        budget_charge(m->L, steps);
    }
}

// A set is read through for each character that it is asked for.
static void pattern_count_set(struct pattern *m, const char *p, const char *end)
{
    m->uncharged += (size_t)(end - p) / PATTERN_SET_BYTES_A_STEP;
}

// --- one character -------------------------------------------------------------------------------

// The end of the item that begins at p: a character, a class, a set; what repeats it is not part of
// it.
static const char *pattern_item_end(const struct pattern *m, const char *p)
{
    if (*p == '%') {
        if (p + 1 == m->end)
            luaL_error(m->L, "malformed pattern (ends with '%%')");
        return p + 2;
    }
    if (*p != '[')
        return p + 1;
    p++;
    if (p < m->end && *p == '^')
        p++;
    // A ']' in front stands for itself.
    do {
        if (p == m->end)
            luaL_error(m->L, "malformed pattern (missing ']')");
        p += *p == '%' && p + 1 < m->end ? 2 : 1;
    } while (p == m->end || *p != ']');
    return p + 1;
}

static bool pattern_class_has(int c, char class)
{
    bool is_in;
    switch (tolower((unsigned char)class)) {
    case 'a':
        is_in = isalpha(c);
        break;
    case 'c':
        is_in = iscntrl(c);
        break;
    case 'd':
        is_in = isdigit(c);
        break;
    case 'g':
        is_in = isgraph(c);
        break;
    case 'l':
        is_in = islower(c);
        break;
    case 'p':
        is_in = ispunct(c);
        break;
    case 's':
        is_in = isspace(c);
        break;
    case 'u':
        is_in = isupper(c);
        break;
    case 'w':
        is_in = isalnum(c);
        break;
    case 'x':
        is_in = isxdigit(c);
        break;
    default:
        return (unsigned char)class == c;
    }
    return isupper((unsigned char)class) ? !is_in : is_in;
}

// p at '[', end behind its ']'.
static bool pattern_set_has(int c, const char *p, const char *end)
{
    const char *last = end - 1;
    bool is_negated = *++p == '^';
    if (is_negated)
        p++;
    while (p < last) {
        if (*p == '%') {
            if (pattern_class_has(c, p[1]))
                return !is_negated;
            p += 2;
        } else if (p[1] == '-' && p + 2 < last) {
            if ((unsigned char)p[0] <= c && c <= (unsigned char)p[2])
                return !is_negated;
            p += 3;
        } else {
            if ((unsigned char)*p == c)
                return !is_negated;
            p++;
        }
    }
    return is_negated;
}

static bool pattern_item_has(struct pattern *m, const char *s, const char *p, const char *item_end)
{
    if (*p == '[')
        pattern_count_set(m, p, item_end);
    pattern_step(m);
    if (s >= m->text_end)
        return false;
    int c = (unsigned char)*s;
    switch (*p) {
    case '.':
        return true;
    case '%':
        return pattern_class_has(c, p[1]);
    case '[':
        return pattern_set_has(c, p, item_end);
    default:
        return (unsigned char)*p == c;
    }
}

// --- repetitions ---------------------------------------------------------------------------------

// As many as there are, then fewer: each way is tried with what follows.
static const char *pattern_longest(struct pattern *m, const char *s, const char *p,
                                   const char *item_end, ptrdiff_t least)
{
    ptrdiff_t count = 0;
    while (pattern_item_has(m, s + count, p, item_end))
        count++;
    for (; count >= least; count--) {
        const char *to = pattern_here(m, s + count, item_end + 1);
        if (to)
            return to;
    }
    return NULL;
}

static const char *pattern_shortest(struct pattern *m, const char *s, const char *p,
                                    const char *item_end)
{
    for (;; s++) {
        const char *to = pattern_here(m, s, item_end + 1);
        if (to)
            return to;
        if (!pattern_item_has(m, s, p, item_end))
            return NULL;
    }
}

// --- captures ------------------------------------------------------------------------------------

static const char *pattern_open(struct pattern *m, const char *s, const char *p, ptrdiff_t mark)
{
    if (m->count == PATTERN_CAPTURES_MAX)
        luaL_error(m->L, "too many captures");
    m->captures[m->count++] = (struct pattern_capture){s, mark};
    const char *to = pattern_here(m, s, p);
    if (!to)
        m->count--;
    return to;
}

static const char *pattern_close(struct pattern *m, const char *s, const char *p)
{
    int i = m->count - 1;
    while (i >= 0 && m->captures[i].len != PATTERN_OPEN)
        i--;
    if (i < 0)
        luaL_error(m->L, "invalid pattern capture");
    m->captures[i].len = s - m->captures[i].start;
    const char *to = pattern_here(m, s, p);
    if (!to)
        m->captures[i].len = PATTERN_OPEN;
    return to;
}

// '%1': what that capture holds comes again. The place behind it, or NULL.
static const char *pattern_again(struct pattern *m, const char *s, char digit)
{
    int i = digit - '1';
    if (i < 0 || i >= m->count || m->captures[i].len == PATTERN_OPEN)
        luaL_error(m->L, "invalid capture index %%%d", i + 1);
    ptrdiff_t len = m->captures[i].len;
    if (len < 0 || m->text_end - s < len)
        return NULL;
    budget_charge(m->L, len / PATTERN_BYTES_A_STEP);
    return memcmp(m->captures[i].start, s, (size_t)len) == 0 ? s + len : NULL;
}

// '%bxy', p at the x. The place behind the balanced run, or NULL.
static const char *pattern_balanced(struct pattern *m, const char *s, const char *p)
{
    if (p + 1 >= m->end)
        luaL_error(m->L, "malformed pattern (missing arguments to '%%b')");
    if (s >= m->text_end || *s != p[0])
        return NULL;
    ptrdiff_t open = 1;
    while (++s < m->text_end) {
        pattern_step(m);
        if (*s == p[1] && --open == 0)
            return s + 1;
        if (*s == p[0] && p[0] != p[1])
            open++;
    }
    return NULL;
}

// '%f[set]', p at the '['.
static bool pattern_is_frontier(struct pattern *m, const char *s, const char *p,
                                const char *set_end)
{
    int before = s == m->text.data ? 0 : (unsigned char)s[-1];
    int here = s == m->text_end ? 0 : (unsigned char)*s;
    pattern_count_set(m, p, set_end);
    return !pattern_set_has(before, p, set_end) && pattern_set_has(here, p, set_end);
}

// --- the whole -----------------------------------------------------------------------------------

// What begins with '%' and is no class. Where it is handled: true, with *s and *p behind it, *s
// NULL where it does not match.
static bool pattern_escape(struct pattern *m, const char **s, const char **p)
{
    const char *set_end;
    if (*p + 1 == m->end)
        return false;
    switch ((*p)[1]) {
    case 'b':
        *s = pattern_balanced(m, *s, *p + 2);
        *p += 4;
        return true;
    case 'f':
        *p += 2;
        if (*p == m->end || **p != '[')
            luaL_error(m->L, "missing '[' after '%%f' in pattern");
        set_end = pattern_item_end(m, *p);
        if (!pattern_is_frontier(m, *s, *p, set_end))
            *s = NULL;
        *p = set_end;
        return true;
    default:
        if (!isdigit((unsigned char)(*p)[1]))
            return false;
        *s = pattern_again(m, *s, (*p)[1]);
        *p += 2;
        return true;
    }
}

// One item that may repeat. Sets *is_final where the result is the match's; else it is the place
// behind the one character, with *p behind the item, or NULL.
static const char *pattern_item(struct pattern *m, const char *s, const char **p, bool *is_final)
{
    const char *item = *p;
    const char *end = pattern_item_end(m, item);
    char repeat = '\0';
    if (end < m->end)
        repeat = *end;
    *is_final = true;
    switch (repeat) {
    case '*':
        return pattern_longest(m, s, item, end, 0);
    case '+':
        return pattern_longest(m, s, item, end, 1);
    case '-':
        return pattern_shortest(m, s, item, end);
    case '?':
        if (pattern_item_has(m, s, item, end)) {
            const char *to = pattern_here(m, s + 1, end + 1);
            if (to)
                return to;
        }
        *is_final = false;
        *p = end + 1;
        return s;
    default:
        *is_final = false;
        *p = end;
        return pattern_item_has(m, s, item, end) ? s + 1 : NULL;
    }
}

static const char *pattern_walk(struct pattern *m, const char *s, const char *p)
{
    bool is_final = false;
    while (s && p < m->end) {
        switch (*p) {
        case '(':
            if (p + 1 < m->end && p[1] == ')')
                return pattern_open(m, s, p + 2, PATTERN_POSITION);
            return pattern_open(m, s, p + 1, PATTERN_OPEN);
        case ')':
            return pattern_close(m, s, p + 1);
        case '$':
            if (p + 1 == m->end)
                return s == m->text_end ? s : NULL;
            break;
        case '%':
            if (pattern_escape(m, &s, &p))
                continue;
            break;
        default:
            break;
        }
        s = pattern_item(m, s, &p, &is_final);
        if (is_final)
            return s;
    }
    return s;
}

static const char *pattern_here(struct pattern *m, const char *s, const char *p)
{
    if (++m->depth > PATTERN_DEPTH_MAX)
        luaL_error(m->L, "pattern too complex");
    pattern_step(m);
    const char *to = pattern_walk(m, s, p);
    m->depth--;
    return to;
}

const char *pattern_match(struct pattern *m, const char *from)
{
    m->depth = 0;
    m->count = 0;
    return pattern_here(m, from, m->at);
}

void pattern_push_capture(struct pattern *m, int i, const char *from, const char *to)
{
    if (i >= m->count) {
        if (i > 0)
            luaL_error(m->L, "invalid capture index %%%d", i + 1);
        lua_pushlstring(m->L, from, (size_t)(to - from));
        return;
    }
    const struct pattern_capture *c = &m->captures[i];
    if (c->len == PATTERN_OPEN)
        luaL_error(m->L, "unfinished capture");
    if (c->len == PATTERN_POSITION)
        lua_pushinteger(m->L, (lua_Integer)(c->start - m->text.data) + 1);
    else
        lua_pushlstring(m->L, c->start, (size_t)c->len);
}

int pattern_push_captures(struct pattern *m, const char *from, const char *to)
{
    int count = m->count == 0 && from ? 1 : m->count;
    luaL_checkstack(m->L, count, "too many captures");
    for (int i = 0; i < count; i++)
        pattern_push_capture(m, i, from, to);
    return count;
}
