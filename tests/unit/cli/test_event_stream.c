#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/event_stream.h"

enum { EVENT_MAX = 1000 * 1000 };

// What a text gives, as "LINE:EVENT|LINE:EVENT|...", with "bad" and "broken" and their words.
static char *read_all(const char *text, size_t len, size_t max_event_bytes)
{
    char *out = NULL;
    size_t out_len;
    FILE *result = open_memstream(&out, &out_len);
    FILE *file = tmpfile();
    struct event_stream s;
    enum event_stream_item item;

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    rewind(file);
    event_stream_init(&s, fileno(file), max_event_bytes);
    do {
        struct str event = {NULL, 0};
        size_t line = 0;
        struct err e = {0};

        item = event_stream_next(&s, &event, &line, &e);
        if (item == EVENT_STREAM_EVENT)
            fprintf(result, "%zu:" STR_FMT "|", line, STR_ARG(event));
        else if (item == EVENT_STREAM_BAD)
            fprintf(result, "%zu:bad|", line);
        else if (item == EVENT_STREAM_BROKEN)
            fprintf(result, "%zu:broken: %s|", line, e.text);
    } while (item == EVENT_STREAM_EVENT || item == EVENT_STREAM_BAD);
    event_stream_fini(&s);
    fclose(file);
    fclose(result);
    return out;
}

static void events_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *wanted;
    } cases[] = {
        {"", ""},
        {" \n\n ", ""},
        {"{\"a\":1}", "1:{\"a\":1}|"},
        {"\xEF\xBB\xBF{\"a\":1}\n", "1:{\"a\":1}|"},
        // one a line
        {"{\"a\":1}\n{\"a\":2}\n", "1:{\"a\":1}|2:{\"a\":2}|"},
        {"{\"a\":1}\r\n\r\n  {\"a\":2}\r\n", "1:{\"a\":1}|3:{\"a\":2}|"},
        {"\n\n{\"a\":1}\nnonsense\n{\"a\":3}", "3:{\"a\":1}|4:bad|5:{\"a\":3}|"},
        {"{\"a\":1}\n{\"a\":\n{\"a\":3}\n", "1:{\"a\":1}|2:bad|3:{\"a\":3}|"},
        {"{\"a\":1}\n{\"a\":2} {\"a\":3}\n", "1:{\"a\":1}|2:bad|"},
        {"{\"a\":\"}{\\\"\\\\\"}\n{}\n", "1:{\"a\":\"}{\\\"\\\\\"}|2:{}|"},
        {"hello\n{}\n", "1:bad|2:{}|"},
        // an array
        {"[]", ""},
        {" [ ] \n", ""},
        {"[{\"a\":1}]", "1:{\"a\":1}|"},
        {"[\n{\"a\":1},\n\n{\"a\":[{},{}]}\n]\n", "2:{\"a\":1}|4:{\"a\":[{},{}]}|"},
        {"[{\"a\":tru},{}]", "1:bad|1:{}|"},
        {"[{} {}]", "1:{}|1:broken: a comma or the array's end is missing|"},
        {"[{},\n3]", "1:{}|2:broken: an array of events has objects in it and nothing else|"},
        {"[{}", "1:{}|1:broken: the array does not end|"},
        {"[{},", "1:{}|1:broken: the array does not end|"},
        {"[{}]\n{}", "1:{}|2:broken: there is more behind the array's end|"},
        // objects over several lines
        {"{\n \"a\": 1\n}", "1:{\n \"a\": 1\n}|"},
        {"{\n}\n\n{\n\"b\":2}{}", "1:{\n}|4:{\n\"b\":2}|5:{}|"},
        {"{}{}", "1:{}|1:{}|"},
        {"{\n}x", "1:{\n}|2:broken: an event is a JSON object|"},
        {"{\n\"a\":", "1:broken: the JSON value that begins here does not end|"},
        {"{\"a\":\"", "1:broken: the JSON value that begins here does not end|"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *got = read_all(cases[i].text, strlen(cases[i].text), EVENT_MAX);

        if (strcmp(got, cases[i].wanted) != 0)
            fail_case(i, "%s gives %s", cases[i].text, got);
        free(got);
    }
}

static void a_large_event_is_refused_and_the_next_one_read(void **state)
{
    (void)state;
    struct buf text;
    char *got;

    buf_init(&text, 64 * 1024 * 1024);
    buf_append_text(&text, "{\"a\":1}\n{\"a\":\"");
    for (int i = 0; i < 3000000; i++)
        buf_append_char(&text, 'x');
    buf_append_text(&text, "\"}\n{\"a\":3}\n");
    assert_int_equal(text.failed, 0);
    got = read_all(text.data, text.len, EVENT_MAX);
    assert_string_equal(got, "1:{\"a\":1}|2:bad|3:{\"a\":3}|");
    free(got);
    buf_fini(&text);
}

static void many_events_pass_through_a_small_window(void **state)
{
    (void)state;
    enum { COUNT = 60000 };
    static const char *const forms[][3] = {{"", "\n", ""}, {"[", ",\n", "]"}, {"{\n}\n", "\n", ""}};

    for (size_t f = 0; f < COUNT_OF(forms); f++) {
        FILE *file = tmpfile();
        struct event_stream s;
        struct str event;
        struct err e;
        size_t line, count = 0;
        uint64_t seed = 7;
        enum event_stream_item item;

        fputs(forms[f][0], file);
        for (int i = 0; i < COUNT; i++)
            fprintf(file, "{\"i\":%d,\"pad\":\"%.*s\"}%s", i, (int)(next_random(&seed) % 60),
                    "0123456789012345678901234567890123456789012345678901234567890",
                    i + 1 < COUNT || f != 1 ? forms[f][1] : "");
        fputs(forms[f][2], file);
        rewind(file);
        event_stream_init(&s, fileno(file), 4096);
        while ((item = event_stream_next(&s, &event, &line, &e)) == EVENT_STREAM_EVENT) {
            char wanted[32];
            size_t index = f == 2 ? count - 1 : count;

            if (f != 2 || count > 0) {
                snprintf(wanted, sizeof(wanted), "{\"i\":%zu,", index);
                if (!str_starts_with(event, str_from(wanted)) || line != index + (f == 2 ? 3 : 1))
                    fail_case(f, "event %zu is " STR_FMT " on line %zu", count, STR_ARG(event),
                              line);
            }
            count++;
            assert_true(s.window.cap <= 4096 + 4 * 256 * 1024);
        }
        if (item != EVENT_STREAM_END)
            fail_case(f, "after %zu: %s", count, e.text);
        assert_int_equal(count, f == 2 ? COUNT + 1 : COUNT);
        event_stream_fini(&s);
        fclose(file);
    }
}

static void a_file_that_cannot_be_read_is_broken(void **state)
{
    (void)state;
    struct event_stream s;
    struct str event;
    struct err e = {0};
    size_t line;

    event_stream_init(&s, -1, EVENT_MAX);
    assert_int_equal(event_stream_next(&s, &event, &line, &e), EVENT_STREAM_BROKEN);
    assert_int_equal(e.code, ERR_IO);
    event_stream_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_told_apart),
        cmocka_unit_test(a_large_event_is_refused_and_the_next_one_read),
        cmocka_unit_test(many_events_pass_through_a_small_window),
        cmocka_unit_test(a_file_that_cannot_be_read_is_broken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
