// Tokens: who may call the API.
#include "store/sqlite/internal.h"

#include "store/grow.h"

static int name_is_taken(struct writer *w, struct str name, bool *is_taken)
{
    sqlite3_stmt *s = w->stmts[WRITE_TOKEN_BY_NAME];
    bind_text(s, 1, name);
    int rc = sqlite3_step(s);
    *is_taken = rc == SQLITE_ROW;
    return statement_end(s, rc);
}

int token_put_run(struct writer *w, struct store_token_put *p)
{
    const struct store_token *row = &p->row;
    bool is_taken;
    int rc = name_is_taken(w, row->name, &is_taken);
    p->code = is_taken ? ERR_CONFLICT : 0;
    if (rc != SQLITE_OK || is_taken) {
        return rc;
    }
    sqlite3_stmt *s = w->stmts[WRITE_TOKEN];
    bind_id(s, 1, row->id);
    bind_text(s, 2, row->name);
    bind_int(s, 3, row->role);
    bind_blob(s, 4, row->hash);
    bind_int(s, 5, row->created_at_ms);
    bind_int(s, 6, row->expires_at_ms);
    bind_int(s, 7, row->last_used_at_ms);
    bind_int(s, 8, row->revoked_at_ms);
    bind_int(s, 9, row->rate_count);
    bind_int(s, 10, row->rate_ms);
    return statement_run(s);
}

int token_revoke_run(struct writer *w, struct store_token_revoke *q)
{
    sqlite3_stmt *s = w->stmts[WRITE_TOKEN_REVOKE];
    bind_id(s, 1, q->id);
    bind_int(s, 2, q->at_ms);
    int rc = statement_run(s);
    q->code = rc == SQLITE_OK && sqlite3_changes(w->db) == 0 ? ERR_NOT_FOUND : 0;
    return rc;
}

int token_used_run(struct writer *w, struct store_token_used *q)
{
    sqlite3_stmt *s = w->stmts[WRITE_TOKEN_USED];
    bind_id(s, 1, q->id);
    bind_int(s, 2, q->at_ms);
    q->code = 0;
    return statement_run(s);
}

// 0 or ERR_TOO_LARGE.
static int row_token(sqlite3_stmt *s, struct arena *arena, struct store_token *out)
{
    *out = (struct store_token){
        .id = column_id(s, 0),
        .name = column_dup(s, 1, arena),
        .role = (enum store_role)sqlite3_column_int(s, 2),
        .hash = column_dup(s, 3, arena),
        .created_at_ms = sqlite3_column_int64(s, 4),
        .expires_at_ms = sqlite3_column_int64(s, 5),
        .last_used_at_ms = sqlite3_column_int64(s, 6),
        .revoked_at_ms = sqlite3_column_int64(s, 7),
        .rate_count = sqlite3_column_int64(s, 8),
        .rate_ms = sqlite3_column_int64(s, 9),
    };
    return out->name.data && out->hash.data ? 0 : ERR_TOO_LARGE;
}

// One more row of an array on the arena. 0 or ERR_TOO_LARGE.
static int add_token(sqlite3_stmt *s, struct arena *arena, struct store_token **rows, size_t *count,
                     size_t *cap)
{
    struct store_token *grown = grow_on_arena(arena, *rows, *count, cap, sizeof *grown);
    if (!grown) {
        return ERR_TOO_LARGE;
    }
    *rows = grown;
    return row_token(s, arena, &grown[(*count)++]);
}

int tokens_run(struct writer *w, struct store_tokens *q)
{
    q->code = 0;
    q->rows = NULL;
    q->count = 0;
    size_t cap = 0;
    sqlite3_stmt *s = w->stmts[WRITE_TOKENS];
    int rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && q->code == 0) {
        q->code = add_token(s, q->arena, &q->rows, &q->count, &cap);
    }
    return statement_end(s, rc);
}

int read_tokens(struct reader *r, struct store_read *q)
{
    size_t cap = 0;
    int code = 0, rc;
    sqlite3_stmt *s = r->stmts[READ_TOKENS];
    bind_int(s, 1, q->before ? (int64_t)q->before : INT64_MAX);
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && code == 0) {
        if (q->count == q->limit) {
            q->next = q->tokens[q->count - 1].id;
            break;
        }
        code = add_token(s, q->arena, &q->tokens, &q->count, &cap);
    }
    rc = statement_end(s, rc);
    return rc == SQLITE_OK ? code : fault_set(NULL, r->db, "", rc);
}
