#include "engine/loops.h"

#include <stdlib.h>

#include "base/hash.h"

enum { SETS = 2048, WAYS = 8 };

struct counted { // a workflow and a record
    uint64_t key;
    int64_t over_at_ms; // the last that was too many
    int count;
    int64_t runs_ms[LOOPS_RUNS_MAX]; // the oldest first
};

struct loops {
    struct hash_key hash;
    struct counted *all; // SETS of WAYS; NULL until the first
};

struct loops *loops_new(void)
{
    struct loops *l = calloc(1, sizeof *l);
    if (l) {
        random_bytes(&l->hash, sizeof l->hash);
    }
    return l;
}

void loops_free(struct loops *l)
{
    if (l) {
        free(l->all);
        free(l);
    }
}

// Each part with its own hash in the next one's key, so that no text of one can stand for two.
static uint64_t loops_key(const struct loops *l, struct str workflow, struct str record_type,
                          struct str record_id)
{
    uint64_t parts[3] = {hash_bytes(&l->hash, workflow.data, workflow.len),
                         hash_bytes(&l->hash, record_type.data, record_type.len),
                         hash_bytes(&l->hash, record_id.data, record_id.len)};
    uint64_t key = hash_bytes(&l->hash, parts, sizeof parts);
    return key ? key : 1; // 0: free
}

static void forget_old(struct counted *c, int64_t now_ms)
{
    int old = 0;
    while (old < c->count && now_ms - c->runs_ms[old] >= LOOPS_WITHIN_MS) {
        old++;
    }
    c->count -= old;
    memmove(c->runs_ms, c->runs_ms + old, (size_t)c->count * sizeof c->runs_ms[0]);
}

static bool goes_before(const struct counted *a, const struct counted *b)
{
    return a->count < b->count || (a->count == b->count && a->count &&
                                   a->runs_ms[a->count - 1] < b->runs_ms[b->count - 1]);
}

// Its place, or the one of who ran least in its set.
static struct counted *find(struct loops *l, uint64_t key, int64_t now_ms)
{
    struct counted *set = &l->all[key % SETS * WAYS];
    struct counted *least = set;
    for (int i = 0; i < WAYS; i++) {
        forget_old(&set[i], now_ms);
        if (set[i].key == key) {
            return &set[i];
        }
        least = goes_before(&set[i], least) ? &set[i] : least;
    }
    *least = (struct counted){.key = key, .over_at_ms = now_ms - LOOPS_WITHIN_MS};
    return least;
}

enum loops_verdict loops_count(struct loops *l, struct str workflow, struct str record_type,
                               struct str record_id, int64_t now_ms)
{
    if (l->all == NULL) {
        l->all = calloc(SETS * WAYS, sizeof *l->all);
    }
    if (l->all == NULL) {
        return LOOPS_FINE;
    }
    struct counted *c = find(l, loops_key(l, workflow, record_type, record_id), now_ms);
    if (c->count < LOOPS_RUNS_MAX) {
        c->runs_ms[c->count++] = now_ms;
        return LOOPS_FINE;
    }
    bool is_first = now_ms - c->over_at_ms >= LOOPS_WITHIN_MS;
    c->over_at_ms = now_ms;
    return is_first ? LOOPS_FIRST : LOOPS_OVER;
}

void loops_say(struct buf *out, struct str record_type, struct str record_id)
{
    buf_printf(out,
               "more than %d runs for the " STR_FMT " " STR_FMT
               " in a minute: workflows may feed one another in a circle",
               LOOPS_RUNS_MAX, STR_ARG(record_type), STR_ARG(record_id));
}

void loops_take_back(struct loops *l, struct str workflow, struct str record_type,
                     struct str record_id)
{
    uint64_t key = loops_key(l, workflow, record_type, record_id);
    struct counted *set = l->all ? &l->all[key % SETS * WAYS] : NULL;
    for (int i = 0; set && i < WAYS; i++) {
        if (set[i].key == key && set[i].count) {
            set[i].count--;
        }
    }
}
