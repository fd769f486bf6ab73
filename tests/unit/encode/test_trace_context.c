// Which traces are taken, and what is kept and sent of them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "encode/trace_context.h"

#define ID "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00-" ID "-00f067aa0ba902b7-01"

static void test_kept_and_split(void **state)
{
    (void)state;
    char text[TRACE_TEXT_MAX];
    struct trace_context t = trace_read(STR(" " PARENT "\t"), STR("a=b, c=d "));
    assert_true(str_eq(t.parent, STR(PARENT)));
    struct str kept = trace_put_event(text, &t, 7);
    assert_int_equal(kept.len, TRACE_PARENT_LEN + strlen(" a=b, c=d"));
    assert_memory_equal(kept.data, "00-" ID "-", 36);
    assert_memory_not_equal(kept.data + 36, PARENT + 36, TRACE_SPAN_LEN);
    assert_memory_equal(kept.data + 52, "-01 a=b, c=d", 12);
    struct trace_context again = trace_split(kept);
    assert_true(str_eq(again.parent, (struct str){text, TRACE_PARENT_LEN}));
    assert_true(str_eq(again.state, STR("a=b, c=d")));
    t.state = (struct str){NULL, 0};
    kept = trace_put_event(text, &t, 7);
    assert_int_equal(kept.len, TRACE_PARENT_LEN);
    assert_int_equal(trace_split(kept).state.len, 0);
}

static void test_no_trace(void **state)
{
    (void)state;
    char text[TRACE_TEXT_MAX];
    struct trace_context t = trace_read((struct str){NULL, 0}, (struct str){NULL, 0});
    assert_null(trace_put_event(text, &t, 7).data);
    assert_int_equal(trace_split((struct str){NULL, 0}).parent.len, 0);
    assert_int_equal(trace_split(STR(PARENT "x")).parent.len, 0);
    assert_int_equal(trace_split(STR("00-1 a=b")).parent.len, 0);
}

static void test_spans_differ(void **state)
{
    (void)state;
    struct trace_context t = trace_read(STR(PARENT), STR(""));
    struct trace_context other = trace_read(STR("00-" ID "-00f067aa0ba902b8-01"), STR(""));
    uint64_t one = trace_span_id(&t, 1, 1, 1);
    assert_true(one == trace_span_id(&t, 1, 1, 1));
    assert_true(one != trace_span_id(&t, 2, 1, 1));
    assert_true(one != trace_span_id(&t, 1, 2, 1));
    assert_true(one != trace_span_id(&t, 1, 1, 2));
    assert_true(one != trace_span_id(&other, 1, 1, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_and_split),
        cmocka_unit_test(test_no_trace),
        cmocka_unit_test(test_spans_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
