// Requests from the loop to the two threads, and back.
#include "store/sqlite/internal.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/file.h"

enum { FREE_LOOK_MS = 1000 };

void item_list_append(struct item_list *l, struct item_list more)
{
    if (!more.first) {
        return;
    }
    if (l->last) {
        l->last->next = more.first;
    } else {
        l->first = more.first;
    }
    l->last = more.last;
}

static void submit(struct store *s, struct item_list *turn, struct store_item *item, int kind)
{
    *item = (struct store_item){.kind = kind};
    item_list_append(turn, (struct item_list){item, item});
    if (s->unfinished_count++ == 0) {
        loop_expect(s->loop, 1);
    }
    loop_flush_request(&s->flush);
}

static void hand_over(void *ctx)
{
    struct store *s = ctx;
    bool has_writes = s->turn_writes.first != NULL;
    bool has_reads = s->turn_reads.first != NULL;
    has_writes |= s->turn_spare.first != NULL;
    const struct clock *clock = loop_clock(s->loop);
    int64_t running_ms = clock_running_ms(clock), wall_ms = clock_wall_ms(clock);
    pthread_mutex_lock(&s->lock);
    s->running_ms = running_ms;
    s->wall_ms = wall_ms;
    item_list_append(&s->writes, s->turn_writes);
    item_list_append(&s->reads, s->turn_reads);
    item_list_append(&s->spare, s->turn_spare);
    pthread_mutex_unlock(&s->lock);
    s->turn_writes = (struct item_list){NULL, NULL};
    s->turn_reads = (struct item_list){NULL, NULL};
    s->turn_spare = (struct item_list){NULL, NULL};
    if (has_writes) {
        pthread_cond_signal(&s->writes_wake);
    }
    if (has_reads) {
        pthread_cond_signal(&s->reads_wake);
    }
}

void queue_complete(struct store *s, struct item_list done, const struct store_news *news)
{
    pthread_mutex_lock(&s->lock);
    item_list_append(&s->done, done);
    if (news) {
        s->owed_news = news->owed;
    }
    if (news && news->commit_us >= 0) {
        histogram_add(&s->commits, news->commit_us, 1);
    }
    if (news && news->trouble) {
        s->has_trouble_news = true;
        snprintf(s->trouble_news, sizeof s->trouble_news, "%s", news->trouble);
    }
    bool must_post = !s->is_done_posted;
    s->is_done_posted = true;
    pthread_mutex_unlock(&s->lock);
    if (must_post) {
        loop_post(s->loop, &s->done_message.message);
    }
}

void queue_note_cache(struct store *s, sqlite3 *db, int64_t *bytes)
{
    int now = 0, most;
    sqlite3_db_status(db, SQLITE_DBSTATUS_CACHE_USED, &now, &most, 0);
    pthread_mutex_lock(&s->lock);
    *bytes = now;
    pthread_mutex_unlock(&s->lock);
}

void queue_set_damaged(struct store *s, const struct err *e)
{
    pthread_mutex_lock(&s->lock);
    if (s->damage.code == 0) {
        s->damage = *e;
    }
    pthread_mutex_unlock(&s->lock);
}

bool queue_is_damaged(struct store *s, struct err *e)
{
    pthread_mutex_lock(&s->lock);
    bool is_damaged = s->damage.code != 0;
    if (is_damaged) {
        *e = s->damage;
    }
    pthread_mutex_unlock(&s->lock);
    return is_damaged;
}

static void call_on_done(struct store_item *item)
{
    switch ((enum request_kind)item->kind) {
    case REQUEST_ACCEPT: {
        struct store_accept *a = (struct store_accept *)item;
        a->on_done(a);
        break;
    }
    case REQUEST_FINISH: {
        struct store_finish *f = (struct store_finish *)item;
        f->on_done(f);
        break;
    }
    case REQUEST_LEASE: {
        struct store_lease *l = (struct store_lease *)item;
        l->on_done(l);
        break;
    }
    case REQUEST_DUE: {
        struct store_due *d = (struct store_due *)item;
        d->on_done(d);
        break;
    }
    case REQUEST_TARGETS: {
        struct store_targets *t = (struct store_targets *)item;
        t->on_done(t);
        break;
    }
    case REQUEST_GENERATION_PUT:
    case REQUEST_GENERATION_GET: {
        struct store_generation *g = (struct store_generation *)item;
        g->on_done(g);
        break;
    }
    case REQUEST_WORKFLOW_PUT: {
        struct store_workflow_put *p = (struct store_workflow_put *)item;
        p->on_done(p);
        break;
    }
    case REQUEST_WORKFLOWS: {
        struct store_workflows *q = (struct store_workflows *)item;
        q->on_done(q);
        break;
    }
    case REQUEST_WORKFLOW_STEP: {
        struct store_workflow_step *q = (struct store_workflow_step *)item;
        q->place = q->code ? q->place : q->came_to;
        q->on_done(q);
        break;
    }
    case REQUEST_MARK_FORGET: {
        struct store_mark_forget *q = (struct store_mark_forget *)item;
        q->on_done(q);
        break;
    }
    case REQUEST_ACT: {
        struct store_act *a = (struct store_act *)item;
        a->on_done(a);
        break;
    }
    case REQUEST_AUDIT_PUT: {
        struct store_audit_put *p = (struct store_audit_put *)item;
        p->on_done(p);
        break;
    }
    case REQUEST_SLOTS_PUT:
    case REQUEST_SLOTS_GET: {
        struct store_slots *q = (struct store_slots *)item;
        q->on_done(q);
        break;
    }
    case REQUEST_NOTICE_PUT: {
        struct store_notice_put *p = (struct store_notice_put *)item;
        p->on_done(p);
        break;
    }
    case REQUEST_NOTICES: {
        struct store_notices *q = (struct store_notices *)item;
        q->on_done(q);
        break;
    }
    case REQUEST_RETAIN: {
        struct store_retain *q = (struct store_retain *)item;
        q->on_done(q);
        break;
    }
    case REQUEST_ERASE: {
        struct store_erase *q = (struct store_erase *)item;
        q->on_done(q);
        break;
    }
    case REQUEST_SCRUB: {
        struct store_scrub *q = (struct store_scrub *)item;
        q->on_done(q);
        break;
    }
    case REQUEST_PAUSE_PUT: {
        struct store_pause_put *p = (struct store_pause_put *)item;
        p->on_done(p);
        break;
    }
    case REQUEST_PAUSE_STEP: {
        struct store_pause_step *q = (struct store_pause_step *)item;
        q->place = q->code ? q->place : q->came_to;
        q->on_done(q);
        break;
    }
    case REQUEST_TIME_MARK:
    case REQUEST_TIME_STEP: {
        struct store_time *t = (struct store_time *)item;
        t->on_done(t);
        break;
    }
    case REQUEST_TOKEN_PUT: {
        struct store_token_put *p = (struct store_token_put *)item;
        p->on_done(p);
        break;
    }
    case REQUEST_TOKEN_REVOKE: {
        struct store_token_revoke *q = (struct store_token_revoke *)item;
        q->on_done(q);
        break;
    }
    case REQUEST_TOKEN_USED: {
        struct store_token_used *q = (struct store_token_used *)item;
        q->on_done(q);
        break;
    }
    case REQUEST_TOKENS: {
        struct store_tokens *q = (struct store_tokens *)item;
        q->on_done(q);
        break;
    }
    case REQUEST_PAUSES: {
        struct store_pauses *q = (struct store_pauses *)item;
        q->on_done(q);
        break;
    }
    case REQUEST_READ: {
        struct store_read *r = (struct store_read *)item;
        r->on_done(r);
        break;
    }
    }
}

static void on_done_message(struct loop_message *m)
{
    struct store *s = ((struct store_message *)m)->store;
    pthread_mutex_lock(&s->lock);
    struct item_list done = s->done;
    s->done = (struct item_list){NULL, NULL};
    s->is_done_posted = false;
    s->owed_counts = s->owed_news;
    if (s->has_trouble_news) {
        s->has_trouble_news = false;
        memcpy(s->trouble, s->trouble_news, sizeof s->trouble);
    }
    pthread_mutex_unlock(&s->lock);

    for (struct store_item *item = done.first, *next; item; item = next) {
        next = item->next; // the request may be gone after its callback
        if (--s->unfinished_count == 0) {
            loop_expect(s->loop, -1);
        }
        call_on_done(item);
    }
}

static void thread_ended(struct store *s, pthread_t thread)
{
    pthread_join(thread, NULL);
    if (--s->running_threads > 0) {
        return;
    }
    void (*on_closed)(void *ctx) = s->on_closed;
    void *ctx = s->closed_ctx;
    loop_expect(s->loop, -1);
    sqlite_store_free(s);
    on_closed(ctx);
}

static void on_writer_end(struct loop_message *m)
{
    struct store *s = ((struct store_message *)m)->store;
    thread_ended(s, s->writer_thread);
}

static void on_reader_end(struct loop_message *m)
{
    struct store *s = ((struct store_message *)m)->store;
    thread_ended(s, s->reader_thread);
}

// Signals are the loop thread's.
static int thread_start(pthread_t *thread, void *(*main)(void *), struct store *s)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(thread, NULL, main, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

static void tell_to_end(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    s->is_closing = true;
    pthread_mutex_unlock(&s->lock);
    pthread_cond_signal(&s->writes_wake);
    pthread_cond_signal(&s->reads_wake);
}

int queue_start(struct store *s, struct err *e)
{
    loop_flush_init(&s->flush, s->loop, hand_over, s);
    s->done_message = (struct store_message){{.on_loop = on_done_message}, s};
    s->writer_end = (struct store_message){{.on_loop = on_writer_end}, s};
    s->reader_end = (struct store_message){{.on_loop = on_reader_end}, s};
    s->running_threads = 2;
    int rc = thread_start(&s->writer_thread, writer_main, s);
    if (rc == 0 && (rc = thread_start(&s->reader_thread, reader_main, s)) != 0) {
        pthread_mutex_lock(&s->lock);
        s->is_abandoned = true;
        s->is_reader_gone = true;
        pthread_mutex_unlock(&s->lock);
        tell_to_end(s);
        pthread_join(s->writer_thread, NULL);
    }
    return rc == 0 ? 0 : err_set(e, ERR_NOMEM, "cannot start a thread: %s", strerror(rc));
}

void queue_thread_end(struct store *s, struct store_message *end)
{
    pthread_mutex_lock(&s->lock);
    bool is_waited_for = s->is_abandoned;
    pthread_mutex_unlock(&s->lock);
    if (!is_waited_for) {
        loop_post(s->loop, &end->message);
    }
}

void store_close(struct store *s, void (*on_closed)(void *ctx), void *ctx)
{
    s->on_closed = on_closed;
    s->closed_ctx = ctx;
    loop_expect(s->loop, 1);
    hand_over(s);
    tell_to_end(s);
}

void store_accept(struct store *s, struct store_accept *a)
{
    submit(s, &s->turn_writes, &a->item, REQUEST_ACCEPT);
}

void store_audit_put(struct store *s, struct store_audit_put *p)
{
    submit(s, &s->turn_writes, &p->item, REQUEST_AUDIT_PUT);
}

void store_finish(struct store *s, struct store_finish *f)
{
    f->wanted.state = f->state;
    f->wanted.reason = f->reason;
    submit(s, &s->turn_writes, &f->item, REQUEST_FINISH);
}

void store_time_mark(struct store *s, struct store_time *t)
{
    submit(s, &s->turn_writes, &t->item, REQUEST_TIME_MARK);
}

void store_time_step(struct store *s, struct store_time *t)
{
    submit(s, &s->turn_writes, &t->item, REQUEST_TIME_STEP);
}

void store_lease(struct store *s, struct store_lease *l)
{
    submit(s, &s->turn_writes, &l->item, REQUEST_LEASE);
}

void store_due(struct store *s, struct store_due *d)
{
    submit(s, &s->turn_writes, &d->item, REQUEST_DUE);
}

void store_targets(struct store *s, struct store_targets *t)
{
    submit(s, &s->turn_writes, &t->item, REQUEST_TARGETS);
}

void store_generation_put(struct store *s, struct store_generation *g)
{
    submit(s, &s->turn_writes, &g->item, REQUEST_GENERATION_PUT);
}

void store_generation_get(struct store *s, struct store_generation *g)
{
    submit(s, &s->turn_reads, &g->item, REQUEST_GENERATION_GET);
}

void store_workflow_put(struct store *s, struct store_workflow_put *p)
{
    submit(s, &s->turn_writes, &p->item, REQUEST_WORKFLOW_PUT);
}

void store_workflows(struct store *s, struct store_workflows *q)
{
    submit(s, &s->turn_writes, &q->item, REQUEST_WORKFLOWS);
}

void store_workflow_step(struct store *s, struct store_workflow_step *q)
{
    submit(s, &s->turn_writes, &q->item, REQUEST_WORKFLOW_STEP);
}

void store_retain(struct store *s, struct store_retain *q)
{
    submit(s, &s->turn_spare, &q->item, REQUEST_RETAIN);
}

void store_erase(struct store *s, struct store_erase *q)
{
    submit(s, &s->turn_spare, &q->item, REQUEST_ERASE);
}

void store_scrub(struct store *s, struct store_scrub *q)
{
    submit(s, &s->turn_spare, &q->item, REQUEST_SCRUB);
}

void store_mark_forget(struct store *s, struct store_mark_forget *q)
{
    submit(s, &s->turn_writes, &q->item, REQUEST_MARK_FORGET);
}

void store_act(struct store *s, struct store_act *a)
{
    submit(s, &s->turn_writes, &a->item, REQUEST_ACT);
}

void store_slots_put(struct store *s, struct store_slots *q)
{
    submit(s, &s->turn_writes, &q->item, REQUEST_SLOTS_PUT);
}

void store_slots_get(struct store *s, struct store_slots *q)
{
    submit(s, &s->turn_writes, &q->item, REQUEST_SLOTS_GET);
}

void store_notice_put(struct store *s, struct store_notice_put *p)
{
    submit(s, &s->turn_writes, &p->item, REQUEST_NOTICE_PUT);
}

void store_notices(struct store *s, struct store_notices *q)
{
    submit(s, &s->turn_writes, &q->item, REQUEST_NOTICES);
}

void store_pause_put(struct store *s, struct store_pause_put *p)
{
    submit(s, &s->turn_writes, &p->item, REQUEST_PAUSE_PUT);
}

void store_pause_step(struct store *s, struct store_pause_step *q)
{
    submit(s, &s->turn_writes, &q->item, REQUEST_PAUSE_STEP);
}

void store_pauses(struct store *s, struct store_pauses *q)
{
    submit(s, &s->turn_writes, &q->item, REQUEST_PAUSES);
}

void store_token_put(struct store *s, struct store_token_put *p)
{
    submit(s, &s->turn_writes, &p->item, REQUEST_TOKEN_PUT);
}

void store_token_revoke(struct store *s, struct store_token_revoke *q)
{
    submit(s, &s->turn_writes, &q->item, REQUEST_TOKEN_REVOKE);
}

void store_token_used(struct store *s, struct store_token_used *q)
{
    submit(s, &s->turn_writes, &q->item, REQUEST_TOKEN_USED);
}

void store_tokens(struct store *s, struct store_tokens *q)
{
    submit(s, &s->turn_writes, &q->item, REQUEST_TOKENS);
}

void store_read(struct store *s, struct store_read *r)
{
    submit(s, &s->turn_reads, &r->item, REQUEST_READ);
}

uint64_t store_last_id(const struct store *s)
{
    return s->last_id;
}

uint64_t store_epoch(const struct store *s)
{
    return s->epoch;
}

int64_t store_owed_count(const struct store *s)
{
    return s->owed_counts.all;
}

void store_owed_states(const struct store *s, struct store_owed_states *out)
{
    const struct owed_counts *c = &s->owed_counts;
    *out = (struct store_owed_states){.count = {[DELIVERY_PENDING] = c->all - c->retrying - c->held,
                                                [DELIVERY_RETRYING] = c->retrying,
                                                [DELIVERY_HELD] = c->held},
                                      .cancelled = c->cancelled,
                                      .superseded = c->superseded};
}

const char *store_trouble(const struct store *s)
{
    return s->trouble[0] ? s->trouble : NULL;
}

void store_commits(struct store *s, struct histogram *out)
{
    pthread_mutex_lock(&s->lock);
    *out = s->commits;
    pthread_mutex_unlock(&s->lock);
}

int64_t store_memory_bytes(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    int64_t bytes = s->writer_bytes + s->reader_bytes;
    pthread_mutex_unlock(&s->lock);
    return bytes;
}

int64_t store_size_bytes(const struct store *s)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    int64_t bytes = 0;
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char path[FILE_PATH_MAX];
        struct stat st;
        snprintf(path, sizeof path, "%s%s", s->db_path, suffixes[i]);
        bytes += stat(path, &st) == 0 ? st.st_size : 0;
    }
    return bytes;
}

int64_t store_free_bytes(struct store *s)
{
    int64_t now_ms = loop_now_ms(s->loop, LOOP_REAL_TIME);
    if (!s->is_free_known || now_ms - s->free_looked_at_ms >= FREE_LOOK_MS) {
        struct statvfs fs;
        s->free_bytes = statvfs(s->dir, &fs) == 0 ? (int64_t)(fs.f_bavail * fs.f_frsize) : 0;
        s->free_looked_at_ms = now_ms;
        s->is_free_known = true;
    }
    return s->free_bytes;
}
