#include "store/sqlite/internal.h"

#include "base/id.h"

struct str row_event_key(sqlite3_stmt *s, int key_column, uint64_t id, struct arena *arena)
{
    if (sqlite3_column_type(s, key_column) != SQLITE_NULL) {
        return column_dup(s, key_column, arena);
    }
    char text[ID_SHOWN_LEN + 1];
    return arena_dup(arena, id_show(text, ID_EVENT, id));
}

int row_owed(sqlite3_stmt *s, struct str target, struct arena *arena, struct store_owed *out)
{
    *out = (struct store_owed){
        .id = column_id(s, 0),
        .event = column_id(s, 1),
        .event_key = row_event_key(s, 2, column_id(s, 1), arena),
        .workflow = column_dup(s, 3, arena),
        .record_type = column_dup(s, 4, arena),
        .record_id = column_dup(s, 5, arena),
        .action = sqlite3_column_int(s, 6),
        .state = (enum delivery_state)sqlite3_column_int(s, 7),
        .target = target,
        .due_at_ms = sqlite3_column_int64(s, 8),
        .base_ms = sqlite3_column_int64(s, 9),
        .attempt_count = sqlite3_column_int(s, 10),
        .head = column_dup(s, 11, arena),
        .body = column_dup(s, 12, arena),
        .retry = column_dup(s, 13, arena),
        .timeout_ms = sqlite3_column_int64(s, 14),
        .wants_recheck = sqlite3_column_type(s, 15) != SQLITE_NULL,
        .recheck_previous = column_dup(s, 15, arena),
        .order_key = column_dup(s, 16, arena),
    };
    bool is_whole = out->event_key.data && out->workflow.data && out->record_type.data &&
                    out->record_id.data && out->head.data && out->body.data && out->retry.data &&
                    out->recheck_previous.data && out->order_key.data;
    return is_whole ? 0 : ERR_TOO_LARGE;
}

int row_event(sqlite3_stmt *s, struct arena *arena, struct store_event_row *out)
{
    uint64_t id = column_id(s, EVENT_COLUMN_ID);
    *out = (struct store_event_row){
        .id = id,
        .key = row_event_key(s, EVENT_COLUMN_KEY, id, arena),
        .type = column_dup(s, EVENT_COLUMN_TYPE, arena),
        .record_type = column_dup(s, EVENT_COLUMN_RECORD_TYPE, arena),
        .record_id = column_dup(s, EVENT_COLUMN_RECORD_ID, arena),
        .time_ms = sqlite3_column_int64(s, EVENT_COLUMN_TIME_MS),
        .received_at_ms = sqlite3_column_int64(s, EVENT_COLUMN_RECEIVED_AT_MS),
    };
    return out->key.data && out->type.data && out->record_type.data && out->record_id.data
               ? 0
               : ERR_TOO_LARGE;
}

int row_event_payload(sqlite3_stmt *s, struct arena *arena, struct store_event_row *out)
{
    out->payload = column_dup(s, EVENT_COLUMN_PAYLOAD, arena);
    out->before = column_dup(s, EVENT_COLUMN_BEFORE, arena);
    out->is_before_gone = out->before.len == 0 && column_id(s, EVENT_COLUMN_BASE) != 0;
    return out->payload.data && out->before.data ? 0 : ERR_TOO_LARGE;
}

int row_attempt(sqlite3_stmt *s, int first, int number, struct arena *arena,
                struct store_attempt *out)
{
    *out = (struct store_attempt){
        .number = number,
        .at_ms = sqlite3_column_int64(s, first),
        .elapsed_ms = sqlite3_column_int64(s, first + 1),
        .status = sqlite3_column_int(s, first + 2),
        .body_is_truncated = sqlite3_column_int(s, first + 3) != 0,
        .error = column_dup(s, first + 4, arena),
        .detail = column_dup(s, first + 5, arena),
        .headers = column_dup(s, first + 6, arena),
        .body = column_dup(s, first + 7, arena),
    };
    return out->error.data && out->detail.data && out->headers.data && out->body.data
               ? 0
               : ERR_TOO_LARGE;
}
