// Messages, work, flushes, polls and signals.
#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop/loop.h"

struct fixture {
    struct clock clock;
    struct loop *loop;
    int sequence; // of the things that happened
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (!f) {
        return -1;
    }
    clock_init(&f->clock);
    *state = f;
    alarm(60); // a lost wake-up would wait for ever
    return loop_new(&f->loop, &f->clock, NULL);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    size_t open = loop_free(f->loop);
    free(f);
    alarm(0);
    return open == 0 ? 0 : -1;
}

// --- messages
// ---------------------------------------------------------------------------------------

enum { POSTERS = 2, POSTS = 20000 };

struct poster {
    struct loop *loop;
    pthread_t thread;
    int next_wanted;
};

struct note {
    struct loop_message message; // first member
    struct poster *poster;
    int number;
};

static void on_note(struct loop_message *m)
{
    struct note *n = (struct note *)(void *)m;
    assert_int_equal(n->number, n->poster->next_wanted);
    n->poster->next_wanted++;
    if (n->poster->next_wanted == POSTS) {
        loop_expect(n->poster->loop, -1);
    }
    free(n);
}

static void *post_notes(void *ctx)
{
    struct poster *p = ctx;
    for (int i = 0; i < POSTS; i++) {
        struct note *n = calloc(1, sizeof *n);
        if (!n) {
            abort();
        }
        n->message.on_loop = on_note;
        n->poster = p;
        n->number = i;
        loop_post(p->loop, &n->message);
    }
    return NULL;
}

static void messages_of_two_threads_keep_their_order(void **state)
{
    struct fixture *f = *state;
    struct poster posters[POSTERS];
    for (int i = 0; i < POSTERS; i++) {
        posters[i] = (struct poster){.loop = f->loop};
        loop_expect(f->loop, 1);
        assert_int_equal(pthread_create(&posters[i].thread, NULL, post_notes, &posters[i]), 0);
    }
    loop_run(f->loop); // ends when the last is there
    for (int i = 0; i < POSTERS; i++) {
        assert_int_equal(posters[i].next_wanted, POSTS);
        pthread_join(posters[i].thread, NULL);
    }
}

struct turn_message {
    struct loop_message message; // first member
    struct fixture *f;
    int happened;
    struct turn_message *to_post;
};

static void on_turn_message(struct loop_message *m)
{
    struct turn_message *t = (struct turn_message *)(void *)m;
    t->happened = ++t->f->sequence;
    loop_expect(t->f->loop, -1);
    if (t->to_post) {
        loop_expect(t->f->loop, 1);
        loop_post(t->f->loop, &t->to_post->message);
    }
}

static void messages_may_post_messages(void **state)
{
    struct fixture *f = *state;
    struct turn_message third = {{NULL, on_turn_message}, f, 0, NULL};
    struct turn_message first = {{NULL, on_turn_message}, f, 0, &third};
    struct turn_message second = {{NULL, on_turn_message}, f, 0, NULL};
    loop_expect(f->loop, 2);
    loop_post(f->loop, &first.message);
    loop_post(f->loop, &second.message);
    loop_run(f->loop);
    assert_int_equal(first.happened, 1);
    assert_int_equal(second.happened, 2);
    assert_int_equal(third.happened, 3);
}

static void an_unexpected_message_does_not_hold_the_loop(void **state)
{
    struct fixture *f = *state;
    loop_run(f->loop); // nothing is open
    assert_false(loop_turn(f->loop));
    loop_expect(f->loop, 1);
    assert_true(loop_turn(f->loop));
    loop_expect(f->loop, -1);
    assert_false(loop_turn(f->loop));
}

static void free_counts_what_is_left(void **state)
{
    (void)state;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct clock clock;
        struct loop *loop;
        struct loop_signal *leaked[2];
        clock_init(&clock);
        int rc = loop_new(&loop, &clock, NULL);
        rc += loop_signal_open(&leaked[0], loop, SIGUSR1, NULL, NULL);
        rc += loop_signal_open(&leaked[1], loop, SIGUSR2, NULL, NULL);
        loop_expect(loop, 1);
        _exit(rc == 0 ? (int)loop_free(loop) : 100);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 3);
}

// --- work
// -------------------------------------------------------------------------------------------

struct job {
    struct fixture *f;
    pthread_t worked_on, done_on;
    int done;
};

static void do_job(void *ctx)
{
    struct job *j = ctx;
    j->worked_on = pthread_self();
}

static void job_done(void *ctx)
{
    struct job *j = ctx;
    j->done_on = pthread_self();
    j->done = ++j->f->sequence;
}

static void work_runs_off_the_loop(void **state)
{
    struct fixture *f = *state;
    struct job jobs[20];
    for (size_t i = 0; i < COUNT_OF(jobs); i++) {
        jobs[i] = (struct job){.f = f};
        assert_int_equal(loop_work(f->loop, do_job, job_done, &jobs[i]), 0);
    }
    loop_run(f->loop);
    assert_int_equal(f->sequence, COUNT_OF(jobs));
    for (size_t i = 0; i < COUNT_OF(jobs); i++) {
        assert_true(jobs[i].done > 0);
        assert_false(pthread_equal(jobs[i].worked_on, pthread_self()));
        assert_true(pthread_equal(jobs[i].done_on, pthread_self()));
    }
}

// --- flushes
// ----------------------------------------------------------------------------------------

struct flusher {
    struct loop_flush flush;
    struct fixture *f;
    int flushed; // how often
    int happened;
    int again; // how often it requests itself again
    struct loop_flush *to_cancel;
    struct loop_timer *to_stop;
};

static void on_flush(void *ctx)
{
    struct flusher *s = ctx;
    s->flushed++;
    s->happened = ++s->f->sequence;
    if (s->again > 0) {
        s->again--;
        loop_flush_request(&s->flush);
    }
    if (s->to_cancel) {
        loop_flush_cancel(s->to_cancel);
    }
    if (s->to_stop) {
        loop_timer_stop(s->to_stop);
    }
}

static void flusher_init(struct flusher *s, struct fixture *f)
{
    *s = (struct flusher){.f = f};
    loop_flush_init(&s->flush, f->loop, on_flush, s);
}

static void request_flush(void *ctx)
{
    struct flusher *s = ctx;
    loop_flush_request(&s->flush);
    loop_flush_request(&s->flush);
}

struct request_message {
    struct loop_message message; // first member
    struct flusher *flusher;
};

static void request_flush_by_message(struct loop_message *m)
{
    loop_expect(((struct request_message *)(void *)m)->flusher->f->loop, -1);
    request_flush(((struct request_message *)(void *)m)->flusher);
}

static void do_nothing(void *ctx)
{
    (void)ctx;
}

static void stop_loop(void *ctx)
{
    loop_stop(ctx);
}

static void fail_late(void *ctx)
{
    (void)ctx;
    fail_msg("the loop slept with a flush requested");
}

// A timer far away would fire before a flush that was forgotten; the flush stops it.
static void run_beside_a_late_timer(struct fixture *f, struct flusher *s)
{
    struct loop_timer late;
    loop_timer_init(&late, f->loop, LOOP_REAL_TIME, fail_late, NULL);
    loop_timer_start(&late, 30000);
    s->to_stop = &late;
    loop_run(f->loop);
    assert_false(heap_holds(&late.node));
    s->to_stop = NULL;
}

static void a_flush_runs_once_before_the_loop_waits(void **state)
{
    struct fixture *f = *state;
    struct flusher s;
    flusher_init(&s, f);

    // requested outside of the loop
    request_flush(&s);
    run_beside_a_late_timer(f, &s);
    assert_int_equal(s.flushed, 1);

    // by a timer
    struct loop_timer timer;
    loop_timer_init(&timer, f->loop, LOOP_REAL_TIME, request_flush, &s);
    loop_timer_start(&timer, 1);
    run_beside_a_late_timer(f, &s);
    assert_int_equal(s.flushed, 2);

    // by a message, which comes while the loop waits
    struct request_message m = {{NULL, request_flush_by_message}, &s};
    loop_expect(f->loop, 1);
    loop_post(f->loop, &m.message);
    run_beside_a_late_timer(f, &s);
    assert_int_equal(s.flushed, 3);

    // by work
    assert_int_equal(loop_work(f->loop, do_nothing, request_flush, &s), 0);
    run_beside_a_late_timer(f, &s);
    assert_int_equal(s.flushed, 4);

    // alone: the loop does not end before it
    request_flush(&s);
    loop_run(f->loop);
    assert_int_equal(s.flushed, 5);
    loop_run(f->loop);
    assert_int_equal(s.flushed, 5);
}

static void a_flush_may_request_flushes(void **state)
{
    struct fixture *f = *state;
    struct flusher s;
    flusher_init(&s, f);
    s.again = 5;
    request_flush(&s);
    loop_run(f->loop);
    assert_int_equal(s.flushed, 6);

    // One that requests itself for ever shuts nobody out.
    s.again = 1 << 30;
    struct loop_timer stop;
    loop_timer_init(&stop, f->loop, LOOP_REAL_TIME, stop_loop, f->loop);
    loop_timer_start(&stop, 2);
    request_flush(&s);
    loop_run(f->loop);
    assert_true(s.again > 0);
    loop_flush_cancel(&s.flush);
    assert_false(loop_turn(f->loop));
}

static void flushes_run_in_the_order_of_requests(void **state)
{
    struct fixture *f = *state;
    struct flusher s[4];
    for (int i = 0; i < 4; i++) {
        flusher_init(&s[i], f);
    }
    for (int i = 3; i >= 0; i--) {
        loop_flush_request(&s[i].flush);
    }
    s[3].to_cancel = &s[0].flush; // the last in the list
    loop_flush_cancel(&s[2].flush);
    loop_flush_cancel(&s[2].flush);
    loop_turn(f->loop);
    assert_int_equal(s[3].happened, 1);
    assert_int_equal(s[1].happened, 2);
    assert_int_equal(s[2].flushed, 0);
    assert_int_equal(s[0].flushed, 0);
    s[3].to_cancel = NULL;
    loop_flush_request(&s[0].flush);
    loop_flush_request(&s[2].flush);
    loop_turn(f->loop);
    assert_int_equal(s[0].happened, 3);
    assert_int_equal(s[2].happened, 4);
    assert_false(loop_turn(f->loop));
}

// --- polls
// ------------------------------------------------------------------------------------------

struct polled {
    struct loop_poll *poll;
    int events;
    int calls;
    bool closes;
};

static void on_poll(void *ctx, int fd, int events)
{
    struct polled *p = ctx;
    p->calls++;
    p->events |= events;
    if (events & LOOP_READABLE) {
        char byte;
        assert_true(read(fd, &byte, 1) >= 0);
    }
    if (p->closes) {
        loop_poll_close(p->poll);
        p->poll = NULL;
    }
}

static void polls_tell_what_is_asked(void **state)
{
    struct fixture *f = *state;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct polled p = {NULL, 0, 0, false};
    assert_int_equal(loop_poll_open(&p.poll, f->loop, fds[0], on_poll, &p), 0);
    assert_false(loop_turn(f->loop)); // nothing asked: nothing told
    assert_int_equal(write(fds[1], "abc", 3), 3);
    loop_turn(f->loop);
    assert_int_equal(p.calls, 0);

    assert_int_equal(loop_poll_set(p.poll, LOOP_READABLE), 0);
    assert_int_equal(loop_poll_set(p.poll, LOOP_READABLE), 0);
    assert_true(loop_turn(f->loop));
    assert_int_equal(p.calls, 1);
    assert_int_equal(p.events, LOOP_READABLE);

    p.events = 0;
    assert_int_equal(loop_poll_set(p.poll, LOOP_WRITABLE), 0);
    loop_turn(f->loop);
    assert_int_equal(p.events, LOOP_WRITABLE);

    p.events = 0;
    assert_int_equal(loop_poll_set(p.poll, LOOP_READABLE | LOOP_WRITABLE), 0);
    loop_turn(f->loop);
    assert_int_equal(p.events, LOOP_READABLE | LOOP_WRITABLE);

    p.calls = 0;
    assert_int_equal(loop_poll_set(p.poll, 0), 0);
    assert_false(loop_turn(f->loop));
    assert_int_equal(p.calls, 0);

    p.closes = true;
    assert_int_equal(loop_poll_set(p.poll, LOOP_READABLE | LOOP_WRITABLE), 0);
    loop_run(f->loop);
    assert_int_equal(p.calls, 1);

    // The same descriptor may be polled anew at once.
    p = (struct polled){NULL, 0, 0, true};
    assert_int_equal(loop_poll_open(&p.poll, f->loop, fds[0], on_poll, &p), 0);
    loop_poll_close(p.poll);
    assert_int_equal(loop_poll_open(&p.poll, f->loop, fds[0], on_poll, &p), 0);
    close(fds[1]);
    assert_int_equal(loop_poll_set(p.poll, LOOP_READABLE), 0);
    loop_run(f->loop);
    assert_int_equal(p.calls, 1);
    close(fds[0]);
}

static void polls_refuse_what_cannot_be_polled(void **state)
{
    struct fixture *f = *state;
    struct loop_poll *poll;
    assert_true(loop_poll_open(&poll, f->loop, -1, on_poll, NULL) < 0);
}

// --- signals
// ----------------------------------------------------------------------------------------

struct signalled {
    struct loop_signal *signal;
    int signum;
    int count;
};

static void on_signal(void *ctx, int signum)
{
    struct signalled *s = ctx;
    s->signum = signum;
    s->count++;
    if (s->count == 2) {
        loop_signal_close(s->signal);
    } else {
        raise(SIGUSR1);
    }
}

static void signals_arrive_on_the_loop(void **state)
{
    struct fixture *f = *state;
    struct signalled s = {NULL, 0, 0};
    assert_int_equal(loop_signal_open(&s.signal, f->loop, SIGUSR1, on_signal, &s), 0);
    raise(SIGUSR1);
    assert_int_equal(s.count, 0);
    loop_run(f->loop);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.signum, SIGUSR1);
    struct loop_signal *none;
    assert_true(loop_signal_open(&none, f->loop, SIGKILL, on_signal, NULL) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(messages_of_two_threads_keep_their_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(messages_may_post_messages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_unexpected_message_does_not_hold_the_loop, set_up,
                                        tear_down),
        cmocka_unit_test(free_counts_what_is_left),
        cmocka_unit_test_setup_teardown(work_runs_off_the_loop, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_flush_runs_once_before_the_loop_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_flush_may_request_flushes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flushes_run_in_the_order_of_requests, set_up, tear_down),
        cmocka_unit_test_setup_teardown(polls_tell_what_is_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(polls_refuse_what_cannot_be_polled, set_up, tear_down),
        cmocka_unit_test_setup_teardown(signals_arrive_on_the_loop, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
