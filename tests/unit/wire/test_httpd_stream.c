// Answers that are sent piece by piece: how they are framed, clients that leave or read slowly, the
// limits in time, draining and closing.
#include "wire/httpd.h"

#include "wire/peer.h"

enum { UNSENT_MAX = 64 * 1024, STREAMS_MAX = 4 };

struct site {
    struct fixture *f;
    struct httpd *httpd;
    bool is_closed;
    struct httpd_request *streams[STREAMS_MAX];
    size_t count;
    size_t gone_count;
};

static void on_request(void *ctx, struct httpd_request *r)
{
    struct site *site = ctx;
    assert_true(site->count < STREAMS_MAX);
    site->streams[site->count++] = r;
    httpd_stream_open(
        r, &(struct httpd_answer){.status = 200, .content_type = "text/x", .body = STR("hello,")},
        UNSENT_MAX);
}

static void on_gone(void *ctx, struct httpd_request *r)
{
    struct site *site = ctx;
    site->gone_count++;
    assert_false(httpd_stream_write(r, STR("nobody")));
    httpd_stream_close(r);
}

static void site_open(struct site *site, struct fixture *f, const struct httpd_config *limits)
{
    *site = (struct site){.f = f};
    struct httpd_config c = *limits;
    c.address = "127.0.0.1:0";
    c.on_request = on_request;
    c.on_gone = on_gone;
    c.ctx = site;
    assert_int_equal(httpd_open(&site->httpd, f->loop, &c, NULL), 0);
}

static void site_close(struct site *site)
{
    httpd_close(site->httpd, set_flag, &site->is_closed);
    wait_until(site->f->loop, flag_is_set, &site->is_closed);
}

struct text_wait {
    struct peer *peer;
    const char *text;
};

static bool has_text(void *ctx)
{
    struct text_wait *w = ctx;
    peer_read(w->peer);
    return text_holds(buf_str(&w->peer->got), w->text);
}

static void wait_text(struct peer *p, const char *text)
{
    struct text_wait w = {p, text};
    wait_until(p->loop, has_text, &w);
}

static void wait_over(struct peer *p)
{
    wait_until(p->loop, peer_is_over, p);
}

static bool is_somebody_gone(void *ctx)
{
    return ((struct site *)ctx)->gone_count > 0;
}

// A peer that has asked for a stream and seen its beginning.
static struct httpd_request *begin(struct site *site, struct peer *p, const char *version)
{
    char text[64];
    snprintf(text, sizeof text, "GET / %s\r\nHost: h\r\n\r\n", version);
    peer_open(p, site->f->loop, httpd_address(site->httpd));
    peer_send(p, str_from(text));
    wait_text(p, "hello,");
    return site->streams[site->count - 1];
}

static struct str body_of(const struct peer *p)
{
    const char *end = memmem(p->got.data, p->got.len, "\r\n\r\n", 4);
    assert_non_null(end);
    return (struct str){end + 4, p->got.len - (size_t)(end + 4 - p->got.data)};
}

static void assert_body(const struct peer *p, const char *wanted)
{
    struct str body = body_of(p);
    assert_int_equal(body.len, strlen(wanted));
    assert_memory_equal(body.data, wanted, body.len);
}

// --- framing ------------------------------------------------------------------------------------

static void test_chunks(void **state)
{
    struct site site;
    struct peer p;
    site_open(&site, *state, &(struct httpd_config){0});
    struct httpd_request *r = begin(&site, &p, "HTTP/1.1");
    assert_true(text_holds(buf_str(&p.got), "\r\nTransfer-Encoding: chunked\r\n"));
    assert_true(text_holds(buf_str(&p.got), "\r\nConnection: close\r\n"));
    assert_true(text_holds(buf_str(&p.got), "\r\nContent-Type: text/x\r\n"));
    assert_false(text_holds(buf_str(&p.got), "Content-Length"));
    assert_true(httpd_stream_write(r, STR("one")));
    assert_true(httpd_stream_write(r, STR(""))); // an empty chunk would end the body
    assert_true(httpd_stream_write(r, STR("two and twenty: 22")));
    wait_text(&p, "22\r\n");
    assert_true(httpd_stream_write(r, STR("three")));
    httpd_stream_close(r);
    wait_over(&p);
    assert_false(p.is_reset);
    assert_body(&p, "6\r\nhello,\r\n3\r\none\r\n12\r\ntwo and twenty: 22\r\n5\r\nthree\r\n"
                    "0\r\n\r\n");
    assert_int_equal(site.gone_count, 0);
    peer_close(&p);
    site_close(&site);
}

static void test_until_the_end(void **state)
{
    struct site site;
    struct peer p;
    site_open(&site, *state, &(struct httpd_config){0});
    struct httpd_request *r = begin(&site, &p, "HTTP/1.0");
    assert_false(text_holds(buf_str(&p.got), "chunked"));
    assert_true(httpd_stream_write(r, STR("world")));
    httpd_stream_close(r);
    wait_over(&p);
    assert_body(&p, "hello,world");
    peer_close(&p);
    site_close(&site);
}

// --- clients ------------------------------------------------------------------------------------

static void test_client_leaves(void **state)
{
    struct site site;
    struct peer leaves, ends;
    site_open(&site, *state, &(struct httpd_config){0});
    begin(&site, &leaves, "HTTP/1.1");
    begin(&site, &ends, "HTTP/1.1");
    peer_close(&leaves);
    wait_until(site.f->loop, is_somebody_gone, &site);
    site.gone_count = 0;
    assert_int_equal(shutdown(ends.fd, SHUT_WR), 0);
    wait_until(site.f->loop, is_somebody_gone, &site);
    wait_over(&ends);
    peer_close(&ends);
    site_close(&site);
}

// What a client that does not read is not sent is not kept; it goes on where it reads again.
static void test_slow_client(void **state)
{
    enum { PIECE = 1024 };
    struct site site;
    struct peer p;
    char piece[PIECE + 1];
    size_t taken = 0;
    site_open(&site, *state, &(struct httpd_config){0});
    struct httpd_request *r = begin(&site, &p, "HTTP/1.1");
    int refused = 0;
    while (refused < 3) { // the system's own buffers are full too
        snprintf(piece, sizeof piece, "%0*zu", PIECE, taken);
        bool is_taken = httpd_stream_write(r, (struct str){piece, PIECE});
        taken += is_taken;
        refused = is_taken ? 0 : refused + 1;
        loop_turn(site.f->loop);
        assert_in_range(taken * PIECE, 0, 32 * 1024 * 1024);
    }
    while (!httpd_stream_write(r, STR("again"))) {
        peer_read(&p);
        loop_turn(site.f->loop);
    }
    wait_text(&p, "again\r\n");
    struct str body = body_of(&p);
    const char *at = body.data + strlen("6\r\nhello,\r\n");
    for (size_t i = 0; i < taken; i++) {
        snprintf(piece, sizeof piece, "%0*zu", PIECE, i);
        assert_memory_equal(at, "400\r\n", 5);
        assert_memory_equal(at + 5, piece, PIECE);
        at += 5 + PIECE + 2;
    }
    assert_memory_equal(at, "5\r\nagain\r\n", 10);
    assert_int_equal(site.gone_count, 0);
    peer_close(&p);
    site_close(&site);
}

// One that takes nothing at all is cut off after a time, though it is written to again and again.
static void test_stuck_client(void **state)
{
    struct site site;
    struct peer p;
    char piece[1024] = {0};
    site_open(&site, *state, &(struct httpd_config){.body_timeout_ms = 100});
    struct httpd_request *r = begin(&site, &p, "HTTP/1.1");
    while (site.gone_count == 0) {
        httpd_stream_write(r, (struct str){piece, sizeof piece});
        loop_turn(site.f->loop);
    }
    assert_int_equal(site.gone_count, 1);
    peer_close(&p);
    site_close(&site);
}

// The limits of requests are none of a stream that has nothing to say.
static void test_no_idle_limit(void **state)
{
    struct site site;
    struct peer p, idle;
    site_open(&site, *state,
              &(struct httpd_config){
                  .idle_timeout_ms = 30, .body_timeout_ms = 30, .head_timeout_ms = 30});
    struct httpd_request *r = begin(&site, &p, "HTTP/1.1");
    for (int i = 0; i < 3; i++) {
        peer_open(&idle, site.f->loop, httpd_address(site.httpd));
        wait_over(&idle); // more time has gone by than the limit
        peer_close(&idle);
    }
    assert_true(httpd_stream_write(r, STR("still here")));
    wait_text(&p, "still here");
    assert_int_equal(site.gone_count, 0);
    peer_close(&p);
    site_close(&site);
}

// --- the end ------------------------------------------------------------------------------------

static bool is_one_left(void *ctx)
{
    return httpd_connection_count(((struct site *)ctx)->httpd) == 1;
}

static void test_drain_and_close(void **state)
{
    struct site site;
    struct peer ended, dropped;
    site_open(&site, *state, &(struct httpd_config){0});
    struct httpd_request *r = begin(&site, &ended, "HTTP/1.1");
    begin(&site, &dropped, "HTTP/1.1");
    httpd_drain(site.httpd);
    assert_true(httpd_stream_write(r, STR("bye")));
    httpd_stream_close(r);
    wait_over(&ended);
    assert_true(text_holds(body_of(&ended), "3\r\nbye\r\n0\r\n\r\n"));
    wait_until(site.f->loop, is_one_left, &site);
    site_close(&site); // with one still open, which nobody is told of
    wait_over(&dropped);
    assert_int_equal(site.gone_count, 0);
    peer_close(&ended);
    peer_close(&dropped);
}

#define STREAM_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STREAM_TEST(test_chunks),          STREAM_TEST(test_until_the_end),
        STREAM_TEST(test_client_leaves),   STREAM_TEST(test_slow_client),
        STREAM_TEST(test_stuck_client),    STREAM_TEST(test_no_idle_limit),
        STREAM_TEST(test_drain_and_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
