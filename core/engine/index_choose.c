// Where a workflow goes in the index: of what its conditions need, the part that the fewest events
// have. How many have it is guessed from what all workflows look for: a field that they compare
// with ten thousand values tells more apart than one that they all compare with the same.
#include "engine/index_internal.h"

// Shares of events, guessed: those that an open range holds, that lack a field, that change one;
// and how many values more than those that workflows name a field has.
static const double CHOOSE_OPEN = 0.6, CHOOSE_EMPTY = 0.5, CHOOSE_CHANGED = 0.25;
static const double CHOOSE_OTHERS = 4;

enum choose_way {
    CHOOSE_NEVER, // no event of the verb has it
    CHOOSE_ASK,   // it cannot be looked up
    CHOOSE_LOOK
};

static bool choose_has_empty(const struct lookup *leaf)
{
    for (size_t i = 0; leaf->kind == LOOKUP_VALUES && i < leaf->count; i++) {
        if (leaf->values[i].kind == LOOKUP_EMPTY) {
            return true;
        }
    }
    return false;
}

// What changed is told by an update's `previous`. Before a record was created everything was empty;
// no other event changes anything.
static enum choose_way choose_way(const struct lookup *leaf, unsigned verb, enum lookup_view *view)
{
    bool is_of_change = leaf->kind == LOOKUP_CHANGED || leaf->view != LOOKUP_NOW;
    *view = leaf->view;
    if (!is_of_change || verb == RULES_UPDATED) {
        return CHOOSE_LOOK;
    }
    if (verb != RULES_CREATED) {
        return CHOOSE_NEVER;
    }
    if (leaf->kind == LOOKUP_CHANGED) {
        return CHOOSE_ASK;
    }
    if (leaf->view == LOOKUP_BEFORE) {
        return choose_has_empty(leaf) ? CHOOSE_ASK : CHOOSE_NEVER;
    }
    *view = LOOKUP_NOW;
    return CHOOSE_LOOK;
}

static double choose_values_share(const struct index_view *view, const struct lookup *leaf)
{
    double share = 0;
    for (size_t i = 0; i < leaf->count; i++) {
        bool is_empty = leaf->values[i].kind == LOOKUP_EMPTY;
        share += is_empty ? CHOOSE_EMPTY : 1 / ((double)view->values.count + CHOOSE_OTHERS);
    }
    return share;
}

// How many ranges begin below `at`, or at it where is_with.
static size_t choose_rank(const struct index_ranges *r, double at, bool is_with)
{
    size_t low = 0;
    size_t high = r->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->items[middle].low < at || (is_with && r->items[middle].low == at)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

// As many events as ranges begin in it, as if they were where rules make their distinctions.
static double choose_range_share(const struct index_view *view, const struct lookup *leaf)
{
    const struct index_ranges *r = &view->ranges[leaf->axis];
    bool is_open = leaf->range[0] == -1.0 / 0.0 || leaf->range[1] == 1.0 / 0.0;
    size_t inside = choose_rank(r, leaf->range[1], true) - choose_rank(r, leaf->range[0], false);
    double share = (double)inside / (double)(r->count + 1);
    return is_open && share < CHOOSE_OPEN ? CHOOSE_OPEN : share;
}

// The share of events that a workflow put at this leaf would be asked for.
static double choose_leaf_share(const struct index_type *wishes, const struct lookup *leaf,
                                unsigned verb)
{
    enum lookup_view view;
    enum choose_way way = choose_way(leaf, verb, &view);
    if (way != CHOOSE_LOOK) {
        return way == CHOOSE_NEVER ? 0 : 1;
    }
    double changed = leaf->kind == LOOKUP_CHANGED || view != LOOKUP_NOW ? CHOOSE_CHANGED : 1;
    if (leaf->kind == LOOKUP_CHANGED) {
        return changed;
    }
    const struct index_view *seen = index_find_field(wishes, leaf)->views[view];
    return changed * (leaf->kind == LOOKUP_VALUES ? choose_values_share(seen, leaf)
                                                  : choose_range_share(seen, leaf));
}

static double choose_share(const struct index_type *wishes, const struct lookup *l, unsigned verb,
                           const struct lookup **best)
{
    *best = l;
    if (l->kind != LOOKUP_ALL && l->kind != LOOKUP_ANY) {
        return choose_leaf_share(wishes, l, verb);
    }
    double share = l->kind == LOOKUP_ALL ? 1 : 0;
    for (size_t i = 0; i < l->count; i++) {
        const struct lookup *of_child;
        double one = choose_share(wishes, l->children[i], verb, &of_child);
        if (l->kind == LOOKUP_ANY) {
            share += one;
        } else if (one < share || i == 0) {
            share = one;
            *best = of_child;
        }
    }
    return share < 1 ? share : 1;
}

// Puts the workflow at each leaf below l, or of an ALL at those of its best child.
static int choose_put(struct index *x, struct index_type *t, const struct index_type *wishes,
                      const struct lookup *l, unsigned verb, uint32_t workflow)
{
    enum lookup_view view;
    const struct lookup *best;
    if (wishes) {
        choose_share(wishes, l, verb, &best);
        l = best;
    }
    if (l->kind != LOOKUP_ALL && l->kind != LOOKUP_ANY) {
        return choose_way(l, verb, &view) == CHOOSE_LOOK ? index_add_leaf(x, t, l, view, workflow)
                                                         : 0;
    }
    int code = 0;
    for (size_t i = 0; code == 0 && i < l->count; i++) {
        code = choose_put(x, t, wishes, l->children[i], verb, workflow);
    }
    return code;
}

// All that an event of the verb must have; count 0: nothing.
static struct lookup choose_needs(const struct rules_workflow *w, unsigned verb,
                                  const struct lookup *room[2])
{
    struct lookup needs = {.kind = LOOKUP_ALL, .children = room};
    if (w->when) {
        room[needs.count++] = w->when;
    }
    if (w->watch && verb == RULES_UPDATED) {
        room[needs.count++] = w->watch;
    }
    return needs;
}

int index_wish(struct index *x, struct index_type *t, const struct rules_workflow *w, unsigned verb,
               uint32_t workflow)
{
    const struct lookup *room[2];
    struct lookup needs = choose_needs(w, verb, room);
    return choose_put(x, t, NULL, &needs, verb, workflow);
}

int index_choose(struct index *x, struct index_type *t, const struct index_type *wishes,
                 const struct rules_workflow *w, unsigned verb, uint32_t workflow)
{
    const struct lookup *room[2], *best;
    struct lookup needs = choose_needs(w, verb, room);
    if (choose_share(wishes, &needs, verb, &best) >= 1) {
        return index_list_add(x, &t->unindexed, workflow);
    }
    return choose_put(x, t, wishes, &needs, verb, workflow);
}
