// The schedule against a store and a client that the test plays: what is asked for, how much of it,
// and what happens when the store fails.
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "deliver/internal.h"
#include "store/audit.h"

enum { REQUESTS_MAX = 64, IN_FLIGHT = 4 };

struct played {
    struct clock clock;
    struct loop *loop;
    struct log log;
    struct oauth *oauth;
    struct engine *engine; // without a generation
    struct deliver *deliver;
    struct loop_timer limit; // no test waits for ever
    bool is_late;
    bool is_drained;
    size_t asked_when_drained;
    // The last of each kind that was asked for, and how many were.
    struct store_targets *targets;
    size_t targets_count;
    struct store_lease *leases[REQUESTS_MAX];
    size_t lease_count;
    struct store_due *due;
    size_t due_count;
    size_t mark_count;
    struct store_finish *finish;
    struct store_finish **finishes; // all from when a test sets it on
    size_t finish_count;
    struct store_pause_put *pause;
    struct store_read *reads[REQUESTS_MAX];
    size_t read_count;
    struct client_request sent[REQUESTS_MAX];
    size_t sent_count;
};

// The store and the client are this test's: these stand in place of the real functions.
static struct played *of_store(struct store *s)
{
    struct played *p = (struct played *)(void *)s;
    p->asked_when_drained += p->is_drained;
    return p;
}

void store_targets(struct store *s, struct store_targets *t)
{
    struct played *p = of_store(s);
    p->targets = t;
    p->targets_count++;
}

void store_pauses(struct store *s, struct store_pauses *q) // none
{
    (void)s;
    q->on_done(q);
}

void store_time_mark(struct store *s, struct store_time *t)
{
    of_store(s)->mark_count++;
    t->code = 0;
    t->on_done(t);
}

void store_time_step(struct store *s, struct store_time *t) // none is delayed
{
    (void)s;
    t->is_done = true;
    t->on_done(t);
}

void store_audit_put(struct store *s, struct store_audit_put *p)
{
    (void)s;
    (void)p;
    fail();
}

void store_pause_put(struct store *s, struct store_pause_put *p)
{
    of_store(s)->pause = p;
}

void store_pause_step(struct store *s, struct store_pause_step *q)
{
    (void)s;
    (void)q;
    fail();
}

void store_lease(struct store *s, struct store_lease *l)
{
    struct played *p = of_store(s);
    assert_true(p->lease_count < REQUESTS_MAX);
    p->leases[p->lease_count++] = l;
}

void store_due(struct store *s, struct store_due *d)
{
    struct played *p = of_store(s);
    p->due = d;
    p->due_count++;
}

void store_finish(struct store *s, struct store_finish *f)
{
    struct played *p = of_store(s);
    p->finish = f;
    p->finish_count++;
    if (p->finishes) {
        *p->finishes++ = f;
    }
}

void store_notice_put(struct store *s, struct store_notice_put *p)
{
    of_store(s);
    (void)p;
}

void store_notices(struct store *s, struct store_notices *q)
{
    of_store(s);
    (void)q;
}

void store_read(struct store *s, struct store_read *r)
{
    struct played *p = of_store(s);
    assert_true(p->read_count < REQUESTS_MAX);
    p->reads[p->read_count++] = r;
}

// The engine's: it is not asked to load anything.
void store_generation_put(struct store *s, struct store_generation *g)
{
    (void)s, (void)g;
    fail();
}

void store_generation_get(struct store *s, struct store_generation *g)
{
    (void)s, (void)g;
    fail();
}

void store_workflows(struct store *s, struct store_workflows *q)
{
    (void)s, (void)q;
    fail();
}

void store_workflow_put(struct store *s, struct store_workflow_put *p)
{
    (void)s, (void)p;
    fail();
}

void store_workflow_step(struct store *s, struct store_workflow_step *q)
{
    (void)s, (void)q;
    fail();
}

int client_send(struct client *c, const struct client_request *q)
{
    struct played *p = (struct played *)(void *)c;
    assert_true(p->sent_count < REQUESTS_MAX);
    p->sent[p->sent_count++] = *q;
    return 0;
}

static void limits(void *ctx, struct str target, struct deliver_limits *out)
{
    (void)ctx;
    (void)target;
    *out = (struct deliver_limits){.in_flight = IN_FLIGHT};
}

static void on_late(void *ctx)
{
    ((struct played *)ctx)->is_late = true;
}

static int set_up(void **state)
{
    struct played *p = calloc(1, sizeof *p);
    struct err e;
    if (!p) {
        return -1;
    }
    *state = p;
    clock_init_test(&p->clock);
    log_init(&p->log, -1, &p->clock); // the failures that are logged go nowhere
    if (loop_new(&p->loop, &p->clock, &e)) {
        return -1;
    }
    loop_timer_init(&p->limit, p->loop, LOOP_REAL_TIME, on_late, p);
    loop_timer_start(&p->limit, 20 * 1000);
    struct engine_config engine = {.loop = p->loop};
    if (engine_new(&p->engine, &engine, &e)) {
        return -1;
    }
    struct oauth_config oauth = {.clock = &p->clock};
    if (oauth_new(&p->oauth, &oauth, &e)) {
        return -1;
    }
    struct deliver_config c = {.loop = p->loop,
                               .engine = p->engine,
                               .oauth = p->oauth,
                               .store = (struct store *)(void *)p,
                               .client = (struct client *)(void *)p,
                               .log = &p->log,
                               .max_in_flight = 100,
                               .target_limits = limits};
    int code = deliver_open(&p->deliver, &c, &e);
    if (code == 0) {
        p->deliver->is_pause_known = true; // not all tests begin with a start
    }
    return code;
}

static int tear_down(void **state)
{
    struct played *p = *state;
    loop_timer_stop(&p->limit);
    deliver_free(p->deliver);
    oauth_free(p->oauth);
    engine_free(p->engine);
    size_t left = loop_free(p->loop);
    free(p);
    return left == 0 ? 0 : -1;
}

static void turn_until(struct played *p, const size_t *count, size_t wanted)
{
    while (*count < wanted && !p->is_late) {
        loop_turn(p->loop);
    }
    assert_false(p->is_late);
}

static void answer_leases(struct played *p, int code)
{
    while (p->lease_count) {
        struct store_lease *l = p->leases[--p->lease_count];
        l->code = code;
        l->shards = code ? 0 : UINT16_MAX;
        l->on_done(l);
    }
}

static void answer_sent(struct played *p, size_t i, int status)
{
    struct client_response r = {.status = status, .retry_after_ms = -1};
    p->sent[i].on_done(p->sent[i].ctx, &r);
}

// An event with one delivery to the target was stored, and it is time for new targets to have their
// turn.
static void take(struct played *p, uint64_t id, const char *target, struct str body)
{
    struct store_delivery d = {.id = id,
                               .action = 1,
                               .state = DELIVERY_PENDING,
                               .target = str_from(target),
                               .due_at_ms = clock_running_ms(&p->clock),
                               .head = STR("POST http://127.0.0.1/\n"),
                               .body = body};
    struct store_run run = {.deliveries = &d, .delivery_count = 1};
    struct store_event ev = {.runs = &run, .run_count = 1};
    deliver_take_event(p->deliver, &ev);
    schedule_on_trial(p->deliver);
}

static void answer_targets(struct played *p, int code, struct store_due_target *targets,
                           size_t count)
{
    struct store_targets *t = p->targets;
    t->code = code;
    t->targets = targets;
    t->target_count = count;
    t->on_done(t);
}

static void what_is_owed_is_asked_for_until_the_store_says_it(void **state)
{
    struct played *p = *state;
    deliver_start(p->deliver);
    assert_int_equal(p->targets_count, 1);
    answer_targets(p, ERR_IO, NULL, 0);
    turn_until(p, &p->targets_count, 2);
    struct store_due_target owed = {.target = STR("http://a:80"), .next_due_at_ms = 1};
    answer_targets(p, 0, &owed, 1);
    assert_int_equal(p->lease_count, 1);
    answer_leases(p, 0);
    turn_until(p, &p->due_count, 1);
    assert_int_equal(p->due->target_count, 1);
    assert_str_text(p->due->targets[0].target, "http://a:80");
    p->due->on_done(p->due);
}

static void with_the_memory_used_up_a_target_gets_one_at_a_time(void **state)
{
    struct played *p = *state;
    char *bytes = calloc(1, DELIVER_JOB_BYTES_MAX);
    assert_non_null(bytes);
    take(p, 1, "http://a:80", (struct str){bytes, DELIVER_JOB_BYTES_MAX});
    free(bytes);
    take(p, 2, "http://a:80", STR("{}"));
    take(p, 3, "http://b:80", STR("{}"));
    answer_leases(p, 0);
    assert_int_equal(p->sent_count, 1);
    turn_until(p, &p->due_count, 1);
    assert_int_equal(p->due->target_count, 1);
    assert_str_text(p->due->targets[0].target, "http://b:80");
    assert_int_equal(p->due->targets[0].quota, 1);
    p->due->targets[0].next_due_at_ms = INT64_MAX;
    p->due->on_done(p->due);

    answer_sent(p, 0, 200);
    p->finish->on_done(p->finish);
    turn_until(p, &p->due_count, 2);
    assert_str_text(p->due->targets[0].target, "http://a:80");
    assert_int_equal(p->due->targets[0].quota, TARGET_JOBS_MAX);
    p->due->targets[0].next_due_at_ms = INT64_MAX;
    p->due->on_done(p->due);
}

static void an_outcome_is_given_to_the_store_until_it_takes_it(void **state)
{
    struct played *p = *state;
    take(p, 1, "http://a:80", STR("{}"));
    answer_leases(p, 0);
    answer_sent(p, 0, 200);
    assert_int_equal(p->finish_count, 1);
    p->finish->code = ERR_FULL;
    p->finish->on_done(p->finish);
    turn_until(p, &p->finish_count, 2);
    assert_int_equal(p->finish->delivery, 1);
    assert_int_equal(p->finish->state, DELIVERY_DELIVERED);
    p->finish->code = 0;
    p->finish->on_done(p->finish);
    assert_int_equal(p->sent_count, 1);
    assert_int_equal(deliver_in_flight(p->deliver), 0);
}

// Due is running time: a clock that is set moves nothing. While nothing else is stored, that time
// is: each minute, and more often when what waits is near.
static void a_clock_that_is_set_moves_nothing_and_the_time_that_passes_is_stored(void **state)
{
    struct played *p = *state;
    const int64_t minute_ms = 60 * 1000, day_ms = 24 * 60 * minute_ms;
    struct store_due_target owed = {.target = STR("http://a:80"),
                                    .next_due_at_ms = clock_running_ms(&p->clock) + 60 * minute_ms};
    deliver_start(p->deliver);
    answer_targets(p, 0, &owed, 1);
    answer_leases(p, 0);
    clock_set_wall(&p->clock, day_ms);
    for (size_t minutes = 1; minutes <= 10; minutes++) {
        clock_advance(&p->clock, minute_ms);
        turn_until(p, &p->mark_count, minutes);
    }
    clock_set_wall(&p->clock, -2 * day_ms);
    clock_advance(&p->clock, 49 * minute_ms);
    turn_until(p, &p->mark_count, 11);
    clock_advance(&p->clock, minute_ms / 8); // an eighth of what is left
    turn_until(p, &p->mark_count, 12);
    assert_int_equal(p->due_count, 0);
    clock_advance(&p->clock, minute_ms - minute_ms / 8);
    turn_until(p, &p->due_count, 1);
    p->due->targets[0].next_due_at_ms = INT64_MAX;
    p->due->on_done(p->due);
}

// 100 places in all here: silent targets get a quarter of them, a proven one the rest.
static void silent_targets_do_not_take_every_place(void **state)
{
    struct played *p = *state;
    char name[32];
    take(p, 1, "http://live:80", STR("{}"));
    answer_leases(p, 0);
    answer_sent(p, 0, 200);
    p->finish->on_done(p->finish);
    for (uint64_t i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "http://silent%llu:80", (unsigned long long)(i / 2));
        take(p, 100 + i, name, STR("{}"));
        answer_leases(p, 0);
    }
    assert_int_equal(deliver_in_flight(p->deliver), 25);
    take(p, 2, "http://live:80", STR("{}"));
    assert_int_equal(deliver_in_flight(p->deliver), 26);
    assert_int_equal(p->sent_count, 27);

    answer_sent(p, 1, 500); // one of the silent ones gives up: the next of them has its turn
    assert_int_equal(deliver_in_flight(p->deliver), 26);
    assert_int_equal(p->sent_count, 28);

    // One that proves itself waits no longer behind the silent ones.
    size_t sent = p->sent_count;
    for (uint64_t i = 0; i < 4; i++) {
        take(p, 300 + i, "http://silent2:80", STR("{}"));
    }
    assert_int_equal(p->sent_count, sent);
    answer_sent(p, 5, 200);
    assert_in_range(p->sent_count, sent + 2, sent + 4);
}

// Those that failed leave half of that quarter to targets that were never tried.
static void failing_targets_leave_room_for_new_ones(void **state)
{
    struct played *p = *state;
    char name[32];
    for (uint64_t i = 0; i < 25; i++) {
        snprintf(name, sizeof name, "http://failing%llu:80", (unsigned long long)i);
        take(p, 1 + i, name, STR("{}"));
        answer_leases(p, 0);
    }
    for (size_t i = 0; i < 25; i++) {
        answer_sent(p, i, 500);
        p->finish->on_done(p->finish);
        snprintf(name, sizeof name, "http://failing%zu:80", i);
        take(p, 100 + i, name, STR("{}"));
    }
    assert_int_equal(deliver_in_flight(p->deliver), 12);
    take(p, 1000, "http://new:80", STR("{}"));
    answer_leases(p, 0);
    assert_int_equal(deliver_in_flight(p->deliver), 13);
}

static void wait_for_trials(struct played *p)
{
    size_t before = deliver_in_flight(p->deliver);
    while (deliver_in_flight(p->deliver) == before && !deliver_is_settled(p->deliver)) {
        assert_false(p->is_late);
        loop_turn(p->loop);
    }
}

// A burst of targets that were never tried is begun a few at a time, with a pause between them.
static void a_burst_of_new_targets_is_spread(void **state)
{
    struct played *p = *state;
    char name[32];
    for (uint64_t i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "http://new%llu:80", (unsigned long long)i);
        take(p, 1 + i, name, STR("{}"));
    }
    answer_leases(p, 0);
    for (size_t begun = DELIVER_TRIALS; begun <= 20; begun += DELIVER_TRIALS) {
        assert_int_equal(deliver_in_flight(p->deliver), begun);
        assert_false(deliver_is_settled(p->deliver));
        wait_for_trials(p);
    }
    assert_int_equal(deliver_in_flight(p->deliver), 20);
    assert_true(deliver_is_settled(p->deliver));
}

// What a target has earned is kept while it is in use, however many others come and go.
static void answer_due(struct played *p, struct store_owed *owed, size_t count)
{
    p->due->owed = owed;
    p->due->owed_count = count;
    p->due->targets[0].has_more = count >= p->due->targets[0].quota;
    p->due->targets[0].next_due_at_ms = INT64_MAX;
    p->due->on_done(p->due);
}

static void let_the_breaker_open(struct played *p, const char *target)
{
    for (size_t i = 0; i < 12; i++) {
        take(p, 1 + i, target, STR("{}"));
    }
    answer_leases(p, 0);
    for (size_t i = 0; i < p->sent_count; i++) {
        answer_sent(p, i, 503);
        p->finish->on_done(p->finish);
        schedule_on_trial(p->deliver);
    }
    assert_int_equal(p->sent_count, 11); // two at a time
}

static void what_the_store_does_not_know_of_a_target_is_told_it(void **state)
{
    struct played *p = *state;
    take(p, 1, "http://a:80", STR("{}"));
    answer_leases(p, 0);
    answer_sent(p, 0, 503);
    assert_str_text(p->finish->target_error, "status 503");
    p->finish->code = ERR_FULL; // it may not have taken that
    p->finish->on_done(p->finish);
    turn_until(p, &p->finish_count, 2);
    assert_str_text(p->finish->target_error, "status 503");
    p->finish->code = 0;
    p->finish->on_done(p->finish);
    static const struct {
        int status;
        const char *told; // NULL: nothing, since it knows
    } next[] = {{503, NULL}, {500, "status 500"}, {200, ""}, {200, NULL}};
    for (size_t i = 0; i < COUNT_OF(next); i++) {
        schedule_on_trial(p->deliver);
        take(p, 2 + i, "http://a:80", STR("{}"));
        answer_sent(p, p->sent_count - 1, next[i].status);
        struct str told = p->finish->target_error;
        if (next[i].told == NULL ? told.data != NULL : !str_eq(told, str_from(next[i].told))) {
            fail_case(i, "told '%.*s'", (int)told.len, told.data ? told.data : "");
        }
        p->finish->on_done(p->finish);
    }
}

static void what_is_over_is_asked_for_until_there_is_no_more(void **state)
{
    enum { DAY_MS = 24 * 3600 * 1000, OVER = TARGET_JOBS_MAX / 2 };
    struct played *p = *state;
    struct store_owed owed[OVER];
    let_the_breaker_open(p, "http://a:80");
    turn_until(p, &p->due_count, 1);
    assert_true(p->due->targets[0].is_over);
    assert_int_equal(p->due->targets[0].quota, OVER);
    for (size_t i = 0; i < OVER; i++) {
        owed[i] =
            (struct store_owed){.id = 100 + i,
                                .target = STR("http://a:80"),
                                .head = STR("POST http://127.0.0.1/\n"),
                                .due_at_ms = clock_running_ms(&p->clock) - 3 * (int64_t)DAY_MS};
    }
    size_t before = p->finish_count, sent = p->sent_count;
    struct store_finish *finishes[OVER];
    p->finishes = finishes;
    answer_due(p, owed, OVER);
    assert_int_equal(p->finish_count - before, OVER);
    for (size_t i = 0; i < OVER; i++) {
        assert_int_equal(finishes[i]->state, DELIVERY_TERMINATED);
        assert_null(list_first(&p->deliver->over)); // not again before these are stored
        finishes[i]->on_done(finishes[i]);
    }
    p->finishes = NULL;
    turn_until(p, &p->due_count, 2);
    assert_true(p->due->targets[0].is_over);
    owed[0].id = 1000;
    answer_due(p, owed, 1); // fewer than could be: that was all
    p->finish->on_done(p->finish);
    assert_null(list_first(&p->deliver->over));
    assert_int_equal(p->sent_count, sent);
}

static void the_target_used_longest_ago_is_forgotten(void **state)
{
    struct played *p = *state;
    char name[32];
    for (uint64_t i = 0; i < DELIVER_IDLE_TARGETS_MAX + 100; i++) {
        bool is_live = i % 1000 == 0;
        snprintf(name, sizeof name, "http://t%llu:80", (unsigned long long)i);
        p->sent_count = 0;
        take(p, 1 + i, is_live ? "http://live:80" : name, STR("{}"));
        answer_leases(p, 0);
        answer_sent(p, 0, is_live ? 500 : 200); // what it failed with shows that it is known
        p->finish->on_done(p->finish);
    }
    const struct target *live = map_get(&p->deliver->targets, STR("http://live:80"));
    assert_non_null(live);
    assert_string_equal(live->last_error, "status 500");
    assert_int_equal(p->deliver->targets.count, DELIVER_IDLE_TARGETS_MAX);
    assert_null(map_get(&p->deliver->targets, STR("http://t1:80")));
}

static void on_drained(void *ctx)
{
    ((struct played *)ctx)->is_drained = true;
}

// The store is closed behind the drain: what it would not take is sent again by the next start.
static void after_the_drain_the_store_is_asked_nothing_more(void **state)
{
    struct played *p = *state;
    take(p, 1, "http://a:80", STR("{}"));
    take(p, 2, "http://b:80", STR("{}"));
    answer_leases(p, 0);
    answer_sent(p, 0, 200);
    struct store_finish *first = p->finish;
    first->code = ERR_FULL;
    first->on_done(first);
    answer_sent(p, 1, 200);
    deliver_drain(p->deliver, 1, on_drained, p);
    while (!p->is_drained && !p->is_late) {
        loop_turn(p->loop);
    }
    p->finish->code = ERR_FULL; // the store ends what it has, also after the drain
    p->finish->on_done(p->finish);
    loop_timer_start(&p->limit, DELIVER_AGAIN_MS + 100);
    p->is_late = false;
    while (!p->is_late) {
        loop_turn(p->loop);
    }
    assert_int_equal(p->asked_when_drained, 0);
    assert_int_equal(p->finish_count, 2);
}

static void answer_due_with_a_recheck(struct played *p)
{
    struct store_owed owed = {.id = 1,
                              .target = p->due->targets[0].target,
                              .head = STR("POST http://127.0.0.1/\n"),
                              .wants_recheck = true};
    p->due->owed = &owed;
    p->due->owed_count = 1;
    p->due->targets[0].next_due_at_ms = INT64_MAX;
    p->due->on_done(p->due);
}

// What is to be judged again is not sent before, and what stands in the way puts it off alone.
static void a_recheck_that_cannot_be_made_is_made_later(void **state)
{
    struct played *p = *state;
    struct store_due_target owed = {.target = STR("http://a:80"), .next_due_at_ms = 1};
    deliver_start(p->deliver);
    answer_targets(p, 0, &owed, 1);
    answer_leases(p, 0);
    turn_until(p, &p->due_count, 1);
    answer_due_with_a_recheck(p);
    assert_int_equal(p->read_count, 1);
    assert_int_equal(p->reads[0]->kind, STORE_READ_DELIVERY);
    assert_false(deliver_is_settled(p->deliver));
    p->reads[0]->code = ERR_IO;
    p->reads[0]->on_done(p->reads[0]);
    assert_true(deliver_is_settled(p->deliver));
    clock_advance(&p->clock, DELIVER_AGAIN_MS);
    turn_until(p, &p->due_count, 2);
    answer_due_with_a_recheck(p);
    assert_int_equal(p->read_count, 2);

    // A stop waits for the read and leaves the delivery as it is.
    deliver_drain(p->deliver, 10 * 1000, on_drained, p);
    assert_false(p->is_drained);
    p->reads[1]->code = ERR_IO;
    p->reads[1]->on_done(p->reads[1]);
    assert_true(p->is_drained);
    assert_int_equal(p->finish_count + p->sent_count, 0);
}

static void on_pause(void *ctx, int code)
{
    *(int *)ctx = code;
}

static void pause_all(struct played *p, bool is_paused, int code)
{
    int told = 1;
    assert_int_equal(
        deliver_pause(p->deliver, STR(""), STR("me"), is_paused, NULL, on_pause, &told), 0);
    p->pause->code = code;
    p->pause->on_done(p->pause);
    assert_int_equal(told, code);
}

static void while_everything_is_paused_nothing_is_started(void **state)
{
    struct played *p = *state;
    int64_t next_ms;
    take(p, 1, "http://a:80", STR("{}"));
    take(p, 2, "http://a:80", STR("{}"));
    take(p, 3, "http://a:80", STR("{}"));
    answer_leases(p, 0);
    assert_int_equal(p->sent_count, 2);
    assert_false(deliver_is_idle(p->deliver, &next_ms));
    pause_all(p, true, 0);
    assert_string_equal(deliver_paused(p->deliver)->by, "me");
    take(p, 4, "http://b:80", STR("{}"));
    answer_leases(p, 0);
    answer_sent(p, 0, 200);
    p->finish->on_done(p->finish);
    answer_sent(p, 1, 200);
    p->finish->on_done(p->finish);
    assert_int_equal(p->sent_count, 2);
    assert_int_equal(p->deliver->jobs.count, 0); // what waited is in the store alone
    assert_true(deliver_is_settled(p->deliver));
    pause_all(p, true, 0);
    pause_all(p, false, ERR_IO); // it could not be stored: it goes on
    assert_true(deliver_paused(p->deliver)->since_ms != 0);
    size_t asked = p->targets_count;
    pause_all(p, false, 0);
    assert_int_equal(p->targets_count, asked + 1);
    answer_targets(p, 0, NULL, 0);
    turn_until(p, &p->due_count, 1);
    p->due->on_done(p->due);
    pause_all(p, true, ERR_IO); // nor is this one there
    assert_int_equal(deliver_paused(p->deliver)->since_ms, 0);
    answer_targets(p, 0, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_owed_is_asked_for_until_the_store_says_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(with_the_memory_used_up_a_target_gets_one_at_a_time, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            a_clock_that_is_set_moves_nothing_and_the_time_that_passes_is_stored, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(silent_targets_do_not_take_every_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failing_targets_leave_room_for_new_ones, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_burst_of_new_targets_is_spread, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_the_store_does_not_know_of_a_target_is_told_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_over_is_asked_for_until_there_is_no_more, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_target_used_longest_ago_is_forgotten, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_outcome_is_given_to_the_store_until_it_takes_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(after_the_drain_the_store_is_asked_nothing_more, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_recheck_that_cannot_be_made_is_made_later, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(while_everything_is_paused_nothing_is_started, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
