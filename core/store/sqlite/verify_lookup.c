// What the rules of verify_checks.c ask that SQL does not know: the host's own functions, and the
// runs of an event, which stand in its row as one text.
#include "store/sqlite/verify.h"

#include "base/hash.h"
#include "base/id.h"
#include "store/runs.h"
#include "store/sqlite/statement.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARENA_MAX_BYTES = 64 << 20, SCRATCH_MAX_BYTES = 16 << 20, WORDS_MAX = 256 };

struct verify_lookup {
    sqlite3_stmt *delivery;
    sqlite3_stmt *odd_run;
    sqlite3_stmt *generation;
    struct arena arena; // of one event's runs
    struct buf scratch;
};

static void say_shard(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    const void *key = sqlite3_value_text(values[0]);
    struct str order = {key ? key : "", key ? (size_t)sqlite3_value_bytes(values[0]) : 0};
    sqlite3_result_int(context, (int)store_shard(order, (uint64_t)sqlite3_value_int64(values[1])));
}

static void say_word(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    enum delivery_state state = (enum delivery_state)sqlite3_value_int(values[0]);
    sqlite3_result_text(context, delivery_state_word(state), -1, SQLITE_STATIC);
}

static void say_hash(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    const void *text = sqlite3_value_blob(values[0]);
    size_t len = (size_t)sqlite3_value_bytes(values[0]);
    sqlite3_result_int64(context, (int64_t)hash_bytes(&HASH_KEY_FIXED, text ? text : "", len));
}

// The delivery that a reason begins with; NULL: none.
static void say_named(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    const char *words = (const char *)sqlite3_value_text(values[0]);
    struct str reason = str_from(words ? words : "");
    uint64_t id;
    if (str_starts_with(reason, STR("dlv_")) && reason.len >= 4 + ID_TEXT_LEN &&
        id_parse((struct str){reason.data + 4, ID_TEXT_LEN}, &id) == 0) {
        sqlite3_result_int64(context, (int64_t)id);
    }
}

static struct str value_str(sqlite3_value *value)
{
    const char *text = (const char *)sqlite3_value_text(value);
    return (struct str){text ? text : "", text ? (size_t)sqlite3_value_bytes(value) : 0};
}

static int read_runs(struct verify_lookup *l, struct str text, struct store_run_row **runs,
                     size_t *count)
{
    arena_fini(&l->arena);
    arena_init(&l->arena, ARENA_MAX_BYTES);
    return runs_read(text, (struct str){NULL, 0}, &l->arena, &l->scratch, runs, count);
}

static void say_has_outcome(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    struct store_run_row *runs;
    size_t run_count;
    bool has_one = false;
    if (read_runs(sqlite3_user_data(context), value_str(values[0]), &runs, &run_count) != 0) {
        return; // runs_fault tells of it
    }
    for (size_t i = 0; i < run_count; i++) {
        has_one |= (int)runs[i].outcome == sqlite3_value_int(values[1]);
    }
    sqlite3_result_int(context, has_one);
}

// Whether the statement, with two values bound, gives a row. A fault counts as none: it is told by
// the check of the file.
static bool is_there(sqlite3_stmt *s, uint64_t first, uint64_t second)
{
    bind_id(s, 1, first);
    bind_id(s, 2, second);
    int rc = sqlite3_step(s);
    statement_end(s, rc);
    return rc == SQLITE_ROW;
}

static bool find_delivery_fault(struct verify_lookup *l, uint64_t event,
                                const struct store_run_row *run, uint64_t id, char words[WORDS_MAX])
{
    char text[ID_TEXT_LEN + 1];
    id_format(text, id);
    sqlite3_stmt *s = l->delivery;
    bind_id(s, 1, id);
    int rc = sqlite3_step(s);
    if (rc != SQLITE_ROW) {
        snprintf(words, WORDS_MAX, "it caused dlv_%s, which is not there", text);
    } else if (column_id(s, 0) != event) {
        snprintf(words, WORDS_MAX, "it caused dlv_%s, which is said to be of another event", text);
    } else if (!str_eq(column_str(s, 1), run->workflow)) {
        snprintf(words, WORDS_MAX, "it caused dlv_%s by another workflow than that says", text);
    }
    statement_end(s, rc);
    return words[0] != '\0';
}

static bool find_run_fault(struct verify_lookup *l, uint64_t event, const struct store_run_row *run,
                           char words[WORDS_MAX])
{
    if (run->outcome > RUN_SUPPRESSED) {
        snprintf(words, WORDS_MAX, "a run of it has outcome %d, and there is none such",
                 run->outcome);
    } else if (run->outcome != RUN_SENT && !is_there(l->odd_run, event, run->outcome)) {
        snprintf(words, WORDS_MAX, "a run of it has outcome %s, and is not listed for that",
                 run_outcome_word(run->outcome));
    } else if (!is_there(l->generation, run->generation, 0)) {
        snprintf(words, WORDS_MAX, "it was judged by generation %llu, which is not there",
                 (unsigned long long)run->generation);
    }
    for (size_t i = 0; i < run->delivery_count && !words[0]; i++) {
        find_delivery_fault(l, event, run, run->delivery_ids[i], words);
    }
    return words[0] != '\0';
}

static void say_runs_fault(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    struct verify_lookup *l = sqlite3_user_data(context);
    uint64_t event = (uint64_t)sqlite3_value_int64(values[0]);
    char words[WORDS_MAX] = "";
    struct store_run_row *runs;
    size_t run_count;
    int code = read_runs(l, value_str(values[1]), &runs, &run_count);
    if (code == ERR_CORRUPT) {
        snprintf(words, sizeof words, "its runs cannot be read");
    } else if (code != 0) {
        sqlite3_result_error_nomem(context);
        return;
    }
    for (size_t i = 0; code == 0 && i < run_count && !words[0]; i++) {
        find_run_fault(l, event, &runs[i], words);
    }
    if (words[0]) {
        sqlite3_result_text(context, words, -1, SQLITE_TRANSIENT);
    }
}

// Whether the runs, a text, have that delivery. Ids stand in it as numbers, between other ids.
static void say_has_delivery(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    struct str runs = value_str(values[0]);
    char id[32];
    size_t len = (size_t)snprintf(id, sizeof id, ",%lld", sqlite3_value_int64(values[1]));
    const char *at = runs.data, *end = runs.data + runs.len;
    bool is_found = false;
    while (!is_found && at < end && (at = memmem(at, (size_t)(end - at), id, len)) != NULL) {
        at += len;
        is_found = at < end && (*at == ',' || *at == ']');
    }
    sqlite3_result_int(context, is_found);
}

static const struct {
    const char *name;
    int count;
    void (*call)(sqlite3_context *context, int count, sqlite3_value **values);
} FUNCTIONS[] = {
    {"shard", 2, say_shard},
    {"word", 1, say_word},
    {"text_hash", 1, say_hash},
    {"named", 1, say_named},
    {"has_outcome", 2, say_has_outcome},
    {"runs_fault", 2, say_runs_fault},
    {"has_delivery", 2, say_has_delivery},
};

int verify_lookup_new(struct verify_lookup **out, sqlite3 *db, struct err *e)
{
    struct verify_lookup *l = *out = calloc(1, sizeof *l);
    if (!l) {
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    arena_init(&l->arena, ARENA_MAX_BYTES);
    buf_init(&l->scratch, SCRATCH_MAX_BYTES);
    const struct {
        const char *sql;
        sqlite3_stmt **out;
    } statements[] = {
        {"SELECT event, workflow FROM delivery WHERE id = ?1", &l->delivery},
        {"SELECT 1 FROM odd_run WHERE outcome = ?2 AND event = ?1", &l->odd_run},
        {"SELECT 1 FROM generation WHERE id = ?1 AND ?2 = 0", &l->generation},
    };
    int rc = SQLITE_OK;
    for (size_t i = 0; i < sizeof statements / sizeof *statements && rc == SQLITE_OK; i++) {
        rc = sqlite3_prepare_v2(db, statements[i].sql, -1, statements[i].out, NULL);
    }
    for (size_t i = 0; i < sizeof FUNCTIONS / sizeof *FUNCTIONS && rc == SQLITE_OK; i++) {
        rc = sqlite3_create_function(db, FUNCTIONS[i].name, FUNCTIONS[i].count,
                                     SQLITE_UTF8 | SQLITE_DETERMINISTIC, l, FUNCTIONS[i].call, NULL,
                                     NULL);
    }
    return rc == SQLITE_OK ? 0 : err_set(e, ERR_CORRUPT, "%s", sqlite3_errmsg(db));
}

void verify_lookup_free(struct verify_lookup *l)
{
    if (!l) {
        return;
    }
    sqlite3_finalize(l->delivery);
    sqlite3_finalize(l->odd_run);
    sqlite3_finalize(l->generation);
    arena_fini(&l->arena);
    buf_fini(&l->scratch);
    free(l);
}
