// The resolver against a name server of the test's own, on 127.0.0.1.
#include "wire/resolve.h"

#include "wire/name_server.h"
#include "wire/peer.h"

enum { WAITS = 200 };

// --- asking -------------------------------------------------------------------------------------

struct ask {
    struct resolve_wait wait;
    bool is_done;
    size_t done_count;
    struct resolve_answer answer;
};

static void on_done(void *ctx, const struct resolve_answer *a)
{
    struct ask *ask = ctx;
    ask->is_done = true;
    ask->done_count++;
    ask->answer = *a;
}

// Returns whether the answer was known at once.
static bool start(struct resolver *r, struct ask *ask, const char *name)
{
    *ask = (struct ask){.wait = {.on_done = on_done, .ctx = ask}};
    const struct resolve_answer *now;
    int rc = resolver_get(r, str_from(name), &ask->wait, &now);
    assert_true(rc >= 0);
    if (rc > 0) {
        ask->is_done = true;
        ask->answer = *now;
    }
    return rc > 0;
}

static bool get(struct fixture *f, struct resolver *r, struct ask *ask, const char *name)
{
    bool was_known = start(r, ask, name);
    wait_until(f->loop, flag_is_set, &ask->is_done);
    return was_known;
}

static const char *first_address(const struct ask *ask)
{
    static char text[46];
    text[0] = '\0';
    if (ask->answer.count > 0) {
        netaddr_format(text, &ask->answer.addresses[0]);
    }
    return text;
}

static struct resolver *open_at(struct fixture *f, const struct server *s, int64_t timeout_ms)
{
    struct resolver *r = NULL;
    struct resolver_config c = {.servers = s->address, .timeout_ms = timeout_ms, .tries = 2};
    assert_int_equal(resolver_open(&r, f->loop, &c, NULL), 0);
    return r;
}

static void finds_addresses(void **state)
{
    struct fixture *f = *state;
    struct server s;
    server_open(&s, f->loop);
    struct resolver *r = open_at(f, &s, 1000);
    struct ask ask;
    s.v4_count = 3;
    assert_false(get(f, r, &ask, "a.example.com"));
    assert_int_equal(ask.answer.code, 0);
    assert_int_equal(ask.answer.count, 3);
    s.v4_count = 20;
    get(f, r, &ask, "many.example.com");
    assert_int_equal(ask.answer.count, RESOLVE_ADDRESSES_MAX);
    s.v4_count = 0;
    s.has_v6 = true;
    get(f, r, &ask, "six.example.com");
    assert_int_equal(ask.answer.count, 1);
    assert_true(ask.answer.addresses[0].is_v6);
    resolver_close(r);
    server_close(&s);
}

static void fails_in_words(void **state)
{
    struct fixture *f = *state;
    static const struct {
        int rcode;
        int code;
        const char *detail;
    } rows[] = {
        {3, ERR_NOT_FOUND, "does not exist"},
        {0, ERR_NOT_FOUND, "no address"},
        {2, ERR_IO, "name servers fail"},
        {5, ERR_IO, "name servers fail"},
    };
    struct server s;
    server_open(&s, f->loop);
    struct resolver *r = open_at(f, &s, 100);
    s.v4_count = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char name[32];
        snprintf(name, sizeof name, "fails-%zu.example.com", i);
        struct ask ask;
        s.code = rows[i].rcode;
        get(f, r, &ask, name);
        if (ask.answer.code != rows[i].code || !strstr(ask.answer.detail, rows[i].detail)) {
            fail_case(i, "%d %s", ask.answer.code, ask.answer.detail);
        }
        // Failures are kept for a moment too.
        size_t before = s.query_count;
        assert_true(start(r, &ask, name));
        assert_int_equal(ask.answer.code, rows[i].code);
        assert_int_equal(s.query_count, before);
    }
    resolver_close(r);
    server_close(&s);
}

static void on_tick(void *ctx)
{
    ++*(int *)ctx;
}

static void does_not_block_on_a_silent_server(void **state)
{
    struct fixture *f = *state;
    struct server s;
    server_open(&s, f->loop);
    s.is_silent = true;
    struct resolver *r = open_at(f, &s, 30);
    struct ask ask;
    int ticks = 0;
    struct loop_timer timer;
    loop_timer_init(&timer, f->loop, LOOP_REAL_TIME, on_tick, &ticks);
    int64_t start_ms = loop_now_ms(f->loop, LOOP_REAL_TIME);
    start(r, &ask, "silent.example.com");
    int64_t slowest_ms = 0;
    int64_t last_ms = start_ms;
    while (!ask.is_done) {
        if (loop_turn(f->loop)) {
            int64_t now_ms = loop_now_ms(f->loop, LOOP_REAL_TIME);
            slowest_ms = now_ms - last_ms > slowest_ms ? now_ms - last_ms : slowest_ms;
            last_ms = now_ms;
            loop_timer_start(&timer, 0);
        }
    }
    assert_int_equal(ask.answer.code, ERR_TIMEOUT);
    assert_true(ticks > 100 && slowest_ms < 1000);
    assert_true(s.query_count >= 2); // it tried again
    loop_timer_stop(&timer);
    resolver_close(r);
    server_close(&s);
}

static void cannot_reach_a_dead_server(void **state)
{
    struct fixture *f = *state;
    struct server s;
    server_open(&s, f->loop);
    server_close(&s); // nobody is there now
    struct resolver *r = open_at(f, &s, 50);
    struct ask ask;
    get(f, r, &ask, "dead.example.com");
    assert_true(ask.answer.code == ERR_IO || ask.answer.code == ERR_TIMEOUT);
    resolver_close(r);
}

static void keeps_answers_for_their_time(void **state)
{
    struct fixture *f = *state;
    struct server s;
    server_open(&s, f->loop);
    struct resolver *r = open_at(f, &s, 1000);
    struct ask ask;
    s.ttl_s = 0; // 1 s, the least
    assert_false(get(f, r, &ask, "a.example.com"));
    assert_string_equal(first_address(&ask), "192.0.2.1");
    s.v4[3] = 99;
    assert_true(start(r, &ask, "A.Example.COM."));
    assert_string_equal(first_address(&ask), "192.0.2.1");
    assert_int_equal(s.query_count, 1);
    // When it is over the change is seen.
    int64_t asked_ms = loop_now_ms(f->loop, LOOP_REAL_TIME);
    while (start(r, &ask, "a.example.com")) {
        loop_turn(f->loop);
        sched_yield();
        assert_true(loop_now_ms(f->loop, LOOP_REAL_TIME) < asked_ms + WAIT_MS);
    }
    wait_until(f->loop, flag_is_set, &ask.is_done);
    assert_string_equal(first_address(&ask), "192.0.2.99");
    assert_int_equal(s.query_count, 2);
    resolver_close(r);
    server_close(&s);
}

static void shares_and_bounds_lookups(void **state)
{
    struct fixture *f = *state;
    struct server s;
    server_open(&s, f->loop);
    struct resolver *r = open_at(f, &s, 10000);
    static struct ask asks[WAITS];
    s.is_silent = true;
    // Ten ask for the same name: one query.
    for (int i = 0; i < 10; i++) {
        assert_false(start(r, &asks[i], "same.example.com"));
    }
    while (s.pending < 1) {
        loop_turn(f->loop);
    }
    assert_int_equal(s.query_count, 1);
    // 190 other names: 63 are asked for at once, the rest waits.
    for (int i = 10; i < WAITS; i++) {
        char name[64];
        snprintf(name, sizeof name, "n%d.example.com", i);
        assert_false(start(r, &asks[i], name));
    }
    for (int i = 0; i < 200; i++) {
        loop_turn(f->loop);
    }
    assert_int_equal(s.query_count, 64);
    resolver_cancel(r, &asks[3].wait);
    resolver_cancel(r, &asks[3].wait);
    resolver_cancel(r, &asks[WAITS - 1].wait);
    resolver_close(r);
    for (int i = 0; i < WAITS; i++) {
        assert_false(asks[i].is_done); // no callback after closing
    }
    // The same with a server that answers: all are told, once.
    s.is_silent = false;
    r = open_at(f, &s, 10000);
    for (int i = 0; i < WAITS; i++) {
        char name[64];
        snprintf(name, sizeof name, "m%d.example.com", i / 2);
        start(r, &asks[i], name);
    }
    resolver_cancel(r, &asks[7].wait);
    for (int i = 0; i < WAITS; i++) {
        if (i != 7) {
            wait_until(f->loop, flag_is_set, &asks[i].is_done);
            assert_int_equal(asks[i].done_count, 1);
            assert_int_equal(asks[i].answer.code, 0);
        }
    }
    assert_false(asks[7].is_done);
    resolver_close(r);
    server_close(&s);
}

// Asks for the next name from inside the answer.
struct chain {
    struct resolver *resolver;
    struct ask ask;
    int left;
};

static void on_link(void *ctx, const struct resolve_answer *a)
{
    struct chain *c = ctx;
    assert_int_equal(a->code, 0);
    const struct resolve_answer *now;
    if (c->left < 20) {
        // What was just answered is known already.
        char known[64];
        snprintf(known, sizeof known, "link-%d.example.com", c->left);
        assert_int_equal(resolver_get(c->resolver, str_from(known), &c->ask.wait, &now), 1);
    }
    if (c->left-- == 0) {
        c->ask.is_done = true;
        return;
    }
    char name[64];
    snprintf(name, sizeof name, "link-%d.example.com", c->left);
    assert_int_equal(resolver_get(c->resolver, str_from(name), &c->ask.wait, &now), 0);
}

static void asks_from_inside_an_answer(void **state)
{
    struct fixture *f = *state;
    struct server s;
    server_open(&s, f->loop);
    struct chain c = {.resolver = open_at(f, &s, 1000), .left = 20};
    c.ask.wait = (struct resolve_wait){.on_done = on_link, .ctx = &c};
    const struct resolve_answer *now;
    assert_int_equal(resolver_get(c.resolver, STR("first.example.com"), &c.ask.wait, &now), 0);
    wait_until(f->loop, flag_is_set, &c.ask.is_done);
    resolver_close(c.resolver);
    server_close(&s);
}

static void bounds_what_it_keeps(void **state)
{
    struct fixture *f = *state;
    struct server s;
    server_open(&s, f->loop);
    struct resolver *r = open_at(f, &s, 1000);
    struct ask ask;
    for (int i = 0; i < 4200; i++) {
        char name[64];
        snprintf(name, sizeof name, "k%d.example.com", i);
        get(f, r, &ask, name);
        assert_int_equal(ask.answer.code, 0);
    }
    assert_true(start(r, &ask, "k4199.example.com"));
    assert_true(start(r, &ask, "k200.example.com"));
    assert_false(get(f, r, &ask, "k0.example.com")); // pushed out
    resolver_close(r);
    server_close(&s);
}

static void knows_addresses_and_the_hosts_file(void **state)
{
    struct fixture *f = *state;
    struct server s;
    server_open(&s, f->loop);
    struct resolver *r = open_at(f, &s, 1000);
    struct ask ask;
    assert_true(start(r, &ask, "192.0.2.7"));
    assert_string_equal(first_address(&ask), "192.0.2.7");
    assert_true(start(r, &ask, "::1"));
    assert_string_equal(first_address(&ask), "::1");
    assert_true(start(r, &ask, ""));
    assert_int_equal(ask.answer.code, ERR_NOT_FOUND);
    char long_name[400];
    memset(long_name, 'a', sizeof long_name);
    long_name[sizeof long_name - 1] = '\0';
    assert_true(start(r, &ask, long_name));
    assert_int_equal(ask.answer.code, ERR_NOT_FOUND);
    get(f, r, &ask, "a..b");
    assert_int_equal(ask.answer.code, ERR_NOT_FOUND);
    get(f, r, &ask, "localhost");
    assert_int_equal(ask.answer.code, 0);
    assert_non_null(netaddr_refusal(&ask.answer.addresses[0], NULL, 0));
    assert_int_equal(s.query_count, 0);
    resolver_close(r);
    server_close(&s);
}

static void refuses_nonsense_servers(void **state)
{
    struct fixture *f = *state;
    struct resolver *r;
    struct err e;
    struct resolver_config c = {.servers = "not an address"};
    assert_int_equal(resolver_open(&r, f->loop, &c, &e), ERR_INVALID);
    assert_true(strlen(e.text) > 0);
    assert_int_equal(resolver_open(&r, f->loop, &(struct resolver_config){.servers = NULL}, &e), 0);
    resolver_close(r);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(finds_addresses),
        CASE(fails_in_words),
        CASE(does_not_block_on_a_silent_server),
        CASE(cannot_reach_a_dead_server),
        CASE(keeps_answers_for_their_time),
        CASE(shares_and_bounds_lookups),
        CASE(asks_from_inside_an_answer),
        CASE(bounds_what_it_keeps),
        CASE(knows_addresses_and_the_hosts_file),
        CASE(refuses_nonsense_servers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
