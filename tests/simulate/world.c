// Chance, time, fibers and the scheduler. The host's main function and each thread that it starts
// are fibers: one runs at a time, and gives the turn back where it would wait.
#include "sim.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { FIBERS = 8, STACK_BYTES = 8 << 20, EVENTS_MAX = 4096, STEPS_WITHOUT_TIME = 200000 };

enum fiber_state { FIBER_NONE, FIBER_READY, FIBER_WAITING, FIBER_ENDED };

struct fiber {
    enum fiber_state state;
    ucontext_t context;
    void *stack;
    void *(*main)(void *arg);
    void *arg;
    const void *waits_for;
    int64_t until_ms; // -1: no end
    bool is_timed_out;
};

struct world_event {
    int64_t at_ms;
    uint64_t number;
    void (*run)(void *ctx);
    void *ctx;
};

static struct {
    FILE *report;
    uint64_t seed, random, hash, event_number;
    bool is_tracing, is_up, has_ended;
    int64_t mono_ms, skew_ms, down_ms;
    unsigned life, crash_in, steps;
    int exit_code;
    int first_fd; // the host's files are from here on: closed when it crashes
    int (*host_main)(void);
    ucontext_t scheduler;
    struct fiber fibers[FIBERS]; // 0: the host's main
    struct fiber *current;
    struct world_event events[EVENTS_MAX];
    size_t event_count;
} world;

// 2026-11-23T09:00:00Z
static const int64_t WORLD_START_MS = INT64_C(1795424400000);

void sim_init(uint64_t seed, FILE *report, bool is_tracing)
{
    memset(&world, 0, sizeof world);
    world.seed = seed;
    world.report = report;
    world.random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    world.is_tracing = is_tracing;
    world.mono_ms = 1000000;
    world.hash = UINT64_C(14695981039346656037);
}

uint64_t sim_random(void)
{
    uint64_t z = (world.random += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

unsigned sim_below(unsigned n)
{
    return (unsigned)(sim_random() % n);
}

bool sim_chance(unsigned one_in)
{
    return one_in && sim_below(one_in) == 0;
}

int64_t sim_mono_ms(void)
{
    return world.mono_ms;
}

int64_t sim_running_ms(void)
{
    return world.mono_ms - world.down_ms;
}

int64_t sim_wall_ms(void)
{
    return WORLD_START_MS + world.mono_ms + world.skew_ms;
}

void sim_jump_wall(int64_t ms)
{
    world.skew_ms += ms;
    model_jumped(ms);
    sim_trace("the wall clock jumps by %lld ms", (long long)ms);
}

void sim_trace(const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (const char *c = text; *c; c++) {
        world.hash = (world.hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
    }
    world.hash ^= (uint64_t)world.mono_ms;
    if (world.is_tracing) {
        fprintf(world.report, "%10.3f  %s\n", (double)(world.mono_ms - 1000000) / 1000, text);
    }
}

uint64_t sim_trace_hash(void)
{
    return world.hash;
}

void sim_fail(const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    fprintf(world.report, "seed %llu: after %.3f s: %s\n", (unsigned long long)world.seed,
            (double)(world.mono_ms - 1000000) / 1000, text);
    fflush(world.report);
    _exit(1);
}

void sim_after(int64_t ms, void (*run)(void *ctx), void *ctx)
{
    if (world.event_count == EVENTS_MAX) {
        sim_fail("the simulator has no room for what is to happen");
    }
    world.events[world.event_count++] =
        (struct world_event){world.mono_ms + ms, world.event_number++, run, ctx};
}

unsigned sim_life(void)
{
    return world.life;
}

bool sim_is_up(void)
{
    return world.is_up;
}

bool sim_has_ended(void)
{
    return world.has_ended;
}

int sim_exit_code(void)
{
    return world.exit_code;
}

// --- fibers
// ---------------------------------------------------------------------------------------

static void fiber_entry(void)
{
    struct fiber *f = world.current;
    f->main(f->arg);
    f->state = FIBER_ENDED;
    swapcontext(&f->context, &world.scheduler);
}

static void fiber_start(struct fiber *f, void *(*main)(void *arg), void *arg)
{
    void *stack = f->stack;
    if (stack == NULL) {
        stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (stack == MAP_FAILED) {
            sim_fail("the simulator has no memory for a stack");
        }
    }
    *f = (struct fiber){.state = FIBER_READY, .stack = stack, .main = main, .arg = arg};
    getcontext(&f->context);
    f->context.uc_stack.ss_sp = stack;
    f->context.uc_stack.ss_size = STACK_BYTES;
    makecontext(&f->context, fiber_entry, 0);
}

void sim_yield(void)
{
    swapcontext(&world.current->context, &world.scheduler);
}

static void fiber_resume(struct fiber *f)
{
    world.current = f;
    swapcontext(&world.scheduler, &f->context);
    world.current = NULL;
}

static void *host_entry(void *arg)
{
    (void)arg;
    world.exit_code = world.host_main();
    world.is_up = false;
    world.has_ended = true;
    return NULL;
}

static void host_forget(void)
{
    for (int i = 0; i < FIBERS; i++) {
        world.fibers[i].state = FIBER_NONE;
    }
    world.crash_in = 0;
    sim_disk_crash_in(0);
    sim_loop_forget();
    close_range((unsigned)world.first_fd, ~0U, 0);
}

void sim_start_host(int (*main)(void))
{
    world.life++;
    world.is_up = true;
    world.has_ended = false;
    world.host_main = main;
    world.first_fd = dup(STDOUT_FILENO);
    close(world.first_fd);
    sim_trace("life %u begins", world.life);
    fiber_start(&world.fibers[0], host_entry, NULL);
}

void sim_crash(const char *where)
{
    sim_trace("the host crashes at %s", where);
    world.is_up = false;
    if (world.current) {
        setcontext(&world.scheduler);
    }
}

void sim_crash_in_steps(unsigned steps)
{
    world.crash_in = steps;
}

// --- the scheduler
// ----------------------------------------------------------------------------------

static void world_run_due(void)
{
    for (;;) {
        struct world_event *first = NULL;
        for (size_t i = 0; i < world.event_count; i++) {
            struct world_event *ev = &world.events[i];
            if (!first || ev->at_ms < first->at_ms ||
                (ev->at_ms == first->at_ms && ev->number < first->number)) {
                first = ev;
            }
        }
        if (!first || first->at_ms > world.mono_ms) {
            return;
        }
        struct world_event ev = *first;
        *first = world.events[--world.event_count];
        ev.run(ev.ctx);
    }
}

static int64_t world_next_ms(int64_t end_ms)
{
    int64_t next_ms = end_ms;
    for (size_t i = 0; i < world.event_count; i++) {
        next_ms = world.events[i].at_ms < next_ms ? world.events[i].at_ms : next_ms;
    }
    for (int i = 0; i < FIBERS; i++) {
        const struct fiber *f = &world.fibers[i];
        if (f->state == FIBER_WAITING && f->until_ms >= 0 && f->until_ms < next_ms) {
            next_ms = f->until_ms;
        }
    }
    int64_t loop_ms = sim_loop_next_ms();
    return loop_ms < next_ms ? loop_ms : next_ms;
}

static void world_wake_late(void)
{
    for (int i = 0; i < FIBERS; i++) {
        struct fiber *f = &world.fibers[i];
        if (f->state == FIBER_WAITING && f->until_ms >= 0 && f->until_ms <= world.mono_ms) {
            f->state = FIBER_READY;
            f->is_timed_out = true;
        }
    }
}

// The fiber whose turn it is, by chance; NULL where all wait.
static struct fiber *world_choose(void)
{
    struct fiber *ready[FIBERS];
    unsigned count = 0;
    for (int i = 0; i < FIBERS; i++) {
        struct fiber *f = &world.fibers[i];
        if (f->state == FIBER_READY && (i != 0 || sim_loop_is_ready())) {
            ready[count++] = f;
        }
    }
    return count ? ready[sim_below(count)] : NULL;
}

static void world_step(struct fiber *f)
{
    if (++world.steps > STEPS_WITHOUT_TIME) {
        sim_fail("the host goes round in circles");
    }
    if (world.crash_in && --world.crash_in == 0) {
        sim_crash("a step");
        return;
    }
    if (sim_chance(16)) {
        world.mono_ms++;
    }
    fiber_resume(f);
}

void sim_run_until(int64_t end_ms)
{
    while (world.is_up && world.mono_ms < end_ms) {
        world_run_due();
        world_wake_late();
        struct fiber *f = world.is_up ? world_choose() : NULL;
        if (f) {
            world_step(f);
        } else if (world.is_up) {
            model_quiet();
            int64_t next_ms = world_next_ms(end_ms);
            world.mono_ms = next_ms > world.mono_ms ? next_ms : world.mono_ms + 1;
            world.steps = 0;
        }
    }
    if (!world.is_up) {
        host_forget();
        sim_http_forget();
    }
}

void sim_rest_until(int64_t end_ms)
{
    int64_t running_ms = sim_running_ms(), next_ms;
    do {
        world_run_due();
        next_ms = world_next_ms(end_ms);
        world.mono_ms = next_ms > world.mono_ms ? next_ms : world.mono_ms;
        world.down_ms = world.mono_ms - running_ms;
    } while (next_ms < end_ms);
}

// --- what the host calls instead of the system (the linker's --wrap)
// ---------------------------------

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*main)(void *),
                          void *arg);
int __wrap_pthread_join(pthread_t t, void **out);
int __wrap_pthread_mutex_lock(pthread_mutex_t *m);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *m);
int __wrap_pthread_cond_signal(pthread_cond_t *c);
int __wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m);
int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *t);
int __wrap_clock_gettime(clockid_t id, struct timespec *t);
ssize_t __wrap_getrandom(void *to, size_t len, unsigned flags);

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*main)(void *),
                          void *arg)
{
    (void)attr;
    for (unsigned i = 1; i < FIBERS; i++) {
        if (world.fibers[i].state == FIBER_NONE || world.fibers[i].state == FIBER_ENDED) {
            fiber_start(&world.fibers[i], main, arg);
            *t = i;
            return 0;
        }
    }
    return EAGAIN;
}

int __wrap_pthread_join(pthread_t t, void **out)
{
    (void)out;
    if (world.fibers[t].state != FIBER_ENDED) {
        sim_fail("a thread is joined that has not ended");
    }
    world.fibers[t].state = FIBER_NONE;
    return 0;
}

// One fiber runs at a time, and none gives its turn back while it holds a lock.
int __wrap_pthread_mutex_lock(pthread_mutex_t *m)
{
    (void)m;
    return 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *m)
{
    (void)m;
    return 0;
}

int __wrap_pthread_cond_signal(pthread_cond_t *c)
{
    for (int i = 0; i < FIBERS; i++) {
        struct fiber *f = &world.fibers[i];
        if (f->state == FIBER_WAITING && f->waits_for == c) {
            f->state = FIBER_READY;
            return 0;
        }
    }
    return 0;
}

static int fiber_wait(const void *what, int64_t until_ms)
{
    struct fiber *f = world.current;
    f->state = FIBER_WAITING;
    f->waits_for = what;
    f->until_ms = until_ms;
    f->is_timed_out = false;
    sim_yield();
    return f->is_timed_out ? ETIMEDOUT : 0;
}

int __wrap_pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m)
{
    (void)m;
    return fiber_wait(c, -1);
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *t)
{
    (void)m;
    return fiber_wait(c, (int64_t)t->tv_sec * 1000 + t->tv_nsec / 1000000);
}

int __wrap_clock_gettime(clockid_t id, struct timespec *t)
{
    int64_t ms = id == CLOCK_REALTIME ? sim_wall_ms() : world.mono_ms;
    *t = (struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    return 0;
}

ssize_t __wrap_getrandom(void *to, size_t len, unsigned flags)
{
    (void)flags;
    for (size_t i = 0; i < len; i++) {
        ((unsigned char *)to)[i] = (unsigned char)sim_random();
    }
    return (ssize_t)len;
}
