#include "encode/transcode.h"

#include <stdlib.h>

#include "base/rfc3339.h"
#include "encode/form_writer.h"
#include "encode/json_reader.h"
#include "encode/xml_writer.h"

static int finish(const struct json_reader *r, enum json_token last, const struct buf *out,
                  struct err *e)
{
    if (last == JSON_ERROR) {
        return json_reader_error(r, e);
    }
    if (out->failed) {
        return err_set(e, (enum err_code)out->failed,
                       out->failed == ERR_NOMEM ? "not enough memory" : "too large");
    }
    return 0;
}

static struct str scalar_text(const struct json_reader *r, enum json_token token)
{
    switch (token) {
    case JSON_TRUE:
        return STR("true");
    case JSON_FALSE:
        return STR("false");
    case JSON_NUMBER:
    case JSON_STRING:
        return r->text;
    default:
        return STR("");
    }
}

// --- XML -----------------------------------------------------------------------------------------

static bool is_datetime(struct str text)
{
    int64_t ignored;
    return rfc3339_parse(text, &ignored) == 0;
}

static bool is_date(struct str text)
{
    static const char MIDNIGHT[] = "T00:00:00Z";
    char whole[10 + sizeof MIDNIGHT];
    if (text.len != 10) {
        return false;
    }
    memcpy(whole, text.data, text.len);
    memcpy(whole + text.len, MIDNIGHT, sizeof MIDNIGHT);
    return is_datetime(str_from(whole));
}

static int by_path(const void *key, const void *element)
{
    const struct str *path = key;
    const struct transcode_type *t = element;
    size_t shorter = path->len < t->path.len ? path->len : t->path.len;
    int order = memcmp(path->data, t->path.data, shorter);
    return order ? order : path->len < t->path.len ? -1 : path->len > t->path.len;
}

static bool has_fraction(struct str number)
{
    for (size_t i = 0; i < number.len; i++) {
        if (strchr(".eE", number.data[i])) {
            return true;
        }
    }
    return false;
}

// The type of a text or a number by what is known of its path; nothing is said that the value
// itself contradicts. NULL: nothing is known.
static const char *known_type(const struct transcode_extended *x, const struct buf *path,
                              const struct json_reader *r, enum json_token token)
{
    struct str key = buf_str(path);
    struct json_number number;
    if (x->type_count == 0 || key.len == 0 || (token != JSON_STRING && token != JSON_NUMBER)) {
        return NULL;
    }
    const struct transcode_type *t =
        bsearch(&key, x->types, x->type_count, sizeof *x->types, by_path);
    if (t == NULL) {
        return NULL;
    } else if (t->type == TRANSCODE_TEXT) {
        return token == JSON_STRING ? "" : NULL;
    } else if (json_number_parse(r->text, &number) != 0) {
        return token == JSON_STRING ? "" : NULL;
    }
    return t->type == TRANSCODE_INTEGER && !has_fraction(r->text) ? "integer" : "decimal";
}

// The type that a value's JSON shows. NULL: text and objects have none.
static const char *type_of(const struct json_reader *r, enum json_token token)
{
    switch (token) {
    case JSON_TRUE:
    case JSON_FALSE:
        return "boolean";
    case JSON_NUMBER:
        return has_fraction(r->text) ? "decimal" : "integer";
    case JSON_STRING:
        return is_date(r->text) ? "date" : is_datetime(r->text) ? "datetime" : NULL;
    case JSON_ARRAY_BEGIN:
        return "array";
    default:
        return NULL;
    }
}

static void put_event_attribute(struct xml_writer *w, const char *name, struct str value)
{
    if (value.data) {
        xml_attribute(w, name, value);
    }
}

static void put_event(struct xml_writer *w, const struct transcode_extended *x)
{
    xml_element_begin(w, STR("event"));
    put_event_attribute(w, "id", x->id);
    put_event_attribute(w, "type", x->type);
    put_event_attribute(w, "time", x->time);
    put_event_attribute(w, "workflow", x->workflow);
    xml_element_end(w);
}

// The value whose element has been begun, as far as its first token goes.
static void put_xml_value(struct xml_writer *w, const struct json_reader *r, enum json_token token,
                          const struct transcode_extended *extended, const struct buf *path)
{
    bool is_root = w->depth == 1;
    if (extended) {
        const char *known = known_type(extended, path, r, token);
        const char *type = known ? known : type_of(r, token);
        if (type && *type) {
            xml_attribute(w, "type", str_from(type));
        }
        if (token == JSON_NULL) {
            xml_attribute(w, "nil", STR("true"));
        }
        if (is_root && extended->has_event) {
            put_event(w, extended);
        }
    }
    if (token == JSON_OBJECT_BEGIN || token == JSON_ARRAY_BEGIN) {
        return;
    }
    if (token != JSON_NULL) {
        xml_text(w, scalar_text(r, token));
    }
    xml_element_end(w);
}

// Where the reader stands, as the paths of types are written. starts: the length of the path at
// each depth, before the key or the item.
struct xml_path {
    struct buf text;
    size_t starts[JSON_DEPTH_MAX + 1];
};

static void put_path(struct xml_path *p, unsigned depth, struct str part, bool is_key)
{
    p->text.len = p->starts[depth];
    if (is_key && p->text.len) {
        buf_append_char(&p->text, '.');
    }
    buf_append_str(&p->text, part);
    if (depth < JSON_DEPTH_MAX) {
        p->starts[depth + 1] = p->text.len;
    }
}

int transcode_to_xml(struct str json, struct str root, const struct transcode_extended *extended,
                     struct buf *out, struct buf *scratch, size_t *dropped, struct err *e)
{
    struct xml_writer w;
    struct json_reader r;
    bool is_list[JSON_DEPTH_MAX + 1] = {false}; // by the reader's depth
    enum json_token token;
    struct xml_path path; // not zeroed: it is large
    bool has_types = extended && extended->type_count;
    path.starts[0] = path.starts[1] = 0;
    buf_init(&path.text, json.len + 4 * JSON_DEPTH_MAX);
    xml_writer_init(&w, out);
    json_reader_init(&r, json, JSON_DEPTH_MAX, scratch);
    xml_element_begin(&w, root);
    unsigned depth = 0; // before the token
    while ((token = json_read(&r)) != JSON_END && token != JSON_ERROR && !out->failed) {
        if (token == JSON_KEY) {
            xml_element_begin(&w, r.text);
            if (has_types) {
                put_path(&path, depth, r.text, true);
            }
        } else if (token == JSON_OBJECT_END || token == JSON_ARRAY_END) {
            xml_element_end(&w);
        } else {
            if (is_list[depth]) {
                xml_element_begin(&w, STR("item"));
                if (has_types) {
                    put_path(&path, depth, STR("[*]"), false);
                }
            }
            put_xml_value(&w, &r, token, extended, &path.text);
            is_list[r.depth] = token == JSON_ARRAY_BEGIN || (r.depth == depth && is_list[depth]);
        }
        depth = r.depth;
    }
    *dropped = w.dropped;
    buf_fini(&path.text);
    return finish(&r, token, out, e);
}

// --- a form --------------------------------------------------------------------------------------

struct form_level {
    bool is_list;
    size_t count; // of what it holds, so far
};

// One token of a value. levels: those that are open, by the reader's depth before the token.
static void put_form_token(struct form_writer *w, const struct json_reader *r,
                           enum json_token token, struct form_level *levels, unsigned depth)
{
    struct form_level *level = &levels[depth];
    if (token == JSON_KEY) {
        level->count++;
        form_field_begin(w, r->text);
        return;
    }
    if (token == JSON_OBJECT_END || token == JSON_ARRAY_END) {
        if (depth > 1) {
            if (level->count == 0) {
                form_value(w, STR(""));
            }
            form_field_end(w);
        }
        return;
    }
    if (level->is_list) {
        form_item_begin(w, level->count++);
    }
    if (token == JSON_OBJECT_BEGIN || token == JSON_ARRAY_BEGIN) {
        levels[r->depth] = (struct form_level){.is_list = token == JSON_ARRAY_BEGIN};
        return;
    }
    form_value(w, scalar_text(r, token));
    form_field_end(w);
}

int transcode_to_form(struct str json, struct buf *out, struct buf *scratch, struct err *e)
{
    struct form_writer w;
    struct json_reader r;
    struct form_level levels[JSON_DEPTH_MAX + 1] = {{false, 0}};
    struct buf path;
    buf_init(&path, out->max);
    form_writer_init(&w, out, &path);
    json_reader_init(&r, json, JSON_DEPTH_MAX, scratch);
    enum json_token token = json_read(&r);
    int rc;
    if (token != JSON_OBJECT_BEGIN && token != JSON_ERROR) {
        rc = err_set(e, ERR_INVALID, "a form is made of names and values: an object is wanted");
        goto out;
    }
    unsigned depth = r.depth;
    while (token != JSON_ERROR && (token = json_read(&r)) != JSON_END && !out->failed) {
        if (token != JSON_ERROR) {
            put_form_token(&w, &r, token, levels, depth);
        }
        depth = r.depth;
    }
    rc = finish(&r, token, out, e);
out:
    buf_fini(&path);
    return rc;
}
