#include "encode/trace_context.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"

enum {
    AT_ID = 3,
    AT_SPAN = AT_ID + TRACE_ID_LEN + 1,
    AT_FLAGS = AT_SPAN + TRACE_SPAN_LEN + 1,
    FLAGS_LEN = TRACE_PARENT_LEN - AT_FLAGS
};

// Lower-case hex. *is_zero: of nothing but zeros.
static bool is_hex(const char *at, size_t len, bool *is_zero)
{
    size_t zeros = 0;
    for (size_t i = 0; i < len; i++) {
        bool is_digit = at[i] >= '0' && at[i] <= '9';
        if (!is_digit && (at[i] < 'a' || at[i] > 'f')) {
            return false;
        }
        zeros += at[i] == '0';
    }
    *is_zero = zeros == len;
    return true;
}

static bool parent_is_right(struct str s, bool may_begin)
{
    bool is_zero_id, is_zero_span, is_zero_flags;
    return s.len == TRACE_PARENT_LEN && memcmp(s.data, "00-", AT_ID) == 0 &&
           s.data[AT_SPAN - 1] == '-' && s.data[AT_FLAGS - 1] == '-' &&
           is_hex(s.data + AT_ID, TRACE_ID_LEN, &is_zero_id) && !is_zero_id &&
           is_hex(s.data + AT_SPAN, TRACE_SPAN_LEN, &is_zero_span) &&
           (may_begin || !is_zero_span) && is_hex(s.data + AT_FLAGS, FLAGS_LEN, &is_zero_flags);
}

// Printable ASCII, and no more than a webhook may carry.
static struct str state_bound(struct str s)
{
    s = str_trim(s);
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] < ' ' || s.data[i] > '~') {
            return (struct str){NULL, 0};
        }
    }
    while (s.len > TRACE_STATE_MAX) {
        const char *comma = memrchr(s.data, ',', s.len);
        s = str_trim((struct str){s.data, comma ? (size_t)(comma - s.data) : 0});
    }
    return s;
}

static struct trace_context take(struct str parent, struct str state, bool may_begin)
{
    if (!parent_is_right(parent, may_begin)) {
        return (struct trace_context){.parent = {NULL, 0}};
    }
    return (struct trace_context){parent, state_bound(state)};
}

struct trace_context trace_read(struct str traceparent, struct str tracestate)
{
    return take(str_trim(traceparent), tracestate, false);
}

struct trace_context trace_split(struct str text)
{
    size_t len = text.len < TRACE_PARENT_LEN ? text.len : TRACE_PARENT_LEN;
    bool has_state = text.len > TRACE_PARENT_LEN && text.data[TRACE_PARENT_LEN] == ' ';
    if (text.len > TRACE_PARENT_LEN && !has_state) {
        len = 0;
    }
    struct str state = {text.data + len, text.len - len};
    return take((struct str){text.data, len}, has_state ? state : (struct str){NULL, 0}, true);
}

struct str trace_begin(char out[TRACE_PARENT_LEN + 1])
{
    uint64_t id[2];
    random_bytes(id, sizeof id);
    snprintf(out, TRACE_PARENT_LEN + 1, "00-%016" PRIx64 "%016" PRIx64 "-%016d-01", id[0] | 1,
             id[1], 0);
    return (struct str){out, TRACE_PARENT_LEN};
}

struct str trace_id(const struct trace_context *t)
{
    return (struct str){t->parent.data + AT_ID, TRACE_ID_LEN};
}

struct str trace_parent(const struct trace_context *t)
{
    struct str span = {t->parent.data + AT_SPAN, TRACE_SPAN_LEN};
    return str_eq(span, STR("0000000000000000")) ? (struct str){NULL, 0} : span;
}

bool trace_is_sampled(const struct trace_context *t)
{
    char c = t->parent.data[TRACE_PARENT_LEN - 1]; // the last hex digit of the flags
    return ((c <= '9' ? c - '0' : c - 'a' + 10) & 1) != 0;
}

uint64_t trace_span_id(const struct trace_context *t, uint64_t id, int number, int64_t at_ms)
{
    char text[TRACE_PARENT_LEN + 80];
    int len = snprintf(text, sizeof text, STR_FMT " %" PRIu64 " %d %" PRId64, STR_ARG(t->parent),
                       id, number, at_ms);
    uint64_t span = hash_bytes(&HASH_KEY_FIXED, text, (size_t)len);
    return span ? span : 1;
}

struct str trace_put_parent(char out[TRACE_PARENT_LEN + 1], const struct trace_context *t,
                            uint64_t span_id)
{
    snprintf(out, TRACE_PARENT_LEN + 1, "%.*s%016" PRIx64 "-%.*s", AT_SPAN, t->parent.data, span_id,
             FLAGS_LEN, t->parent.data + AT_FLAGS);
    return (struct str){out, TRACE_PARENT_LEN};
}

struct str trace_put_event(char out[TRACE_TEXT_MAX], const struct trace_context *t, uint64_t event)
{
    char parent[TRACE_PARENT_LEN + 1];
    if (t->parent.len == 0) {
        return (struct str){NULL, 0};
    }
    uint64_t span_id = trace_span_id(t, event, 0, 0);
    memcpy(out, trace_put_parent(parent, t, span_id).data, TRACE_PARENT_LEN);
    if (t->state.len == 0) {
        return (struct str){out, TRACE_PARENT_LEN};
    }
    out[TRACE_PARENT_LEN] = ' ';
    memcpy(out + TRACE_PARENT_LEN + 1, t->state.data, t->state.len);
    return (struct str){out, TRACE_PARENT_LEN + 1 + t->state.len};
}
