// What the HTTP server accepts and refuses, on real sockets: a table of requests, each sent in one
// piece, byte by byte, and cut at random.
#include "wire/httpd.h"

#include "wire/peer.h"

enum { BODY_MAX = 1000, HEAD_MAX = 2000 };

struct site {
    struct httpd *httpd;
    bool is_closed;
    size_t request_count;
};

static int on_head(void *ctx, struct httpd_request *r)
{
    (void)ctx;
    if (str_eq(httpd_path(r), STR("/refused"))) {
        httpd_send(r, &(struct httpd_answer){.status = 401, .body = STR("no")});
        return 1;
    }
    return 0;
}

static void on_request(void *ctx, struct httpd_request *r)
{
    struct site *site = ctx;
    site->request_count++;
    if (str_eq(httpd_path(r), STR("/empty"))) {
        httpd_send(r, &(struct httpd_answer){.status = 204});
        return;
    }
    struct buf out;
    buf_init(&out, 1024 * 1024);
    buf_printf(&out, STR_FMT "|" STR_FMT "|" STR_FMT "|" STR_FMT "|" STR_FMT,
               STR_ARG(httpd_method(r)), STR_ARG(httpd_path(r)), STR_ARG(httpd_query(r)),
               STR_ARG(httpd_header(r, "x-test")), STR_ARG(httpd_body(r)));
    httpd_send(r, &(struct httpd_answer){.status = 200,
                                         .content_type = "text/plain",
                                         .extra_headers = "X-Extra: 1\r\n",
                                         .body = buf_str(&out)});
    buf_fini(&out);
}

static void site_open(struct site *site, struct loop *l)
{
    *site = (struct site){.httpd = NULL};
    struct httpd_config c = {.address = "127.0.0.1:0",
                             .max_head_bytes = HEAD_MAX,
                             .max_body_bytes = BODY_MAX,
                             .on_head = on_head,
                             .on_request = on_request,
                             .ctx = site};
    assert_int_equal(httpd_open(&site->httpd, l, &c, NULL), 0);
}

static void site_close(struct site *site, struct loop *l)
{
    httpd_close(site->httpd, set_flag, &site->is_closed);
    wait_until(l, flag_is_set, &site->is_closed);
}

// --- one request, however it is cut -------------------------------------------------------------

enum fate { KEPT, CLOSED };

struct exchange {
    int status;
    enum fate fate;
    struct buf text; // all that came, dates made equal
};

struct watch {
    struct peer *peer;
    bool is_head;
    size_t wanted; // final answers
};

static bool has_answers(void *ctx)
{
    struct watch *w = ctx;
    peer_read(w->peer);
    if (w->peer->is_ended || w->peer->is_reset) {
        return true;
    }
    struct str rest = buf_str(&w->peer->got);
    struct answer a;
    size_t count = 0;
    while (answer_take(&rest, w->is_head, &a)) {
        count += a.status >= 200;
    }
    return count >= w->wanted;
}

static void hide_dates(struct buf *b)
{
    struct str rest = buf_str(b);
    const char *at;
    while (rest.len > 0 && (at = memmem(rest.data, rest.len, "\r\nDate: ", 8))) {
        size_t place = (size_t)(at - b->data) + 8;
        assert_true(b->len >= place + 29);
        assert_memory_equal(b->data + place + 25, " GMT", 4);
        memset(b->data + place, '#', 29);
        rest = (struct str){b->data + place, b->len - place};
    }
}

// cut: 0 for one piece, else the seed that cuts it; 1 cuts behind each byte.
static void run_exchange(struct loop *l, struct site *site, struct str request, uint64_t cut,
                         struct exchange *x)
{
    struct peer p;
    peer_open(&p, l, httpd_address(site->httpd));
    uint64_t random = cut;
    for (size_t at = 0; at < request.len;) {
        size_t n = cut == 0 ? request.len : cut == 1 ? 1 : 1 + next_random(&random) % 40;
        n = n < request.len - at ? n : request.len - at;
        peer_send(&p, (struct str){request.data + at, n});
        loop_turn(l);
        loop_turn(l);
        peer_read(&p); // a client that does not would make no difference: answers are small
        at += n;
    }
    bool is_head = str_starts_with(request, STR("HEAD "));
    struct watch w = {&p, is_head, 1};
    wait_until(l, has_answers, &w);
    assert_false(p.is_reset);
    struct str rest = buf_str(&p.got);
    struct answer a = {.status = 0};
    do {
        if (!answer_take(&rest, is_head, &a)) {
            a.status = -1;
        }
    } while (a.status == 100);
    x->status = a.status;
    x->fate = a.says_close ? CLOSED : KEPT;
    if (x->fate == CLOSED) {
        wait_until(l, peer_is_over, &p);
        assert_false(p.is_reset);
        assert_int_equal(rest.len, 0);
    } else {
        w = (struct watch){&p, is_head, 2};
        peer_send(&p, STR("GET /probe HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
        wait_until(l, peer_is_over, &p);
        assert_true(text_holds(buf_str(&p.got), "GET|/probe||"));
    }
    hide_dates(&p.got);
    buf_init(&x->text, PEER_MAX_BYTES);
    buf_append_str(&x->text, buf_str(&p.got));
    peer_close(&p);
}

#define LINE "GET /a HTTP/1.1\r\n"
#define HOST "Host: h\r\n"
#define POST "POST /a HTTP/1.1\r\nHost: h\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"

struct row {
    struct str request;
    int status;
    enum fate fate;
    const char *body; // must be in the answer; NULL: does not matter
};

static void answers_as_the_table_says(void **state)
{
    struct fixture *f = *state;
    const struct row rows[] = {
        // What is fine.
        {STR(LINE HOST "\r\n"), 200, KEPT, "GET|/a|||"},
        {STR("\r\n" LINE HOST "\r\n"), 200, KEPT, "GET|/a|||"},
        {STR("GET /a?x=1&y=%41 HTTP/1.1\r\n" HOST "\r\n"), 200, KEPT, "GET|/a|x=1&y=%41||"},
        {STR("GET /a?b[]=1 HTTP/1.1\r\n" HOST "\r\n"), 200, KEPT, "|b[]=1||"},
        {STR(LINE HOST "X-Test:  v w\t \r\n\r\n"), 200, KEPT, "GET|/a||v w|"},
        {STR(LINE HOST "x-TEST:v\r\n\r\n"), 200, KEPT, "|v|"},
        {STR(LINE HOST "X-Test:\r\n\r\n"), 200, KEPT, "GET|/a|||"},
        {STR(LINE HOST "X-Test: a\r\nX-Test: b\r\n\r\n"), 200, KEPT, "|a|"},
        {STR(LINE HOST "X-Test: \xc3\xbc\r\n\r\n"), 200, KEPT, "|\xc3\xbc|"},
        {STR(LINE "Host:\r\n\r\n"), 200, KEPT, NULL},
        {STR(LINE "Host: [::1]:8080\r\n\r\n"), 200, KEPT, NULL},
        {STR(LINE HOST "Connection: close\r\n\r\n"), 200, CLOSED, NULL},
        {STR(LINE HOST "Connection: TE, Close\r\n\r\n"), 200, CLOSED, NULL},
        {STR(LINE HOST "Connection: closed\r\n\r\n"), 200, KEPT, NULL},
        {STR(LINE HOST "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"), 200, KEPT, NULL},
        {STR("GET /a HTTP/1.0\r\n\r\n"), 200, CLOSED, NULL},
        {STR("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), 200, KEPT, NULL},
        {STR("HEAD /a HTTP/1.1\r\n" HOST "\r\n"), 200, KEPT, "Content-Length: 10"},
        {STR("DELETE /empty HTTP/1.1\r\n" HOST "\r\n"), 204, KEPT, NULL},
        {STR("PATCH /a HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx"), 200, KEPT, "PATCH|/a|||x"},
        {STR(POST "\r\n"), 200, KEPT, "POST|/a|||"},
        {STR(POST "Content-Length: 5\r\n\r\nhello"), 200, KEPT, "|hello"},
        {STR(POST "Content-Length: 0\r\n\r\n"), 200, KEPT, NULL},
        {STR(POST "Content-Length: 005\r\n\r\nhello"), 200, KEPT, "|hello"},
        {STR(POST "Content-Length: 3\r\n\r\n\0\r\n"), 200, KEPT, NULL},
        {STR(CHUNKED "5\r\nhello\r\n0\r\n\r\n"), 200, KEPT, "|hello"},
        {STR(CHUNKED "0\r\n\r\n"), 200, KEPT, "POST|/a|||"},
        {STR(CHUNKED "1\r\nh\r\n04\r\nello\r\n000\r\n\r\n"), 200, KEPT, "|hello"},
        {STR(CHUNKED "A\r\n0123456789\r\n0\r\n\r\n"), 200, KEPT, "|0123456789"},
        {STR(CHUNKED "a;x=1;y=\"q\"\r\n0123456789\r\n0;z\r\n\r\n"), 200, KEPT, "|0123456789"},
        {STR(CHUNKED "1\r\nx\r\n0\r\nX-Sum: 1\r\nY: \r\n\r\n"), 200, KEPT, "|x"},
        {STR(POST "Transfer-Encoding:  ChunkeD \r\n\r\n1\r\nx\r\n0\r\n\r\n"), 200, KEPT, "|x"},
        {STR(POST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nok"), 200, KEPT, "|ok"},
        {STR("POST /a HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok"), 200,
         CLOSED, "|ok"},
        {STR("GET /refused HTTP/1.1\r\n" HOST "\r\n"), 401, KEPT, "no"},
        {STR("POST /refused HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nok"), 401, CLOSED, "no"},
        // The request line.
        {STR("get /a HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED, "capital letters"},
        {STR("Get /a HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED, NULL},
        {STR("FROB /a HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED, "not known"},
        {STR("GET  /a HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED, NULL},
        {STR("GET /a  HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED, NULL},
        {STR("GET\t/a HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED, NULL},
        {STR("GET /a HTTP/1.1 \r\n" HOST "\r\n"), 400, CLOSED, NULL},
        {STR(" GET /a HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED, NULL},
        {STR("GET /a b HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED, NULL},
        {STR("GET /a\r\n" HOST "\r\n"), 400, CLOSED, NULL},
        {STR("GET\r\n" HOST "\r\n"), 400, CLOSED, NULL},
        {STR("GET /a HTTP/1.1\n" HOST "\r\n"), 400, CLOSED, "LF alone"},
        {STR("GET http://h/a HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED, "must be a path"},
        {STR("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED, NULL},
        {STR("CONNECT h:443 HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED, NULL},
        {STR("GET a HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED, NULL},
        {STR("GET /a#b HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED, NULL},
        {STR("GET /\\a HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED, NULL},
        {STR("GET /\xc3\xbc HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED, "percent-encoded"},
        {STR("GET /a\0b HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED, NULL},
        {STR("GET /%4 HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED, "two hex digits"},
        {STR("GET /a%zz HTTP/1.1\r\n" HOST "\r\n"), 400, CLOSED, NULL},
        {STR("\r\n\r\n" LINE HOST "\r\n"), 400, CLOSED, NULL},
        {STR("\n" LINE HOST "\r\n"), 400, CLOSED, NULL},
        {STR("\x16\x03\x01\x02"), 400, CLOSED, NULL},
        // Versions.
        {STR("GET /a HTTP/2.0\r\n" HOST "\r\n"), 505, CLOSED, NULL},
        {STR("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505, CLOSED, NULL},
        {STR("GET /a HTTP/1.2\r\n" HOST "\r\n"), 505, CLOSED, NULL},
        {STR("GET /a HTTP/0.9\r\n\r\n"), 505, CLOSED, NULL},
        {STR("GET /a HTTP/11\r\n" HOST "\r\n"), 400, CLOSED, NULL},
        {STR("GET /a HTTP/1.10\r\n" HOST "\r\n"), 400, CLOSED, NULL},
        {STR("GET /a http/1.1\r\n" HOST "\r\n"), 400, CLOSED, NULL},
        {STR("GET /a HTTP/+1.1\r\n" HOST "\r\n"), 400, CLOSED, NULL},
        // Headers.
        {STR(LINE "\r\n"), 400, CLOSED, "Host"},
        {STR(LINE HOST HOST "\r\n"), 400, CLOSED, "Host"},
        {STR("GET /a HTTP/1.0\r\n" HOST HOST "\r\n"), 400, CLOSED, NULL},
        {STR(LINE "Host: a/b\r\n\r\n"), 400, CLOSED, NULL},
        {STR(LINE "Host: u@h\r\n\r\n"), 400, CLOSED, NULL},
        {STR(LINE "Host: a, b\r\n\r\n"), 400, CLOSED, NULL},
        {STR(LINE " X: y\r\n" HOST "\r\n"), 400, CLOSED, "folded"},
        {STR(LINE "\tX: y\r\n" HOST "\r\n"), 400, CLOSED, NULL},
        {STR(LINE HOST "X: y\r\n z\r\n\r\n"), 400, CLOSED, "folded"},
        {STR(LINE HOST " \r\n\r\n"), 400, CLOSED, NULL},
        {STR(LINE HOST "X : y\r\n\r\n"), 400, CLOSED, "colon"},
        {STR(LINE "Host : h\r\n\r\n"), 400, CLOSED, NULL},
        {STR(LINE HOST "X Y: z\r\n\r\n"), 400, CLOSED, NULL},
        {STR(LINE HOST "X\r\n\r\n"), 400, CLOSED, NULL},
        {STR(LINE HOST ": y\r\n\r\n"), 400, CLOSED, NULL},
        {STR(LINE HOST "X(: y\r\n\r\n"), 400, CLOSED, NULL},
        {STR(LINE HOST "X\xc3\xbc: y\r\n\r\n"), 400, CLOSED, NULL},
        {STR(LINE HOST "X: a\0b\r\n\r\n"), 400, CLOSED, "control"},
        {STR(LINE HOST "X: a\x01\r\n\r\n"), 400, CLOSED, NULL},
        {STR(LINE HOST "X: a\x7f\r\n\r\n"), 400, CLOSED, NULL},
        {STR(LINE HOST "X: a\rb\r\n\r\n"), 400, CLOSED, NULL},
        {STR(LINE HOST "X: a\nY: b\r\n\r\n"), 400, CLOSED, "LF alone"},
        {STR(LINE HOST "X: a\r\n\n"), 400, CLOSED, NULL},
        {STR(LINE HOST "X: a\r\n\r\r\n"), 400, CLOSED, NULL},
        {STR(LINE HOST "X: a\r\r\n\r\n"), 400, CLOSED, NULL},
        {STR(POST "Expect: 200-ok\r\nContent-Length: 2\r\n\r\nok"), 417, CLOSED, NULL},
        // Framing: what two parsers might read in two ways.
        {STR(POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"), 400, CLOSED, "twice"},
        {STR(POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"), 400, CLOSED, NULL},
        {STR(POST "Content-Length: 5, 5\r\n\r\nhello"), 400, CLOSED, NULL},
        {STR(POST "Content-Length: +5\r\n\r\nhello"), 400, CLOSED, NULL},
        {STR(POST "Content-Length: -5\r\n\r\nhello"), 400, CLOSED, NULL},
        {STR(POST "Content-Length: 0x5\r\n\r\nhello"), 400, CLOSED, NULL},
        {STR(POST "Content-Length: 5 5\r\n\r\nhello"), 400, CLOSED, NULL},
        {STR(POST "Content-Length:\r\n\r\n"), 400, CLOSED, NULL},
        {STR(POST "Content-Length: 99999999999999999999\r\n\r\n"), 400, CLOSED, NULL},
        {STR(POST "Content-Length : 5\r\n\r\nhello"), 400, CLOSED, "colon"},
        {STR(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400, CLOSED,
         "Transfer-Encoding"},
        {STR(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"), 400, CLOSED,
         NULL},
        {STR(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400,
         CLOSED, NULL},
        {STR(POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 400, CLOSED, NULL},
        {STR(POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"), 400, CLOSED, NULL},
        {STR(POST "Transfer-Encoding: identity\r\n\r\n"), 400, CLOSED, NULL},
        {STR(POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), 400, CLOSED, NULL},
        {STR(POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"), 400, CLOSED, NULL},
        {STR(POST "Transfer-Encoding:\r\n\r\n0\r\n\r\n"), 400, CLOSED, NULL},
        {STR(POST "Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n"), 400, CLOSED, NULL},
        {STR(POST "Transfer-Encoding:\x0b"
                  "chunked\r\n\r\n0\r\n\r\n"),
         400, CLOSED, NULL},
        {STR("POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400, CLOSED, NULL},
        // Chunks.
        {STR(CHUNKED "x\r\n"), 400, CLOSED, "hexadecimal"},
        {STR(CHUNKED "\r\n"), 400, CLOSED, NULL},
        {STR(CHUNKED " 5\r\nhello\r\n0\r\n\r\n"), 400, CLOSED, NULL},
        {STR(CHUNKED "5 \r\nhello\r\n0\r\n\r\n"), 400, CLOSED, NULL},
        {STR(CHUNKED "+5\r\nhello\r\n0\r\n\r\n"), 400, CLOSED, NULL},
        {STR(CHUNKED "-1\r\nhello\r\n0\r\n\r\n"), 400, CLOSED, NULL},
        {STR(CHUNKED "0x5\r\nhello\r\n0\r\n\r\n"), 400, CLOSED, NULL},
        {STR(CHUNKED ";x\r\nhello\r\n0\r\n\r\n"), 400, CLOSED, NULL},
        {STR(CHUNKED "5\nhello\r\n0\r\n\r\n"), 400, CLOSED, NULL},
        {STR(CHUNKED "5\r\nhello\n0\r\n\r\n"), 400, CLOSED, "longer than"},
        {STR(CHUNKED "5\r\nhello!\r\n0\r\n\r\n"), 400, CLOSED, "longer than"},
        {STR(CHUNKED "5\rXhello\r\n0\r\n\r\n"), 400, CLOSED, NULL},
        {STR(CHUNKED "5\r\nhello\r\n0\r\n\n"), 400, CLOSED, NULL},
        {STR(CHUNKED "5\r\nhello\r\n0\r\n\rX"), 400, CLOSED, NULL},
        {STR(CHUNKED "5\r\nhello\rX"), 400, CLOSED, NULL},
        {STR(CHUNKED "0\r\nX : y\r\n\r\n"), 400, CLOSED, NULL},
        {STR(CHUNKED "0\r\nX: y\n\r\n"), 400, CLOSED, NULL},
        {STR(CHUNKED "0\r\n X: y\r\n\r\n"), 400, CLOSED, NULL},
        {STR(CHUNKED "0\r\n: y\r\n\r\n"), 400, CLOSED, NULL},
        {STR(CHUNKED "5;\x01\r\nhello\r\n0\r\n\r\n"), 400, CLOSED, NULL},
        {STR(CHUNKED "00000000000000005\r\nhello\r\n0\r\n\r\n"), 400, CLOSED, NULL},
        {STR(CHUNKED "FFFFFFFFFFFFFFFFF\r\n"), 400, CLOSED, NULL},
        // Limits: told before the rest is there.
        {STR(POST "Content-Length: 1001\r\n\r\n"), 413, CLOSED, "too large"},
        {STR(POST "Content-Length: 999999999999999999\r\n\r\n"), 413, CLOSED, NULL},
        {STR(POST "Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n"), 413, CLOSED, NULL},
        {STR(CHUNKED "3e9\r\n"), 413, CLOSED, NULL},
        {STR(CHUNKED "1\r\nx\r\n3e8\r\n"), 413, CLOSED, NULL},
        {STR(CHUNKED "FFFFFFFFFFFFFFFF\r\n"), 413, CLOSED, NULL},
    };
    struct site site;
    site_open(&site, f->loop);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct row *row = &rows[i];
        struct exchange whole;
        run_exchange(f->loop, &site, row->request, 0, &whole);
        if (whole.status != row->status || whole.fate != row->fate ||
            (row->body && !text_holds(buf_str(&whole.text), row->body))) {
            fail_case(i, "\"" STR_FMT "\": got %d %s, wanted %d %s\n" STR_FMT,
                      STR_ARG(row->request), whole.status, whole.fate == KEPT ? "kept" : "closed",
                      row->status, row->fate == KEPT ? "kept" : "closed", STR_ARG(whole.text));
        }
        // Errors of the server itself are problem documents.
        if (row->status >= 400 && row->status != 401) {
            char member[64];
            snprintf(member, sizeof member, "\"status\":%d,\"detail\":\"", row->status);
            assert_true(text_holds(buf_str(&whole.text), "Content-Type: application/problem+json"));
            assert_true(text_holds(buf_str(&whole.text), "{\"type\":\"about:blank\",\"title\":\""));
            assert_true(text_holds(buf_str(&whole.text), member));
        }
        for (uint64_t cut = 1; cut <= 4; cut++) {
            struct exchange pieces;
            run_exchange(f->loop, &site, row->request, cut, &pieces);
            assert_str(buf_str(&pieces.text), buf_str(&whole.text));
            buf_fini(&pieces.text);
        }
        buf_fini(&whole.text);
    }
    site_close(&site, f->loop);
}

// --- sizes --------------------------------------------------------------------------------------

static void bounds_the_head_to_the_byte(void **state)
{
    struct fixture *f = *state;
    struct site site;
    site_open(&site, f->loop);
    for (size_t size = HEAD_MAX - 1; size <= HEAD_MAX + 1; size++) {
        for (uint64_t cut = 0; cut <= 3; cut++) {
            struct buf request;
            buf_init(&request, 2 * HEAD_MAX);
            buf_append_text(&request, LINE HOST "X: ");
            while (request.len < size - 4) {
                buf_append_char(&request, 'x');
            }
            buf_append_text(&request, "\r\n\r\n");
            struct exchange x;
            run_exchange(f->loop, &site, buf_str(&request), cut, &x);
            assert_int_equal(x.status, size <= HEAD_MAX ? 200 : 431);
            assert_int_equal(x.fate, size <= HEAD_MAX ? KEPT : CLOSED);
            buf_fini(&x.text);
            buf_fini(&request);
        }
    }
    // A line without an end, and more headers than fit.
    struct buf long_line;
    buf_init(&long_line, 1024 * 1024);
    buf_append_text(&long_line, "GET /");
    while (long_line.len < 100 * 1000) {
        buf_append_text(&long_line, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    }
    struct exchange x;
    run_exchange(f->loop, &site, buf_str(&long_line), 0, &x);
    assert_int_equal(x.status, 431);
    buf_fini(&x.text);
    buf_reset(&long_line);
    buf_append_text(&long_line, LINE HOST);
    while (long_line.len < 100 * 1000) {
        buf_append_text(&long_line, "A: b\r\n");
    }
    run_exchange(f->loop, &site, buf_str(&long_line), 0, &x);
    assert_int_equal(x.status, 431);
    buf_fini(&x.text);
    // Trailers are bounded too.
    buf_reset(&long_line);
    buf_append_text(&long_line, CHUNKED "0\r\n");
    while (long_line.len < 10 * 1000) {
        buf_append_text(&long_line, "A: b\r\n");
    }
    run_exchange(f->loop, &site, buf_str(&long_line), 0, &x);
    assert_int_equal(x.status, 431);
    buf_fini(&x.text);
    buf_fini(&long_line);
    site_close(&site, f->loop);
}

static void bounds_the_body_to_the_byte(void **state)
{
    struct fixture *f = *state;
    struct site site;
    site_open(&site, f->loop);
    for (size_t size = BODY_MAX - 1; size <= BODY_MAX + 1; size++) {
        for (int is_chunked = 0; is_chunked <= 1; is_chunked++) {
            struct buf request;
            buf_init(&request, 64 * 1024);
            if (is_chunked) {
                buf_append_text(&request, CHUNKED);
                for (size_t i = 0; i < size; i++) {
                    buf_append_text(&request, "1\r\nx\r\n");
                }
                buf_append_text(&request, "0\r\n\r\n");
            } else {
                buf_printf(&request, POST "Content-Length: %zu\r\n\r\n", size);
                for (size_t i = 0; i < size; i++) {
                    buf_append_char(&request, 'x');
                }
            }
            struct exchange x;
            run_exchange(f->loop, &site, buf_str(&request), 0, &x);
            assert_int_equal(x.status, size <= BODY_MAX ? 200 : 413);
            buf_fini(&x.text);
            buf_fini(&request);
        }
    }
    site_close(&site, f->loop);
}

// --- the query ----------------------------------------------------------------------------------

struct query_probe {
    struct httpd *httpd;
    bool is_closed;
    size_t index;
};

static const struct {
    const char *target;
    const char *name;
    const char *value; // NULL: absent
} QUERIES[] = {
    {"/?a=1&b=2", "a", "1"},
    {"/?a=1&b=2", "b", "2"},
    {"/?a=1&b=2", "c", NULL},
    {"/?a", "a", ""},
    {"/?a=", "a", ""},
    {"/?a=x%20y+z", "a", "x y z"},
    {"/?a=%2B%26%3d", "a", "+&="},
    {"/?a=1&a=2", "a", "1"},
    {"/?", "a", NULL},
    {"/", "a", NULL},
    {"/?&&a=1", "a", "1"},
    {"/?aa=1&a=b=c", "a", "b=c"},
    {"/?a=++", "a", "  "},
    {"/?x=a=1", "a", NULL},
};

static void on_query(void *ctx, struct httpd_request *r)
{
    struct query_probe *q = ctx;
    struct buf out;
    buf_init(&out, 100);
    bool is_there = httpd_query_get(r, QUERIES[q->index].name, &out);
    assert_int_equal(is_there, QUERIES[q->index].value != NULL);
    if (is_there) {
        assert_str_text(buf_str(&out), QUERIES[q->index].value);
    }
    buf_fini(&out);
    httpd_send(r, &(struct httpd_answer){.status = 200});
}

static void decodes_the_query(void **state)
{
    struct fixture *f = *state;
    struct query_probe q = {.index = 0};
    struct httpd_config c = {.address = "127.0.0.1:0", .on_request = on_query, .ctx = &q};
    assert_int_equal(httpd_open(&q.httpd, f->loop, &c, NULL), 0);
    struct peer p;
    peer_open(&p, f->loop, httpd_address(q.httpd));
    for (q.index = 0; q.index < COUNT_OF(QUERIES); q.index++) {
        char request[200];
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n",
                 QUERIES[q.index].target);
        peer_send(&p, str_from(request));
        struct watch w = {&p, false, 1};
        wait_until(f->loop, has_answers, &w);
        assert_true(str_starts_with(buf_str(&p.got), STR("HTTP/1.1 200 OK\r\nDate: ")));
        buf_reset(&p.got);
    }
    peer_close(&p);
    httpd_close(q.httpd, set_flag, &q.is_closed);
    wait_until(f->loop, flag_is_set, &q.is_closed);
}

// --- anything at all ----------------------------------------------------------------------------

static void survives_garbage(void **state)
{
    struct fixture *f = *state;
    static const char *const seeds[] = {
        LINE HOST "X-Test: v\r\n\r\n",
        POST "Content-Length: 5\r\n\r\nhello",
        CHUNKED "5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n",
        POST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nok" LINE HOST "\r\n",
    };
    static const char spice[] = "\r\n\r\n\t :;,=0123456789abcdefGHTP/%\0\x01\x7f\x80\xff";
    struct site site;
    site_open(&site, f->loop);
    uint64_t random = 20261123;
    for (int round = 0; round < 1500; round++) {
        char text[400];
        size_t len;
        if (round % 4 == 0) {
            len = 1 + next_random(&random) % sizeof text;
            for (size_t i = 0; i < len; i++) {
                text[i] = (char)next_random(&random);
            }
        } else {
            const char *seed = seeds[next_random(&random) % COUNT_OF(seeds)];
            len = strlen(seed);
            memcpy(text, seed, len);
            for (size_t n = 1 + next_random(&random) % 3; n > 0; n--) {
                text[next_random(&random) % len] = spice[next_random(&random) % sizeof spice];
            }
        }
        struct peer p;
        peer_open(&p, f->loop, httpd_address(site.httpd));
        for (size_t at = 0; at < len;) {
            size_t n = 1 + next_random(&random) % 60;
            n = n < len - at ? n : len - at;
            peer_send(&p, (struct str){text + at, n});
            loop_turn(f->loop);
            at += n;
        }
        shutdown(p.fd, SHUT_WR);
        wait_until(f->loop, peer_is_over, &p);
        peer_close(&p);
    }
    while (httpd_connection_count(site.httpd) > 0) {
        loop_turn(f->loop);
    }
    assert_true(site.request_count > 100); // some were still good
    site_close(&site, f->loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_as_the_table_says, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(bounds_the_head_to_the_byte, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(bounds_the_body_to_the_byte, fixture_set_up,
                                        fixture_tear_down),
        cmocka_unit_test_setup_teardown(decodes_the_query, fixture_set_up, fixture_tear_down),
        cmocka_unit_test_setup_teardown(survives_garbage, fixture_set_up, fixture_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
