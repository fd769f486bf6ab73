// Attempts whose webhook has hook.oauth2. One that has no access token yet leaves its target's
// queue and takes no place in flight while the token server is asked, so that only those wait for
// that server that need it; then it goes behind the others. Where no token is to be had, that is
// the attempt's outcome. The target has no part in it: neither its breaker nor its share hears of
// it.
#include "deliver/internal.h"

static enum oauth_state oauth_wait_ask(struct job *j, struct oauth_answer *a)
{
    struct deliver *d = j->target->deliver;
    enum oauth_state state = oauth_get(d->config.oauth, j->oauth2, a);
    if (state == OAUTH_WAITING) {
        *d->at_oauth.last = j;
        d->at_oauth.last = &j->next;
    } else if (state == OAUTH_FAILED) {
        attempt_fail(j, a->error, str_from(a->detail));
    }
    return state;
}

bool oauth_wait_lets(struct job *j)
{
    struct oauth_answer a;
    if (j->oauth2.len == 0) {
        return true;
    }
    if (oauth_wait_ask(j, &a) != OAUTH_READY) {
        return false;
    }
    j->token_serial = a.serial;
    j->token = arena_dup(&j->arena, a.token);
    if (j->token.data == NULL) {
        attempt_fail(j, "oauth", STR("out of memory"));
        return false;
    }
    return true;
}

// Whether another request of the attempt may go out: an operator may have said no since the first.
static bool oauth_wait_may_renew(const struct job *j)
{
    const struct deliver *d = j->target->deliver;
    return j->oauth2.len && !j->is_renewed && !schedule_is_held(d) && !j->target->is_paused &&
           !j->is_cancelled && !held_back_has(d, j->workflow);
}

bool oauth_wait_renew(struct job *j)
{
    struct target *t = j->target;
    struct deliver *d = t->deliver;
    struct oauth_answer a;
    if (!oauth_wait_may_renew(j) || !oauth_reject(d->config.oauth, j->oauth2, j->token_serial)) {
        return false;
    }
    j->is_renewed = true;
    j->started_ms = 0; // a host that stops does not wait for it
    gate_took_back(t, j);
    schedule_leave(j);
    if (oauth_wait_ask(j, &a) == OAUTH_READY) {
        job_wait(j);
    }
    target_update_ready(t);
    return true;
}

void oauth_wait_on_change(void *ctx)
{
    struct deliver *d = ctx;
    struct job *j = d->at_oauth.first;
    struct oauth_answer a;
    if (d->is_draining) {
        return; // they are owed in the store as they were
    }
    d->at_oauth.first = NULL;
    d->at_oauth.last = &d->at_oauth.first;
    while (j) {
        struct job *next = j->next;
        j->next = NULL;
        if (oauth_wait_ask(j, &a) == OAUTH_READY) {
            job_wait(j);
            target_update_ready(j->target);
        }
        j = next;
    }
    schedule_pump(d);
}
