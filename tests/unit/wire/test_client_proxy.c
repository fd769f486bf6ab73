// A target's proxy: which address it is asked for, and that a tunnel to one address is not used for
// another. The receiver is proxy and target at once: it answers CONNECT and what comes behind
// alike.
#include "wire/client.h"

#include "wire/name_server.h"
#include "wire/receiver.h"
#include "wire/send.h"

static const struct netblock DOCUMENTATION = {.base = {.bytes = {192, 0, 2}}, .prefix = 24};

struct scene {
    struct loop *loop;
    struct receiver proxy;
    struct server names;
    struct client *client;
};

// Addresses 192.0.2.0/24 are allowed, 127.0.0.0/8, where the proxy is, is not.
static void scene_open(struct scene *s, struct fixture *f, const char *host)
{
    s->loop = f->loop;
    receiver_open(&s->proxy, f->loop);
    s->proxy.answer = STR("HTTP/1.1 204 No Content\r\n\r\n");
    server_open(&s->names, f->loop);
    s->names.ttl_s = 0;
    s->names.v4_count = 1;
    struct client_config c = {
        .resolver = {.servers = s->names.address}, .allow = &DOCUMENTATION, .allow_count = 1};
    assert_int_equal(client_open(&s->client, f->loop, &c, NULL), 0);
    char proxy[100];
    char literal[100];
    snprintf(literal, sizeof literal, "http://127.0.0.2:%u", port_of(s->proxy.url));
    snprintf(proxy, sizeof proxy, "http://%s:%u", host, port_of(s->proxy.url));
    const struct client_target targets[] = {
        {.target = STR("http://app.example.com:80"), .proxy = str_from(proxy)},
        {.target = STR("http://[2001:db8::1]:8080"), .proxy = str_from(proxy)},
        {.target = str_from(literal), .proxy = str_from(proxy)},
    };
    assert_int_equal(client_set_targets(s->client, targets, COUNT_OF(targets)), 0);
}

static void scene_close(struct scene *s)
{
    client_end(s->loop, s->client);
    server_close(&s->names);
    receiver_close(&s->proxy);
}

static void resolve_to(struct scene *s, unsigned char a, unsigned char b, unsigned char c,
                       unsigned char d)
{
    memcpy(s->names.v4, (unsigned char[]){a, b, c, d}, 4);
}

static enum client_error send_one(struct scene *s, const char *url, const struct netblock *allow)
{
    struct sent sent;
    send_wait(s->loop, s->client, &sent, &(struct client_request){.url = url, .also_allow = allow});
    enum client_error error = sent.response.error;
    assert_true(error != CLIENT_OK || sent.response.status == 204);
    sent_fini(&sent);
    return error;
}

// The head of the last CONNECT; what comes behind it is not kept.
static void expect_connect(struct scene *s, const char *line)
{
    s->proxy.answer = STR("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(send_one(s, "http://app.example.com/x", NULL), CLIENT_CONNECT);
    if (!text_holds(buf_str(&s->proxy.last), line)) {
        fail_msg(STR_FMT, STR_ARG(buf_str(&s->proxy.last)));
    }
}

static void asks_for_the_address_that_was_checked(void **state)
{
    struct scene s;
    scene_open(&s, *state, "127.0.0.1");
    resolve_to(&s, 192, 0, 2, 7);
    s.names.has_v6 = true; // ::1, which is refused
    expect_connect(&s, "CONNECT 192.0.2.7:80 HTTP/1.1\r\n");
    assert_false(text_holds(buf_str(&s.proxy.last), "app.example.com"));
    scene_close(&s);
}

static void refuses_addresses_though_the_proxy_could_reach_them(void **state)
{
    struct scene s;
    scene_open(&s, *state, "127.0.0.1");
    resolve_to(&s, 10, 0, 0, 1);
    assert_int_equal(send_one(&s, "http://app.example.com/x", NULL), CLIENT_ADDRESS_REFUSED);
    assert_int_equal(send_one(&s, "http://[2001:db8::1]:8080/", NULL), CLIENT_ADDRESS_REFUSED);
    assert_int_equal(s.proxy.stream_count, 0);
    scene_close(&s);
}

// The proxy's own address is what the operator has named: the guard is for targets.
static void a_proxy_may_have_a_name_and_a_private_address(void **state)
{
    struct scene s;
    scene_open(&s, *state, "localhost");
    resolve_to(&s, 192, 0, 2, 7);
    assert_int_equal(send_one(&s, "http://app.example.com/x", NULL), CLIENT_OK);
    assert_int_equal(s.proxy.request_count, 2); // CONNECT, and the request
    assert_int_equal(send_one(&s, "http://app.example.com/x", NULL), CLIENT_OK);
    assert_int_equal(s.proxy.request_count, 3);
    assert_int_equal(s.proxy.stream_count, 1);
    scene_close(&s);
}

// Waits out the least time that an answer of the name server is kept.
static void let_the_name_move(struct scene *s)
{
    int64_t end_ms = loop_now_ms(s->loop, LOOP_REAL_TIME) + 1100;
    while (loop_now_ms(s->loop, LOOP_REAL_TIME) < end_ms) {
        loop_turn(s->loop);
        sched_yield();
    }
}

static void a_tunnel_leads_to_one_address(void **state)
{
    struct scene s;
    scene_open(&s, *state, "127.0.0.1");
    const struct netblock private = {.base = {.bytes = {10}}, .prefix = 8};
    resolve_to(&s, 10, 0, 0, 1);
    assert_int_equal(send_one(&s, "http://app.example.com/x", &private), CLIENT_OK);
    // The tunnel is kept, and not for those who may not go there.
    assert_int_equal(send_one(&s, "http://app.example.com/x", NULL), CLIENT_ADDRESS_REFUSED);
    assert_int_equal(s.proxy.request_count, 2);
    resolve_to(&s, 192, 0, 2, 7);
    let_the_name_move(&s);
    assert_int_equal(send_one(&s, "http://app.example.com/x", NULL), CLIENT_OK);
    assert_int_equal(s.proxy.stream_count, 2);
    assert_int_equal(s.proxy.request_count, 4);
    scene_close(&s);
}

static void takes_another_table_at_any_time(void **state)
{
    struct scene s;
    scene_open(&s, *state, "127.0.0.1");
    resolve_to(&s, 192, 0, 2, 7);
    assert_int_equal(send_one(&s, "http://app.example.com/x", NULL), CLIENT_OK);
    s.proxy.held = "/held";
    struct sent held;
    send_start(s.client, &held, &(struct client_request){.url = "http://app.example.com/held"});
    const struct client_target bad = {.target = STR("http://app.example.com:80"),
                                      .proxy = STR("http://a b")};
    assert_int_equal(client_set_targets(s.client, &bad, 1), ERR_INVALID); // and nothing changes
    assert_int_equal(send_one(&s, "http://app.example.com/x", NULL), CLIENT_OK);
    char url[100]; // where nobody is but for the proxy
    snprintf(url, sizeof url, "http://127.0.0.2:%u/x", port_of(s.proxy.url));
    assert_int_equal(send_one(&s, url, &LOOPBACK), CLIENT_OK);
    assert_int_equal(client_set_targets(s.client, NULL, 0), 0);
    assert_int_equal(send_one(&s, url, &LOOPBACK), CLIENT_CONNECT);
    assert_false(held.is_done);
    scene_close(&s);
}

static void judges_the_text_of_a_proxy(void **state)
{
    static const struct {
        const char *text;
        const char *words; // NULL: fine
    } rows[] = {
        {"http://proxy.example.com:3128", NULL},
        {"http://proxy.example.com", NULL},
        {"https://proxy.example.com/", NULL},
        {"http://10.0.0.1:3128", NULL},
        {"http://[fd00::1]:3128", NULL},
        {"http://user:pass@proxy.example.com:3128", NULL},
        {"http://user@proxy.example.com", NULL},
        {"http://a%40b:c%25@proxy.example.com", NULL},
        {"http://user:hidden%zz@proxy.example.com", "percent-encoded"},
        {"http://user:hidden%00@proxy.example.com", "percent-encoded"},
        {"socks5://user:hidden@proxy.example.com", "only https:// and http://"},
        {"proxy.example.com:3128", "no scheme"},
        {"user:hidden@proxy.example.com", "no scheme"},
        {"http://user:hidden@", "host"},
        {"http://user:hidden@proxy.example.com/x", "without a path"},
        {"", "empty"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct err e = {0};
        int code = client_proxy_check(str_from(rows[i].text), &e);
        if ((code == 0) != !rows[i].words ||
            (rows[i].words && (!strstr(e.text, rows[i].words) || strstr(e.text, "hidden")))) {
            fail_case(i, "%s: %d, %s", rows[i].text, code, e.text);
        }
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(asks_for_the_address_that_was_checked),
        CASE(refuses_addresses_though_the_proxy_could_reach_them),
        CASE(a_proxy_may_have_a_name_and_a_private_address),
        CASE(a_tunnel_leads_to_one_address),
        CASE(takes_another_table_at_any_time),
        CASE(judges_the_text_of_a_proxy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
