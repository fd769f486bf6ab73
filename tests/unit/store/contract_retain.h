// The contract of store_retain: what goes, what stays, and that it goes in bounded steps.
#ifndef TESTS_STORE_CONTRACT_RETAIN_H
#define TESTS_STORE_CONTRACT_RETAIN_H

#include "store/retain_round.h"

#include "encode/json_digest.h"

static void retention_takes_payloads_and_attempts_and_keeps_ids(void **state)
{
    struct fixture *f = *state;
    struct store_event *keyed = retain_event(f, "1", "crm-1");
    struct store_event *plain = retain_event(f, "1", NULL);
    struct store_event *latest = retain_event(f, "1", "crm-3");
    retain_attempt(f, delivery_of(keyed), 1, DELIVERY_RETRYING);
    retain_attempt(f, delivery_of(keyed), 2, DELIVERY_DELIVERED);
    retain_attempt(f, delivery_of(plain), 1, DELIVERY_DELIVERED);
    retain_attempt(f, delivery_of(latest), 1, DELIVERY_TERMINATED);

    f->now_ms += 10 * (int64_t)RETAIN_DAY_MS;
    struct store_removed n = retain_round(f, retain_days(f, 10, 10, 30), NULL);
    assert_int_equal(n.payloads + n.attempts + n.events, 0); // as old as that, not older
    f->now_ms++;
    n = retain_round(f, retain_days(f, 10, 20, 30), NULL);
    assert_int_equal(n.payloads, 5); // two events and three deliveries
    assert_int_equal(n.attempts + n.events, 0);
    struct store_delivery_row *d = read_delivery_of(f, delivery_of(keyed));
    assert_int_equal(d->owed.head.len + d->owed.body.len, 0);
    assert_int_equal(d->attempt_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(d->attempts[i].status, i == 0 ? 500 : 200);
        assert_int_equal(d->attempts[i].headers.len + d->attempts[i].body.len, 0);
    }
    struct store_event_row *row;
    assert_int_equal(read_event_of(f, STR("crm-1"), &row), 0);
    assert_int_equal(row->payload.len, 0);
    assert_int_equal(row->runs[0].delivery_ids[0], delivery_of(keyed));
    assert_int_equal(read_event_of(f, STR("crm-3"), &row), 0);
    assert_str_text(row->payload, "{\"record\":{\"id\":4021}}");
    assert_str_text(read_record_of(f, "deal", "1").payload, "{\"record\":{\"id\":4021}}");

    n = retain_round(f, retain_days(f, 10, 10, 30), NULL);
    assert_int_equal(n.attempts, 3);
    assert_int_equal(n.payloads + n.events, 0);
    d = read_delivery_of(f, delivery_of(keyed));
    assert_int_equal(d->attempt_count, 0);
    assert_int_equal(d->owed.attempt_count, 2);
    assert_int_equal(d->owed.state, DELIVERY_DELIVERED);
    assert_int_equal(store_owed_count(f->store), 0);
}

static void an_event_is_known_after_its_payload_is_gone(void **state)
{
    struct fixture *f = *state;
    struct store_event *keyed = retain_event(f, "1", "crm-1");
    struct store_event *plain = retain_event(f, "1", NULL);
    retain_event(f, "1", "crm-3");
    retain_attempt(f, delivery_of(keyed), 1, DELIVERY_DELIVERED);
    retain_attempt(f, delivery_of(plain), 1, DELIVERY_DELIVERED);
    f->now_ms += 29 * (int64_t)RETAIN_DAY_MS;
    assert_int_equal(retain_round(f, retain_days(f, 1, 1, 30), NULL).payloads, 4);
    const struct store_event *firsts[] = {keyed, plain};
    for (size_t i = 0; i < 2; i++) {
        for (int is_other = 0; is_other < 2; is_other++) {
            struct store_accept *again = make_accept(f, 1);
            struct store_event *ev = &again->events[0];
            ev->key = shown_key(f, firsts[i]);
            ev->digest = 77;
            if (i == 1) {
                assert_int_equal(json_digest(ev->payload, NULL, &ev->digest), 0);
            }
            ev->digest += (uint64_t)is_other;
            assert_int_equal(do_accept(f, again), is_other ? ERR_CONFLICT : 0);
            assert_int_equal(ev->is_duplicate, !is_other);
            if (!is_other) {
                assert_int_equal(ev->delivery_count, 1);
                assert_int_equal(ev->delivery_ids[0], delivery_of(firsts[i]));
            }
        }
    }
}

static void retention_takes_ids_with_all_that_is_theirs(void **state)
{
    struct fixture *f = *state;
    struct store_event *old = retain_event(f, "1", "crm-1");
    retain_attempt(f, delivery_of(old), 1, DELIVERY_RETRYING);
    retain_attempt(f, delivery_of(old), 2, DELIVERY_DELIVERED);
    struct store_accept *odd = make_accept(f, 1);
    odd->events[0].record_id = STR("1");
    add_run(f, &odd->events[0], "broken")->outcome = RUN_ERROR;
    assert_int_equal(do_accept(f, odd), 0);
    struct store_event *latest = retain_event(f, "1", "crm-3");
    retain_attempt(f, delivery_of(latest), 1, DELIVERY_DELIVERED);

    f->now_ms += 31 * (int64_t)RETAIN_DAY_MS;
    assert_int_equal(retain_round(f, retain_days(f, 1, 60, 30), NULL).events, 0); // attempts stay
    struct store_removed n = retain_round(f, retain_days(f, 1, 30, 30), NULL);
    assert_int_equal(n.events, 2);
    assert_int_equal(n.deliveries, 1);
    assert_int_equal(count_of(f, STORE_READ_EVENTS), 1);
    assert_int_equal(count_of(f, STORE_READ_DELIVERIES), 1);
    assert_int_equal(count_of(f, STORE_READ_RUNS), 1);
    struct store_read runs = {.kind = STORE_READ_RUNS,
                              .filter = {.has_outcome = true, .outcome = RUN_ERROR},
                              .limit = 10};
    assert_int_equal(do_read(f, &runs), 0);
    assert_int_equal(runs.count, 0);
    struct store_read gone = {.kind = STORE_READ_DELIVERY, .id = delivery_of(old)};
    assert_int_equal(do_read(f, &gone), ERR_NOT_FOUND);
    // Its key is free again.
    assert_false(retain_event(f, "1", "crm-1")->is_duplicate);
}

static void retention_counts_from_the_last_that_happened(void **state)
{
    struct fixture *f = *state;
    struct store_event *ev = retain_event(f, "1", "crm-1");
    retain_event(f, "1", "crm-2");
    f->now_ms += 20 * (int64_t)RETAIN_DAY_MS;
    retain_attempt(f, delivery_of(ev), 1, DELIVERY_RETRYING);
    f->now_ms += 5 * (int64_t)RETAIN_DAY_MS;
    retain_attempt(f, delivery_of(ev), 2, DELIVERY_TERMINATED);
    f->now_ms += 29 * (int64_t)RETAIN_DAY_MS;
    struct store_removed n = retain_round(f, retain_days(f, 30, 30, 30), NULL);
    assert_int_equal(n.payloads + n.attempts + n.events, 0);
    struct store_accept *replay = make_accept(f, 1);
    replay->events[0].id = ev->id;
    replay->events[0].is_replay = true;
    uint64_t again =
        add_delivery(f, add_run(f, &replay->events[0], "invoice"), "https://a:443")->id;
    assert_int_equal(do_accept(f, replay), 0);
    retain_attempt(f, again, 1, DELIVERY_DELIVERED);
    f->now_ms += 2 * (int64_t)RETAIN_DAY_MS;
    assert_int_equal(retain_round(f, retain_days(f, 30, 30, 30), NULL).events, 0);
    f->now_ms += 29 * (int64_t)RETAIN_DAY_MS;
    n = retain_round(f, retain_days(f, 30, 30, 30), NULL);
    assert_int_equal(n.events, 1);
    assert_int_equal(n.deliveries, 2);
}

enum { RETAIN_HISTORY = 400, RETAIN_RECORDS = 12 };

// A history by chance; then everything is old, but what must stay is there.
static void retention_keeps_what_is_owed_latest_states_and_marks(void **state)
{
    struct fixture *f = *state;
    struct store_event *all[RETAIN_HISTORY];
    enum delivery_state states[RETAIN_HISTORY];
    bool is_latest[RETAIN_HISTORY] = {false};
    int latest[RETAIN_RECORDS];
    uint64_t chance = 88172645463325252u;
    size_t wanted_events = 0, wanted_owed = 0;
    memset(latest, -1, sizeof latest);
    for (int i = 0; i < RETAIN_HISTORY; i++) {
        chance ^= chance << 13, chance ^= chance >> 7, chance ^= chance << 17;
        int record = (int)(chance % RETAIN_RECORDS);
        char name[8], key[16];
        snprintf(name, sizeof name, "%d", record);
        snprintf(key, sizeof key, "crm-%d", i);
        all[i] = retain_event(f, arena_dup(&f->arena, str_from(name)).data,
                              chance & 64 ? arena_dup(&f->arena, str_from(key)).data : NULL);
        latest[record] = i;
        states[i] = (enum delivery_state)((chance >> 8) % (DELIVERY_SUPERSEDED + 1));
        if (chance & 128) {
            retain_attempt(f, delivery_of(all[i]), 1, DELIVERY_RETRYING);
        }
        assert_int_equal(set_state(f, delivery_of(all[i]), states[i], f->now_ms), 0);
        f->now_ms += 1000;
    }
    struct store_accept *marked = make_accept(f, 1);
    marked->events[0].record_id = STR("once");
    add_run(f, &marked->events[0], "welcome")->mark =
        (struct store_mark){.is_set = true, .until_ms = INT64_MAX};
    assert_int_equal(do_accept(f, marked), 0);
    for (int r = 0; r < RETAIN_RECORDS; r++) {
        assert_true(latest[r] >= 0);
        is_latest[latest[r]] = true;
    }
    f->now_ms += 400 * (int64_t)RETAIN_DAY_MS;
    retain_round(f, retain_days(f, 30, 30, 30), NULL);
    fixture_reopen(f);
    for (int i = 0; i < RETAIN_HISTORY; i++) {
        bool is_owed = states[i] <= DELIVERY_HELD;
        struct store_event_row *row;
        int code = read_event_of(f, shown_key(f, all[i]), &row);
        wanted_owed += is_owed;
        wanted_events += is_owed || is_latest[i];
        assert_int_equal(code, is_owed || is_latest[i] ? 0 : ERR_NOT_FOUND);
        if (code == 0) {
            assert_true(row->payload.len > 0);
            struct store_delivery_row *d = read_delivery_of(f, delivery_of(all[i]));
            assert_int_equal(d->owed.state, states[i]);
            assert_int_equal(d->owed.body.len > 0, is_owed);
            assert_int_equal(d->attempt_count, is_owed ? d->owed.attempt_count > 0 : 0);
        }
    }
    assert_int_equal(store_owed_count(f->store), wanted_owed);
    assert_int_equal(count_of(f, STORE_READ_EVENTS), wanted_events + 1);
    struct store_accept *again = make_accept(f, 1);
    again->events[0].record_id = STR("once");
    struct store_run *run = add_run(f, &again->events[0], "welcome");
    run->mark = (struct store_mark){.is_set = true, .until_ms = INT64_MAX};
    assert_int_equal(do_accept(f, again), 0);
    assert_true(run->was_marked);
}

static void retention_goes_in_bounded_steps(void **state)
{
    struct fixture *f = *state;
    retain_fill(f);
    f->now_ms += 31 * (int64_t)RETAIN_DAY_MS;
    int steps = 0;
    struct store_removed n = retain_round(f, retain_days(f, 30, 30, 30), &steps);
    assert_int_equal(n.events, RETAIN_MANY - 1); // the last one is the record's state
    assert_true(steps >= RETAIN_MANY / 64);
}

static void retention_takes_the_oldest_where_the_size_is_over(void **state)
{
    struct fixture *f = *state;
    retain_fill(f); // 40 MB and more
    struct store_retain q = retain_days(f, 30, 30, 30);
    q.max_bytes = 20 << 20;
    struct store_removed n = retain_round(f, q, NULL);
    assert_int_equal(n.events, 0);
    assert_true(n.payloads > RETAIN_MANY / 2);
    assert_true(n.payloads < 2 * RETAIN_MANY - 200); // and no more than needed
    assert_int_equal(count_of(f, STORE_READ_EVENTS), STORE_PAGE_MAX);
    n = retain_round(f, q, NULL);
    assert_int_equal(n.payloads, 0);
}

#endif
