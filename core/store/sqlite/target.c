#include "store/sqlite/internal.h"

#include <stdlib.h>

// Rules may compute callback URLs, so the number of targets has no natural bound.
enum { TARGET_CACHE_MAX = 4096 };

struct target_entry {
    int64_t id;
    char text[];
};

void target_forget_all(struct writer *w)
{
    size_t at = 0;
    struct str key;
    void *entry;
    while (map_next(&w->targets, &at, &key, &entry)) {
        free(entry);
    }
    map_fini(&w->targets);
    map_init(&w->targets);
}

// The cache is a help: without memory for it the next look-up goes to the table again.
static void remember(struct writer *w, struct str text, int64_t id)
{
    if (w->targets.count >= TARGET_CACHE_MAX) {
        target_forget_all(w);
    }
    struct target_entry *entry = malloc(sizeof *entry + text.len);
    if (!entry) {
        return;
    }
    entry->id = id;
    if (text.len > 0) {
        memcpy(entry->text, text.data, text.len);
    }
    if (map_put(&w->targets, (struct str){entry->text, text.len}, entry) != 0) {
        free(entry);
    }
}

int target_find(struct writer *w, struct str text, int64_t *id)
{
    const struct target_entry *known = map_get(&w->targets, text);
    if (known) {
        *id = known->id;
        return SQLITE_OK;
    }
    sqlite3_stmt *s = w->stmts[WRITE_TARGET_BY_TEXT];
    bind_text(s, 1, text);
    int rc = sqlite3_step(s);
    *id = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    rc = statement_end(s, rc);
    if (rc == SQLITE_OK && *id != 0) {
        remember(w, text, *id);
    }
    return rc;
}

int target_id(struct writer *w, struct str text, int64_t *id)
{
    int rc = target_find(w, text, id);
    if (rc != SQLITE_OK || *id != 0) {
        return rc;
    }
    bind_text(w->stmts[WRITE_TARGET], 1, text);
    rc = statement_run(w->stmts[WRITE_TARGET]);
    if (rc == SQLITE_OK) {
        *id = sqlite3_last_insert_rowid(w->db);
        remember(w, text, *id);
    }
    return rc;
}
