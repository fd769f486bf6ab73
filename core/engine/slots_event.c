// One record at a time of the schedule: judged by the one workflow.
#include "base/hash.h"
#include "engine/slots_internal.h"
#include "engine/slots_run.h"

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
        log_write(
            s->config.log, LOG_ERROR,
            LOG_FIELDS({"workflow", str_from(s->page.entry->workflow)}, {"event", run->event.id}),
            "%s does not run for a record: %s", s->page.entry->workflow, e.text);
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
    const struct slots_entry *entry = s->page.entry;
    if (code || !slots_run_is_due(&entry->times, entry->done_ms, entry->under_way_ms, stored.record,
                                  &due_ms)) {
        return 0; // a damaged state is told where it is compared with
    }
    struct slots_run_of of = {.workflow = entry->workflow,
                              .record_type = row->record_type,
                              .record_id = row->record_id,
                              .record = stored.record,
                              .due_ms = due_ms};
    code = slots_run_make(&run, &s->json, &of);
    return code ? code : run_judge(s, &run);
}
