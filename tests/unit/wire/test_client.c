// What the client sends, byte for byte, and what it makes of answers, good and bad.
#include "wire/client.h"

#include "wire/client_internal.h"
#include "wire/receiver.h"
#include "wire/send.h"

struct scene {
    struct loop *loop;
    struct receiver receiver;
    struct client *client;
};

static void scene_open(struct scene *s, struct fixture *f, const struct client_config *c)
{
    s->loop = f->loop;
    receiver_open(&s->receiver, f->loop);
    s->client = client_at(f->loop, c);
}

static void scene_close(struct scene *s)
{
    assert_int_equal(client_in_flight(s->client), 0);
    client_end(s->loop, s->client);
    receiver_close(&s->receiver);
}

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

// --- what goes out ------------------------------------------------------------------------------

static void sends_what_it_is_given(void **state)
{
    static const struct client_header headers[] = {
        {{"X-Empty", 7}, {"", 0}},
        {{"X-Value", 7}, {"a, b: c;", 8}},
    };
    static const struct client_header usual[] = {
        {{"Content-Type", 12}, {"application/json", 16}},
        {{"accept", 6}, {"text/plain", 10}},
        {{"User-Agent", 10}, {"mine/1", 6}},
    };
    static const struct {
        const char *method;
        const char *path;
        const struct client_header *headers;
        size_t header_count;
        const char *body;
        const char *wanted; // without the Host line
    } rows[] = {
        {"GET", "/a", NULL, 0, "", "GET /a HTTP/1.1\r\nUser-Agent: ua/1\r\n\r\n"},
        {"POST", "/a?x=1&y=%20z", NULL, 0, "hello",
         "POST /a?x=1&y=%20z HTTP/1.1\r\nUser-Agent: ua/1\r\nContent-Length: 5\r\n\r\nhello"},
        {"POST", "/a", NULL, 0, "",
         "POST /a HTTP/1.1\r\nUser-Agent: ua/1\r\nContent-Length: 0\r\n\r\n"},
        {"GET", "", NULL, 0, "ignored", "GET / HTTP/1.1\r\nUser-Agent: ua/1\r\n\r\n"},
        {"PUT", "/a", usual, 3, "{}",
         "PUT /a HTTP/1.1\r\nContent-Type: application/json\r\naccept: text/plain\r\n"
         "User-Agent: mine/1\r\nContent-Length: 2\r\n\r\n{}"},
        {"PATCH", "/a", headers, 2, "p",
         "PATCH /a HTTP/1.1\r\nUser-Agent: ua/1\r\nX-Empty:\r\nX-Value: a, b: c;\r\n"
         "Content-Length: 1\r\n\r\np"},
        {"DELETE", "/a", NULL, 0, "ignored", "DELETE /a HTTP/1.1\r\nUser-Agent: ua/1\r\n\r\n"},
        {"POST", "/a", NULL, 0, "x",
         "POST /a HTTP/1.1\r\nUser-Agent: ua/1\r\nContent-Length: 1\r\n\r\nx"},
        {"DELETE", "/../b/./c", NULL, 0, "",
         "DELETE /../b/./c HTTP/1.1\r\nUser-Agent: ua/1\r\n\r\n"},
        {"PUT", "/a", NULL, 0, "",
         "PUT /a HTTP/1.1\r\nUser-Agent: ua/1\r\nContent-Length: 0\r\n\r\n"},
        {"GET", "/a", NULL, 0, "", "GET /a HTTP/1.1\r\nUser-Agent: ua/1\r\n\r\n"},
    };
    struct scene s;
    scene_open(&s, *state, &(struct client_config){.user_agent = "ua/1"});
    s.receiver.answer = STR(OK);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char url[200];
        snprintf(url, sizeof url, "%s%s", s.receiver.url, rows[i].path);
        struct sent sent;
        send_wait(s.loop, s.client, &sent,
                  &(struct client_request){.method = str_from(rows[i].method),
                                           .url = url,
                                           .headers = rows[i].headers,
                                           .header_count = rows[i].header_count,
                                           .body = str_from(rows[i].body)});
        assert_int_equal(sent.response.error, CLIENT_OK);
        struct buf got;
        buf_init(&got, 10000);
        struct str last = buf_str(&s.receiver.last);
        const char *host = memmem(last.data, last.len, "Host: 127.0.0.1:", 16);
        assert_non_null(host);
        const char *host_end = strchr(host, '\n') + 1;
        buf_append(&got, last.data, (size_t)(host - last.data));
        buf_append(&got, host_end, (size_t)(last.data + last.len - host_end));
        if (!str_eq(buf_str(&got), str_from(rows[i].wanted))) {
            fail_case(i, "sent\n" STR_FMT "\nwanted\n%s", STR_ARG(buf_str(&got)), rows[i].wanted);
        }
        buf_fini(&got);
        sent_fini(&sent);
    }
    assert_int_equal(s.receiver.stream_count, 1); // one connection for all
    scene_close(&s);
}

static void sends_large_bodies(void **state)
{
    struct scene s;
    scene_open(&s, *state, &(struct client_config){.log = NULL});
    s.receiver.answer = STR(OK);
    static const size_t sizes[] = {60 * 1000, 64 * 1024, 70 * 1000, 1024 * 1024 + 1,
                                   8 * 1024 * 1024};
    char *body = malloc(8 * 1024 * 1024);
    for (size_t i = 0; i < 8 * 1024 * 1024; i++) {
        body[i] = (char)('a' + i % 23);
    }
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct sent sent;
        send_wait(s.loop, s.client, &sent,
                  &(struct client_request){
                      .method = STR("POST"), .url = s.receiver.url, .body = {body, sizes[i]}});
        assert_int_equal(sent.response.error, CLIENT_OK);
        assert_false(text_holds(buf_str(&s.receiver.last), "Expect"));
        assert_memory_equal(s.receiver.last.data + s.receiver.last.len - sizes[i], body, sizes[i]);
        sent_fini(&sent);
    }
    free(body);
    scene_close(&s);
}

static void refuses_what_it_cannot_send(void **state)
{
    struct scene s;
    scene_open(&s, *state, &(struct client_config){.log = NULL});
    static const struct client_header bad[] = {
        {{"X", 1}, {"a\r\nY: b", 7}},
        {{"X", 1}, {"a\nb", 3}},
        {{"X", 1}, {"a\0b", 3}},
        {{"X\r\nY", 4}, {"a", 1}},
    };
    struct sent sent = {.is_done = false};
    struct client_request q = {.method = STR("GET"),
                               .url = s.receiver.url,
                               .on_done = sent_keep,
                               .ctx = &sent,
                               .header_count = 1};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        q.headers = &bad[i];
        assert_int_equal(client_send(s.client, &q), ERR_INVALID);
    }
    q.header_count = 0;
    q.method = STR("CONNECT");
    assert_int_equal(client_send(s.client, &q), ERR_INVALID);
    q.method = STR("get");
    assert_int_equal(client_send(s.client, &q), ERR_INVALID);
    static const char *const urls[] = {"ftp://127.0.0.1/", "nonsense", "http://u:p@127.0.0.1/", "",
                                       "http://127.1/"};
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        send_wait(s.loop, s.client, &sent, &(struct client_request){.url = urls[i]});
        assert_int_equal(sent.response.error, CLIENT_PROTOCOL);
        assert_true(sent.response.detail[0] != '\0');
        sent_fini(&sent);
    }
    assert_int_equal(s.receiver.stream_count, 0);
    scene_close(&s);
}

// --- what comes back ----------------------------------------------------------------------------

#define HEAD(status) "HTTP/1.1 " status "\r\n"
#define SIXTEEN "0123456789abcdef"

static void understands_answers(void **state)
{
    static const struct {
        struct str answer;
        enum receiver_after after;
        enum client_error error;
        int status;
        const char *body;
        const char *headers;
        const char *detail; // part of it
        bool is_truncated;
        int64_t retry_after_ms;
    } rows[] = {
        {{OK, sizeof OK - 1},
         RECEIVER_KEEPS,
         CLIENT_OK,
         200,
         "ok",
         "Content-Length: 2\n",
         "",
         false,
         -1},
#define ROW(text) {"" text, sizeof(text) - 1}
        {ROW(HEAD("204 No Content") "\r\n"), RECEIVER_KEEPS, CLIENT_OK, 204, "", "", "", false, -1},
        {ROW(HEAD("503 Busy") "Retry-After: 120\r\nContent-Length: 4\r\n\r\nbusy"), RECEIVER_KEEPS,
         CLIENT_OK, 503, "busy", "Retry-After: 120\nContent-Length: 4\n", "", false, 120000},
        {ROW(HEAD("429 Slow") "retry-AFTER:7\r\nContent-Length: 0\r\n\r\n"), RECEIVER_KEEPS,
         CLIENT_OK, 429, "", "retry-AFTER:7\nContent-Length: 0\n", "", false, 7000},
        {ROW(HEAD("302 Found") "Location: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"),
         RECEIVER_KEEPS, CLIENT_OK, 302, "", "Location: http://127.0.0.1:1/\nContent-Length: 0\n",
         "", false, -1},
        {ROW(HEAD("401 No") "WWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n"),
         RECEIVER_KEEPS, CLIENT_OK, 401, "", NULL, "", false, -1},
        {ROW(HEAD("200") "Content-Length: 1\r\n\r\nx"), RECEIVER_KEEPS, CLIENT_OK, 200, "x", NULL,
         "", false, -1},
        {ROW("HTTP/1.0 200 OK\r\n\r\nuntil the end"), RECEIVER_CLOSES, CLIENT_OK, 200,
         "until the end", "", "", false, -1},
        {ROW(HEAD("200 OK") "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n"),
         RECEIVER_KEEPS, CLIENT_OK, 200, "hello", "Transfer-Encoding: chunked\n", "", false, -1},
        {ROW(HEAD("100 Continue") "X: 1\r\n\r\n" HEAD("103 Hints") "Retry-After: 1\r\n\r\n" OK),
         RECEIVER_KEEPS, CLIENT_OK, 200, "ok", "Content-Length: 2\n", "", false, -1},
        {ROW(HEAD("200 OK") "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"),
         RECEIVER_KEEPS, CLIENT_OK, 200, "abc", NULL, "", false, -1},
        {ROW(HEAD("200 OK") "X: a\r\n b\r\n\tc\r\nContent-Length: 0\r\n\r\n"), RECEIVER_KEEPS,
         CLIENT_OK, 200, "", "X: a b c\nContent-Length: 0\n", "", false, -1},
        {ROW(HEAD("200 OK") "Set-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"), RECEIVER_KEEPS,
         CLIENT_OK, 200, "", NULL, "", false, -1},
        // More than is kept (32 bytes here).
        {ROW(HEAD("200 OK") "Content-Length: 32\r\n\r\n" SIXTEEN SIXTEEN), RECEIVER_KEEPS,
         CLIENT_OK, 200, SIXTEEN SIXTEEN, NULL, "", false, -1},
        {ROW(HEAD("200 OK") "Content-Length: 33\r\n\r\n" SIXTEEN SIXTEEN "!"), RECEIVER_KEEPS,
         CLIENT_OK, 200, SIXTEEN SIXTEEN, NULL, "", true, -1},
        {ROW(HEAD("500 Oh") "Content-Length: 9999999\r\n\r\n" SIXTEEN SIXTEEN SIXTEEN),
         RECEIVER_KEEPS, CLIENT_OK, 500, SIXTEEN SIXTEEN, NULL, "", true, -1},
        // What is no answer.
        {ROW(""), RECEIVER_CLOSES, CLIENT_RESET, 0, "", "", "mpty reply", false, -1},
        {ROW("garbage that is not HTTP\r\n\r\n"), RECEIVER_CLOSES, CLIENT_PROTOCOL, 0, "", "",
         "HTTP/0.9", false, -1},
        {ROW("SSH-2.0-OpenSSH_9.2p1\r\n"), RECEIVER_CLOSES, CLIENT_PROTOCOL, 0, "", "", "", false,
         -1},
        {ROW("HTTP/1.1 2x0 OK\r\n\r\n"), RECEIVER_CLOSES, CLIENT_PROTOCOL, 0, "", "", "", false,
         -1},
        {ROW(HEAD("200 OK") "Content-Length: x\r\n\r\n"), RECEIVER_CLOSES, CLIENT_PROTOCOL, 200,
         NULL, NULL, "", false, -1},
        {ROW(HEAD("200 OK") "Content-Length: 10\r\n\r\nhalf"), RECEIVER_CLOSES, CLIENT_RESET, 200,
         "half", NULL, "", false, -1},
        {ROW(HEAD("200 OK") "Transfer-Encoding: chunked\r\n\r\n5\r\nhel"), RECEIVER_CLOSES,
         CLIENT_RESET, 200, "hel", NULL, "", false, -1},
        {ROW(HEAD("200 OK") "Transfer-Encoding: chunked\r\n\r\nzz\r\nhel"), RECEIVER_CLOSES,
         CLIENT_PROTOCOL, 200, "", NULL, "chunked", false, -1},
        {ROW(HEAD("100 Continue") "\r\n"), RECEIVER_FLOODS, CLIENT_PROTOCOL, 100, "", NULL,
         "headers", false, -1},
#undef ROW
    };
    struct scene s;
    scene_open(&s, *state, &(struct client_config){.max_response_bytes = 32});
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        s.receiver.answer = rows[i].answer;
        s.receiver.after = rows[i].after;
        struct sent sent;
        send_wait(s.loop, s.client, &sent,
                  &(struct client_request){
                      .method = STR("POST"), .url = s.receiver.url, .body = STR("x")});
        const struct client_response *r = &sent.response;
        if (r->error != rows[i].error || r->status != rows[i].status ||
            (rows[i].body && !str_eq(r->body, str_from(rows[i].body))) ||
            (rows[i].headers && !str_eq(r->headers, str_from(rows[i].headers))) ||
            r->body_is_truncated != rows[i].is_truncated ||
            r->retry_after_ms != rows[i].retry_after_ms || !strstr(r->detail, rows[i].detail) ||
            (r->error == CLIENT_OK) != (r->detail[0] == '\0')) {
            fail_case(i, "%s \"%s\" %d body \"" STR_FMT "\" headers \"" STR_FMT "\" retry %lld",
                      r->error ? client_error_word(r->error) : "ok", r->detail, r->status,
                      STR_ARG(r->body), STR_ARG(r->headers), (long long)r->retry_after_ms);
        }
        assert_string_equal(r->address, "127.0.0.1");
        assert_true(r->elapsed_ms >= 0 && r->elapsed_ms < WAIT_MS);
        sent_fini(&sent);
    }
    scene_close(&s);
}

// A request may ask for more of its answer; the next one on the same handle gets what is usual.
static void keeps_as_much_of_an_answer_as_is_asked_for(void **state)
{
    struct scene s;
    scene_open(&s, *state, &(struct client_config){.max_response_bytes = 4});
    s.receiver.answer = STR(HEAD("200 OK") "Content-Length: 10\r\n\r\n0123456789");
    static const struct {
        size_t asked;
        const char *body;
    } rows[] = {{0, "0123"}, {10, "0123456789"}, {0, "0123"}, {7, "0123456"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct sent sent;
        send_wait(s.loop, s.client, &sent,
                  &(struct client_request){.method = STR("GET"),
                                           .url = s.receiver.url,
                                           .max_response_bytes = rows[i].asked});
        assert_true(str_eq(sent.response.body, str_from(rows[i].body)));
        assert_int_equal(sent.response.body_is_truncated, rows[i].asked < 10);
        sent_fini(&sent);
    }
    scene_close(&s);
}

static void bounds_the_headers(void **state)
{
    struct scene s;
    scene_open(&s, *state, &(struct client_config){.log = NULL});
    struct buf answer;
    buf_init(&answer, PEER_MAX_BYTES);
    buf_append_text(&answer, HEAD("200 OK"));
    size_t lines = 0;
    while (answer.len < 100 * 1000) {
        buf_printf(&answer, "X-%04zu: 0123456789\r\n", lines++);
    }
    buf_append_text(&answer, "Retry-After: 9\r\nContent-Length: 2\r\n\r\nok");
    s.receiver.answer = buf_str(&answer);
    struct sent sent;
    send_wait(s.loop, s.client, &sent, &(struct client_request){.url = s.receiver.url});
    assert_int_equal(sent.response.error, CLIENT_OK);
    assert_true(sent.response.headers.len > 16 * 1024 - 32);
    assert_true(sent.response.headers.len <= 16 * 1024);
    assert_true(str_ends_with(sent.response.headers, STR(": 0123456789\n")));
    assert_int_equal(sent.response.retry_after_ms, 9000); // seen though it is not kept
    assert_str_text(sent.response.body, "ok");
    sent_fini(&sent);

    buf_reset(&answer);
    buf_append_text(&answer, HEAD("200 OK"));
    while (answer.len < 3 * 1000 * 1000) {
        buf_append_text(&answer, "X-Y: 0123456789\r\n");
    }
    s.receiver.answer = buf_str(&answer);
    send_wait(s.loop, s.client, &sent, &(struct client_request){.url = s.receiver.url});
    assert_int_equal(sent.response.error, CLIENT_PROTOCOL);
    sent_fini(&sent);

    // One header line without an end.
    buf_reset(&answer);
    buf_append_text(&answer, HEAD("200 OK") "X: ");
    while (answer.len < 3 * 1000 * 1000) {
        buf_append_text(&answer, "0123456789");
    }
    s.receiver.answer = buf_str(&answer);
    send_wait(s.loop, s.client, &sent, &(struct client_request){.url = s.receiver.url});
    assert_int_equal(sent.response.error, CLIENT_PROTOCOL);
    assert_non_null(strstr(sent.response.detail, "too long"));
    assert_true(sent.response.headers.len <= 16 * 1024);
    sent_fini(&sent);
    buf_fini(&answer);
    scene_close(&s);
}

static void reads_retry_after(void **state)
{
    (void)state;
    // 2026-11-23T09:15:00Z
    const int64_t now_ms = INT64_C(1795425300) * 1000;
    static const struct {
        const char *value;
        int64_t ms;
    } rows[] = {
        {"0", 0},
        {"120", 120000},
        {"007", 7000},
        {"Mon, 23 Nov 2026 09:16:00 GMT", 60000},
        {"Monday, 23-Nov-26 09:16:00 GMT", 60000},
        {"Mon Nov 23 09:16:00 2026", 60000},
        {"Mon, 23 Nov 2026 09:14:00 GMT", 0},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"99999999999999999999999", INT64_C(10) * 366 * 24 * 3600 * 1000},
        {"", -1},
        {"-5", -1},
        {"+5", -1},
        {"5 s", -1},
        {"1.5", -1},
        {"soon", -1},
        {"Mon, 99 Nov 2026", -1},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t ms = client_retry_after_ms(rows[i].value, now_ms);
        if (ms != rows[i].ms) {
            fail_case(i, "\"%s\": got %lld, wanted %lld", rows[i].value, (long long)ms,
                      (long long)rows[i].ms);
        }
    }
}

struct pieces {
    struct sent sent; // first: sent_keep takes it for it
    struct buf got;
    bool is_enough;
};

static bool take_piece(void *ctx, struct str piece)
{
    struct pieces *p = ctx;
    buf_append_str(&p->got, piece);
    return !p->is_enough;
}

static bool has_piece(void *ctx)
{
    return ((struct pieces *)ctx)->got.len > 0;
}

static void reads_an_answer_as_it_comes(void **state)
{
    struct scene s;
    struct pieces p = {.is_enough = false};
    scene_open(&s, *state, &(struct client_config){0});
    buf_init(&p.got, 100);
    struct client_request q = {.url = s.receiver.url, .timeout_ms = 1000, .on_piece = take_piece};

    // One that never ends is read until it has said nothing for too long.
    s.receiver.answer = STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
    send_start(s.client, &p.sent, &q);
    wait_until(s.loop, has_piece, &p);
    assert_false(p.sent.is_done);
    wait_until(s.loop, flag_is_set, &p.sent.is_done);
    assert_int_equal(p.sent.response.error, CLIENT_TIMEOUT);
    assert_memory_equal(p.got.data, "one", 3);
    assert_int_equal(p.sent.response.body.len, 0);
    sent_fini(&p.sent);

    buf_reset(&p.got);
    s.receiver.answer = STR("HTTP/1.1 503 No\r\nContent-Length: 3\r\n\r\nwhy");
    send_wait(s.loop, s.client, &p.sent, &q);
    assert_int_equal(p.sent.response.status, 503);
    assert_memory_equal(p.sent.response.body.data, "why", 3);
    assert_int_equal(p.got.len, 0);
    sent_fini(&p.sent);

    p.is_enough = true;
    s.receiver.answer = STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
    send_wait(s.loop, s.client, &p.sent, &q);
    assert_int_equal(p.sent.response.error, CLIENT_OK);
    sent_fini(&p.sent);

    // The next request over the same handle has its body kept, and its own limit.
    q.on_piece = NULL;
    s.receiver.answer = STR(OK);
    send_wait(s.loop, s.client, &p.sent, &q);
    assert_memory_equal(p.sent.response.body.data, "ok", 2);
    sent_fini(&p.sent);
    buf_fini(&p.got);
    scene_close(&s);
}

static void has_the_words_of_the_api(void **state)
{
    (void)state;
    assert_null(client_error_word(CLIENT_OK));
    assert_string_equal(client_error_word(CLIENT_DNS), "dns");
    assert_string_equal(client_error_word(CLIENT_CONNECT), "connect");
    assert_string_equal(client_error_word(CLIENT_TLS), "tls");
    assert_string_equal(client_error_word(CLIENT_TIMEOUT), "timeout");
    assert_string_equal(client_error_word(CLIENT_RESET), "reset");
    assert_string_equal(client_error_word(CLIENT_PROTOCOL), "protocol");
    assert_string_equal(client_error_word(CLIENT_ADDRESS_REFUSED), "address_refused");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(sends_what_it_is_given),
        CASE(sends_large_bodies),
        CASE(refuses_what_it_cannot_send),
        CASE(understands_answers),
        CASE(keeps_as_much_of_an_answer_as_is_asked_for),
        CASE(bounds_the_headers),
        CASE(reads_an_answer_as_it_comes),
        cmocka_unit_test(reads_retry_after),
        cmocka_unit_test(has_the_words_of_the_api),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
