// GET /metrics, in Prometheus' text format. All of it is in memory already, but for the sizes of a
// few files and what the system says of the process. docs/metrics.md says what each is for.
#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/exposition.h"
#include "api/internal.h"
#include "api/spans.h"
#include "api/stats.h"

enum { METRICS_MAX_BYTES = 4 << 20, US = 1000000, MS = 1000 };

// --- counts by name ------------------------------------------------------------------------------

struct metrics_split { // a family with a second label
    enum stats_count count;
    const char *value;
};

// One value for each that is shown by name, and one for the rest; for each of the split's values.
static void metrics_write_named(struct exposition *x, const struct stats_family *f,
                                const char *label, const char *split_label,
                                const struct metrics_split *splits, size_t split_count)
{
    for (size_t i = 0; i <= f->shown_count; i++) {
        const struct stats_entry *e = i < f->shown_count ? f->shown[i] : NULL;
        struct exposition_label labels[2] = {
            {label, e ? (struct str){e->name, e->name_len} : STR(STATS_OTHER)}};
        for (size_t s = 0; s < split_count; s++) {
            if (split_label) {
                labels[1] = (struct exposition_label){split_label, str_from(splits[s].value)};
            }
            exposition_integer(x, labels, split_label ? 2 : 1,
                               (int64_t)stats_shown_count(f, e, splits[s].count));
        }
    }
}

static void metrics_write_workflows(struct exposition *x, struct stats *s)
{
    static const struct metrics_split outcomes[] = {{STATS_RUNS + RUN_SENT, "sent"},
                                                    {STATS_RUNS + RUN_DRY, "dry"},
                                                    {STATS_RUNS + RUN_ERROR, "error"},
                                                    {STATS_RUNS + RUN_SUPPRESSED, "suppressed"}};
    static const struct metrics_split ends[] = {{STATS_DELIVERED, "delivered"},
                                                {STATS_TERMINATED, "terminated"}};
    static const struct metrics_split stops[] = {{STATS_BUDGET_STOPS, NULL}};
    stats_choose(&s->workflows);
    exposition_family(x, "hookline_matches_total", "counter",
                      "Runs of workflows on events that they matched, by outcome.");
    metrics_write_named(x, &s->workflows, "workflow", "outcome", outcomes, RUN_SUPPRESSED + 1);
    exposition_family(x, "hookline_budget_stops_total", "counter",
                      "Runs that were stopped for the steps, memory or output that they used.");
    metrics_write_named(x, &s->workflows, "workflow", NULL, stops, 1);
    exposition_family(x, "hookline_workflow_deliveries_total", "counter",
                      "Deliveries that ended after attempts, by workflow.");
    metrics_write_named(x, &s->workflows, "workflow", "state", ends, 2);
}

static void metrics_write_targets(struct exposition *x, const struct api *a)
{
    static const struct metrics_split results[] = {{STATS_TRIED, "success"},
                                                   {STATS_FAILED, "failure"}};
    static const struct metrics_split ends[] = {{STATS_DELIVERED, "delivered"},
                                                {STATS_TERMINATED, "terminated"}};
    struct stats *s = a->config.stats;
    size_t states[TARGET_PAUSED + 1];
    stats_choose(&s->targets);
    exposition_family(x, "hookline_target_attempts_total", "counter",
                      "Attempts, by target and whether they led to a delivery.");
    metrics_write_named(x, &s->targets, "target", "result", results, 2);
    exposition_family(x, "hookline_target_deliveries_total", "counter",
                      "Deliveries that ended after attempts, by target.");
    metrics_write_named(x, &s->targets, "target", "state", ends, 2);
    deliver_count_targets(a->config.deliver, states);
    exposition_family(x, "hookline_targets", "gauge",
                      "Targets in memory, by the state of their breaker.");
    for (int i = 0; i <= TARGET_PAUSED; i++) {
        struct exposition_label label = {
            "state", str_from(deliver_target_state_word((enum deliver_target_state)i))};
        exposition_integer(x, &label, 1, (int64_t)states[i]);
    }
}

// --- events and deliveries -----------------------------------------------------------------------

static void metrics_write_deliveries(struct exposition *x, struct api *a)
{
    const struct stats *s = a->config.stats;
    struct store_owed_states owed;
    store_owed_states(a->config.store, &owed);
    exposition_counter(x, "hookline_events_total",
                       "Events accepted, the host's own too; duplicates do not count.", s->events);
    exposition_counter(x, "hookline_deliveries_created_total", "Webhooks that events made.",
                       s->made);
    exposition_family(x, "hookline_deliveries_ended_total", "counter",
                      "Deliveries that are owed no more, by the state that ended them.");
    for (int i = DELIVERY_DELIVERED; i <= DELIVERY_SUPERSEDED; i++) {
        enum delivery_state state = (enum delivery_state)i;
        struct exposition_label label = {"state", str_from(delivery_state_word(state))};
        exposition_integer(x, &label, 1, stats_in_state(s, &owed, state));
    }
    exposition_family(x, "hookline_deliveries_owed", "gauge",
                      "Deliveries that are owed now, by state.");
    for (int i = DELIVERY_PENDING; i <= DELIVERY_HELD; i++) {
        struct exposition_label label = {"state",
                                         str_from(delivery_state_word((enum delivery_state)i))};
        exposition_integer(x, &label, 1, owed.count[i]);
    }
    exposition_gauge(x, "hookline_deliveries_in_flight", "Attempts under way.",
                     (int64_t)deliver_in_flight(a->config.deliver));
    int64_t oldest_ms = backlog_oldest_ms(a);
    int64_t now_ms = clock_wall_ms(loop_clock(a->config.loop));
    exposition_family(x, "hookline_oldest_owed_age_seconds", "gauge",
                      "Age of the delivery that has been owed longest; 0 where nothing is owed.");
    exposition_seconds(x, oldest_ms ? (now_ms - oldest_ms) * MS : 0);
    exposition_family(x, "hookline_attempts_total", "counter",
                      "Attempts, by the answer's status or why there was none.");
    for (size_t i = 0; i < STATS_RESULTS; i++) {
        struct exposition_label label = {"result", str_from(stats_result_word(i))};
        exposition_integer(x, &label, 1, (int64_t)s->results[i]);
    }
}

static void metrics_write_times(struct exposition *x, const struct api *a)
{
    const struct stats *s = a->config.stats;
    struct histogram commits;
    store_commits(a->config.store, &commits);
    const struct {
        const char *name;
        const char *help;
        const struct histogram *h;
    } all[] = {
        {"hookline_decide_seconds", "Judging one event by all workflows.", &s->decide},
        {"hookline_commit_seconds", "One transaction of the store, up to its sync.", &commits},
        {"hookline_first_attempt_seconds",
         "From an event to the first attempt of each of its deliveries, delays of workflows too.",
         &s->first_attempt},
        {"hookline_end_to_end_seconds", "From an event to each of its webhooks delivered.",
         &s->end_to_end},
        {"hookline_attempt_seconds", "One attempt, from its start to the answer's end.",
         &s->attempts}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        exposition_family(x, all[i].name, "histogram", all[i].help);
        exposition_histogram(x, all[i].h);
    }
}

// --- the host ------------------------------------------------------------------------------------

static void metrics_write_rules(struct exposition *x, const struct api *a)
{
    static const char *const words[] = {"stopped", "active", "dry", "suspended", "broken"};
    enum { BROKEN = 4, MODES };
    const struct generation *g = engine_generation(a->config.engine);
    const struct stats *s = a->config.stats;
    int64_t count[MODES] = {0};
    for (size_t i = 0; g && i < g->workflow_count; i++) {
        const struct generation_workflow *w = &g->workflows[i];
        count[w->rule ? g->modes[w->index] : BROKEN]++;
    }
    exposition_family(x, "hookline_workflows", "gauge",
                      "Workflow files, by what they do; broken: nothing of them is in force.");
    for (int i = 0; i < MODES; i++) {
        exposition_integer(x, &(struct exposition_label){"state", str_from(words[i])}, 1, count[i]);
    }
    exposition_gauge(x, "hookline_workflow_faults",
                     "Errors in the rules folder as it stands; older texts may be in force.",
                     g ? (int64_t)g->error_count : 0);
    exposition_family(x, "hookline_reloads_total", "counter",
                      "Loads of the rules folder, the first too, by result.");
    exposition_integer(x, &(struct exposition_label){"result", STR("success")}, 1,
                       (int64_t)s->reloads);
    exposition_integer(x, &(struct exposition_label){"result", STR("failure")}, 1,
                       (int64_t)s->reloads_failed);
    exposition_family(x, "hookline_last_reload_success_timestamp_seconds", "gauge",
                      "When the rules in force were loaded, in Unix time.");
    exposition_seconds(x, s->reloaded_ms * MS);
    exposition_gauge(x, "hookline_lua_memory_bytes", "What the Lua state of the rules holds.",
                     g ? (int64_t)rules_memory_bytes(g->rules) : 0);
}

static void metrics_write_host(struct exposition *x, const struct api *a)
{
    struct store *store = a->config.store;
    exposition_gauge(x, "hookline_ready", "1 where events are taken, as /readyz says.",
                     api_refusal(a) == NULL);
    exposition_gauge(x, "hookline_paused", "1 where an operator has paused all sending.",
                     deliver_paused(a->config.deliver)->since_ms != 0);
    struct spans_counts spans = spans_counts(a->spans);
    exposition_family(x, "hookline_spans_total", "counter",
                      "Spans for the collector of traces, by what became of them.");
    exposition_integer(x, &(struct exposition_label){"result", STR("sent")}, 1,
                       (int64_t)spans.sent);
    exposition_integer(x, &(struct exposition_label){"result", STR("dropped")}, 1,
                       (int64_t)spans.dropped);
    exposition_gauge(x, "hookline_store_writable", "0 while the store cannot write.",
                     store_trouble(store) == NULL);
    exposition_gauge(x, "hookline_store_memory_bytes", "Pages of the store that are in memory.",
                     store_memory_bytes(store));
    exposition_gauge(x, "hookline_store_size_bytes", "The files of the store.",
                     store_size_bytes(store));
    exposition_gauge(x, "hookline_disk_free_bytes", "Free on the disk of the data folder.",
                     store_free_bytes(store));
    exposition_family(x, "hookline_build_info", "gauge", "1, with the version of this host.");
    exposition_integer(x, &(struct exposition_label){"version", STR(HOOKLINE_VERSION)}, 1, 1);
}

// --- the process ---------------------------------------------------------------------------------

static int64_t process_memory_bytes(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f) {
        if (fscanf(f, "%*s %ld", &pages) != 1) {
            pages = 0;
        }
        fclose(f);
    }
    return pages * sysconf(_SC_PAGESIZE);
}

static int64_t process_open_files(void)
{
    int64_t count = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d)) {
        count++;
    }
    if (d) {
        closedir(d);
    }
    return count > 3 ? count - 3 : 0; // ".", "..", and its own
}

static void metrics_write_process(struct exposition *x, const struct stats *s)
{
    struct rusage used = {0};
    struct rlimit files = {0};
    getrusage(RUSAGE_SELF, &used);
    getrlimit(RLIMIT_NOFILE, &files);
    exposition_family(x, "process_cpu_seconds_total", "counter", "CPU time, user and system.");
    exposition_seconds(x, ((int64_t)used.ru_utime.tv_sec + used.ru_stime.tv_sec) * US +
                              used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    exposition_gauge(x, "process_resident_memory_bytes", "Memory in use.", process_memory_bytes());
    exposition_gauge(x, "process_open_fds", "Open files.", process_open_files());
    exposition_gauge(x, "process_max_fds", "Open files at most.", (int64_t)files.rlim_cur);
    exposition_family(x, "process_start_time_seconds", "gauge", "The start, in Unix time.");
    exposition_seconds(x, s->started_ms * MS);
}

void api_get_metrics(struct api *a, struct httpd_request *r, struct str id)
{
    (void)id;
    struct buf body;
    struct exposition x = {.out = &body};
    buf_init(&body, METRICS_MAX_BYTES);
    backlog_look(a);
    metrics_write_deliveries(&x, a);
    metrics_write_workflows(&x, a->config.stats);
    metrics_write_targets(&x, a);
    metrics_write_times(&x, a);
    metrics_write_rules(&x, a);
    metrics_write_host(&x, a);
    metrics_write_process(&x, a->config.stats);
    if (body.failed) {
        api_send_unavailable(r, "the host is out of memory");
    } else {
        httpd_send(
            r, &(struct httpd_answer){.status = 200,
                                      .content_type = "text/plain; version=0.0.4; charset=utf-8",
                                      .body = buf_str(&body)});
    }
    buf_fini(&body);
}
