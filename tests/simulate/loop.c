// loop/loop.h on the simulated clock. Each turn does one thing of those that can be done, by
// chance; what has an order in the real loop (timers by time, messages, work) keeps it here.
#include "loop/loop.h"

#include <stdlib.h>

#include "loop/flush_list.h"
#include "loop/test_clock.h"
#include "sim.h"

enum { LOOP_SIGNALS = 8 };

struct task { // something to call once
    struct task *next;
    void (*run)(void *ctx);
    void *ctx;
};

struct tasks {
    struct task *first, *last;
};

struct loop_signal {
    int signum;
    void (*on_signal)(void *ctx, int signum);
    void *ctx;
};

struct work {
    void (*work)(void *ctx);
    void (*done)(void *ctx);
    void *ctx;
};

struct loop {
    struct clock *clock;
    struct heap timers;
    struct loop_message *inbox, *inbox_last;
    struct flush_list flushes;
    struct tasks events, works, dones;
    struct loop_signal *signals[LOOP_SIGNALS];
    int expected;
    bool is_running, is_stopped;
};

static struct loop *the_loop;
static int64_t signalled_ms;

static void tasks_add(struct tasks *q, void (*run)(void *ctx), void *ctx)
{
    struct task *t = malloc(sizeof *t);
    if (!t) {
        abort();
    }
    *t = (struct task){.run = run, .ctx = ctx};
    if (q->first) {
        q->last->next = t;
    } else {
        q->first = t;
    }
    q->last = t;
}

static void tasks_run_first(struct tasks *q)
{
    struct task t = *q->first;
    free(q->first);
    q->first = t.next;
    t.run(t.ctx);
}

int loop_new(struct loop **out, struct clock *clock, struct err *e)
{
    struct loop *l = calloc(1, sizeof *l);
    if (!l) {
        return err_set(e, ERR_NOMEM, "no memory for the event loop");
    }
    l->clock = clock;
    heap_init(&l->timers);
    the_loop = *out = l;
    return 0;
}

static bool timer_is_due(const struct loop *l)
{
    const struct heap_node *top = heap_top(&l->timers);
    return top && top->key <= sim_mono_ms();
}

enum { KIND_TIMER, KIND_MESSAGE, KIND_FLUSH, KIND_EVENT, KIND_WORK, KIND_DONE, KINDS };

static unsigned loop_kinds(const struct loop *l, int kinds[KINDS])
{
    const bool is_there[KINDS] = {
        [KIND_TIMER] = timer_is_due(l),          [KIND_MESSAGE] = l->inbox != NULL,
        [KIND_FLUSH] = l->flushes.first != NULL, [KIND_EVENT] = l->events.first != NULL,
        [KIND_WORK] = l->works.first != NULL,    [KIND_DONE] = l->dones.first != NULL,
    };
    unsigned count = 0;
    for (int i = 0; i < KINDS; i++) {
        if (is_there[i]) {
            kinds[count++] = i;
        }
    }
    return count;
}

static bool loop_is_open(const struct loop *l)
{
    int kinds[KINDS];
    if (loop_kinds(l, kinds) || l->expected > 0 || l->timers.count || sim_http_is_open()) {
        return true;
    }
    for (int i = 0; i < LOOP_SIGNALS; i++) {
        if (l->signals[i]) {
            return true;
        }
    }
    return false;
}

static void work_run(void *ctx)
{
    struct work *w = ctx;
    w->work(w->ctx);
}

static void work_done(void *ctx)
{
    struct work w = *(struct work *)ctx;
    free(ctx);
    w.done(w.ctx);
}

static void loop_do_one(struct loop *l)
{
    int kinds[KINDS];
    unsigned count = loop_kinds(l, kinds);
    if (count == 0) {
        return;
    }
    switch (kinds[sim_below(count)]) {
    case KIND_TIMER: {
        struct loop_timer *t = (struct loop_timer *)(void *)heap_top(&l->timers);
        heap_remove(&l->timers, &t->node);
        t->on_due(t->ctx);
        break;
    }
    case KIND_MESSAGE: {
        struct loop_message *m = l->inbox;
        l->inbox = m->next;
        m->on_loop(m);
        break;
    }
    case KIND_FLUSH:
        flush_list_serve(&l->flushes);
        break;
    case KIND_EVENT:
        tasks_run_first(&l->events);
        break;
    case KIND_WORK: {
        void *work = l->works.first->ctx;
        tasks_run_first(&l->works);
        tasks_add(&l->dones, work_done, work);
        break;
    }
    default:
        tasks_run_first(&l->dones);
    }
}

void loop_run(struct loop *l)
{
    l->is_running = true;
    while (!l->is_stopped && loop_is_open(l)) {
        sim_yield();
        loop_do_one(l);
    }
    l->is_running = l->is_stopped = false;
}

void loop_stop(struct loop *l)
{
    l->is_stopped = true;
}

size_t loop_free(struct loop *l)
{
    size_t left = l->expected > 0 ? (size_t)l->expected : 0;
    if (left || l->timers.count) {
        sim_fail("after an orderly end %zu messages and %zu timers are left", left,
                 l->timers.count);
    }
    heap_fini(&l->timers);
    free(l);
    the_loop = NULL;
    return 0;
}

struct clock *loop_clock(struct loop *l)
{
    return l->clock;
}

// --- for the scheduler
// ------------------------------------------------------------------------------

// Before its first turn the host starts: that is one step, and so is the end.
bool sim_loop_is_ready(void)
{
    int kinds[KINDS];
    return !the_loop || !the_loop->is_running || loop_kinds(the_loop, kinds) ||
           !loop_is_open(the_loop);
}

int64_t sim_loop_next_ms(void)
{
    const struct heap_node *top = the_loop ? heap_top(&the_loop->timers) : NULL;
    return top ? top->key : INT64_MAX;
}

void sim_loop_enqueue(void (*run)(void *ctx), void *ctx)
{
    if (the_loop) {
        tasks_add(&the_loop->events, run, ctx);
    }
}

static void signal_run(void *ctx)
{
    struct loop_signal *s = ctx;
    s->on_signal(s->ctx, s->signum);
}

int64_t sim_signalled_ms(void)
{
    return signalled_ms;
}

void sim_loop_signal(int signum)
{
    signalled_ms = sim_mono_ms();
    for (int i = 0; the_loop && i < LOOP_SIGNALS; i++) {
        if (the_loop->signals[i] && the_loop->signals[i]->signum == signum) {
            tasks_add(&the_loop->events, signal_run, the_loop->signals[i]);
        }
    }
}

void sim_loop_forget(void)
{
    the_loop = NULL; // a crashed host's memory is lost, as in a process that ends
}

// --- timers
// -----------------------------------------------------------------------------------------

void loop_timer_init(struct loop_timer *t, struct loop *l, enum loop_time time,
                     void (*on_due)(void *ctx), void *ctx)
{
    *t = (struct loop_timer){.loop = l, .time = time, .on_due = on_due, .ctx = ctx};
}

void loop_timer_start(struct loop_timer *t, int64_t ms)
{
    struct loop *l = t->loop;
    int64_t now_ms = sim_mono_ms();
    ms = ms > 0 ? ms : 0;
    int64_t due_ms = ms < INT64_MAX - now_ms ? now_ms + ms : INT64_MAX - 1;
    if (heap_holds(&t->node)) {
        heap_move(&l->timers, &t->node, due_ms);
    } else if (heap_push(&l->timers, &t->node, due_ms)) {
        abort();
    }
}

void loop_timer_stop(struct loop_timer *t)
{
    if (heap_holds(&t->node)) {
        heap_remove(&t->loop->timers, &t->node);
    }
}

int64_t loop_now_ms(struct loop *l, enum loop_time time)
{
    (void)l;
    (void)time;
    return sim_mono_ms();
}

// --- messages, work, flushes
// --------------------------------------------------------------------------

void loop_post(struct loop *l, struct loop_message *m)
{
    m->next = NULL;
    if (l->inbox) {
        l->inbox_last->next = m;
    } else {
        l->inbox = m;
    }
    l->inbox_last = m;
}

void loop_expect(struct loop *l, int change)
{
    l->expected += change;
}

int loop_work(struct loop *l, void (*work)(void *ctx), void (*done)(void *ctx), void *ctx)
{
    struct work *w = malloc(sizeof *w);
    if (!w) {
        return ERR_NOMEM;
    }
    *w = (struct work){work, done, ctx};
    tasks_add(&l->works, work_run, w);
    return 0;
}

void loop_flush_init(struct loop_flush *f, struct loop *l, void (*on_flush)(void *ctx), void *ctx)
{
    *f = (struct loop_flush){.loop = l, .on_flush = on_flush, .ctx = ctx};
}

void loop_flush_request(struct loop_flush *f)
{
    flush_list_add(&f->loop->flushes, f);
}

void loop_flush_cancel(struct loop_flush *f)
{
    flush_list_remove(&f->loop->flushes, f);
}

// --- signals; what a simulated host does not have
// -----------------------------------------------------

int loop_signal_open(struct loop_signal **out, struct loop *l, int signum,
                     void (*on_signal)(void *ctx, int signum), void *ctx)
{
    for (int i = 0; i < LOOP_SIGNALS; i++) {
        if (l->signals[i] == NULL) {
            struct loop_signal *s = malloc(sizeof *s);
            if (!s) {
                return ERR_NOMEM;
            }
            *s = (struct loop_signal){signum, on_signal, ctx};
            *out = l->signals[i] = s;
            return 0;
        }
    }
    return ERR_FULL;
}

void loop_signal_close(struct loop_signal *s)
{
    for (int i = 0; i < LOOP_SIGNALS; i++) {
        if (the_loop->signals[i] == s) {
            the_loop->signals[i] = NULL;
        }
    }
    free(s);
}

int loop_poll_open(struct loop_poll **out, struct loop *l, int fd,
                   void (*on_event)(void *ctx, int fd, int events), void *ctx)
{
    (void)out, (void)l, (void)fd, (void)on_event, (void)ctx;
    return ERR_IO;
}

int loop_poll_set(struct loop_poll *p, int events)
{
    (void)p, (void)events;
    return ERR_IO;
}

void loop_poll_close(struct loop_poll *p)
{
    (void)p;
}

int loop_test_clock_open(struct loop_test_clock **out, struct loop *l,
                         const struct loop_test_clock_config *c, struct err *e)
{
    (void)out, (void)l, (void)c;
    return err_set(e, ERR_IO, "the simulator has its own clock");
}

void loop_test_clock_close(struct loop_test_clock *t)
{
    (void)t;
}
