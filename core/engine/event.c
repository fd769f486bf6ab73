#include "engine/event.h"

#include "base/rfc3339.h"
#include "script/rules.h"

static int event_fault(struct err *e, const char *words)
{
    return err_set(e, ERR_INVALID, "%s", words);
}

int event_check_id(struct str id, struct err *e)
{
    if (id.len == 0 || id.len > EVENT_ID_MAX) {
        return err_set(e, ERR_INVALID, "an event's id has 1 to %d bytes", EVENT_ID_MAX);
    }
    for (size_t i = 0; i < id.len; i++) {
        unsigned char c = (unsigned char)id.data[i];
        if (c < 0x20 || c == 0x7f) {
            return event_fault(e, "an event's id must not hold control characters");
        }
    }
    return 0;
}

// The reader's text is its scratch's when it had escapes, which the next string overwrites.
static int event_keep(const struct json_reader *r, struct arena *arena, struct str *out)
{
    bool is_of_input = r->text.data >= r->start && r->text.data < r->end;
    *out = is_of_input || r->text.len == 0 ? r->text : arena_dup(arena, r->text);
    return out->len == r->text.len ? 0 : ERR_NOMEM;
}

static bool event_is_name(struct str s)
{
    if (s.len == 0 || s.len > EVENT_NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_word && c != '_' && c != '-') {
            return false;
        }
    }
    return true;
}

// The outcomes of webhooks, which only the host itself tells of.
static bool event_read_outcome(struct event *ev)
{
    bool is_delivered = str_eq(ev->verb_word, STR("delivered"));
    if (!is_delivered && !str_eq(ev->verb_word, STR("terminated"))) {
        return false;
    }
    ev->verb = is_delivered ? RULES_DELIVERED : RULES_TERMINATED;
    return true;
}

static int event_read_type(struct event *ev, enum event_origin origin, struct err *e)
{
    static const struct {
        struct str word;
        unsigned verb;
    } verbs[] = {{STR("created"), RULES_CREATED},
                 {STR("updated"), RULES_UPDATED},
                 {STR("deleted"), RULES_DELETED},
                 {STR("scheduled"), RULES_SCHEDULED}};
    const char *dot = ev->type.len ? memrchr(ev->type.data, '.', ev->type.len) : NULL;
    if (dot == NULL && origin != EVENT_POSTED && event_is_name(ev->type)) {
        dot = ev->type.data + ev->type.len;
    }
    if (dot == NULL) {
        return event_fault(e, "\"type\" must be RECORD_TYPE.created, .updated or .deleted");
    }
    ev->record_type = (struct str){ev->type.data, (size_t)(dot - ev->type.data)};
    bool has_verb = ev->record_type.len < ev->type.len;
    if (has_verb) {
        ev->verb_word = (struct str){dot + 1, ev->type.len - ev->record_type.len - 1};
    }
    if (!event_is_name(ev->record_type)) {
        return event_fault(e, "\"type\": a record type is 1 to 64 letters, digits, '_' and '-'");
    }
    if (str_eq(ev->record_type, STR("webhook"))) {
        if (origin == EVENT_STORED && event_read_outcome(ev)) {
            return 0;
        }
        return event_fault(e, "\"type\": the record type \"webhook\" is the host's own");
    }
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (str_eq(ev->verb_word, verbs[i].word)) {
            ev->verb = verbs[i].verb;
        }
    }
    if (ev->verb == RULES_SCHEDULED && origin != EVENT_STORED) {
        return event_fault(e, "\"type\": the verb \"scheduled\" is the host's own");
    }
    if (ev->verb || !has_verb) {
        return 0;
    }
    return event_fault(e, "\"type\" must end in .created, .updated or .deleted");
}

static int event_read_record_id(struct event *ev, struct json_reader *r, enum json_token t,
                                struct arena *arena, struct err *e)
{
    bool is_integer = t == JSON_NUMBER && r->text.len && !memchr(r->text.data, '.', r->text.len) &&
                      !memchr(r->text.data, 'e', r->text.len) &&
                      !memchr(r->text.data, 'E', r->text.len);
    if (t != JSON_STRING && !is_integer) {
        return event_fault(e, "\"record.id\" must be an integer or a string");
    }
    if (r->text.len == 0 || r->text.len > EVENT_RECORD_ID_MAX) {
        return err_set(e, ERR_INVALID, "\"record.id\" has 1 to %d bytes", EVENT_RECORD_ID_MAX);
    }
    return event_keep(r, arena, &ev->record_id);
}

// The members of "record"; only its id is the host's business.
static int event_read_record(struct event *ev, struct json_reader *r, struct arena *arena,
                             struct err *e)
{
    for (;;) {
        enum json_token t = json_read(r);
        if (t == JSON_OBJECT_END) {
            break;
        }
        if (t != JSON_KEY) {
            return json_reader_error(r, e);
        }
        bool is_id = str_eq(r->text, STR("id"));
        t = json_read(r);
        if (is_id && t != JSON_ERROR) {
            int code = event_read_record_id(ev, r, t, arena, e);
            if (code) {
                return code;
            }
        }
        if (json_skip(r, t)) {
            return json_reader_error(r, e);
        }
    }
    return ev->record_id.len ? 0 : event_fault(e, "\"record.id\" is missing");
}

enum event_key { KEY_ID, KEY_TYPE, KEY_TIME, KEY_RECORD, KEY_PREVIOUS, KEY_DEPTH, KEY_OTHER };

static enum event_key event_key(struct str name)
{
    static const struct str names[] = {STR("id"),     STR("type"),     STR("time"),
                                       STR("record"), STR("previous"), STR("depth")};
    for (int k = 0; k < KEY_OTHER; k++) {
        if (str_eq(name, names[k])) {
            return (enum event_key)k;
        }
    }
    return KEY_OTHER;
}

static int event_read_text(struct json_reader *r, enum json_token t, const char *name,
                           struct arena *arena, struct str *out, struct err *e)
{
    if (t != JSON_STRING) {
        return err_set(e, ERR_INVALID, "\"%s\" must be a string", name);
    }
    return event_keep(r, arena, out);
}

// From a token's offset to where the reader is.
static struct str event_slice(const struct json_reader *r, size_t start)
{
    return (struct str){r->start + start, json_offset(r) - start};
}

// One top-level member, its value's first token read. Leaves the reader behind the value.
static int event_read_member(struct event *ev, enum event_key key, struct json_reader *r,
                             enum json_token t, struct arena *arena, struct err *e)
{
    struct str text = {0};
    size_t start = json_token_offset(r);
    int code = 0;
    switch (key) {
    case KEY_ID:
        code = event_read_text(r, t, "id", arena, &ev->id, e);
        return code ? code : event_check_id(ev->id, e);
    case KEY_TYPE:
        return event_read_text(r, t, "type", arena, &ev->type, e);
    case KEY_TIME:
        code = event_read_text(r, t, "time", arena, &text, e);
        if (code == 0 && rfc3339_parse(text, &ev->time_ms)) {
            code = event_fault(e, "\"time\" must be an RFC 3339 date and time with an offset, as "
                                  "\"2026-11-23T09:15:00Z\"");
        }
        ev->has_time = code == 0;
        return code;
    case KEY_RECORD:
        if (t != JSON_OBJECT_BEGIN) {
            return event_fault(e, "\"record\" must be an object");
        }
        ev->record_id = (struct str){0};
        code = event_read_record(ev, r, arena, e);
        ev->record = event_slice(r, start);
        return code;
    case KEY_PREVIOUS:
        if (t != JSON_OBJECT_BEGIN && t != JSON_NULL) {
            return event_fault(e, "\"previous\" must be an object: the old values of what changed");
        }
        code = json_skip(r, t) ? json_reader_error(r, e) : 0;
        ev->previous = t == JSON_OBJECT_BEGIN ? event_slice(r, start) : (struct str){0};
        return code;
    case KEY_DEPTH:
        if (t != JSON_NUMBER || !r->number.is_integer || r->number.integer < 0) {
            return event_fault(e, "\"depth\" must be a whole number from 0 up");
        }
        ev->depth = r->number.integer > 1000 ? 1000 : (unsigned)r->number.integer;
        break;
    case KEY_OTHER:
        break;
    }
    return json_skip(r, t) ? json_reader_error(r, e) : 0;
}

int event_read(struct event *out, struct json_reader *r, enum event_origin origin,
               struct arena *arena, struct err *e)
{
    *out = (struct event){0};
    enum json_token t = json_read(r);
    if (t == JSON_ERROR || t == JSON_END) {
        return t == JSON_ERROR ? json_reader_error(r, e) : event_fault(e, "there is no event here");
    }
    size_t start = json_token_offset(r);
    if (t != JSON_OBJECT_BEGIN) {
        return event_fault(e, "an event must be an object");
    }
    bool has_record = false;
    for (;;) {
        t = json_read(r);
        if (t == JSON_OBJECT_END) {
            break;
        }
        if (t != JSON_KEY) {
            return json_reader_error(r, e);
        }
        enum event_key key = event_key(r->text);
        has_record = has_record || key == KEY_RECORD;
        t = json_read(r);
        if (t == JSON_ERROR) {
            return json_reader_error(r, e);
        }
        int code = event_read_member(out, key, r, t, arena, e);
        if (code) {
            return code;
        }
    }
    out->json = event_slice(r, start);
    if (out->type.data == NULL) {
        return event_fault(e, "\"type\" is missing");
    }
    if (!has_record) {
        return event_fault(e, "\"record\" is missing: the whole record after the change");
    }
    return event_read_type(out, origin, e);
}
