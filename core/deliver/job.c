#include <stdlib.h>

#include "deliver/decide.h"
#include "deliver/internal.h"
#include "encode/head.h"

static struct str job_copy(struct job *j, size_t *at, struct str s)
{
    if (s.len) {
        memcpy(j->data + *at, s.data, s.len);
    }
    struct str copy = {j->data + *at, s.len};
    *at += s.len;
    return copy;
}

void job_wait(struct job *j)
{
    *j->target->last = j;
    j->target->last = &j->next;
}

// Whether its end passed while its order or its breaker let nothing of it through. What falls due
// behind the breaker's last word was not held up by it: of most no policy is asked.
static bool job_is_over(const struct job *j)
{
    const struct target *t = j->target;
    bool has_waited = job_has_waited(j);
    if (!has_waited && t->held_up_until_ms <= j->due_ms) {
        return false;
    }
    int64_t end_ms = decide_end_ms(j->retry, j->base_ms, j->due_ms);
    return end_ms <= (has_waited ? deliver_now_ms(t->deliver) : t->held_up_until_ms);
}

struct job *job_add(struct target *t, const struct store_owed *owed)
{
    struct deliver *d = t->deliver;
    struct str key = {(const char *)&owed->id, sizeof owed->id};
    if (map_get(&d->jobs, key)) {
        return NULL;
    }
    size_t bytes = owed->head.len + owed->body.len + owed->retry.len + owed->workflow.len +
                   owed->order_key.len;
    struct job *j = malloc(sizeof *j + bytes);
    if (j == NULL) {
        return NULL;
    }
    *j = (struct job){.target = t,
                      .id = owed->id,
                      .attempts_made = owed->attempt_count,
                      .action = owed->action,
                      .due_ms = owed->due_at_ms,
                      .base_ms = owed->base_ms,
                      .timeout_ms = owed->timeout_ms,
                      .size = sizeof *j + bytes};
    size_t at = 0;
    j->head = job_copy(j, &at, owed->head);
    j->body = job_copy(j, &at, owed->body);
    j->retry = job_copy(j, &at, owed->retry);
    j->workflow = job_copy(j, &at, owed->workflow);
    j->order_key = job_copy(j, &at, owed->order_key);
    if (d->config.redirect_all == NULL) { // there nothing is asked of anybody else
        j->oauth2 = head_find_oauth2(j->head);
    }
    arena_init(&j->arena, JOB_ARENA_MAX);
    mask_init(&j->mask);
    if (map_put(&d->jobs, (struct str){(const char *)&j->id, sizeof j->id}, j)) {
        free(j);
        return NULL;
    }
    d->job_bytes += j->size;
    t->job_count++;
    if (owed->is_outdated) {
        attempt_outdated(j);
    } else if (job_is_over(j)) {
        attempt_give_up(j);
    } else if (owed->wants_recheck) {
        *d->rechecks.last = j;
        d->rechecks.last = &j->next;
    } else {
        job_wait(j);
    }
    return j;
}

void job_drop(struct job *j)
{
    struct target *t = j->target;
    struct deliver *d = t->deliver;
    map_remove(&d->jobs, (struct str){(const char *)&j->id, sizeof j->id});
    d->job_bytes -= j->size;
    t->job_count--;
    t->ending_count -= j->is_ending;
    arena_fini(&j->arena);
    mask_fini(&j->mask);
    free(j);
}
