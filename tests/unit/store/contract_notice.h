// The contract of notices: rows that are kept until people have been told.
#ifndef TESTS_STORE_CONTRACT_NOTICE_H
#define TESTS_STORE_CONTRACT_NOTICE_H

#include "store/harness.h"

static inline void notice_put_ignore(struct store_notice_put *p)
{
    (void)p;
}

static inline void put_notice(struct fixture *f, struct store_notice row, bool is_gone)
{
    struct store_notice_put p = {
        .row = row, .is_gone = is_gone, .on_done = notice_put_ignore, .code = 1};
    store_notice_put(f->store, &p);
    loop_run(f->loop);
    assert_int_equal(p.code, 0);
}

static inline void notices_ignore(struct store_notices *q)
{
    (void)q;
}

static inline struct store_notices all_notices(struct fixture *f)
{
    struct store_notices q = {.arena = &f->arena, .on_done = notices_ignore, .code = 1};
    store_notices(f->store, &q);
    loop_run(f->loop);
    assert_int_equal(q.code, 0);
    return q;
}

static void notices_are_kept_until_they_are_gone(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(all_notices(f).count, 0);
    struct store_notice row = {.topic = STR("https://a.example:443"),
                               .kind = 1,
                               .is_open = true,
                               .is_urgent = true,
                               .count = 1,
                               .first_at_ms = 10,
                               .last_at_ms = 20,
                               .told_at_ms = 5,
                               .text = STR("it failed"),
                               .workflows = STR("a\nb\n")};
    put_notice(f, row, false);
    put_notice(f, (struct store_notice){.topic = STR("a"), .kind = 4}, false);
    row.count = INT64_MAX;
    put_notice(f, row, false);
    struct store_notices all = all_notices(f);
    assert_int_equal(all.count, 2);
    assert_str(all.rows[0].topic, STR("a"));
    assert_true(all.rows[0].count == 0 && !all.rows[0].is_open && all.rows[0].text.len == 0);
    const struct store_notice *one = &all.rows[1];
    assert_str(one->topic, STR("https://a.example:443"));
    assert_true(one->kind == 1 && one->is_open && one->is_urgent && one->count == INT64_MAX);
    assert_true(one->first_at_ms == 10 && one->last_at_ms == 20 && one->told_at_ms == 5);
    assert_str(one->text, STR("it failed"));
    assert_str(one->workflows, STR("a\nb\n"));
    put_notice(f, row, true);
    put_notice(f, row, true);
    assert_int_equal(all_notices(f).count, 1);
}

#endif
