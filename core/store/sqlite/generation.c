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

enum { TEXT_NONE = 0 }; // in the place of a text's id: the file is gone

static int file_put(struct writer *w, uint64_t generation, const struct store_file *f)
{
    int64_t text = TEXT_NONE;
    int rc = f->text.data ? text_id(w, f->text, &text) : SQLITE_OK;
    if (rc == SQLITE_OK) {
        sqlite3_stmt *s = w->stmts[WRITE_GENERATION_FILE];
        bind_id(s, 1, generation);
        bind_text(s, 2, f->path);
        bind_int(s, 3, text);
        rc = statement_run(s);
    }
    return rc;
}

int generation_put_run(struct writer *w, struct store_generation *g)
{
    g->code = 0;
    int rc = SQLITE_OK;
    sqlite3_stmt *s;
    if (!g->is_begun) { // one that a crash left unfinished
        s = w->stmts[WRITE_GENERATION_CLEAR];
        bind_id(s, 1, g->id);
        rc = statement_run(s);
    }
    for (size_t i = 0; i < g->file_count && rc == SQLITE_OK; i++) {
        rc = file_put(w, g->id, &g->files[i]);
    }
    if (g->is_unfinished || rc != SQLITE_OK) {
        return rc;
    }
    s = w->stmts[WRITE_GENERATION];
    bind_id(s, 1, g->id);
    bind_int(s, 2, g->at_ms);
    rc = statement_run(s);
    for (size_t i = 0; i < g->base_count && rc == SQLITE_OK; i++) {
        s = w->stmts[WRITE_GENERATION_BASE];
        bind_id(s, 1, g->id);
        bind_text(s, 2, g->bases[i].path);
        bind_id(s, 3, g->bases[i].generation);
        rc = statement_run(s);
    }
    return rc;
}

static int fault_code(struct reader *r, int rc)
{
    return rc == SQLITE_OK ? 0 : fault_set(NULL, r->db, "", rc);
}

static int files_read(struct reader *r, struct store_generation *g)
{
    sqlite3_stmt *s = r->stmts[READ_GENERATION_FILES];
    bind_id(s, 1, g->id);
    size_t cap = 0;
    int code = 0, rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && code == 0) {
        struct store_file *files =
            grow_on_arena(g->arena, g->files, g->file_count, &cap, sizeof *files);
        if (!files) {
            code = ERR_TOO_LARGE;
            break;
        }
        g->files = files;
        struct store_file *f = &files[g->file_count++];
        f->path = column_dup(s, 0, g->arena);
        f->text = column_dup(s, 1, g->arena);
        code = f->path.data && f->text.data ? 0 : ERR_TOO_LARGE;
    }
    rc = statement_end(s, rc);
    return rc == SQLITE_OK ? code : fault_code(r, rc);
}

static int bases_read(struct reader *r, struct store_generation *g)
{
    sqlite3_stmt *s = r->stmts[READ_GENERATION_BASES];
    bind_id(s, 1, g->id);
    size_t cap = 0;
    int code = 0, rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && code == 0) {
        struct store_base *bases =
            grow_on_arena(g->arena, g->bases, g->base_count, &cap, sizeof *bases);
        if (!bases) {
            code = ERR_TOO_LARGE;
            break;
        }
        g->bases = bases;
        struct store_base *b = &bases[g->base_count++];
        *b = (struct store_base){column_dup(s, 0, g->arena), column_id(s, 1)};
        code = b->path.data ? 0 : ERR_TOO_LARGE;
    }
    rc = statement_end(s, rc);
    return rc == SQLITE_OK ? code : fault_code(r, rc);
}

static int generation_find(struct reader *r, struct store_generation *g)
{
    sqlite3_stmt *s = r->stmts[g->id ? READ_GENERATION : READ_GENERATION_AT];
    if (g->id) {
        bind_id(s, 1, g->id);
    } else {
        bind_int(s, 1, g->at_ms);
    }
    int rc = sqlite3_step(s);
    bool is_there = rc == SQLITE_ROW;
    g->id = is_there ? column_id(s, 0) : 0;
    g->at_ms = is_there ? sqlite3_column_int64(s, 1) : 0;
    return fault_code(r, statement_end(s, rc));
}

int generation_read(struct reader *r, struct store_generation *g)
{
    g->files = NULL;
    g->file_count = 0;
    g->bases = NULL;
    g->base_count = 0;
    int code = generation_find(r, g);
    if (code == 0 && g->id) {
        code = files_read(r, g);
    }
    return code == 0 && g->id ? bases_read(r, g) : code;
}
