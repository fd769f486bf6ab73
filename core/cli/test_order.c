#include "cli/test_order.h"

#include <stdio.h>

#include "deliver/decide.h"

enum { ORDER_WORDS_MAX = 96 };

static bool is_of_order(const struct world_delivery *d, struct str key)
{
    return d->row.state <= DELIVERY_HELD && str_eq(d->row.order_key, key);
}

static struct str say(struct world *w, const struct world_delivery *d, const char *behind)
{
    char id[ID_SHOWN_LEN + 1];
    char words[ORDER_WORDS_MAX];
    int len;

    id_show(id, ID_DELIVERY, d->row.id);
    len = snprintf(words, sizeof(words), "%s%s", id, behind);
    return arena_dup(&w->arena, (struct str){words, (size_t)len});
}

static int supersede(struct world *w, struct world_delivery *d, const struct world_delivery *newer)
{
    d->row.state = DELIVERY_SUPERSEDED;
    d->row.reason = say(w, newer, " is newer");
    d->is_waiting = false;
    return d->row.reason.data ? 0 : ERR_NOMEM;
}

// Who is under way of the order; NULL: nobody.
static struct world_delivery *find_active(const struct world *w, const struct world_delivery *but)
{
    for (struct world_delivery *d = w->first; d; d = d->next)
        if (d != but && !d->is_waiting && is_of_order(d, but->row.order_key))
            return d;
    return NULL;
}

int test_order_enter(struct world *w, struct world_delivery *d)
{
    bool is_ordered = d->row.order_key.len && d->row.state == DELIVERY_PENDING;
    struct world_delivery *active = is_ordered ? find_active(w, d) : NULL;
    int code = 0;

    // No attempt is under way while events come: what waits for its next one is superseded at once.
    for (struct world_delivery *o = w->first; active && d->row.is_latest && o != d; o = o->next)
        if (is_of_order(o, d->row.order_key) &&
            (o->is_waiting || o->row.state == DELIVERY_RETRYING))
            code = code ? code : supersede(w, o, d);
    active = active ? find_active(w, d) : NULL;
    if (code || !active)
        return code;
    d->is_waiting = true;
    d->row.state = DELIVERY_HELD;
    d->row.reason = say(w, active, " goes first");
    return d->row.reason.data ? 0 : ERR_NOMEM;
}

int test_order_look_newer(struct world *w, struct world_delivery *d)
{
    const struct world_delivery *newest = NULL;

    for (const struct world_delivery *o = d->row.order_key.len ? d->next : NULL; o; o = o->next)
        if (is_of_order(o, d->row.order_key))
            newest = o;
    return newest && newest->is_waiting && newest->row.is_latest ? supersede(w, d, newest) : 0;
}

void test_order_release(struct world *w, const struct world_delivery *d)
{
    struct world_delivery *next = d->row.order_key.len ? w->first : NULL;

    while (next && !(next->is_waiting && is_of_order(next, d->row.order_key)))
        next = next->next;
    if (!next)
        return;
    // What it waited is part of its retry windows: they count from when it first fell due.
    if (next->base_ms == 0 && next->row.due_at_ms < w->now_ms)
        next->base_ms = next->row.due_at_ms;
    if (next->row.due_at_ms < w->now_ms)
        next->row.due_at_ms = w->now_ms;
    next->is_waiting = false;
    next->row.state = next->attempts ? DELIVERY_RETRYING : DELIVERY_PENDING;
    next->row.reason = (struct str){0};
}

bool test_order_is_over(const struct world *w, const struct world_delivery *d)
{
    bool has_waited = d->base_ms && d->attempts == 0;

    return has_waited && decide_end_ms(d->row.retry, d->base_ms, d->row.due_at_ms) <= w->now_ms;
}
