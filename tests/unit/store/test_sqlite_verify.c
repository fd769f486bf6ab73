// hookline verify: a store with something of everything is clean, and each fault that a rule is for
// is found, where it was planted.
#include "store/sqlite_harness.h"
#include "store/tokens_harness.h"

#include "store/sqlite/verify.h"
#include "store/verify.h"

static void ignore_generation(struct store_generation *g)
{
    (void)g;
}

static void ignore_workflow(struct store_workflow_put *p)
{
    (void)p;
}

static void ignore_notice(struct store_notice_put *p)
{
    (void)p;
}

static void ignore_audit(struct store_audit_put *p)
{
    (void)p;
}

static void put_generation(struct fixture *f, uint64_t id, const char *text, bool has_base)
{
    struct store_file file = {STR("w.lua"), str_from(text)};
    struct store_base base = {STR("w.lua"), id - 1};
    struct store_generation g = {.id = id,
                                 .at_ms = f->now_ms,
                                 .files = &file,
                                 .file_count = 1,
                                 .bases = &base,
                                 .base_count = has_base,
                                 .on_done = ignore_generation,
                                 .code = 1};
    store_generation_put(f->store, &g);
    loop_run(f->loop);
    assert_int_equal(g.code, 0);
}

// One event of `record` with a run of the workflow that owes one delivery.
static struct store_delivery *add_owed(struct fixture *f, struct store_accept **a,
                                       const char *record, const char *workflow)
{
    *a = make_accept(f, 1);
    (*a)->events[0].record_id = str_from(record);
    return add_delivery(f, add_run(f, &(*a)->events[0], workflow), "https://a.example:443");
}

static uint64_t owe(struct fixture *f, const char *record, const char *workflow)
{
    struct store_accept *a;
    uint64_t id = add_owed(f, &a, record, workflow)->id;
    assert_int_equal(do_accept(f, a), 0);
    return id;
}

static void attempt(struct fixture *f, uint64_t id, int number, enum delivery_state state)
{
    struct store_finish end = {.delivery = id,
                               .state = state,
                               .due_at_ms = f->now_ms + 1000,
                               .base_ms = f->now_ms,
                               .attempt = {.number = number, .at_ms = f->now_ms, .status = 503}};
    assert_int_equal(do_finish(f, &end), 0);
}

static void fill_deliveries(struct fixture *f)
{
    struct store_accept *a;
    uint64_t tried = owe(f, "1", "tried");
    for (int number = 1; number <= 4; number++) {
        attempt(f, tried, number, DELIVERY_RETRYING);
    }
    attempt(f, owe(f, "2", "done"), 1, DELIVERY_DELIVERED);

    char *body = zalloc(f, 5000);
    memset(body, 'x', 5000);
    add_owed(f, &a, "3", "large")->body = (struct str){body, 5000};
    a->events[0].runs[0].mark = (struct store_mark){.is_set = true, .until_ms = INT64_MAX};
    a->events[0].key = STR("crm-1");
    assert_int_equal(do_accept(f, a), 0);

    static const char *const order[] = {"first", "second", "third"};
    for (int i = 0; i < 3; i++) {
        struct store_delivery *d = add_owed(f, &a, "4", order[i]);
        d->order_key = STR("order");
        d->is_latest = true;
        assert_int_equal(do_accept(f, a), 0);
    }
}

static void fill_workflows(struct fixture *f)
{
    struct store_accept *a = make_accept(f, 1);
    struct store_run *run = add_run(f, &a->events[0], "failing");
    run->outcome = RUN_ERROR;
    run->reason = STR("attempt to index a nil value");
    assert_int_equal(do_accept(f, a), 0);

    struct store_workflow_put stop = {.row = {.id = STR("stopped"),
                                              .started = STOPPED_BY_OPERATOR,
                                              .owed = WHEN_STOPPED_HOLD,
                                              .owed_since_ms = f->now_ms,
                                              .owed_reason = STR("stopped"),
                                              .is_owed_done = true},
                                      .on_done = ignore_workflow,
                                      .code = 1};
    store_workflow_put(f->store, &stop);
    loop_run(f->loop);
    assert_int_equal(stop.code, 0);
    owe(f, "5", "stopped");

    struct store_slot slot = {
        .workflow = STR("daily"), .schedule = STR("deal daily"), .done_ms = f->now_ms};
    assert_int_equal(put_slots(f, &slot, 1), 0);
}

static void fill_rest(struct fixture *f)
{
    struct store_notice_put notice = {.row = {.topic = STR("https://a.example:443"),
                                              .count = 1,
                                              .first_at_ms = f->now_ms,
                                              .last_at_ms = f->now_ms},
                                      .on_done = ignore_notice,
                                      .code = 1};
    store_notice_put(f->store, &notice);
    struct store_audit_put act = {
        .row = {.id = next_id(f), .at_ms = f->now_ms, .who = STR("admin"), .act = STR("resend")},
        .on_done = ignore_audit,
        .code = 1};
    store_audit_put(f->store, &act);
    loop_run(f->loop);
    assert_int_equal(notice.code, 0);
    assert_int_equal(act.code, 0);
    assert_int_equal(put_token(f, next_id(f), "crm", STORE_ROLE_READ), 0);
}

static void fill(struct fixture *f)
{
    fixture_open(f);
    put_generation(f, 6, "return 6", false);
    put_generation(f, 7, "return 7", true);
    fill_deliveries(f);
    fill_workflows(f);
    fill_rest(f);
    fixture_close(f);
}

// --- what verify says --------------------------------------------------------------------------

struct report {
    char text[8192]; // of its faults, a line each
    size_t checks;
    int64_t rows;
};

static void on_fault(void *ctx, const char *check, const char *subject, const char *words)
{
    struct report *r = ctx;
    size_t len = strlen(r->text);
    snprintf(r->text + len, sizeof r->text - len, "%s: %s: %s\n", check, subject, words);
}

static void on_check(void *ctx, const struct store_verify_check *done)
{
    struct report *r = ctx;
    r->checks++;
    r->rows += done->rows;
}

static int64_t look(struct fixture *f, struct report *r)
{
    *r = (struct report){.checks = 0};
    struct store_verify v = {.dir = f->dir, .ctx = r, .on_fault = on_fault, .on_check = on_check};
    struct err e;
    if (store_verify(&v, &e) != 0) {
        fail_msg("verify: %s", e.text);
    }
    return v.faults;
}

// --- faults ------------------------------------------------------------------------------------

#define OF(workflow) " WHERE workflow = '" workflow "'"
#define EVENT_OF(workflow) " WHERE id = (SELECT event FROM delivery" OF(workflow) ")"
#define DELIVERY_OF(workflow) "(SELECT id FROM delivery" OF(workflow) ")"

// One for each rule, in the order of VERIFY_CHECKS.
static const struct plant {
    const char *sql;
    const char *fault; // a line of the report has it
} PLANTS[] = {
    {"UPDATE event SET id = -1" EVENT_OF("done"), "events: evt_"},
    {"INSERT INTO event SELECT d.id, NULL, 1, 'deal.updated', 'deal', '1', 0, 0, NULL, NULL, '{}'"
     " FROM delivery d WHERE d.workflow = 'done'",
     "a delivery has the same id"},
    {"UPDATE event SET key = '' WHERE key = 'crm-1'", "the id that it was sent with is empty"},
    {"UPDATE event SET type = 'lead.updated'" EVENT_OF("done"),
     "it is a lead.updated of the record type deal"},
    {"UPDATE event SET payload = NULL, digest = 0" EVENT_OF("done"),
     "what tells it from another one is, too"},
    {"UPDATE event SET base = id" EVENT_OF("done"), "it was compared with itself"},
    {"DELETE FROM record WHERE record_id = '2'",
     "nothing says what the latest state of its record is, deal 2"},
    {"UPDATE event SET time_ms = time_ms + 1" EVENT_OF("done"),
     "the latest state of its record, deal 2, is said to be an older one"},

    {"UPDATE event SET runs = '[[\"done\",7,0,\"\",' || " DELIVERY_OF(
         "done") " || ',12345]]'" EVENT_OF("done"),
     "it caused dlv_0000000000c1p, which is not there"},
    {"DELETE FROM event WHERE runs LIKE '%\"failing\"%'",
     "it is listed for its outcome 2, and is not there"},
    {"UPDATE odd_run SET outcome = 3",
     "it is listed for its outcome 3, which none of its runs has"},

    {"UPDATE record SET event = 77 WHERE record_id = '2'",
     "records: deal 2: the event that holds its latest state is not there"},
    {"UPDATE record SET event = (SELECT event FROM record WHERE record_id = '1')"
     " WHERE record_id = '2'",
     "records: deal 2: its latest state is that of deal 1"},
    {"UPDATE record SET time_ms = time_ms + 1 WHERE record_id = '2'",
     "its latest state has another time than the event that holds it"},
    {"UPDATE event SET payload = NULL" EVENT_OF("done"),
     "records: deal 2: the event that holds its latest state has no payload any more"},

    {"UPDATE mark SET record_id = '99'",
     "marks: large for deal 99: it has fired, and no event of the record was ever stored"},

    {"UPDATE delivery SET id = -5" OF("done"), "its id is not positive"},
    {"UPDATE delivery SET state = 8, due_at_ms = NULL" OF("done"), "its state is 8"},
    {"DELETE FROM event" EVENT_OF("done"), "the event that caused it is not there"},
    {"UPDATE event SET runs = NULL" EVENT_OF("done"), "no run of the event that caused it has it"},
    {"UPDATE delivery SET target = 9" OF("done"), "its target is not there"},
    {"UPDATE delivery SET shard = (shard + 1) % 16" OF("done"), "it is in shard "},
    {"UPDATE delivery SET due_at_ms = NULL" OF("tried"), "it is retrying and never due"},
    {"UPDATE delivery SET due_at_ms = 5" OF("done"), "it is delivered and due still"},
    {"UPDATE delivery SET action = 0" OF("done"), "it is of action 0"},
    {"UPDATE delivery SET attempt_count = 0" OF("done"), "it is delivered after 0 attempts"},
    {"UPDATE delivery SET state = 4" OF("done"), "it is terminated without a reason"},
    {"UPDATE delivery SET head = x''" OF("tried"), "it is owed, and its request is gone"},
    {"DELETE FROM large_body", "its body is not there"},
    {"UPDATE delivery SET body = x'41'" OF("large"), "its body is stored twice"},
    {"UPDATE delivery SET attempt_count = 0, state = 6, reason = 'x'" OF("done"),
     "no attempt is counted, and one is stored"},
    {"UPDATE delivery SET status = NULL" OF("done"), "its first attempt is stored in part"},
    {"UPDATE delivery SET delayed = 0" OF("done"),
     "it is delayed up to its first attempt, and 1 were made"},
    {"UPDATE delivery SET delayed = 99999999999" OF("third"),
     "it allows for longer outages than there were"},
    {"DELETE FROM attempt", "4 attempts are counted, and 1 is stored"},
    {"INSERT INTO large_body VALUES (77, x'41')",
     "a body of it is stored, and the delivery is not there"},
    {"UPDATE delivery SET reason = 'something newer'" OF("second"),
     "it is superseded, and its reason names no newer delivery"},
    {"UPDATE delivery SET order_key = 'other', shard = 12" OF("third"),
     "it is superseded by one of another order"},

    {"UPDATE attempt SET delivery = 77",
     "attempts of it are stored, and the delivery is not there"},
    {"UPDATE delivery SET attempt_count = 5" OF("tried"),
     "5 attempts are counted, and the last that is stored is 4"},
    {"DELETE FROM attempt WHERE number = 3", "attempts between 2 and 4 are not there"},
    {"DELETE FROM attempt WHERE number = 2",
     "after its first attempt the next that is stored is 3"},

    {"DELETE FROM workflow",
     "it is held, and neither an order nor its workflow nor its target will let it go"},
    {"UPDATE delivery SET waits = 3" OF("third"), "what it waits for is 3"},
    {"UPDATE delivery SET state = 0" OF("third"), "it waits in an order, and is pending"},
    {"UPDATE delivery SET waits = 1" OF("stopped"), "it waits in an order, and has none"},

    {"DELETE FROM delivery" OF("first"), "1 deliveries of the order wait, and none is under way"},
    {"UPDATE delivery SET state = 0, waits = NULL" OF("third"),
     "2 deliveries of the order are under way at once"},

    {"UPDATE target SET text = 'a.example'", "targets: a.example: it is not SCHEME://HOST:PORT"},
    {"UPDATE target SET pause = 3", "its pause is 3"},
    {"UPDATE target SET pause = 1", "it is paused, and not since when"},
    {"UPDATE target SET held_up_ms = -1", "its breaker was open up to -1"},

    {"DELETE FROM rule_text WHERE text = CAST('return 7' AS BLOB)",
     "files of generations: generation 7: the text of w.lua is not there"},
    {"UPDATE rule_text SET text = x'41'", "the text of w.lua is another than was stored"},
    {"DELETE FROM generation WHERE id = 7", "it has w.lua from another one, and is not there"},
    {"DELETE FROM generation WHERE id = 6", "w.lua runs from generation 6, which is not there"},

    {"UPDATE workflow SET started = 3", "what started it is 3"},
    {"UPDATE workflow SET when_stopped = 3", "its rule when stopped is 3"},
    {"UPDATE workflow SET owed = 3, is_owed_done = 0", "what becomes of what it owes is 3"},
    {"UPDATE workflow SET owed_since_ms = 0", "what it owes is held, and not since when"},
    {"UPDATE workflow SET suspended_at_ms = 5", "it is suspended without a reason"},

    {"UPDATE slot SET schedule = ''", "it is of no workflow, or has no schedule"},
    {"UPDATE slot SET under_way_ms = 5", "the time under way is one that is dealt with already"},
    {"UPDATE slot SET last_record = '5'", "it has come to a record of a time that is over"},

    {"UPDATE notice SET topic = ''", "it is about nothing"},
    {"UPDATE notice SET is_open = 2", "it is neither open nor closed"},
    {"UPDATE notice SET count = -1", "it tells of -1 times"},
    {"UPDATE notice SET first_at_ms = last_at_ms + 1", "it began after it was last seen"},

    {"UPDATE audit SET id = -1", "acts of operators: act -1: its id is not positive"},
    {"UPDATE audit SET who = ''", "it does not say who did what"},
    {"UPDATE audit SET at_ms = 0", "it does not say when"},

    {"UPDATE token SET id = -1", "its id is not positive"},
    {"UPDATE token SET name = ''", "it has no name"},
    {"UPDATE token SET role = 3", "its role is 3, and there is none such"},
    {"UPDATE token SET hash = x'00'", "its hash has 1 bytes"},
    {"UPDATE token SET created_at_ms = 0", "it does not say since when it is good"},
    {"UPDATE token SET expires_at_ms = created_at_ms", "it ended before it began"},
    {"UPDATE token SET rate_count = 5", "its limit is 5 requests in 0 ms"},

    {"DELETE FROM host", "its row is not there"},
    {"UPDATE host SET epoch = 0", "no host has ever opened this file"},
    {"UPDATE host SET running_ms = 0", "the time in which it runs has not begun"},
    {"UPDATE host SET down_ms = -5", "it was down for -5 ms"},
    {"UPDATE host SET owed = owed + 1", "6 deliveries are counted as owed, and 5 are"},
};

// Faults in an event's runs that no rule of their own tells, and of the file itself.
static const struct plant MORE_PLANTS[] = {
    {"UPDATE event SET runs = 'nonsense'" EVENT_OF("done"), "its runs cannot be read"},
    {"UPDATE event SET runs = replace(runs, '7,0', '7,9')" EVENT_OF("done"),
     "a run of it has outcome 9"},
    {"DELETE FROM odd_run", "a run of it has outcome error, and is not listed for that"},
    {"UPDATE event SET runs = replace(runs, '7,0', '8,0')" EVENT_OF("done"),
     "it was judged by generation 8, which is not there"},
    {"UPDATE delivery SET event = (SELECT event FROM delivery" OF("tried") ")" OF("done"),
     "which is said to be of another event"},
    {"UPDATE delivery SET workflow = 'other'" OF("done"), "by another workflow than that says"},
    {"DROP INDEX delivery_order", "statements of the host: : no such index: delivery_order"},
    {"DROP INDEX delivery_order", "orders: : cannot be looked at to the end"},
    {"PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE INDEX target_pause ON"
     " target (pause)' WHERE name = 'target_pause'",
     "pages: : "},
};

static void copy_file(const char *from, const char *to)
{
    char command[300];
    snprintf(command, sizeof command, "cp %s %s", from, to);
    assert_int_equal(system(command), 0);
}

// Its file with the fault, looked at, and then as it was.
static void plant(struct fixture *f, size_t i, const struct plant *p, const char *kept)
{
    struct report r;
    exec_closed(f, p->sql);
    int64_t faults = look(f, &r);
    if (faults == 0 || !strstr(r.text, p->fault)) {
        fail_case(i, "%s: \"%s\" is not in:\n%s", p->sql, p->fault, r.text);
    }
    copy_file(kept, path_in(f, "hookline.db"));
}

static void each_fault_is_found(void **state)
{
    struct fixture *f = *state;
    struct report r;
    fill(f);
    look(f, &r);
    assert_string_equal(r.text, "");
    assert_true(r.rows > 60);

    size_t rules = 0, checks = 2;
    for (const struct verify_check *c = VERIFY_CHECKS; c->name; c++, checks++) {
        for (size_t i = 0; i < VERIFY_PARTS_MAX && c->parts[i].rules; i++) {
            for (const struct verify_rule *rule = c->parts[i].rules; rule->condition; rule++) {
                rules++;
            }
        }
    }
    assert_int_equal(r.checks, checks);
    assert_int_equal(rules, COUNT_OF(PLANTS)); // each rule has one

    const char *kept = path_in(f, "kept");
    copy_file(path_in(f, "hookline.db"), kept);
    for (size_t i = 0; i < COUNT_OF(PLANTS); i++) {
        plant(f, i, &PLANTS[i], kept);
    }
    for (size_t i = 0; i < COUNT_OF(MORE_PLANTS); i++) {
        plant(f, i, &MORE_PLANTS[i], kept);
    }
}

static void a_torn_page_is_found(void **state)
{
    struct fixture *f = *state;
    struct report r;
    fill(f);
    int fd = open(path_in(f, "hookline.db"), O_WRONLY);
    char junk[512];
    memset(junk, 'Z', sizeof junk);
    for (off_t page = 5; page < 20; page++) {
        assert_int_equal(pwrite(fd, junk, sizeof junk, page * 4096), sizeof junk);
    }
    close(fd);
    assert_true(look(f, &r) > 5);
    assert_non_null(strstr(r.text, "pages: "));
}

static void a_running_store_is_looked_at(void **state)
{
    struct fixture *f = *state;
    struct report r;
    fill(f);
    fixture_open(f);
    owe(f, "8", "more"); // in the WAL alone
    assert_int_equal(look(f, &r), 0);
    assert_int_equal(store_trouble(f->store), NULL);
    owe(f, "9", "more");
    assert_int_equal(look(f, &r), 0);
}

static int refusal(struct fixture *f, struct err *e)
{
    struct report r = {.checks = 0};
    struct store_verify v = {.dir = f->dir, .ctx = &r, .on_fault = on_fault, .on_check = on_check};
    return store_verify(&v, e);
}

static void what_is_no_store_is_refused(void **state)
{
    struct fixture *f = *state;
    struct err e;
    assert_int_equal(refusal(f, &e), ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, "--data"));
    close(
        open(path_in(f, "hookline.db"), O_WRONLY | O_CREAT, 0600)); // as a power loss may leave it
    assert_int_equal(refusal(f, &e), ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, "no host has been up on it"));
    fill(f);
    exec_closed(f, "PRAGMA user_version = 1");
    assert_int_equal(refusal(f, &e), ERR_VERSION);
    assert_non_null(strstr(e.text, "hookline serve takes it there"));
    exec_closed(f, "PRAGMA user_version = 99");
    assert_int_equal(refusal(f, &e), ERR_VERSION);
    exec_closed(f, "PRAGMA application_id = 5");
    assert_int_equal(refusal(f, &e), ERR_CORRUPT);
    FILE *file = fopen(path_in(f, "hookline.db"), "w");
    fputs("This is no database at all, however long it is.", file);
    fclose(file);
    assert_int_equal(refusal(f, &e), ERR_CORRUPT);
}

#define VERIFY_TEST(name) cmocka_unit_test_setup_teardown(name, sqlite_setup, sqlite_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        VERIFY_TEST(each_fault_is_found),
        VERIFY_TEST(a_torn_page_is_found),
        VERIFY_TEST(a_running_store_is_looked_at),
        VERIFY_TEST(what_is_no_store_is_refused),
    };
    return cmocka_run_group_tests_name("store, SQLite: verify", tests, NULL, NULL);
}
