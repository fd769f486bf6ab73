// hookline verify: opens the file to read, and runs the checks one after another within one
// transaction. Each is a pass over its rows in the order of their keys, with look-ups by key
// beside, so memory does not grow with the rows.
#include "store/sqlite/verify.h"

#include "base/id.h"
#include "store/sqlite/database.h"
#include "store/sqlite/internal.h"
#include "store/verify.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    PROGRESS_OPCODES = 200000, // of SQLite's machine: some milliseconds
    SQL_MAX_BYTES = 64 * 1024,
    SUBJECT_MAX = 512,
    FILE_CHECKS = 2 // beside those of the table
};

struct verify {
    struct store_verify *request;
    sqlite3 *db;
    char *path;
    struct verify_lookup *lookup;
    struct buf sql;
    struct store_verify_check now;
    unsigned number, count; // the check under way, of all
};

static int on_opcodes(void *ctx)
{
    struct verify *v = ctx;
    v->request->on_progress(v->request->ctx, v->now.name, v->number, v->count);
    return 0;
}

static void begin(struct verify *v, const char *name)
{
    v->now = (struct store_verify_check){.name = name};
    v->number++;
    if (v->request->on_progress) {
        on_opcodes(v);
    }
}

static void tell(struct verify *v, const char *subject, const char *words)
{
    if (v->now.faults++ < STORE_VERIFY_SHOWN_MAX) {
        v->request->on_fault(v->request->ctx, v->now.name, subject, words);
    }
}

// What SQLite itself stumbled upon ends a part of a check, not the rest.
static void tell_fault(struct verify *v)
{
    char words[ERR_TEXT_MAX];
    snprintf(words, sizeof words, "cannot be looked at to the end: %s", sqlite3_errmsg(v->db));
    tell(v, "", words);
}

static void end(struct verify *v)
{
    v->request->faults += v->now.faults;
    v->request->on_check(v->request->ctx, &v->now);
}

// --- the file ----------------------------------------------------------------------------------

// SQLite's own look: pages, trees, indexes beside their tables, and what a column may hold.
static void check_pages(struct verify *v)
{
    sqlite3_stmt *s = NULL;
    begin(v, "pages");
    int rc = sqlite3_prepare_v2(v->db, "PRAGMA integrity_check(1000)", -1, &s, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        const char *words = (const char *)sqlite3_column_text(s, 0);
        if (words && strcmp(words, "ok") != 0) {
            tell(v, "", words);
        }
        rc = SQLITE_OK;
    }
    if (rc != SQLITE_DONE) {
        tell_fault(v);
    }
    sqlite3_finalize(s);
    if (sqlite3_prepare_v2(v->db, "PRAGMA page_count", -1, &s, NULL) == SQLITE_OK &&
        sqlite3_step(s) == SQLITE_ROW) {
        v->now.rows = sqlite3_column_int64(s, 0);
    }
    sqlite3_finalize(s);
    end(v);
}

static void check_statements(struct verify *v, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sqlite3_stmt *s = NULL;
        if (sqlite3_prepare_v2(v->db, texts[i], -1, &s, NULL) != SQLITE_OK) {
            tell(v, "", sqlite3_errmsg(v->db));
        }
        sqlite3_finalize(s);
    }
    v->now.rows += (int64_t)count;
}

// Tables, columns and indexes are there as far as the host's own statements name them.
static void check_schema(struct verify *v)
{
    begin(v, "statements of the host");
    counts_function(v->db, NULL);
    check_statements(v, WRITE_STATEMENTS, WRITE_STATEMENT_COUNT);
    check_statements(v, READ_STATEMENTS, READ_STATEMENT_COUNT);
    end(v);
}

// --- the rows ----------------------------------------------------------------------------------

static void count_rows(struct verify *v, const char *sql)
{
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(v->db, sql, -1, &s, NULL) == SQLITE_OK &&
        sqlite3_step(s) == SQLITE_ROW) {
        v->now.rows = sqlite3_column_int64(s, 0);
    } else {
        tell_fault(v);
    }
    sqlite3_finalize(s);
}

// SELECT subject, CASE WHEN condition THEN words ... END of all rows for which there are words.
static const char *part_sql(struct verify *v, const struct verify_part *part)
{
    buf_reset(&v->sql);
    buf_printf(&v->sql, "SELECT %s, CASE", part->subject);
    for (const struct verify_rule *r = part->rules; r->condition; r++) {
        buf_printf(&v->sql, " WHEN %s THEN %s", r->condition, r->words);
    }
    buf_printf(&v->sql, " END AS fault FROM %s WHERE fault IS NOT NULL", part->from);
    buf_append_char(&v->sql, '\0');
    return v->sql.failed ? "" : v->sql.data;
}

static void check_part(struct verify *v, const struct verify_part *part)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(v->db, part_sql(v, part), -1, &s, NULL);
    while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        char subject[SUBJECT_MAX];
        const char *words = (const char *)sqlite3_column_text(s, 0);
        char id[ID_TEXT_LEN + 1];
        id_format(id, column_id(s, 0));
        snprintf(subject, sizeof subject, "%s%s", part->prefix ? part->prefix : "",
                 part->prefix ? id
                 : words      ? words
                              : "");
        words = (const char *)sqlite3_column_text(s, 1);
        tell(v, subject, words ? words : "out of memory");
        rc = SQLITE_OK;
    }
    if (rc != SQLITE_DONE) {
        tell_fault(v);
    }
    sqlite3_finalize(s);
}

static void check_rows(struct verify *v, const struct verify_check *check)
{
    begin(v, check->name);
    count_rows(v, check->count);
    for (size_t i = 0; i < VERIFY_PARTS_MAX && check->parts[i].rules; i++) {
        check_part(v, &check->parts[i]);
    }
    end(v);
}

// --- the whole ---------------------------------------------------------------------------------

static int open_file(struct verify *v, struct err *e)
{
    v->path = database_path(v->request->dir, "hookline.db");
    int code = v->path ? database_open(v->path, &v->db, e) : err_set(e, ERR_NOMEM, "out of memory");
    if (code == ERR_NOT_FOUND) {
        err_set(e, ERR_NOT_FOUND,
                "%s is not there: name the folder of the host's state with --data", v->path);
    }
    return code;
}

static int look_at_version(struct verify *v, struct err *e)
{
    int64_t version = 0;
    int code = database_version(v->db, v->path, &version, e);
    if (code == 0 && version != STORE_SCHEMA_VERSION) {
        code = err_set(e, ERR_VERSION, "%s has schema %lld, and this hookline looks at %d: %s",
                       v->path, (long long)version, STORE_SCHEMA_VERSION,
                       version < STORE_SCHEMA_VERSION ? "hookline serve takes it there"
                                                      : "a newer hookline wrote it");
    }
    return code;
}

static int run_checks(struct verify *v, struct err *e)
{
    int code = look_at_version(v, e);
    if (code == 0) {
        code = verify_lookup_new(&v->lookup, v->db, e);
    }
    if (code != 0) {
        return code;
    }
    v->count = FILE_CHECKS;
    for (const struct verify_check *check = VERIFY_CHECKS; check->name; check++) {
        v->count++;
    }
    if (v->request->on_progress) {
        sqlite3_progress_handler(v->db, PROGRESS_OPCODES, on_opcodes, v);
    }
    check_pages(v);
    check_schema(v);
    for (const struct verify_check *check = VERIFY_CHECKS; check->name; check++) {
        check_rows(v, check);
    }
    return 0;
}

int store_verify(struct store_verify *request, struct err *e)
{
    struct verify v = {.request = request};
    buf_init(&v.sql, SQL_MAX_BYTES);
    request->faults = 0;
    int code = open_file(&v, e);
    if (code == 0) {
        code = run_checks(&v, e);
    }
    verify_lookup_free(v.lookup);
    sqlite3_close(v.db);
    buf_fini(&v.sql);
    free(v.path);
    return code;
}
