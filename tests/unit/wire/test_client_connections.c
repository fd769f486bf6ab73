// The client's connections: kept ones, broken ones, time limits, addresses that are refused, names,
// closing.
#include "wire/client.h"

#include "wire/name_server.h"
#include "wire/receiver.h"
#include "wire/send.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

struct scene {
    struct loop *loop;
    struct receiver receiver;
    struct client *client;
};

static void scene_open(struct scene *s, struct fixture *f, const struct client_config *c)
{
    s->loop = f->loop;
    receiver_open(&s->receiver, f->loop);
    s->receiver.answer = STR(OK);
    s->client = client_at(f->loop, c);
}

static void scene_close(struct scene *s)
{
    client_end(s->loop, s->client);
    receiver_close(&s->receiver);
}

static void expect_ok(struct scene *s, const char *url)
{
    struct sent sent;
    send_wait(s->loop, s->client, &sent,
              &(struct client_request){.method = STR("POST"), .url = url, .body = STR("x")});
    if (sent.response.error != CLIENT_OK) {
        fail_msg("%s: %s", client_error_word(sent.response.error), sent.response.detail);
    }
    assert_int_equal(sent.response.status, 200);
    assert_string_equal(sent.response.detail, "");
    sent_fini(&sent);
}

// --- kept connections ---------------------------------------------------------------------------

static void keeps_connections(void **state)
{
    struct scene s;
    scene_open(&s, *state, &(struct client_config){.log = NULL});
    for (int i = 0; i < 20; i++) {
        expect_ok(&s, s.receiver.url);
    }
    assert_int_equal(s.receiver.stream_count, 1);
    // The receiver closes it while it is idle: the next request opens another one, and nothing is
    // lost.
    receiver_drop(&s.receiver.streams[0]);
    for (int i = 0; i < 5; i++) {
        loop_turn(s.loop);
    }
    expect_ok(&s, s.receiver.url);
    expect_ok(&s, s.receiver.url);
    assert_int_equal(s.receiver.stream_count, 2);
    // The same, unseen until the request is sent.
    receiver_drop(&s.receiver.streams[1]);
    expect_ok(&s, s.receiver.url);
    assert_int_equal(s.receiver.stream_count, 3);
    scene_close(&s);
}

static void closes_what_is_alone(void **state)
{
    struct scene s;
    scene_open(&s, *state, &(struct client_config){.log = NULL});
    struct sent sent;
    for (size_t i = 1; i <= 2; i++) {
        send_wait(s.loop, s.client, &sent,
                  &(struct client_request){.url = s.receiver.url, .is_alone = true});
        assert_int_equal(sent.response.error, CLIENT_OK);
        assert_int_equal(s.receiver.stream_count, i);
        sent_fini(&sent);
    }
    expect_ok(&s, s.receiver.url); // and the next one that is not is kept again
    expect_ok(&s, s.receiver.url);
    assert_int_equal(s.receiver.stream_count, 3);
    scene_close(&s);
}

static bool none_is_open(void *ctx)
{
    const struct receiver *r = ctx;
    return r->open_count == 0;
}

static void closes_what_nobody_uses(void **state)
{
    struct scene s;
    scene_open(&s, *state, &(struct client_config){.idle_ms = 60});
    struct receiver other;
    receiver_open(&other, s.loop);
    other.answer = STR(OK);
    for (int round = 1; round <= 2; round++) {
        expect_ok(&s, s.receiver.url);
        expect_ok(&s, other.url);
        assert_int_equal(s.receiver.stream_count, round);
        wait_until(s.loop, none_is_open, &s.receiver);
        wait_until(s.loop, none_is_open, &other);
    }
    // One under way is not idle, however long it takes.
    s.receiver.held = "/slow";
    char url[100];
    snprintf(url, sizeof url, "%s/slow", s.receiver.url);
    struct sent slow;
    send_start(s.client, &slow, &(struct client_request){.url = url});
    expect_ok(&s, other.url);
    int64_t end_ms = loop_now_ms(s.loop, LOOP_REAL_TIME) + 200;
    while (loop_now_ms(s.loop, LOOP_REAL_TIME) < end_ms) {
        loop_turn(s.loop);
        sched_yield();
    }
    assert_int_equal(s.receiver.open_count, 1);
    assert_false(slow.is_done);
    receiver_drop(&s.receiver.streams[s.receiver.stream_count - 1]);
    wait_until(s.loop, flag_is_set, &slow.is_done);
    sent_fini(&slow);
    receiver_close(&other);
    scene_close(&s);
}

static void sends_in_parallel_within_its_bound(void **state)
{
    enum { COUNT = 400, MOST = 5 };
    static struct sent sent[COUNT];
    struct scene s;
    scene_open(&s, *state, &(struct client_config){.max_connections = MOST});
    for (size_t i = 0; i < COUNT; i++) {
        send_start(s.client, &sent[i],
                   &(struct client_request){
                       .method = STR("POST"), .url = s.receiver.url, .body = STR("hello")});
    }
    assert_int_equal(client_in_flight(s.client), COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        wait_until(s.loop, flag_is_set, &sent[i].is_done);
        assert_int_equal(sent[i].response.error, CLIENT_OK);
        assert_int_equal(sent[i].done_count, 1);
        sent_fini(&sent[i]);
    }
    assert_int_equal(client_in_flight(s.client), 0);
    assert_int_equal(s.receiver.request_count, COUNT);
    assert_in_range(s.receiver.open_max, 2, MOST);
    scene_close(&s);
}

static void one_slow_receiver_delays_no_other(void **state)
{
    struct scene s;
    scene_open(&s, *state, &(struct client_config){.log = NULL});
    s.receiver.held = "/slow";
    char url[100];
    snprintf(url, sizeof url, "%s/slow", s.receiver.url);
    struct sent slow;
    send_start(s.client, &slow, &(struct client_request){.url = url});
    for (int i = 0; i < 10; i++) {
        expect_ok(&s, s.receiver.url);
    }
    assert_false(slow.is_done);
    assert_int_equal(s.receiver.stream_count, 2);
    scene_close(&s); // with one under way: nobody is told
    assert_false(slow.is_done);
}

// --- failures -----------------------------------------------------------------------------------

static void limits_the_time(void **state)
{
    struct scene s;
    scene_open(&s, *state, &(struct client_config){.log = NULL});
    static const char *const answers[] = {"", "HTTP/1.1 200",
                                          "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"};
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        s.receiver.answer = str_from(answers[i]);
        struct sent sent;
        send_wait(s.loop, s.client, &sent,
                  &(struct client_request){.url = s.receiver.url, .timeout_ms = 50});
        assert_int_equal(sent.response.error, CLIENT_TIMEOUT);
        assert_in_range(sent.response.elapsed_ms, 45, WAIT_MS);
        assert_true(strlen(sent.response.detail) > 0);
        sent_fini(&sent);
    }
    // The limit of one request is not the next one's.
    s.receiver.answer = STR(OK);
    expect_ok(&s, s.receiver.url);
    scene_close(&s);
}

// A listener whose queue is full: connecting to it takes for ever.
static void gives_up_connecting(void **state)
{
    struct scene s;
    scene_open(&s, *state, &(struct client_config){.connect_timeout_ms = 100});
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    assert_int_equal(bind(listener, (struct sockaddr *)(void *)&at, len), 0);
    assert_int_equal(listen(listener, 0), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)(void *)&at, &len), 0);
    int fill[4];
    for (size_t i = 0; i < COUNT_OF(fill); i++) {
        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        connect(fill[i], (struct sockaddr *)(void *)&at, len);
    }
    char url[64];
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", ntohs(at.sin_port));
    for (int round = 0; round < 3; round++) {
        struct sent sent[3];
        for (size_t i = 0; i < COUNT_OF(sent); i++) {
            send_start(s.client, &sent[i], &(struct client_request){.url = url});
        }
        for (size_t i = 0; i < COUNT_OF(sent); i++) {
            wait_until(s.loop, flag_is_set, &sent[i].is_done);
            assert_int_equal(sent[i].response.error, CLIENT_TIMEOUT);
            sent_fini(&sent[i]);
        }
        expect_ok(&s, s.receiver.url); // and nothing else has come to harm
    }
    for (size_t i = 0; i < COUNT_OF(fill); i++) {
        close(fill[i]);
    }
    close(listener);
    scene_close(&s);
}

static void says_that_nobody_listens(void **state)
{
    struct scene s;
    scene_open(&s, *state, &(struct client_config){.log = NULL});
    struct receiver gone;
    receiver_open(&gone, s.loop);
    receiver_close(&gone);
    struct sent sent;
    send_wait(s.loop, s.client, &sent, &(struct client_request){.url = gone.url});
    assert_int_equal(sent.response.error, CLIENT_CONNECT);
    assert_non_null(strstr(sent.response.detail, "Connection refused"));
    assert_int_equal(sent.response.status, 0);
    sent_fini(&sent);
    scene_close(&s);
}

// --- addresses ----------------------------------------------------------------------------------

static void refuses_private_addresses(void **state)
{
    static const struct {
        const char *host;
        const char *option;
    } rows[] = {
        {"10.0.0.1", "--allow-target 10.0.0.1/32"},
        {"192.168.1.1:8080", "--allow-target 192.168.1.1/32"},
        {"169.254.169.254", "--allow-target 169.254.169.254/32"},
        {"[::1]", "--allow-target ::1/128"},
        {"[::ffff:10.0.0.1]", "--allow-target"},
        {"[fe80::1]", "--allow-target fe80::1/128"},
        {"0.0.0.0", "--allow-target"},
    };
    struct scene s;
    scene_open(&s, *state, &(struct client_config){.log = NULL});
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char url[100];
        snprintf(url, sizeof url, "http://%s/x", rows[i].host);
        struct sent sent;
        send_wait(s.loop, s.client, &sent,
                  &(struct client_request){.url = url, .timeout_ms = 1000});
        if (sent.response.error != CLIENT_ADDRESS_REFUSED ||
            !strstr(sent.response.detail, rows[i].option)) {
            fail_case(i, "%s: %s", client_error_word(sent.response.error), sent.response.detail);
        }
        sent_fini(&sent);
    }
    scene_close(&s);
}

// Loopback is refused here, but one block more is allowed for some requests.
static void an_exception_is_for_its_request_alone(void **state)
{
    struct fixture *f = *state;
    struct scene s = {.loop = f->loop};
    receiver_open(&s.receiver, f->loop);
    s.receiver.answer = STR(OK);
    struct server names;
    server_open(&names, f->loop);
    memcpy(names.v4, (unsigned char[]){127, 0, 0, 1}, 4);
    struct client_config c = {.resolver = {.servers = names.address}};
    assert_int_equal(client_open(&s.client, f->loop, &c, NULL), 0);
    char by_name[100];
    snprintf(by_name, sizeof by_name, "http://private.example.com:%u/", port_of(s.receiver.url));
    const char *const urls[] = {s.receiver.url, by_name};
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        for (int round = 0; round < 4; round++) {
            bool is_exception = round % 2 == 1;
            struct sent sent;
            send_wait(s.loop, s.client, &sent,
                      &(struct client_request){.url = urls[i],
                                               .also_allow = is_exception ? &LOOPBACK : NULL});
            assert_int_equal(sent.response.error,
                             is_exception ? CLIENT_OK : CLIENT_ADDRESS_REFUSED);
            assert_true(is_exception ||
                        strstr(sent.response.detail, "--allow-target 127.0.0.1/32"));
            sent_fini(&sent);
        }
    }
    assert_int_equal(s.receiver.request_count, 4);
    assert_int_equal(s.receiver.stream_count, 2); // kept between the exceptional ones
    scene_close(&s);
    server_close(&names);
}

// A kept connection to an address that only an exception allows, and a name that has moved on
// since: the request without the exception must not go over it, though the name looks fine now.
static void a_kept_exception_is_not_used_by_others(void **state)
{
    struct fixture *f = *state;
    struct scene s = {.loop = f->loop};
    receiver_open(&s.receiver, f->loop);
    s.receiver.answer = STR(OK);
    struct server names;
    server_open(&names, f->loop);
    names.ttl_s = 0;
    memcpy(names.v4, (unsigned char[]){127, 0, 0, 1}, 4);
    struct netblock second = {.base = {.bytes = {127, 0, 0, 2}}, .prefix = 32};
    struct client_config c = {
        .resolver = {.servers = names.address}, .allow = &second, .allow_count = 1};
    assert_int_equal(client_open(&s.client, f->loop, &c, NULL), 0);
    char url[100];
    snprintf(url, sizeof url, "http://moving.example.com:%u/", port_of(s.receiver.url));
    struct sent sent;
    send_wait(s.loop, s.client, &sent,
              &(struct client_request){.url = url, .also_allow = &LOOPBACK});
    assert_int_equal(sent.response.error, CLIENT_OK);
    sent_fini(&sent);
    memcpy(names.v4, (unsigned char[]){127, 0, 0, 2}, 4);
    int64_t start_ms = loop_now_ms(s.loop, LOOP_REAL_TIME);
    while (loop_now_ms(s.loop, LOOP_REAL_TIME) <
           start_ms + 1100) { // the least time an answer is kept
        loop_turn(s.loop);
        sched_yield();
    }
    send_wait(s.loop, s.client, &sent, &(struct client_request){.url = url});
    // Nobody listens at the new address: what matters is that it was tried, and not the old
    // connection.
    assert_int_equal(sent.response.error, CLIENT_CONNECT);
    assert_int_equal(s.receiver.request_count, 1);
    sent_fini(&sent);
    scene_close(&s);
    server_close(&names);
}

// --- names --------------------------------------------------------------------------------------

static void resolves_names(void **state)
{
    struct fixture *f = *state;
    struct server names;
    server_open(&names, f->loop);
    struct scene s;
    scene_open(&s, f, &(struct client_config){.resolver = {.servers = names.address}});
    memcpy(names.v4, (unsigned char[]){127, 0, 0, 1}, 4);
    static const char *const hosts[] = {"a.example.com", "A.Example.Com", "a.example.com.",
                                        "localhost", "b_c.example.com"};
    for (size_t i = 0; i < COUNT_OF(hosts); i++) {
        char url[100];
        snprintf(url, sizeof url, "http://%s:%u/x", hosts[i], port_of(s.receiver.url));
        expect_ok(&s, url);
        expect_ok(&s, url);
        char host[100];
        snprintf(host, sizeof host, "\r\nHost: %s:%u\r\n", hosts[i], port_of(s.receiver.url));
        if (!text_holds(buf_str(&s.receiver.last), host)) {
            fail_case(i, STR_FMT, STR_ARG(buf_str(&s.receiver.last)));
        }
    }
    // Of several addresses those that are refused are left out (::1), and a dead one is passed
    // over.
    names.v4_count = 2;
    names.has_v6 = true;
    memcpy(names.v4, (unsigned char[]){127, 0, 0, 0}, 4); // and 127.0.0.1
    char url[100];
    snprintf(url, sizeof url, "http://two.example.com:%u/x", port_of(s.receiver.url));
    expect_ok(&s, url);
    // A name is asked for once, while requests wait.
    size_t before = names.query_count;
    struct sent sent[20];
    snprintf(url, sizeof url, "http://once.example.com:%u/x", port_of(s.receiver.url));
    names.v4_count = 1;
    names.has_v6 = false;
    memcpy(names.v4, (unsigned char[]){127, 0, 0, 1}, 4);
    for (size_t i = 0; i < COUNT_OF(sent); i++) {
        send_start(s.client, &sent[i], &(struct client_request){.url = url});
    }
    for (size_t i = 0; i < COUNT_OF(sent); i++) {
        wait_until(s.loop, flag_is_set, &sent[i].is_done);
        assert_int_equal(sent[i].response.error, CLIENT_OK);
        sent_fini(&sent[i]);
    }
    assert_int_equal(names.query_count, before + 1);
    scene_close(&s);
    server_close(&names);
}

static void fails_where_names_do(void **state)
{
    struct fixture *f = *state;
    struct server names;
    server_open(&names, f->loop);
    struct scene s;
    scene_open(&s, f,
               &(struct client_config){.resolver = {.servers = names.address, .timeout_ms = 5000}});
    struct sent sent;
    names.code = 3;
    send_wait(s.loop, s.client, &sent, &(struct client_request){.url = "http://no.example.com/"});
    assert_int_equal(sent.response.error, CLIENT_DNS);
    assert_string_equal(sent.response.detail, "no.example.com: the name does not exist");
    sent_fini(&sent);
    // The time of the request counts here too, and others go on meanwhile.
    names.is_silent = true;
    send_start(s.client, &sent,
               &(struct client_request){.url = "http://silent.example.com/", .timeout_ms = 60});
    expect_ok(&s, s.receiver.url);
    assert_false(sent.is_done);
    wait_until(s.loop, flag_is_set, &sent.is_done);
    assert_int_equal(sent.response.error, CLIENT_DNS);
    assert_in_range(sent.response.elapsed_ms, 55, 4000);
    sent_fini(&sent);
    // Closing while a name is looked up.
    send_start(s.client, &sent, &(struct client_request){.url = "http://silent.example.com/"});
    scene_close(&s);
    assert_false(sent.is_done);
    server_close(&names);
}

// --- from inside on_done ------------------------------------------------------------------------

struct inside {
    struct scene *scene;
    int left;
    bool is_done;
    bool closes;
    const char *url;
};

static void on_inside(void *ctx, const struct client_response *r)
{
    struct inside *in = ctx;
    (void)r;
    if (in->left-- > 0) {
        struct client_request q = {.method = STR("POST"),
                                   .url = in->url,
                                   .body = STR("x"),
                                   .on_done = on_inside,
                                   .ctx = in};
        assert_int_equal(client_send(in->scene->client, &q), 0);
    } else if (in->closes) {
        client_close(in->scene->client, set_flag, &in->is_done);
        assert_false(in->is_done);
    } else {
        in->is_done = true;
    }
}

static void may_be_used_from_inside_on_done(void **state)
{
    const char *const urls[] = {NULL, "http://10.0.0.1/", "http://127.0.0.1:1/"};
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        struct scene s;
        scene_open(&s, *state, &(struct client_config){.log = NULL});
        struct inside in = {.scene = &s, .left = 10, .url = urls[i] ? urls[i] : s.receiver.url};
        on_inside(&in, NULL);
        wait_until(s.loop, flag_is_set, &in.is_done);
        // And closing from there, with others under way.
        s.receiver.held = "/held";
        char held[100];
        snprintf(held, sizeof held, "%s/held", s.receiver.url);
        struct sent sent[6];
        for (size_t k = 0; k < COUNT_OF(sent); k++) {
            const char *url = k % 3 == 0 ? held : k % 3 == 1 ? "http://10.0.0.1/" : s.receiver.url;
            send_start(s.client, &sent[k], &(struct client_request){.url = url});
        }
        in = (struct inside){
            .scene = &s, .left = 2, .closes = true, .url = urls[i] ? urls[i] : s.receiver.url};
        on_inside(&in, NULL);
        wait_until(s.loop, flag_is_set, &in.is_done);
        for (size_t k = 0; k < COUNT_OF(sent); k++) {
            assert_true(k % 3 != 0 || !sent[k].is_done);
            sent_fini(&sent[k]);
        }
        receiver_close(&s.receiver);
    }
}

static void closes_at_once(void **state)
{
    struct scene s;
    scene_open(&s, *state, &(struct client_config){.resolver = {.servers = "127.0.0.1:1"}});
    struct sent sent[3];
    send_start(s.client, &sent[0], &(struct client_request){.url = s.receiver.url});
    send_start(s.client, &sent[1], &(struct client_request){.url = "http://10.0.0.1/"});
    send_start(s.client, &sent[2], &(struct client_request){.url = "http://name.example.com/"});
    scene_close(&s);
    for (size_t i = 0; i < COUNT_OF(sent); i++) {
        assert_false(sent[i].is_done);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(keeps_connections),
        CASE(closes_what_is_alone),
        CASE(closes_what_nobody_uses),
        CASE(sends_in_parallel_within_its_bound),
        CASE(one_slow_receiver_delays_no_other),
        CASE(limits_the_time),
        CASE(gives_up_connecting),
        CASE(says_that_nobody_listens),
        CASE(refuses_private_addresses),
        CASE(an_exception_is_for_its_request_alone),
        CASE(a_kept_exception_is_not_used_by_others),
        CASE(resolves_names),
        CASE(fails_where_names_do),
        CASE(may_be_used_from_inside_on_done),
        CASE(closes_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
