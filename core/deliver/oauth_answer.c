#include "deliver/oauth_answer.h"

#include <stdio.h>

#include "encode/json_reader.h"

enum {
    ANSWER_DEPTH_MAX = 32,
    ANSWER_WORDS_MAX = 200, // of an error, or its description, that are shown
    // It is used a tenth shorter than its server says, and a minute at most: it may be under way.
    ANSWER_MARGIN_MAX_MS = 60 * 1000,
    ANSWER_LIFETIME_MIN_MS = 5 * 1000,  // however short: else no request ever got to use it
    ANSWER_LIFETIME_MS = 60 * 60 * 1000 // where its server does not say
};

static const int64_t ANSWER_LIFETIME_MAX_S = 24 * 60 * 60; // however long

struct answer {
    struct buf *token;
    bool has_token;
    bool has_type;
    bool is_bearer;
    int64_t lifetime_s; // negative: not said
    char error[ANSWER_WORDS_MAX + 1];
    char description[ANSWER_WORDS_MAX + 1];
    const struct mask *mask;
};

// A text of the server's for people: without secrets and control characters, cut where it is long.
static void answer_words(const struct answer *a, char out[ANSWER_WORDS_MAX + 1], struct str text)
{
    struct buf masked;
    size_t len = 0;
    buf_init(&masked, 4 * text.len + 16);
    mask_apply(a->mask, &masked, text, false);
    for (size_t at = 0, step; at < masked.len; at += step) {
        step = str_utf8_char_len(masked.data + at, masked.len - at);
        if (step == 0 || len + step > ANSWER_WORDS_MAX) {
            break;
        }
        bool is_control = (unsigned char)masked.data[at] < 0x20 || masked.data[at] == 0x7f;
        memcpy(out + len, is_control ? " " : masked.data + at, step);
        len += step;
    }
    out[len] = '\0';
    buf_fini(&masked);
}

// Seconds as a number or, as some servers have it, as a text.
static int64_t answer_seconds(struct str text)
{
    int64_t whole = 0;
    size_t digits = 0;
    while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9') {
        whole = whole < ANSWER_LIFETIME_MAX_S ? whole * 10 + (text.data[digits] - '0') : whole;
        digits++;
    }
    if (digits == 0 || (digits < text.len && text.data[digits] != '.')) {
        return -1;
    }
    return whole < ANSWER_LIFETIME_MAX_S ? whole : ANSWER_LIFETIME_MAX_S;
}

static void answer_take(struct answer *a, struct str key, enum json_token kind, struct str value)
{
    if (kind == JSON_STRING && str_eq(key, STR("access_token"))) {
        buf_reset(a->token);
        a->has_token = buf_append_str(a->token, value) == 0;
    } else if (kind == JSON_STRING && str_eq(key, STR("token_type"))) {
        a->has_type = true;
        a->is_bearer = str_eq_nocase(value, STR("Bearer"));
    } else if (str_eq(key, STR("expires_in")) && (kind == JSON_STRING || kind == JSON_NUMBER)) {
        a->lifetime_s = answer_seconds(value);
    } else if (kind == JSON_STRING && str_eq(key, STR("error"))) {
        answer_words(a, a->error, value);
    } else if (kind == JSON_STRING && str_eq(key, STR("error_description"))) {
        answer_words(a, a->description, value);
    }
}

// Whether it is a JSON object.
static bool answer_parse(struct answer *a, struct str body)
{
    struct json_reader r;
    struct buf scratch;
    char key[32];
    buf_init(&scratch, body.len + 16);
    json_reader_init(&r, body, ANSWER_DEPTH_MAX, &scratch);
    enum json_token token = json_read(&r);
    bool is_fine = token == JSON_OBJECT_BEGIN;
    while (is_fine && (token = json_read(&r)) == JSON_KEY) {
        size_t len = r.text.len < sizeof key ? r.text.len : 0; // none of those that are looked for
        memcpy(key, r.text.data, len);
        token = json_read(&r);
        if (token == JSON_STRING || token == JSON_NUMBER) {
            answer_take(a, (struct str){key, len}, token, r.text);
        } else {
            is_fine = token != JSON_ERROR && json_skip(&r, token) == 0;
        }
    }
    is_fine = is_fine && token == JSON_OBJECT_END && json_read(&r) == JSON_END;
    if (scratch.len) {
        explicit_bzero(scratch.data, scratch.len);
    }
    buf_fini(&scratch);
    return is_fine;
}

// Visible ASCII (RFC 6749, appendix A.12, without the space): nothing that could end a header.
static bool answer_is_header_value(struct str token)
{
    for (size_t i = 0; i < token.len; i++) {
        if (token.data[i] <= ' ' || token.data[i] >= 0x7f) {
            return false;
        }
    }
    return token.len > 0;
}

static int64_t answer_lifetime_ms(const struct answer *a)
{
    if (a->lifetime_s < 0) {
        return ANSWER_LIFETIME_MS;
    }
    int64_t ms = a->lifetime_s * 1000;
    int64_t margin_ms = ms / 10 < ANSWER_MARGIN_MAX_MS ? ms / 10 : ANSWER_MARGIN_MAX_MS;
    return ms - margin_ms > ANSWER_LIFETIME_MIN_MS ? ms - margin_ms : ANSWER_LIFETIME_MIN_MS;
}

// Why there is no token in an answer of status 2xx, or NULL.
static const char *answer_fault(const struct answer *a, const struct client_response *r,
                                bool is_object)
{
    if (r->body_is_truncated) {
        return "more than 64 KiB";
    }
    if (!is_object) {
        return "what is no JSON object";
    }
    if (!a->has_token) {
        return a->token->failed ? "an access_token of more than 16 KiB" : "no access_token";
    }
    if (a->has_type && !a->is_bearer) {
        return "a token_type other than Bearer";
    }
    return answer_is_header_value(buf_str(a->token))
               ? NULL
               : "an access_token that is empty or has characters which no header may have";
}

void oauth_answer_read(const struct client_response *r, struct str server, const struct mask *mask,
                       struct buf *token, struct oauth_grant *out)
{
    struct answer a = {.token = token, .lifetime_s = -1, .mask = mask};
    *out = (struct oauth_grant){.is_given = false};
    if (r->error != CLIENT_OK) {
        snprintf(out->detail, sizeof out->detail,
                 "the token server " STR_FMT " gave no answer: %s: %s", STR_ARG(server),
                 client_error_word(r->error), r->detail);
        return;
    }
    bool is_object = !r->body_is_truncated && answer_parse(&a, r->body);
    bool is_good = r->status >= 200 && r->status <= 299;
    const char *fault = is_good ? answer_fault(&a, r, is_object) : "no access token";
    if (fault == NULL) {
        out->is_given = true;
        out->lifetime_ms = answer_lifetime_ms(&a);
    } else if (a.error[0]) { // some send it with a status of success
        snprintf(out->detail, sizeof out->detail,
                 "the token server " STR_FMT " answered %d: %s%s%s", STR_ARG(server), r->status,
                 a.error, a.description[0] ? ": " : "", a.description);
    } else if (r->status >= 300 && r->status <= 399) {
        snprintf(out->detail, sizeof out->detail,
                 "the token server " STR_FMT " answered %d, and redirects are never followed",
                 STR_ARG(server), r->status);
    } else {
        snprintf(out->detail, sizeof out->detail,
                 "the token server " STR_FMT " answered %d with %s", STR_ARG(server), r->status,
                 fault);
    }
}
