// Server-sent events, whole and in pieces of any size.
#include "unit.h"

#include "cli/sse.h"

enum { MAX_BYTES = 64 };

static void keep(void *ctx, struct str event, struct str data)
{
    buf_printf(ctx, STR_FMT "=" STR_FMT "|", STR_ARG(event), STR_ARG(data));
}

static void reads_messages(void **state)
{
    static const struct {
        const char *stream;
        const char *wanted; // "EVENT=DATA|..."
    } rows[] = {
        {"", ""},
        {"event: run\ndata: {}\n\n", "run={}|"},
        {"data: x\n\n", "message=x|"},
        {"data:x\ndata: y\n\n", "message=x\ny|"},
        {"data\n\n", "message=|"},
        {"event: a\r\ndata: b\r\n\r\n", "a=b|"},
        {": comment\n\nevent: lone\n\ndata: 1\n\n", "message=1|"},
        {"id: 7\nretry: 10\nother: x\ndata:  two spaces\n\n", "message= two spaces|"},
        {"event: a\ndata: 1\n\nevent: b\ndata: 2\n\ndata: 3\n\n", "a=1|b=2|message=3|"},
        {"event: a\ndata: not ended\n", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t len = strlen(rows[i].stream);
        for (size_t step = 1; step <= len + 1; step++) {
            struct buf got;
            struct sse s;
            buf_init(&got, 1024);
            sse_init(&s, MAX_BYTES, keep, &got);
            for (size_t at = 0; at < len; at += step) {
                size_t n = len - at < step ? len - at : step;
                assert_int_equal(sse_take(&s, (struct str){rows[i].stream + at, n}), 0);
            }
            if (!str_eq(buf_str(&got), str_from(rows[i].wanted)))
                fail_case(i, "by %zu: got " STR_FMT, step, STR_ARG(buf_str(&got)));
            sse_fini(&s);
            buf_fini(&got);
        }
    }
}

static void bounds_a_message(void **state)
{
    struct buf got;
    struct sse s;
    (void)state;
    buf_init(&got, 1024);
    sse_init(&s, MAX_BYTES, keep, &got);
    int code = 0;
    for (int i = 0; i < 2 * MAX_BYTES && code == 0; i++)
        code = sse_take(&s, STR("x"));
    assert_int_equal(code, ERR_TOO_LARGE);
    sse_reset(&s);
    code = 0;
    for (int i = 0; i < MAX_BYTES && code == 0; i++)
        code = sse_take(&s, STR("data: 12345678\n"));
    assert_int_equal(code, ERR_TOO_LARGE);
    sse_reset(&s);
    assert_int_equal(sse_take(&s, STR("data: fine\n\n")), 0);
    assert_string_equal((buf_append_char(&got, '\0'), got.data), "message=fine|");
    sse_fini(&s);
    buf_fini(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_messages),
        cmocka_unit_test(bounds_a_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
