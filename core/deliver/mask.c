#include "deliver/mask.h"

#include "deliver/mask_search.h"
#include "encode/base64.h"

enum { MASK_NEEDLES_MAX_BYTES = 1024 * 1024, MASK_UNESCAPED_MAX = 2 };

void mask_init(struct mask *m)
{
    buf_init(&m->needles, MASK_NEEDLES_MAX_BYTES);
}

static void mask_wipe(struct buf *b)
{
    if (b->data) {
        explicit_bzero(b->data, b->len);
    }
    buf_fini(b);
}

void mask_fini(struct mask *m)
{
    mask_wipe(&m->needles);
}

static void mask_add_needle(struct mask *m, struct str secret, bool is_base64, size_t before)
{
    struct mask_needle needle = {.is_base64 = is_base64};
    size_t start = m->needles.len;
    buf_append(&m->needles, &needle, sizeof needle);
    if (is_base64) {
        mask_base64_write(&m->needles, &needle.edges, secret, before);
    } else {
        buf_append_str(&m->needles, secret);
    }
    if (m->needles.failed) {
        m->needles.len = start;
        return;
    }
    needle.bytes.len = m->needles.len - start - sizeof needle;
    memcpy(m->needles.data + start, &needle, sizeof needle);
}

int mask_add(struct mask *m, struct str secret)
{
    if (secret.len == 0) {
        return 0;
    }
    mask_add_needle(m, secret, false, 0);
    for (size_t before = 0; before < 3; before++) {
        mask_add_needle(m, secret, true, before);
    }
    return m->needles.failed;
}

int mask_add_credential(struct mask *m, struct str pair)
{
    struct buf coded;
    buf_init(&coded, pair.len * 2 + 4);
    base64_encode(&coded, pair);
    if (coded.failed) {
        m->needles.failed = coded.failed;
    }
    mask_add_needle(m, pair, true, 0);
    for (size_t before = 0; before < 3; before++) {
        mask_add_needle(m, buf_str(&coded), true, before);
    }
    mask_wipe(&coded);
    return m->needles.failed;
}

// The next needle; false: there is none.
static bool mask_next(const struct mask *m, size_t *at, struct mask_needle *needle)
{
    if (m->needles.len - *at < sizeof *needle) {
        return false;
    }
    memcpy(needle, m->needles.data + *at, sizeof *needle);
    needle->bytes.data = m->needles.data + *at + sizeof *needle;
    *at += sizeof *needle + needle->bytes.len;
    return true;
}

static int mask_search_all(const struct mask *m, struct mask_spans *spans,
                           const struct mask_reading *r)
{
    struct mask_reading base64;
    struct mask_needle needle;
    size_t at = 0;
    int code = mask_base64_read(&base64, r);
    while (code == 0 && mask_next(m, &at, &needle)) {
        code = mask_search(spans, &needle, needle.is_base64 ? &base64 : r);
    }
    mask_reading_fini(&base64);
    return code;
}

// In r, from which escapes were undone so many times, and in what it says without those it has.
static int mask_search_escaped(const struct mask *m, struct mask_spans *spans,
                               const struct mask_reading *r, size_t unescaped)
{
    static const char escapes[] = {'\\', '%'};
    int code = mask_search_all(m, spans, r);
    for (size_t i = 0; code == 0 && unescaped < MASK_UNESCAPED_MAX && i < sizeof escapes; i++) {
        struct mask_reading inner;
        if (!memchr(r->bytes, escapes[i], r->len)) {
            continue;
        }
        code = mask_reading_unescape(&inner, r, escapes[i]);
        if (code == 0 && (inner.len != r->len || inner.whole != r->whole)) {
            code = mask_search_escaped(m, spans, &inner, unescaped + 1);
        }
        mask_reading_fini(&inner);
    }
    return code;
}

// Spans that overlap are one.
static void mask_write(struct buf *out, struct str text, const struct mask_spans *spans)
{
    size_t plain = 0;
    size_t at = 0;
    while (at < text.len) {
        size_t end = spans->ends[at];
        if (end == 0) {
            at++;
            continue;
        }
        buf_append(out, text.data + plain, at - plain);
        buf_append_text(out, "****");
        for (; at < end; at++) {
            end = spans->ends[at] > end ? spans->ends[at] : end;
        }
        plain = at;
    }
    buf_append(out, text.data + plain, text.len - plain);
}

int mask_apply(const struct mask *m, struct buf *out, struct str text, bool is_cut)
{
    if (mask_is_empty(m) || text.len == 0) {
        return buf_append_str(out, text);
    }
    struct mask_spans spans;
    struct mask_reading plain;
    mask_reading_init(&plain, text, is_cut);
    int code = mask_spans_init(&spans, text.len);
    if (m->needles.failed || code || mask_search_escaped(m, &spans, &plain, 0)) {
        buf_append_text(out, "****");
    } else {
        mask_write(out, text, &spans);
    }
    mask_spans_fini(&spans);
    return out->failed;
}
