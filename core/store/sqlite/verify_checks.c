// What must hold for the rows of each table.
#include "store/sqlite/verify.h"

#include "store/targets.h"

#include <stddef.h>

static const struct verify_rule HOST[] = {
    {"h.one IS NULL", "'its row is not there'"},
    {"h.epoch < 1", "'no host has ever opened this file'"},
    {"h.running_ms <= 0", "'the time in which it runs has not begun'"},
    {"h.down_ms < 0", "'it was down for ' || h.down_ms || ' ms'"},
    {"h.owed <> n.owed", "h.owed || ' deliveries are counted as owed, and ' || n.owed || ' are'"},
    {NULL, NULL},
};

static const struct verify_rule TARGET[] = {
    // Of what is invalid there may be none.
    {"text <> '' AND text NOT LIKE 'http%://%:%'", "'it is not SCHEME://HOST:PORT'"},
    {"pause NOT BETWEEN 0 AND 2", "'its pause is ' || pause || ', and there is none such'"},
    {"pause = 1 AND paused_at_ms <= 0", "'it is paused, and not since when'"},
    {"held_up_ms < 0", "'its breaker was open up to ' || held_up_ms"},
    {NULL, NULL},
};

// The events of the host's own hold no state of their record.
#define HOLDS_STATE                                                                                \
    "e.record_id <> '' AND e.record_type <> 'webhook' AND e.type NOT LIKE '%.scheduled'"

static const struct verify_rule EVENT[] = {
    {"e.id <= 0", "'its id is not positive'"},
    {"EXISTS (SELECT 1 FROM delivery d WHERE d.id = e.id)", "'a delivery has the same id'"},
    {"e.key = ''", "'the id that it was sent with is empty'"},
    {"e.type <> e.record_type"
     " AND substr(e.type, 1, length(e.record_type) + 1) <> e.record_type || '.'",
     "'it is a ' || e.type || ' of the record type ' || e.record_type"},
    {"e.payload IS NULL AND e.digest = 0",
     "'its payload is gone, and what tells it from another one is, too'"},
    {"e.base = e.id", "'it was compared with itself'"},
    {HOLDS_STATE " AND r.event IS NULL",
     "'nothing says what the latest state of its record is, ' || e.record_type || ' ' ||"
     " e.record_id"},
    {HOLDS_STATE " AND e.time_ms > r.time_ms",
     "'the latest state of its record, ' || e.record_type || ' ' || e.record_id ||"
     " ', is said to be an older one'"},
    {NULL, NULL},
};

static const struct verify_rule RUNS[] = {
    {"runs_fault(id, runs) IS NOT NULL", "runs_fault(id, runs)"},
    {NULL, NULL},
};

static const struct verify_rule ODD_RUN[] = {
    {"e.id IS NULL", "'it is listed for its outcome ' || o.outcome || ', and is not there'"},
    {"NOT has_outcome(e.runs, o.outcome)",
     "'it is listed for its outcome ' || o.outcome || ', which none of its runs has'"},
    {NULL, NULL},
};

static const struct verify_rule RECORD[] = {
    {"e.id IS NULL", "'the event that holds its latest state is not there'"},
    {"e.record_type <> r.record_type OR e.record_id <> r.record_id",
     "'its latest state is that of ' || e.record_type || ' ' || e.record_id"},
    {"e.time_ms <> r.time_ms", "'its latest state has another time than the event that holds it'"},
    {"e.payload IS NULL", "'the event that holds its latest state has no payload any more'"},
    {NULL, NULL},
};

static const struct verify_rule MARK[] = {
    {"r.record_id IS NULL", "'it has fired, and no event of the record was ever stored'"},
    {NULL, NULL},
};

static const struct verify_rule DELIVERY[] = {
    {"d.id <= 0", "'its id is not positive'"},
    {"d.state NOT BETWEEN 0 AND 7", "'its state is ' || d.state || ', and there is none such'"},
    {"e.id IS NULL", "'the event that caused it is not there'"},
    {"NOT has_delivery(e.runs, d.id)", "'no run of the event that caused it has it'"},
    {"t.id IS NULL", "'its target is not there'"},
    {"d.shard <> shard(d.order_key, d.id)",
     "'it is in shard ' || d.shard || ', and belongs to ' || shard(d.order_key, d.id)"},
    {"d.state <= 2 AND d.due_at_ms IS NULL", "'it is ' || word(d.state) || ' and never due'"},
    {"d.state > 2 AND d.due_at_ms IS NOT NULL", "'it is ' || word(d.state) || ' and due still'"},
    {"d.action < 1", "'it is of action ' || d.action"},
    {"d.attempt_count < 0 OR d.state IN (1, 3) AND d.attempt_count = 0"
     " OR d.state = 5 AND d.attempt_count > 0",
     "'it is ' || word(d.state) || ' after ' || d.attempt_count || ' attempts'"},
    {"d.state NOT IN (0, 1, 3) AND coalesce(d.reason, '') = ''",
     "'it is ' || word(d.state) || ' without a reason'"},
    {"d.state <= 2 AND length(d.head) = 0", "'it is owed, and its request is gone'"},
    {"d.body IS NULL AND length(d.head) > 0 AND b.id IS NULL", "'its body is not there'"},
    {"d.body IS NOT NULL AND b.id IS NOT NULL", "'its body is stored twice'"},
    {"d.attempt_count = 0 AND d.at_ms IS NOT NULL", "'no attempt is counted, and one is stored'"},
    {"(d.at_ms IS NULL) <> (d.elapsed_ms IS NULL) OR (d.at_ms IS NULL) <> (d.status IS NULL)",
     "'its first attempt is stored in part'"},
    {"d.delayed IS NOT NULL AND d.attempt_count > 0",
     "'it is delayed up to its first attempt, and ' || d.attempt_count || ' were made'"},
    {"d.delayed > (SELECT down_ms FROM host)", "'it allows for longer outages than there were'"},
    // The first one stands in the delivery's own row. Retention takes it with all others.
    {"d.at_ms IS NOT NULL AND d.attempt_count > 1 AND NOT EXISTS"
     " (SELECT 1 FROM attempt a WHERE a.delivery = d.id)",
     "d.attempt_count || ' attempts are counted, and 1 is stored'"},
    {NULL, NULL},
};

static const struct verify_rule LARGE_BODY[] = {
    {"d.id IS NULL", "'a body of it is stored, and the delivery is not there'"},
    {NULL, NULL},
};

static const struct verify_rule ATTEMPT[] = {
    {"d.id IS NULL", "'attempts of it are stored, and the delivery is not there'"},
    {"a.last <> d.attempt_count",
     "d.attempt_count || ' attempts are counted, and the last that is stored is ' || a.last"},
    {"a.count <> a.last - a.first + 1", "'attempts between ' || a.first || ' and ' || a.last ||"
                                        " ' are not there'"},
    {"a.first < 2 OR d.at_ms IS NOT NULL AND a.first > 2",
     "'after its first attempt the next that is stored is ' || a.first"},
    {NULL, NULL},
};

// What is held waits in an order, or for its workflow, or for its target: else nothing will ever
// let it go.
static const struct verify_rule HELD[] = {
    {"d.waits IS NULL AND coalesce(t.pause, 0) = 0"
     " AND (w.id IS NULL OR w.owed <> 1 AND w.is_owed_done <> 0)",
     "'it is held, and neither an order nor its workflow nor its target will let it go'"},
    {NULL, NULL},
};

static const struct verify_rule WAITING[] = {
    {"waits NOT BETWEEN 1 AND 2", "'what it waits for is ' || waits || ', and there is none such'"},
    {"state <> 2", "'it waits in an order, and is ' || word(state)"},
    {"order_key IS NULL", "'it waits in an order, and has none'"},
    {NULL, NULL},
};

static const struct verify_rule ORDER[] = {
    {"under_way = 0", "waiting || ' deliveries of the order wait, and none is under way'"},
    {"under_way > 1", "under_way || ' deliveries of the order are under way at once'"},
    {NULL, NULL},
};

static const struct verify_rule SUPERSEDED[] = {
    {"named_id IS NULL OR named_id <= id",
     "'it is superseded, and its reason names no newer delivery'"},
    {"named_key IS NOT NULL AND named_key IS NOT order_key",
     "'it is superseded by one of another order'"},
    {NULL, NULL},
};

static const struct verify_rule GENERATION_FILE[] = {
    {"f.text <> 0 AND t.id IS NULL", "'the text of ' || f.path || ' is not there'"},
    {"f.text <> 0 AND t.hash <> text_hash(t.text)",
     "'the text of ' || f.path || ' is another than was stored'"},
    {NULL, NULL},
};

static const struct verify_rule GENERATION_BASE[] = {
    {"g.id IS NULL", "'it has ' || b.path || ' from another one, and is not there'"},
    {"o.id IS NULL", "b.path || ' runs from generation ' || b.base || ', which is not there'"},
    {NULL, NULL},
};

static const struct verify_rule WORKFLOW[] = {
    {"started NOT BETWEEN 0 AND 2",
     "'what started it is ' || started || ', and there is none such'"},
    {"when_stopped NOT BETWEEN 0 AND 2",
     "'its rule when stopped is ' || when_stopped || ', and there is none such'"},
    {"owed NOT BETWEEN 0 AND 2", "'what becomes of what it owes is ' || owed ||"
                                 " ', and there is none such'"},
    {"owed = 1 AND owed_since_ms <= 0", "'what it owes is held, and not since when'"},
    {"suspended_at_ms <> 0 AND coalesce(suspended_reason, '') = ''",
     "'it is suspended without a reason'"},
    {NULL, NULL},
};

static const struct verify_rule SLOT[] = {
    {"workflow = '' OR schedule = ''", "'it is of no workflow, or has no schedule'"},
    {"under_way_ms <> 0 AND under_way_ms <= done_ms",
     "'the time under way is one that is dealt with already'"},
    {"under_way_ms = 0 AND last_record <> ''", "'it has come to a record of a time that is over'"},
    {NULL, NULL},
};

static const struct verify_rule NOTICE[] = {
    {"topic = ''", "'it is about nothing'"},
    {"is_open NOT BETWEEN 0 AND 1 OR is_urgent NOT BETWEEN 0 AND 1",
     "'it is neither open nor closed, or neither urgent nor not'"},
    {"count < 0", "'it tells of ' || count || ' times'"},
    {"first_at_ms > last_at_ms", "'it began after it was last seen'"},
    {NULL, NULL},
};

static const struct verify_rule AUDIT[] = {
    {"id <= 0", "'its id is not positive'"},
    {"who = '' OR act = ''", "'it does not say who did what'"},
    {"at_ms <= 0", "'it does not say when'"},
    {NULL, NULL},
};

static const struct verify_rule TOKEN[] = {
    {"id <= 0", "'its id is not positive'"},
    {"name = ''", "'it has no name'"},
    {"role NOT BETWEEN 0 AND 2", "'its role is ' || role || ', and there is none such'"},
    {"length(hash) <> 32", "'its hash has ' || length(hash) || ' bytes'"},
    {"created_at_ms <= 0", "'it does not say since when it is good'"},
    {"expires_at_ms <> 0 AND expires_at_ms <= created_at_ms", "'it ended before it began'"},
    {"rate_count < 0 OR rate_ms < 0 OR (rate_count = 0) <> (rate_ms = 0)",
     "'its limit is ' || rate_count || ' requests in ' || rate_ms || ' ms'"},
    {NULL, NULL},
};

#define COUNT(table) "SELECT count(*) FROM " table

const struct verify_check VERIFY_CHECKS[] = {
    {"events",
     COUNT("event"),
     {{"evt_", "e.id",
       "event e LEFT JOIN record r ON r.record_type = e.record_type AND r.record_id = e.record_id",
       EVENT}}},
    {"events with runs",
     "SELECT count(*) FROM event WHERE runs IS NOT NULL",
     {{"evt_", "id", "(SELECT id, runs FROM event WHERE runs IS NOT NULL)", RUNS},
      {"evt_", "o.event", "odd_run o LEFT JOIN event e ON e.id = o.event", ODD_RUN}}},
    {"records",
     COUNT("record"),
     {{NULL, "r.record_type || ' ' || r.record_id", "record r LEFT JOIN event e ON e.id = r.event",
       RECORD}}},
    {"marks",
     COUNT("mark"),
     {{NULL, "m.workflow || ' for ' || m.record_type || ' ' || m.record_id",
       "(SELECT * FROM mark WHERE record_type <> 'webhook') m LEFT JOIN record r"
       " ON r.record_type = m.record_type AND r.record_id = m.record_id",
       MARK}}},
    {"deliveries",
     COUNT("delivery"),
     {{"dlv_", "d.id",
       "delivery d LEFT JOIN event e ON e.id = d.event LEFT JOIN target t ON t.id = d.target"
       " LEFT JOIN large_body b ON b.id = d.id",
       DELIVERY},
      {"dlv_", "b.id", "large_body b LEFT JOIN delivery d ON d.id = b.id", LARGE_BODY},
      {"dlv_", "id",
       "(SELECT d.id, d.order_key, named(d.reason) AS named_id, n.order_key AS named_key"
       " FROM delivery d INDEXED BY delivery_state LEFT JOIN delivery n ON n.id = named(d.reason)"
       " WHERE d.state = 7 AND d.state <> 0 AND d.state <> 3)",
       SUPERSEDED}}},
    {"attempts",
     COUNT("attempt"),
     {{"dlv_", "a.delivery",
       "(SELECT delivery, min(number) AS first, max(number) AS last, count(*) AS count"
       " FROM attempt GROUP BY delivery) a LEFT JOIN delivery d ON d.id = a.delivery",
       ATTEMPT}}},
    {"held deliveries",
     "SELECT count(*) FROM delivery WHERE state = 2 AND state <> 0 AND state <> 3",
     {{"dlv_", "d.id",
       "(SELECT * FROM delivery INDEXED BY delivery_state WHERE state = 2 AND state <> 0"
       " AND state <> 3) d LEFT JOIN target t ON t.id = d.target"
       " LEFT JOIN workflow w ON w.id = d.workflow",
       HELD},
      {"dlv_", "id", "(SELECT id, waits, state, order_key FROM delivery WHERE waits IS NOT NULL)",
       WAITING}}},
    {"orders",
     "SELECT count(DISTINCT order_key) FROM delivery WHERE order_key IS NOT NULL AND state <= 2",
     {{"dlv_", "id",
       "(SELECT min(id) AS id, sum(waits IS NULL) AS under_way, sum(waits IS NOT NULL) AS waiting"
       " FROM delivery INDEXED BY delivery_order WHERE order_key IS NOT NULL AND state <= 2"
       " GROUP BY order_key)",
       ORDER}}},
    {"targets", COUNT("target"), {{NULL, "text", "target", TARGET}}},
    {"files of generations",
     COUNT("generation_file"),
     {{NULL, "'generation ' || f.generation",
       "generation_file f LEFT JOIN rule_text t ON t.id = f.text", GENERATION_FILE},
      {NULL, "'generation ' || b.generation",
       "generation_base b LEFT JOIN generation g ON g.id = b.generation"
       " LEFT JOIN generation o ON o.id = b.base",
       GENERATION_BASE}}},
    {"workflows", COUNT("workflow"), {{NULL, "id", "workflow", WORKFLOW}}},
    {"schedules", COUNT("slot"), {{NULL, "workflow", "slot", SLOT}}},
    {"notices", COUNT("notice"), {{NULL, "topic", "notice", NOTICE}}},
    {"acts of operators", COUNT("audit"), {{NULL, "'act ' || id", "audit", AUDIT}}},
    {"tokens", COUNT("token"), {{"tok_", "id", "token", TOKEN}}},
    {"hosts",
     COUNT("host"),
     {{NULL, "'the host'",
       "(SELECT count(*) AS owed FROM delivery WHERE state <= 2) n LEFT JOIN host h", HOST}}},
    {NULL, NULL, {{NULL, NULL, NULL, NULL}}},
};
