// The contract of the running time: it goes on where it was stored, whatever the wall clock says.
#ifndef TESTS_STORE_CONTRACT_TIME_H
#define TESTS_STORE_CONTRACT_TIME_H

#include "store/harness.h"
#include "store/time.h"

enum { TIME_HOUR_MS = 60 * 60 * 1000 };

static void the_running_time_goes_on_over_a_restart(void **state)
{
    struct fixture *f = *state;
    int64_t began_ms = clock_running_ms(&f->clock);
    assert_int_equal(began_ms, clock_wall_ms(&f->clock));
    static const int64_t down_ms[] = {3 * TIME_HOUR_MS, 100 * TIME_HOUR_MS, -30 * TIME_HOUR_MS, 0};
    for (size_t i = 0; i < COUNT_OF(down_ms); i++) {
        clock_advance(&f->clock, 1000); // and nothing is stored: the close does
        fixture_close(f);
        f->clock = (struct clock){
            .is_test = true, .wall_ms = f->clock.wall_ms + down_ms[i], .mono_ms = 7 * (int64_t)i};
        fixture_open(f);
        assert_int_equal(clock_running_ms(&f->clock), began_ms + 1000 * (int64_t)(i + 1));
    }
}

// A test puts its clock back where it was: that is no time.
static void a_test_clock_goes_on_where_it_stood(void **state)
{
    struct fixture *f = *state;
    clock_advance(&f->clock, TIME_HOUR_MS);
    int64_t wall_ms = clock_wall_ms(&f->clock), running_ms = clock_running_ms(&f->clock);
    fixture_close(f);
    clock_init_test(&f->clock);
    fixture_open(f);
    assert_int_equal(clock_wall_ms(&f->clock), wall_ms);
    assert_int_equal(clock_running_ms(&f->clock), running_ms);
}

static void time_ignore(struct store_time *t)
{
    (void)t;
}

static struct store_time step_time(struct fixture *f)
{
    struct store_time t = {.on_done = time_ignore, .code = 1};
    store_time_step(f->store, &t);
    loop_run(f->loop);
    assert_int_equal(t.code, 0);
    return t;
}

static uint64_t owe_delayed(struct fixture *f, int64_t delay_ms)
{
    struct store_accept *a = make_accept(f, 1);
    struct store_delivery *d =
        add_delivery(f, add_run(f, &a->events[0], "invoice"), "https://a.example:443");
    d->due_at_ms = clock_running_ms(&f->clock) + delay_ms;
    d->is_delayed = true;
    assert_int_equal(do_accept(f, a), 0);
    return d->id;
}

static int64_t due_of(struct fixture *f, uint64_t id)
{
    return read_delivery_of(f, id)->owed.due_at_ms;
}

static void be_down(struct fixture *f, int64_t ms)
{
    fixture_close(f);
    clock_set_wall(&f->clock, ms);
    fixture_open(f);
}

static void delays_go_on_while_the_host_is_down(void **state)
{
    struct fixture *f = *state;
    const int64_t minute_ms = TIME_HOUR_MS / 60;
    int64_t now_ms = clock_running_ms(&f->clock);
    uint64_t past = owe_delayed(f, 0), near = owe_delayed(f, 10 * minute_ms),
             far = owe_delayed(f, TIME_HOUR_MS), tried = owe_delayed(f, TIME_HOUR_MS),
             plain = owe_one(f, "https://a.example:443", now_ms + TIME_HOUR_MS);
    struct store_finish failed = {.delivery = tried,
                                  .state = DELIVERY_RETRYING,
                                  .due_at_ms = now_ms + TIME_HOUR_MS,
                                  .base_ms = now_ms,
                                  .attempt = {.number = 1, .status = 503}};
    assert_int_equal(do_finish(f, &failed), 0);
    assert_true(step_time(f).is_done); // there was no outage yet
    clock_advance(&f->clock, minute_ms);
    now_ms += minute_ms;

    // Two outages, and a kill before the first one was made up for.
    be_down(f, 10 * minute_ms);
    be_down(f, 20 * minute_ms);
    struct store_time t = step_time(f);
    assert_true(t.is_done && t.changed == 3);
    assert_int_equal(due_of(f, past), now_ms - minute_ms);
    assert_int_equal(due_of(f, near), now_ms);
    assert_int_equal(due_of(f, far), now_ms + 29 * minute_ms);
    assert_int_equal(due_of(f, tried), now_ms + 59 * minute_ms);
    assert_int_equal(due_of(f, plain), now_ms + 59 * minute_ms);

    t = step_time(f);
    assert_true(t.is_done && t.changed == 0);
    be_down(f, -TIME_HOUR_MS); // a clock that was set back is no outage
    t = step_time(f);
    assert_true(t.is_done && t.changed == 0);
    assert_int_equal(due_of(f, far), now_ms + 29 * minute_ms);
}

static void delays_are_moved_in_bounded_steps(void **state)
{
    struct fixture *f = *state;
    enum { EVENTS = 1200 };
    struct store_accept *a = make_accept(f, EVENTS);
    for (size_t i = 0; i < EVENTS; i++) {
        struct store_delivery *d =
            add_delivery(f, add_run(f, &a->events[i], "invoice"), "https://a.example:443");
        d->due_at_ms = clock_running_ms(&f->clock) + 2 * TIME_HOUR_MS;
        d->is_delayed = true;
    }
    assert_int_equal(do_accept(f, a), 0);
    be_down(f, TIME_HOUR_MS);
    struct store_time t;
    size_t changed = 0, steps = 0;
    do {
        t = step_time(f);
        assert_true(t.changed <= 500);
        changed += t.changed;
        steps++;
    } while (!t.is_done);
    assert_true(changed == EVENTS && steps == 3);
    struct store_due_target target = {
        .target = STR("https://a.example:443"), .shards = ALL_SHARDS, .quota = EVENTS};
    int64_t due_ms = clock_running_ms(&f->clock) + TIME_HOUR_MS;
    assert_int_equal(do_due(f, &target, 1, due_ms - 1).owed_count, 0);
    assert_int_equal(do_due(f, &target, 1, due_ms).owed_count, EVENTS);
}

// After a restart it is still known that a breaker held up what was not tried yet.
static void what_a_breaker_held_up_and_why_is_told_with_the_lease(void **state)
{
    struct fixture *f = *state;
    uint64_t id = owe_one(f, "https://a.example:443", f->now_ms);
    owe_one(f, "https://b.example:443", f->now_ms);
    struct store_finish failed = {.delivery = id,
                                  .state = DELIVERY_RETRYING,
                                  .due_at_ms = f->now_ms + TIME_HOUR_MS,
                                  .base_ms = f->now_ms,
                                  .held_up_ms = f->now_ms + 5,
                                  .target_error = STR("status 503"),
                                  .attempt = {.number = 1, .status = 503}};
    assert_int_equal(do_finish(f, &failed), 0);
    failed.held_up_ms = 0; // it does not say
    failed.target_error = (struct str){NULL, 0};
    failed.attempt.number = 2;
    assert_int_equal(do_finish(f, &failed), 0);
    fixture_reopen(f);
    struct store_lease leases[] = {{.target = STR("https://a.example:443")},
                                   {.target = STR("https://b.example:443")},
                                   {.target = STR("https://new.example:443")}};
    char errors[COUNT_OF(leases)][STORE_TARGET_ERROR_MAX] = {{0}};
    for (size_t i = 0; i < COUNT_OF(leases); i++) {
        leases[i].on_done = lease_ignore;
        leases[i].last_error = errors[i];
        store_lease(f->store, &leases[i]);
        loop_run(f->loop);
        assert_int_equal(leases[i].code, 0);
        assert_int_equal(leases[i].held_up_ms, i == 0 ? f->now_ms + 5 : 0);
        assert_string_equal(leases[i].last_error, i == 0 ? "status 503" : "");
    }
    failed.target_error = STR(""); // it answers again
    failed.attempt.number = 3;
    assert_int_equal(do_finish(f, &failed), 0);
    store_lease(f->store, &leases[0]);
    loop_run(f->loop);
    assert_string_equal(leases[0].last_error, "");
}

#endif
