// Workflows whose webhooks are held back, or cancelled: the store sees to the rows, here it is seen
// to that none of them is started from memory meanwhile.
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

// Drops what the list has of the workflow; what the end of the list is pointed at by then.
static struct job **held_back_drop(struct job **at, struct str workflow)
{
    while (*at) {
        struct job *j = *at;
        if (str_eq(j->workflow, workflow)) {
            *at = j->next;
            job_drop(j);
        } else {
            at = &j->next;
        }
    }
    return at;
}

static void held_back_drop_waiting(struct target *t, struct str workflow)
{
    t->last = held_back_drop(&t->first, workflow);
    if (t->first == NULL && t->ring) {
        target_leave_ring(t);
    }
    target_look_again(t);
}

void deliver_hold_back(struct deliver *d, struct str workflow, bool is_held_back)
{
    if (!is_held_back) {
        free(map_remove(&d->held_back, workflow));
        deliver_start(d); // what was let go may be due
        return;
    }
    if (!held_back_add(d, workflow)) {
        log_error(d->config.log, "out of memory: some webhooks of " STR_FMT " may still be sent",
                  STR_ARG(workflow));
    }
    d->rechecks.last = held_back_drop(&d->rechecks.first, workflow);
    size_t at = 0;
    void *value;
    while (map_next(&d->targets, &at, NULL, &value)) {
        held_back_drop_waiting(value, workflow);
    }
    schedule_arm(d);
    schedule_pump(d);
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
