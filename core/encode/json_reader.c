#include "encode/json_reader.h"

#include "encode/json_text.h"

enum expect {
    EXPECT_VALUE,
    EXPECT_ITEM_OR_END,  // behind '['
    EXPECT_KEY_OR_END,   // behind '{'
    EXPECT_COLON,        // behind a key
    EXPECT_COMMA_OR_END, // behind a value inside of something
    EXPECT_NOTHING,      // behind the whole value
    EXPECT_FAULT         // the fault is told again
};

void json_reader_init(struct json_reader *r, struct str text, unsigned max_depth,
                      struct buf *scratch)
{
    const char *start = text.data ? text.data : "";
    *r = (struct json_reader){
        .start = start,
        .at = start,
        .end = start + text.len,
        .token = start,
        .scratch = scratch,
        .max_depth = max_depth < JSON_DEPTH_MAX ? max_depth : JSON_DEPTH_MAX,
        .expect = EXPECT_VALUE,
    };
}

static enum json_token fail_with(struct json_reader *r, int code, const char *fault, const char *at)
{
    r->expect = EXPECT_FAULT;
    r->fault = fault;
    r->fault_code = code;
    r->fault_at = (size_t)(at - r->start);
    r->token = at;
    r->at = at;
    r->text = (struct str){NULL, 0};
    return JSON_ERROR;
}

static enum json_token fail(struct json_reader *r, const char *fault, const char *at)
{
    return fail_with(r, ERR_INVALID, at == r->end ? "the text ends too early" : fault, at);
}

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) {
        at++;
    }
    return at;
}

static bool is_in_object(const struct json_reader *r)
{
    unsigned level = r->depth - 1;
    return (r->stack[level / 8] >> (level % 8) & 1) != 0;
}

static void expect_what_follows_value(struct json_reader *r)
{
    r->expect = r->depth == 0 ? EXPECT_NOTHING : EXPECT_COMMA_OR_END;
}

static enum json_token begin(struct json_reader *r, const char *at, bool is_object)
{
    if (r->depth == r->max_depth) {
        return fail_with(r, ERR_TOO_LARGE, "nested too deep", at);
    }
    unsigned char bit = (unsigned char)(1u << (r->depth % 8));
    unsigned char *byte = &r->stack[r->depth / 8];
    *byte = (unsigned char)(is_object ? *byte | bit : *byte & ~bit);
    r->depth++;
    r->at = at + 1;
    r->expect = is_object ? EXPECT_KEY_OR_END : EXPECT_ITEM_OR_END;
    return is_object ? JSON_OBJECT_BEGIN : JSON_ARRAY_BEGIN;
}

static enum json_token end_container(struct json_reader *r, const char *at, enum json_token token)
{
    r->token = at;
    r->at = at + 1;
    r->depth--;
    expect_what_follows_value(r);
    return token;
}

// at: the opening quote.
static bool read_text(struct json_reader *r, const char *at)
{
    struct json_text_fault fault;
    const char *stop = json_text_read(at + 1, r->end, &r->text, r->scratch, &fault);
    if (!stop) {
        fail_with(r, fault.code, fault.what, fault.at);
        return false;
    }
    r->at = stop;
    return true;
}

static enum json_token read_word(struct json_reader *r, const char *at, struct str word,
                                 enum json_token token)
{
    size_t left = (size_t)(r->end - at);
    for (size_t i = 0; i < word.len; i++) {
        if (i == left || at[i] != word.data[i]) {
            return fail(r, "expected true, false or null", at + i);
        }
    }
    r->at = at + word.len;
    expect_what_follows_value(r);
    return token;
}

static enum json_token read_number(struct json_reader *r, const char *at)
{
    const char *fault;
    const char *stop = json_number_scan(at, r->end, &r->number, &fault);
    if (fault) {
        return fail(r, fault, stop);
    }
    r->text = (struct str){at, (size_t)(stop - at)};
    r->at = stop;
    expect_what_follows_value(r);
    return JSON_NUMBER;
}

static const char *why_no_value(const struct json_reader *r, const char *at)
{
    switch (*at) {
    case '\0':
        return "a NUL byte";
    case '\xEF':
        return at == r->start ? "a byte order mark is not allowed" : "expected a value";
    case '\'':
        return "a string needs double quotes";
    case '/':
        return "comments are not allowed";
    case ',':
    case ']':
    case '}':
        return "a value is missing";
    case '+':
    case '.':
        return "a number begins with a digit or '-'";
    case 'N':
    case 'I':
        return "NaN and Infinity are not JSON";
    default:
        return "expected a value";
    }
}

static enum json_token read_value(struct json_reader *r, const char *at)
{
    r->token = at;
    if (at == r->end) {
        return fail(r, NULL, at);
    }
    switch (*at) {
    case '"':
        if (!read_text(r, at)) {
            return JSON_ERROR;
        }
        expect_what_follows_value(r);
        return JSON_STRING;
    case '{':
        return begin(r, at, true);
    case '[':
        return begin(r, at, false);
    case 't':
        return read_word(r, at, STR("true"), JSON_TRUE);
    case 'f':
        return read_word(r, at, STR("false"), JSON_FALSE);
    case 'n':
        return read_word(r, at, STR("null"), JSON_NULL);
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return read_number(r, at);
    default:
        return fail(r, why_no_value(r, at), at);
    }
}

static enum json_token read_key(struct json_reader *r, const char *at)
{
    r->token = at;
    if (at == r->end || *at != '"') {
        return fail(r, "expected a member's name in double quotes", at);
    }
    if (!read_text(r, at)) {
        return JSON_ERROR;
    }
    r->expect = EXPECT_COLON;
    return JSON_KEY;
}

static enum json_token read_after_value(struct json_reader *r, const char *at)
{
    bool is_object = is_in_object(r);
    if (at < r->end && *at == ',') {
        at = skip_space(at + 1, r->end);
        return is_object ? read_key(r, at) : read_value(r, at);
    }
    if (at < r->end && *at == (is_object ? '}' : ']')) {
        return end_container(r, at, is_object ? JSON_OBJECT_END : JSON_ARRAY_END);
    }
    return fail(r, is_object ? "expected ',' or '}'" : "expected ',' or ']'", at);
}

enum json_token json_read(struct json_reader *r)
{
    if (r->expect == EXPECT_FAULT) {
        return JSON_ERROR;
    }
    const char *at = skip_space(r->at, r->end);
    switch (r->expect) {
    case EXPECT_COMMA_OR_END:
        return read_after_value(r, at);
    case EXPECT_COLON:
        if (at == r->end || *at != ':') {
            return fail(r, "expected ':' behind a member's name", at);
        }
        return read_value(r, skip_space(at + 1, r->end));
    case EXPECT_KEY_OR_END:
        if (at < r->end && *at == '}') {
            return end_container(r, at, JSON_OBJECT_END);
        }
        return read_key(r, at);
    case EXPECT_ITEM_OR_END:
        if (at < r->end && *at == ']') {
            return end_container(r, at, JSON_ARRAY_END);
        }
        return read_value(r, at);
    case EXPECT_VALUE:
        return read_value(r, at);
    default:
        if (at < r->end) {
            return fail(r, "something follows the value", at);
        }
        r->token = at;
        r->at = at;
        r->text = (struct str){NULL, 0};
        return JSON_END;
    }
}

int json_skip(struct json_reader *r, enum json_token first)
{
    enum json_token token = first;
    if (first == JSON_OBJECT_BEGIN || first == JSON_ARRAY_BEGIN) {
        unsigned outside = r->depth - 1;
        while (token != JSON_ERROR && r->depth > outside) {
            token = json_read(r);
        }
    }
    return token == JSON_ERROR ? r->fault_code : 0;
}

int json_reader_error(const struct json_reader *r, struct err *e)
{
    return err_set(e, (enum err_code)r->fault_code, "%s at byte %zu",
                   r->fault ? r->fault : "no fault", r->fault_at);
}
