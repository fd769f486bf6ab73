// The contract of a pause of everything: a mark. The times stay: the running time stands still.
#ifndef TESTS_STORE_CONTRACT_PAUSE_H
#define TESTS_STORE_CONTRACT_PAUSE_H

#include "store/contract_workflow.h"
#include "store/targets.h"

static inline struct store_pause_put put_pause_of_all(struct fixture *f, bool is_paused)
{
    struct store_pause_put p = {.is_paused = is_paused,
                                .who = STR("me"),
                                .now_ms = f->now_ms,
                                .on_done = pause_put_ignore,
                                .code = 1};
    store_pause_put(f->store, &p);
    loop_run(f->loop);
    assert_int_equal(p.code, 0);
    return p;
}

static inline void pauses_ignore(struct store_pauses *q)
{
    (void)q;
}

static inline struct store_pauses all_pauses(struct fixture *f)
{
    struct store_pauses q = {.arena = &f->arena, .on_done = pauses_ignore, .code = 1};
    store_pauses(f->store, &q);
    loop_run(f->loop);
    assert_int_equal(q.code, 0);
    return q;
}

static void a_pause_of_everything_is_a_mark(void **state)
{
    struct fixture *f = *state;
    uint64_t fresh = owe_by(f, "x", "https://a.example:443");
    uint64_t failed = owe_by(f, "x", "https://a.example:443");
    struct store_finish first = {.delivery = failed,
                                 .state = DELIVERY_RETRYING,
                                 .due_at_ms = f->now_ms + 15000,
                                 .base_ms = f->now_ms,
                                 .attempt = {.number = 1, .status = 503}};
    assert_int_equal(do_finish(f, &first), 0);
    assert_int_equal(all_pauses(f).all_since_ms, 0);
    int64_t since_ms = f->now_ms;
    assert_str(put_pause_of_all(f, true).before, STR("not paused"));
    f->now_ms += 1000;
    assert_str(put_pause_of_all(f, true).before, STR("paused"));
    fixture_reopen(f);
    struct store_pauses q = all_pauses(f);
    assert_true(q.all_since_ms == since_ms && q.count == 0);
    assert_str(q.all_by, STR("me"));
    assert_int_equal(read_delivery_of(f, fresh)->owed.state, DELIVERY_PENDING);
    assert_int_equal(read_delivery_of(f, failed)->owed.state, DELIVERY_RETRYING);
    f->now_ms += 1000000;
    assert_str(put_pause_of_all(f, false).before, STR("paused"));
    assert_int_equal(all_pauses(f).all_since_ms, 0);
    struct store_delivery_row *row = read_delivery_of(f, failed);
    assert_true(row->owed.base_ms == first.base_ms && row->owed.due_at_ms == first.due_at_ms);
    assert_str(put_pause_of_all(f, false).before, STR("not paused"));
}

// What waits in its order while its target is paused is moved by the pause as what is held for it.
static void a_pause_moves_what_waits_in_an_order(void **state)
{
    struct fixture *f = *state;
    const struct str target = STR("https://a.example:443");
    for (int is_latest = 0; is_latest < 2; is_latest++) {
        const char *key = is_latest ? "l" : "r";
        uint64_t first, second;
        struct store_pause_step pause = {.target = target}, resume = pause;
        assert_false(owe_in_order(f, key, is_latest, &first));
        assert_true(owe_in_order(f, key, is_latest, &second));
        int64_t due_ms = read_delivery_of(f, second)->owed.due_at_ms;
        say_pause(f, target, true);
        assert_int_equal(step_pause(f, &pause), 0);
        f->now_ms += 7000;
        say_pause(f, target, false);
        assert_int_equal(step_pause(f, &resume), 0);
        assert_int_equal(read_delivery_of(f, first)->owed.due_at_ms, due_ms + 7000);
        assert_int_equal(read_delivery_of(f, second)->owed.due_at_ms, due_ms + 7000);
        assert_int_equal(read_delivery_of(f, second)->owed.state, DELIVERY_HELD);
    }
}

#endif
