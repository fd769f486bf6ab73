// What is held back, or cancelled, whole workflows or one delivery: the store sees to the rows,
// here it is seen to that none of them is started from memory meanwhile.
#include <stdlib.h>

#include "deliver/internal.h"

bool held_back_has(const struct deliver *d, struct str workflow)
{
    return d->held_back.count && map_get(&d->held_back, workflow);
}

static bool held_back_add(struct deliver *d, struct str workflow)
{
    if (map_get(&d->held_back, workflow)) {
        return true;
    }
    char *name = str_dup(workflow);
    if (name == NULL || map_put(&d->held_back, (struct str){name, workflow.len}, name)) {
        free(name);
        return false;
    }
    return true;
}

// What is to be dropped: all of a workflow, or one delivery.
struct drop {
    struct str workflow;
    uint64_t id;                 // 0: all of the workflow
    const struct target *target; // then: all of it; or NULL
};

// Drops what the list has of it; what the end of the list is pointed at by then.
static struct job **held_back_drop(struct job **at, const struct drop *what)
{
    while (*at) {
        struct job *j = *at;
        if (what->target ? j->target == what->target
            : what->id   ? j->id == what->id
                         : str_eq(j->workflow, what->workflow)) {
            *at = j->next;
            job_drop(j);
        } else {
            at = &j->next;
        }
    }
    return at;
}

static void held_back_drop_waiting(struct target *t, const struct drop *what)
{
    t->last = held_back_drop(&t->first, what);
    if (t->first == NULL) {
        list_remove(&t->ready);
    }
    target_look_again(t);
}

// Of what is in no target's queue: it waits to be judged again, or for an access token.
static void held_back_drop_elsewhere(struct deliver *d, const struct drop *what)
{
    d->rechecks.last = held_back_drop(&d->rechecks.first, what);
    d->at_oauth.last = held_back_drop(&d->at_oauth.first, what);
}

void held_back_drop_all(struct target *t)
{
    struct drop what = {.target = t};
    held_back_drop_elsewhere(t->deliver, &what);
    held_back_drop_waiting(t, &what);
}

void deliver_hold_back(struct deliver *d, struct str workflow, bool is_held_back)
{
    if (!is_held_back) {
        free(map_remove(&d->held_back, workflow));
        deliver_start(d); // what was let go may be due
        return;
    }
    if (!held_back_add(d, workflow)) {
        log_write(d->config.log, LOG_ERROR, LOG_FIELDS({"workflow", workflow}),
                  "out of memory: some webhooks of " STR_FMT " may still be sent",
                  STR_ARG(workflow));
    }
    struct drop what = {.workflow = workflow};
    held_back_drop_elsewhere(d, &what);
    size_t at = 0;
    void *value;
    while (map_next(&d->targets, &at, NULL, &value)) {
        held_back_drop_waiting(value, &what);
    }
    schedule_arm(d);
    schedule_pump(d);
}

// What is under way stays.
static void held_back_drop_one(struct job *j)
{
    struct target *t = j->target; // the job itself may go
    struct drop what = {.id = j->id};
    held_back_drop_elsewhere(t->deliver, &what);
    held_back_drop_waiting(t, &what);
}

void held_back_outdated(struct deliver *d, const struct store_outdated *o)
{
    struct job *j = map_get(&d->jobs, (struct str){(const char *)&o->id, sizeof o->id});
    if (j) {
        held_back_drop_one(j);
    }
    deliver_resent(d, o->target);
}

void deliver_cancelled(struct deliver *d, uint64_t id)
{
    struct job *j = map_get(&d->jobs, (struct str){(const char *)&id, sizeof id});
    if (j == NULL) {
        return;
    }
    j->is_cancelled = true; // one that is under way ends so
    held_back_drop_one(j);
    schedule_arm(d);
    schedule_pump(d);
}

void deliver_freed(struct deliver *d, const struct store_freed *freed)
{
    struct target *t = freed->target.len ? target_get(d, freed->target) : NULL;
    if (t) {
        target_mark_due(t, freed->due_at_ms);
        target_update_ready(t);
        schedule_arm(d);
    } else if (freed->target.len) {
        log_write(d->config.log, LOG_ERROR, LOG_FIELDS({"target", freed->target}),
                  "out of memory: a delivery waits for the next start");
    }
}

void deliver_resent(struct deliver *d, struct str target)
{
    struct store_freed freed = {target, deliver_now_ms(d)};
    deliver_freed(d, &freed);
}

void held_back_free(struct deliver *d)
{
    size_t at = 0;
    void *value;
    while (map_next(&d->held_back, &at, NULL, &value)) {
        free(value);
    }
    map_fini(&d->held_back);
}
