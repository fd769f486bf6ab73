#include "cli/sample.h"

#include <stdio.h>

#include "base/rfc3339.h"
#include "encode/json_writer.h"

static const struct {
    const char *type;
    const char *record;
} records[] = {
    {"deal", "{\"id\":4021,\"name\":\"Acme renewal\",\"amount\":12500.50,"
             "\"deal_stage\":\"Default Pipeline:Won\",\"closed_date\":\"2026-11-23\","
             "\"created_at\":\"2026-10-01T08:00:00Z\",\"product\":\"Gold plan\","
             "\"sales_account\":{\"id\":88,\"name\":\"Acme Inc\"}}"},
    {"lead",
     "{\"id\":311,\"first_name\":\"Ada\",\"last_name\":\"Moreno\",\"email\":\"ada@example.com\","
     "\"company\":{\"name\":\"Acme Inc\"},\"lead_stage\":\"New\",\"lead_source\":\"Web form\","
     "\"created_at\":\"2026-10-01T08:00:00Z\"}"},
    {"contact", "{\"id\":207,\"first_name\":\"Ada\",\"last_name\":\"Moreno\","
                "\"email\":\"ada@example.com\",\"job_title\":\"Buyer\","
                "\"sales_account\":{\"id\":88,\"name\":\"Acme Inc\"},"
                "\"created_at\":\"2026-10-01T08:00:00Z\"}"},
    {"sales_account", "{\"id\":88,\"name\":\"Acme Inc\",\"website\":\"https://acme.example.com\","
                      "\"number_of_employees\":120,\"created_at\":\"2026-10-01T08:00:00Z\"}"},
    {"task", "{\"id\":57,\"title\":\"Call Acme\",\"status\":\"Open\",\"due_date\":\"2026-11-23\","
             "\"created_at\":\"2026-10-01T08:00:00Z\"}"},
    {"appointment",
     "{\"id\":63,\"title\":\"Demo for Acme\",\"from_date\":\"2026-11-23T09:00:00Z\","
     "\"end_date\":\"2026-11-23T10:00:00Z\",\"created_at\":\"2026-10-01T08:00:00Z\"}"},
    {"webhook",
     "{\"id\":\"dlv_sample\",\"state\":\"delivered\",\"workflow\":\"invoice_on_won_deal\","
     "\"action\":1,"
     "\"target\":\"https://"
     "invoices.example.com:443\",\"attempts\":1,\"reason\":null,\"error\":null,"
     "\"request\":{\"method\":\"POST\",\"url\":\"https://invoices.example.com/api/invoices\","
     "\"headers\":{\"Content-Type\":\"application/json\"},\"body\":\"{\\\"amount\\\":12500.50}\"},"
     "\"response\":{\"status\":201,\"headers\":{\"Content-Type\":\"application/json\"},"
     "\"body\":\"{\\\"id\\\":77}\",\"truncated\":false,\"json\":{\"id\":77}},"
     "\"event\":{\"id\":\"crm-88121\",\"type\":\"deal.updated\",\"time\":\"2026-11-23T09:15:00Z\","
     "\"record\":{\"id\":4021,\"name\":\"Acme renewal\",\"amount\":12500.50,"
     "\"deal_stage\":\"Default Pipeline:Won\"},"
     "\"previous\":{\"deal_stage\":\"Default Pipeline:Negotiation\"}}}"},
};
// How a webhook ends without an answer that would do.
static const char *const terminated[][2] = {
    {"state", "\"terminated\""},
    {"attempts", "17"},
    {"reason", "\"the last of 17 attempts failed: the receiver answered 503\""},
    {"response",
     "{\"status\":503,\"headers\":{},\"body\":\"busy\",\"truncated\":false,\"json\":null}"},
};
static const char other_record[] =
    "{\"id\":1,\"name\":\"A sample\",\"created_at\":\"2026-10-01T08:00:00Z\"}";

static struct json_node *new_node(struct sample *s, enum json_token kind, const char *raw)
{
    struct json_node *node = arena_alloc(s->arena, sizeof(*node));

    if (node) {
        node->kind = kind;
        node->raw = str_from(raw);
    }
    return node;
}

// The member of an object, made where it is missing.
static struct json_node *member(struct sample *s, struct json_node *object, struct str name)
{
    struct json_node **tail = &object->first;

    for (; *tail; tail = &(*tail)->next)
        if (str_eq((*tail)->key, name))
            return *tail;
    *tail = new_node(s, JSON_NULL, "null");
    if (*tail)
        (*tail)->key = arena_dup(s->arena, name);
    return *tail;
}

static void make_container(struct json_node *node, enum json_token kind)
{
    if (node->kind != kind) {
        node->kind = kind;
        node->first = NULL;
    }
}

// Puts a raw JSON value at a path such as "sales_account.name" or "products[*].sku".
static void put(struct sample *s, struct json_node *node, struct str path, struct str raw)
{
    while (node && path.len) {
        const char *dot = memchr(path.data, '.', path.len);
        size_t len = dot ? (size_t)(dot - path.data) : path.len;
        struct str name = {path.data, len};
        bool is_list = str_ends_with(name, STR("[*]"));

        if (is_list)
            name.len -= 3;
        make_container(node, JSON_OBJECT_BEGIN);
        node = member(s, node, name);
        if (node && is_list) {
            make_container(node, JSON_ARRAY_BEGIN);
            if (!node->first)
                node->first = new_node(s, JSON_NULL, "null");
            node = node->first;
        }
        len += dot ? 1 : 0;
        path = (struct str){path.data + len, path.len - len};
    }
    if (!node)
        return;
    node->kind = JSON_STRING; // whatever it is: a leaf that is written as it stands
    node->first = NULL;
    node->raw = arena_dup(s->arena, raw);
}

static const char *sample_verb(unsigned verbs)
{
    return verbs & RULES_UPDATED     ? "updated"
           : verbs & RULES_CREATED   ? "created"
           : verbs & RULES_DELETED   ? "deleted"
           : verbs & RULES_DELIVERED ? "delivered"
           : verbs & RULES_SCHEDULED ? "scheduled"
                                     : "terminated";
}

int sample_init(struct sample *s, const struct rules_workflow *workflow, int64_t time_ms,
                struct arena *arena)
{
    const char *record = other_record;

    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++)
        if (strcmp(records[i].type, workflow->record) == 0)
            record = records[i].record;
    *s = (struct sample){.arena = arena, .workflow = workflow, .time_ms = time_ms};
    s->verb = sample_verb(workflow->verbs);
    int code = json_tree_read(&s->record, str_from(record), arena, NULL);

    for (size_t i = 0; code == 0 && strcmp(s->verb, "terminated") == 0 &&
                       i < sizeof(terminated) / sizeof(terminated[0]);
         i++)
        put(s, s->record, str_from(terminated[i][0]), str_from(terminated[i][1]));
    return code;
}

static void put_before(struct sample *s, struct str path, struct str raw)
{
    if (!s->previous)
        s->previous = new_node(s, JSON_OBJECT_BEGIN, "");
    if (s->previous)
        put(s, s->previous, path, raw);
}

// A number beside the wanted one, as text.
static struct str beside(struct sample *s, const struct json_node *wanted, int step)
{
    struct json_number n;
    char text[64];

    if (json_number_parse(json_tree_text(wanted), &n) != 0)
        return STR("1");
    if (n.is_integer)
        snprintf(text, sizeof(text), "%lld", (long long)n.integer + step);
    else
        snprintf(text, sizeof(text), "%.17g", n.value + step);
    return arena_dup(s->arena, str_from(text));
}

// What is put into a field for a condition to hold.
enum fill {
    FILL_NOT,   // it stays
    FILL_FIRST, // the value wanted, or the first of several
    FILL_SECOND,
    FILL_WHOLE, // the list of all that are wanted
    FILL_ABOVE,
    FILL_BELOW,
    FILL_OTHER,
    FILL_BEFORE,
    FILL_NULL,
    FILL_TRUE,
    FILL_FALSE,
    FILL_ONE,
    FILL_TWO,
    FILL_EVENT_TIME,
    FILL_LONG_AGO,
    FILL_FAR_AWAY,
};

static const struct recipe {
    const char *operator;
    enum fill now, before;
} recipes[] = {
    {"is", FILL_FIRST, FILL_NOT},
    {"is_in", FILL_FIRST, FILL_NOT},
    {"is_not", FILL_OTHER, FILL_NOT},
    {"is_not_in", FILL_OTHER, FILL_NOT},
    {"is_empty", FILL_NULL, FILL_NOT},
    {"is_not_empty", FILL_OTHER, FILL_NOT},
    {"contains", FILL_FIRST, FILL_NOT},
    {"not_contains", FILL_NULL, FILL_NOT},
    {"starts_with", FILL_FIRST, FILL_NOT},
    {"ends_with", FILL_FIRST, FILL_NOT},
    {"equals", FILL_FIRST, FILL_NOT},
    {"not_equals", FILL_OTHER, FILL_NOT},
    {"greater_than", FILL_ABOVE, FILL_NOT},
    {"at_least", FILL_FIRST, FILL_NOT},
    {"less_than", FILL_BELOW, FILL_NOT},
    {"at_most", FILL_FIRST, FILL_NOT},
    {"between", FILL_FIRST, FILL_NOT},
    {"on", FILL_FIRST, FILL_NOT},
    {"before", FILL_LONG_AGO, FILL_NOT},
    {"after", FILL_FAR_AWAY, FILL_NOT},
    {"in_last", FILL_EVENT_TIME, FILL_NOT},
    {"in_next", FILL_EVENT_TIME, FILL_NOT},
    {"older_than", FILL_LONG_AGO, FILL_NOT},
    {"contains_any", FILL_WHOLE, FILL_NOT},
    {"contains_all", FILL_WHOLE, FILL_NOT},
    {"contains_none", FILL_NULL, FILL_NOT},
    {"is_true", FILL_TRUE, FILL_NOT},
    {"is_false", FILL_FALSE, FILL_NOT},
    {"changed", FILL_NOT, FILL_BEFORE},
    {"changed_to", FILL_FIRST, FILL_BEFORE},
    {"changed_from", FILL_OTHER, FILL_FIRST},
    {"changed_from_to", FILL_SECOND, FILL_FIRST},
    {"increased", FILL_TWO, FILL_ONE},
    {"decreased", FILL_ONE, FILL_TWO},
};

// The JSON to put; without data: none.
static struct str filling(struct sample *s, enum fill fill, const struct json_node *wanted)
{
    const struct json_node *first = wanted && wanted->first ? wanted->first : wanted;
    char time[RFC3339_LEN + 3] = "\"";

    switch (fill) {
    case FILL_NOT:
        break;
    case FILL_FIRST:
        return first ? first->raw : STR("null");
    case FILL_SECOND:
        return first && first->next ? first->next->raw : STR("null");
    case FILL_WHOLE:
        return wanted ? wanted->raw : STR("[]");
    case FILL_ABOVE:
        return beside(s, wanted, 1);
    case FILL_BELOW:
        return beside(s, wanted, -1);
    case FILL_OTHER:
        return STR("\"Something else\"");
    case FILL_BEFORE:
        return STR("\"Something before\"");
    case FILL_NULL:
        return STR("null");
    case FILL_TRUE:
        return STR("true");
    case FILL_FALSE:
        return STR("false");
    case FILL_ONE:
        return STR("1");
    case FILL_TWO:
        return STR("2");
    case FILL_EVENT_TIME:
        rfc3339_format(time + 1, s->time_ms);
        memcpy(time + 1 + RFC3339_LEN, "\"", 2);
        return arena_dup(s->arena, str_from(time));
    case FILL_LONG_AGO:
        return STR("\"1900-01-01\"");
    case FILL_FAR_AWAY:
        return STR("\"9999-12-31\"");
    }
    return (struct str){0};
}

// What a field was before it changed to what it is: of the same kind where that is a number.
static struct str old_value(struct sample *s, struct str path)
{
    char name[256];
    struct json_number n;
    const struct json_node *now;

    snprintf(name, sizeof(name), STR_FMT, STR_ARG(path));
    now = json_tree_get(s->record, name);
    if (now && json_number_parse(now->raw, &n) == 0) {
        struct json_node number = {.kind = JSON_NUMBER, .text = now->raw};

        return beside(s, &number, -1);
    }
    return filling(s, FILL_BEFORE, NULL);
}

static bool satisfy_leaf(struct sample *s, const struct json_node *leaf)
{
    struct str path = json_tree_text(json_tree_get(leaf, "field"));
    struct str operator= json_tree_text(json_tree_get(leaf, "operator"));
    const struct json_node *wanted = json_tree_get(leaf, "wanted");

    // `watch` itself, with the fields of which one is to change.
    if (wanted && wanted->first && str_eq(operator, STR("changed"))) {
        path = json_tree_text(wanted->first);
        put_before(s, path, old_value(s, path));
        return true;
    }
    if (str_eq(operator, STR("not_changed")) && !s->previous) {
        put_before(s, STR("another_field"), filling(s, FILL_BEFORE, NULL));
        return true;
    }
    for (size_t i = 0; i < sizeof(recipes) / sizeof(recipes[0]); i++) {
        if (!str_eq(operator, str_from(recipes[i].operator)))
            continue;
        struct str now = filling(s, recipes[i].now, wanted);
        struct str before = filling(s, recipes[i].before, wanted);

        if (now.data)
            put(s, s->record, path, now);
        if (recipes[i].before == FILL_BEFORE)
            before = old_value(s, path);
        if (before.data)
            put_before(s, path, before);
        return true;
    }
    return false;
}

static bool dissatisfy_leaf(struct sample *s, const struct json_node *leaf)
{
    // The rest cannot hold for null.
    static const struct recipe against[] = {
        {"is_not", FILL_FIRST, FILL_NOT},
        {"is_not_in", FILL_FIRST, FILL_NOT},
        {"not_contains", FILL_FIRST, FILL_NOT},
        {"not_equals", FILL_FIRST, FILL_NOT},
        {"contains_none", FILL_WHOLE, FILL_NOT},
        {"is_empty", FILL_OTHER, FILL_NOT},
        {"is", FILL_OTHER, FILL_NOT},
        {"is_in", FILL_OTHER, FILL_NOT},
    };
    static const char *const hopeless[] = {"function", "trigger", "not_changed", "increased",
                                           "decreased"};
    struct str path = json_tree_text(json_tree_get(leaf, "field"));
    struct str operator= json_tree_text(json_tree_get(leaf, "operator"));
    enum fill fill = FILL_NULL;

    for (size_t i = 0; i < sizeof(hopeless) / sizeof(hopeless[0]); i++)
        if (str_eq(operator, str_from(hopeless[i])))
            return false;
    if (str_starts_with(operator, STR("changed")))
        return false;
    for (size_t i = 0; i < sizeof(against) / sizeof(against[0]); i++)
        if (str_eq(operator, str_from(against[i].operator)))
            fill = against[i].now;
    put(s, s->record, path, filling(s, fill, json_tree_get(leaf, "wanted")));
    return true;
}

static bool steer(struct sample *s, const struct json_node *node, bool want);

static bool steer_children(struct sample *s, const struct json_node *list, bool want, bool one)
{
    bool is_changed = false;

    for (const struct json_node *child = list->first; child; child = child->next) {
        is_changed |= steer(s, child, want);
        if (one && is_changed)
            break;
    }
    return is_changed;
}

static bool steer(struct sample *s, const struct json_node *node, bool want)
{
    const struct json_node *list;

    if (json_tree_is_true(json_tree_get(node, "verdict")) == want)
        return false;
    if ((list = json_tree_get(node, "all")))
        return steer_children(s, list, want, !want);
    if ((list = json_tree_get(node, "any")))
        return steer_children(s, list, want, want);
    if ((list = json_tree_get(node, "none")))
        return steer_children(s, list, !want, !want);
    return want ? satisfy_leaf(s, node) : dissatisfy_leaf(s, node);
}

// Empties what the conditions look at in the record as it was.
static void empty_before(struct sample *s, const struct json_node *node)
{
    static const char *const groups[] = {"all", "any", "none"};
    struct str path = json_tree_text(json_tree_get(node, "field"));

    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        const struct json_node *list = json_tree_get(node, groups[i]);

        for (const struct json_node *n = list ? list->first : NULL; n; n = n->next)
            empty_before(s, n);
    }
    if (path.len)
        put_before(s, path, filling(s, FILL_NULL, NULL));
}

bool sample_adjust(struct sample *s, const struct json_node *trace)
{
    const struct json_node *list = json_tree_get(trace, "all");
    const struct json_node *first = list ? list->first : NULL;

    // The edge stands before the conditions, which hold.
    if (first && first->next &&
        str_eq(json_tree_text(json_tree_get(first, "operator")), STR("rising"))) {
        empty_before(s, first->next);
        return s->previous != NULL;
    }
    return steer(s, trace, true);
}

static void write_node(struct json_writer *w, const struct json_node *node)
{
    bool is_object = node->kind == JSON_OBJECT_BEGIN;

    if (!is_object && node->kind != JSON_ARRAY_BEGIN) {
        json_raw(w, node->raw);
        return;
    }
    if (is_object)
        json_object_begin(w);
    else
        json_array_begin(w);
    for (const struct json_node *n = node->first; n; n = n->next) {
        if (is_object)
            json_key(w, n->key);
        write_node(w, n);
    }
    if (is_object)
        json_object_end(w);
    else
        json_array_end(w);
}

int sample_write(const struct sample *s, struct buf *out)
{
    struct json_writer w;
    char type[256];

    snprintf(type, sizeof(type), "%s.%s", s->workflow->record, s->verb);
    json_writer_init(&w, out);
    json_object_begin(&w);
    json_member_text(&w, "id", "sample");
    json_member_text(&w, "type", type);
    json_member_time(&w, "time", s->time_ms);
    json_key(&w, STR("record"));
    write_node(&w, s->record);
    if (s->previous) {
        json_key(&w, STR("previous"));
        write_node(&w, s->previous);
    }
    json_object_end(&w);
    return out->failed;
}
