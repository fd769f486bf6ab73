// GET /v1/overview: what the host does and has done since its start, from memory: for the console's
// first page, and once a second for those who watch.
#include "api/internal.h"
#include "api/stats.h"

enum { US_IN_MS = 1000 };

static void overview_write_minutes(struct json_writer *w, const char *name,
                                   const struct stats_minutes *m, int64_t now_ms)
{
    uint32_t minutes[STATS_MINUTES];
    stats_minutes_read(m, now_ms, minutes);
    json_key(w, str_from(name));
    json_array_begin(w);
    for (size_t i = 0; i < STATS_MINUTES; i++) {
        json_integer(w, minutes[i]);
    }
    json_array_end(w);
}

static void overview_write_events(struct json_writer *w, const struct stats *s, int64_t now_ms)
{
    json_key(w, STR("events"));
    json_object_begin(w);
    json_member_integer(w, "total", (int64_t)s->events);
    overview_write_minutes(w, "per_minute", &s->events_by_minute, now_ms);
    json_object_end(w);
}

static void overview_write_deliveries(struct json_writer *w, const struct api *a, int64_t now_ms)
{
    const struct stats *s = a->config.stats;
    struct store_owed_states owed;
    store_owed_states(a->config.store, &owed);
    json_key(w, STR("deliveries"));
    json_object_begin(w);
    json_key(w, STR("by_state"));
    json_object_begin(w);
    for (int i = 0; i <= DELIVERY_SUPERSEDED; i++) {
        json_member_integer(w, delivery_state_word((enum delivery_state)i),
                            stats_in_state(s, &owed, (enum delivery_state)i));
    }
    json_object_end(w);
    overview_write_minutes(w, "delivered_per_minute", &s->delivered_by_minute, now_ms);
    overview_write_minutes(w, "failed_per_minute", &s->failed_by_minute, now_ms);
    json_object_end(w);
}

static int64_t overview_runs(const uint64_t count[STATS_COUNTS])
{
    uint64_t runs = 0;
    for (size_t c = STATS_RUNS; c <= STATS_RUNS_LAST; c++) {
        runs += count[c];
    }
    return (int64_t)runs;
}

static void overview_write_workflow(struct json_writer *w, struct str id,
                                    const uint64_t count[STATS_COUNTS])
{
    json_object_begin(w);
    json_member_string(w, "id", id);
    json_member_integer(w, "events", (int64_t)count[STATS_EVENTS]);
    json_member_integer(w, "runs", overview_runs(count));
    json_member_integer(w, "delivered", (int64_t)count[STATS_DELIVERED]);
    json_member_integer(w, "failed", (int64_t)count[STATS_FAILED]);
    json_member_integer(w, "errors", (int64_t)count[STATS_RUNS + RUN_ERROR]);
    json_object_end(w);
}

static void overview_write_latency(struct json_writer *w, const struct histogram *h)
{
    static const struct {
        const char *name;
        double share;
    } quantiles[] = {{"p50", 0.5}, {"p99", 0.99}};
    json_key(w, STR("latency_ms"));
    json_object_begin(w);
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++) {
        int64_t us = h ? histogram_quantile_us(h, quantiles[i].share) : -1;
        if (us < 0) {
            json_member_null(w, quantiles[i].name);
        } else {
            json_member_integer(w, quantiles[i].name, (us + US_IN_MS - 1) / US_IN_MS);
        }
    }
    json_object_end(w);
}

static void overview_write_target(struct json_writer *w, const struct api *a, struct str name,
                                  const uint64_t count[STATS_COUNTS], int64_t owed,
                                  const struct histogram *latency)
{
    struct deliver_target now;
    json_object_begin(w);
    json_member_string(w, "target", name);
    if (latency) {
        deliver_look_at(a->config.deliver, name, &now);
        json_member_text(w, "state", deliver_target_state_word(now.state));
    } else {
        json_member_null(w, "state");
    }
    if (owed < 0) {
        json_member_null(w, "owed");
    } else {
        json_member_integer(w, "owed", owed);
    }
    json_member_integer(w, "delivered", (int64_t)count[STATS_DELIVERED]);
    json_member_integer(w, "failed", (int64_t)count[STATS_FAILED]);
    overview_write_latency(w, latency);
    json_object_end(w);
}

// The most active ones, and what all others have in common as "other" where there are any.
static void overview_write_family(struct json_writer *w, const struct api *a,
                                  const struct stats_family *f, bool is_targets)
{
    struct stats_entry *top[STATS_SHOWN_MAX];
    size_t count = stats_top(f, top, STATS_SHOWN_MAX);
    uint64_t rest[STATS_COUNTS];
    memcpy(rest, f->total, sizeof rest);
    json_array_begin(w);
    for (size_t i = 0; i < count; i++) {
        const struct stats_entry *e = top[i];
        struct str name = {e->name, e->name_len};
        for (size_t c = 0; c < STATS_COUNTS; c++) {
            rest[c] -= e->count[c];
        }
        if (is_targets) {
            overview_write_target(w, a, name, e->count, e->owed, e->attempts);
        } else {
            overview_write_workflow(w, name, e->count);
        }
    }
    bool has_rest = false;
    for (size_t c = 0; c < STATS_COUNTS; c++) {
        has_rest |= rest[c] > 0;
    }
    if (has_rest && is_targets) {
        overview_write_target(w, a, STR(STATS_OTHER), rest, -1, NULL);
    } else if (has_rest) {
        overview_write_workflow(w, STR(STATS_OTHER), rest);
    }
    json_array_end(w);
}

void api_write_overview(struct json_writer *w, struct api *a)
{
    const struct stats *s = a->config.stats;
    int64_t now_ms = clock_wall_ms(loop_clock(a->config.loop));
    int64_t oldest_ms = backlog_oldest_ms(a);
    backlog_look(a);
    json_object_begin(w);
    json_member_time(w, "at", now_ms);
    json_member_time(w, "started_at", s->started_ms);
    json_member_text(w, "version", HOOKLINE_VERSION);
    overview_write_events(w, s, now_ms);
    overview_write_deliveries(w, a, now_ms);
    json_member_integer(w, "owed", store_owed_count(a->config.store));
    json_member_time_or_null(w, "oldest_owed_at", oldest_ms);
    json_member_bool(w, "paused", deliver_paused(a->config.deliver)->since_ms != 0);
    json_key(w, STR("workflows"));
    overview_write_family(w, a, &s->workflows, false);
    json_key(w, STR("targets"));
    overview_write_family(w, a, &s->targets, true);
    json_object_end(w);
}

static void overview_send(struct api *a, struct httpd_request *r)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, API_ANSWER_MAX);
    json_writer_init(&w, &body);
    api_write_overview(&w, a);
    api_send_json(r, 200, &body);
}

void api_get_overview(struct api *a, struct httpd_request *r, struct str id)
{
    (void)id;
    backlog_await(a, r, overview_send);
}
