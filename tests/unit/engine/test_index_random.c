// The index and a plain scan over all workflows give the same matches: random workflows, random
// events. HOOKLINE_SEED gives the seed, which a failure prints.
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "engine/index.h"

enum { GENERATIONS = 24, WORKFLOWS = 40, EVENTS = 120, TREE_DEPTH_MAX = 3 };

struct world {
    uint64_t random;
    uint64_t seed;
    struct rules *rules;
    struct index index;
    struct index_look look;
    struct arena arena;
    char source[WORKFLOWS][8192]; // of the workflows, for a failure's words
    struct buf text;
    size_t matches;
    size_t asked;
};

static size_t below(struct world *w, size_t n)
{
    return (size_t)(next_random(&w->random) >> 33) % n;
}

#define PICK(w, table) (table)[below(w, COUNT_OF(table))]

static void say(struct world *w, const char *text)
{
    assert_int_equal(buf_append_text(&w->text, text), 0);
}

// --- values that meet: text in all its cases, numbers in all their forms, dates, empties
// ----------

static const char *const FIELDS[] = {"a",   "b",     "c",    "d",      "a",        "b",
                                     "o.x", "o.y.z", "l[*]", "p[*].s", "p[*].q[*]"};
static const char *const PLAIN_FIELDS[] = {"a", "b", "c", "d", "o.x"};

// As JSON, which in a rule is Lua's, too.
static const char *const TEXTS[] = {"\"Won\"",
                                    "\"won\"",
                                    "\"WON\"",
                                    "\"Stra\u00dfe\"",
                                    "\"STRA\u1e9eE\"",
                                    "\"STRASSE\"",
                                    "\"I\"",
                                    "\"i\"",
                                    "\"\u0130\"",
                                    "\"\u0131\"",
                                    "\"\u03a3\"",
                                    "\"\u03c3\"",
                                    "\"\u03c2\"",
                                    "\"\u212a\"",
                                    "\"k\"",
                                    "\"K\"",
                                    "\"5\"",
                                    "\"5.0\"",
                                    "\"5e0\"",
                                    "\"05\"",
                                    "\" 5\"",
                                    "\"-0\"",
                                    "\"0\"",
                                    "\"1e999\"",
                                    "\"9007199254740993\"",
                                    "\"2026-11-23\"",
                                    "\"2026-11-24\"",
                                    "\"2026-11-23T09:15:00Z\"",
                                    "\"2026-11-22T23:30:00+02:00\"",
                                    "\"2027-01-01\"",
                                    "\"\u00c4b\"",
                                    "\"\u00e4B\"",
                                    "\"true\"",
                                    "\"\u023a\"",
                                    "\"\u2c65\""};
static const char *const NUMBERS[] = {"0",
                                      "-0.0",
                                      "5",
                                      "5.0",
                                      "5e0",
                                      "4.999",
                                      "-3",
                                      "100",
                                      "1e3",
                                      "1000",
                                      "9007199254740993",
                                      "9007199254740992",
                                      "9007199254740992.0",
                                      "0.1"};
static const char *const DATES[] = {"\"2026-11-23\"", "\"2026-11-24\"", "\"2026-11-23T09:15:00Z\"",
                                    "\"2026-11-22T23:30:00+02:00\"", "\"2027-01-01\""};
static const char *const DURATIONS[] = {"\"1h\"", "\"1d\"", "\"7d\"", "\"40d\""};
static const char *const EMPTIES[] = {"null", "\"\"", "[]", "{}"};

static const char *scalar(struct world *w)
{
    size_t kind = below(w, 10);
    return kind < 6 ? PICK(w, TEXTS) : kind < 9 ? PICK(w, NUMBERS) : below(w, 2) ? "true" : "false";
}

// --- conditions ----------------------------------------------------------------------------------

enum taking {
    NOTHING,
    SCALAR,
    SCALARS,
    TEXT,
    NUMBER,
    NUMBERS_TWO,
    DATE,
    DATES_TWO,
    DURATION,
    PAIR
};

static const struct {
    const char *name;
    enum taking takes;
} OPERATORS[] = {
    {"is", SCALAR},
    {"is", SCALAR},
    {"is_in", SCALARS},
    {"is_not", SCALAR},
    {"is_not_in", SCALARS},
    {"is_empty", NOTHING},
    {"is_not_empty", NOTHING},
    {"contains", TEXT},
    {"starts_with", TEXT},
    {"equals", NUMBER},
    {"equals", NUMBER},
    {"not_equals", NUMBER},
    {"greater_than", NUMBER},
    {"at_least", NUMBER},
    {"less_than", NUMBER},
    {"at_most", NUMBER},
    {"between", NUMBERS_TWO},
    {"between", DATES_TWO},
    {"on", DATE},
    {"before", DATE},
    {"after", DATE},
    {"in_last", DURATION},
    {"in_next", DURATION},
    {"older_than", DURATION},
    {"contains_any", SCALARS},
    {"contains_all", SCALARS},
    {"contains_none", SCALARS},
    {"is_true", NOTHING},
    {"is_false", NOTHING},
    {"changed", NOTHING},
    {"not_changed", NOTHING},
    {"changed_to", SCALAR},
    {"changed_to", SCALAR},
    {"changed_from", SCALAR},
    {"changed_from_to", PAIR},
    {"increased", NOTHING},
    {"decreased", NOTHING},
};

static const char *wanted(struct world *w)
{
    size_t kind = below(w, 12);
    return kind == 0 ? "hook.null" : kind == 1 ? "\"\"" : scalar(w);
}

static void say_arguments(struct world *w, enum taking takes)
{
    const char *exact = below(w, 5) == 0 ? ", { case = true }" : "";
    switch (takes) {
    case NOTHING:
        break;
    case SCALAR:
        say(w, wanted(w));
        say(w, exact);
        break;
    case SCALARS:
        say(w, "{ ");
        for (size_t i = below(w, 3) + 1; i > 0; i--) {
            say(w, wanted(w));
            say(w, i > 1 ? ", " : " }");
        }
        say(w, exact);
        break;
    case TEXT:
        say(w, PICK(w, TEXTS));
        say(w, exact);
        break;
    case NUMBER:
        say(w, PICK(w, NUMBERS));
        break;
    case NUMBERS_TWO:
        say(w, below(w, 2) ? "-1, 5" : "5, 1000");
        break;
    case DATE:
        say(w, PICK(w, DATES));
        break;
    case DATES_TWO:
        say(w, below(w, 2) ? "\"2026-11-23\", \"2026-11-24\"" : "\"2026-01-01\", \"2026-11-23\"");
        break;
    case DURATION:
        say(w, PICK(w, DURATIONS));
        break;
    case PAIR:
        say(w, wanted(w));
        say(w, ", ");
        say(w, wanted(w));
        break;
    }
}

static void say_condition(struct world *w, size_t depth)
{
    static const char *const groups[] = {"hook.all { ", "hook.all { ", "hook.any { ",
                                         "hook.none { "};
    if (depth < TREE_DEPTH_MAX && below(w, 5) < 3) {
        say(w, PICK(w, groups));
        for (size_t i = below(w, 3) + 1; i > 0; i--) {
            say_condition(w, depth + 1);
            say(w, i > 1 ? ", " : " }");
        }
        return;
    }
    if (below(w, 25) == 0) {
        say(w, below(w, 2) ? "function(event) return event.record.a == 5 end"
                           : "function(event) return event.record.b.x end"); // may raise
        return;
    }
    size_t i = below(w, COUNT_OF(OPERATORS));
    bool is_plain = strstr(OPERATORS[i].name, "creased") != NULL;
    say(w, "field \"");
    say(w, is_plain ? PICK(w, PLAIN_FIELDS) : PICK(w, FIELDS));
    say(w, "\":");
    say(w, OPERATORS[i].name);
    say(w, "(");
    say_arguments(w, OPERATORS[i].takes);
    say(w, ")");
}

static void say_workflow(struct world *w)
{
    static const char *const triggers[] = {
        "hook.every { \"created\", \"updated\" }",
        "hook.every { \"created\", \"updated\", \"deleted\" }",
        "hook.every { \"updated\", watch = { \"a\", \"o.x\" } }",
        "hook.every { \"created\", \"updated\", watch = { \"p[*].s\" } }",
        "hook.every { \"created\", \"updated\", edge = \"rising\" }",
    };
    buf_reset(&w->text);
    say(w, "local hook = require \"hookline\" local field = hook.field return hook.workflow { "
           "record = \"deal\", trigger = ");
    say(w, PICK(w, triggers));
    say(w, ", when = ");
    say_condition(w, 0);
    say(w,
        ", actions = { hook.webhook { method = \"POST\", url = \"https://a.example/\", encoding = "
        "\"json\", content = hook.fields { \"b\", \"n\", \"o.y\" } } } }");
}

// --- events --------------------------------------------------------------------------------------

static void say_value(struct world *w)
{
    size_t kind = below(w, 8);
    say(w, kind == 0   ? PICK(w, EMPTIES)
           : kind == 1 ? "{\"x\":1}"
           : kind == 2 ? "[5,\"Won\"]"
                       : scalar(w));
}

static void say_list(struct world *w, const char *before, const char *behind)
{
    say(w, "[");
    for (size_t i = below(w, 4); i > 0; i--) {
        say(w, before);
        say_value(w);
        say(w, behind);
        say(w, i > 1 ? "," : "");
    }
    say(w, "]");
}

// Some fields of a record, each of some value, now and then of another kind than is looked for.
static void say_record(struct world *w, const char *first)
{
    static const char *const names[] = {"a", "b", "c", "d", "\\u0061", "n", "unread"};
    say(w, first);
    for (size_t i = below(w, 7); i > 0; i--) {
        say(w, ",\"");
        say(w, PICK(w, names));
        say(w, "\":");
        say_value(w);
    }
    if (below(w, 2)) {
        say(w, ",\"o\":{\"x\":");
        say_value(w);
        say(w, below(w, 2) ? "}" : ",\"y\":{\"z\":");
        if (w->text.data[w->text.len - 1] == ':') {
            say_value(w);
            say(w, "}}");
        }
    }
    if (below(w, 2)) {
        say(w, ",\"l\":");
        say_list(w, "", "");
    }
    if (below(w, 2)) {
        static const char *const befores[] = {"{\"s\":", "{\"q\":", "{\"q\":["};
        static const char *const behinds[] = {"}", "}", "]}"};
        size_t at = below(w, COUNT_OF(befores));
        say(w, ",\"p\":");
        say_list(w, befores[at], behinds[at]);
    }
    if (below(w, 10) == 0) {
        say(w, below(w, 2) ? ",\"o\":" : ",\"p\":");
        say_value(w);
    }
    say(w, "}");
}

static void say_event(struct world *w)
{
    static const char *const verbs[] = {"created", "updated", "updated", "updated", "deleted"};
    buf_reset(&w->text);
    say(w, "{\"type\":\"deal.");
    say(w, PICK(w, verbs));
    say(w, "\",\"record\":");
    if (below(w, 4) == 0) { // as it was: an update that has changed nothing matches nothing
        static const char *const sames[] = {"\"unread\":[1.50]", "\"d\":\"Won\"",
                                            "\"d\":5,\"other\":{\"x\":null}"};
        const char *same = PICK(w, sames);
        say_record(w, "{\"id\":1");
        w->text.len--; // the last of a name stands
        say(w, ",");
        say(w, same);
        say(w, "},\"previous\":{");
        say(w, same);
        say(w, "}}");
        return;
    }
    say_record(w, "{\"id\":1");
    if (below(w, 3)) {
        say(w, ",\"previous\":");
        say_record(w, "{\"was\":0");
    }
    say(w, "}");
}

// --- both ways -----------------------------------------------------------------------------------

static void load_workflows(struct world *w)
{
    struct err e;
    struct rules_config config = {.rules_dir = "rules"};
    size_t places[WORKFLOWS];
    assert_int_equal(rules_new(&w->rules, &config, &e), 0);
    for (size_t i = 0; i < WORKFLOWS; i++) {
        char file[32];
        do { // a range that holds for nothing is refused, say
            say_workflow(w);
            snprintf(file, sizeof file, "w%zu.lua", i);
        } while (w->text.len >= sizeof w->source[i] ||
                 rules_load(w->rules, file, buf_str(&w->text)));
        memcpy(w->source[i], w->text.data, w->text.len);
        w->source[i][w->text.len] = '\0';
        places[i] = i;
    }
    assert_int_equal(index_build(&w->index, w->rules, places, WORKFLOWS), 0);
}

static void run_all(struct world *w, const struct rules_event *ev, const uint32_t *asked,
                    size_t count, struct rules_run runs[WORKFLOWS])
{
    struct err e;
    for (size_t i = 0; i < WORKFLOWS; i++) {
        runs[i] = (struct rules_run){.verdict = RULES_NO_MATCH};
    }
    if (rules_event_begin(w->rules, ev, &e)) {
        fail_msg("%s", e.text);
    }
    for (size_t i = 0; i < count; i++) {
        size_t at = asked ? asked[i] : i;
        assert_true(i == 0 || asked == NULL || asked[i - 1] < asked[i]); // in their order
        rules_run(w->rules, at, &w->arena, &runs[at]);
    }
    rules_event_end(w->rules);
}

static void compare(struct world *w, const struct rules_run *plain, const struct rules_run *found)
{
    for (size_t i = 0; i < WORKFLOWS; i++) {
        w->matches += plain[i].verdict == RULES_MATCH;
        bool is_same = plain[i].verdict == found[i].verdict &&
                       plain[i].request_count == found[i].request_count &&
                       (plain[i].request_count == 0 ||
                        str_eq(plain[i].requests[0].body, found[i].requests[0].body));
        if (!is_same) {
            fail_msg("HOOKLINE_SEED=%llu\n%s\n" STR_FMT "\nplain scan %d, index %d",
                     (unsigned long long)w->seed, w->source[i], STR_ARG(buf_str(&w->text)),
                     (int)plain[i].verdict, (int)found[i].verdict);
        }
    }
}

static void judge_both_ways(struct world *w)
{
    struct err e;
    struct event event;
    struct buf scratch;
    struct json_reader reader;
    struct rules_run plain[WORKFLOWS], found[WORKFLOWS];
    arena_init(&w->arena, 16 << 20);
    buf_init(&scratch, 1 << 16);
    say_event(w);
    json_reader_init(&reader, buf_str(&w->text), EVENT_DEPTH_MAX, &scratch);
    if (event_read(&event, &reader, EVENT_STORED, &w->arena, &e)) {
        fail_msg("%s: " STR_FMT, e.text, STR_ARG(buf_str(&w->text)));
    }
    struct rules_event ev = {.json = event.json,
                             .id = STR("e1"),
                             .type = event.type,
                             .record_type = event.record_type,
                             .verb = event.verb_word,
                             .time_ms = 1795425300120, // 2026-11-23T09:15
                             .previous = event.previous};
    run_all(w, &ev, NULL, WORKFLOWS, plain);
    assert_int_equal(index_look(&w->look, &w->index, &event, ev.time_ms, &w->arena), 0);
    ev.parts = w->look.parts;
    ev.part_count = w->look.part_count;
    ev.reads_time = w->look.reads_time;
    run_all(w, &ev, w->look.asked, w->look.asked ? w->look.asked_count : 0, found);
    w->asked += w->look.asked_count;
    compare(w, plain, found);
    buf_fini(&scratch);
    arena_fini(&w->arena);
}

static void index_and_plain_scan_agree(void **state)
{
    (void)state;
    static struct world world;
    struct world *w = &world;
    const char *given = getenv("HOOKLINE_SEED");
    if (given) {
        w->seed = strtoull(given, NULL, 10);
    } else {
        random_bytes(&w->seed, sizeof w->seed);
    }
    w->random = w->seed | 1;
    print_message("HOOKLINE_SEED=%llu\n", (unsigned long long)w->seed);
    buf_init(&w->text, 1 << 16);
    for (size_t g = 0; g < GENERATIONS; g++) {
        load_workflows(w);
        for (size_t i = 0; i < EVENTS; i++) {
            judge_both_ways(w);
        }
        index_fini(&w->index);
        rules_free(w->rules);
    }
    index_look_fini(&w->look);
    buf_fini(&w->text);
    // Both happen, and asking is spared.
    size_t pairs = (size_t)GENERATIONS * EVENTS * WORKFLOWS;
    print_message("%zu pairs, %zu asked, %zu matches\n", pairs, w->asked, w->matches);
    assert_in_range(w->matches, pairs / 20, pairs / 2);
    assert_in_range(w->asked, w->matches, pairs * 9 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(index_and_plain_scan_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
