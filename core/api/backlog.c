// Since when something is owed, and what each target is owed: asked of the store's reading thread
// now and then, while somebody wants to know. What is shown is what was known last.
#include <stdlib.h>

#include "api/internal.h"
#include "api/stats.h"
#include "base/id.h"

enum {
    BACKLOG_ARENA_MAX = 4 << 20,
    BACKLOG_EVERY_US = 1000 * 1000,
    // To count by target is to walk over what is owed, while reads that events need wait.
    BACKLOG_COUNTED_MAX = 20000
};

struct backlog_wait { // a request that wants to know what is owed now
    struct backlog_wait *next;
    struct httpd_request *request;
    void (*on_known)(struct api *a, struct httpd_request *r);
};

static void backlog_end(struct api *a)
{
    struct backlog *b = &a->backlog;
    struct backlog_wait *wait = b->waiting;
    arena_fini(&b->arena);
    b->is_reading = false;
    b->next_us = clock_real_us() + BACKLOG_EVERY_US;
    b->waiting = NULL;
    while (wait) {
        struct backlog_wait *next = wait->next;
        wait->on_known(a, wait->request);
        api_end(a);
        free(wait);
        wait = next;
    }
    api_end(a);
}

static void backlog_on_targets(struct store_read *read)
{
    struct api *a = read->ctx;
    if (read->code == 0) {
        stats_saw_owed(a->config.stats, read->targets, read->count);
    }
    backlog_end(a);
}

static void backlog_on_oldest(struct store_read *read)
{
    struct api *a = read->ctx;
    struct backlog *b = &a->backlog;
    int64_t waits_ms = deliver_waits_since_ms(a->config.deliver);
    int64_t stored_ms = read->oldest ? id_time_ms(read->oldest) : INT64_MAX;
    int64_t oldest_ms = stored_ms < waits_ms ? stored_ms : waits_ms;
    b->oldest_ms = read->code == 0 && oldest_ms != INT64_MAX ? oldest_ms : 0;
    if (store_owed_count(a->config.store) > BACKLOG_COUNTED_MAX || a->is_draining) {
        stats_saw_owed(a->config.stats, NULL, 0);
        backlog_end(a);
        return;
    }
    b->read = (struct store_read){.kind = STORE_READ_TARGETS,
                                  .limit = STORE_PAGE_MAX,
                                  .arena = &b->arena,
                                  .on_done = backlog_on_targets,
                                  .ctx = a};
    store_read(a->config.store, &b->read);
}

void backlog_look(struct api *a)
{
    struct backlog *b = &a->backlog;
    if (b->is_reading || a->is_draining || clock_real_us() < b->next_us) {
        return;
    }
    b->is_reading = true;
    arena_init(&b->arena, BACKLOG_ARENA_MAX);
    b->read = (struct store_read){
        .kind = STORE_READ_OLDEST, .arena = &b->arena, .on_done = backlog_on_oldest, .ctx = a};
    api_begin(a); // the store is not closed before it is back
    store_read(a->config.store, &b->read);
}

void backlog_await(struct api *a, struct httpd_request *r,
                   void (*on_known)(struct api *a, struct httpd_request *r))
{
    backlog_look(a);
    struct backlog_wait *wait = a->backlog.is_reading ? calloc(1, sizeof *wait) : NULL;
    if (wait == NULL) {
        on_known(a, r); // it is known, or never will be
        return;
    }
    *wait = (struct backlog_wait){.next = a->backlog.waiting, .request = r, .on_known = on_known};
    a->backlog.waiting = wait;
    api_begin(a);
}

int64_t backlog_oldest_ms(const struct api *a)
{
    bool is_owed = store_owed_count(a->config.store) > 0; // which is known at any moment
    return is_owed ? a->backlog.oldest_ms : 0;
}
