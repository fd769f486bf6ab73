// One record at a time of the schedule: the event that it is, judged by the one workflow.
#include "engine/slots_internal.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/rfc3339.h"
#include "encode/json_writer.h"

static const struct str KEY_BEGIN = STR("scheduled:");

enum { KEY_BYTES = EVENT_ID_MAX + 1, TIME_LEN = 19 }; // "2026-11-23T09:00:00", and a Z behind it

struct slots_run {
    char key[KEY_BYTES];
    char type[EVENT_TYPE_MAX];
    char time[TIME_LEN + 2];
    struct event event;
};

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

static int run_write(struct slots *s, const struct slots_run *run)
{
    struct json_writer w;
    buf_reset(&s->json);
    json_writer_init(&w, &s->json);
    json_object_begin(&w);
    json_member_string(&w, "id", run->event.id);
    json_member_string(&w, "type", run->event.type);
    json_member_text(&w, "time", run->time);
    json_member_text(&w, "workflow", s->page.entry->workflow);
    json_key(&w, STR("record"));
    json_raw(&w, run->event.record);
    json_object_end(&w);
    return s->json.failed;
}

// From the record's stored state to the event.
static int run_make(struct slots *s, struct slots_run *run, const struct event *stored,
                    const struct store_record_row *row, int64_t due_ms)
{
    char time[RFC3339_LEN + 1];
    rfc3339_format(time, due_ms);
    memcpy(run->time, time, TIME_LEN);
    memcpy(run->time + TIME_LEN, "Z", 2);
    run_name(run, s->page.entry->workflow, row->record_id);
    snprintf(run->type, sizeof run->type, STR_FMT ".scheduled", STR_ARG(row->record_type));
    run->event = (struct event){.id = str_from(run->key),
                                .type = str_from(run->type),
                                .record_type = row->record_type,
                                .verb = RULES_SCHEDULED,
                                .verb_word = STR("scheduled"),
                                .record_id = row->record_id,
                                .has_time = true,
                                .time_ms = due_ms,
                                .record = stored->record};
    int code = run_write(s, run);
    run->event.json = buf_str(&s->json);
    return code;
}

// Whether the record is due at the time under way; when exactly, where that is its own matter.
static bool record_is_due(const struct slots_entry *e, struct str record, int64_t *due_ms)
{
    *due_ms = e->under_way_ms;
    if (e->times.schedule->kind != RULES_DATE) {
        return true;
    }
    return timetable_of_record(&e->times, record, due_ms) && *due_ms > e->done_ms &&
           *due_ms <= e->under_way_ms;
}

// What is stored has to live until it is.
static int run_keep(struct slots *s, const struct slots_run *run, struct store_event *ev)
{
    struct arena *arena = &s->page.owed;
    ev->key = arena_dup(arena, run->event.id);
    ev->type = arena_dup(arena, run->event.type);
    ev->payload = arena_dup(arena, run->event.json);
    if (!ev->key.data || !ev->type.data || !ev->payload.data) {
        return ERR_TOO_LARGE;
    }
    s->page.event_count++;
    return 0;
}

static int run_judge(struct slots *s, const struct slots_run *run)
{
    int64_t now_ms = clock_wall_ms(loop_clock(s->config.loop));
    struct store_event *ev = &s->page.events[s->page.event_count];
    struct err e;
    *ev = (struct store_event){.id = id_next(s->config.ids, now_ms),
                               .digest = hash_bytes(&HASH_KEY_FIXED, run->key, strlen(run->key)),
                               .record_type = run->event.record_type,
                               .record_id = run->event.record_id,
                               .time_ms = run->event.time_ms,
                               .received_at_ms = now_ms,
                               .is_stateless = true};
    int code = engine_judge_one(s->config.engine, s->page.entry->of, &run->event, run->event.id,
                                &s->page.owed, ev, &e);
    if (code == ERR_INVALID) { // the record as Lua cannot have it
        struct log_field fields[] = {{"event", run->event.id}};
        log_write(s->config.log, LOG_ERROR, fields, 1, "%s does not run for a record: %s",
                  s->page.entry->workflow, e.text);
        return 0;
    }
    return code || ev->run_count == 0 ? code : run_keep(s, run, ev);
}

int slots_judge_record(struct slots *s, const struct store_record_row *row)
{
    struct event stored;
    struct json_reader r;
    struct slots_run run;
    int64_t due_ms;
    if (row->is_deleted) {
        return 0;
    }
    json_reader_init(&r, row->payload, JSON_DEPTH_MAX, &s->scratch);
    int code = event_read(&stored, &r, EVENT_STORED, &s->page.rows, NULL);
    if (code == ERR_NOMEM) {
        return code;
    }
    if (code || !record_is_due(s->page.entry, stored.record, &due_ms)) {
        return 0; // a damaged state is told where it is compared with
    }
    code = run_make(s, &run, &stored, row, due_ms);
    return code ? code : run_judge(s, &run);
}
