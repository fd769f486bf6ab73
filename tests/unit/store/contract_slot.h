// The contract of what time triggers need: records in pages, how far a workflow has come.
#ifndef TESTS_STORE_CONTRACT_SLOT_H
#define TESTS_STORE_CONTRACT_SLOT_H

#include "store/harness.h"

static void accept_of_a_copy_is_no_state(void **state)
{
    struct fixture *f = *state;
    struct store_accept *a = make_accept(f, 2);
    a->events[1].is_stateless = true;
    a->events[1].type = STR("deal.scheduled");
    assert_int_equal(do_accept(f, a), 0);
    assert_int_equal(read_record_of(f, "deal", "4021").version, a->events[0].id);
    assert_int_equal(count_of(f, STORE_READ_EVENTS), 2);
}

static void slots_are_what_was_put(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(get_slots(f).count, 0);
    struct store_slot slots[] = {
        {.workflow = STR("a"), .schedule = STR("daily"), .done_ms = 5, .last_record = STR("")},
        {.workflow = STR("b"),
         .schedule = STR("weekly"),
         .done_ms = -7,
         .under_way_ms = 9,
         .last_record = STR("4021")}};
    assert_int_equal(put_slots(f, slots, 2), 0);
    fixture_reopen(f);
    struct store_slots got = get_slots(f);
    assert_int_equal(got.count, 2);
    assert_str_text(got.slots[1].workflow, "b");
    assert_str_text(got.slots[1].schedule, "weekly");
    assert_str_text(got.slots[1].last_record, "4021");
    assert_int_equal(got.slots[1].done_ms, -7);
    assert_int_equal(got.slots[1].under_way_ms, 9);
    assert_int_equal(got.slots[0].under_way_ms, 0);
    assert_int_equal(put_slots(f, slots + 1, 1), 0);
    got = get_slots(f);
    assert_int_equal(got.count, 1);
    assert_str_text(got.slots[0].workflow, "b");
}

static void a_slot_moves_on_with_its_events(void **state)
{
    struct fixture *f = *state;
    struct store_slot slot = {
        .workflow = STR("w"), .schedule = STR("daily"), .under_way_ms = 9, .last_record = STR("1")};
    struct store_accept *a = make_accept(f, 1);
    a->events[0].key = STR("scheduled:w:1");
    a->slot = &slot;
    assert_int_equal(do_accept(f, a), 0);
    assert_str_text(get_slots(f).slots[0].last_record, "1");
    // Where an event is refused nothing moves on, whatever stands beside it.
    for (size_t count = 1; count <= 2; count++) {
        struct store_accept *other = make_accept(f, count);
        other->events[count - 1].key = STR("scheduled:w:1");
        other->events[count - 1].digest = 2;
        slot.last_record = STR("2");
        other->slot = &slot;
        assert_int_equal(do_accept(f, other), ERR_CONFLICT);
        assert_str_text(get_slots(f).slots[0].last_record, "1");
    }
    struct store_accept *none = make_accept(f, 0);
    none->slot = &slot;
    assert_int_equal(do_accept(f, none), 0);
    assert_str_text(get_slots(f).slots[0].last_record, "2");
    assert_int_equal(get_slots(f).count, 1);
}

enum { PAGED = 25, PAGE = 10 };

static void records_are_read_in_pages(void **state)
{
    struct fixture *f = *state;
    struct store_accept *a = make_accept(f, PAGED + 1);
    struct str payload = {zalloc(f, 1000), 1000};
    memset((char *)payload.data, ' ', payload.len);
    for (size_t i = 0; i < PAGED; i++) {
        char id[8];
        snprintf(id, sizeof id, "%02zu", i * 7 % PAGED);
        a->events[i].record_id = arena_dup(&f->arena, str_from(id));
        a->events[i].payload = payload;
        a->events[i].type = i == 0 ? STR("deal.deleted") : STR("deal.created");
    }
    a->events[PAGED].record_type = STR("deals"); // of another type
    assert_int_equal(do_accept(f, a), 0);
    struct str last = STR("");
    size_t seen = 0;
    for (bool has_more = true; has_more;) {
        struct store_read r = {.kind = STORE_READ_RECORD_PAGE,
                               .filter = {.type = STR("deal"), .record = last},
                               .limit = PAGE};
        assert_int_equal(do_read(f, &r), 0);
        for (size_t i = 0; i < r.record_count; i++, seen++) {
            char id[8];
            snprintf(id, sizeof id, "%02zu", seen);
            assert_str_text(r.records[i].record_id, id);
            assert_str_text(r.records[i].record_type, "deal");
            assert_str(r.records[i].payload, payload);
            assert_int_equal(r.records[i].is_deleted, seen == 0);
            last = r.records[i].record_id;
        }
        has_more = r.next != 0;
        assert_int_equal(r.record_count, has_more ? PAGE : PAGED % PAGE);
    }
    assert_int_equal(seen, PAGED);

    struct arena small;
    arena_init(&small, 16384); // the page ends early, and no record is left out
    struct store_read r = {
        .kind = STORE_READ_RECORD_PAGE, .filter = {.type = STR("deal")}, .limit = 20};
    r.arena = &small;
    assert_int_equal(do_read(f, &r), 0);
    assert_true(r.record_count > 0 && r.record_count < 20 && r.next);
    arena_fini(&small);
}

#endif
