// What the files of the notices share.
#ifndef DELIVER_NOTICES_INTERNAL_H
#define DELIVER_NOTICES_INTERNAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "deliver/notices.h"

enum notice_kind { // the numbers are stored
    NOTICE_FAILURE = 0,
    NOTICE_TERMINATION = 1,
    NOTICE_RECOVERY = 2,
    NOTICE_INVALID = 3,
    NOTICE_ERROR = 4,
    NOTICE_SUSPENSION = 5,
    NOTICE_LOOP = 6,
    NOTICE_KINDS
};

enum {
    NOTICE_GAP_MS = 15 * 60 * 1000,
    NOTICE_GAP_MAX_MS = 4 * 60 * 60 * 1000, // between the digests of what goes on and on
    NOTICE_TEXT_MAX = 8 * 1024,
    NOTICE_WORKFLOWS_MAX = 2 * 1024,
    NOTICE_TOPICS_MAX = 1000, // beyond them all go into one
    NOTICE_SAVE_MS = 1000     // what was only counted
};

struct notice { // of one kind about one topic
    struct topic *topic;
    enum notice_kind kind;
    bool is_open;
    bool is_urgent;
    int64_t count;   // not told yet
    int64_t in_mail; // of them in the mail that is under way
    bool is_urgent_in_mail;
    int64_t first_at_ms; // wall, as is last_at_ms: they are shown
    int64_t last_at_ms;
    int64_t told_at_ms; // notices_now_ms, as is all below by which mails go
    struct buf text;
    struct buf workflows;
    // its row:
    bool is_stored;
    bool is_dirty;
    bool is_putting;
    bool is_asked; // to be put as soon as that is done
    struct store_notice_put put;
    char *put_text;
};

struct topic { // a target or a workflow
    struct notices *notices;
    struct notice *kinds[NOTICE_KINDS];
    int64_t digest_at_ms; // 0: nothing waits for it
    int64_t gap_ms;       // from the last mail to the next digest
    int64_t told_at_ms;
    int64_t tried_at_ms;
    bool is_in_mail;
    size_t key_len;
    char key[]; // "https://host:443", a workflow's id, or NOTICE_OTHERS
};
#define NOTICE_OTHERS "*"

struct notices {
    struct notices_config config;
    struct str from_name;
    struct str from;
    struct map topics;
    struct store_notices load;
    struct arena load_arena;
    bool is_loaded;
    int64_t wall_ahead_ms; // wall time minus monotonic time, at the start
    struct loop_timer save_timer;
    // the mail that is under way
    bool is_sending;
    struct smtp_send send;
    struct arena mail_arena;
    struct buf message;
    char *password;
    uint64_t mail_count;   // for message ids
    int64_t mail_at_ms;    // when the one under way was written: wall
    int64_t mail_taken_ms; // and notices_now_ms
    // when the next may go
    struct loop_timer timer;
    int failed_in_row;
    int64_t retry_at_ms; // 0: at once
    int64_t window_at_ms;
    int window_count;
    bool is_stopping;
    void (*on_stopped)(void *ctx);
    void *stopped_ctx;
    struct loop_timer stop_timer;
};

// The wall time, but that nobody sets it while the host runs. Not the running time, which stands
// still in a pause of everything: rules run on then, and what goes wrong is to be told.
static inline int64_t notices_now_ms(const struct notices *n)
{
    return clock_mono_ms(loop_clock(n->config.loop)) + n->wall_ahead_ms;
}

static inline int64_t notices_wall_ms(const struct notices *n)
{
    return clock_wall_ms(loop_clock(n->config.loop));
}

static inline bool topic_is_workflow(const struct topic *t)
{
    return memmem(t->key, t->key_len, "://", 3) == NULL && strcmp(t->key, NOTICE_OTHERS) != 0;
}

// --- notices.c
void notice_save(struct notice *one);                  // what has changed goes to the store
void notices_prune(struct notices *n, int64_t now_ms); // what nobody needs any more

// --- notices_send.c
void notices_pump(struct notices *n); // sends what is to be told now, or waits for when it is
void notices_send_init(struct notices *n);
void notices_send_fini(struct notices *n);

// --- notices_text.c
void notice_write_failure(struct buf *out, const struct notice_failure *f);
void notice_write_run(struct buf *out, const struct store_event *ev, const struct store_run *run,
                      enum notice_kind kind);
void notice_write_subject(struct buf *out, struct topic *const *topics, size_t count);
void notice_write_body(struct buf *out, struct topic *const *topics, size_t count);

#endif
