// Turns at records: in order, one at a time at each record, nobody waits for ever.
#include "unit.h"

#include "engine/record_queue.h"

enum { BODIES = 200, RECORDS = 6 };

struct body {
    struct record_turn turn;
    struct record_place places[RECORDS];
    unsigned records; // a bit each
    bool has_turn;
};

static void on_turn(void *ctx)
{
    struct body *b = ctx;
    assert_false(b->has_turn);
    b->has_turn = true;
}

static void enter(struct record_queue *q, struct body *b, unsigned records)
{
    static const char names[RECORDS + 1] = "abcdef";
    *b = (struct body){.records = records};
    b->turn = (struct record_turn){.places = b->places, .on_turn = on_turn, .ctx = b};
    for (unsigned r = 0; r < RECORDS; r++) {
        if (records & 1u << r) {
            assert_int_equal(record_queue_enter(q, &b->turn, (struct str){names + r, 1}), 0);
        }
    }
    b->has_turn = record_turn_has_come(&b->turn);
}

// Against the plain rule: a body has its turn when no earlier one that is still in shares a record.
static void turns_are_by_arrival(void **state)
{
    (void)state;
    static struct body bodies[BODIES];
    bool has_left[BODIES] = {false};
    struct record_queue q = {0};
    uint64_t seed = 7;
    size_t in = 0, left = 0;
    while (left < BODIES) {
        if (in < BODIES && (next_random(&seed) & 1)) {
            enter(&q, &bodies[in++], 1 + (unsigned)(next_random(&seed) % 63));
        } else if (in > left) {
            size_t pick = (size_t)(next_random(&seed) % in);
            while (has_left[pick] || !bodies[pick].has_turn) {
                pick = (pick + 1) % in; // there is always one: the first that is in
            }
            record_queue_leave(&q, &bodies[pick].turn);
            has_left[pick] = true;
            left++;
        }
        for (size_t i = 0; i < in; i++) {
            bool is_free = true;
            for (size_t k = 0; k < i; k++) {
                is_free = is_free && (has_left[k] || !(bodies[k].records & bodies[i].records));
            }
            if (!has_left[i] && bodies[i].has_turn != is_free) {
                fail_case(i, "has its turn: %d", bodies[i].has_turn);
            }
        }
    }
    assert_int_equal(q.gates.count, 0);
    record_queue_fini(&q);
}

static void one_that_waits_may_leave(void **state)
{
    (void)state;
    struct record_queue q = {0};
    struct body a, b, c;
    enter(&q, &a, 1);
    enter(&q, &b, 3);
    enter(&q, &c, 3);
    assert_true(a.has_turn && !b.has_turn && !c.has_turn);
    record_queue_leave(&q, &b.turn);
    assert_false(c.has_turn);
    record_queue_leave(&q, &a.turn);
    assert_true(c.has_turn);
    record_queue_leave(&q, &c.turn);
    assert_int_equal(q.gates.count, 0);
    record_queue_fini(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_are_by_arrival),
        cmocka_unit_test(one_that_waits_may_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
