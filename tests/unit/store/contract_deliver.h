// The contract of what follows an accepted event: finish, what is due, leases.
#ifndef TESTS_STORE_CONTRACT_DELIVER_H
#define TESTS_STORE_CONTRACT_DELIVER_H

#include "store/harness.h"
#include "store/targets.h"

static void finish_keeps_every_attempt(void **state)
{
    struct fixture *f = *state;
    uint64_t id = owe_one(f, "https://a.example:443", f->now_ms);
    struct store_finish first = {
        .delivery = id,
        .state = DELIVERY_RETRYING,
        .due_at_ms = f->now_ms + 15000,
        .base_ms = f->now_ms + 40,
        .reason = STR("busy"),
        .attempt = {.number = 1,
                    .at_ms = f->now_ms + 10,
                    .elapsed_ms = 30,
                    .status = 503,
                    .headers = STR("retry-after: 5\nserver: x\n"),
                    .body = STR("busy\0 here"),
                    .body_is_truncated = true},
    };
    assert_int_equal(do_finish(f, &first), 0);
    struct store_delivery_row *row = read_delivery_of(f, id);
    assert_int_equal(row->owed.state, DELIVERY_RETRYING);
    assert_true(row->owed.due_at_ms == f->now_ms + 15000 && row->owed.base_ms == f->now_ms + 40);
    assert_int_equal(row->owed.attempt_count, 1);
    assert_str(row->reason, STR("busy"));

    struct store_finish second = {.delivery = id,
                                  .state = DELIVERY_RETRYING,
                                  .due_at_ms = f->now_ms + 60000,
                                  .base_ms = f->now_ms + 40,
                                  .attempt = {.number = 2,
                                              .at_ms = f->now_ms + 15000,
                                              .elapsed_ms = 5000,
                                              .error = STR("timeout"),
                                              .detail = STR("no answer within 5 s")}};
    assert_int_equal(do_finish(f, &second), 0);
    struct store_finish third = {
        .delivery = id,
        .state = DELIVERY_DELIVERED,
        .base_ms = f->now_ms + 40,
        .attempt = {.number = 3, .at_ms = f->now_ms + 60000, .status = 204}};
    assert_int_equal(do_finish(f, &third), 0);
    fixture_reopen(f);

    row = read_delivery_of(f, id);
    assert_int_equal(row->owed.state, DELIVERY_DELIVERED);
    assert_true(row->owed.due_at_ms == 0);
    assert_str(row->reason, STR(""));
    assert_int_equal(row->owed.attempt_count, 3);
    assert_int_equal(row->attempt_count, 3);
    const struct store_attempt *t = row->attempts;
    assert_int_equal(t[0].number, 1);
    assert_true(t[0].at_ms == f->now_ms + 10 && t[0].elapsed_ms == 30);
    assert_int_equal(t[0].status, 503);
    assert_str(t[0].error, STR(""));
    assert_str(t[0].headers, first.attempt.headers);
    assert_str(t[0].body, first.attempt.body);
    assert_true(t[0].body_is_truncated);
    assert_int_equal(t[1].number, 2);
    assert_int_equal(t[1].status, 0);
    assert_str(t[1].error, STR("timeout"));
    assert_str(t[1].detail, STR("no answer within 5 s"));
    assert_false(t[1].body_is_truncated);
    assert_int_equal(t[2].number, 3);
    assert_int_equal(t[2].status, 204);
}

static void finish_without_an_attempt_changes_the_state(void **state)
{
    struct fixture *f = *state;
    uint64_t id = owe_one(f, "https://a.example:443", f->now_ms);
    struct store_finish end = {
        .delivery = id, .state = DELIVERY_CANCELLED, .reason = STR("by an operator")};
    assert_int_equal(do_finish(f, &end), 0);
    struct store_delivery_row *row = read_delivery_of(f, id);
    assert_int_equal(row->owed.state, DELIVERY_CANCELLED);
    assert_str(row->reason, STR("by an operator"));
    assert_int_equal(row->attempt_count, 0);
    assert_int_equal(row->owed.attempt_count, 0);
}

static void finish_of_an_unknown_delivery_fails_alone(void **state)
{
    struct fixture *f = *state;
    uint64_t id = owe_one(f, "https://a.example:443", f->now_ms);
    struct store_finish ends[3];
    for (size_t i = 0; i < 3; i++) {
        ends[i] = (struct store_finish){.delivery = i == 1 ? id : next_id(f),
                                        .state = DELIVERY_DELIVERED,
                                        .attempt = {.number = (int)i + 1, .status = 200},
                                        .on_done = finish_ignore};
        store_finish(f->store, &ends[i]);
    }
    loop_run(f->loop);
    assert_int_equal(ends[0].code, ERR_NOT_FOUND);
    assert_int_equal(ends[1].code, 0);
    assert_int_equal(ends[2].code, ERR_NOT_FOUND);
    assert_int_equal(read_delivery_of(f, id)->owed.state, DELIVERY_DELIVERED);
    assert_int_equal(store_owed_count(f->store), 0);
}

// The outcome of a delivery as an event that makes one more owed.
static struct store_event *add_outcome(struct fixture *f, struct store_finish *end)
{
    struct store_event *ev = zalloc(f, sizeof *ev);
    *ev = (struct store_event){.id = next_id(f),
                               .type = STR("webhook.delivered"),
                               .record_type = STR("webhook"),
                               .record_id = STR("dlv_1"),
                               .time_ms = f->now_ms,
                               .received_at_ms = f->now_ms,
                               .payload = STR("{\"type\":\"webhook.delivered\"}"),
                               .is_stateless = true};
    add_delivery(f, add_run(f, ev, "next"), "https://b.example:443");
    end->events = ev;
    end->event_count = 1;
    return ev;
}

static void finish_stores_its_events_with_what_they_owe(void **state)
{
    struct fixture *f = *state;
    uint64_t id = owe_one(f, "https://a.example:443", f->now_ms);
    struct store_finish end = {
        .delivery = id, .state = DELIVERY_DELIVERED, .attempt = {.number = 1, .status = 200}};
    struct store_event *ev = add_outcome(f, &end);
    assert_int_equal(do_finish(f, &end), 0);
    assert_int_equal(store_owed_count(f->store), 1);
    fixture_reopen(f);
    assert_int_equal(store_owed_count(f->store), 1);
    assert_int_equal(read_delivery_of(f, id)->owed.state, DELIVERY_DELIVERED);
    struct store_delivery_row *next = read_delivery_of(f, ev->runs[0].deliveries[0].id);
    assert_int_equal(next->owed.state, DELIVERY_PENDING);
    assert_str(next->owed.workflow, STR("next"));
    assert_str(next->owed.record_type, STR("webhook"));
    struct store_event_row *row;
    assert_int_equal(read_event_of(f, next->owed.event_key, &row), 0);
    assert_true(row->id == ev->id && row->run_count == 1);
    assert_str(row->type, ev->type);
    assert_str(row->payload, ev->payload);
    assert_true(row->runs[0].delivery_ids[0] == next->owed.id);
    assert_true(read_record_of(f, "webhook", "dlv_1").version == 0); // it is no record's state
}

static void finish_takes_the_marks_of_its_events(void **state)
{
    struct fixture *f = *state;
    for (int round = 0; round < 2; round++) {
        uint64_t id = owe_one(f, "https://a.example:443", f->now_ms);
        struct store_finish end = {
            .delivery = id, .state = DELIVERY_TERMINATED, .attempt = {.number = 1, .status = 500}};
        struct store_event *ev = add_outcome(f, &end);
        ev->runs[0].mark = (struct store_mark){.is_set = true, .until_ms = INT64_MAX};
        ev->runs[0].was_marked = true; // left from another try
        assert_int_equal(do_finish(f, &end), 0);
        assert_int_equal(ev->runs[0].was_marked, round == 1);
        assert_int_equal(store_owed_count(f->store), 1);
        assert_int_equal(count_of(f, STORE_READ_EVENTS), 2 * (round + 1));
    }
}

static void finish_of_an_unknown_delivery_stores_no_event(void **state)
{
    struct fixture *f = *state;
    struct store_finish end = {.delivery = next_id(f), .state = DELIVERY_DELIVERED};
    add_outcome(f, &end);
    assert_int_equal(do_finish(f, &end), ERR_NOT_FOUND);
    assert_int_equal(store_owed_count(f->store), 0);
    assert_int_equal(count_of(f, STORE_READ_EVENTS), 0);
}

static void a_recheck_is_wanted_until_it_was_made(void **state)
{
    struct fixture *f = *state;
    static const struct {
        bool wants;
        struct str previous;
    } cases[] = {{false, {NULL, 0}}, {true, {NULL, 0}}, {true, STR("{\"deal_stage\":\"New\"}")}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct store_accept *a = make_accept(f, 1);
        struct store_delivery *d =
            add_delivery(f, add_run(f, &a->events[0], "x"), "https://a.example:443");
        d->wants_recheck = cases[i].wants;
        d->recheck_previous = cases[i].previous;
        assert_int_equal(do_accept(f, a), 0);
        struct store_finish hold = {.delivery = d->id, .state = DELIVERY_HELD};
        assert_int_equal(do_finish(f, &hold), 0);
        struct store_finish go_on = {
            .delivery = d->id, .state = DELIVERY_PENDING, .due_at_ms = f->now_ms};
        assert_int_equal(do_finish(f, &go_on), 0);
        fixture_reopen(f);
        struct store_due_target t = {
            .target = STR("https://a.example:443"), .shards = ALL_SHARDS, .quota = 9};
        struct store_due due = do_due(f, &t, 1, f->now_ms);
        assert_int_equal(due.owed_count, 1);
        assert_int_equal(due.owed[0].wants_recheck, cases[i].wants);
        assert_str(due.owed[0].recheck_previous,
                   cases[i].previous.len ? cases[i].previous : STR(""));
        go_on.is_rechecked = true;
        assert_int_equal(do_finish(f, &go_on), 0);
        assert_false(read_delivery_of(f, d->id)->owed.wants_recheck);
        assert_int_equal(set_state(f, d->id, DELIVERY_DELIVERED, 0), 0);
    }
}

static void owed_count_follows_every_change(void **state)
{
    struct fixture *f = *state;
    uint64_t id = owe_one(f, "https://a.example:443", f->now_ms);
    owe_one(f, "https://b.example:443", f->now_ms);
    struct store_accept *a = make_accept(f, 1);
    add_delivery(f, add_run(f, &a->events[0], "x"), "https://a.example:443")->state =
        DELIVERY_INVALID;
    assert_int_equal(do_accept(f, a), 0);
    struct store_accept *b = make_accept(f, 1);
    add_delivery(f, add_run(f, &b->events[0], "x"), "https://a.example:443")->state = DELIVERY_HELD;
    assert_int_equal(do_accept(f, b), 0);
    assert_int_equal(store_owed_count(f->store), 3);
    // `id` goes through these; two others stay owed.
    static const struct {
        enum delivery_state state;
        int owed;
    } steps[] = {
        {DELIVERY_RETRYING, 3},   {DELIVERY_HELD, 3},       {DELIVERY_PENDING, 3},
        {DELIVERY_DELIVERED, 2},  {DELIVERY_TERMINATED, 2}, {DELIVERY_RETRYING, 3},
        {DELIVERY_CANCELLED, 2},  {DELIVERY_SUPERSEDED, 2}, {DELIVERY_PENDING, 3},
        {DELIVERY_TERMINATED, 2},
    };
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        assert_int_equal(set_state(f, id, steps[i].state, f->now_ms), 0);
        if (store_owed_count(f->store) != steps[i].owed) {
            fail_case(i, "%lld owed", (long long)store_owed_count(f->store));
        }
        if (i % 3 == 0) {
            fixture_reopen(f);
            assert_int_equal(store_owed_count(f->store), steps[i].owed);
        }
    }
}

static void due_gives_the_heads_of_each_target(void **state)
{
    struct fixture *f = *state;
    enum { DEAD_ROWS = 300 };
    for (int i = 0; i < DEAD_ROWS; i++) { // a dead target owes more than anyone may take
        owe_one(f, "https://dead.example:443", f->now_ms - 1000000 + i);
    }
    uint64_t late = owe_one(f, "https://b.example:443", f->now_ms - 10);
    uint64_t early = owe_one(f, "https://b.example:443", f->now_ms - 20);
    owe_one(f, "https://b.example:443", f->now_ms + 1);
    uint64_t other = owe_one(f, "https://c.example:443", f->now_ms);
    struct store_due_target targets[] = {
        {.target = STR("https://b.example:443"), .shards = ALL_SHARDS, .quota = 10},
        {.target = STR("https://unknown.example:443"), .shards = ALL_SHARDS, .quota = 10},
        {.target = STR("https://dead.example:443"), .shards = ALL_SHARDS, .quota = 2},
        {.target = STR("https://c.example:443"), .shards = ALL_SHARDS, .quota = 1},
        {.target = STR("https://c.example:443"), .shards = ALL_SHARDS, .quota = 0},
    };
    struct store_due d = do_due(f, targets, COUNT_OF(targets), f->now_ms);
    assert_int_equal(d.code, 0);
    assert_int_equal(d.owed_count, 5);
    assert_true(d.owed[0].id == early && d.owed[1].id == late);
    assert_str(d.owed[0].target, STR("https://b.example:443"));
    assert_str(d.owed[0].body, STR("{\"amount\":1}"));
    assert_str(d.owed[0].workflow, STR("invoice"));
    assert_true(d.owed[0].event_key.len == ID_SHOWN_LEN);
    assert_true(d.owed[2].due_at_ms == f->now_ms - 1000000);
    assert_true(d.owed[3].due_at_ms == f->now_ms - 1000000 + 1);
    assert_true(d.owed[4].id == other);
    assert_true(targets[0].next_due_at_ms == f->now_ms + 1);
    assert_true(targets[1].next_due_at_ms == INT64_MAX);
    assert_true(targets[2].next_due_at_ms == f->now_ms - 1000000 + 2);
    assert_true(targets[3].next_due_at_ms == INT64_MAX);
    assert_true(targets[4].next_due_at_ms == f->now_ms);
}

static void due_has_what_is_pending_or_retrying(void **state)
{
    struct fixture *f = *state;
    for (enum delivery_state s = DELIVERY_PENDING; s <= DELIVERY_SUPERSEDED; s++) {
        uint64_t id = owe_one(f, "https://a.example:443", f->now_ms);
        struct store_finish change = {.delivery = id,
                                      .state = s,
                                      .due_at_ms = f->now_ms - 10 + (int)s,
                                      .base_ms = 77,
                                      .attempt = {.number = 1, .status = 500}};
        assert_int_equal(do_finish(f, &change), 0);
    }
    struct store_due_target t = {
        .target = STR("https://a.example:443"), .shards = ALL_SHARDS, .quota = 100};
    struct store_due d = do_due(f, &t, 1, f->now_ms);
    assert_int_equal(d.owed_count, 2);
    assert_int_equal(d.owed[0].state, DELIVERY_PENDING);
    assert_int_equal(d.owed[1].state, DELIVERY_RETRYING);
    assert_true(d.owed[1].due_at_ms == f->now_ms - 9 && d.owed[1].base_ms == 77);
    assert_int_equal(d.owed[1].attempt_count, 1);
}

struct over_case {
    enum delivery_state state;
    int64_t base_ago_ms; // 0: it has none
    int64_t due_ago_ms;
    int64_t window_ms; // 0: the default
    bool is_over;
};

static uint64_t owe_over_case(struct fixture *f, const struct over_case *c)
{
    struct store_accept *a = make_accept(f, 1);
    struct store_delivery *d =
        add_delivery(f, add_run(f, &a->events[0], "invoice"), "https://a.example:443");
    bool is_tried = c->base_ago_ms != 0;
    d->due_at_ms = f->now_ms - c->due_ago_ms;
    d->window_ms = is_tried ? 0 : c->window_ms;
    assert_int_equal(do_accept(f, a), 0);
    struct store_finish failed = {.delivery = d->id,
                                  .state = c->state,
                                  .due_at_ms = f->now_ms - c->due_ago_ms,
                                  .base_ms = is_tried ? f->now_ms - c->base_ago_ms : 0,
                                  .window_ms = is_tried ? c->window_ms : 0,
                                  .attempt = {.number = is_tried, .status = 503}};
    if (is_tried || c->state != DELIVERY_PENDING) {
        assert_int_equal(do_finish(f, &failed), 0);
    }
    return d->id;
}

// Behind any number of others that have more time left.
static void what_is_over_is_found_wherever_it_stands(void **state)
{
    static const struct over_case cases[] = {
        {DELIVERY_PENDING, 0, 9000, 1000000, false}, {DELIVERY_PENDING, 0, 100, 100, true},
        {DELIVERY_PENDING, 0, 100, 101, false},      {DELIVERY_PENDING, 0, 1000, 0, true},
        {DELIVERY_PENDING, 0, 999, 0, false},        {DELIVERY_RETRYING, 50000, 1, 49999, true},
        {DELIVERY_RETRYING, 50000, 1, 50001, false}, {DELIVERY_HELD, 50000, 1, 10, false},
        {DELIVERY_TERMINATED, 50000, 1, 10, false},
    };
    struct fixture *f = *state;
    uint64_t ids[COUNT_OF(cases)];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ids[i] = owe_over_case(f, &cases[i]);
    }
    struct store_due_target t = {.target = STR("https://a.example:443"),
                                 .shards = ALL_SHARDS,
                                 .quota = 100,
                                 .is_over = true};
    struct store_due d = do_due(f, &t, 1, f->now_ms);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bool is_there = false;
        for (size_t k = 0; k < d.owed_count; k++) {
            is_there |= d.owed[k].id == ids[i];
        }
        if (is_there != cases[i].is_over) {
            fail_case(i, "over: %d", is_there);
        }
    }
    assert_false(t.has_more);
    t.quota = 1; // of those with a window of their own, and of the others
    d = do_due(f, &t, 1, f->now_ms);
    assert_int_equal(d.owed_count, 2);
    assert_true(t.has_more);
}

static void due_keeps_to_the_shards_asked_for(void **state)
{
    struct fixture *f = *state;
    unsigned per_shard[STORE_SHARDS] = {0};
    for (int i = 0; i < 64; i++) {
        per_shard[store_shard((struct str){NULL, 0},
                              owe_one(f, "https://a.example:443", f->now_ms))]++;
    }
    for (unsigned shard = 0; shard < STORE_SHARDS; shard++) {
        struct store_due_target t = {.target = STR("https://a.example:443"),
                                     .shards = (uint16_t)(1u << shard),
                                     .quota = 100};
        struct store_due d = do_due(f, &t, 1, f->now_ms);
        assert_int_equal(d.owed_count, per_shard[shard]);
        for (size_t i = 0; i < d.owed_count; i++) {
            assert_int_equal(store_shard((struct str){NULL, 0}, d.owed[i].id), shard);
        }
    }
}

static void due_sees_what_was_given_before_it(void **state)
{
    struct fixture *f = *state;
    struct store_accept *before = make_accept(f, 1), *after = make_accept(f, 1);
    uint64_t id = add_delivery(f, add_run(f, &before->events[0], "x"), "https://a.example:443")->id;
    add_delivery(f, add_run(f, &after->events[0], "x"), "https://a.example:443");
    before->on_done = after->on_done = accept_ignore;
    struct store_due_target t = {
        .target = STR("https://a.example:443"), .shards = ALL_SHARDS, .quota = 9};
    struct store_due d = {.targets = &t,
                          .target_count = 1,
                          .until_ms = f->now_ms,
                          .arena = &f->arena,
                          .on_done = due_ignore};
    store_accept(f->store, before);
    store_due(f->store, &d);
    store_accept(f->store, after);
    loop_run(f->loop);
    assert_int_equal(d.owed_count, 1);
    assert_true(d.owed[0].id == id);
}

static void due_stops_where_the_arena_is_full(void **state)
{
    struct fixture *f = *state;
    char *body = zalloc(f, 3000);
    memset(body, 'x', 3000);
    for (int i = 0; i < 20; i++) {
        struct store_accept *a = make_accept(f, 1);
        struct store_delivery *d =
            add_delivery(f, add_run(f, &a->events[0], "x"), "https://a.example:443");
        d->body = (struct str){body, 3000};
        d->due_at_ms = f->now_ms + i;
        assert_int_equal(do_accept(f, a), 0);
    }
    for (size_t size = 1000; size <= 40000; size += 39000) {
        struct arena arena;
        arena_init(&arena, size);
        struct store_due_target t = {
            .target = STR("https://a.example:443"), .shards = ALL_SHARDS, .quota = 20};
        struct store_due d = {.targets = &t,
                              .target_count = 1,
                              .until_ms = f->now_ms + 100,
                              .arena = &arena,
                              .on_done = due_ignore};
        store_due(f->store, &d);
        loop_run(f->loop);
        if (size == 1000) {
            assert_int_equal(d.code, ERR_TOO_LARGE);
            assert_int_equal(d.owed_count, 0);
        } else {
            assert_int_equal(d.code, 0);
            assert_in_range(d.owed_count, 5, 15);
        }
        assert_true(t.next_due_at_ms == f->now_ms + (int64_t)d.owed_count);
        arena_fini(&arena);
    }
}

static void targets_ignore(struct store_targets *t)
{
    (void)t;
}

static struct store_targets list_targets(struct fixture *f)
{
    struct store_targets t = {.arena = &f->arena, .on_done = targets_ignore, .code = 1};
    store_targets(f->store, &t);
    loop_run(f->loop);
    assert_int_equal(t.code, 0);
    return t;
}

static void targets_has_each_that_is_owed_something(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(list_targets(f).target_count, 0);
    owe_one(f, "https://a.example:443", f->now_ms + 5);
    uint64_t first = owe_one(f, "https://a.example:443", f->now_ms - 5);
    uint64_t gone = owe_one(f, "https://b.example:443", f->now_ms);
    owe_one(f, "https://c.example:443", f->now_ms + 9);
    assert_int_equal(set_state(f, gone, DELIVERY_DELIVERED, 0), 0);
    for (int round = 0; round < 2; round++) {
        struct store_targets t = list_targets(f);
        assert_int_equal(t.target_count, 2);
        for (size_t i = 0; i < 2; i++) {
            bool is_a = str_eq(t.targets[i].target, STR("https://a.example:443"));
            assert_true(is_a || str_eq(t.targets[i].target, STR("https://c.example:443")));
            assert_true(t.targets[i].next_due_at_ms == f->now_ms + (is_a ? -5 : 9));
        }
        fixture_reopen(f);
    }
    assert_int_equal(set_state(f, first, DELIVERY_HELD, f->now_ms), 0);
    struct store_targets t = list_targets(f);
    assert_int_equal(t.target_count, 2);
}

static void lease_ignore(struct store_lease *l)
{
    (void)l;
}

static void lease_of_a_lone_host_is_whole(void **state)
{
    struct fixture *f = *state;
    struct store_lease l = {
        .target = STR("https://a.example:443"), .on_done = lease_ignore, .code = 1};
    store_lease(f->store, &l);
    loop_run(f->loop);
    assert_int_equal(l.code, 0);
    assert_int_equal(l.shards, ALL_SHARDS);
}

static void shards_are_the_same_on_every_machine(void **state)
{
    (void)state;
    static const struct {
        const char *order_key;
        uint64_t id;
    } cases[] = {
        {"deal:4021", 1}, {"deal:4022", 1}, {"", 1}, {"", 2}, {"", UINT64_C(0x123456789abcdef)}};
    static const unsigned wanted[] = {15, 6, 4, 0, 0};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        unsigned shard = store_shard(str_from(cases[i].order_key), cases[i].id);
        if (shard != wanted[i]) {
            fail_case(i, "shard %u", shard);
        }
    }
    // The order key decides alone.
    assert_int_equal(store_shard(STR("deal:4021"), 1), store_shard(STR("deal:4021"), 2));
}

static void words_of_states_and_outcomes(void **state)
{
    (void)state;
    static const char *const states[] = {"pending",    "retrying", "held",      "delivered",
                                         "terminated", "invalid",  "cancelled", "superseded"};
    static const char *const outcomes[] = {"sent", "dry", "error", "suppressed"};
    for (size_t i = 0; i < COUNT_OF(states); i++) {
        enum delivery_state s;
        assert_string_equal(delivery_state_word((enum delivery_state)i), states[i]);
        assert_int_equal(delivery_state_parse(str_from(states[i]), &s), 0);
        assert_int_equal(s, i);
    }
    for (size_t i = 0; i < COUNT_OF(outcomes); i++) {
        enum run_outcome o;
        assert_string_equal(run_outcome_word((enum run_outcome)i), outcomes[i]);
        assert_int_equal(run_outcome_parse(str_from(outcomes[i]), &o), 0);
        assert_int_equal(o, i);
    }
    enum delivery_state s;
    enum run_outcome o;
    assert_int_equal(delivery_state_parse(STR("Pending"), &s), ERR_INVALID);
    assert_int_equal(run_outcome_parse(STR(""), &o), ERR_INVALID);
    assert_string_equal(delivery_state_word((enum delivery_state)99), "unknown");
}

// Owes one with an order key; whether it waits.
static inline bool owe_in_order(struct fixture *f, const char *key, bool is_latest, uint64_t *id)
{
    struct store_accept *a = make_accept(f, 1);
    struct store_delivery *d =
        add_delivery(f, add_run(f, &a->events[0], "x"), "https://a.example:443");
    d->order_key = str_from(key);
    d->is_latest = is_latest;
    d->due_at_ms = 100;
    assert_int_equal(do_accept(f, a), 0);
    *id = d->id;
    return d->is_waiting;
}

static inline struct store_freed end_in_order(struct fixture *f, const char *key, uint64_t id)
{
    struct store_finish r = {.delivery = id,
                             .state = DELIVERY_DELIVERED,
                             .order_key = str_from(key),
                             .now_ms = 900,
                             .arena = &f->arena,
                             .attempt = {.number = 1}};
    assert_int_equal(do_finish(f, &r), 0);
    return r.freed;
}

static void an_order_lets_one_go_after_another(void **state)
{
    struct fixture *f = *state;
    uint64_t ids[4], other;
    assert_false(owe_in_order(f, "a", false, &ids[0]));
    for (int i = 1; i < 3; i++) {
        assert_true(owe_in_order(f, "a", false, &ids[i]));
        assert_int_equal(read_delivery_of(f, ids[i])->owed.state, DELIVERY_HELD);
    }
    assert_false(owe_in_order(f, "b", false, &other));
    for (int i = 0; i < 2; i++) {
        struct store_freed freed = end_in_order(f, "a", ids[i]);
        assert_str(freed.target, STR("https://a.example:443"));
        assert_int_equal(freed.due_at_ms, 900);
        struct store_owed next = read_delivery_of(f, ids[i + 1])->owed;
        assert_int_equal(next.state, DELIVERY_PENDING);
        assert_int_equal(next.base_ms, 100); // when it first fell due
    }
    assert_int_equal(end_in_order(f, "a", ids[2]).target.len, 0);
    assert_int_equal(store_owed_count(f->store), 1);
    assert_false(owe_in_order(f, "c", true, &ids[0]));
    for (int i = 1; i < 4; i++) {
        assert_true(owe_in_order(f, "c", true, &ids[i]));
    }
    assert_int_equal(read_delivery_of(f, ids[0])->owed.state, DELIVERY_PENDING);
    assert_int_equal(read_delivery_of(f, ids[1])->owed.state, DELIVERY_SUPERSEDED);
    assert_int_equal(read_delivery_of(f, ids[2])->owed.state, DELIVERY_SUPERSEDED);
    assert_int_equal(read_delivery_of(f, ids[3])->owed.state, DELIVERY_HELD);
    assert_int_equal(store_owed_count(f->store), 3);
}

// The older one failed before the newer one came, or fails, or succeeds when it is there.
static void a_newer_one_supersedes_what_waits_for_its_retry(void **state)
{
    struct fixture *f = *state;
    for (int turn = 0; turn < 3; turn++) {
        char key[] = {(char)('a' + turn), '\0'};
        uint64_t older, newer;
        assert_false(owe_in_order(f, key, true, &older));
        struct store_finish failed = {.delivery = older,
                                      .state = DELIVERY_RETRYING,
                                      .due_at_ms = 5000,
                                      .base_ms = 100,
                                      .order_key = str_from(key),
                                      .now_ms = 900,
                                      .arena = &f->arena,
                                      .attempt = {.number = 1}};
        struct store_finish again = failed;
        if (turn == 0) {
            assert_int_equal(do_finish(f, &failed), 0);
            assert_int_equal(failed.state, DELIVERY_RETRYING);
            again.attempt.number = 0;
        }
        assert_true(owe_in_order(f, key, true, &newer));
        if (turn == 2) {
            assert_str(end_in_order(f, key, older).target, STR("https://a.example:443"));
            assert_int_equal(read_delivery_of(f, older)->owed.state, DELIVERY_DELIVERED);
            continue;
        }
        assert_int_equal(do_finish(f, &again), 0);
        assert_int_equal(again.state, DELIVERY_SUPERSEDED);
        assert_str(again.freed.target, STR("https://a.example:443"));
        assert_int_equal(read_delivery_of(f, older)->owed.attempt_count, 1);
        assert_int_equal(read_delivery_of(f, newer)->owed.state, DELIVERY_PENDING);
    }
    assert_int_equal(store_owed_count(f->store), 3);
}

static inline void act_ignore(struct store_act *a)
{
    (void)a;
}

static inline int do_act(struct fixture *f, enum store_act_kind kind, uint64_t id,
                         struct store_act *out)
{
    *out = (struct store_act){.kind = kind,
                              .delivery = id,
                              .now_ms = 500,
                              .arena = &f->arena,
                              .on_done = act_ignore,
                              .code = 1};
    store_act(f->store, out);
    loop_run(f->loop);
    return out->code;
}

static void an_operator_resends_and_cancels(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum delivery_state before;
        int resent, cancelled; // codes
    } cases[] = {
        {DELIVERY_PENDING, 0, 0},
        {DELIVERY_RETRYING, 0, 0},
        {DELIVERY_HELD, ERR_CONFLICT, 0},
        {DELIVERY_DELIVERED, 0, ERR_CONFLICT},
        {DELIVERY_TERMINATED, 0, ERR_CONFLICT},
        {DELIVERY_INVALID, ERR_CONFLICT, ERR_CONFLICT},
        {DELIVERY_CANCELLED, 0, ERR_CONFLICT},
        {DELIVERY_SUPERSEDED, 0, ERR_CONFLICT},
    };
    struct store_act act;
    int64_t owed_count = 0;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t sent = owe_one(f, "https://a.example:443", 100);
        uint64_t taken = owe_one(f, "https://a.example:443", 100);
        assert_int_equal(set_state(f, sent, cases[i].before, 100), 0);
        assert_int_equal(set_state(f, taken, cases[i].before, 100), 0);
        assert_int_equal(do_act(f, STORE_RESEND, sent, &act), cases[i].resent);
        assert_true(act.code == 0 || act.err.text[0]);
        struct store_delivery_row *row = read_delivery_of(f, sent);
        assert_int_equal(row->owed.state, act.code ? cases[i].before : DELIVERY_PENDING);
        if (act.code == 0) {
            assert_str(act.target, STR("https://a.example:443"));
            assert_int_equal(row->owed.due_at_ms, 500);
            assert_int_equal(row->owed.base_ms, 0);
        }
        owed_count += row->owed.state <= DELIVERY_HELD;
        assert_int_equal(do_act(f, STORE_CANCEL, taken, &act), cases[i].cancelled);
        row = read_delivery_of(f, taken);
        assert_int_equal(row->owed.state, act.code ? cases[i].before : DELIVERY_CANCELLED);
        assert_int_equal(store_owed_count(f->store), owed_count);
    }
    assert_int_equal(do_act(f, STORE_CANCEL, 12345, &act), ERR_NOT_FOUND);
}

#endif
