// Heads: the search for the end of a request's head gives the same however the stream is cut, and
// what is parsed lies inside; a stored request head and stored header lines are taken apart.
#include "encode/head.h"
#include "encode/header_lines.h"
#include "fuzz.h"
#include "wire/httpd_head.h"

enum { TEXT_MAX = 1 << 22 };

struct found {
    enum httpd_head_state state;
    size_t end;
    int status;
};

// The whole text, given in pieces of `step` bytes.
static struct found scan(struct str text, size_t step, struct httpd_head_scan *s)
{
    struct found found = {.state = HTTPD_HEAD_PARTIAL};
    struct httpd_refusal why = {0};
    *s = (struct httpd_head_scan){0};
    for (size_t len = 0; found.state == HTTPD_HEAD_PARTIAL && len < text.len;) {
        len = text.len - len < step ? text.len : len + step;
        found.state = httpd_head_scan(s, text.data, len, &found.end, &why);
    }
    found.status = found.state == HTTPD_HEAD_REFUSED ? why.status : 0;
    return found;
}

static void check_request(struct str text)
{
    struct httpd_head_scan whole, bytes;
    struct found a = scan(text, text.len, &whole), b = scan(text, 1, &bytes);
    promise(a.state == b.state && a.status == b.status);
    if (a.state != HTTPD_HEAD_COMPLETE) {
        promise(a.state == HTTPD_HEAD_PARTIAL || (a.status >= 400 && a.status < 600));
        return;
    }
    struct httpd_head h = {0};
    struct httpd_refusal why = {0};
    struct str head = {text.data, a.end};
    promise(a.end <= text.len && a.end == b.end);
    if (!httpd_head_parse(&h, &whole, text.data, a.end, &why)) {
        promise(why.status >= 400 && why.status < 600 && why.detail);
        return;
    }
    promise(fuzz_is_inside(h.method, head) && fuzz_is_inside(h.path, head));
    promise(fuzz_is_inside(h.query, head) && fuzz_is_inside(h.lines, head));
    promise(!h.is_chunked || h.content_length == 0);
    promise(fuzz_is_inside(httpd_head_find(&h, "authorization"), head));
}

// What is taken apart can be written again, and is then the same text.
static void check_stored(struct str text)
{
    static const size_t max = HEAD_BYTES_MAX;
    struct head h = {0};
    struct err e = {0};
    struct buf out;
    if (head_parse(text, &h, &e)) {
        promise(e.text[0]);
        return;
    }
    buf_init(&out, max);
    bool is_whole = head_write_start(&out, h.method, h.url, &e) == 0;
    for (size_t i = 0; is_whole && i < h.header_count; i++) {
        is_whole = head_write_header(&out, h.headers[i].name, h.headers[i].value, &e) == 0;
    }
    for (size_t i = 0; is_whole && i < h.secret_count; i++) {
        is_whole = head_write_secret(&out, &h.secrets[i], &e) == 0;
    }
    if (is_whole) {
        struct head again = {0};
        promise(head_parse(buf_str(&out), &again, &e) == 0);
        promise(again.header_count == h.header_count && again.secret_count == h.secret_count);
        promise(str_eq(again.url, h.url) && str_eq(again.method, h.method));
    }
    buf_fini(&out);
}

static void check_lines(struct str text)
{
    struct str left = text, name, value;
    struct buf out;
    struct json_writer w;
    while (header_lines_next(&left, &name, &value)) {
        promise(fuzz_is_inside(name, text) && fuzz_is_inside(value, text));
    }
    buf_init(&out, TEXT_MAX);
    json_writer_init(&w, &out);
    header_lines_write_json(&w, text);
    promise(out.failed || (out.len >= 2 && out.data[out.len - 1] == '}'));
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = fuzz_text(data, size);
    if (size) {
        check_request(text);
    }
    check_stored(text);
    check_lines(text);
    return 0;
}
