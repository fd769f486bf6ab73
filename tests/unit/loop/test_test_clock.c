#include "temp.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "loop/test_clock.h"

enum { PATIENCE_MS = 20000 };

struct fixture {
    struct clock clock;
    struct loop *loop;
    struct loop_test_clock *test_clock;
    char folder[64];
    char path[96];
    int64_t started_ms; // wall
    int peer;

    struct loop_timer timer;
    int64_t every_ms; // the timer starts itself again; 0: once
    int fired;
    int64_t fired_last_ms; // wall, since the start
    int unsettled;         // answers of is_settled that are no, after each firing
    int asked;
};

static void on_due(void *ctx)
{
    struct fixture *f = ctx;
    f->fired++;
    f->fired_last_ms = clock_wall_ms(&f->clock) - f->started_ms;
    f->unsettled = 200;
    if (f->every_ms > 0) {
        loop_timer_start(&f->timer, f->every_ms);
    }
}

static bool is_settled(void *ctx)
{
    struct fixture *f = ctx;
    f->asked++;
    if (f->unsettled > 0) {
        f->unsettled--;
        return false;
    }
    return true;
}

static int connect_to(const char *path)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    assert_true(strlen(path) < sizeof un.sun_path);
    memcpy(un.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof un), 0);
    return fd;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f) {
        return -1;
    }
    clock_init_test(&f->clock);
    f->clock.wall_ms = f->started_ms = 1795425300000;
    temp_template(f->folder, sizeof f->folder);
    if (!mkdtemp(f->folder) || loop_new(&f->loop, &f->clock, NULL) != 0) {
        return -1;
    }
    snprintf(f->path, sizeof f->path, "%s/clock", f->folder);
    loop_timer_init(&f->timer, f->loop, LOOP_HOST_TIME, on_due, f);
    struct loop_test_clock_config c = {.path = f->path, .is_settled = is_settled, .ctx = f};
    if (loop_test_clock_open(&f->test_clock, f->loop, &c, NULL) != 0) {
        return -1;
    }
    f->peer = connect_to(f->path);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    loop_timer_stop(&f->timer);
    if (f->test_clock) {
        loop_test_clock_close(f->test_clock);
    }
    close(f->peer);
    loop_run(f->loop);
    size_t open = loop_free(f->loop);
    int rc = rmdir(f->folder);
    free(f);
    return open == 0 && rc == 0 ? 0 : -1;
}

static void say(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void expect(struct fixture *f, int fd, const char *wanted)
{
    char got[512];
    size_t len = 0;
    struct clock real;
    clock_init(&real);
    int64_t give_up_ms = clock_mono_ms(&real) + PATIENCE_MS;
    do {
        loop_turn(f->loop);
        ssize_t more = read(fd, got + len, sizeof got - 1 - len);
        len += more > 0 ? (size_t)more : 0;
    } while (len < strlen(wanted) && clock_mono_ms(&real) < give_up_ms);
    got[len] = '\0';
    assert_string_equal(got, wanted);
}

static void answers_now_and_what_is_wrong(void **state)
{
    struct fixture *f = *state;
    say(f->peer, "now\n");
    expect(f, f->peer, "ok 2026-11-23T09:15:00.000Z\n");
    static const char *const unknown[] = {"\n", "later\n", "advance\n", "NOW\n", "advance15s\n"};
    for (size_t i = 0; i < COUNT_OF(unknown); i++) {
        say(f->peer, unknown[i]);
        expect(f, f->peer, "error unknown command: say \"advance 15s\", \"wall -1d\" or \"now\"\n");
    }
    static const char *const no_duration[] = {
        "advance 15\n",     "advance -1s\n",          "advance s\n", "wall --1s\n",
        "advance 1s now\n", "advance 99999999999d\n", "wall 1\n",    "wall -\n"};
    for (size_t i = 0; i < COUNT_OF(no_duration); i++) {
        say(f->peer, no_duration[i]);
        expect(f, f->peer, "error not a duration: say a number and ms, s, m, h or d\n");
    }
    say(f->peer, " now \r\n");
    expect(f, f->peer, "ok 2026-11-23T09:15:00.000Z\n");
    assert_int_equal(clock_wall_ms(&f->clock), f->started_ms);
}

// As somebody sets it: no other time moves, and no timer falls due.
static void sets_the_wall_clock_alone(void **state)
{
    struct fixture *f = *state;
    int64_t mono_ms = clock_mono_ms(&f->clock), running_ms = clock_running_ms(&f->clock);
    say(f->peer, "wall 1d\n");
    expect(f, f->peer, "ok 2026-11-24T09:15:00.000Z\n");
    say(f->peer, "wall -36h\n");
    expect(f, f->peer, "ok 2026-11-22T21:15:00.000Z\n");
    assert_int_equal(clock_mono_ms(&f->clock), mono_ms);
    assert_int_equal(clock_running_ms(&f->clock), running_ms);
}

static void advances(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *command, *answer;
    } cases[] = {
        {"advance 250ms\n", "ok 2026-11-23T09:15:00.250Z\n"},
        {"advance 15s\n", "ok 2026-11-23T09:15:15.250Z\n"},
        {"advance 2m\n", "ok 2026-11-23T09:17:15.250Z\n"},
        {"advance 1h\n", "ok 2026-11-23T10:17:15.250Z\n"},
        {"advance 1d\n", "ok 2026-11-24T10:17:15.250Z\n"},
        {"advance 0s\n", "ok 2026-11-24T10:17:15.250Z\n"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        say(f->peer, cases[i].command);
        expect(f, f->peer, cases[i].answer);
    }
}

static void answers_when_all_that_fell_due_is_started(void **state)
{
    struct fixture *f = *state;
    f->every_ms = 10000;
    loop_timer_start(&f->timer, 10000);
    say(f->peer, "advance 35s\n");
    expect(f, f->peer, "ok 2026-11-23T09:15:35.000Z\n");
    assert_int_equal(f->fired, 3);
    assert_int_equal(f->fired_last_ms, 30000);
    assert_int_equal(f->unsettled, 0); // was asked until it said so, after each
    assert_true(f->asked >= 3 * 200);
    // A timer that is due exactly at the end belongs to it.
    say(f->peer, "advance 5s\n");
    expect(f, f->peer, "ok 2026-11-23T09:15:40.000Z\n");
    assert_int_equal(f->fired, 4);
    assert_int_equal(f->fired_last_ms, 40000);
    assert_int_equal(f->unsettled, 0);
}

static void commands_are_carried_out_one_by_one(void **state)
{
    struct fixture *f = *state;
    int second = connect_to(f->path);
    f->every_ms = 1000;
    loop_timer_start(&f->timer, 1000);
    say(f->peer, "advance 2s\nnow\nadvance 3s\nno");
    loop_turn(f->loop);
    say(second, "advance 1s\n");
    expect(f, f->peer,
           "ok 2026-11-23T09:15:02.000Z\nok 2026-11-23T09:15:02.000Z\n"
           "ok 2026-11-23T09:15:05.000Z\n");
    expect(f, second, "ok 2026-11-23T09:15:06.000Z\n");
    assert_int_equal(f->fired, 6);
    say(f->peer, "w\n");
    expect(f, f->peer, "ok 2026-11-23T09:15:06.000Z\n");
    close(second);
}

static void a_client_may_leave_while_time_moves(void **state)
{
    struct fixture *f = *state;
    f->every_ms = 1000;
    loop_timer_start(&f->timer, 1000);
    int second = connect_to(f->path);
    say(f->peer, "advance 3s\n");
    loop_turn(f->loop);
    loop_turn(f->loop);
    close(f->peer);
    f->peer = second;
    say(second, "now\n");
    expect(f, second, "ok 2026-11-23T09:15:03.000Z\n");
    assert_int_equal(f->fired, 3);
}

static void an_ended_client_is_still_answered(void **state)
{
    struct fixture *f = *state;
    say(f->peer, "advance 1s\nnow\nnow"); // the last is no line
    assert_int_equal(shutdown(f->peer, SHUT_WR), 0);
    expect(f, f->peer, "ok 2026-11-23T09:15:01.000Z\nok 2026-11-23T09:15:01.000Z\n");
    for (int i = 0; i < 10; i++) {
        loop_turn(f->loop);
    }
    char byte;
    assert_int_equal(read(f->peer, &byte, 1), 0);
}

static void endless_lines_are_refused(void **state)
{
    struct fixture *f = *state;
    char line[4097];
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    say(f->peer, line);
    expect(f, f->peer, "error too much at once\n");
    for (int i = 0; i < 10; i++) {
        loop_turn(f->loop);
    }
    char byte;
    assert_int_equal(read(f->peer, &byte, 1), 0);
}

static void may_be_closed_while_time_moves(void **state)
{
    struct fixture *f = *state;
    f->every_ms = 1000;
    loop_timer_start(&f->timer, 1000);
    say(f->peer, "advance 1h\n");
    for (int i = 0; i < 50; i++) {
        loop_turn(f->loop);
    }
    assert_true(f->fired > 0);
    loop_test_clock_close(f->test_clock);
    f->test_clock = NULL;
    int fired = f->fired;
    loop_run(f->loop);
    assert_int_equal(f->fired, fired);
    assert_int_not_equal(access(f->path, F_OK), 0);
}

static void tells_why_it_cannot_open(void **state)
{
    struct fixture *f = *state;
    struct loop_test_clock_config c = {.path = f->path};
    struct loop_test_clock *none;
    struct err e = {.text = ""};
    assert_int_equal(loop_test_clock_open(&none, f->loop, &c, &e), ERR_BUSY);
    assert_true(str_starts_with(str_from(e.text), STR("test clock: cannot listen on ")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_now_and_what_is_wrong),
        TEST(sets_the_wall_clock_alone),
        TEST(advances),
        TEST(answers_when_all_that_fell_due_is_started),
        TEST(commands_are_carried_out_one_by_one),
        TEST(a_client_may_leave_while_time_moves),
        TEST(an_ended_client_is_still_answered),
        TEST(endless_lines_are_refused),
        TEST(may_be_closed_while_time_moves),
        TEST(tells_why_it_cannot_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
