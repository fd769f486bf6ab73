#include "store/sqlite/internal.h"

#include "store/grow.h"

// The same text under an earlier generation, or a new row. The hash finds it, the text decides.
static int text_id(struct writer *w, struct str text, int64_t *id)
{
    int64_t hash = (int64_t)hash_bytes(&HASH_KEY_FIXED, text.data, text.len);
    sqlite3_stmt *s = w->stmts[WRITE_RULE_TEXT_BY_HASH];
    bind_int(s, 1, hash);
    bind_blob(s, 2, text);
    int rc = sqlite3_step(s);
    bool is_there = rc == SQLITE_ROW;
    *id = is_there ? sqlite3_column_int64(s, 0) : 0;
    rc = statement_end(s, rc);
    if (rc != SQLITE_OK || is_there) {
        return rc;
    }
    s = w->stmts[WRITE_RULE_TEXT];
    bind_int(s, 1, hash);
    bind_blob(s, 2, text);
    rc = statement_run(s);
    *id = sqlite3_last_insert_rowid(w->db);
    return rc;
}

int generation_put_run(struct writer *w, struct store_generation *g)
{
    g->code = 0;
    sqlite3_stmt *s = w->stmts[WRITE_GENERATION];
    bind_id(s, 1, g->id);
    bind_int(s, 2, g->at_ms);
    int rc = statement_run(s);
    for (size_t i = 0; i < g->file_count && rc == SQLITE_OK; i++) {
        int64_t text;
        rc = text_id(w, g->files[i].text, &text);
        if (rc == SQLITE_OK) {
            s = w->stmts[WRITE_GENERATION_FILE];
            bind_id(s, 1, g->id);
            bind_text(s, 2, g->files[i].path);
            bind_int(s, 3, text);
            rc = statement_run(s);
        }
    }
    return rc;
}

static int files_read(struct writer *w, struct store_generation *g)
{
    sqlite3_stmt *s = w->stmts[WRITE_GENERATION_FILES];
    bind_id(s, 1, g->id);
    size_t cap = 0;
    int rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && g->code == 0) {
        struct store_file *files =
            grow_on_arena(g->arena, g->files, g->file_count, &cap, sizeof *files);
        if (!files) {
            g->code = ERR_TOO_LARGE;
            break;
        }
        g->files = files;
        struct store_file *f = &files[g->file_count++];
        f->path = column_dup(s, 0, g->arena);
        f->text = column_dup(s, 1, g->arena);
        if (!f->path.data || !f->text.data) {
            g->code = ERR_TOO_LARGE;
        }
    }
    return statement_end(s, rc);
}

int generation_last_run(struct writer *w, struct store_generation *g)
{
    g->code = 0;
    g->id = 0;
    g->at_ms = 0;
    g->files = NULL;
    g->file_count = 0;
    sqlite3_stmt *s = w->stmts[WRITE_GENERATION_LAST];
    int rc = sqlite3_step(s);
    bool is_there = rc == SQLITE_ROW;
    if (is_there) {
        g->id = column_id(s, 0);
        g->at_ms = sqlite3_column_int64(s, 1);
    }
    rc = statement_end(s, rc);
    return rc == SQLITE_OK && is_there ? files_read(w, g) : rc;
}
