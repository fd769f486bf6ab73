// What is started when: the turns of the targets, and the reading of what falls due in the store.
#include "deliver/decide.h"
#include "deliver/internal.h"

enum { SCHEDULE_ARENA_MAX = 64 << 20 };

bool schedule_is_held(const struct deliver *d)
{
    return d->is_draining || !d->is_pause_known || d->paused.since_ms;
}

// Targets that hang hold what they are given until it times out: those whose last attempt did not
// succeed share a quarter of all places, of which those that failed leave half to those
// that were never tried.
// And a burst of them is spread over time, since each costs a connection: what else the loop has
// to do comes in between.
static bool schedule_has_place(const struct deliver *d, enum target_standing s)
{
    size_t quarter = d->config.max_in_flight / 4;
    size_t failing = d->in_flight_of[TARGET_FAILING];
    size_t not_proven = d->in_flight_of[TARGET_NEW] + failing;
    bool has_room =
        not_proven == 0 || (not_proven < quarter && (s == TARGET_NEW || failing < quarter / 2));
    return s == TARGET_PROVEN || (has_room && d->trials < DELIVER_TRIALS);
}

// Whose turn it is, or NULL.
static struct target *schedule_next_target(struct deliver *d)
{
    for (size_t i = 1; i <= TARGET_STANDINGS; i++) {
        enum target_standing s = (d->turn + i) % TARGET_STANDINGS;
        struct list_node *first = list_first(&d->ready[s]);
        if (first && schedule_has_place(d, s)) {
            d->turn = s;
            return LIST_OWNER(first, struct target, ready);
        }
    }
    return NULL;
}

static struct job *schedule_take_job(struct target *t)
{
    struct job *j = t->first;
    t->first = j->next;
    if (t->first == NULL) {
        t->last = &t->first;
    }
    j->next = NULL;
    return j;
}

static void schedule_enter(struct job *j)
{
    struct target *t = j->target;
    struct deliver *d = t->deliver;
    j->is_in_flight = true;
    j->standing = t->standing;
    t->in_flight++;
    d->in_flight++;
    d->in_flight_of[j->standing]++;
    if (j->standing != TARGET_PROVEN && d->trials++ == 0) {
        loop_timer_start(&d->trial_timer, DELIVER_TRIALS_MS);
    }
    gate_started(t, j);
}

bool schedule_leave(struct job *j)
{
    struct target *t = j->target;
    struct deliver *d = t->deliver;
    if (!j->is_in_flight) {
        return false;
    }
    j->is_in_flight = false;
    t->in_flight--;
    d->in_flight--;
    d->in_flight_of[j->standing]--;
    return true;
}

void schedule_pump(struct deliver *d)
{
    struct target *t;
    while (!schedule_is_held(d) && d->in_flight < d->config.max_in_flight &&
           (t = schedule_next_target(d)) != NULL) {
        list_remove(&t->ready);
        struct job *j = schedule_take_job(t);
        bool may_start = oauth_wait_lets(j);
        if (may_start) {
            schedule_enter(j);
        }
        target_update_ready(t); // behind the others
        if (may_start) {
            attempt_start(j);
        }
    }
}

void schedule_on_trial(void *ctx)
{
    struct deliver *d = ctx;
    d->trials = 0;
    schedule_pump(d);
}

void schedule_arm(struct deliver *d)
{
    struct heap_node *top = heap_top(&d->due);
    bool is_over_asked = list_first(&d->over) != NULL;
    if ((top == NULL && !is_over_asked) || schedule_is_held(d) || d->is_reading_due) {
        loop_timer_stop(&d->timer);
        return;
    }
    int64_t wait_ms = is_over_asked ? 0 : top->key - deliver_now_ms(d);
    loop_timer_start(&d->timer, wait_ms > 0 ? running_look_ms(wait_ms) : 0);
}

static void schedule_take_owed(struct deliver *d, const struct store_due *r)
{
    for (size_t i = 0; i < r->owed_count; i++) {
        struct target *t = map_get(&d->targets, r->owed[i].target);
        if (t && !t->is_paused && !d->paused.since_ms && !held_back_has(d, r->owed[i].workflow)) {
            job_add(t, &r->owed[i]); // what is here already stays as it is
        }
    }
}

static void schedule_on_due(struct store_due *r)
{
    struct deliver *d = r->ctx;
    d->is_reading_due = false;
    if (r->code == 0) {
        schedule_take_owed(d, r);
    } else {
        log_error(d->config.log, "what is due could not be read from the store (%s)",
                  err_word((enum err_code)r->code));
    }
    for (size_t i = 0; i < r->target_count; i++) {
        struct target *t = d->due_owners[i];
        if (r->targets[i].is_over) {
            t->has_more_over = r->code == 0 && r->targets[i].has_more;
        } else {
            target_mark_due(t, r->code ? deliver_now_ms(d) + DELIVER_AGAIN_MS
                                       : r->targets[i].next_due_at_ms);
        }
        target_update_ready(t);
    }
    arena_fini(&d->due_arena);
    schedule_arm(d);
    recheck_pump(d);
    schedule_pump(d);
    deliver_check_drained(d);
}

void schedule_ask_over(struct target *t)
{
    struct deliver *d = t->deliver;
    bool has_more = t->due_ms != INT64_MAX; // than is here
    if (has_more && t->state != TARGET_CLOSED && t->is_leased && !t->is_paused &&
        !list_holds(&t->over)) {
        list_append(&d->over, &t->over);
        schedule_arm(d);
    }
}

// What is over leaves half of the places to what is due.
static size_t schedule_collect_over(struct deliver *d, unsigned quota)
{
    size_t count = 0;
    struct list_node *first;
    while (count < DELIVER_DUE_TARGETS_MAX / 2 && (first = list_first(&d->over)) != NULL) {
        struct target *t = LIST_OWNER(first, struct target, over);
        list_remove(first);
        d->due_owners[count] = t;
        d->due_targets[count++] = (struct store_due_target){
            .target = target_name(t), .shards = t->shards, .quota = quota, .is_over = true};
    }
    return count;
}

// The targets with something due by now and room for it, each asked for as much as it has room for.
// What is here already is due in the store too, and comes first: it is counted in. With the memory
// used up a target that has nothing here still gets one, so that none stands still.
static size_t schedule_collect(struct deliver *d, int64_t now_ms)
{
    unsigned quota = d->job_bytes < DELIVER_JOB_BYTES_MAX ? TARGET_JOBS_MAX : 1;
    size_t count = schedule_collect_over(d, (quota + 1) / 2);
    struct heap_node *top;
    while (count < DELIVER_DUE_TARGETS_MAX && (top = heap_top(&d->due)) && top->key <= now_ms) {
        struct target *t = (struct target *)top;
        heap_remove(&d->due, top);
        if (!t->is_leased || t->is_paused || t->job_count >= TARGET_JOBS_MAX ||
            (t->job_count && d->job_bytes >= DELIVER_JOB_BYTES_MAX)) {
            t->is_starved = true;
            continue;
        }
        t->due_ms = INT64_MAX;
        d->due_owners[count] = t;
        d->due_targets[count++] = (struct store_due_target){
            .target = target_name(t), .shards = t->shards, .quota = quota};
    }
    return count;
}

void schedule_on_timer(void *ctx)
{
    struct deliver *d = ctx;
    if (d->is_reading_due || schedule_is_held(d)) {
        return;
    }
    int64_t now_ms = deliver_now_ms(d);
    size_t count = schedule_collect(d, now_ms);
    if (count == 0) {
        running_mark(d);
        schedule_arm(d);
        return;
    }
    d->is_reading_due = true;
    arena_init(&d->due_arena, SCHEDULE_ARENA_MAX);
    d->due_read = (struct store_due){.targets = d->due_targets,
                                     .target_count = count,
                                     .until_ms = now_ms,
                                     .window_ms = decide_window_ms(STR("")),
                                     .arena = &d->due_arena,
                                     .on_done = schedule_on_due,
                                     .ctx = d};
    store_due(d->config.store, &d->due_read);
}

void schedule_on_start(struct store_targets *r)
{
    struct deliver *d = r->ctx;
    d->asked--;
    d->is_start_asked = false;
    if (r->code) {
        log_error(d->config.log, "what is owed could not be read from the store (%s)",
                  err_word((enum err_code)r->code));
        d->is_start_owed = true;
        deliver_ask_again(d);
    }
    for (size_t i = 0; r->code == 0 && i < r->target_count; i++) {
        struct target *t = target_get(d, r->targets[i].target);
        if (t) {
            target_mark_due(t, r->targets[i].next_due_at_ms);
        }
    }
    arena_fini(&d->start_arena);
    if (r->code == 0 && d->is_start_owed) {
        deliver_start(d);
    }
    schedule_arm(d);
    deliver_check_drained(d);
}
