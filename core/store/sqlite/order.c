// Orders: of the deliveries with one key one is under way, the others wait for it. Who is under way
// is owed and waits for none; when it ends, the next one takes its place in the same transaction.
#include "store/sqlite/internal.h"

#include <stdio.h>

enum { ORDER_WORDS_MAX = 96 };

// "dlv_..." into words.
static struct str say(char words[ORDER_WORDS_MAX], const char *before, uint64_t id,
                      const char *behind)
{
    char text[ID_SHOWN_LEN + 1];
    id_show(text, ID_DELIVERY, id);
    snprintf(words, ORDER_WORDS_MAX, "%s%s%s", before, text, behind);
    return str_from(words);
}

int order_active(struct writer *w, struct str key, uint64_t but, uint64_t *id)
{
    sqlite3_stmt *s = w->stmts[WRITE_ORDER_ACTIVE];
    bind_text(s, 1, key);
    bind_id(s, 2, but);
    int rc = sqlite3_step(s);
    *id = rc == SQLITE_ROW ? column_id(s, 0) : 0;
    return statement_end(s, rc);
}

int order_wait(struct writer *w, uint64_t id, uint64_t active, bool is_latest)
{
    char words[ORDER_WORDS_MAX];
    sqlite3_stmt *s = w->stmts[WRITE_ORDER_WAIT];
    bind_id(s, 1, id);
    bind_text(s, 2, say(words, "", active, " goes first"));
    bind_int(s, 3, is_latest ? 2 : 1);
    return statement_run(s);
}

// Whether an attempt of it is under way only the host knows: it is due now, and is superseded when
// that is looked at.
static int hurry(struct writer *w, uint64_t id, struct arena *arena, struct store_outdated *out)
{
    sqlite3_stmt *s = w->stmts[WRITE_ORDER_HURRY];
    bind_id(s, 1, id);
    bind_int(s, 2, w->running_ms);
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        *out = (struct store_outdated){.id = id, .target = column_dup(s, 0, arena)};
        rc = sqlite3_step(s);
    }
    return statement_end(s, rc);
}

int order_enter(struct writer *w, const struct store_delivery *d, struct arena *arena,
                struct store_delivery *out)
{
    uint64_t active;
    int rc = order_active(w, d->order_key, d->id, &active);
    if (rc != SQLITE_OK || active == 0) {
        return rc;
    }
    out->is_waiting = true;
    if (d->is_latest) {
        char words[ORDER_WORDS_MAX];
        sqlite3_stmt *s = w->stmts[WRITE_ORDER_SUPERSEDE];
        bind_text(s, 1, d->order_key);
        bind_text(s, 2, say(words, "", d->id, " is newer"));
        bind_id(s, 3, d->id);
        rc = statement_run(s);
        rc = rc == SQLITE_OK ? hurry(w, active, arena, &out->outdated) : rc;
    }
    return rc == SQLITE_OK ? order_wait(w, d->id, active, d->is_latest) : rc;
}

int order_look_newer(struct writer *w, struct store_finish *f)
{
    sqlite3_stmt *s = w->stmts[WRITE_ORDER_NEWER];
    bind_text(s, 1, f->order_key);
    bind_id(s, 2, f->delivery);
    int rc = sqlite3_step(s);
    uint64_t newer = rc == SQLITE_ROW ? column_id(s, 0) : 0;
    if (newer) {
        char words[ORDER_WORDS_MAX];
        f->state = DELIVERY_SUPERSEDED;
        f->reason = arena_dup(f->arena, say(words, "", newer, " is newer"));
    }
    return statement_end(s, rc);
}

struct next { // who waits
    uint64_t id;
    struct str workflow; // borrowed until the statement moves
    struct store_freed freed;
};

static int find_next(struct writer *w, struct str key, int64_t now_ms, struct arena *arena,
                     struct next *out, struct held_back *as)
{
    sqlite3_stmt *s = w->stmts[WRITE_ORDER_NEXT];
    bind_text(s, 1, key);
    int rc = sqlite3_step(s);
    *out = (struct next){0};
    *as = (struct held_back){.state = DELIVERY_PENDING};
    if (rc == SQLITE_ROW) {
        int64_t due_at_ms = sqlite3_column_int64(s, 1);
        struct store_run run = {.workflow = column_str(s, 2)};
        out->id = column_id(s, 0);
        out->freed = (struct store_freed){.target = column_dup(s, 3, arena),
                                          .due_at_ms = due_at_ms > now_ms ? due_at_ms : now_ms};
        int held_rc = workflow_hold_back(w, &run, as);
        bool is_paused = false;
        if (held_rc == SQLITE_OK && as->state == DELIVERY_PENDING) {
            held_rc = pause_has(w, out->freed.target, &is_paused);
        }
        if (is_paused) {
            *as = (struct held_back){.state = DELIVERY_HELD, .reason = STR(STORE_PAUSED_REASON)};
        }
        rc = held_rc == SQLITE_OK ? rc : held_rc;
    }
    return statement_end(s, rc);
}

// As its workflow has it: due, held with it, or cancelled, and then the one behind it is next.
int order_release(struct writer *w, struct str key, int64_t now_ms, struct arena *arena,
                  struct store_freed *freed)
{
    struct next next;
    struct held_back as;
    int rc;
    *freed = (struct store_freed){0};
    do {
        rc = find_next(w, key, now_ms, arena, &next, &as);
        if (rc != SQLITE_OK || next.id == 0) {
            return rc;
        }
        bool is_cancelled = as.state == DELIVERY_CANCELLED;
        sqlite3_stmt *s = w->stmts[is_cancelled ? WRITE_CANCEL : WRITE_ORDER_FREE];
        bind_id(s, 1, next.id);
        if (is_cancelled) {
            bind_text_or_null(s, 2, as.reason);
        } else {
            if (as.state == DELIVERY_PENDING) {
                sqlite3_bind_null(s, 2);
                *freed = next.freed;
            } else {
                bind_int(s, 2, as.state);
            }
            bind_text_or_null(s, 3, as.reason);
            bind_int(s, 4, now_ms);
        }
        rc = statement_run(s);
    } while (rc == SQLITE_OK && as.state == DELIVERY_CANCELLED);
    return rc;
}
