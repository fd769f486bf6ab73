#include "deliver/request.h"

#include <stdio.h>

#include "base/id.h"
#include "deliver/sign.h"
#include "encode/base64.h"
#include "encode/head.h"
#include "encode/percent.h"

enum { REQUEST_TEXT_MAX = 256 * 1024 };

struct request_builder {
    struct request *out;
    const struct request_input *in;
    struct secrets *secrets; // NULL: masked
    struct mask *mask;
    struct arena *arena;
    struct head head;
    char id[ID_SHOWN_LEN + 1];
    char timestamp[24];
    struct buf text; // one value at a time
    struct err *err;
};

static int request_add(struct request_builder *b, struct str name, struct str value)
{
    struct request *q = b->out;
    if (q->header_count == REQUEST_HEADERS_MAX) {
        return err_set(b->err, ERR_TOO_LARGE, "the request has too many headers");
    }
    q->headers[q->header_count++] = (struct client_header){name, value};
    return 0;
}

// The built text as an arena copy; the buffer is wiped of what it held.
static int request_keep(struct request_builder *b, struct str *out)
{
    *out = b->text.failed ? (struct str){0} : arena_dup(b->arena, buf_str(&b->text));
    if (b->text.len) {
        explicit_bzero(b->text.data, b->text.len);
    }
    buf_reset(&b->text);
    return out->data ? 0 : err_set(b->err, ERR_NOMEM, "out of memory");
}

static int request_secret(struct request_builder *b, struct str name, struct str *value)
{
    *value = STR("****");
    if (b->secrets == NULL) {
        return 0;
    }
    int code = secrets_get(b->secrets, name, value, b->err);
    if (code == 0 && b->mask && mask_add(b->mask, *value)) {
        code = err_set(b->err, ERR_NOMEM, "out of memory");
    }
    return code;
}

static int request_add_basic(struct request_builder *b, const struct head_secret *s,
                             struct str value)
{
    bool is_masked = true;
    buf_append_text(&b->text, "Basic ");
    if (b->secrets == NULL) {
        buf_append_str(&b->text, value);
    } else {
        struct buf pair;
        buf_init(&pair, REQUEST_TEXT_MAX);
        buf_append_str(&pair, s->key);
        buf_append_char(&pair, ':');
        buf_append_str(&pair, value);
        base64_encode(&b->text, buf_str(&pair));
        is_masked = !pair.failed && !(b->mask && mask_add_credential(b->mask, buf_str(&pair)));
        if (pair.len) {
            explicit_bzero(pair.data, pair.len);
        }
        buf_fini(&pair);
    }
    struct str kept;
    int code = request_keep(b, &kept);
    if (code == 0 && !is_masked) {
        code = err_set(b->err, ERR_NOMEM, "out of memory");
    }
    return code ? code : request_add(b, STR("Authorization"), kept);
}

static int request_add_query(struct request_builder *b, const struct head_secret *s,
                             struct str value)
{
    struct str url = str_from(b->out->url);
    buf_append_str(&b->text, url);
    buf_append_char(&b->text, memchr(url.data, '?', url.len) ? '&' : '?');
    percent_encode(&b->text, s->key);
    buf_append_char(&b->text, '=');
    if (b->secrets) {
        percent_encode(&b->text, value);
    } else {
        buf_append_str(&b->text, value);
    }
    struct str kept;
    int code = request_keep(b, &kept);
    b->out->url = kept.data;
    return code;
}

static int request_add_copy(struct request_builder *b, struct str name, struct str value)
{
    struct str kept = arena_dup(b->arena, value);
    return kept.data ? request_add(b, name, kept) : err_set(b->err, ERR_NOMEM, "out of memory");
}

static struct sign_input request_signed(const struct request_builder *b)
{
    return (struct sign_input){
        .id = str_from(b->id), .timestamp = str_from(b->timestamp), .body = b->in->body};
}

// webhook-signature: of each key one piece, with a space between them.
static int request_add_signatures(struct request_builder *b)
{
    struct sign_input in = request_signed(b);
    struct str value;
    int code = 0;
    for (size_t i = 0; code == 0 && i < b->head.secret_count; i++) {
        const struct head_secret *s = &b->head.secrets[i];
        if (s->kind != HEAD_SECRET_SIGN) {
            continue;
        }
        code = request_secret(b, s->secret, &value);
        buf_append_text(&b->text, b->text.len ? " " : "");
        if (code == 0 && b->secrets == NULL) {
            buf_append_text(&b->text, "v1,****");
        } else if (code == 0) {
            code = sign_standard(&b->text, value, &in);
            if (code) {
                code = err_set(b->err, code == ERR_INVALID ? ERR_NOT_FOUND : ERR_NOMEM,
                               "the secret " STR_FMT " begins with whsec_, and what is behind it "
                               "is empty or no base64: set it again, hookline secrets set " STR_FMT,
                               STR_ARG(s->secret), STR_ARG(s->secret));
            }
        }
    }
    if (code || b->text.len == 0) {
        return code;
    }
    code = request_keep(b, &value);
    return code ? code : request_add(b, STR("webhook-signature"), value);
}

static int request_decode(struct request_builder *b, struct str text, struct str *out)
{
    if (percent_decode(&b->text, text)) {
        return err_set(b->err, ERR_INVALID, "a signature's text is damaged");
    }
    return request_keep(b, out);
}

// The header of a form of its own, hook.hmac.
static int request_add_hmac(struct request_builder *b, const struct head_secret *s)
{
    struct sign_input in = request_signed(b);
    struct str key, name, signed_text, form, value = STR("****");
    int code = request_secret(b, s->secret, &key);
    code = code ? code : request_decode(b, s->key, &name);
    code = code ? code : request_decode(b, s->signed_text, &signed_text);
    code = code ? code : request_decode(b, s->value, &form);
    if (code == 0 && b->secrets) {
        code = sign_hmac(&b->text, key, signed_text, s->is_base64, &in)
                   ? err_set(b->err, ERR_NOMEM, "out of memory")
                   : request_keep(b, &value);
    }
    if (code == 0) {
        sign_fill(&b->text, form, value, &in);
        code = request_keep(b, &value);
    }
    code = code ? code : request_add(b, name, value);
    if (code == 0 && s->timestamp.len) {
        code = request_decode(b, s->timestamp, &name);
        code = code ? code : request_add_copy(b, name, in.timestamp);
    }
    return code;
}

// The token of hook.oauth2. A request that goes to --redirect-all has none.
static int request_add_token(struct request_builder *b)
{
    bool is_shown = b->secrets && b->in->token.len;
    if (is_shown && b->mask && mask_add(b->mask, b->in->token)) {
        return err_set(b->err, ERR_NOMEM, "out of memory");
    }
    buf_append_text(&b->text, "Bearer ");
    buf_append_str(&b->text, is_shown ? b->in->token : STR("****"));
    struct str kept;
    int code = request_keep(b, &kept);
    return code ? code : request_add(b, STR("Authorization"), kept);
}

static int request_add_secret(struct request_builder *b, const struct head_secret *s)
{
    if (s->kind == HEAD_SECRET_SIGN) {
        return 0; // all of them are one header
    }
    if (s->kind == HEAD_SECRET_HMAC) {
        return request_add_hmac(b, s);
    }
    if (s->kind == HEAD_SECRET_OAUTH2) {
        return request_add_token(b);
    }
    struct str value;
    int code = request_secret(b, s->secret, &value);
    if (code) {
        return code;
    }
    if (s->kind == HEAD_SECRET_BASIC) {
        return request_add_basic(b, s, value);
    }
    if (s->kind == HEAD_SECRET_QUERY) {
        return request_add_query(b, s, value);
    }
    buf_append_str(&b->text, s->prefix);
    buf_append_str(&b->text, value);
    struct str kept;
    code = request_keep(b, &kept);
    return code ? code : request_add(b, s->key, kept);
}

static bool request_has(const struct request *q, struct str name)
{
    for (size_t i = 0; i < q->header_count; i++) {
        if (str_eq_nocase(q->headers[i].name, name)) {
            return true;
        }
    }
    return false;
}

// webhook-id, webhook-timestamp, webhook-signature (Standard Webhooks 1.0.0), hookline-depth.
static int request_add_own(struct request_builder *b)
{
    char depth[16];
    int code = request_add_copy(b, STR("webhook-id"), str_from(b->id));
    if (code == 0) {
        code = request_add_copy(b, STR("webhook-timestamp"), str_from(b->timestamp));
    }
    if (code == 0) {
        code = request_add_signatures(b);
    }
    if (code == 0 && b->head.depth == 1) {
        code = request_add(b, STR("hookline-depth"), STR("1"));
    } else if (code == 0) {
        snprintf(depth, sizeof depth, "%u", b->head.depth);
        code = request_add_copy(b, STR("hookline-depth"), str_from(depth));
    }
    return code;
}

// traceparent and tracestate: the attempt is a span of its own. A rule's own traceparent is the
// last word, and a request that has no room left goes without.
static int request_add_trace(struct request_builder *b)
{
    const struct trace_context *t = &b->head.trace;
    struct str name = STR("traceparent");
    char text[TRACE_PARENT_LEN + 1];
    if (t->parent.len == 0 || request_has(b->out, name) ||
        b->out->header_count + 2 > REQUEST_HEADERS_MAX) {
        return 0;
    }
    uint64_t span = trace_span_id(t, b->in->delivery, b->in->attempt, b->in->at_ms);
    int code = request_add_copy(b, name, trace_put_parent(text, t, span));
    if (code == 0 && t->state.len && !request_has(b->out, STR("tracestate"))) {
        code = request_add(b, STR("tracestate"), t->state);
    }
    return code;
}

static int request_redirect(struct request_builder *b)
{
    // The original goes into a header as it was declared, without the secrets of its query.
    b->out->url = b->in->redirect_all;
    return request_add(b, STR("hookline-original-url"), b->head.url);
}

static int request_build_parts(struct request_builder *b)
{
    const struct head *head = &b->head;
    int code = head_parse(b->in->head, &b->head, b->err);
    if (code) {
        return code;
    }
    b->out->method = head->method;
    b->out->url = arena_dup(b->arena, head->url).data;
    if (b->out->url == NULL) {
        return err_set(b->err, ERR_NOMEM, "out of memory");
    }
    for (size_t i = 0; code == 0 && i < head->header_count; i++) {
        code = request_add(b, head->headers[i].name, head->headers[i].value);
    }
    for (size_t i = 0; code == 0 && i < head->secret_count; i++) {
        code = request_add_secret(b, &head->secrets[i]);
    }
    if (code == 0) {
        code = request_add_own(b);
    }
    if (code == 0 && b->in->redirect_all) {
        code = request_redirect(b);
    }
    if (code == 0) {
        code = request_add_trace(b);
    }
    return code;
}

int request_build(struct request *out, const struct request_input *in, struct secrets *secrets,
                  struct mask *mask, struct arena *arena, struct err *e)
{
    out->header_count = 0;
    struct request_builder b; // not zeroed: a head is large
    b.out = out;
    b.in = in;
    b.secrets = secrets;
    b.mask = mask;
    b.arena = arena;
    b.err = e;
    id_show(b.id, ID_DELIVERY, in->delivery);
    snprintf(b.timestamp, sizeof b.timestamp, "%lld", (long long)(in->at_ms / 1000));
    buf_init(&b.text, REQUEST_TEXT_MAX);
    int code = request_build_parts(&b);
    buf_fini(&b.text);
    return code;
}

int request_write_json(struct json_writer *w, const char *key, const struct request_input *in,
                       struct str body, struct arena *arena)
{
    struct request q;
    struct err e;
    int code = request_build(&q, in, NULL, NULL, arena, &e);
    if (code) {
        return code;
    }
    if (key) {
        json_key(w, str_from(key));
    }
    json_object_begin(w);
    json_member_string(w, "method", q.method);
    json_member_text(w, "url", q.url);
    json_key(w, STR("headers"));
    json_object_begin(w);
    for (size_t i = 0; i < q.header_count; i++) {
        json_key(w, q.headers[i].name);
        json_string(w, q.headers[i].value);
    }
    if (!request_has(&q, STR("User-Agent"))) { // the client adds it then
        json_member_text(w, "User-Agent", "hookline/" HOOKLINE_VERSION);
    }
    json_object_end(w);
    json_member_string(w, "body", body);
    json_object_end(w);
    return 0;
}
