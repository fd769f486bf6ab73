// The contract of store_accept: all or nothing, duplicates, marks, versions, the pointer to a
// record's latest state.
#ifndef TESTS_STORE_CONTRACT_ACCEPT_H
#define TESTS_STORE_CONTRACT_ACCEPT_H

#include "store/harness.h"

#include "encode/json_digest.h"

static inline void set_key(struct store_event *ev, const char *key, uint64_t digest)
{
    ev->key = str_from(key);
    ev->digest = digest;
}

static inline void set_record(struct store_event *ev, const char *type, const char *id)
{
    ev->record_type = str_from(type);
    ev->record_id = str_from(id);
}

static inline void set_once(struct store_run *run)
{
    run->mark = (struct store_mark){.is_set = true, .until_ms = INT64_MAX};
}

static void accept_stores_all_of_an_event(void **state)
{
    struct fixture *f = *state;
    struct store_accept *a = make_accept(f, 1);
    struct store_event *ev = &a->events[0];
    set_key(ev, "crm-1", 99);
    ev->time_ms = 12345;
    struct store_run *sent = add_run(f, ev, "invoice");
    struct store_delivery *d = add_delivery(f, sent, "https://a.example:443");
    d->order_key = STR("deal:4021");
    d->retry = STR("15s 1m|2h");
    d->timeout_ms = 9000;
    d->action = 3;
    add_delivery(f, sent, "https://b.example:443");
    struct store_run *wrong = add_run(f, ev, "broken \"name\"\n");
    wrong->outcome = RUN_ERROR;
    wrong->reason = STR("rules/x.lua:3: bad \\ thing \xc3\xa4");
    wrong->generation = UINT64_C(0x7fffffffffffffff);
    assert_int_equal(do_accept(f, a), 0);
    assert_false(ev->is_duplicate);

    struct store_event_row *row;
    assert_int_equal(read_event_of(f, STR("crm-1"), &row), 0);
    assert_true(row->id == ev->id);
    assert_str(row->key, STR("crm-1"));
    assert_str(row->type, ev->type);
    assert_str(row->record_type, STR("deal"));
    assert_str(row->record_id, STR("4021"));
    assert_str(row->payload, ev->payload);
    assert_true(row->time_ms == 12345 && row->received_at_ms == f->now_ms);
    assert_int_equal(row->run_count, 2);
    assert_str(row->runs[0].event_key, STR("crm-1"));
    assert_str(row->runs[0].workflow, STR("invoice"));
    assert_str(row->runs[0].reason, STR(""));
    assert_int_equal(row->runs[0].outcome, RUN_SENT);
    assert_true(row->runs[0].generation == 7);
    assert_int_equal(row->runs[0].delivery_count, 2);
    assert_true(row->runs[0].delivery_ids[0] == sent->deliveries[0].id);
    assert_true(row->runs[0].delivery_ids[1] == sent->deliveries[1].id);
    assert_str(row->runs[1].workflow, wrong->workflow);
    assert_str(row->runs[1].reason, wrong->reason);
    assert_int_equal(row->runs[1].outcome, RUN_ERROR);
    assert_true(row->runs[1].generation == wrong->generation);
    assert_int_equal(row->runs[1].delivery_count, 0);

    struct store_delivery_row *got = read_delivery_of(f, d->id);
    assert_true(got->owed.id == d->id && got->owed.event == ev->id);
    assert_str(got->owed.event_key, STR("crm-1"));
    assert_str(got->owed.workflow, STR("invoice"));
    assert_str(got->owed.record_type, STR("deal"));
    assert_str(got->owed.record_id, STR("4021"));
    assert_int_equal(got->owed.action, 3);
    assert_int_equal(got->owed.state, DELIVERY_PENDING);
    assert_str(got->owed.target, STR("https://a.example:443"));
    assert_true(got->owed.due_at_ms == f->now_ms && got->owed.base_ms == 0);
    assert_int_equal(got->owed.attempt_count, 0);
    assert_str(got->owed.head, d->head);
    assert_str(got->owed.body, d->body);
    assert_str(got->owed.retry, d->retry);
    assert_true(got->owed.timeout_ms == 9000);
    assert_true(got->created_at_ms == f->now_ms);
    assert_str(got->reason, STR(""));
    assert_int_equal(got->attempt_count, 0);
}

static void accept_names_an_event_without_key_by_its_id(void **state)
{
    struct fixture *f = *state;
    struct store_accept *a = make_accept(f, 1);
    assert_int_equal(do_accept(f, a), 0);
    char key[ID_SHOWN_LEN + 1];
    id_show(key, ID_EVENT, a->events[0].id);
    struct store_event_row *row;
    assert_int_equal(read_event_of(f, str_from(key), &row), 0);
    assert_true(row->id == a->events[0].id);
    assert_str(row->key, str_from(key));
    assert_int_equal(row->run_count, 0);

    // What the host named so is known under that name.
    struct store_accept *again = make_accept(f, 1);
    set_key(&again->events[0], key, 1);
    assert_int_equal(do_accept(f, again), 0);
    assert_true(again->events[0].is_duplicate);
    assert_true(again->events[0].first_id == a->events[0].id);

    // So it is where no digest was made for it.
    struct store_accept *plain = make_accept(f, 1);
    plain->events[0].digest = 0;
    plain->events[0].payload = STR("{\"record\":{\"a\":1.0}}");
    assert_int_equal(do_accept(f, plain), 0);
    id_format(key + 4, plain->events[0].id);
    struct store_accept *same = make_accept(f, 1);
    set_key(&same->events[0], key, 0);
    assert_int_equal(json_digest(STR("{\"record\": {\"a\": 1}}"), NULL, &same->events[0].digest),
                     0);
    assert_int_equal(do_accept(f, same), 0);
    assert_true(same->events[0].is_duplicate);
    same->events[0].digest ^= 1;
    assert_int_equal(do_accept(f, same), ERR_CONFLICT);

    // Another one's name only looks alike.
    struct store_accept *other = make_accept(f, 1);
    set_key(&other->events[0], "evt_0000000000001", 1);
    assert_int_equal(do_accept(f, other), 0);
    assert_false(other->events[0].is_duplicate);
    assert_int_equal(read_event_of(f, STR("evt_0000000000001"), &row), 0);
    assert_true(row->id == other->events[0].id);

    static const char *const unknown[] = {"", "evt_", "evt_00000000000zz", "nothing",
                                          "evt_1ooooooooooo0"};
    for (size_t i = 0; i < COUNT_OF(unknown); i++) {
        assert_int_equal(read_event_of(f, str_from(unknown[i]), &row), ERR_NOT_FOUND);
    }
}

static void accept_answers_a_duplicate_with_the_first_deliveries(void **state)
{
    struct fixture *f = *state;
    struct store_accept *a = make_accept(f, 1);
    set_key(&a->events[0], "crm-1", 5);
    uint64_t wanted[3];
    for (size_t i = 0; i < 2; i++) {
        struct store_run *run = add_run(f, &a->events[0], i ? "second" : "first");
        for (size_t k = 0; k < 2 - i; k++) {
            wanted[i * 2 + k] = add_delivery(f, run, "https://a.example:443")->id;
        }
    }
    assert_int_equal(do_accept(f, a), 0);
    for (int round = 0; round < 2; round++) { // the second after a restart
        struct store_accept *again = make_accept(f, 1);
        set_key(&again->events[0], "crm-1", 5);
        struct store_run *run = add_run(f, &again->events[0], "first");
        uint64_t id = add_delivery(f, run, "https://new.example:443")->id;
        assert_int_equal(do_accept(f, again), 0);
        struct store_event *ev = &again->events[0];
        assert_true(ev->is_duplicate);
        assert_true(ev->first_id == a->events[0].id);
        assert_int_equal(ev->delivery_count, 3);
        assert_memory_equal(ev->delivery_ids, wanted, sizeof wanted);
        struct store_read r = {.kind = STORE_READ_DELIVERY, .id = id};
        assert_int_equal(do_read(f, &r), ERR_NOT_FOUND);
        assert_int_equal(store_owed_count(f->store), 3);
        fixture_reopen(f);
    }
}

static void accept_refuses_another_value_under_a_known_key(void **state)
{
    struct fixture *f = *state;
    struct store_accept *a = make_accept(f, 1);
    set_key(&a->events[0], "crm-1", 5);
    assert_int_equal(do_accept(f, a), 0);

    struct store_accept *b = make_accept(f, 3);
    for (size_t i = 0; i < 3; i++) {
        static const char *const keys[] = {"crm-2", "crm-1", "crm-3"};
        set_key(&b->events[i], keys[i], 6);
        add_delivery(f, add_run(f, &b->events[i], "invoice"), "https://a.example:443");
        set_record(&b->events[i], "deal", keys[i]);
        set_once(&b->events[i].runs[0]);
    }
    assert_int_equal(do_accept(f, b), ERR_CONFLICT);
    assert_int_equal(b->fault_index, 1);
    assert_non_null(strstr(b->err.text, "crm-1"));

    // Nothing of the body is there: no event, no delivery, no pointer, no mark.
    struct store_event_row *row;
    assert_int_equal(read_event_of(f, STR("crm-2"), &row), ERR_NOT_FOUND);
    assert_int_equal(count_of(f, STORE_READ_DELIVERIES), 0);
    assert_int_equal(store_owed_count(f->store), 0);
    assert_true(read_record_of(f, "deal", "crm-2").version == 0);
    b->events[1].key = STR("crm-4");
    assert_int_equal(do_accept(f, b), 0);
    for (size_t i = 0; i < 3; i++) {
        assert_false(b->events[i].runs[0].was_marked);
    }
    assert_int_equal(count_of(f, STORE_READ_DELIVERIES), 3);
    assert_int_equal(store_owed_count(f->store), 3);
}

static void accept_sees_duplicates_within_a_body(void **state)
{
    struct fixture *f = *state;
    struct store_accept *a = make_accept(f, 2);
    set_key(&a->events[0], "crm-1", 5);
    set_key(&a->events[1], "crm-1", 5);
    uint64_t id =
        add_delivery(f, add_run(f, &a->events[0], "invoice"), "https://a.example:443")->id;
    add_delivery(f, add_run(f, &a->events[1], "invoice"), "https://a.example:443");
    assert_int_equal(do_accept(f, a), 0);
    assert_false(a->events[0].is_duplicate);
    assert_true(a->events[1].is_duplicate);
    assert_true(a->events[1].first_id == a->events[0].id);
    assert_int_equal(a->events[1].delivery_count, 1);
    assert_true(a->events[1].delivery_ids[0] == id);
    assert_int_equal(count_of(f, STORE_READ_DELIVERIES), 1);

    struct store_accept *b = make_accept(f, 2);
    set_key(&b->events[0], "crm-2", 5);
    set_key(&b->events[1], "crm-2", 6);
    assert_int_equal(do_accept(f, b), ERR_CONFLICT);
    assert_int_equal(b->fault_index, 1);
    struct store_event_row *row;
    assert_int_equal(read_event_of(f, STR("crm-2"), &row), ERR_NOT_FOUND);
}

// One event for one record, with a once run of two webhooks and a run without a mark.
static struct store_accept *make_once(struct fixture *f)
{
    struct store_accept *a = make_accept(f, 1);
    struct store_run *run = add_run(f, &a->events[0], "once");
    set_once(run);
    add_delivery(f, run, "https://a.example:443");
    add_delivery(f, run, "https://b.example:443");
    add_delivery(f, add_run(f, &a->events[0], "every"), "https://a.example:443");
    return a;
}

static void accept_gives_a_mark_to_one_of_many_at_once(void **state)
{
    struct fixture *f = *state;
    enum { MANY = 50 };
    for (int round = 0; round < 2; round++) {
        struct store_accept *all[MANY];
        for (size_t i = 0; i < MANY; i++) { // all in one turn, so mostly in one transaction
            all[i] = make_once(f);
            all[i]->on_done = accept_ignore;
            store_accept(f->store, all[i]);
        }
        loop_run(f->loop);
        for (size_t i = 0; i < MANY; i++) {
            bool is_first = round == 0 && i == 0;
            assert_int_equal(all[i]->code, 0);
            assert_int_equal(all[i]->events[0].runs[0].was_marked, !is_first);
            assert_false(all[i]->events[0].runs[1].was_marked);
        }
        assert_int_equal(count_of(f, STORE_READ_DELIVERIES), 2 + (round + 1) * MANY);
        assert_int_equal(store_owed_count(f->store), 2 + (round + 1) * MANY);
        fixture_reopen(f);
    }
    struct store_read r = {
        .kind = STORE_READ_RUNS, .limit = STORE_PAGE_MAX, .filter = {.workflow = STR("once")}};
    assert_int_equal(do_read(f, &r), 0);
    assert_int_equal(r.count, 1);
    assert_int_equal(r.runs[0].delivery_count, 2);
}

static void accept_keeps_marks_apart(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *workflow, *record_type, *record_id;
        bool was_marked;
    } cases[] = {
        {"once", "deal", "1", false},    {"once", "deal", "1", true},
        {"once", "deal", "2", false},    {"other", "deal", "1", false},
        {"once", "contact", "1", false}, {"once", "deal", "1", true},
        {"onc", "edeal", "1", false},    {"once", "deal1", "", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct store_accept *a = make_accept(f, 1);
        set_record(&a->events[0], cases[i].record_type, cases[i].record_id);
        set_once(add_run(f, &a->events[0], cases[i].workflow));
        assert_int_equal(do_accept(f, a), 0);
        if (a->events[0].runs[0].was_marked != cases[i].was_marked) {
            fail_case(i, "was_marked is %d", a->events[0].runs[0].was_marked);
        }
    }
}

static void accept_tells_of_marks(void **state)
{
    struct fixture *f = *state;
    struct store_accept *a = make_accept(f, 1);
    struct store_event *ev = &a->events[0];
    add_run(f, ev, "invoice")->mark = (struct store_mark){.is_set = true, .until_ms = 1234};
    assert_int_equal(do_accept(f, a), 0);
    struct store_mark_row rows[2] = {
        {.workflow = ev->runs[0].workflow, .record_type = ev->record_type, .record_id = STR("no")},
        {.workflow = ev->runs[0].workflow,
         .record_type = ev->record_type,
         .record_id = ev->record_id}};
    struct store_read r = {.kind = STORE_READ_MARKS, .marks = rows, .mark_count = COUNT_OF(rows)};
    assert_int_equal(do_read(f, &r), 0);
    assert_int_equal(rows[0].until_ms, 0);
    assert_int_equal(rows[1].until_ms, 1234);
}

static void accept_lets_a_mark_run_out(void **state)
{
    struct fixture *f = *state;
    // A cooldown of 10 s, taken at 0 s: held until 10 s, then taken anew.
    static const struct {
        int64_t at_ms;
        bool was_marked;
    } cases[] = {{0, false},     {1, true},     {9999, true},
                 {10000, false}, {10001, true}, {20000, false}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct store_accept *a = make_accept(f, 1);
        struct store_event *ev = &a->events[0];
        ev->received_at_ms = f->now_ms + cases[i].at_ms;
        struct store_run *run = add_run(f, ev, "cool");
        run->mark = (struct store_mark){.is_set = true, .until_ms = ev->received_at_ms + 10000};
        assert_int_equal(do_accept(f, a), 0);
        if (run->was_marked != cases[i].was_marked) {
            fail_case(i, "was_marked is %d", run->was_marked);
        }
    }
}

static void accept_gives_a_mark_once_within_a_body(void **state)
{
    struct fixture *f = *state;
    struct store_accept *a = make_accept(f, 2);
    for (size_t i = 0; i < 2; i++) {
        struct store_run *run = add_run(f, &a->events[i], "once");
        set_once(run);
        add_delivery(f, run, "https://a.example:443");
    }
    assert_int_equal(do_accept(f, a), 0);
    assert_false(a->events[0].runs[0].was_marked);
    assert_true(a->events[1].runs[0].was_marked);
    assert_int_equal(count_of(f, STORE_READ_DELIVERIES), 1);
    assert_int_equal(count_of(f, STORE_READ_EVENTS), 2);
}

static struct store_accept *make_judged(struct fixture *f, uint64_t version)
{
    struct store_accept *a = make_accept(f, 1);
    a->events[0].needs_version = true;
    a->events[0].judged_version = version;
    add_delivery(f, add_run(f, &a->events[0], "invoice"), "https://a.example:443");
    return a;
}

static void accept_refuses_what_was_judged_against_an_old_state(void **state)
{
    struct fixture *f = *state;
    struct store_accept *a = make_judged(f, 17);
    assert_int_equal(do_accept(f, a), ERR_BUSY); // there is no state yet
    a->events[0].judged_version = 0;
    assert_int_equal(do_accept(f, a), 0);

    struct store_accept *b = make_judged(f, 0);
    struct store_accept *c = make_judged(f, a->events[0].id);
    struct store_accept *d = make_judged(f, a->events[0].id);
    b->on_done = c->on_done = d->on_done = accept_ignore;
    store_accept(f->store, b);
    store_accept(f->store, c);
    store_accept(f->store, d); // in the same transaction as c, which changed the state
    loop_run(f->loop);
    assert_int_equal(b->code, ERR_BUSY);
    assert_int_equal(c->code, 0);
    assert_int_equal(d->code, ERR_BUSY);
    assert_int_equal(count_of(f, STORE_READ_DELIVERIES), 2);
    assert_int_equal(count_of(f, STORE_READ_EVENTS), 2);
    assert_int_equal(store_owed_count(f->store), 2);
    d->events[0].judged_version = c->events[0].id;
    assert_int_equal(do_accept(f, d), 0);
}

static void accept_judges_against_earlier_events_of_the_body(void **state)
{
    struct fixture *f = *state;
    struct store_accept *a = make_accept(f, 2);
    a->events[1].needs_version = true;
    a->events[1].judged_version = a->events[0].id;
    assert_int_equal(do_accept(f, a), 0);

    // The first turns out to be known, so it is not the latest state.
    struct store_accept *b = make_accept(f, 3);
    set_key(&b->events[0], "new", 1);
    set_key(&b->events[1], "new", 1);
    b->events[2].needs_version = true;
    b->events[2].judged_version = b->events[1].id;
    assert_int_equal(do_accept(f, b), ERR_BUSY);
    assert_int_equal(b->fault_index, 2);
    assert_false(b->events[0].is_duplicate);
    assert_true(b->events[1].is_duplicate);
    assert_int_equal(count_of(f, STORE_READ_EVENTS), 2);
}

// The verdict "stale" tells of the events behind it too, and a conflict there comes first.
static void accept_tells_what_is_known_behind_a_stale_event(void **state)
{
    struct fixture *f = *state;
    struct store_accept *a = make_accept(f, 1);
    set_key(&a->events[0], "known", 1);
    assert_int_equal(do_accept(f, a), 0);
    struct store_accept *b = make_accept(f, 4);
    b->events[1].needs_version = true;
    b->events[1].judged_version = 17;
    set_key(&b->events[2], "known", 1);
    set_key(&b->events[3], "new", 1);
    assert_int_equal(do_accept(f, b), ERR_BUSY);
    assert_int_equal(b->fault_index, 1);
    assert_true(b->events[2].is_duplicate);
    assert_true(b->events[2].first_id == a->events[0].id);
    assert_false(b->events[0].is_duplicate || b->events[1].is_duplicate ||
                 b->events[3].is_duplicate);
    assert_int_equal(count_of(f, STORE_READ_EVENTS), 1);
    set_key(&b->events[3], "known", 2);
    assert_int_equal(do_accept(f, b), ERR_CONFLICT);
    assert_int_equal(b->fault_index, 3);
    set_key(&b->events[3], "new", 1);
    b->events[1].judged_version = b->events[0].id;
    assert_int_equal(do_accept(f, b), 0);
    assert_int_equal(count_of(f, STORE_READ_EVENTS), 4);
}

static void accept_points_a_record_to_its_latest_state(void **state)
{
    struct fixture *f = *state;
    // At each step an event dated `time_ms`; the state is then that of step `latest`.
    static const struct {
        int64_t time_ms;
        size_t latest;
    } steps[] = {{100, 0}, {300, 1}, {200, 1}, {300, 3}, {299, 3}, {301, 5}, {-1, 5}};
    uint64_t ids[COUNT_OF(steps)];
    assert_true(read_record_of(f, "deal", "4021").version == 0);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        struct store_accept *a = make_accept(f, 1);
        a->events[0].time_ms = steps[i].time_ms;
        char payload[16];
        a->events[0].payload =
            (struct str){payload, (size_t)snprintf(payload, sizeof payload, "{\"n\":%zu}", i)};
        assert_int_equal(do_accept(f, a), 0);
        ids[i] = a->events[0].id;
        struct store_record_row row = read_record_of(f, "deal", "4021");
        char wanted[16];
        snprintf(wanted, sizeof wanted, "{\"n\":%zu}", steps[i].latest);
        if (row.version != ids[steps[i].latest] || row.time_ms != steps[steps[i].latest].time_ms) {
            fail_case(i, "not the state of step %zu", steps[i].latest);
        }
        assert_str(row.payload, str_from(wanted));
    }
    assert_true(read_record_of(f, "contact", "4021").version == 0);
    assert_true(read_record_of(f, "deal", "402").version == 0);

    struct store_accept *other = make_accept(f, 1);
    set_record(&other->events[0], "contact", "4021");
    assert_int_equal(do_accept(f, other), 0);
    struct store_record_row rows[] = {{.record_type = STR("contact"), .record_id = STR("4021")},
                                      {.record_type = STR("contact"), .record_id = STR("none")},
                                      {.record_type = STR("deal"), .record_id = STR("4021")}};
    struct store_read r = {
        .kind = STORE_READ_RECORDS, .records = rows, .record_count = COUNT_OF(rows)};
    assert_int_equal(do_read(f, &r), 0);
    assert_true(rows[0].version == other->events[0].id);
    assert_true(rows[1].version == 0 && rows[1].payload.len == 0);
    assert_true(rows[2].version == ids[5]);
}

static void accept_takes_ten_thousand_events(void **state)
{
    struct fixture *f = *state;
    enum { MANY = 10000 };
    struct store_accept *a = make_accept(f, MANY);
    char(*keys)[16] = zalloc(f, MANY * sizeof *keys);
    for (size_t i = 0; i < MANY; i++) {
        snprintf(keys[i], sizeof keys[i], "key-%zu", i);
        set_key(&a->events[i], keys[i], i);
        add_delivery(f, add_run(f, &a->events[i], "invoice"), "https://a.example:443");
    }
    set_key(&a->events[MANY - 1], keys[0], 1); // the last is in conflict with the first
    assert_int_equal(do_accept(f, a), ERR_CONFLICT);
    assert_int_equal(a->fault_index, MANY - 1);
    assert_int_equal(store_owed_count(f->store), 0);
    assert_int_equal(count_of(f, STORE_READ_EVENTS), 0);
    set_key(&a->events[MANY - 1], keys[MANY - 1], MANY - 1);
    assert_int_equal(do_accept(f, a), 0);
    assert_int_equal(store_owed_count(f->store), MANY);
}

// An id that is there already is a fault of its own request: the others of the transaction are
// stored.
static void accept_fails_alone(void **state)
{
    struct fixture *f = *state;
    struct store_accept *all[5];
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        all[i] = make_once(f);
        set_record(&all[i]->events[0], "deal", i == 3 ? "3" : "1");
        all[i]->on_done = accept_ignore;
    }
    all[2]->events[0].id = all[0]->events[0].id;
    set_record(&all[2]->events[0], "deal", "3"); // its mark must not hold for the next
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        store_accept(f->store, all[i]);
    }
    loop_run(f->loop);
    static const struct {
        int code;
        bool was_marked;
    } wanted[COUNT_OF(all)] = {{0, false}, {0, true}, {ERR_CONFLICT, false}, {0, false}, {0, true}};
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        if (all[i]->code != wanted[i].code ||
            (all[i]->code == 0 && all[i]->events[0].runs[0].was_marked != wanted[i].was_marked)) {
            fail_case(i, "code %d, was_marked %d", all[i]->code,
                      all[i]->events[0].runs[0].was_marked);
        }
    }
    assert_int_equal(store_owed_count(f->store), 3 + 1 + 3 + 1);
    assert_int_equal(count_of(f, STORE_READ_DELIVERIES), 8);
    assert_null(store_trouble(f->store));
}

static void accept_stores_blobs_to_the_byte(void **state)
{
    struct fixture *f = *state;
    static const size_t sizes[] = {0, 1, 2047, 2048, 2049, 4096, 70000, 5 << 20};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        char *bytes = zalloc(f, sizes[i]);
        uint64_t random = i + 1;
        for (size_t k = 0; k < sizes[i]; k++) {
            bytes[k] = (char)next_random(&random); // NUL and bad UTF-8 too
        }
        struct str blob = {bytes, sizes[i]};
        struct store_accept *a = make_accept(f, 1);
        struct store_delivery *d =
            add_delivery(f, add_run(f, &a->events[0], "invoice"), "https://a.example:443");
        d->body = blob;
        d->head = i < 6 ? blob : d->head;
        a->events[0].payload = blob;
        assert_int_equal(do_accept(f, a), 0);
        struct store_delivery_row *row = read_delivery_of(f, d->id);
        assert_str(row->owed.body, blob);
        assert_str(row->owed.head, d->head);
        assert_str(read_record_of(f, "deal", "4021").payload, blob);

        struct store_finish end = {
            .delivery = d->id,
            .state = DELIVERY_DELIVERED,
            .attempt = {.number = 1, .status = 200, .headers = blob, .body = blob}};
        assert_int_equal(do_finish(f, &end), 0);
        row = read_delivery_of(f, d->id);
        assert_str(row->owed.body, blob);
        assert_str(row->attempts[0].body, blob);
        assert_str(row->attempts[0].headers, blob);
    }
}

#endif
