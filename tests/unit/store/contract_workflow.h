// The contract of what is said of workflows: the webhooks they owe, marks that are forgotten,
// replays.
#ifndef TESTS_STORE_CONTRACT_WORKFLOW_H
#define TESTS_STORE_CONTRACT_WORKFLOW_H

#include "store/harness.h"

static inline void workflow_put_ignore(struct store_workflow_put *p)
{
    (void)p;
}

static inline void put_workflow(struct fixture *f, struct store_workflow row)
{
    struct store_workflow_put p = {.row = row, .on_done = workflow_put_ignore, .code = 1};
    store_workflow_put(f->store, &p);
    loop_run(f->loop);
    assert_int_equal(p.code, 0);
}

static inline void put_owed(struct fixture *f, const char *id, enum when_stopped owed,
                            int64_t since_ms)
{
    put_workflow(f, (struct store_workflow){.id = str_from(id),
                                            .owed = owed,
                                            .owed_since_ms = since_ms,
                                            .owed_reason = STR("it was stopped")});
}

static inline void workflows_ignore(struct store_workflows *q)
{
    (void)q;
}

static inline struct store_workflows all_workflows(struct fixture *f)
{
    struct store_workflows q = {.arena = &f->arena, .on_done = workflows_ignore, .code = 1};
    store_workflows(f->store, &q);
    loop_run(f->loop);
    assert_int_equal(q.code, 0);
    return q;
}

static inline void workflow_step_ignore(struct store_workflow_step *q)
{
    (void)q;
}

// Steps to the end; how many deliveries were changed. *steps: how many it took.
static inline size_t step_all(struct fixture *f, const char *id, size_t *steps)
{
    struct store_workflow_step q = {
        .workflow = str_from(id), .now_ms = f->now_ms, .on_done = workflow_step_ignore};
    size_t changed = 0;
    *steps = 0;
    do {
        q.code = 1;
        store_workflow_step(f->store, &q);
        loop_run(f->loop);
        assert_int_equal(q.code, 0);
        changed += q.changed;
        (*steps)++;
    } while (!q.is_done);
    return changed;
}

static inline uint64_t owe_by(struct fixture *f, const char *workflow, const char *target)
{
    struct store_accept *a = make_accept(f, 1);
    struct store_delivery *d = add_delivery(f, add_run(f, &a->events[0], workflow), target);
    assert_int_equal(do_accept(f, a), 0);
    return d->id;
}

static void workflows_are_kept_as_they_were_put(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(all_workflows(f).count, 0);
    put_workflow(f, (struct store_workflow){.id = STR("b"), .started = STOPPED_BY_OPERATOR});
    put_workflow(f, (struct store_workflow){.id = STR("a"),
                                            .started = STARTED_BY_OPERATOR,
                                            .when_stopped = WHEN_STOPPED_CANCEL,
                                            .suspended_at_ms = 5,
                                            .suspended_text = UINT64_MAX - 1,
                                            .suspended_reason = STR("a loop"),
                                            .owed = WHEN_STOPPED_HOLD,
                                            .owed_since_ms = 6,
                                            .owed_reason = STR("held"),
                                            .is_owed_done = true});
    fixture_reopen(f);
    struct store_workflows all = all_workflows(f);
    assert_int_equal(all.count, 2);
    const struct store_workflow *a = &all.rows[0], *b = &all.rows[1];
    assert_str(a->id, STR("a"));
    assert_str(b->id, STR("b"));
    assert_int_equal(b->started, STOPPED_BY_OPERATOR);
    assert_int_equal(b->suspended_at_ms, 0);
    assert_str(b->suspended_reason, STR(""));
    assert_int_equal(a->started, STARTED_BY_OPERATOR);
    assert_int_equal(a->when_stopped, WHEN_STOPPED_CANCEL);
    assert_true(a->suspended_at_ms == 5 && a->owed_since_ms == 6 && a->is_owed_done);
    assert_true(a->suspended_text == UINT64_MAX - 1);
    assert_str(a->suspended_reason, STR("a loop"));
    assert_int_equal(a->owed, WHEN_STOPPED_HOLD);
    assert_str(a->owed_reason, STR("held"));
    put_workflow(f, (struct store_workflow){.id = STR("a")});
    assert_int_equal(all_workflows(f).rows[0].started, STARTED_BY_FILE);
}

static void what_is_owed_is_held_and_let_go(void **state)
{
    struct fixture *f = *state;
    size_t steps;
    uint64_t pending = owe_by(f, "x", "https://a.example:443");
    uint64_t failed = owe_by(f, "x", "https://b.example:443");
    uint64_t done = owe_by(f, "x", "https://b.example:443");
    uint64_t other = owe_by(f, "y", "https://a.example:443");
    struct store_finish first = {.delivery = failed,
                                 .state = DELIVERY_RETRYING,
                                 .due_at_ms = f->now_ms + 15000,
                                 .base_ms = f->now_ms,
                                 .attempt = {.number = 1, .status = 503}};
    assert_int_equal(do_finish(f, &first), 0);
    assert_int_equal(set_state(f, done, DELIVERY_DELIVERED, 0), 0);
    put_owed(f, "x", WHEN_STOPPED_HOLD, f->now_ms);
    uint64_t born = owe_by(f, "x", "https://a.example:443");
    assert_int_equal(step_all(f, "x", &steps), 2);
    uint64_t held[] = {pending, failed, born};
    for (size_t i = 0; i < COUNT_OF(held); i++) {
        struct store_delivery_row *row = read_delivery_of(f, held[i]);
        assert_int_equal(row->owed.state, DELIVERY_HELD);
        assert_str(row->reason, STR("it was stopped"));
    }
    assert_int_equal(read_delivery_of(f, done)->owed.state, DELIVERY_DELIVERED);
    assert_int_equal(read_delivery_of(f, other)->owed.state, DELIVERY_PENDING);
    assert_int_equal(store_owed_count(f->store), 4);
    assert_true(all_workflows(f).rows[0].is_owed_done);

    put_owed(f, "x", WHEN_STOPPED_FINISH, f->now_ms);
    int64_t started_ms = f->now_ms;
    f->now_ms += 1000000;
    assert_int_equal(step_all(f, "x", &steps), 3);
    assert_int_equal(read_delivery_of(f, pending)->owed.state, DELIVERY_PENDING);
    assert_true(read_delivery_of(f, pending)->owed.due_at_ms == started_ms + 1000000);
    assert_int_equal(read_delivery_of(f, born)->owed.state, DELIVERY_PENDING);
    struct store_delivery_row *row = read_delivery_of(f, failed);
    assert_int_equal(row->owed.state, DELIVERY_RETRYING);
    assert_true(row->owed.base_ms == started_ms + 1000000);
    assert_true(row->owed.due_at_ms == started_ms + 15000 + 1000000);
    assert_str(row->reason, STR(""));
    assert_int_equal(read_delivery_of(f, owe_by(f, "x", "https://a.example:443"))->owed.state,
                     DELIVERY_PENDING);
}

static void what_is_owed_is_cancelled_in_bounded_steps(void **state)
{
    struct fixture *f = *state;
    enum { EVENTS = 2500 };
    struct store_accept *a = make_accept(f, EVENTS);
    for (size_t i = 0; i < EVENTS; i++) {
        struct store_run *run = add_run(f, &a->events[i], i % 2 ? "x" : "y");
        add_delivery(f, run, i % 3 ? "https://a.example:443" : "https://b.example:443");
    }
    assert_int_equal(do_accept(f, a), 0);
    put_owed(f, "x", WHEN_STOPPED_CANCEL, 0);
    size_t steps;
    assert_int_equal(step_all(f, "x", &steps), EVENTS / 2);
    assert_in_range(steps, 2, 20);
    assert_int_equal(store_owed_count(f->store), EVENTS / 2);
    for (size_t i = 0; i < EVENTS; i++) {
        uint64_t id = a->events[i].runs[0].deliveries[0].id;
        enum delivery_state wanted = i % 2 ? DELIVERY_CANCELLED : DELIVERY_PENDING;
        if (read_delivery_of(f, id)->owed.state != wanted) {
            fail_case(i, "not %s", delivery_state_word(wanted));
        }
    }
    uint64_t born = owe_by(f, "x", "https://a.example:443");
    assert_int_equal(read_delivery_of(f, born)->owed.state, DELIVERY_CANCELLED);
    assert_int_equal(store_owed_count(f->store), EVENTS / 2);
}

// Its attempt was under way when it was held or cancelled.
static void a_failed_attempt_leaves_what_was_held_or_cancelled(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum when_stopped owed;
        enum delivery_state outcome, wanted;
        int owed_count;
    } cases[] = {
        {WHEN_STOPPED_HOLD, DELIVERY_RETRYING, DELIVERY_HELD, 1},
        {WHEN_STOPPED_HOLD, DELIVERY_DELIVERED, DELIVERY_DELIVERED, 0},
        {WHEN_STOPPED_CANCEL, DELIVERY_RETRYING, DELIVERY_CANCELLED, 0},
        {WHEN_STOPPED_CANCEL, DELIVERY_DELIVERED, DELIVERY_DELIVERED, 0},
    };
    int owed_count = 0;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        for (int number = 1; number <= 2; number++) {
            size_t steps;
            put_owed(f, "x", WHEN_STOPPED_FINISH, 0);
            uint64_t id = owe_by(f, "x", "https://a.example:443");
            put_owed(f, "x", cases[i].owed, 0);
            step_all(f, "x", &steps);
            struct store_finish end = {.delivery = id,
                                       .state = cases[i].outcome,
                                       .due_at_ms = f->now_ms + 15000,
                                       .base_ms = f->now_ms,
                                       .attempt = {.number = number, .status = 500}};
            assert_int_equal(do_finish(f, &end), 0);
            struct store_delivery_row *row = read_delivery_of(f, id);
            if (row->owed.state != cases[i].wanted || end.state != cases[i].wanted) {
                fail_case(i, "%s", delivery_state_word(row->owed.state));
            }
            bool is_kept = cases[i].wanted != DELIVERY_DELIVERED;
            assert_str(row->reason, is_kept ? STR("it was stopped") : STR(""));
            assert_int_equal(row->owed.attempt_count, number);
            owed_count += cases[i].owed_count;
            assert_int_equal(store_owed_count(f->store), owed_count);
        }
    }
}

static inline void mark_forget_ignore(struct store_mark_forget *q)
{
    (void)q;
}

static inline bool forget_mark(struct fixture *f, const char *workflow, const char *record)
{
    struct store_mark_forget q = {.workflow = str_from(workflow),
                                  .record_type = STR("deal"),
                                  .record_id = str_from(record),
                                  .on_done = mark_forget_ignore,
                                  .code = 1};
    store_mark_forget(f->store, &q);
    loop_run(f->loop);
    assert_int_equal(q.code, 0);
    return q.was_marked;
}

static inline bool takes_mark(struct fixture *f, const char *workflow)
{
    struct store_accept *a = make_accept(f, 1);
    struct store_run *run = add_run(f, &a->events[0], workflow);
    run->mark = (struct store_mark){.is_set = true, .until_ms = INT64_MAX};
    add_delivery(f, run, "https://a.example:443");
    assert_int_equal(do_accept(f, a), 0);
    return !run->was_marked;
}

static void a_mark_is_forgotten_for_one_record(void **state)
{
    struct fixture *f = *state;
    assert_false(forget_mark(f, "x", "4021"));
    assert_true(takes_mark(f, "x") && takes_mark(f, "y"));
    assert_false(forget_mark(f, "x", "1"));
    assert_true(forget_mark(f, "x", "4021"));
    assert_false(takes_mark(f, "y"));
    assert_true(takes_mark(f, "x"));
    assert_false(takes_mark(f, "x"));
}

static void a_replay_adds_to_the_event(void **state)
{
    struct fixture *f = *state;
    struct store_accept *a = make_accept(f, 1);
    a->events[0].key = STR("e1");
    struct store_run *run = add_run(f, &a->events[0], "x");
    run->mark = (struct store_mark){.is_set = true, .until_ms = INT64_MAX};
    uint64_t first = add_delivery(f, run, "https://a.example:443")->id;
    assert_int_equal(do_accept(f, a), 0);
    uint64_t id = a->events[0].id;
    uint64_t ids[2];
    for (int round = 0; round < 2; round++) {
        struct store_accept *again = make_accept(f, 1);
        again->events[0].id = id;
        again->events[0].is_replay = true;
        add_run(f, &again->events[0], "broken")->outcome = RUN_ERROR;
        run = add_run(f, &again->events[0], "x");
        run->mark =
            (struct store_mark){.is_set = true, .until_ms = INT64_MAX, .is_forced = round == 1};
        ids[round] = add_delivery(f, run, "https://b.example:443")->id;
        assert_int_equal(do_accept(f, again), 0);
        assert_int_equal(run->was_marked, round == 0);
    }
    fixture_reopen(f);
    struct store_event_row *row;
    assert_int_equal(read_event_of(f, STR("e1"), &row), 0);
    assert_int_equal(row->run_count, 4); // the first, an error, an error and the forced one
    assert_true(!row->runs[0].is_replay && row->runs[0].delivery_ids[0] == first);
    assert_true(row->runs[1].is_replay && row->runs[1].outcome == RUN_ERROR);
    assert_true(row->runs[3].is_replay && row->runs[3].outcome == RUN_SENT);
    assert_true(row->runs[3].delivery_ids[0] == ids[1]);
    assert_true(read_delivery_of(f, ids[1])->owed.event == id);
    struct store_read runs = {.kind = STORE_READ_RUNS,
                              .filter = {.has_outcome = true, .outcome = RUN_ERROR},
                              .limit = 10};
    assert_int_equal(do_read(f, &runs), 0);
    assert_int_equal(runs.count, 2);
    // The event posted again is answered as it was at first.
    struct store_accept *b = make_accept(f, 1);
    b->events[0].key = STR("e1");
    assert_int_equal(do_accept(f, b), 0);
    assert_true(b->events[0].is_duplicate && b->events[0].delivery_count == 1);
    assert_true(b->events[0].delivery_ids[0] == first);
    // One that is not there changes nothing.
    struct store_accept *c = make_accept(f, 1);
    c->events[0].is_replay = true;
    add_delivery(f, add_run(f, &c->events[0], "x"), "https://a.example:443");
    int64_t owed = store_owed_count(f->store);
    assert_int_equal(do_accept(f, c), ERR_NOT_FOUND);
    assert_true(store_owed_count(f->store) == owed);
}

static void an_event_keeps_what_it_was_compared_with(void **state)
{
    struct fixture *f = *state;
    struct store_accept *a = make_accept(f, 2);
    a->events[0].payload = STR("{\"record\":{\"id\":4021,\"n\":1}}");
    a->events[1].key = STR("e2");
    a->events[1].needs_version = true;
    a->events[1].judged_version = a->events[0].id;
    assert_int_equal(do_accept(f, a), 0);
    struct store_event_row *row;
    assert_int_equal(read_event_of(f, STR("e2"), &row), 0);
    assert_str(row->before, a->events[0].payload);
}

#endif
