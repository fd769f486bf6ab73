// The contract of lists, generations, restarts, and the order of callbacks.
#ifndef TESTS_STORE_CONTRACT_READ_H
#define TESTS_STORE_CONTRACT_READ_H

#include "store/generations.h"
#include "store/harness.h"

#include "store/audit.h"

// 40 events a second apart, each with a run and a delivery. Deal n % 5 or contact n % 5, workflow
// "w0".."w2", target a or b, every tenth run an error without delivery, states by n % 4.
enum { LISTED = 40 };

static uint64_t listed_delivery(struct fixture *f, size_t n, uint64_t *event)
{
    static const char *const workflows[] = {"w0", "w1", "w2"};
    static const char *const records[] = {"0", "1", "2", "3", "4"};
    struct store_accept *a = make_accept(f, 1);
    struct store_event *ev = &a->events[0];
    ev->type = n % 2 ? STR("contact.created") : STR("deal.updated");
    ev->record_type = n % 2 ? STR("contact") : STR("deal");
    ev->record_id = str_from(records[n % 5]);
    *event = ev->id;
    struct store_run *run = add_run(f, ev, workflows[n % 3]);
    uint64_t id = 0;
    if (n % 10 == 9) {
        run->outcome = n % 20 == 19 ? RUN_SUPPRESSED : RUN_ERROR;
        run->reason = STR("why");
    } else {
        id =
            add_delivery(f, run, n % 4 < 2 ? "https://a.example:443" : "https://b.example:443")->id;
    }
    assert_int_equal(do_accept(f, a), 0);
    static const enum delivery_state states[] = {DELIVERY_PENDING, DELIVERY_RETRYING,
                                                 DELIVERY_DELIVERED, DELIVERY_TERMINATED};
    if (id && n % 4 > 0) {
        assert_int_equal(set_state(f, id, states[n % 4], f->now_ms), 0);
    }
    return id;
}

struct listed {
    uint64_t events[LISTED];
    uint64_t deliveries[LISTED]; // 0: none
    int64_t from_ms;
};

static struct listed make_listed(struct fixture *f)
{
    struct listed l = {.from_ms = f->now_ms};
    for (size_t n = 0; n < LISTED; n++) {
        l.deliveries[n] = listed_delivery(f, n, &l.events[n]);
        f->now_ms += 1000;
    }
    return l;
}

static bool filter_wants(const struct store_filter *w, size_t n, int64_t from_ms)
{
    static const char *const words[] = {"0", "1", "2", "3", "4"};
    static const char *const workflows[] = {"w0", "w1", "w2"};
    static const enum delivery_state states[] = {DELIVERY_PENDING, DELIVERY_RETRYING,
                                                 DELIVERY_DELIVERED, DELIVERY_TERMINATED};
    int64_t at_ms = from_ms + (int64_t)n * 1000;
    struct str type = n % 2 ? STR("contact.created") : STR("deal.updated");
    struct str record_type = n % 2 ? STR("contact") : STR("deal");
    return (!w->has_state || w->states >> states[n % 4] & 1) &&
           (!w->workflow.len || str_eq(w->workflow, str_from(workflows[n % 3]))) &&
           (!w->target.len || str_eq(w->target, n % 4 < 2 ? STR("https://a.example:443")
                                                          : STR("https://b.example:443"))) &&
           (!w->type.len || str_eq(w->type, type) || str_eq(w->type, record_type)) &&
           (!w->record.len || str_eq(w->record, str_from(words[n % 5]))) &&
           (!w->since_ms || at_ms >= w->since_ms) && (!w->until_ms || at_ms < w->until_ms);
}

static void list_of_deliveries_is_filtered_and_paged(void **state)
{
    struct fixture *f = *state;
    struct listed l = make_listed(f);
    const struct store_filter filters[] = {
        {0},
        {.has_state = true, .states = 1u << DELIVERY_PENDING},
        {.has_state = true, .states = 1u << DELIVERY_RETRYING},
        {.has_state = true, .states = 1u << DELIVERY_DELIVERED},
        {.has_state = true, .states = 1u << DELIVERY_TERMINATED},
        {.has_state = true, .states = 1u << DELIVERY_HELD},
        {.has_state = true, .states = 1u << DELIVERY_PENDING | 1u << DELIVERY_RETRYING},
        {.has_state = true, .states = 0},
        {.workflow = STR("w1")},
        {.workflow = STR("unknown")},
        {.target = STR("https://b.example:443")},
        {.target = STR("https://unknown.example:443")},
        {.type = STR("deal")},
        {.type = STR("contact.created")},
        {.type = STR("contact.updated")},
        {.record = STR("3")},
        {.since_ms = l.from_ms + 10000},
        {.until_ms = l.from_ms + 10000},
        {.since_ms = l.from_ms + 5000, .until_ms = l.from_ms + 25000},
        {.has_state = true,
         .states = 1u << DELIVERY_TERMINATED,
         .workflow = STR("w2"),
         .target = STR("https://b.example:443")},
        {.has_state = true,
         .states = 1u << DELIVERY_RETRYING,
         .record = STR("1"),
         .since_ms = l.from_ms + 3000},
    };
    static const size_t limits[] = {1, 3, STORE_PAGE_MAX};
    for (size_t i = 0; i < COUNT_OF(filters) * COUNT_OF(limits); i++) {
        struct store_read r = {.kind = STORE_READ_DELIVERIES,
                               .filter = filters[i / COUNT_OF(limits)],
                               .limit = limits[i % COUNT_OF(limits)]};
        size_t at = 0, pages = 0;
        for (size_t n = LISTED; n-- > 0;) {
            if (!l.deliveries[n] || !filter_wants(&r.filter, n, l.from_ms)) {
                continue;
            }
            while (pages == 0 || (at == r.count && r.next)) { // a page may be short of the limit
                r.before = r.next;
                assert_int_equal(do_read(f, &r), 0);
                assert_true(r.count <= r.limit);
                at = 0;
                pages++;
            }
            if (at >= r.count || r.deliveries[at].owed.id != l.deliveries[n]) {
                fail_case(i, "delivery %zu is not at %zu of %zu of page %zu", n, at, r.count,
                          pages);
            }
            at++;
        }
        while (r.next) { // whatever pages are left have nothing
            assert_int_equal(at, r.count);
            r.before = r.next;
            assert_int_equal(do_read(f, &r), 0);
            at = 0;
        }
        if (pages > 0) {
            assert_int_equal(at, r.count);
        }
    }
    struct store_read r = {.kind = STORE_READ_DELIVERIES,
                           .limit = 1,
                           .filter = {.has_state = true, .states = 1u << DELIVERY_RETRYING}};
    assert_int_equal(do_read(f, &r), 0);
    const struct store_delivery_row *row = &r.deliveries[0];
    assert_int_equal(row->owed.state, DELIVERY_RETRYING);
    assert_str(row->owed.target, STR("https://a.example:443"));
    assert_str(row->owed.workflow, STR("w1"));
    assert_str(row->owed.record_type, STR("contact"));
    assert_str(row->owed.record_id, STR("2"));
    assert_true(row->owed.event_key.len == ID_SHOWN_LEN);
    assert_true(row->created_at_ms == l.from_ms + 37000);
    assert_null(row->attempts);
    assert_int_equal(row->owed.body.len, 0);
}

static void list_of_deliveries_has_the_last_attempt(void **state)
{
    struct fixture *f = *state;
    uint64_t id = owe_one(f, "https://a.example:443", f->now_ms);
    static const struct {
        enum delivery_state state;
        int status;
        const char *error;
    } steps[] = {
        {DELIVERY_RETRYING, 503, ""},
        {DELIVERY_RETRYING, 0, "timeout"},
        {DELIVERY_TERMINATED, 410, ""},
        {DELIVERY_DELIVERED, 204, ""},
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        struct store_finish end = {.delivery = id,
                                   .state = steps[i].state,
                                   .due_at_ms = f->now_ms + 1000,
                                   .attempt = {.number = (int)i + 1,
                                               .at_ms = f->now_ms + 10,
                                               .status = steps[i].status,
                                               .error = str_from(steps[i].error),
                                               .detail = STR("why"),
                                               .headers = STR("a: b\n"),
                                               .body = STR("busy")}};
        if (steps[i].state == DELIVERY_DELIVERED) {
            struct store_act again;
            assert_int_equal(do_act(f, STORE_RESEND, id, &again), 0);
        }
        assert_int_equal(do_finish(f, &end), 0);
        struct store_read r = {.kind = STORE_READ_DELIVERIES, .limit = 1};
        assert_int_equal(do_read(f, &r), 0);
        const struct store_delivery_row *row = &r.deliveries[0];
        if (steps[i].state == DELIVERY_DELIVERED) {
            assert_int_equal(row->attempt_count, 0);
            return;
        }
        assert_int_equal(row->attempt_count, 1);
        assert_int_equal(row->attempts[0].number, i + 1);
        assert_int_equal(row->attempts[0].status, steps[i].status);
        assert_str(row->attempts[0].error, str_from(steps[i].error));
        assert_str(row->attempts[0].detail, STR("why"));
        assert_int_equal(row->attempts[0].body.len, 0);
    }
}

static void list_of_events_is_filtered_and_paged(void **state)
{
    struct fixture *f = *state;
    struct listed l = make_listed(f);
    struct store_read r = {.kind = STORE_READ_EVENTS, .limit = 7};
    size_t n = LISTED;
    do {
        r.before = r.next;
        assert_int_equal(do_read(f, &r), 0);
        for (size_t i = 0; i < r.count; i++) {
            assert_true(r.events[i].id == l.events[--n]);
            assert_int_equal(r.events[i].run_count, 0);
            assert_int_equal(r.events[i].payload.len, 0);
        }
    } while (r.next);
    assert_int_equal(n, 0);

    static const struct {
        const char *type, *record;
        size_t count;
    } cases[] = {{"deal", "", 20},
                 {"deal.updated", "", 20},
                 {"deal.created", "", 0},
                 {"", "4", 8},
                 {"contact", "4", 4}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct store_read q = {
            .kind = STORE_READ_EVENTS,
            .limit = STORE_PAGE_MAX,
            .filter = {.type = str_from(cases[i].type), .record = str_from(cases[i].record)}};
        assert_int_equal(do_read(f, &q), 0);
        if (q.count != cases[i].count) {
            fail_case(i, "%zu events", q.count);
        }
    }
}

static void list_of_events_oldest_first_with_payloads(void **state)
{
    struct fixture *f = *state;
    struct listed l = make_listed(f);
    static const struct {
        size_t limit, max_bytes, pages;
    } cases[] = {{7, 0, 6}, {STORE_PAGE_MAX, 0, 1}, {STORE_PAGE_MAX, 1, LISTED}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct store_read r = {.kind = STORE_READ_EVENTS,
                               .limit = cases[i].limit,
                               .max_bytes = cases[i].max_bytes,
                               .is_oldest_first = true,
                               .has_payload = true};
        size_t n = 0, pages = 0;
        do {
            r.before = r.next;
            assert_int_equal(do_read(f, &r), 0);
            pages++;
            for (size_t k = 0; k < r.count; k++) {
                struct store_event_row *one;
                assert_true(r.events[k].id == l.events[n++]);
                assert_int_equal(read_event_of(f, r.events[k].key, &one), 0);
                assert_true(one->payload.len > 0);
                assert_str(r.events[k].payload, one->payload);
                assert_str(r.events[k].before, one->before);
                assert_int_equal(r.events[k].is_before_gone, one->is_before_gone);
            }
        } while (r.next);
        assert_int_equal(n, LISTED);
        assert_int_equal(pages, cases[i].pages);
    }
    struct store_read span = {
        .kind = STORE_READ_EVENTS,
        .limit = 3,
        .is_oldest_first = true,
        .filter = {.since_ms = l.from_ms + 5000, .until_ms = l.from_ms + 7000}};
    assert_int_equal(do_read(f, &span), 0);
    assert_int_equal(span.count, 2);
    assert_true(span.events[0].id == l.events[5] && span.next == 0);
    assert_int_equal(span.events[0].payload.len, 0);
}

static void list_of_runs_by_outcome(void **state)
{
    struct fixture *f = *state;
    struct listed l = make_listed(f);
    static const struct {
        bool has_outcome;
        enum run_outcome outcome;
        const char *workflow;
        size_t count;
    } cases[] = {
        {true, RUN_ERROR, "", 2},    {true, RUN_SUPPRESSED, "", 2}, {true, RUN_DRY, "", 0},
        {true, RUN_SENT, "", 36},    {false, RUN_SENT, "", 40},     {true, RUN_ERROR, "w2", 1},
        {false, RUN_SENT, "w0", 14}, {true, RUN_SENT, "none", 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct store_read r = {.kind = STORE_READ_RUNS,
                               .limit = 3,
                               .filter = {.has_outcome = cases[i].has_outcome,
                                          .outcome = cases[i].outcome,
                                          .workflow = str_from(cases[i].workflow)}};
        size_t count = 0;
        do {
            r.before = r.next;
            assert_int_equal(do_read(f, &r), 0);
            count += r.count;
        } while (r.next);
        if (count != cases[i].count) {
            fail_case(i, "%zu runs", count);
        }
    }
    struct store_read r = {.kind = STORE_READ_RUNS,
                           .limit = 10,
                           .filter = {.has_outcome = true, .outcome = RUN_ERROR}};
    assert_int_equal(do_read(f, &r), 0);
    assert_str(r.runs[0].reason, STR("why"));
    assert_str(r.runs[0].workflow, STR("w2"));
    char key[ID_SHOWN_LEN + 1];
    id_show(key, ID_EVENT, l.events[29]);
    assert_str(r.runs[0].event_key, str_from(key));
}

static void read_needs_room_on_its_arena(void **state)
{
    struct fixture *f = *state;
    uint64_t id = owe_one(f, "https://a.example:443", f->now_ms);
    static const enum store_read_kind kinds[] = {STORE_READ_DELIVERY, STORE_READ_DELIVERIES,
                                                 STORE_READ_EVENTS, STORE_READ_RUNS};
    for (size_t size = 16; size < 2048; size += 48) { // wherever it runs out
        for (size_t i = 0; i < COUNT_OF(kinds); i++) {
            struct arena arena;
            arena_init(&arena, size);
            struct store_read r = {.kind = kinds[i], .id = id, .limit = 10, .arena = &arena};
            int code = do_read(f, &r);
            assert_true(code == ERR_TOO_LARGE || (code == 0 && r.count == 1));
            assert_true(size > 16 || code == ERR_TOO_LARGE);
            arena_fini(&arena);
        }
    }
}

static void generation_ignore(struct store_generation *g)
{
    (void)g;
}

static int put_generation(struct fixture *f, uint64_t id, struct store_file *files, size_t count)
{
    struct store_base base = {STR("b.lua"), 1};
    struct store_generation g = {.id = id,
                                 .at_ms = f->now_ms + (int64_t)id,
                                 .files = files,
                                 .file_count = count,
                                 .bases = &base,
                                 .base_count = id == 2,
                                 .on_done = generation_ignore,
                                 .code = 1};
    store_generation_put(f->store, &g);
    loop_run(f->loop);
    return g.code;
}

static struct store_generation get_generation(struct fixture *f, uint64_t id, int64_t at_ms)
{
    struct store_generation g = {
        .id = id, .at_ms = at_ms, .arena = &f->arena, .on_done = generation_ignore, .code = 1};
    store_generation_get(f->store, &g);
    loop_run(f->loop);
    assert_int_equal(g.code, 0);
    return g;
}

// What differs from one to the next is put, all of it is got.
static void generations_are_kept_as_texts(void **state)
{
    struct fixture *f = *state;
    assert_true(get_generation(f, 0, INT64_MAX).id == 0);
    struct store_file first[] = {{STR("a.lua"), STR("return 1")},
                                 {STR("b.lua"), STR("return \0 2")},
                                 {STR("empty.lua"), STR("")}};
    struct store_file second[] = {{STR("a.lua"), STR("return 3")},
                                  {STR("empty.lua"), {NULL, 0}},
                                  {STR("lib/new.lua"), STR("return 4")}};
    assert_int_equal(put_generation(f, 1, first, 3), 0);
    assert_int_equal(put_generation(f, 2, second, 3), 0);
    assert_int_equal(put_generation(f, 2, second, 3), ERR_CONFLICT);
    for (int round = 0; round < 2; round++) {
        struct store_generation g = get_generation(f, 0, INT64_MAX);
        assert_true(g.id == 2 && g.at_ms == f->now_ms + 2);
        assert_int_equal(g.file_count, 3);
        assert_str(g.files[0].path, STR("a.lua"));
        assert_str(g.files[0].text, STR("return 3"));
        assert_str(g.files[1].path, STR("b.lua"));
        assert_str(g.files[1].text, STR("return \0 2"));
        assert_str(g.files[2].path, STR("lib/new.lua"));
        assert_int_equal(g.base_count, 1);
        assert_str(g.bases[0].path, STR("b.lua"));
        assert_true(g.bases[0].generation == 1);
        struct store_generation old = get_generation(f, round ? 1 : 0, f->now_ms + 1);
        assert_true(old.id == 1);
        assert_int_equal(old.file_count, 3);
        assert_str(old.files[0].text, STR("return 1"));
        assert_str(old.files[2].path, STR("empty.lua"));
        assert_str(old.files[2].text, STR(""));
        assert_int_equal(old.base_count, 0);
        fixture_reopen(f);
    }
    struct store_generation piece = {.id = 3,
                                     .files = first,
                                     .file_count = 2,
                                     .is_unfinished = true,
                                     .on_done = generation_ignore};
    store_generation_put(f->store, &piece); // and a crash
    loop_run(f->loop);
    assert_int_equal(piece.code, 0);
    assert_true(get_generation(f, 0, INT64_MAX).id == 2);
    piece.files = second, piece.file_count = 1;
    store_generation_put(f->store, &piece);
    loop_run(f->loop);
    piece = (struct store_generation){.id = 3,
                                      .at_ms = f->now_ms,
                                      .files = &second[1],
                                      .file_count = 1,
                                      .is_begun = true,
                                      .on_done = generation_ignore};
    store_generation_put(f->store, &piece);
    loop_run(f->loop);
    struct store_generation last = get_generation(f, 3, 0);
    assert_int_equal(last.file_count, 3); // none of the first piece's is in it
    assert_str(last.files[1].text, STR("return \0 2"));
    assert_true(get_generation(f, 0, f->now_ms - 1).id == 0);
    assert_true(get_generation(f, 9, 0).id == 0);
}

static void restart_finds_everything(void **state)
{
    struct fixture *f = *state;
    uint64_t epoch = store_epoch(f->store);
    assert_true(store_last_id(f->store) == 0);
    uint64_t id = owe_one(f, "https://a.example:443", f->now_ms + 5);
    fixture_reopen(f);
    assert_true(store_epoch(f->store) == epoch + 1);
    assert_true(store_last_id(f->store) == id);
    assert_int_equal(store_owed_count(f->store), 1);
    assert_int_equal(read_delivery_of(f, id)->owed.state, DELIVERY_PENDING);
    struct store_due_target t = {
        .target = STR("https://a.example:443"), .shards = ALL_SHARDS, .quota = 9};
    assert_int_equal(do_due(f, &t, 1, f->now_ms + 5).owed_count, 1);
    assert_true(store_free_bytes(f->store) > 0);
    assert_null(store_trouble(f->store));
}

static void audit_ignore(struct store_audit_put *p)
{
    (void)p;
}

// An act of an operator has an id of the same source.
static void restart_knows_the_last_id_of_all(void **state)
{
    struct fixture *f = *state;
    owe_one(f, "https://a.example:443", f->now_ms);
    uint64_t id = next_id(f);
    struct store_audit_put p = {
        .row = {.id = id, .at_ms = f->now_ms, .who = STR("admin"), .act = STR("reload")},
        .on_done = audit_ignore,
        .code = 1};
    store_audit_put(f->store, &p);
    loop_run(f->loop);
    assert_int_equal(p.code, 0);
    fixture_reopen(f);
    assert_true(store_last_id(f->store) == id);
}

// --- the order of callbacks
// ------------------------------------------------------------------------------

enum { ORDERED = 60 };

struct ordered {
    struct fixture *f;
    int next; // of the callback that must come
    int begun;
    struct ordered_request {
        struct ordered *all;
        int number;
        struct store_accept accept;
        struct store_event event;
        struct store_finish finish;
        struct store_lease lease;
    } requests[ORDERED];
};

static void ordered_begin(struct ordered *o);

static void ordered_done(struct ordered_request *r)
{
    assert_int_equal(r->number, r->all->next);
    r->all->next++;
    if (r->all->begun < ORDERED && r->number % 2 == 0) { // from within a callback too
        ordered_begin(r->all);
        ordered_begin(r->all);
    }
}

static void ordered_accept_done(struct store_accept *a)
{
    assert_int_equal(a->code, 0);
    ordered_done(a->ctx);
}

static void ordered_finish_done(struct store_finish *r)
{
    assert_int_equal(r->code, ERR_NOT_FOUND);
    ordered_done(r->ctx);
}

static void ordered_lease_done(struct store_lease *l)
{
    assert_int_equal(l->code, 0);
    ordered_done(l->ctx);
}

static void ordered_begin(struct ordered *o)
{
    struct ordered_request *r = &o->requests[o->begun];
    *r = (struct ordered_request){.all = o, .number = o->begun++};
    switch (r->number % 3) {
    case 0:
        r->accept = *make_accept(o->f, 1);
        r->accept.on_done = ordered_accept_done;
        r->accept.ctx = r;
        store_accept(o->f->store, &r->accept);
        break;
    case 1:
        r->finish = (struct store_finish){
            .delivery = 1, .state = DELIVERY_DELIVERED, .on_done = ordered_finish_done, .ctx = r};
        store_finish(o->f->store, &r->finish);
        break;
    default:
        r->lease = (struct store_lease){
            .target = STR("https://a.example:443"), .on_done = ordered_lease_done, .ctx = r};
        store_lease(o->f->store, &r->lease);
    }
}

static void callbacks_come_in_order(void **state)
{
    struct fixture *f = *state;
    struct ordered *o = zalloc(f, sizeof *o);
    o->f = f;
    for (int i = 0; i < 10; i++) {
        ordered_begin(o);
    }
    assert_int_equal(o->next, 0); // never from within the call
    loop_run(f->loop);
    assert_int_equal(o->next, ORDERED);
}

static void close_finishes_what_is_queued(void **state)
{
    struct fixture *f = *state;
    struct ordered *o = zalloc(f, sizeof *o);
    o->f = f;
    o->begun = ORDERED - 10;
    o->next = ORDERED - 10;
    while (o->begun < ORDERED) {
        ordered_begin(o);
    }
    struct store_read r = {
        .kind = STORE_READ_EVENT, .arena = &f->arena, .on_done = read_ignore, .code = 1};
    store_read(f->store, &r);
    fixture_close(f);
    assert_int_equal(o->next, ORDERED);
    assert_int_equal(r.code, ERR_NOT_FOUND);
    fixture_open(f);
    assert_int_equal(count_of(f, STORE_READ_EVENTS), 3);
}

#endif
