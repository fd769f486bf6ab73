#include "store/sqlite/statement.h"

#include "store/targets.h"

#define NOTICE_COLUMNS                                                                             \
    "topic, kind, is_open, is_urgent, count, first_at_ms, last_at_ms, told_at_ms, text, workflows"

#define TOKEN_COLUMNS                                                                              \
    "id, name, role, hash, created_at_ms, expires_at_ms, last_used_at_ms, revoked_at_ms,"          \
    " rate_count, rate_ms"

#define WORKFLOW_COLUMNS                                                                           \
    "id, started, when_stopped, suspended_at_ms, suspended_text, suspended_reason, owed,"          \
    " owed_since_ms, owed_reason, is_owed_done"

// Of a delivery that was held from ?3 to ?2: its base moves by that time. Of one that was not tried
// yet, what it ends by is the time when it fell due.
#define RELEASED_TIMES                                                                             \
    " due_at_ms = due_at_ms + max(?2 - max(?3, iif(base_ms, base_ms, due_at_ms)), 0),"             \
    " base_ms = base_ms + iif(base_ms, max(?2 - max(?3, base_ms), 0), 0)"

// moved(): each statement that changes a delivery's state says so to the counts (counts.c).
// INDEXED BY, where the plan must not be left to chance: the condition of a partial index has to
// stand in the query word for word.
const char *const WRITE_STATEMENTS[WRITE_STATEMENT_COUNT] = {
    [WRITE_BEGIN] = "BEGIN IMMEDIATE",
    [WRITE_BEGIN_READ] = "BEGIN",
    [WRITE_COMMIT] = "COMMIT",
    [WRITE_ROLLBACK] = "ROLLBACK",
    [WRITE_ITEM_SAVE] = "SAVEPOINT item",
    [WRITE_ITEM_BACK] = "ROLLBACK TO item",
    [WRITE_ITEM_RELEASE] = "RELEASE item",
    [WRITE_BODY_SAVE] = "SAVEPOINT body",
    [WRITE_BODY_BACK] = "ROLLBACK TO body",
    [WRITE_BODY_RELEASE] = "RELEASE body",
    [WRITE_HOST] = "UPDATE host SET owed = ?1, running_ms = ?2, wall_ms = ?3",
    [WRITE_TIMES] = "SELECT running_ms, wall_ms, down_ms FROM host WHERE one = 1",
    [WRITE_TIMES_BEGIN] = "UPDATE host SET running_ms = ?1, wall_ms = ?2, down_ms = ?3",
    // What fell due before the host went down stays: the end of its retries is counted from there.
    [WRITE_DELAYED] = "UPDATE delivery SET due_at_ms ="
                      " iif(due_at_ms > ?1, max(due_at_ms - ?2 + delayed, ?1), due_at_ms),"
                      " delayed = iif(state <= 2, ?2, NULL)"
                      " WHERE id IN (SELECT id FROM delivery INDEXED BY delivery_delayed"
                      " WHERE delayed IS NOT NULL AND delayed < ?2 LIMIT ?3)",
    [WRITE_EVENT] = "INSERT INTO event (id, key, digest, type, record_type, record_id, time_ms,"
                    " received_at_ms, runs, base, payload)"
                    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    [WRITE_EVENT_BY_KEY] = "SELECT id, digest, runs FROM event WHERE key = ?1",
    [WRITE_EVENT_BY_ID] =
        "SELECT id, digest, runs, payload FROM event WHERE id = ?1 AND key IS NULL",
    [WRITE_DELIVERY] = "INSERT INTO delivery (id, event, state, target, shard, due_at_ms, base_ms,"
                       " attempt_count, action, timeout_ms, workflow, order_key, retry, reason,"
                       " head, body, recheck, delayed, window_ms)"
                       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
                       "?14, ?15, ?16, ?17)",
    [WRITE_LARGE_BODY] = "INSERT INTO large_body (id, body) VALUES (?1, ?2)",
    [WRITE_ODD_RUN] = "INSERT OR IGNORE INTO odd_run (outcome, event) VALUES (?1, ?2)",
    [WRITE_RECORD] = "INSERT INTO record (record_type, record_id, event, time_ms)"
                     " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE"
                     " SET event = excluded.event, time_ms = excluded.time_ms"
                     " WHERE excluded.time_ms >= time_ms",
    [WRITE_RECORD_VERSION] = "SELECT event FROM record WHERE record_type = ?1 AND record_id = ?2",
    [WRITE_MARK] = "INSERT INTO mark (workflow, record_type, record_id, until_ms)"
                   " VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE"
                   " SET until_ms = excluded.until_ms WHERE until_ms <= ?5",
    [WRITE_SLOT] = "INSERT OR REPLACE INTO slot (workflow, schedule, done_ms, under_way_ms,"
                   " last_record) VALUES (?1, ?2, ?3, ?4, ?5)",
    [WRITE_SLOTS_CLEAR] = "DELETE FROM slot",
    [WRITE_SLOTS] = "SELECT workflow, schedule, done_ms, under_way_ms, last_record FROM slot",
    [WRITE_TARGET] = "INSERT INTO target (text) VALUES (?1)",
    [WRITE_TARGET_BY_TEXT] = "SELECT id FROM target WHERE text = ?1",
    [WRITE_TARGET_BY_ID] = "SELECT text FROM target WHERE id = ?1",
    [WRITE_TARGET_SAYS] = "UPDATE target SET held_up_ms = max(held_up_ms, coalesce(?2, 0)),"
                          " last_error = coalesce(?3, last_error), failing_since_ms ="
                          " iif(?3 = '', NULL, iif(?3 IS NULL, failing_since_ms,"
                          " coalesce(failing_since_ms, ?4)))"
                          " WHERE id = (SELECT target FROM delivery WHERE id = ?1)",
    [WRITE_TARGET_SAYS_OF] = "SELECT held_up_ms, last_error FROM target WHERE text = ?1",
    [WRITE_FIRST_ATTEMPT] =
        "UPDATE delivery SET state = moved(state, ?2), due_at_ms = ?3, base_ms = ?4,"
        " reason = iif(?15, reason, ?5), attempt_count = max(attempt_count, 1), at_ms = ?7,"
        " elapsed_ms = ?8, status = ?9, answer_is_cut = ?10, error = ?11,"
        " detail = ?12, answer_headers = ?13, answer_body = ?14, delayed = NULL,"
        " window_ms = coalesce(?16, window_ms) WHERE id = ?1 AND state <= ?6",
    [WRITE_STATE] = "UPDATE delivery SET state = moved(state, ?2), due_at_ms = ?3, base_ms = ?4,"
                    " reason = iif(?8, reason, ?5), attempt_count = max(attempt_count, ?7),"
                    " recheck = iif(?9, NULL, recheck), window_ms = coalesce(?10, window_ms)"
                    " WHERE id = ?1 AND state <= ?6",
    [WRITE_ATTEMPT] = "INSERT OR REPLACE INTO attempt (delivery, number, at_ms, elapsed_ms, status,"
                      " answer_is_cut, error, detail, answer_headers, answer_body)"
                      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [WRITE_DUE] =
        "SELECT " OWED_COLUMNS
        ", d.state = 1 AND d.order_key IS NOT NULL AND (SELECT n.waits = 2 AND n.id > d.id"
        " FROM delivery n INDEXED BY delivery_order WHERE n.order_key = d.order_key"
        " AND n.order_key IS NOT NULL AND n.state <= 2 ORDER BY n.id DESC LIMIT 1)"
        " FROM delivery d INDEXED BY delivery_due LEFT JOIN event e ON e.id = d.event"
        " WHERE d.target = ?1 AND d.state < 2 AND (?2 >> d.shard) & 1"
        " ORDER BY d.due_at_ms, d.id",
    // The index has those with a window of their own; the others are over in the order in which
    // they fell due.
    [WRITE_OVER] = "SELECT " OWED_COLUMNS ", 0"
                   " FROM delivery d LEFT JOIN event e ON e.id = d.event"
                   " WHERE d.id IN (SELECT * FROM (SELECT id FROM delivery INDEXED BY delivery_end"
                   " WHERE target = ?1 AND state < 2 AND window_ms IS NOT NULL"
                   " AND " DELIVERY_END " <= ?3 ORDER BY " DELIVERY_END " LIMIT ?5)"
                   " UNION ALL SELECT * FROM (SELECT id FROM delivery INDEXED BY delivery_due"
                   " WHERE target = ?1 AND state < 2 AND due_at_ms <= ?3 - ?4"
                   " AND window_ms IS NULL AND retry IS NULL ORDER BY due_at_ms LIMIT ?5))"
                   " AND (?2 >> d.shard) & 1",
    [WRITE_NEXT_TARGET] = "SELECT target, due_at_ms FROM delivery INDEXED BY delivery_due"
                          " WHERE state < 2 AND target > ?1 ORDER BY target, due_at_ms LIMIT 1",
    [WRITE_GENERATION] = "INSERT INTO generation (id, at_ms) VALUES (?1, ?2)",
    [WRITE_GENERATION_CLEAR] = "DELETE FROM generation_file WHERE generation = ?1",
    [WRITE_GENERATION_FILE] = "INSERT INTO generation_file (generation, path, text)"
                              " VALUES (?1, ?2, ?3)",
    [WRITE_GENERATION_BASE] = "INSERT INTO generation_base (generation, path, base)"
                              " VALUES (?1, ?2, ?3)",
    [WRITE_RULE_TEXT] = "INSERT INTO rule_text (hash, text) VALUES (?1, ?2)",
    [WRITE_RULE_TEXT_BY_HASH] = "SELECT id FROM rule_text WHERE hash = ?1 AND text = ?2",
    [WRITE_REPLAY] = "UPDATE event SET runs = ?2 WHERE id = ?1",
    [WRITE_RUNS_OF_EVENT] = "SELECT runs FROM event WHERE id = ?1",
    [WRITE_STATE_NOW] = "SELECT state FROM delivery WHERE id = ?1",
    [WRITE_MARK_FORGET] =
        "DELETE FROM mark WHERE workflow = ?1 AND record_type = ?2 AND record_id = ?3",
    [WRITE_ORDER_ACTIVE] = "SELECT id FROM delivery INDEXED BY delivery_order WHERE order_key = ?1"
                           " AND order_key IS NOT NULL AND state <= 2 AND waits IS NULL"
                           " AND id <> ?2 ORDER BY id LIMIT 1",
    [WRITE_ORDER_WAIT] =
        "UPDATE delivery SET state = moved(state, 2), waits = ?3, reason = ?2 WHERE id = ?1",
    [WRITE_ORDER_NEXT] = "SELECT d.id, d.due_at_ms, d.workflow, t.text"
                         " FROM delivery d INDEXED BY delivery_order"
                         " LEFT JOIN target t ON t.id = d.target"
                         " WHERE d.order_key = ?1 AND d.order_key IS NOT NULL AND d.state <= 2"
                         " AND d.waits IS NOT NULL ORDER BY d.id LIMIT 1",
    // What it waited is part of its retry windows: they count from when it first fell due.
    [WRITE_ORDER_FREE] =
        "UPDATE delivery SET state = moved(state, coalesce(?2, attempt_count > 0)),"
        " reason = ?3, waits = NULL,"
        " base_ms = iif(base_ms = 0 AND due_at_ms < ?4, due_at_ms, base_ms),"
        " due_at_ms = max(due_at_ms, ?4) WHERE id = ?1",
    [WRITE_ORDER_SUPERSEDE] =
        "UPDATE delivery INDEXED BY delivery_order"
        " SET state = moved(state, 7), waits = NULL, due_at_ms = NULL, delayed = NULL,"
        " reason = ?2"
        " WHERE order_key = ?1 AND order_key IS NOT NULL AND state <= 2"
        " AND waits IS NOT NULL AND id < ?3",
    // Of an order the newest says whether those before it are to be sent yet.
    [WRITE_ORDER_NEWER] = "SELECT iif(waits = 2 AND id > ?2, id, 0) FROM delivery"
                          " INDEXED BY delivery_order WHERE order_key = ?1"
                          " AND order_key IS NOT NULL AND state <= 2 ORDER BY id DESC LIMIT 1",
    [WRITE_ORDER_HURRY] = "UPDATE delivery SET due_at_ms = min(due_at_ms, ?2)"
                          " WHERE id = ?1 AND state = 1 RETURNING"
                          " (SELECT t.text FROM target t WHERE t.id = target)",
    [WRITE_ORDER_KEY] = "SELECT order_key FROM delivery WHERE id = ?1",
    [WRITE_ACT_LOOK] = "SELECT d.state, d.reason, d.workflow, t.text, d.order_key, d.waits,"
                       " length(d.head) > 0 FROM delivery d"
                       " LEFT JOIN target t ON t.id = d.target WHERE d.id = ?1",
    [WRITE_RESEND] =
        "UPDATE delivery SET state = moved(state, 0), due_at_ms = ?2, base_ms = 0, reason = NULL,"
        " delayed = NULL WHERE id = ?1",
    [WRITE_AUDIT] = "INSERT INTO audit (id, at_ms, who, origin, act, subject, before, after)"
                    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [WRITE_WORKFLOW] = "INSERT OR REPLACE INTO workflow (" WORKFLOW_COLUMNS ")"
                       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [WRITE_WORKFLOWS] = "SELECT " WORKFLOW_COLUMNS " FROM workflow ORDER BY id",
    [WRITE_WORKFLOW_OWED] = "SELECT owed, owed_since_ms, owed_reason FROM workflow WHERE id = ?1",
    [WRITE_ANY_STOPPED] = "SELECT EXISTS (SELECT 1 FROM workflow WHERE owed <> 0)",
    // Rows are looked at in the order of the index, those of other workflows too, so that a step
    // is bounded whatever the rest of the backlog is.
    [WRITE_OWED_OF_ALL] = "SELECT id, workflow = ?4, target, due_at_ms, order_key, 0"
                          " FROM delivery INDEXED BY delivery_due"
                          " WHERE state < 2 AND (target, due_at_ms, id) > (?1, ?2, ?3)"
                          " ORDER BY target, due_at_ms, id LIMIT ?5",
    // What is held for a pause of its target is that pause's to release.
    [WRITE_HELD_OF_ALL] =
        "SELECT d.id, d.workflow = ?2 AND d.reason IS NOT '" STORE_PAUSED_REASON "', 0, 0, d.waits,"
        " iif(t.pause = 1, t.paused_at_ms, 0) FROM delivery d INDEXED BY delivery_state"
        " LEFT JOIN target t ON t.id = d.target"
        " WHERE d.state = 2 AND d.state <> 0 AND d.state <> 3"
        " AND d.id > ?1 ORDER BY d.id LIMIT ?3",
    [WRITE_HOLD] = "UPDATE delivery SET state = moved(state, 2), reason = ?2 WHERE id = ?1",
    [WRITE_CANCEL] =
        "UPDATE delivery SET state = moved(state, 6), due_at_ms = NULL, waits = NULL, reason = ?2,"
        " delayed = NULL WHERE id = ?1",
    [WRITE_RELEASE] =
        "UPDATE delivery SET state = moved(state, attempt_count > 0), reason = NULL," RELEASED_TIMES
        " WHERE id = ?1",
    // It waits in an order: it stays so, and its end moves as if it had been held itself.
    [WRITE_ORDER_MOVE] = "UPDATE delivery SET" RELEASED_TIMES " WHERE id = ?1",
    [WRITE_OWED_DONE] = "UPDATE workflow SET is_owed_done = 1 WHERE id = ?1",
    [WRITE_NOTICE] = "INSERT OR REPLACE INTO notice (" NOTICE_COLUMNS ")"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [WRITE_NOTICE_GONE] = "DELETE FROM notice WHERE topic = ?1 AND kind = ?2",
    [WRITE_PAUSE] = "UPDATE target SET pause = ?2, paused_at_ms = iif(?3, ?3, paused_at_ms)"
                    " WHERE id = ?1",
    [WRITE_PAUSE_ALL] = "UPDATE host SET paused_at_ms = ?1, paused_by = ?2 WHERE one = 1",
    [WRITE_PAUSE_OF_ALL] = "SELECT paused_at_ms, paused_by FROM host WHERE one = 1",
    [WRITE_PAUSE_OF] = "SELECT pause, paused_at_ms FROM target WHERE id = ?1",
    [WRITE_PAUSES] = "SELECT id, text, pause FROM target WHERE pause <> 0",
    [WRITE_ANY_PAUSED] = "SELECT EXISTS (SELECT 1 FROM target WHERE pause = 1 AND pause <> 0)",
    [WRITE_OWED_OF_TARGET] = "SELECT id FROM delivery INDEXED BY delivery_due"
                             " WHERE state < 2 AND target = ?1 LIMIT ?2",
    [WRITE_PAUSED_OF_ALL] =
        "SELECT d.id,"
        " d.target = ?2 AND (d.waits IS NOT NULL OR d.reason = '" STORE_PAUSED_REASON "'), w.owed,"
        " w.owed_since_ms, w.owed_reason, d.waits FROM delivery d INDEXED BY delivery_state"
        " LEFT JOIN workflow w ON w.id = d.workflow"
        " WHERE d.state = 2 AND d.state <> 0 AND d.state <> 3 AND d.id > ?1"
        " ORDER BY d.id LIMIT ?3",
    [WRITE_RELABEL] = "UPDATE delivery SET reason = ?4," RELEASED_TIMES " WHERE id = ?1",
    [WRITE_NOTICES] = "SELECT " NOTICE_COLUMNS " FROM notice ORDER BY topic, kind",
    // Of a text only that it is there: SQLite reads no page of a long one for it.
    [WRITE_OLD_EVENT] = "SELECT id, received_at_ms, digest, payload IS NOT NULL, runs,"
                        " EXISTS (SELECT 1 FROM record r WHERE r.record_type = e.record_type"
                        " AND r.record_id = e.record_id AND r.event = e.id)"
                        " FROM event e WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT 1",
    [WRITE_OLD_DELIVERY] = "SELECT state, length(head) > 0, coalesce((SELECT a.at_ms FROM attempt a"
                           " WHERE a.delivery = d.id ORDER BY a.number DESC LIMIT 1), at_ms)"
                           " FROM delivery d WHERE id = ?1",
    [WRITE_OLD_PAYLOAD] = "SELECT payload FROM event WHERE id = ?1",
    [WRITE_EMPTY_EVENT] = "UPDATE event SET payload = NULL, digest = ?2 WHERE id = ?1",
    [WRITE_EMPTY_DELIVERY] = "UPDATE delivery SET head = x'', body = NULL, recheck = NULL,"
                             " answer_headers = NULL, answer_body = NULL WHERE id = ?1",
    [WRITE_EMPTY_ATTEMPTS] = "UPDATE attempt SET answer_headers = NULL, answer_body = NULL"
                             " WHERE delivery = ?1",
    [WRITE_NO_FIRST_ATTEMPT] =
        "UPDATE delivery SET at_ms = NULL, elapsed_ms = NULL, status = NULL, answer_is_cut = NULL,"
        " error = NULL, detail = NULL, answer_headers = NULL, answer_body = NULL WHERE id = ?1",
    [WRITE_NO_ATTEMPTS] = "DELETE FROM attempt WHERE delivery = ?1",
    [WRITE_NO_LARGE_BODY] = "DELETE FROM large_body WHERE id = ?1",
    [WRITE_NO_DELIVERY] = "DELETE FROM delivery WHERE id = ?1",
    [WRITE_NO_ODD_RUN] = "DELETE FROM odd_run WHERE outcome = ?1 AND event = ?2",
    [WRITE_NO_EVENT] = "DELETE FROM event WHERE id = ?1",
    [WRITE_NO_AUDIT] = "DELETE FROM audit WHERE id IN"
                       " (SELECT id FROM audit WHERE id < ?1 ORDER BY id LIMIT 20)",
    [WRITE_TOKEN] = "INSERT INTO token (" TOKEN_COLUMNS ")"
                    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [WRITE_TOKEN_BY_NAME] = "SELECT 1 FROM token WHERE name = ?1 AND revoked_at_ms = 0",
    [WRITE_TOKEN_REVOKE] =
        "UPDATE token SET revoked_at_ms = ?2 WHERE id = ?1 AND revoked_at_ms = 0",
    [WRITE_TOKEN_USED] = "UPDATE token SET last_used_at_ms = max(last_used_at_ms, ?2)"
                         " WHERE id = ?1",
    [WRITE_TOKENS] = "SELECT " TOKEN_COLUMNS " FROM token WHERE revoked_at_ms = 0 ORDER BY id",
    [WRITE_NO_TOKEN] = "DELETE FROM token WHERE revoked_at_ms > 0 AND revoked_at_ms < ?1",
    [WRITE_ERASE_NEXT] = "SELECT id, record_type, record_id FROM event WHERE id > ?1 ORDER BY id",
    [WRITE_ERASE_LOOK] = "SELECT state, order_key, waits IS NOT NULL, (at_ms IS NOT NULL)"
                         " + (SELECT count(*) FROM attempt a WHERE a.delivery = d.id)"
                         " FROM delivery d WHERE id = ?1",
    [WRITE_MARKS_NEXT] = "SELECT workflow FROM mark WHERE workflow > ?1 ORDER BY workflow LIMIT 1",
    [WRITE_HAS_MARK] =
        "SELECT 1 FROM mark WHERE workflow = ?1 AND record_type = ?2 AND record_id = ?3",
    [WRITE_NO_RECORD] = "DELETE FROM record WHERE record_type = ?1 AND record_id = ?2",
    [WRITE_PAGE_COUNT] = "PRAGMA page_count",
    [WRITE_FREE_PAGES] = "PRAGMA freelist_count",
    [WRITE_VACUUM] = "PRAGMA incremental_vacuum(32)",
};

#define EVENT_BEFORE ", (SELECT b.payload FROM event b WHERE b.id = event.base), base"
#define EVENT_COLUMNS                                                                              \
    "id, key, type, record_type, record_id, time_ms, received_at_ms, runs, payload"
#define EVENT_SPAN " FROM event WHERE id < ?1 AND id >= ?2 ORDER BY id"
#define ATTEMPT_COLUMNS " at_ms, elapsed_ms, status, answer_is_cut, error, detail, NULL, NULL"
// What stands behind the body in its row is read for those alone that pass (READ_FIRST_ATTEMPT).
#define DELIVERY_LIST_COLUMNS                                                                      \
    "d.id, d.event, d.workflow, d.action, d.state, d.target, d.due_at_ms, d.base_ms,"              \
    " d.attempt_count, d.timeout_ms, d.reason, d.retry,"                                           \
    " (SELECT t.text FROM target t WHERE t.id = d.target)"

const char *const READ_STATEMENTS[READ_STATEMENT_COUNT] = {
    [READ_GENERATION] = "SELECT id, at_ms FROM generation WHERE id = ?1",
    [READ_GENERATION_AT] =
        "SELECT id, at_ms FROM generation WHERE at_ms <= ?1 ORDER BY id DESC LIMIT 1",
    // With max(), SQLite takes the other columns from the row that has it.
    [READ_GENERATION_FILES] = "SELECT f.path, t.text FROM (SELECT path, text, max(generation)"
                              " FROM generation_file WHERE generation <= ?1 GROUP BY path) f"
                              " LEFT JOIN rule_text t ON t.id = f.text WHERE f.text <> 0"
                              " ORDER BY f.path",
    [READ_GENERATION_BASES] = "SELECT path, base FROM generation_base WHERE generation = ?1"
                              " ORDER BY path",
    [READ_BEGIN] = "BEGIN",
    [READ_COMMIT] = "COMMIT",
    [READ_EVENT_BY_KEY] = "SELECT " EVENT_COLUMNS EVENT_BEFORE " FROM event WHERE key = ?1",
    [READ_EVENT_BY_ID] = "SELECT " EVENT_COLUMNS EVENT_BEFORE " FROM event WHERE id = ?1",
    [READ_DELIVERY] =
        "SELECT " OWED_COLUMNS ", d.reason, t.text, e.type, d.at_ms, d.elapsed_ms,"
        " d.status, d.answer_is_cut, d.error, d.detail, d.answer_headers, d.answer_body"
        " FROM delivery d LEFT JOIN event e ON e.id = d.event"
        " LEFT JOIN target t ON t.id = d.target WHERE d.id = ?1",
    [READ_ATTEMPTS] =
        "SELECT number, at_ms, elapsed_ms, status, answer_is_cut, error, detail,"
        " answer_headers, answer_body FROM attempt WHERE delivery = ?1 ORDER BY number",
    [READ_FIRST_ATTEMPT] = "SELECT 1," ATTEMPT_COLUMNS " FROM delivery WHERE id = ?1"
                           " AND at_ms IS NOT NULL",
    [READ_LAST_ATTEMPT] = "SELECT number," ATTEMPT_COLUMNS " FROM attempt WHERE delivery = ?1"
                          " ORDER BY number DESC LIMIT 1",
    [READ_RECORD] = "SELECT r.event, r.time_ms, e.payload FROM record r"
                    " JOIN event e ON e.id = r.event"
                    " WHERE r.record_type = ?1 AND r.record_id = ?2",
    [READ_MARK] = "SELECT until_ms FROM mark"
                  " WHERE workflow = ?1 AND record_type = ?2 AND record_id = ?3",
    [READ_RECORD_PAGE] = "SELECT r.record_id, r.event, r.time_ms, e.type, e.payload FROM record r"
                         " JOIN event e ON e.id = r.event"
                         " WHERE r.record_type = ?1 AND r.record_id > ?2"
                         " ORDER BY r.record_type, r.record_id",
    [READ_TARGETS] =
        "WITH held AS MATERIALIZED (SELECT target, count(*) AS n FROM delivery"
        " INDEXED BY delivery_state WHERE state = 2 AND state <> 0 AND state <> 3 GROUP BY target)"
        " SELECT t.id, t.text, t.pause, t.paused_at_ms, coalesce(held.n, 0) + (SELECT count(*)"
        " FROM delivery d INDEXED BY delivery_due WHERE d.target = t.id AND d.state < 2),"
        " t.last_error, t.failing_since_ms FROM target t LEFT JOIN held ON held.target = t.id"
        " WHERE t.id < ?1 AND (?2 = '' OR t.text = ?2) ORDER BY t.id DESC LIMIT ?3",
    [READ_OLDEST] = "SELECT min(id) FROM delivery INDEXED BY delivery_state WHERE state = ?1"
                    " AND state <> 0 AND state <> 3",
    [READ_TARGET_BY_TEXT] = "SELECT id FROM target WHERE text = ?1",
    [READ_DELIVERIES] = "SELECT " DELIVERY_LIST_COLUMNS
                        " FROM delivery d WHERE d.id < ?1 AND d.id >= ?2 ORDER BY d.id DESC",
    [READ_DELIVERIES_BY_STATE] =
        "SELECT " DELIVERY_LIST_COLUMNS " FROM delivery d INDEXED BY delivery_state"
        " WHERE d.state = ?3 AND d.state <> 0 AND d.state <> 3"
        " AND d.id < ?1 AND d.id >= ?2 ORDER BY d.id DESC",
    [READ_DELIVERY_EVENT] = "SELECT key, type, record_type, record_id FROM event WHERE id = ?1",
    [READ_EVENTS] = "SELECT " EVENT_COLUMNS EVENT_SPAN " DESC",
    [READ_EVENTS_OLDEST] = "SELECT " EVENT_COLUMNS EVENT_SPAN,
    [READ_EVENTS_SENT] = "SELECT " EVENT_COLUMNS EVENT_BEFORE EVENT_SPAN " DESC",
    [READ_EVENTS_SENT_OLDEST] = "SELECT " EVENT_COLUMNS EVENT_BEFORE EVENT_SPAN,
    [READ_AUDIT] = "SELECT id, at_ms, who, origin, act, subject, before, after FROM audit"
                   " WHERE id < ?1 AND id >= ?2 ORDER BY id DESC",
    [READ_TOKENS] = "SELECT " TOKEN_COLUMNS " FROM token WHERE id < ?1 ORDER BY id DESC",
    [READ_ODD_RUNS] = "SELECT e.id, e.key, e.type, e.record_type, e.record_id, e.time_ms,"
                      " e.received_at_ms, e.runs FROM odd_run o JOIN event e ON e.id = o.event"
                      " WHERE o.outcome = ?3 AND o.event < ?1 AND o.event >= ?2"
                      " ORDER BY o.event DESC",
};

int statement_prepare_all(sqlite3 *db, const char *const *texts, size_t count, sqlite3_stmt **out)
{
    int rc = SQLITE_OK;
    for (size_t i = 0; i < count && rc == SQLITE_OK; i++) {
        rc = sqlite3_prepare_v3(db, texts[i], -1, SQLITE_PREPARE_PERSISTENT, &out[i], NULL);
    }
    return rc;
}

void statement_finalize_all(sqlite3_stmt **stmts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sqlite3_finalize(stmts[i]);
        stmts[i] = NULL;
    }
}

int statement_end(sqlite3_stmt *s, int rc)
{
    int reset_rc = sqlite3_reset(s);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? reset_rc : rc;
}

int statement_run(sqlite3_stmt *s)
{
    return statement_end(s, sqlite3_step(s));
}

void bind_text(sqlite3_stmt *s, int at, struct str text)
{
    sqlite3_bind_text64(s, at, text.len ? text.data : "", text.len, SQLITE_STATIC, SQLITE_UTF8);
}

void bind_text_or_null(sqlite3_stmt *s, int at, struct str text)
{
    if (text.len) {
        bind_text(s, at, text);
    } else {
        sqlite3_bind_null(s, at);
    }
}

void bind_blob(sqlite3_stmt *s, int at, struct str bytes)
{
    sqlite3_bind_blob64(s, at, bytes.len ? bytes.data : "", bytes.len, SQLITE_STATIC);
}

struct str column_str(sqlite3_stmt *s, int at)
{
    const void *data = sqlite3_column_blob(s, at);
    size_t len = (size_t)sqlite3_column_bytes(s, at);
    return data ? (struct str){data, len} : (struct str){"", 0};
}

struct str column_dup(sqlite3_stmt *s, int at, struct arena *arena)
{
    return arena_dup(arena, column_str(s, at));
}
