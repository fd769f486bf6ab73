// What caused a delivery: its row and its event, read from the store for the few deliveries that
// need more than what is sent.
#include "deliver/internal.h"

static void cause_end(struct cause *c)
{
    struct deliver *d = c->job->target->deliver;
    d->asked--;
    c->on_done(c->job, d->is_drained ? ERR_CLOSED : c->read.code);
    deliver_check_drained(d);
}

static void cause_on_event(struct store_read *read)
{
    struct cause *c = read->ctx;
    c->event = read->code ? NULL : &read->events[0];
    cause_end(c);
}

static void cause_on_delivery(struct store_read *read)
{
    struct cause *c = read->ctx;
    struct deliver *d = c->job->target->deliver;
    if (read->code || d->is_drained) {
        cause_end(c);
        return;
    }
    c->delivery = &read->deliveries[0];
    c->read = (struct store_read){.kind = STORE_READ_EVENT,
                                  .key = c->delivery->owed.event_key,
                                  .arena = &c->job->arena,
                                  .on_done = cause_on_event,
                                  .ctx = c};
    store_read(d->config.store, &c->read);
}

void cause_read(struct cause *c, struct job *j, void (*on_done)(struct job *j, int code))
{
    struct deliver *d = j->target->deliver;
    *c = (struct cause){.job = j,
                        .on_done = on_done,
                        .read = {.kind = STORE_READ_DELIVERY,
                                 .id = j->id,
                                 .arena = &j->arena,
                                 .on_done = cause_on_delivery,
                                 .ctx = c}};
    d->asked++;
    store_read(d->config.store, &c->read);
}
