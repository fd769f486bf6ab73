#include "deliver/mask_search.h"

#include <stdlib.h>

#include "base/err.h"

// Knuth, Morris and Pratt's search for those bytes of the needle that are the secret's to the last
// bit; where they are, the characters at the edges are compared.
struct search {
    const struct mask_needle *needle;
    const struct mask_reading *in;
    struct mask_spans *spans;
    struct str inner;
    uint32_t *borders; // of each beginning of inner, the longest shorter one that it ends with
    bool has_first;    // a character at the edge, before inner
    bool has_last;
};

int mask_spans_init(struct mask_spans *spans, size_t len)
{
    *spans = (struct mask_spans){.len = len};
    if (len >= UINT32_MAX) {
        return ERR_TOO_LARGE;
    }
    spans->ends = calloc(len + 1, sizeof *spans->ends);
    return spans->ends ? 0 : ERR_NOMEM;
}

void mask_spans_fini(struct mask_spans *spans)
{
    free(spans->ends);
}

static void spans_add(struct mask_spans *spans, uint32_t start, uint32_t end)
{
    if (end > spans->ends[start]) {
        spans->ends[start] = end;
    }
}

// The beginning of inner that is there with c behind a beginning of `matched` bytes.
static size_t search_step(const struct search *s, size_t matched, char c)
{
    while (matched && (matched == s->inner.len || s->inner.data[matched] != c)) {
        matched = s->borders[matched - 1];
        s->spans->steps++;
    }
    s->spans->steps++;
    return matched < s->inner.len && s->inner.data[matched] == c ? matched + 1 : matched;
}

static void search_prepare(struct search *s)
{
    size_t matched = 0;
    for (size_t i = 0; i < s->inner.len; i++) {
        matched = i ? search_step(s, matched, s->inner.data[i]) : 0;
        s->borders[i] = (uint32_t)matched;
    }
}

static bool search_is_edge(const struct search *s, size_t at, char wanted, unsigned bits)
{
    unsigned value = (unsigned char)s->in->bytes[at];
    return value <= MASK_BASE64_BITS && ((value ^ (unsigned char)wanted) & bits) == 0;
}

static bool search_fits_first(const struct search *s, size_t at)
{
    const struct mask_needle *n = s->needle;
    return !s->has_first || (at && search_is_edge(s, at - 1, n->bytes.data[0], n->edges.first));
}

// Inner is at `at`.
static void search_found(const struct search *s, size_t at)
{
    const struct mask_needle *n = s->needle;
    size_t end = at + s->inner.len;
    if (!search_fits_first(s, at)) {
        return;
    }
    if (s->has_last) {
        char wanted = n->bytes.data[n->bytes.len - 1];
        if (end == s->in->len || !search_is_edge(s, end, wanted, n->edges.last)) {
            return;
        }
        end++;
    }
    for (; n->is_base64 && end < s->in->len && s->in->bytes[end] == MASK_BASE64_PADDING; end++) {
        s->spans->steps++;
    }
    spans_add(s->spans, mask_reading_place(s->in, at - s->has_first).start,
              mask_reading_place(s->in, end - 1).end);
}

// The text was cut behind a beginning of inner of `matched` bytes.
static void search_cut(const struct search *s, size_t matched)
{
    if (matched && matched == s->inner.len && !s->has_last) {
        matched = s->borders[matched - 1]; // all of it was found
    }
    while (matched && !search_fits_first(s, s->in->len - matched)) {
        matched = s->borders[matched - 1];
        s->spans->steps++;
    }
    size_t at = s->in->len - matched;
    size_t start = s->in->whole;
    if (search_fits_first(s, at) && matched + s->has_first) {
        start = mask_reading_place(s->in, at - s->has_first).start;
    }
    if (start < s->in->text.len) {
        spans_add(s->spans, (uint32_t)start, (uint32_t)s->in->text.len);
    }
}

static void search_all(const struct search *s)
{
    size_t matched = 0;
    for (size_t at = 0; at < s->in->len; at++) {
        if (matched == 0 && s->inner.len) {
            const char *next = memchr(s->in->bytes + at, s->inner.data[0], s->in->len - at);
            if (!next) {
                break;
            }
            at = (size_t)(next - s->in->bytes);
        }
        matched = search_step(s, matched, s->in->bytes[at]);
        if (matched == s->inner.len) {
            search_found(s, at + 1 - matched);
        }
    }
    if (s->in->is_cut) {
        search_cut(s, matched);
    }
}

int mask_search(struct mask_spans *spans, const struct mask_needle *needle,
                const struct mask_reading *in)
{
    if (in->len < needle->bytes.len && !in->is_cut) {
        return 0;
    }
    struct search s = {.needle = needle, .in = in, .spans = spans};
    s.has_first = needle->is_base64 && needle->edges.first != MASK_BASE64_BITS;
    s.has_last = needle->is_base64 && needle->edges.last != MASK_BASE64_BITS;
    s.inner.data = needle->bytes.data + s.has_first;
    s.inner.len = needle->bytes.len - s.has_first - s.has_last;
    s.borders = malloc((s.inner.len + 1) * sizeof *s.borders);
    if (!s.borders) {
        return ERR_NOMEM;
    }
    search_prepare(&s);
    search_all(&s);
    free(s.borders);
    return 0;
}
