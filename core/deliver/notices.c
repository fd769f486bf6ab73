#include "deliver/notices_internal.h"

#include <stdlib.h>

#include "encode/mail.h"

enum { NOTICES_LOAD_MAX_BYTES = 64 << 20 };

// --- topics and what is counted of them ----------------------------------------------------------

static struct topic *topic_get(struct notices *n, struct str key)
{
    struct topic *t = map_get(&n->topics, key);
    if (t == NULL && n->topics.count >= NOTICE_TOPICS_MAX) {
        key = STR(NOTICE_OTHERS);
        t = map_get(&n->topics, key);
    }
    if (t) {
        return t;
    }
    t = calloc(1, sizeof *t + key.len + 1);
    if (t == NULL) {
        return NULL;
    }
    memcpy(t->key, key.data, key.len);
    t->key_len = key.len;
    t->notices = n;
    t->gap_ms = NOTICE_GAP_MS;
    if (map_put(&n->topics, (struct str){t->key, key.len}, t)) {
        free(t);
        return NULL;
    }
    return t;
}

static struct notice *notice_get(struct notices *n, struct str key, enum notice_kind kind)
{
    struct topic *t = topic_get(n, key);
    struct notice *one = t ? t->kinds[kind] : NULL;
    if (t && one == NULL) {
        one = calloc(1, sizeof *one);
        if (one) {
            one->topic = t;
            one->kind = kind;
            buf_init(&one->text, NOTICE_TEXT_MAX);
            buf_init(&one->workflows, NOTICE_WORKFLOWS_MAX);
            t->kinds[kind] = one;
        }
    }
    if (one == NULL) {
        log_error(n->config.log, "out of memory: somebody is not told of " STR_FMT " by mail",
                  STR_ARG(key));
    }
    return one;
}

static void notice_free(struct notice *one)
{
    one->topic->kinds[one->kind] = NULL;
    buf_fini(&one->text);
    buf_fini(&one->workflows);
    free(one->put_text);
    free(one);
}

static bool notice_has_workflow(const struct notice *one, struct str id)
{
    struct str left = buf_str(&one->workflows);
    while (left.len) {
        const char *end = memchr(left.data, '\n', left.len);
        size_t len = end ? (size_t)(end - left.data) : left.len;
        if (str_eq((struct str){left.data, len}, id)) {
            return true;
        }
        len += end != NULL;
        left = (struct str){left.data + len, left.len - len};
    }
    return false;
}

// One more. Whether it is the first that waits to be told: its text is to be written then.
static bool notice_count(struct notice *one, struct str workflow, bool is_first)
{
    struct topic *t = one->topic;
    int64_t now_ms = notices_now_ms(t->notices), wall_ms = notices_wall_ms(t->notices);
    bool is_new = one->count == one->in_mail;
    bool is_late = one->told_at_ms == 0 || now_ms - one->told_at_ms >= NOTICE_GAP_MS;
    if (is_new) {
        one->first_at_ms = wall_ms;
    }
    one->count++;
    one->last_at_ms = wall_ms;
    if (workflow.len && !notice_has_workflow(one, workflow) &&
        one->workflows.len + workflow.len + 1 <= NOTICE_WORKFLOWS_MAX) {
        buf_append_str(&one->workflows, workflow);
        buf_append_char(&one->workflows, '\n');
    }
    if (is_first && is_late && !one->is_urgent) {
        one->is_urgent = true;
        one->told_at_ms = now_ms;
        t->gap_ms = NOTICE_GAP_MS;
        is_new = true;
    } else if (is_new && !one->is_urgent && t->digest_at_ms == 0) {
        int64_t at_ms = t->told_at_ms + t->gap_ms;
        t->digest_at_ms = at_ms > now_ms ? at_ms : now_ms + NOTICE_GAP_MS;
    }
    if (is_new) {
        buf_reset(&one->text);
    }
    return is_new;
}

// What was counted is on its way to the store, and to people.
static void notice_counted(struct notice *one, bool is_new)
{
    struct notices *n = one->topic->notices;
    one->is_dirty = true;
    if (is_new) {
        notice_save(one);
        notices_pump(n);
    } else if (!n->is_stopping && n->save_timer.node.index == 0) {
        loop_timer_start(&n->save_timer, NOTICE_SAVE_MS);
    }
}

// --- rows ----------------------------------------------------------------------------------------

static bool notice_is_empty(const struct notice *one, int64_t now_ms)
{
    return one->count == 0 && !one->is_open && now_ms - one->told_at_ms >= NOTICE_GAP_MS;
}

static void notice_on_put(struct store_notice_put *p)
{
    struct notice *one = p->ctx;
    struct notices *n = one->topic->notices;
    one->is_putting = false;
    free(one->put_text);
    one->put_text = NULL;
    if (p->code) {
        log_error(n->config.log, "a notice about %s could not be stored (%s)", one->topic->key,
                  err_word((enum err_code)p->code));
        one->is_dirty = true;
    } else {
        one->is_stored = !p->is_gone;
    }
    if (one->is_asked && p->code == 0 && !n->is_stopping) {
        notice_save(one);
    } else if (one->is_dirty && !n->is_stopping) {
        loop_timer_start(&n->save_timer, NOTICE_SAVE_MS);
    }
}

void notice_save(struct notice *one)
{
    struct notices *n = one->topic->notices;
    size_t text_len = one->text.len, workflows_len = one->workflows.len;
    if (one->is_putting || !n->is_loaded) {
        one->is_asked = true;
        return;
    }
    one->is_asked = false;
    one->put_text = malloc(text_len + workflows_len + 1);
    if (one->put_text == NULL) {
        return;
    }
    if (text_len) {
        memcpy(one->put_text, one->text.data, text_len);
    }
    if (workflows_len) {
        memcpy(one->put_text + text_len, one->workflows.data, workflows_len);
    }
    one->is_dirty = false;
    one->is_putting = true;
    one->put =
        (struct store_notice_put){.row = {.topic = {one->topic->key, one->topic->key_len},
                                          .kind = (int)one->kind,
                                          .is_open = one->is_open,
                                          .is_urgent = one->is_urgent || one->is_urgent_in_mail,
                                          .count = one->count,
                                          .first_at_ms = one->first_at_ms,
                                          .last_at_ms = one->last_at_ms,
                                          .told_at_ms = one->told_at_ms,
                                          .text = {one->put_text, text_len},
                                          .workflows = {one->put_text + text_len, workflows_len}},
                                  .is_gone = notice_is_empty(one, notices_now_ms(n)),
                                  .on_done = notice_on_put,
                                  .ctx = one};
    store_notice_put(n->config.store, &one->put);
}

static void notices_save_all(void *ctx)
{
    struct notices *n = ctx;
    size_t at = 0;
    void *value;
    while (map_next(&n->topics, &at, NULL, &value)) {
        struct topic *t = value;
        for (int kind = 0; kind < NOTICE_KINDS; kind++) {
            if (t->kinds[kind] && t->kinds[kind]->is_dirty) {
                notice_save(t->kinds[kind]);
            }
        }
    }
}

static bool topic_prune(struct topic *t, int64_t now_ms)
{
    bool is_empty = !t->is_in_mail;
    for (int kind = 0; kind < NOTICE_KINDS; kind++) {
        struct notice *one = t->kinds[kind];
        if (one && notice_is_empty(one, now_ms) && !one->is_putting && one->is_stored) {
            notice_save(one); // away with the row
        } else if (one && notice_is_empty(one, now_ms) && !one->is_putting) {
            notice_free(one);
        }
        is_empty = is_empty && t->kinds[kind] == NULL;
    }
    return is_empty;
}

void notices_prune(struct notices *n, int64_t now_ms)
{
    struct topic *gone[64];
    size_t count = 0, at = 0;
    void *value;
    while (count < sizeof gone / sizeof gone[0] && map_next(&n->topics, &at, NULL, &value)) {
        if (topic_prune(value, now_ms)) {
            gone[count++] = value;
        }
    }
    for (size_t i = 0; i < count; i++) {
        map_remove(&n->topics, (struct str){gone[i]->key, gone[i]->key_len});
        free(gone[i]);
    }
}

static void notice_take_row(struct notices *n, const struct store_notice *row)
{
    struct notice *one = row->kind >= 0 && row->kind < NOTICE_KINDS
                             ? notice_get(n, row->topic, (enum notice_kind)row->kind)
                             : NULL;
    if (one == NULL) {
        return;
    }
    struct topic *t = one->topic;
    one->is_stored = true;
    one->is_open = one->is_open || row->is_open;
    one->is_urgent = one->is_urgent || row->is_urgent;
    int64_t now_ms = notices_now_ms(n), told_at_ms = row->told_at_ms;
    told_at_ms = told_at_ms < now_ms ? told_at_ms : now_ms; // the clock may have been set
    one->told_at_ms = one->told_at_ms > told_at_ms ? one->told_at_ms : told_at_ms;
    if (row->count) {
        one->count += row->count;
        one->first_at_ms = row->first_at_ms;
        one->last_at_ms = one->last_at_ms > row->last_at_ms ? one->last_at_ms : row->last_at_ms;
        buf_reset(&one->text);
        buf_append_str(&one->text, row->text);
        buf_reset(&one->workflows);
        buf_append_str(&one->workflows, row->workflows);
        if (!one->is_urgent && t->digest_at_ms == 0) {
            int64_t age_ms = notices_wall_ms(n) - row->first_at_ms;
            age_ms = age_ms < 0 ? 0 : age_ms < NOTICE_GAP_MS ? age_ms : NOTICE_GAP_MS;
            t->digest_at_ms = now_ms + NOTICE_GAP_MS - age_ms;
        }
    }
    t->told_at_ms = t->told_at_ms > told_at_ms ? t->told_at_ms : told_at_ms;
}

static void notices_on_loaded(struct store_notices *q)
{
    struct notices *n = q->ctx;
    if (q->code) {
        log_error(n->config.log, "what is still to be told by mail could not be read (%s)",
                  err_word((enum err_code)q->code));
    }
    for (size_t i = 0; i < q->count; i++) {
        notice_take_row(n, &q->rows[i]);
    }
    arena_fini(&n->load_arena);
    n->is_loaded = true;
    notices_save_all(n);
    notices_pump(n);
}

// --- what happened -------------------------------------------------------------------------------

static bool notice_is_open(const struct notices *n, struct str key, enum notice_kind kind)
{
    const struct topic *t = map_get(&n->topics, key);
    return t && t->kinds[kind] && t->kinds[kind]->is_open;
}

bool notices_is_failing(const struct notices *n, struct str target)
{
    return n && notice_is_open(n, target, NOTICE_FAILURE);
}

void notices_failed(struct notices *n, const struct notice_failure *f)
{
    if (n == NULL) {
        return;
    }
    struct notice *failing = notice_get(n, f->target, NOTICE_FAILURE);
    struct notice *one = f->is_end ? notice_get(n, f->target, NOTICE_TERMINATION) : failing;
    if (failing == NULL || one == NULL) {
        return;
    }
    bool is_first = !one->is_open;
    one->is_open = true;
    if (!failing->is_open) { // it ended at the first attempt
        failing->is_open = true;
        failing->is_dirty = true;
        notice_save(failing);
    }
    bool is_new = notice_count(one, f->workflow, is_first);
    if (is_new) {
        notice_write_failure(&one->text, f);
    }
    notice_counted(one, is_new);
}

static void notice_end(struct topic *t, enum notice_kind kind)
{
    struct notice *one = t->kinds[kind];
    if (one && one->is_open) {
        one->is_open = false;
        one->is_dirty = true;
        notice_save(one);
    }
}

void notices_recovered(struct notices *n, struct str target, struct str workflow)
{
    struct topic *t = n ? map_get(&n->topics, target) : NULL;
    if (t == NULL || !notices_is_failing(n, target)) {
        return;
    }
    notice_end(t, NOTICE_FAILURE);
    notice_end(t, NOTICE_TERMINATION);
    struct notice *one = notice_get(n, target, NOTICE_RECOVERY);
    if (one) {
        notice_counted(one, notice_count(one, workflow, true));
    }
}

void notices_judged(struct notices *n, const struct store_event *ev, const struct store_run *run)
{
    bool is_invalid = false;
    if (n == NULL || run->was_marked) {
        return;
    }
    for (size_t i = 0; i < run->delivery_count; i++) {
        is_invalid = is_invalid || run->deliveries[i].state == DELIVERY_INVALID;
    }
    if (!is_invalid && run->outcome != RUN_ERROR) {
        return;
    }
    enum notice_kind kind = is_invalid ? NOTICE_INVALID : NOTICE_ERROR;
    struct notice *one = notice_get(n, run->workflow, kind);
    if (one) {
        bool is_new = notice_count(one, run->workflow, one->count == one->in_mail);
        if (is_new) {
            notice_write_run(&one->text, ev, run, kind);
        }
        notice_counted(one, is_new);
    }
}

static void notices_stopped(struct notices *n, struct str workflow, enum notice_kind kind,
                            struct str reason)
{
    struct notice *one = n ? notice_get(n, workflow, kind) : NULL;
    if (one) {
        bool is_new = notice_count(one, workflow, true);
        if (is_new) {
            buf_append_str(&one->text, reason);
            buf_append_char(&one->text, '\n');
        }
        notice_counted(one, is_new);
    }
}

void notices_suspended(struct notices *n, struct str workflow, struct str reason)
{
    notices_stopped(n, workflow, NOTICE_SUSPENSION, reason);
}

void notices_looping(struct notices *n, struct str workflow, struct str reason)
{
    notices_stopped(n, workflow, NOTICE_LOOP, reason);
}

// --- life ----------------------------------------------------------------------------------------

int notices_open(struct notices **out, const struct notices_config *c, struct err *e)
{
    struct notices *n = calloc(1, sizeof *n);
    if (n == NULL) {
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    n->config = *c;
    n->wall_ahead_ms = notices_wall_ms(n) - clock_mono_ms(loop_clock(c->loop));
    map_init(&n->topics);
    loop_timer_init(&n->save_timer, c->loop, LOOP_REAL_TIME, notices_save_all, n);
    notices_send_init(n);
    int code = mail_address_parse(str_from(c->from), &n->from_name, &n->from, e);
    if (code) {
        free(n);
        return code;
    }
    arena_init(&n->load_arena, NOTICES_LOAD_MAX_BYTES);
    n->load =
        (struct store_notices){.arena = &n->load_arena, .on_done = notices_on_loaded, .ctx = n};
    store_notices(c->store, &n->load);
    *out = n;
    return 0;
}

static void notices_on_stopped(void *ctx)
{
    struct notices *n = ctx;
    if (n->is_sending) {
        smtp_cancel(&n->send);
        return; // again when it has ended
    }
    notices_save_all(n);
    n->on_stopped(n->stopped_ctx);
}

void notices_stop(struct notices *n, void (*on_stopped)(void *ctx), void *ctx)
{
    n->is_stopping = true;
    n->on_stopped = on_stopped;
    n->stopped_ctx = ctx;
    loop_timer_stop(&n->save_timer);
    loop_timer_stop(&n->timer);
    loop_timer_init(&n->stop_timer, n->config.loop, LOOP_REAL_TIME, notices_on_stopped, n);
    loop_timer_start(&n->stop_timer, 0);
}

void notices_free(struct notices *n)
{
    if (n == NULL) {
        return;
    }
    size_t at = 0;
    void *value;
    while (map_next(&n->topics, &at, NULL, &value)) {
        struct topic *t = value;
        for (int kind = 0; kind < NOTICE_KINDS; kind++) {
            if (t->kinds[kind]) {
                notice_free(t->kinds[kind]);
            }
        }
        free(t);
    }
    map_fini(&n->topics);
    notices_send_fini(n);
    free(n);
}
