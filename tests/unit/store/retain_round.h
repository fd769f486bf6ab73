// What the tests of retention share: a round, and what it finds.
#ifndef TESTS_STORE_RETAIN_ROUND_H
#define TESTS_STORE_RETAIN_ROUND_H

#include "store/harness.h"

#include "store/retain.h"

enum { RETAIN_DAY_MS = 24 * 60 * 60 * 1000 };

static inline void retain_ignore(struct store_retain *q)
{
    (void)q;
}

// A whole round, with ages from now on: what was removed. *steps: how many it took, or NULL.
static inline struct store_removed retain_round(struct fixture *f, struct store_retain q,
                                                int *steps)
{
    struct store_removed all = {0};
    struct arena arena;
    q.on_done = retain_ignore;
    q.is_done = false;
    for (int n = 1; !q.is_done; n++) {
        arena_init(&arena, 64 << 20);
        q.arena = &arena;
        q.code = 1;
        store_retain(f->store, &q);
        loop_run(f->loop);
        assert_int_equal(q.code, 0);
        arena_fini(&arena);
        all.payloads += q.removed.payloads;
        all.attempts += q.removed.attempts;
        all.events += q.removed.events;
        all.deliveries += q.removed.deliveries;
        if (steps) {
            *steps = n;
        }
    }
    return all;
}

static inline struct store_retain retain_days(const struct fixture *f, int payloads, int attempts,
                                              int ids)
{
    return (struct store_retain){.payloads_until_ms = f->now_ms - payloads * (int64_t)RETAIN_DAY_MS,
                                 .attempts_until_ms = f->now_ms - attempts * (int64_t)RETAIN_DAY_MS,
                                 .ids_until_ms = f->now_ms - ids * (int64_t)RETAIN_DAY_MS};
}

// Attempt `number` of a delivery, now.
static inline void retain_attempt(struct fixture *f, uint64_t id, int number,
                                  enum delivery_state state)
{
    struct store_finish r = {.delivery = id,
                             .state = state,
                             .due_at_ms = f->now_ms + 1000,
                             .attempt = {.number = number,
                                         .at_ms = f->now_ms,
                                         .elapsed_ms = 5,
                                         .status = state == DELIVERY_DELIVERED ? 200 : 500,
                                         .headers = STR("a: b\n"),
                                         .body = STR("answer")}};
    assert_int_equal(do_finish(f, &r), 0);
}

// An event of `record` with `key` (NULL: none) and one delivery.
static inline struct store_event *retain_event(struct fixture *f, const char *record,
                                               const char *key)
{
    struct store_accept *a = make_accept(f, 1);
    a->events[0].record_id = str_from(record);
    a->events[0].key = key ? str_from(key) : (struct str){0};
    a->events[0].digest = key ? 77 : 0;
    add_delivery(f, add_run(f, &a->events[0], "invoice"), "https://a:443");
    assert_int_equal(do_accept(f, a), 0);
    return &a->events[0];
}

static inline uint64_t delivery_of(const struct store_event *ev)
{
    return ev->runs[0].deliveries[0].id;
}

static inline struct str shown_key(struct fixture *f, const struct store_event *ev)
{
    char text[ID_SHOWN_LEN + 1];
    id_show(text, ID_EVENT, ev->id);
    return ev->key.len ? ev->key : arena_dup(&f->arena, str_from(text));
}

enum { RETAIN_MANY = 2000 };

// Events of one record with bodies of some pages, all delivered.
static inline void retain_fill(struct fixture *f)
{
    struct str body = {zalloc(f, 20000), 20000};
    memset((char *)body.data, 'x', body.len);
    for (int i = 0; i < RETAIN_MANY; i += 500) {
        struct store_accept *a = make_accept(f, 500);
        for (size_t k = 0; k < 500; k++) {
            add_delivery(f, add_run(f, &a->events[k], "invoice"), "https://a:443")->body = body;
        }
        assert_int_equal(do_accept(f, a), 0);
        for (size_t k = 0; k < 500; k++) {
            assert_int_equal(set_state(f, delivery_of(&a->events[k]), DELIVERY_DELIVERED, 0), 0);
        }
        f->now_ms += 1000;
    }
}

#endif
