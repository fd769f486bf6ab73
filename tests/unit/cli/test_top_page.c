// The page of `hookline top`, as text and on screens of any size.
#include "unit.h"

#include <stdlib.h>

#include "cli/top_page.h"

#define OVERVIEW(at, events, delivered)                                                            \
    "{\"at\":\"2026-11-23T09:15:" at ".000Z\",\"started_at\":\"2026-11-23T07:10:00.000Z\","        \
    "\"version\":\"0.1.0\",\"events\":{\"total\":" events ",\"per_minute\":[0,60,1200]},"          \
    "\"deliveries\":{\"by_state\":{\"pending\":0,\"retrying\":1234,\"terminated\":3,"              \
    "\"delivered\":" delivered "},"                                                                \
    "\"delivered_per_minute\":[0,50,1000],\"failed_per_minute\":[0,0,7]},\"owed\":1234,"           \
    "\"oldest_owed_at\":\"2026-11-23T09:12:00.000Z\",\"paused\":true,"                             \
    "\"workflows\":[{\"id\":\"a\",\"events\":9,\"runs\":9,\"delivered\":8,\"failed\":0,"           \
    "\"errors\":0},{\"id\":\"b\\u001b[2J\",\"events\":5,\"runs\":4,\"delivered\":1,"               \
    "\"failed\":3,\"errors\":1}],\"targets\":[{\"target\":\"https://x.example:443\","              \
    "\"state\":\"open\",\"owed\":1234,\"delivered\":9,\"failed\":3,"                               \
    "\"latency_ms\":{\"p50\":12,\"p99\":null}}]}"

static const char FAILURE[] =
    "{\"id\":\"dlv_1\",\"state\":\"retrying\",\"workflow\":\"b\",\"record\":{\"type\":\"deal\","
    "\"id\":7},\"target\":\"https://x.example:443\",\"reason\":null,\"last_error\":\"503\","
    "\"attempt\":{\"number\":2,\"at\":\"2026-11-23T09:14:58.000Z\"}}";

static void take_delivery(struct top_page *p, const char *text)
{
    struct arena arena;
    struct json_node *node;

    arena_init(&arena, 1024 * 1024);
    assert_int_equal(json_tree_read(&node, str_from(text), &arena, NULL), 0);
    top_page_take_delivery(p, node);
    arena_fini(&arena);
}

static char *drawn(const struct top_page *p, size_t rows, size_t columns, bool is_screen)
{
    char *text = NULL;
    size_t len;
    FILE *memory = open_memstream(&text, &len);
    struct canvas c = {.out = memory, .rows = rows, .columns = columns, .is_screen = is_screen};

    assert_non_null(memory);
    top_page_draw(p, &c);
    fclose(memory);
    return text;
}

static void assert_holds(const char *text, const char *what)
{
    if (!strstr(text, what))
        fail_msg("\"%s\" is not in:\n%s", what, text);
}

static void fill(struct top_page *p)
{
    top_page_init(p);
    top_page_take(p, STR(OVERVIEW("00", "1000000", "5000")));
    top_page_take(p, STR("what is this"));
    top_page_take(p, STR(OVERVIEW("02", "1000025", "5010")));
    take_delivery(p, FAILURE);
    take_delivery(p, "{\"state\":\"delivered\",\"workflow\":\"not this one\"}");
}

static void says_what_the_host_does(void **state)
{
    struct top_page p;
    char *text;

    (void)state;
    fill(&p);
    text = drawn(&p, 0, 0, false);
    assert_holds(text, "hookline 0.1.0  up 2h5m  2026-11-23 09:15:02Z  everything is paused\n");
    assert_holds(text, "events         12.5/s     1,200 this minute        60 the last       "
                       "1,260 an hour \n");
    assert_holds(text, "delivered       5.0/s ");
    assert_holds(text, "owed            1,234 oldest 3m2s  retrying 1,234  "
                       "since the start: terminated 3\n");
    assert_holds(text, "https://x.example:443                open           1,234          9"
                       "          3      12         \n");
    assert_holds(text, "09:14:58 retrying   b  deal 7 -> https://x.example:443  503\n");
    assert_null(strstr(text, "not this one"));
    assert_null(strchr(text, '\033'));
    assert_true(strstr(text, "\nb\\x1B[2J ") < strstr(text, "\na "));
    free(text);
    p.order = TOP_BY_WORK;
    text = drawn(&p, 0, 0, false);
    assert_true(strstr(text, "\nb\\x1B[2J ") > strstr(text, "\na "));
    free(text);
    top_page_fini(&p);
}

static void fits_screens_of_any_size(void **state)
{
    struct top_page p;

    (void)state;
    fill(&p);
    for (size_t rows = 1; rows < 40; rows++) {
        for (size_t columns = 20; columns < 140; columns += 7) {
            char *text = drawn(&p, rows, columns, true);
            size_t lines = 1, width = 0;

            for (const char *at = text; *at; at++) {
                if (*at == '\033') { // these screens have no colours: home, clear
                    at += 2;
                } else if (*at == '\n') {
                    lines++;
                    width = 0;
                } else if (*at != '\r') {
                    width += ((unsigned char)*at & 0xC0) != 0x80;
                }
                assert_in_range(width, 0, columns);
            }
            assert_in_range(lines, 1, rows);
            free(text);
        }
    }
    top_page_fini(&p);
}

static void keeps_the_last_failures(void **state)
{
    struct top_page p;

    (void)state;
    fill(&p);
    for (int i = 0; i < 3 * TOP_FAILURES_MAX; i++) {
        char failure[512];

        snprintf(failure, sizeof(failure),
                 "{\"state\":\"terminated\",\"workflow\":\"w%d\",\"reason\":\"why %d\"}", i, i);
        take_delivery(&p, failure);
    }
    char *text = drawn(&p, 0, 0, false);
    assert_holds(text, "w59");
    assert_holds(text, "why 40\n");
    assert_null(strstr(text, "why 39\n"));
    assert_true(strstr(text, "why 59") < strstr(text, "why 58"));
    free(text);
    top_page_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_the_host_does),
        cmocka_unit_test(fits_screens_of_any_size),
        cmocka_unit_test(keeps_the_last_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
