#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

// A datagram socket keeps writes apart, so a test sees that a line is one of them.
struct fixture {
    int fds[2];
    struct clock clock;
    struct log log;
    char got[65536];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f || socketpair(AF_UNIX, SOCK_DGRAM, 0, f->fds) != 0) {
        return -1;
    }
    clock_init_test(&f->clock);
    f->clock.wall_ms = 1795425300120;
    log_init(&f->log, f->fds[0], &f->clock);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    close(f->fds[0]);
    close(f->fds[1]);
    free(f);
    return 0;
}

static const char *read_line(struct fixture *f)
{
    ssize_t len = recv(f->fds[1], f->got, sizeof f->got - 1, MSG_DONTWAIT);
    f->got[len > 0 ? len : 0] = '\0';
    return f->got;
}

static void writes_json(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(f->log.format, LOG_JSON); // no terminal
    log_info(&f->log, "started on %d", 80);
    assert_string_equal(read_line(f), "{\"time\":\"2026-11-23T09:15:00.120Z\",\"level\":\"info\","
                                      "\"message\":\"started on 80\"}\n");
    struct log_field fields[] = {
        {"workflow", STR("won-deal")},
        {"odd", STR("a\"b\\c\nd\x01\x7f")},
    };
    log_write(&f->log, LOG_WARN, fields, 2, "m");
    assert_string_equal(read_line(f), "{\"time\":\"2026-11-23T09:15:00.120Z\",\"level\":\"warn\","
                                      "\"message\":\"m\",\"workflow\":\"won-deal\","
                                      "\"odd\":\"a\\\"b\\\\c\\nd\\u0001\\u007f\"}\n");
    assert_string_equal(read_line(f), "");
}

static void writes_text(void **state)
{
    struct fixture *f = *state;
    f->log.format = LOG_TEXT;
    struct log_field fields[] = {
        {"event", STR("evt_1")}, {"why", STR("no answer")}, {"empty", STR("")},
        {"tricky", STR("a=b")},  {"quote", STR("\"")},
    };
    log_write(&f->log, LOG_ERROR, fields, COUNT_OF(fields), "not sent");
    assert_string_equal(read_line(f),
                        "2026-11-23T09:15:00.120Z error not sent event=evt_1 why=\"no answer\" "
                        "empty=\"\" tricky=\"a=b\" quote=\"\\\"\"\n");
    log_warn(&f->log, "two\nlines");
    assert_string_equal(read_line(f), "2026-11-23T09:15:00.120Z warn  two\\nlines\n");
}

static void escapes_whatever_comes(void **state)
{
    struct fixture *f = *state;
    f->log.format = LOG_TEXT;
    static const struct {
        struct str value;
        const char *shown;
    } cases[] = {
        {{"\xC3\xA4", 2}, "\"\xC3\xA4\""},
        {{"a\xFFz", 3}, "\"a\\ufffdz\""},
        {{"\xC3", 1}, "\"\\ufffd\""},
        {{"\xC2\x9B[2J", 5}, "\"\\u009b[2J\""}, // a C1 control: CSI
        {{"\x1b[2J", 4}, "\"\\u001b[2J\""},
        {{"a\0b", 3}, "\"a\\u0000b\""},
        {{"\t\r", 2}, "\"\\t\\u000d\""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct log_field field = {"v", cases[i].value};
        log_write(&f->log, LOG_INFO, &field, 1, "m");
        const char *line = read_line(f);
        const char *shown = strstr(line, " v=");
        char wanted[64] = "";
        strcat(strcat(wanted, cases[i].shown), "\n");
        if (!shown || strcmp(shown + 3, wanted) != 0) {
            fail_case(i, "%s", line);
        }
    }
}

static void cuts_what_is_too_long(void **state)
{
    struct fixture *f = *state;
    static char value[20000];
    memset(value, 'x', sizeof value);
    memcpy(value + 4095, "\xE2\x82\xAC", 3); // the cut falls into it
    value[sizeof value - 1] = '\0';
    struct log_field field = {"v", {value, sizeof value - 1}};
    log_write(&f->log, LOG_INFO, &field, 1, "m");
    const char *line = read_line(f);
    assert_true(strlen(line) < 4300);
    assert_non_null(strstr(line, "xxx...\"}\n"));
    log_info(&f->log, "%s", value);
    line = read_line(f);
    assert_true(strlen(line) < 4300);
    assert_true(str_ends_with(str_from(line), STR("...\"}\n")));
}

static void drops_what_is_below_its_level(void **state)
{
    struct fixture *f = *state;
    log_write(&f->log, LOG_DEBUG, NULL, 0, "quiet");
    assert_string_equal(read_line(f), "");
    f->log.least = LOG_DEBUG;
    log_write(&f->log, LOG_DEBUG, NULL, 0, "heard");
    assert_non_null(strstr(read_line(f), "\"level\":\"debug\""));
}

static void gives_the_journal_priorities(void **state)
{
    static const char *const wanted[] = {"<7>{", "<6>{", "<4>{", "<3>{"};
    struct fixture *f = *state;
    struct stat st;
    char stream[64];

    assert_int_equal(fstat(f->fds[0], &st), 0);
    snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    log_init(&f->log, f->fds[0], &f->clock);
    f->log.least = LOG_DEBUG;
    for (enum log_level level = LOG_DEBUG; level <= LOG_ERROR; level++) {
        log_write(&f->log, level, NULL, 0, "m");
        assert_memory_equal(read_line(f), wanted[level], strlen(wanted[level]));
    }
    // Another descriptor than the one that systemd made: redirected since.
    log_init(&f->log, f->fds[1], &f->clock);
    unsetenv("JOURNAL_STREAM");
    assert_false(f->log.is_journal);
    log_init(&f->log, f->fds[0], &f->clock);
    assert_false(f->log.is_journal);
}

static void leaves_errno_alone(void **state)
{
    struct fixture *f = *state;
    struct log broken = f->log;
    broken.fd = -1;
    errno = ENOENT;
    log_error(&broken, "nobody reads this");
    assert_int_equal(errno, ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(writes_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(escapes_whatever_comes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cuts_what_is_too_long, set_up, tear_down),
        cmocka_unit_test_setup_teardown(drops_what_is_below_its_level, set_up, tear_down),
        cmocka_unit_test_setup_teardown(gives_the_journal_priorities, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leaves_errno_alone, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
