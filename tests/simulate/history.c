// One history: clients that post events until they are answered, a host that lives and dies, and at
// the end a calm in which everything must come to its end.
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app.h"
#include "history.h"
#include "sim.h"

enum {
    MINUTE_MS = 60 * 1000,
    HOUR_MS = 60 * MINUTE_MS,
    LIVES_MAX = 6,
    DAY_LIVES = 12,
    CALM_HOURS = 120
};

struct sender { // of the events of one record, one after another
    unsigned record, turn, turns;
    bool is_asking;
};

struct pause { // of a target, as an operator wants it
    enum model_path path;
    bool is_wanted, is_said; // not over yet; the host has it
    bool is_asked_on;        // what is asked for: a pause, or its end
    int64_t until_ms;
};

static struct {
    struct sender senders[MODEL_RECORDS_MAX];
    struct pause pauses[PATHS];
    unsigned records, turns;
    bool is_day; // a long and busy one
    bool is_listed;
    char cursor[64]; // of the next page of the list; empty: there is none
    bool is_calm;
} history;

static const char WORKFLOW[] =
    "local hook = require \"hookline\"\n"
    "-- %u\n"
    "return hook.workflow {\n"
    "  name = \"%s\", record = \"deal\", trigger = hook.%s { \"created\", \"updated\" }, %s\n"
    "  actions = { hook.webhook { method = \"POST\", url = \"http://%s.test/%s\", %s\n"
    "    encoding = \"json\", content = hook.fields { \"id\", \"turn\" } } },\n"
    "}\n";

static const char OUTCOMES[] =
    "local hook = require \"hookline\"\n"
    "return hook.workflow {\n"
    "  record = \"webhook\", trigger = hook.every { \"delivered\", \"terminated\" },\n"
    "  when = hook.field \"workflow\":is(\"policy\"),\n"
    "  actions = { hook.webhook { method = \"POST\", url = \"http://outcome.test/outcome\",\n"
    "    encoding = \"json\", content = hook.fields { \"event.record.id as id\",\n"
    "      \"event.record.turn as turn\", \"id as of\", \"state\" } } },\n"
    "}\n";

static void write_rules(unsigned number)
{
    static const char *const names[PATHS] = MODEL_PATH_NAMES;
    static const char *const keys[PATHS] = {
        "",
        "",
        "order = \"record\", retry = hook.retry { { \"10s\", \"10m\", \"1h\" } },",
        "retry = hook.retry { { \"10s\", \"10m\" }, { \"1h\" } },",
        "delay = \"30m\",",
        "order = \"latest\", retry = hook.retry { { \"10s\", \"10m\", \"1h\" } },",
        "retry = hook.retry { { \"10s\", \"10m\", \"1h\" } },",
        "cooldown = \"20m\",",
        ""};
    mkdir("rules", 0700);
    for (unsigned i = 0; i < PATHS; i++) {
        char path[64];
        snprintf(path, sizeof path, "rules/%s.lua", names[i]);
        FILE *f = fopen(path, "w");
        if (!f) {
            sim_fail("the rules cannot be written");
        }
        if (i == PATH_OUTCOME) {
            fputs(OUTCOMES, f);
        } else {
            fprintf(f, WORKFLOW, number, names[i], i == PATH_ONCE ? "once" : "every", keys[i],
                    names[i], names[i],
                    i == PATH_POLICY ? "retry_on = { 429, \"5xx\" }, give_up_on = { 501 }," : "");
        }
        fclose(f);
    }
}

static int host_main(void)
{
    struct config c;
    struct err e = {0};
    char *const none[] = {NULL};
    const struct config_flags flags = {.rules_dir = "rules", .data_dir = "data", .no_watch = true};
    int code = config_load(&c, &flags, none, &e);
    if (code == 0) {
        c.limits.free_disk_bytes = 0;
        c.log_level = LOG_ERROR;
        code = app_run(&c, &e);
    }
    config_fini(&c);
    sim_trace("the host has ended with %d: %s", code, e.text);
    return code;
}

// --- clients
// ------------------------------------------------------------------------------------------

static void sender_turn(void *ctx);

static void sender_on_answer(void *ctx, int status, struct str body)
{
    struct sender *s = ctx;
    s->is_asking = false;
    if (status == 202) {
        model_acked(s->record, s->turn, body);
        s->turn++;
    } else if (status != 0 && status != 503) {
        sim_fail("an event is answered with %d: %.*s", status, (int)body.len, body.data);
    }
    int64_t ms = sim_chance(3) ? sim_below(20) : sim_below(sim_chance(4) ? HOUR_MS : MINUTE_MS);
    sim_after(ms, sender_turn, s);
}

static void event_text(char out[256], unsigned record, unsigned turn, unsigned value)
{
    snprintf(out, 256,
             "{\"id\":\"e-%u-%u\",\"type\":\"deal.%s\",\"record\":{\"id\":%u,\"turn\":%u}}", record,
             turn, turn ? "updated" : "created", record, value);
}

// What was taken is posted again, as it was or with another value.
static void again_on_answer(void *ctx, int status, struct str body)
{
    bool is_other = ctx != NULL;
    bool is_told = memmem(body.data, body.len, "\"duplicate\":true", 16) != NULL;
    if (status && status != 503 && (is_other ? status != 409 : status != 202 || !is_told)) {
        sim_fail("an event that is known, with %s value, is answered with %d",
                 is_other ? "another" : "the same", status);
    }
}

static void sender_turn(void *ctx)
{
    struct sender *s = ctx;
    if (s->turn && sim_chance(8) && sim_is_up() && sim_http_is_open()) {
        static bool is_other = true;
        char text[256];
        bool is_same = sim_chance(2);
        unsigned turn = sim_below(s->turn);
        event_text(text, s->record, turn, is_same ? turn : MODEL_TURNS_MAX);
        sim_http_send("POST", "/v1/events", text, again_on_answer, is_same ? NULL : &is_other);
    }
    if (s->turn == s->turns || s->is_asking) {
        return;
    }
    if (!sim_is_up() || !sim_http_is_open()) {
        sim_after(1 + (int64_t)sim_below(30000), sender_turn, s);
        return;
    }
    char body[256];
    event_text(body, s->record, s->turn, s->turn);
    s->is_asking = true;
    model_asked(s->record, s->turn);
    sim_http_send("POST", "/v1/events", body, sender_on_answer, s);
}

static void start_senders(void)
{
    for (unsigned r = 0; r < history.records; r++) {
        history.senders[r] = (struct sender){
            .record = r, .turns = history.is_day ? history.turns : sim_below(history.turns + 1)};
        sim_after(sim_below(10 * MINUTE_MS), sender_turn, &history.senders[r]);
    }
}

// --- operators
// ----------------------------------------------------------------------------------------

// Whatever it is answered: from when it was asked for, it need not be sent any more.
static void cancel_on_answer(void *ctx, int status, struct str body)
{
    (void)ctx, (void)status, (void)body;
}

static void operator_cancels(void)
{
    enum model_path path = sim_below(PATHS);
    unsigned record = sim_below(history.records), turn = sim_below(history.turns);
    const char *id = model_id(path, record, turn);
    if (id[0]) {
        char route[128];
        snprintf(route, sizeof route, "/v1/deliveries/%s/cancel", id);
        model_cancelled(path, record, turn);
        sim_http_send("POST", route, "", cancel_on_answer, NULL);
    }
}

static void pause_turn(void *ctx);

static void pause_on_answer(void *ctx, int status, struct str body)
{
    struct pause *p = ctx;
    if (status == 200 || status == 404) { // nothing was ever owed to it
        p->is_said = status == 200 && p->is_asked_on;
        p->is_wanted = p->is_said;
        model_pause_answered(p->path, p->is_said);
    } else if (status != 0 && status != 503) {
        sim_fail("a pause is answered with %d: %.*s", status, (int)body.len, body.data);
    }
    sim_after(1 + (int64_t)sim_below(MINUTE_MS), pause_turn, p);
}

// Asks until the host says that it is so.
static void pause_turn(void *ctx)
{
    static const char *const names[PATHS] = MODEL_PATH_NAMES;
    struct pause *p = ctx;
    bool is_over = history.is_calm || sim_mono_ms() >= p->until_ms;
    if (!p->is_wanted) {
        return;
    }
    if ((p->is_said && !is_over) || !sim_is_up() || !sim_http_is_open()) {
        sim_after(1 + (int64_t)sim_below(MINUTE_MS), pause_turn, p);
        return;
    }
    char route[128];
    p->is_asked_on = !is_over;
    snprintf(route, sizeof route, "/v1/targets/http%%3A%%2F%%2F%s.test%%3A80/%s", names[p->path],
             p->is_asked_on ? "pause" : "resume");
    model_pause_asked(p->path, p->is_asked_on);
    sim_http_send("POST", route, "", pause_on_answer, p);
}

static void operator_pauses(void)
{
    enum model_path path = sim_below(PATHS);
    struct pause *p = &history.pauses[path];
    if (!p->is_wanted) {
        int64_t for_ms = sim_below(sim_chance(3) ? 30 * HOUR_MS : HOUR_MS);
        *p = (struct pause){.path = path, .is_wanted = true, .until_ms = sim_mono_ms() + for_ms};
        pause_turn(p);
    }
}

static int64_t jump_ms(void)
{
    return (int64_t)sim_below(2 * 24 * HOUR_MS) - 24 * HOUR_MS;
}

static void operator_turn(void *ctx)
{
    if (history.is_calm) {
        return;
    }
    if (sim_is_up() && sim_http_is_open()) {
        unsigned what = sim_below(8);
        if (what == 0) {
            write_rules(sim_below(1000));
            sim_loop_signal(SIGHUP);
        } else if (what == 1) {
            operator_cancels();
        } else if (what == 2) {
            sim_jump_wall(jump_ms());
        } else if (what <= 4) {
            operator_pauses();
        }
    }
    sim_after(1 + (int64_t)sim_below(HOUR_MS), operator_turn, ctx);
}

// --- lives
// ----------------------------------------------------------------------------------------------

static void choose_faults(void)
{
    static const unsigned one_in[] = {0, 0, 0, 0, 20, 100, 400};
    sim_disk_faults(one_in[sim_below(sizeof one_in / sizeof one_in[0])]);
    sim_disk_crash_in(sim_chance(2) ? 1 + sim_below(sim_chance(2) ? 300 : 30) : 0);
    sim_crash_in_steps(sim_chance(3) ? 1 + sim_below(600) : 0);
}

static void live(void)
{
    int64_t span_ms = sim_below(sim_chance(3) ? 40 * HOUR_MS : 2 * HOUR_MS);
    choose_faults();
    sim_start_host(host_main);
    sim_run_until(sim_mono_ms() + span_ms);
    bool is_asked = sim_is_up() && sim_chance(3);
    if (is_asked) {
        sim_trace("SIGTERM");
        sim_loop_signal(SIGTERM);
        sim_run_until(sim_mono_ms() + MINUTE_MS);
    }
    bool has_ended = is_asked && !sim_is_up() && sim_exit_code() == 0 && sim_has_ended();
    if (sim_is_up()) {
        sim_crash("some moment");
        sim_run_until(sim_mono_ms() + 1);
    }
    bool is_power_lost = sim_chance(2);
    model_died(has_ended, is_power_lost);
    sim_disk_faults(0);
    sim_disk_down(is_power_lost);
    if (sim_chance(5)) {
        sim_jump_wall(jump_ms());
    }
    int64_t down_ms = sim_below(sim_chance(6) ? 60 * HOUR_MS : sim_chance(2) ? 5000 : 2 * HOUR_MS);
    sim_rest_until(sim_mono_ms() + down_ms);
    model_was_down(down_ms);
}

static struct str text_between(struct str *rest, const char *before)
{
    const char *at = memmem(rest->data, rest->len, before, strlen(before));
    if (!at) {
        *rest = (struct str){0};
        return *rest;
    }
    const char *from = at + strlen(before);
    const char *to = memchr(from, '"', (size_t)(rest->data + rest->len - from));
    *rest = (struct str){to, (size_t)(rest->data + rest->len - to)};
    return (struct str){from, (size_t)(to - from)};
}

static void on_list(void *ctx, int status, struct str body)
{
    (void)ctx;
    if (status != 200) {
        sim_fail("the list of deliveries is answered with %d", status);
    }
    struct str whole_body = body;
    struct str cursor = text_between(&whole_body, "\"next\":\"");
    snprintf(history.cursor, sizeof history.cursor, "%.*s", (int)cursor.len,
             cursor.len ? cursor.data : "");
    while (body.len) {
        struct str id = text_between(&body, "\"id\":\"dlv_");
        if (id.len) {
            struct str whole = {id.data - 4, id.len + 4};
            struct str state = text_between(&body, "\"state\":\"");
            struct str event = text_between(&body, "\"event\":\"");
            struct str workflow = text_between(&body, "\"workflow\":\"");
            unsigned record = MODEL_RECORDS_MAX, turn = 0;
            if (str_eq(workflow, STR("outcome"))) {
                struct str cause = text_between(&body, "\"id\":\"");
                model_outcome(cause, whole, state);
            } else if (sscanf(event.data, "e-%u-%u", &record, &turn) == 2 &&
                       record < history.records && turn < history.turns) {
                model_state(record, turn, workflow, whole, state);
            }
        }
    }
    history.is_listed = true;
}

static void check_file(void)
{
    sqlite3 *db;
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_open("data/hookline.db", &db) ||
        sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &stmt, NULL) ||
        sqlite3_step(stmt) != SQLITE_ROW ||
        strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") != 0) {
        sim_fail("the database is damaged at the end: %s", sqlite3_errmsg(db));
    }
    sqlite3_finalize(stmt);
    sqlite3_close(db);
}

void history_run(bool is_day)
{
    history.is_day = is_day;
    history.records = is_day ? MODEL_RECORDS_MAX : 4;
    history.turns = is_day ? MODEL_TURNS_MAX : 8;
    model_init(history.records, history.turns);
    write_rules(0);
    sim_disk_init();
    start_senders();
    sim_after(0, operator_turn, NULL);
    for (unsigned lives = is_day ? DAY_LIVES : sim_below(LIVES_MAX); lives > 0; lives--) {
        live();
    }
    sim_net_calm(true);
    history.is_calm = true;
    sim_start_host(host_main);
    sim_run_until(sim_mono_ms() + (int64_t)CALM_HOURS * HOUR_MS);
    if (!sim_is_up()) {
        sim_fail("the host does not stay up, though nothing is wrong any more");
    }
    do {
        char route[256];
        snprintf(route, sizeof route, "/v1/deliveries?limit=200%s%s",
                 history.cursor[0] ? "&cursor=" : "", history.cursor);
        history.is_listed = false;
        sim_http_send("GET", route, "", on_list, NULL);
        sim_run_until(sim_mono_ms() + MINUTE_MS);
        if (!history.is_listed) {
            sim_fail("the list of deliveries is not answered");
        }
    } while (history.cursor[0]);
    for (unsigned r = 0; r < history.records; r++) {
        if (history.senders[r].turn < history.senders[r].turns) {
            sim_fail("event %u.%u is never taken", r, history.senders[r].turn);
        }
    }
    model_check_end();
    sim_loop_signal(SIGTERM);
    sim_run_until(sim_mono_ms() + MINUTE_MS);
    if (sim_is_up() || sim_exit_code() != 0) {
        sim_fail("the host does not end in good order");
    }
    check_file();
}
