#include "engine/event_text.h"

#include "base/err.h"
#include "encode/json_reader.h"

// What stands in place of a member that was sent, or nothing.
static struct str event_text_other(const struct event_text *t, struct str name)
{
    if (str_eq(name, STR("record"))) {
        return t->record;
    }
    return str_eq(name, STR("previous")) ? t->previous : (struct str){NULL, 0};
}

int event_text_write(struct json_writer *w, struct str payload, const struct event_text *t)
{
    struct buf scratch;
    struct json_reader r;
    buf_init(&scratch, payload.len + 1);
    json_reader_init(&r, payload, JSON_DEPTH_MAX, &scratch);
    enum json_token token = json_read(&r);
    int code = token == JSON_OBJECT_BEGIN ? 0 : ERR_CORRUPT;
    bool has_time = false, has_previous = false;
    json_object_begin(w);
    json_member_string(w, "id", t->id);
    while (code == 0 && (token = json_read(&r)) == JSON_KEY) {
        struct str other = event_text_other(t, r.text);
        bool is_id = str_eq(r.text, STR("id"));
        has_time = has_time || str_eq(r.text, STR("time"));
        has_previous = has_previous || str_eq(r.text, STR("previous"));
        if (!is_id) {
            json_key(w, r.text);
        }
        token = json_read(&r);
        size_t start = json_token_offset(&r);
        code = json_skip(&r, token);
        struct str own = {payload.data + start, json_offset(&r) - start};
        if (code == 0 && !is_id) {
            json_raw(w, other.len ? other : own);
        }
    }
    if (!has_time) {
        json_member_time(w, "time", t->time_ms);
    }
    if (!has_previous && t->previous.len) {
        json_key(w, STR("previous"));
        json_raw(w, t->previous);
    }
    json_object_end(w);
    buf_fini(&scratch);
    if (code == 0 && token != JSON_OBJECT_END) {
        code = ERR_CORRUPT;
    }
    return code == ERR_NOMEM ? code : code ? ERR_CORRUPT : 0;
}
