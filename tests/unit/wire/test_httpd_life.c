// The HTTP server over time: pipelining, answers that come later, slow, broken and absent clients,
// limits on connections, draining and closing.
#include "wire/httpd.h"

#include "wire/peer.h"

enum { LATER_MAX = 16, BIG = 6 * 1024 * 1024 };

struct site {
    struct fixture *f;
    struct httpd *httpd;
    bool is_closed;
    struct httpd_request *later[LATER_MAX]; // owed an answer
    size_t later_count;
    size_t request_count;
    size_t gone_count;
    struct httpd_request *gone;
    char *big;
};

static int on_head(void *ctx, struct httpd_request *r)
{
    (void)ctx;
    if (str_eq(httpd_path(r), STR("/refused"))) {
        httpd_send(r, &(struct httpd_answer){.status = 403, .body = STR("no")});
        return 1;
    }
    return 0;
}

static void on_request(void *ctx, struct httpd_request *r)
{
    struct site *site = ctx;
    site->request_count++;
    if (str_starts_with(httpd_path(r), STR("/later"))) {
        assert_true(site->later_count < LATER_MAX);
        httpd_set_user(r, site);
        site->later[site->later_count++] = r;
    } else if (str_eq(httpd_path(r), STR("/big"))) {
        httpd_send(r, &(struct httpd_answer){.status = 200, .body = {site->big, BIG}});
    } else if (str_eq(httpd_path(r), STR("/close"))) {
        httpd_close(site->httpd, set_flag, &site->is_closed);
    } else {
        struct buf out;
        buf_init(&out, 20 * 1024 * 1024);
        buf_printf(&out, STR_FMT " %zu", STR_ARG(httpd_path(r)), httpd_body(r).len);
        httpd_send(r, &(struct httpd_answer){.status = 200, .body = buf_str(&out)});
        buf_fini(&out);
    }
}

static void on_gone(void *ctx, struct httpd_request *r)
{
    struct site *site = ctx;
    site->gone_count++;
    site->gone = r;
}

static void site_open(struct site *site, struct fixture *f, const struct httpd_config *limits)
{
    *site = (struct site){.f = f, .big = malloc(BIG)};
    memset(site->big, 'x', BIG);
    struct httpd_config c = *limits;
    c.address = "127.0.0.1:0";
    c.on_head = on_head;
    c.on_request = on_request;
    c.on_gone = on_gone;
    c.ctx = site;
    assert_int_equal(httpd_open(&site->httpd, f->loop, &c, NULL), 0);
}

static void site_close(struct site *site)
{
    if (!site->is_closed) {
        httpd_close(site->httpd, set_flag, &site->is_closed);
        assert_false(site->is_closed);
    }
    wait_until(site->f->loop, flag_is_set, &site->is_closed);
    free(site->big);
}

static void open_peer(struct peer *p, struct site *site)
{
    peer_open(p, site->f->loop, httpd_address(site->httpd));
}

static void answer_later(struct site *site, size_t index, const char *text)
{
    assert_ptr_equal(httpd_user(site->later[index]), site);
    httpd_send(site->later[index], &(struct httpd_answer){.status = 200, .body = str_from(text)});
}

// --- what is waited for -------------------------------------------------------------------------

struct count_wait {
    const size_t *count;
    size_t wanted;
};

static bool is_counted(void *ctx)
{
    struct count_wait *w = ctx;
    return *w->count >= w->wanted;
}

static void wait_count(struct site *site, const size_t *count, size_t wanted)
{
    struct count_wait w = {count, wanted};
    wait_until(site->f->loop, is_counted, &w);
}

struct answers_wait {
    struct peer *peer;
    size_t wanted;
};

static bool has_answers(void *ctx)
{
    struct answers_wait *w = ctx;
    peer_read(w->peer);
    struct str rest = buf_str(&w->peer->got);
    struct answer a;
    size_t count = 0;
    while (answer_take(&rest, false, &a)) {
        count++;
    }
    return count >= w->wanted;
}

static void wait_answers(struct peer *p, size_t wanted)
{
    struct answers_wait w = {p, wanted};
    wait_until(p->loop, has_answers, &w);
}

static void wait_over(struct peer *p)
{
    wait_until(p->loop, peer_is_over, p);
}

static struct answer answer_at(struct peer *p, size_t index)
{
    struct str rest = buf_str(&p->got);
    struct answer a = {.status = 0};
    for (size_t i = 0; i <= index; i++) {
        assert_true(answer_take(&rest, false, &a));
    }
    return a;
}

static bool has_no_connections(void *ctx)
{
    struct site *site = ctx;
    return httpd_connection_count(site->httpd) == 0;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define POST(path, length) "POST " path " HTTP/1.1\r\nHost: h\r\nContent-Length: " length "\r\n\r\n"

// --- pipelining ---------------------------------------------------------------------------------

static void answers_pipelined_requests_in_order(void **state)
{
    struct site site;
    site_open(&site, *state, &(struct httpd_config){.log = NULL});
    struct peer p;
    open_peer(&p, &site);
    peer_send(&p, STR(GET("/1") GET("/later") POST("/2", "3") "abc" GET("/later/b") GET("/3")));
    wait_count(&site, &site.later_count, 1);
    wait_answers(&p, 1);
    // While an answer is owed, nothing behind it is begun, whatever else comes.
    peer_send(&p, STR(GET("/4")));
    for (int i = 0; i < 20; i++) {
        loop_turn(site.f->loop);
    }
    peer_read(&p);
    assert_int_equal(site.request_count, 2);
    answer_later(&site, 0, "first");
    wait_count(&site, &site.later_count, 2);
    wait_answers(&p, 3);
    answer_later(&site, 1, "second");
    wait_answers(&p, 6);
    static const char *const bodies[] = {"/1 0", "first", "/2 3", "second", "/3 0", "/4 0"};
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        assert_str_text(answer_at(&p, i).body, bodies[i]);
    }
    peer_close(&p);
    site_close(&site);
}

static void answers_a_thousand_pipelined_requests(void **state)
{
    struct site site;
    site_open(&site, *state, &(struct httpd_config){.log = NULL});
    struct peer p;
    open_peer(&p, &site);
    struct buf many;
    buf_init(&many, PEER_MAX_BYTES);
    for (int i = 0; i < 1000; i++) {
        buf_append_text(&many, i % 100 == 50 ? GET("/big") : POST("/x", "10") "0123456789");
    }
    peer_send(&p, buf_str(&many));
    shutdown(p.fd, SHUT_WR); // what was sent before is still answered
    wait_answers(&p, 1000);
    wait_over(&p);
    assert_true(p.is_ended && !p.is_reset);
    assert_int_equal(site.request_count, 1000);
    buf_fini(&many);
    peer_close(&p);
    site_close(&site);
}

static void stops_reading_while_an_answer_is_owed(void **state)
{
    struct site site;
    site_open(&site, *state, &(struct httpd_config){.log = NULL});
    struct peer p;
    open_peer(&p, &site);
    peer_send(&p, STR(GET("/later")));
    wait_count(&site, &site.later_count, 1);
    // A client that goes on sending fills the sockets' buffers, not the host's memory.
    size_t sent = 0;
    for (int stuck = 0; stuck < 200;) {
        ssize_t n = send(p.fd, site.big, 64 * 1024, MSG_DONTWAIT | MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
        stuck = n > 0 ? 0 : stuck + 1;
        loop_turn(site.f->loop);
        assert_true(sent < 50 * 1024 * 1024);
    }
    answer_later(&site, 0, "ok");
    wait_over(&p); // what followed was no request
    peer_close(&p);
    site_close(&site);
}

// --- 100-continue -------------------------------------------------------------------------------

static bool has_any(void *ctx)
{
    struct peer *p = ctx;
    peer_read(p);
    return p->got.len > 0;
}

static void tells_the_client_to_go_on(void **state)
{
    struct site site;
    site_open(&site, *state, &(struct httpd_config){.max_body_bytes = 100});
    struct peer p;
    open_peer(&p, &site);
    for (int round = 0; round < 2; round++) {
        peer_send(&p, STR("POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\n"
                          "Content-Length: 5\r\n\r\n"));
        wait_until(site.f->loop, has_any, &p);
        assert_str_text(buf_str(&p.got), "HTTP/1.1 100 Continue\r\n\r\n");
        assert_int_equal(site.request_count, round);
        buf_reset(&p.got);
        peer_send(&p, STR("hello"));
        wait_answers(&p, 1);
        assert_str_text(answer_at(&p, 0).body, "/a 5");
        buf_reset(&p.got);
    }
    peer_close(&p);

    // Refused at the head, by the owner or for its size: the body is never asked for.
    static const struct {
        const char *request;
        int status;
    } refused[] = {
        {"POST /refused HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
         403},
        {"POST /a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 500\r\n\r\n", 413},
    };
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        open_peer(&p, &site);
        peer_send(&p, str_from(refused[i].request));
        wait_over(&p);
        struct answer a = answer_at(&p, 0);
        assert_int_equal(a.status, refused[i].status);
        assert_true(a.says_close && p.is_ended);
        peer_close(&p);
    }
    assert_int_equal(site.request_count, 2);
    site_close(&site);
}

// The answer must reach a client that is still sending: a plain close would reset the connection.
static void is_heard_by_a_client_that_goes_on_sending(void **state)
{
    static const char *const heads[] = {
        POST("/a", "66291456"),
        POST("/refused", "6291456"),
        "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST /a HTTP/1.1\r\nHost : h\r\n",
    };
    static const int statuses[] = {413, 403, 400, 400};
    struct site site;
    site_open(&site, *state, &(struct httpd_config){.max_body_bytes = 2 * BIG});
    for (size_t i = 0; i < COUNT_OF(heads); i++) {
        struct peer p;
        open_peer(&p, &site);
        peer_send(&p, str_from(heads[i]));
        peer_send(&p, (struct str){site.big, BIG});
        wait_over(&p);
        assert_true(p.is_ended);
        assert_int_equal(answer_at(&p, 0).status, statuses[i]);
        peer_close(&p);
    }
    wait_until(site.f->loop, has_no_connections, &site);
    site_close(&site);
}

static void takes_a_large_body_in_pieces(void **state)
{
    struct site site;
    site_open(&site, *state, &(struct httpd_config){.log = NULL});
    struct peer p;
    open_peer(&p, &site);
    for (int round = 0; round < 2; round++) {
        peer_send(&p, STR(POST("/a", "6291456")));
        peer_send(&p, (struct str){site.big, BIG});
        wait_answers(&p, 1);
        assert_str_text(answer_at(&p, 0).body, "/a 6291456");
        buf_reset(&p.got);
    }
    peer_close(&p);
    site_close(&site);
}

// --- slow clients -------------------------------------------------------------------------------

static void does_not_wait_for_ever(void **state)
{
    static const struct {
        const char *request;
        int status; // 0: closed without a word
    } rows[] = {
        {"", 0},
        {"G", 408},
        {"GET /a HTTP/1.1\r\nHost: h\r\n", 408},
        {POST("/a", "5"), 408},
        {POST("/a", "5") "hell", 408},
        {"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n", 408},
    };
    struct site site;
    site_open(&site, *state,
              &(struct httpd_config){
                  .head_timeout_ms = 40, .body_timeout_ms = 60, .idle_timeout_ms = 80});
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct peer p;
        open_peer(&p, &site);
        peer_send(&p, str_from(rows[i].request));
        wait_over(&p);
        assert_true(p.is_ended);
        if (rows[i].status == 0) {
            assert_int_equal(p.got.len, 0);
        } else {
            assert_int_equal(answer_at(&p, 0).status, rows[i].status);
        }
        peer_close(&p);
    }
    // A byte now and then does not put the end off.
    struct peer p;
    open_peer(&p, &site);
    int64_t start_ms = loop_now_ms(site.f->loop, LOOP_REAL_TIME);
    int64_t next_ms = start_ms;
    peer_send(&p, STR("GET /a HTTP/1.1\r\nHost: h\r\nX: "));
    while (!peer_is_over(&p)) {
        int64_t now_ms = loop_now_ms(site.f->loop, LOOP_REAL_TIME);
        assert_true(now_ms - start_ms < WAIT_MS);
        if (now_ms >= next_ms) {
            peer_send(&p, STR("x"));
            next_ms = now_ms + 5;
        }
        loop_turn(site.f->loop);
    }
    assert_int_equal(answer_at(&p, 0).status, 408);
    peer_close(&p);
    // Idle between two requests; an owed answer has no limit.
    open_peer(&p, &site);
    peer_send(&p, STR(GET("/later")));
    wait_count(&site, &site.later_count, 1);
    int64_t owed_ms = loop_now_ms(site.f->loop, LOOP_REAL_TIME);
    while (loop_now_ms(site.f->loop, LOOP_REAL_TIME) < owed_ms + 150) {
        loop_turn(site.f->loop);
    }
    assert_false(peer_is_over(&p));
    answer_later(&site, 0, "ok");
    wait_over(&p);
    assert_str_text(answer_at(&p, 0).body, "ok");
    assert_false(answer_at(&p, 0).says_close);
    peer_close(&p);
    wait_until(site.f->loop, has_no_connections, &site);
    site_close(&site);
}

static void gives_up_on_a_client_that_does_not_read(void **state)
{
    struct site site;
    site_open(&site, *state, &(struct httpd_config){.body_timeout_ms = 50});
    struct peer p;
    open_peer(&p, &site);
    peer_send(&p, STR(GET("/big") GET("/big") GET("/big")));
    wait_count(&site, &site.request_count, 1);
    wait_until(site.f->loop, has_no_connections, &site);
    assert_true(site.request_count < 3); // answers do not pile up in memory
    peer_close(&p);
    site_close(&site);
}

// --- clients that leave -------------------------------------------------------------------------

static void peer_reset(struct peer *p)
{
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    peer_close(p);
}

static void says_when_the_client_is_gone(void **state)
{
    struct site site;
    site_open(&site, *state, &(struct httpd_config){.log = NULL});
    struct peer p;
    open_peer(&p, &site);
    peer_send(&p, STR(POST("/later", "3") "abc"));
    wait_count(&site, &site.later_count, 1);
    peer_reset(&p);
    wait_count(&site, &site.gone_count, 1);
    assert_ptr_equal(site.gone, site.later[0]);
    assert_str_text(httpd_body(site.later[0]), "abc"); // still its owner's
    wait_until(site.f->loop, has_no_connections, &site);
    answer_later(&site, 0, "nobody hears it");

    // Gone and never answered: closing takes care of it.
    open_peer(&p, &site);
    peer_send(&p, STR(GET("/later")));
    wait_count(&site, &site.later_count, 2);
    peer_reset(&p);
    wait_count(&site, &site.gone_count, 2);

    // In the middle of a request nobody is told.
    open_peer(&p, &site);
    peer_send(&p, STR(POST("/a", "5") "ab"));
    loop_turn(site.f->loop);
    peer_reset(&p);
    wait_until(site.f->loop, has_no_connections, &site);
    assert_int_equal(site.gone_count, 2);
    site_close(&site);
}

static void answers_a_client_that_ended_its_side(void **state)
{
    struct site site;
    site_open(&site, *state, &(struct httpd_config){.log = NULL});
    struct peer p;
    open_peer(&p, &site);
    peer_send(&p, STR(GET("/later") GET("/x") "GET /cut"));
    shutdown(p.fd, SHUT_WR);
    wait_count(&site, &site.later_count, 1);
    for (int i = 0; i < 20; i++) {
        loop_turn(site.f->loop);
    }
    answer_later(&site, 0, "ok");
    wait_over(&p);
    assert_true(p.is_ended);
    assert_str_text(answer_at(&p, 0).body, "ok");
    assert_str_text(answer_at(&p, 1).body, "/x 0");
    assert_int_equal(site.gone_count, 0);
    peer_close(&p);
    site_close(&site);
}

// --- too many, the end --------------------------------------------------------------------------

static void bounds_its_connections(void **state)
{
    struct site site;
    site_open(&site, *state, &(struct httpd_config){.max_connections = 3});
    struct peer kept[3];
    for (size_t i = 0; i < 3; i++) {
        open_peer(&kept[i], &site);
        peer_send(&kept[i], STR(GET("/later")));
        wait_count(&site, &site.later_count, i + 1);
    }
    struct peer more;
    open_peer(&more, &site);
    peer_send(&more, STR(GET("/a")));
    wait_over(&more);
    assert_true(more.is_ended);
    assert_int_equal(answer_at(&more, 0).status, 503);
    assert_true(answer_at(&more, 0).says_close);
    peer_close(&more);
    // A flood of them is closed without a word, and bounded.
    struct peer flood[100];
    for (int i = 0; i < 100; i++) {
        open_peer(&flood[i], &site);
    }
    for (int i = 0; i < 100; i++) {
        wait_over(&flood[i]);
        assert_true(httpd_connection_count(site.httpd) <= 3 + httpd_extra(3));
        peer_close(&flood[i]);
    }
    while (httpd_connection_count(site.httpd) > 3) {
        loop_turn(site.f->loop);
    }
    // Those that ask for nothing make room, the one that did so the longest first.
    for (size_t i = 0; i < 3; i++) {
        answer_later(&site, i, "ok");
        wait_answers(&kept[i], 1);
    }
    peer_send(&kept[0], STR(GET("/a")));
    wait_answers(&kept[0], 2);
    open_peer(&more, &site);
    peer_send(&more, STR(GET("/a")));
    wait_answers(&more, 1);
    assert_int_equal(answer_at(&more, 0).status, 200);
    wait_over(&kept[1]);
    assert_true(kept[1].is_ended);
    peer_send(&kept[0], STR(GET("/a")));
    wait_answers(&kept[0], 3);
    peer_send(&kept[2], STR(GET("/a")));
    wait_answers(&kept[2], 2);
    peer_close(&more);
    for (int i = 0; i < 3; i++) {
        peer_close(&kept[i]);
    }
    site_close(&site);
}

static void drains(void **state)
{
    struct site site;
    site_open(&site, *state, &(struct httpd_config){.log = NULL});
    char address[64];
    snprintf(address, sizeof address, "%s", httpd_address(site.httpd));
    struct peer idle;
    struct peer busy;
    struct peer half;
    open_peer(&idle, &site);
    peer_send(&idle, STR(GET("/a")));
    wait_answers(&idle, 1);
    open_peer(&busy, &site);
    peer_send(&busy, STR(GET("/later")));
    wait_count(&site, &site.later_count, 1);
    open_peer(&half, &site);
    peer_send(&half, STR(POST("/a", "5") "he"));
    for (int i = 0; i < 20; i++) {
        loop_turn(site.f->loop);
    }
    httpd_drain(site.httpd);
    assert_string_equal(httpd_address(site.httpd), "");
    wait_over(&idle);
    assert_true(idle.is_ended);
    peer_send(&half, STR("llo"));
    wait_over(&half);
    assert_str_text(answer_at(&half, 0).body, "/a 5");
    assert_true(answer_at(&half, 0).says_close);
    answer_later(&site, 0, "last");
    wait_over(&busy);
    assert_str_text(answer_at(&busy, 0).body, "last");
    assert_true(answer_at(&busy, 0).says_close);
    wait_until(site.f->loop, has_no_connections, &site);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port_of(address)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(fd, (struct sockaddr *)(void *)&to, sizeof to), -1);
    close(fd);
    peer_close(&idle);
    peer_close(&busy);
    peer_close(&half);
    site_close(&site);
}

static void closes_under_way(void **state)
{
    static const char *const requests[] = {"",
                                           "GET /",
                                           POST("/a", "5") "he",
                                           GET("/later"),
                                           GET("/later") GET("/later"),
                                           GET("/big"),
                                           "nonsense\r\n"};
    struct site site;
    site_open(&site, *state, &(struct httpd_config){.log = NULL});
    struct peer peers[COUNT_OF(requests)];
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        open_peer(&peers[i], &site);
        peer_send(&peers[i], str_from(requests[i]));
    }
    wait_count(&site, &site.request_count, 3);
    httpd_close(site.httpd, set_flag, &site.is_closed);
    wait_until(site.f->loop, flag_is_set, &site.is_closed);
    for (size_t i = 0; i < COUNT_OF(requests); i++) {
        wait_over(&peers[i]);
        peer_close(&peers[i]);
    }
    assert_int_equal(site.gone_count, 0);
    site_close(&site);
}

static void closes_from_inside_a_request(void **state)
{
    struct site site;
    site_open(&site, *state, &(struct httpd_config){.log = NULL});
    struct peer p;
    open_peer(&p, &site);
    peer_send(&p, STR(GET("/a") GET("/close") GET("/b")));
    wait_over(&p);
    assert_int_equal(site.request_count, 2);
    peer_close(&p);
    site_close(&site);
}

static void does_not_open_on_a_taken_address(void **state)
{
    struct site site;
    site_open(&site, *state, &(struct httpd_config){.log = NULL});
    struct httpd *other;
    struct err e;
    struct httpd_config c = {.address = httpd_address(site.httpd), .on_request = on_request};
    assert_int_equal(httpd_open(&other, site.f->loop, &c, &e), ERR_BUSY);
    c.address = "nonsense";
    assert_int_equal(httpd_open(&other, site.f->loop, &c, &e), ERR_INVALID);
    site_close(&site);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(answers_pipelined_requests_in_order),
        CASE(answers_a_thousand_pipelined_requests),
        CASE(stops_reading_while_an_answer_is_owed),
        CASE(tells_the_client_to_go_on),
        CASE(is_heard_by_a_client_that_goes_on_sending),
        CASE(takes_a_large_body_in_pieces),
        CASE(does_not_wait_for_ever),
        CASE(gives_up_on_a_client_that_does_not_read),
        CASE(says_when_the_client_is_gone),
        CASE(answers_a_client_that_ended_its_side),
        CASE(bounds_its_connections),
        CASE(drains),
        CASE(closes_under_way),
        CASE(closes_from_inside_a_request),
        CASE(does_not_open_on_a_taken_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
