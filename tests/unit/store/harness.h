// What the tests of a store share: a folder that goes away, a loop, requests that are waited for,
// and events made with few words. Everything here uses store.h alone; the backend under test comes
// as a function.
#ifndef TESTS_STORE_HARNESS_H
#define TESTS_STORE_HARNESS_H

#include "temp.h"
#include "unit.h"

#include "base/id.h"
#include "store/store.h"
#include "store/targets.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef int open_backend(struct store **out, const struct store_config *c, struct err *e);

enum { NOW_MS = 1795425300 }; // seconds: 2026-11-23T09:15:00Z, as in the specification

struct fixture {
    open_backend *open_backend;
    char dir[64];
    struct clock clock;
    struct loop *loop;
    struct log log;
    struct store *store;
    struct id_source ids;
    struct arena arena; // for the out values of the helpers below, and for events
    int64_t now_ms;
    bool is_closed;
};

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static inline void remove_tree(const char *dir)
{
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline struct store_config fixture_config(struct fixture *f)
{
    return (struct store_config){.dir = f->dir, .loop = f->loop, .log = &f->log, .host_name = "a"};
}

static inline void fixture_open(struct fixture *f)
{
    struct store_config c = fixture_config(f);
    struct err e;
    if (f->open_backend(&f->store, &c, &e) != 0) {
        fail_msg("open: %s", e.text);
    }
    id_source_init(&f->ids, 0, store_last_id(f->store));
}

static inline void fixture_on_closed(void *ctx)
{
    ((struct fixture *)ctx)->is_closed = true;
}

static inline void fixture_close(struct fixture *f)
{
    f->is_closed = false;
    store_close(f->store, fixture_on_closed, f);
    loop_run(f->loop);
    assert_true(f->is_closed);
    f->store = NULL;
}

static inline void fixture_reopen(struct fixture *f)
{
    fixture_close(f);
    fixture_open(f);
}

// Everything but the store itself.
static inline void fixture_init(struct fixture *f, open_backend *backend)
{
    *f = (struct fixture){.open_backend = backend, .now_ms = NOW_MS * INT64_C(1000)};
    temp_template(f->dir, sizeof f->dir);
    assert_non_null(mkdtemp(f->dir));
    clock_init_test(&f->clock);
    struct err e;
    assert_int_equal(loop_new(&f->loop, &f->clock, &e), 0);
    log_init(&f->log, open("/dev/null", O_WRONLY | O_CLOEXEC), &f->clock);
    arena_init(&f->arena, 256 << 20);
}

static inline void fixture_fini(struct fixture *f)
{
    if (f->store) {
        fixture_close(f);
    }
    assert_int_equal(loop_free(f->loop), 0);
    close(f->log.fd);
    arena_fini(&f->arena);
    remove_tree(f->dir);
}

// --- events
// ------------------------------------------------------------------------------------------

static inline uint64_t next_id(struct fixture *f)
{
    return id_next(&f->ids, f->now_ms);
}

static inline void *zalloc(struct fixture *f, size_t len)
{
    void *p = arena_alloc(&f->arena, len);
    assert_non_null(p);
    return p;
}

// An accept of `count` events: deal.updated, received and dated now, with neither key nor run.
static inline struct store_accept *make_accept(struct fixture *f, size_t count)
{
    struct store_accept *a = zalloc(f, sizeof *a);
    a->events = zalloc(f, count * sizeof *a->events);
    a->event_count = count;
    a->arena = &f->arena;
    for (size_t i = 0; i < count; i++) {
        a->events[i] = (struct store_event){.id = next_id(f),
                                            .digest = 1,
                                            .type = STR("deal.updated"),
                                            .record_type = STR("deal"),
                                            .record_id = STR("4021"),
                                            .time_ms = f->now_ms,
                                            .received_at_ms = f->now_ms,
                                            .payload = STR("{\"record\":{\"id\":4021}}")};
    }
    return a;
}

enum { MOST_RUNS = 4, MOST_DELIVERIES = 4 };

static inline struct store_run *add_run(struct fixture *f, struct store_event *ev,
                                        const char *workflow)
{
    if (!ev->runs) {
        ev->runs = zalloc(f, MOST_RUNS * sizeof *ev->runs);
    }
    assert_true(ev->run_count < MOST_RUNS);
    struct store_run *run = &ev->runs[ev->run_count++];
    *run = (struct store_run){.workflow = str_from(workflow), .generation = 7};
    return run;
}

static inline struct store_delivery *add_delivery(struct fixture *f, struct store_run *run,
                                                  const char *target)
{
    if (!run->deliveries) {
        run->deliveries = zalloc(f, MOST_DELIVERIES * sizeof *run->deliveries);
    }
    assert_true(run->delivery_count < MOST_DELIVERIES);
    struct store_delivery *d = &run->deliveries[run->delivery_count++];
    *d = (struct store_delivery){.id = next_id(f),
                                 .action = (int)run->delivery_count,
                                 .target = str_from(target),
                                 .due_at_ms = f->now_ms,
                                 .head = STR("{\"method\":\"POST\"}"),
                                 .body = STR("{\"amount\":1}")};
    return d;
}

// --- requests that are waited for
// -----------------------------------------------------------------------

static inline void accept_ignore(struct store_accept *a)
{
    (void)a;
}

static inline int do_accept(struct fixture *f, struct store_accept *a)
{
    a->code = 1;
    a->on_done = accept_ignore;
    store_accept(f->store, a);
    loop_run(f->loop);
    return a->code;
}

// One event with one run and one delivery to `target`: the id of the delivery.
static inline uint64_t owe_one(struct fixture *f, const char *target, int64_t due_at_ms)
{
    struct store_accept *a = make_accept(f, 1);
    struct store_delivery *d = add_delivery(f, add_run(f, &a->events[0], "invoice"), target);
    d->due_at_ms = due_at_ms;
    assert_int_equal(do_accept(f, a), 0);
    return d->id;
}

static inline void finish_ignore(struct store_finish *r)
{
    (void)r;
}

static inline int do_finish(struct fixture *f, struct store_finish *r)
{
    r->code = 1;
    r->on_done = finish_ignore;
    store_finish(f->store, r);
    loop_run(f->loop);
    return r->code;
}

static inline int set_state(struct fixture *f, uint64_t id, enum delivery_state state,
                            int64_t due_at_ms)
{
    return do_finish(
        f, &(struct store_finish){.delivery = id, .state = state, .due_at_ms = due_at_ms});
}

static inline void due_ignore(struct store_due *d)
{
    (void)d;
}

enum { ALL_SHARDS = (1 << STORE_SHARDS) - 1 };

static inline struct store_due do_due(struct fixture *f, struct store_due_target *targets,
                                      size_t count, int64_t until_ms)
{
    struct store_due d = {.targets = targets,
                          .target_count = count,
                          .until_ms = until_ms,
                          .window_ms = 1000,
                          .arena = &f->arena,
                          .on_done = due_ignore,
                          .code = 1};
    store_due(f->store, &d);
    loop_run(f->loop);
    return d;
}

static inline void read_ignore(struct store_read *r)
{
    (void)r;
}

static inline int do_read(struct fixture *f, struct store_read *r)
{
    r->code = 1;
    r->arena = r->arena ? r->arena : &f->arena;
    r->on_done = read_ignore;
    store_read(f->store, r);
    loop_run(f->loop);
    return r->code;
}

static inline int read_event_of(struct fixture *f, struct str key, struct store_event_row **out)
{
    struct store_read r = {.kind = STORE_READ_EVENT, .key = key};
    int code = do_read(f, &r);
    *out = r.events;
    return code;
}

static inline struct store_delivery_row *read_delivery_of(struct fixture *f, uint64_t id)
{
    struct store_read r = {.kind = STORE_READ_DELIVERY, .id = id};
    assert_int_equal(do_read(f, &r), 0);
    assert_int_equal(r.count, 1);
    return r.deliveries;
}

static inline struct store_record_row read_record_of(struct fixture *f, const char *type,
                                                     const char *id)
{
    struct store_record_row row = {.record_type = str_from(type), .record_id = str_from(id)};
    struct store_read r = {.kind = STORE_READ_RECORDS, .records = &row, .record_count = 1};
    assert_int_equal(do_read(f, &r), 0);
    return row;
}

static inline void slots_ignore(struct store_slots *q)
{
    (void)q;
}

static inline int put_slots(struct fixture *f, struct store_slot *slots, size_t count)
{
    struct store_slots q = {.slots = slots, .count = count, .on_done = slots_ignore, .code = 1};
    store_slots_put(f->store, &q);
    loop_run(f->loop);
    return q.code;
}

static inline struct store_slots get_slots(struct fixture *f)
{
    struct store_slots q = {.arena = &f->arena, .on_done = slots_ignore, .code = 1};
    store_slots_get(f->store, &q);
    loop_run(f->loop);
    assert_int_equal(q.code, 0);
    return q;
}

static inline size_t count_of(struct fixture *f, enum store_read_kind kind)
{
    struct store_read r = {.kind = kind, .limit = STORE_PAGE_MAX};
    assert_int_equal(do_read(f, &r), 0);
    return r.count;
}

// --- a target that an operator pauses, or resumes ------------------------------------------------

static inline void pause_put_ignore(struct store_pause_put *p)
{
    (void)p;
}

static inline void say_pause(struct fixture *f, struct str target, bool is_paused)
{
    struct store_pause_put p = {.target = target,
                                .is_paused = is_paused,
                                .who = STR("me"),
                                .now_ms = f->now_ms,
                                .on_done = pause_put_ignore,
                                .code = 1};
    store_pause_put(f->store, &p);
    loop_run(f->loop);
    assert_int_equal(p.code, 0);
}

static inline void pause_step_ignore(struct store_pause_step *q)
{
    (void)q;
}

static inline int step_pause(struct fixture *f, struct store_pause_step *q)
{
    q->now_ms = f->now_ms;
    q->on_done = pause_step_ignore;
    q->code = 1;
    store_pause_step(f->store, q);
    loop_run(f->loop);
    return q->code;
}

#endif
