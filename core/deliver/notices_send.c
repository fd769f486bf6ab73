// Notices on their way: one mail at a time, about one target or workflow, or about many where many
// have something to tell. What is in it stays in the store until the mail server has taken it.
#include <stdio.h>
#include <stdlib.h>

#include "base/id.h"
#include "deliver/notices_internal.h"
#include "encode/mail.h"

enum {
    MAIL_MAX_BYTES = 1 << 20,
    MAIL_ARENA_MAX_BYTES = 1 << 20,
    MAIL_TO_MAX = 100,
    MAIL_TOPICS_MAX = 200,     // in one mail
    MAIL_ALONE_MAX = 20,       // with more to tell they go together
    MAIL_WINDOW_MAX = 20,      // mails in 15 minutes
    MAIL_RETRY_MS = 15 * 1000, // after the first failure, doubling
    MAIL_RETRY_MAX_MS = 15 * 60 * 1000
};

// --- whom to send it -----------------------------------------------------------------------------

static void mail_add_to(struct smtp_send *s, struct str *to, struct str address)
{
    for (size_t i = 0; i < s->to_count; i++) {
        if (str_eq_nocase(to[i], address)) {
            return;
        }
    }
    if (s->to_count < MAIL_TO_MAX) {
        to[s->to_count++] = address;
    }
}

static void mail_add_workflow(struct notices *n, struct str *to, struct str id)
{
    const struct generation *g = engine_generation(n->config.engine);
    const struct generation_workflow *w = g ? generation_find(g, id) : NULL;
    for (size_t i = 0; w && w->rule && i < w->rule->notify_count; i++) {
        struct str kept = arena_dup(&n->mail_arena, w->rule->notify[i]);
        if (kept.data) {
            mail_add_to(&n->send, to, kept);
        }
    }
}

static int mail_address_all(struct notices *n, struct topic *const *topics, size_t count)
{
    struct str *to = arena_alloc(&n->mail_arena, MAIL_TO_MAX * sizeof *to);
    if (to == NULL) {
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < n->config.admin_count; i++) {
        mail_add_to(&n->send, to, n->config.admins[i]);
    }
    for (size_t i = 0; i < count; i++) {
        for (int kind = 0; kind < NOTICE_KINDS; kind++) {
            const struct notice *one = topics[i]->kinds[kind];
            struct str left = one && one->in_mail ? buf_str(&one->workflows) : (struct str){"", 0};
            while (left.len) {
                const char *end = memchr(left.data, '\n', left.len);
                size_t len = end ? (size_t)(end - left.data) : left.len;
                mail_add_workflow(n, to, (struct str){left.data, len});
                len += end != NULL;
                left = (struct str){left.data + len, left.len - len};
            }
        }
    }
    n->send.to = to;
    return 0;
}

// --- one mail ------------------------------------------------------------------------------------

static int mail_write_message(struct notices *n, struct topic *const *topics, size_t count)
{
    struct buf subject, body;
    char id[64], made[ID_TEXT_LEN + 1];
    buf_init(&subject, 1024);
    buf_init(&body, MAIL_MAX_BYTES / 4);
    notice_write_subject(&subject, topics, count);
    notice_write_body(&body, topics, count);
    id_format(made, id_first_at(n->mail_at_ms));
    snprintf(id, sizeof id, "%s.%llu", made, (unsigned long long)++n->mail_count);
    struct mail_message m = {.from_name = n->from_name,
                             .from = n->from,
                             .to = n->send.to,
                             .to_count = n->send.to_count,
                             .id = str_from(id),
                             .at_ms = n->mail_at_ms,
                             .subject = buf_str(&subject),
                             .body = buf_str(&body)};
    buf_reset(&n->message);
    int code = mail_write(&n->message, &m);
    n->send.message = buf_str(&n->message);
    buf_fini(&subject);
    buf_fini(&body);
    return code;
}

static void mail_forget_password(struct notices *n)
{
    if (n->password) {
        explicit_bzero(n->password, strlen(n->password));
    }
    free(n->password);
    n->password = NULL;
}

static int mail_find_password(struct notices *n, struct err *e)
{
    struct str value;
    if (n->config.user == NULL) {
        return 0;
    }
    int code = secrets_get(n->config.secrets, n->config.password, &value, e);
    if (code == 0) {
        n->password = str_dup(value);
        code = n->password ? 0 : err_set(e, ERR_NOMEM, "out of memory");
    }
    return code;
}

// at_ms: the time when the mail was written, so that a slow mail server moves no digest.
static void mail_told(struct topic *t, int64_t at_ms)
{
    bool is_left = false, is_digest = true;
    bool is_going_on = t->kinds[NOTICE_FAILURE] && t->kinds[NOTICE_FAILURE]->is_open;
    for (int kind = 0; kind < NOTICE_KINDS; kind++) {
        struct notice *one = t->kinds[kind];
        is_left = is_left || (one && one->count > one->in_mail);
        if (one == NULL || one->in_mail == 0) {
            continue;
        }
        one->count -= one->in_mail;
        is_digest = is_digest && !one->is_urgent_in_mail;
        one->in_mail = 0;
        one->is_urgent_in_mail = false;
        if (kind >= NOTICE_INVALID) { // of a workflow the digest counts as telling
            one->told_at_ms = at_ms;
        }
        if (one->count == 0) {
            buf_reset(&one->text);
            buf_reset(&one->workflows);
        }
        one->is_dirty = true;
        notice_save(one);
    }
    t->told_at_ms = at_ms;
    if (is_digest && is_going_on) {
        t->gap_ms = t->gap_ms * 2 < NOTICE_GAP_MAX_MS ? t->gap_ms * 2 : NOTICE_GAP_MAX_MS;
    }
    t->digest_at_ms = is_left ? at_ms + t->gap_ms : 0;
}

// It was in a mail that was not sent.
static void mail_give_back(struct notice *one)
{
    one->in_mail = 0;
    one->is_urgent = one->is_urgent || one->is_urgent_in_mail;
    one->is_urgent_in_mail = false;
}

// The mail has ended: told, or all of it is still to be told.
static void mail_end(struct notices *n, int code, const char *why)
{
    int64_t now_ms = notices_now_ms(n);
    size_t at = 0;
    void *value;
    while (map_next(&n->topics, &at, NULL, &value)) {
        struct topic *t = value;
        if (t->is_in_mail) {
            t->is_in_mail = false;
            t->tried_at_ms = now_ms;
            if (code == 0) {
                mail_told(t, n->mail_taken_ms);
            }
            for (int kind = 0; kind < NOTICE_KINDS; kind++) {
                if (t->kinds[kind]) {
                    mail_give_back(t->kinds[kind]);
                }
            }
        }
    }
    if (code == 0) {
        n->failed_in_row = 0;
        n->retry_at_ms = 0;
        n->window_count++;
    } else {
        int64_t wait_ms = (int64_t)MAIL_RETRY_MS << (n->failed_in_row < 6 ? n->failed_in_row : 6);
        wait_ms = wait_ms < MAIL_RETRY_MAX_MS ? wait_ms : MAIL_RETRY_MAX_MS;
        n->failed_in_row++;
        n->retry_at_ms = now_ms + wait_ms;
        log_warn(n->config.log, "a mail could not be sent (%s); it is tried again in %lld s", why,
                 (long long)(wait_ms / 1000));
    }
    mail_forget_password(n);
    arena_fini(&n->mail_arena);
}

static void mail_on_sent(struct smtp_send *s)
{
    struct notices *n = s->ctx;
    n->is_sending = false;
    mail_end(n, s->code, s->err.text);
    if (n->is_stopping) {
        loop_timer_start(&n->stop_timer, 0);
    } else {
        notices_pump(n);
    }
}

static void mail_take(struct notice *one)
{
    one->in_mail = one->count;
    one->is_urgent_in_mail = one->is_urgent;
    one->is_urgent = false; // one that comes meanwhile is of the next mail
}

static void mail_send(struct notices *n, struct topic *const *topics, size_t count)
{
    struct err e = {0};
    n->mail_at_ms = notices_wall_ms(n);
    n->mail_taken_ms = notices_now_ms(n);
    for (size_t i = 0; i < count; i++) {
        topics[i]->is_in_mail = true;
        for (int kind = 0; kind < NOTICE_KINDS; kind++) {
            if (topics[i]->kinds[kind]) {
                mail_take(topics[i]->kinds[kind]);
            }
        }
    }
    arena_init(&n->mail_arena, MAIL_ARENA_MAX_BYTES);
    n->send = (struct smtp_send){.loop = n->config.loop,
                                 .server = n->config.server,
                                 .tls = n->config.tls,
                                 .user = n->config.user,
                                 .from = n->from,
                                 .on_done = mail_on_sent,
                                 .ctx = n};
    int code = mail_find_password(n, &e);
    n->send.password = n->password;
    if (code == 0 && (mail_address_all(n, topics, count) || mail_write_message(n, topics, count) ||
                      smtp_send(&n->send))) {
        code = err_set(&e, ERR_NOMEM, "out of memory");
    }
    n->is_sending = code == 0;
    if (code) {
        mail_end(n, code, e.text);
    }
}

// --- when ----------------------------------------------------------------------------------------

// When a topic has something to tell; INT64_MAX: nothing.
static int64_t topic_due_ms(const struct topic *t)
{
    int64_t due_ms = INT64_MAX;
    for (int kind = 0; kind < NOTICE_KINDS; kind++) {
        const struct notice *one = t->kinds[kind];
        if (one && one->count && one->is_urgent) {
            return 0;
        }
        if (one && one->count) {
            due_ms = t->digest_at_ms;
        }
    }
    return due_ms;
}

// Puts those that are due into topics, the one that was tried the longest ago first. Returns how
// many are due; *next_ms is when the next one is.
static size_t notices_collect(struct notices *n, int64_t now_ms, struct topic **topics,
                              int64_t *next_ms)
{
    size_t count = 0, at = 0;
    void *value;
    *next_ms = INT64_MAX;
    while (map_next(&n->topics, &at, NULL, &value)) {
        struct topic *t = value;
        int64_t due_ms = topic_due_ms(t);
        if (due_ms > now_ms) {
            *next_ms = due_ms < *next_ms ? due_ms : *next_ms;
            continue;
        }
        if (count < MAIL_TOPICS_MAX) {
            topics[count] = t;
            if (t->tried_at_ms < topics[0]->tried_at_ms) {
                topics[count] = topics[0];
                topics[0] = t;
            }
        }
        count++;
    }
    return count;
}

void notices_pump(struct notices *n)
{
    struct topic *topics[MAIL_TOPICS_MAX];
    int64_t now_ms = notices_now_ms(n);
    int64_t next_ms;
    if (n->is_sending || n->is_stopping || !n->is_loaded) {
        return;
    }
    if (now_ms - n->window_at_ms >= NOTICE_GAP_MS) {
        n->window_at_ms = now_ms;
        n->window_count = 0;
        notices_prune(n, now_ms);
    }
    int64_t free_ms =
        n->window_count < MAIL_WINDOW_MAX ? n->retry_at_ms : n->window_at_ms + NOTICE_GAP_MS;
    size_t count = notices_collect(n, now_ms, topics, &next_ms);
    if (count && now_ms >= free_ms) {
        count = count < MAIL_TOPICS_MAX ? count : MAIL_TOPICS_MAX;
        mail_send(n, topics, count > MAIL_ALONE_MAX ? count : 1);
        if (n->is_sending) {
            return;
        }
        free_ms = n->retry_at_ms;
    }
    next_ms = count ? free_ms : next_ms < free_ms ? free_ms : next_ms;
    if (next_ms < INT64_MAX) {
        loop_timer_start(&n->timer, next_ms > now_ms ? next_ms - now_ms : 0);
    }
}

static void notices_on_timer(void *ctx)
{
    notices_pump(ctx);
}

void notices_send_init(struct notices *n)
{
    loop_timer_init(&n->timer, n->config.loop, LOOP_HOST_TIME, notices_on_timer, n);
    buf_init(&n->message, MAIL_MAX_BYTES);
}

void notices_send_fini(struct notices *n)
{
    mail_forget_password(n);
    buf_fini(&n->message);
}
