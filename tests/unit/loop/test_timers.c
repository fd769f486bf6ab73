#include "unit.h"

#include <stdlib.h>

#include "loop/loop.h"

enum { TIMERS_MAX = 64, FIRED_MAX = 4096 };

struct fixture;

struct item {
    struct loop_timer timer;
    struct fixture *owner;
    int number;
    int again;             // how often it starts itself again
    int64_t again_ms;      // with this
    struct item *to_stop;  // when it fires
    struct item *to_start; // when it fires, with 0
};

struct fixture {
    struct clock clock;
    struct loop *loop;
    struct item items[TIMERS_MAX];
    int fired[FIRED_MAX];
    int64_t fired_ms[FIRED_MAX];
    size_t fired_count;
};

static void on_due(void *ctx)
{
    struct item *item = ctx;
    struct fixture *f = item->owner;
    assert_true(f->fired_count < FIRED_MAX);
    assert_false(heap_holds(&item->timer.node));
    f->fired_ms[f->fired_count] = loop_now_ms(f->loop, item->timer.time);
    f->fired[f->fired_count++] = item->number;
    if (item->to_stop) {
        loop_timer_stop(&item->to_stop->timer);
    }
    if (item->to_start) {
        loop_timer_start(&item->to_start->timer, 0);
    }
    if (item->again > 0) {
        item->again--;
        loop_timer_start(&item->timer, item->again_ms);
    }
}

static int set_up_with(void **state, void (*init)(struct clock *c))
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f) {
        return -1;
    }
    init(&f->clock);
    if (loop_new(&f->loop, &f->clock, NULL) != 0) {
        return -1;
    }
    for (int i = 0; i < TIMERS_MAX; i++) {
        f->items[i].owner = f;
        f->items[i].number = i;
        loop_timer_init(&f->items[i].timer, f->loop, LOOP_HOST_TIME, on_due, &f->items[i]);
    }
    *state = f;
    return 0;
}

static int set_up(void **state)
{
    return set_up_with(state, clock_init);
}

static int set_up_test_clock(void **state)
{
    return set_up_with(state, clock_init_test);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    size_t open = loop_free(f->loop);
    free(f);
    return open == 0 ? 0 : -1;
}

static void start(struct fixture *f, int number, int64_t ms)
{
    loop_timer_start(&f->items[number].timer, ms);
}

static void assert_fired(const struct fixture *f, size_t count, const int *numbers)
{
    assert_int_equal(f->fired_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(f->fired[i], numbers[i]);
    }
}

static void fire_in_order_and_the_loop_ends(void **state)
{
    struct fixture *f = *state;
    start(f, 0, 9);
    start(f, 1, 3);
    start(f, 2, 6);
    start(f, 3, 0);
    start(f, 4, 1000000);
    loop_timer_stop(&f->items[4].timer);
    loop_timer_stop(&f->items[4].timer);
    start(f, 0, 12); // moved
    int64_t started_ms = loop_now_ms(f->loop, LOOP_HOST_TIME);
    loop_run(f->loop);
    assert_fired(f, 4, (int[]){3, 1, 2, 0});
    static const int64_t least_ms[] = {0, 3, 6, 12};
    for (size_t i = 0; i < 4; i++) {
        // libuv counts whole milliseconds: it may be one short of them.
        assert_true(f->fired_ms[i] - started_ms >= least_ms[i] - 1);
    }
}

static void both_times_fire(void **state)
{
    struct fixture *f = *state;
    f->items[1].timer.time = LOOP_REAL_TIME;
    start(f, 0, 2);
    start(f, 1, 1);
    start(f, 2, 3);
    loop_run(f->loop);
    assert_int_equal(f->fired_count, 3);
}

static void a_timer_of_zero_fires_in_the_next_turn(void **state)
{
    struct fixture *f = *state;
    for (int round = 0; round < 2; round++) {
        f->items[0].timer.time = round == 0 ? LOOP_HOST_TIME : LOOP_REAL_TIME;
        f->fired_count = 0;
        f->items[0].again = 9;
        start(f, 0, 0);
        for (size_t turn = 1; turn <= 10; turn++) {
            assert_int_equal(f->fired_count, turn - 1);
            assert_int_equal(loop_turn(f->loop), turn < 10);
            assert_int_equal(f->fired_count, turn);
        }
        loop_turn(f->loop);
        assert_int_equal(f->fired_count, 10);
    }
}

static void a_timer_of_zero_costs_no_millisecond(void **state)
{
    struct fixture *f = *state;
    f->items[0].again = 3000;
    start(f, 0, 0);
    int64_t started_ms = loop_now_ms(f->loop, LOOP_REAL_TIME);
    loop_run(f->loop);
    assert_int_equal(f->fired_count, 3001);
    assert_true(loop_now_ms(f->loop, LOOP_REAL_TIME) - started_ms < 2500);
}

static void timers_of_zero_do_not_shut_each_other_out(void **state)
{
    // Two that start each other, one in each heap: each still waits for its turn.
    struct fixture *f = *state;
    f->items[1].timer.time = LOOP_REAL_TIME;
    f->items[0].to_start = &f->items[1];
    f->items[1].to_start = &f->items[0];
    start(f, 0, 0);
    start(f, 2, 1);
    for (int turn = 0; f->fired_count < 1000; turn++) {
        loop_turn(f->loop);
        assert_true(f->fired_count <= (size_t)turn + 2);
    }
    f->items[0].to_start = f->items[1].to_start = NULL;
    loop_run(f->loop);
    assert_false(heap_holds(&f->items[2].timer.node));
}

static void a_stopped_timer_does_not_fire(void **state)
{
    struct fixture *f = *state;
    // Both are due in the same turn; whichever fires first stops the other.
    f->items[0].to_stop = &f->items[1];
    f->items[1].to_stop = &f->items[0];
    start(f, 0, 0);
    start(f, 1, 0);
    loop_run(f->loop);
    assert_int_equal(f->fired_count, 1);
}

static void a_test_clock_stands_still(void **state)
{
    struct fixture *f = *state;
    start(f, 0, 1);
    start(f, 1, 15000);
    f->items[2].timer.time = LOOP_REAL_TIME;
    start(f, 2, 5);
    loop_run(f->loop); // ends, though host timers wait: nothing here can move them
    assert_fired(f, 1, (int[]){2});
    int64_t now_ms = loop_now_ms(f->loop, LOOP_HOST_TIME);
    assert_int_equal(loop_next_host_due_ms(f->loop), now_ms + 1);

    assert_int_equal(loop_advance_to_next(f->loop, 20000), 1);
    assert_fired(f, 2, (int[]){2, 0});
    assert_int_equal(loop_now_ms(f->loop, LOOP_HOST_TIME), now_ms + 1);
    assert_int_equal(loop_advance_to_next(f->loop, 14998), 14998);
    assert_int_equal(f->fired_count, 2);
    assert_int_equal(loop_advance_to_next(f->loop, 0), 0);
    assert_int_equal(f->fired_count, 2);
    assert_int_equal(loop_advance_to_next(f->loop, 100), 1);
    assert_fired(f, 3, (int[]){2, 0, 1});
    assert_int_equal(loop_next_host_due_ms(f->loop), INT64_MAX);
    assert_int_equal(loop_advance_to_next(f->loop, 100), 100);
    assert_int_equal(loop_now_ms(f->loop, LOOP_HOST_TIME), now_ms + 15100);
}

static void what_a_test_clock_made_due_fires_by_itself(void **state)
{
    struct fixture *f = *state;
    f->items[0].again = 3;
    start(f, 0, 0);
    for (size_t turn = 1; turn <= 4; turn++) {
        loop_turn(f->loop);
        assert_int_equal(f->fired_count, turn);
    }
    start(f, 1, 10);
    clock_advance(&f->clock, 10);
    f->items[2].timer.time = LOOP_REAL_TIME;
    start(f, 2, 0);
    loop_run(f->loop);
    assert_int_equal(f->fired_count, 6);
}

static void advancing_runs_one_timer_at_a_time(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++) {
        start(f, i, 10);
    }
    assert_int_equal(loop_advance_to_next(f->loop, 10), 10);
    assert_int_equal(f->fired_count, 1);
    assert_int_equal(loop_advance_to_next(f->loop, 0), 0);
    assert_int_equal(f->fired_count, 2);
    loop_run(f->loop); // and what is due without it
    assert_int_equal(f->fired_count, 3);
}

// A model: an array of due times. Each step starts, stops or advances, in the test clock's time.
static void timers_are_like_a_table_of_times(void **state)
{
    struct fixture *f = *state;
    int64_t due_ms[TIMERS_MAX];
    for (int i = 0; i < TIMERS_MAX; i++) {
        due_ms[i] = INT64_MAX;
    }
    uint64_t seed = 99;
    for (int step = 0; step < 20000; step++) {
        uint64_t r = next_random(&seed);
        int i = (int)((r >> 8) % TIMERS_MAX);
        int64_t now_ms = loop_now_ms(f->loop, LOOP_HOST_TIME);
        if (r % 4 <= 1) {
            int64_t ms = 1 + (int64_t)((r >> 20) % 100000);
            start(f, i, ms);
            due_ms[i] = now_ms + ms;
        } else if (r % 4 == 2) {
            loop_timer_stop(&f->items[i].timer);
            due_ms[i] = INT64_MAX;
        } else {
            int64_t least_ms = INT64_MAX;
            for (int j = 0; j < TIMERS_MAX; j++) {
                least_ms = due_ms[j] < least_ms ? due_ms[j] : least_ms;
            }
            assert_int_equal(loop_next_host_due_ms(f->loop), least_ms);
            f->fired_count = 0;
            int64_t limit_ms = (int64_t)((r >> 20) % 3000);
            int64_t moved_ms = loop_advance_to_next(f->loop, limit_ms);
            bool is_one_due = least_ms != INT64_MAX && least_ms - now_ms <= limit_ms;
            assert_int_equal(f->fired_count, is_one_due);
            assert_int_equal(moved_ms, is_one_due ? least_ms - now_ms : limit_ms);
            if (is_one_due) {
                assert_int_equal(due_ms[f->fired[0]], least_ms);
                due_ms[f->fired[0]] = INT64_MAX;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fire_in_order_and_the_loop_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(both_times_fire, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_timer_of_zero_fires_in_the_next_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_timer_of_zero_costs_no_millisecond, set_up, tear_down),
        cmocka_unit_test_setup_teardown(timers_of_zero_do_not_shut_each_other_out, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_stopped_timer_does_not_fire, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_test_clock_stands_still, set_up_test_clock, tear_down),
        cmocka_unit_test_setup_teardown(what_a_test_clock_made_due_fires_by_itself,
                                        set_up_test_clock, tear_down),
        cmocka_unit_test_setup_teardown(advancing_runs_one_timer_at_a_time, set_up_test_clock,
                                        tear_down),
        cmocka_unit_test_setup_teardown(timers_are_like_a_table_of_times, set_up_test_clock,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
