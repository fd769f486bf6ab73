#include "engine/slots_run.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/rfc3339.h"
#include "encode/json_writer.h"
#include "engine/slots.h"

static const struct str KEY_BEGIN = STR("scheduled:");

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (c < 0x20 || c == 0x7f) {
            return true;
        }
    }
    return false;
}

// The same for the same workflow, time and record, so that no run can be stored twice. A record id
// that an event's id cannot hold stands there as its digest.
static void run_name(struct slots_run *run, const char *workflow, struct str record_id)
{
    static const struct hash_key other_key = {0x73636865, 0x64756c65};
    int len = snprintf(run->key, sizeof run->key, STR_FMT "%s:%s:", STR_ARG(KEY_BEGIN), workflow,
                       run->time);
    size_t left = sizeof run->key - 1 - (size_t)len;
    if (record_id.len <= left && !has_control(record_id)) {
        snprintf(run->key + len, left + 1, STR_FMT, STR_ARG(record_id));
    } else {
        snprintf(run->key + len, left + 1, "#%016llx%016llx",
                 (unsigned long long)hash_bytes(&HASH_KEY_FIXED, record_id.data, record_id.len),
                 (unsigned long long)hash_bytes(&other_key, record_id.data, record_id.len));
    }
}

struct str slots_workflow_of(struct str type, struct str id)
{
    if (!str_ends_with(type, STR(".scheduled")) || !str_starts_with(id, KEY_BEGIN)) {
        return (struct str){NULL, 0};
    }
    const char *name = id.data + KEY_BEGIN.len;
    const char *end = memchr(name, ':', id.len - KEY_BEGIN.len); // an id of a workflow has none
    return end ? (struct str){name, (size_t)(end - name)} : (struct str){NULL, 0};
}

static int run_write(struct buf *json, const struct slots_run *run, const char *workflow)
{
    struct json_writer w;
    buf_reset(json);
    json_writer_init(&w, json);
    json_object_begin(&w);
    json_member_string(&w, "id", run->event.id);
    json_member_string(&w, "type", run->event.type);
    json_member_text(&w, "time", run->time);
    json_member_text(&w, "workflow", workflow);
    json_key(&w, STR("record"));
    json_raw(&w, run->event.record);
    json_object_end(&w);
    return json->failed;
}

int slots_run_make(struct slots_run *run, struct buf *json, const struct slots_run_of *of)
{
    char time[RFC3339_LEN + 1];
    rfc3339_format(time, of->due_ms);
    memcpy(run->time, time, SLOTS_RUN_TIME_LEN);
    memcpy(run->time + SLOTS_RUN_TIME_LEN, "Z", 2);
    run_name(run, of->workflow, of->record_id);
    snprintf(run->type, sizeof run->type, STR_FMT ".scheduled", STR_ARG(of->record_type));
    run->event = (struct event){.id = str_from(run->key),
                                .type = str_from(run->type),
                                .record_type = of->record_type,
                                .verb = RULES_SCHEDULED,
                                .verb_word = STR("scheduled"),
                                .record_id = of->record_id,
                                .has_time = true,
                                .time_ms = of->due_ms,
                                .record = of->record};
    int code = run_write(json, run, of->workflow);
    run->event.json = buf_str(json);
    return code;
}

bool slots_run_is_due(const struct timetable *t, int64_t done_ms, int64_t under_way_ms,
                      struct str record, int64_t *due_ms)
{
    *due_ms = under_way_ms;
    if (t->schedule->kind != RULES_DATE) {
        return true;
    }
    return timetable_of_record(t, record, due_ms) && *due_ms > done_ms && *due_ms <= under_way_ms;
}
