#include "deliver/oauth.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "deliver/mask.h"
#include "deliver/oauth_answer.h"
#include "encode/base64.h"
#include "encode/head.h"
#include "encode/percent.h"
#include "encode/url.h"

enum {
    OAUTH_FETCHES_MAX = 64,
    OAUTH_TIMEOUT_MS = 30 * 1000,
    OAUTH_PROBE_TIMEOUT_MS = 10 * 1000, // of a token server that failed before
    OAUTH_ANSWER_BYTES = 64 * 1024,
    OAUTH_REQUEST_BYTES = 256 * 1024,
    OAUTH_BACKOFF_MS = 5 * 1000,
    OAUTH_BACKOFF_MAX_MS = 60 * 1000,
    OAUTH_RENEW_MS = 5 * 1000 // a receiver that refuses every token does not cost one each time
};

struct oauth_token {
    struct oauth *oauth;
    struct buf token; // empty: there is none
    uint64_t serial;
    uint64_t forget_count; // of the secrets that it was asked for with
    int64_t good_until_ms;
    int64_t used_ms;
    int64_t renewed_ms; // when it was last asked for because of a 401
    bool was_renewed;
    bool is_fetching;
    const char *error; // of the last fetch, or NULL
    char detail[OAUTH_ERROR_MAX];
    int64_t backoff_ms;
    int64_t again_ms; // not before
    struct buf body;  // of the request, with the secret in it
    struct mask mask; // of the answer
    struct str url;   // in key
    size_t key_len;
    char key[];
};

struct oauth {
    struct oauth_config config;
    struct map tokens; // by spec
    size_t fetch_count;
    uint64_t last_serial;
    struct oauth_listener *listeners;
};

static void oauth_wipe(struct buf *b)
{
    if (b->len) {
        explicit_bzero(b->data, b->len);
    }
    buf_fini(b);
}

int oauth_new(struct oauth **out, const struct oauth_config *config, struct err *e)
{
    struct oauth *o = calloc(1, sizeof *o);
    if (o == NULL) {
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    o->config = *config;
    if (o->config.max_fetches == 0) {
        o->config.max_fetches = OAUTH_FETCHES_MAX;
    }
    map_init(&o->tokens);
    *out = o;
    return 0;
}

static void token_free(struct oauth_token *t)
{
    oauth_wipe(&t->token);
    oauth_wipe(&t->body);
    mask_fini(&t->mask);
    free(t);
}

void oauth_free(struct oauth *o)
{
    if (o == NULL) {
        return;
    }
    size_t at = 0;
    void *value;
    while (map_next(&o->tokens, &at, NULL, &value)) {
        token_free(value);
    }
    map_fini(&o->tokens);
    free(o);
}

void oauth_listen(struct oauth *o, struct oauth_listener *l)
{
    l->next = o->listeners;
    o->listeners = l;
}

void oauth_unlisten(struct oauth *o, struct oauth_listener *l)
{
    struct oauth_listener **at = &o->listeners;
    while (*at && *at != l) {
        at = &(*at)->next;
    }
    if (*at) {
        *at = l->next;
    }
}

static void oauth_tell(struct oauth *o)
{
    struct oauth_listener *next;
    for (struct oauth_listener *l = o->listeners; l; l = next) {
        next = l->next; // it may take itself off
        l->on_change(l->ctx);
    }
}

static int64_t oauth_now_ms(const struct oauth *o)
{
    return clock_mono_ms(o->config.clock);
}

// --- the tokens ---------------------------------------------------------------------------------

static bool oauth_make_room(struct oauth *o)
{
    if (o->tokens.count < OAUTH_TOKENS_MAX) {
        return true;
    }
    struct oauth_token *oldest = NULL;
    size_t at = 0;
    void *value;
    while (map_next(&o->tokens, &at, NULL, &value)) {
        struct oauth_token *t = value;
        if (!t->is_fetching && (oldest == NULL || t->used_ms < oldest->used_ms)) {
            oldest = t;
        }
    }
    if (oldest == NULL) {
        return false;
    }
    map_remove(&o->tokens, (struct str){oldest->key, oldest->key_len});
    token_free(oldest);
    return true;
}

static struct oauth_token *oauth_add(struct oauth *o, struct str spec)
{
    if (!oauth_make_room(o)) {
        return NULL;
    }
    struct oauth_token *t = calloc(1, sizeof *t + spec.len);
    if (t == NULL) {
        return NULL;
    }
    t->oauth = o;
    memcpy(t->key, spec.data, spec.len);
    t->key_len = spec.len;
    buf_init(&t->token, OAUTH_TOKEN_BYTES_MAX);
    buf_init(&t->body, OAUTH_REQUEST_BYTES);
    mask_init(&t->mask);
    if (map_put(&o->tokens, (struct str){t->key, t->key_len}, t)) {
        token_free(t);
        return NULL;
    }
    return t;
}

static bool token_is_good(const struct oauth_token *t)
{
    return t->token.len && t->forget_count == secrets_forget_count(t->oauth->config.secrets) &&
           oauth_now_ms(t->oauth) < t->good_until_ms;
}

// Whether the last fetch failed, with the secrets that there are now.
static bool token_is_failing(const struct oauth_token *t)
{
    return t->error && t->forget_count == secrets_forget_count(t->oauth->config.secrets);
}

// "https://login.example.com:443"
static void token_server(const struct oauth_token *t, struct buf *out)
{
    struct url u;
    if (url_parse(t->url, &u, NULL) == 0) {
        url_target(out, &u);
    }
}

static void token_log(const struct oauth_token *t, enum log_level level, const char *words)
{
    struct buf server;
    buf_init(&server, 1024);
    token_server(t, &server);
    struct log_field field = {"token_server", buf_str(&server)};
    if (t->oauth->config.log) {
        log_write(t->oauth->config.log, level, &field, 1, "%s", words);
    }
    buf_fini(&server);
}

// --- a fetch ------------------------------------------------------------------------------------

static void token_failed(struct oauth_token *t, const char *error, struct str words)
{
    t->backoff_ms = t->backoff_ms ? t->backoff_ms * 2 : OAUTH_BACKOFF_MS;
    t->backoff_ms = t->backoff_ms < OAUTH_BACKOFF_MAX_MS ? t->backoff_ms : OAUTH_BACKOFF_MAX_MS;
    t->again_ms = oauth_now_ms(t->oauth) + t->backoff_ms;
    t->error = error;
    snprintf(t->detail, sizeof t->detail, STR_FMT, STR_ARG(words));
    token_log(t, LOG_WARN, t->detail);
}

static void token_take(struct oauth_token *t, struct str given, int64_t lifetime_ms)
{
    oauth_wipe(&t->token);
    if (buf_append_str(&t->token, given)) {
        token_failed(t, "oauth", STR("there is no memory for an access token"));
        return;
    }
    if (t->error) {
        token_log(t, LOG_INFO, "the token server gives access tokens again");
    }
    t->error = NULL;
    t->backoff_ms = 0;
    t->serial = ++t->oauth->last_serial;
    t->good_until_ms = oauth_now_ms(t->oauth) + lifetime_ms;
}

static void token_on_response(void *ctx, const struct client_response *r)
{
    struct oauth_token *t = ctx;
    struct oauth *o = t->oauth;
    struct oauth_grant grant;
    struct buf given, server;
    t->is_fetching = false;
    o->fetch_count--;
    oauth_wipe(&t->body);
    buf_init(&given, OAUTH_TOKEN_BYTES_MAX);
    buf_init(&server, 1024);
    token_server(t, &server);
    oauth_answer_read(r, buf_str(&server), &t->mask, &given, &grant);
    // With a secret that was read again meanwhile either is an old one: whoever waits asks again.
    if (grant.is_given) {
        token_take(t, buf_str(&given), grant.lifetime_ms);
    } else {
        token_failed(t, "oauth", str_from(grant.detail));
    }
    mask_fini(&t->mask);
    mask_init(&t->mask);
    oauth_wipe(&given);
    buf_fini(&server);
    oauth_tell(o);
}

// RFC 6749 section 2.3.1: id and secret, each form-encoded, as HTTP Basic or as parameters.
static int token_write_request(struct oauth_token *t, const struct head_secret *s,
                               struct str secret, struct buf *authorization)
{
    struct buf coded, pair;
    buf_init(&coded, OAUTH_REQUEST_BYTES);
    buf_init(&pair, OAUTH_REQUEST_BYTES);
    percent_encode(&coded, secret);
    buf_append_str(&t->body, s->form);
    if (s->is_in_body) {
        buf_printf(&t->body, "&client_id=" STR_FMT "&client_secret=" STR_FMT, STR_ARG(s->key),
                   STR_ARG(buf_str(&coded)));
    } else {
        buf_printf(&pair, STR_FMT ":" STR_FMT, STR_ARG(s->key), STR_ARG(buf_str(&coded)));
        buf_append_text(authorization, "Basic ");
        base64_encode(authorization, buf_str(&pair));
    }
    int code = mask_add(&t->mask, secret);
    if (code == 0 && coded.len != secret.len) {
        code = mask_add(&t->mask, buf_str(&coded));
    }
    if (code == 0 && pair.len) {
        code = mask_add_credential(&t->mask, buf_str(&pair));
    }
    code = code || coded.failed || pair.failed || t->body.failed || authorization->failed;
    oauth_wipe(&coded);
    oauth_wipe(&pair);
    return code ? ERR_NOMEM : 0;
}

static int token_send(struct oauth_token *t, const struct head_secret *s, struct str secret,
                      struct err *e)
{
    struct oauth *o = t->oauth;
    char url[HEAD_OAUTH2_BYTES_MAX + 1];
    struct buf authorization;
    buf_init(&authorization, OAUTH_REQUEST_BYTES);
    snprintf(url, sizeof url, STR_FMT, STR_ARG(s->token_url));
    int code = token_write_request(t, s, secret, &authorization);
    if (code) {
        err_set(e, (enum err_code)code, "out of memory");
    } else {
        struct client_header headers[] = {
            {STR("Content-Type"), STR("application/x-www-form-urlencoded")},
            {STR("Accept"), STR("application/json")},
            {STR("Authorization"), buf_str(&authorization)}};
        struct client_request q = {.method = STR("POST"),
                                   .url = url,
                                   .headers = headers,
                                   .header_count = s->is_in_body ? 2 : 3,
                                   .body = buf_str(&t->body),
                                   .timeout_ms =
                                       t->error ? OAUTH_PROBE_TIMEOUT_MS : OAUTH_TIMEOUT_MS,
                                   .max_response_bytes = OAUTH_ANSWER_BYTES,
                                   .on_done = token_on_response,
                                   .ctx = t};
        t->is_fetching = true;
        o->fetch_count++;
        code = o->config.send(o->config.send_ctx, &q, e);
    }
    oauth_wipe(&authorization);
    return code;
}

// Begins a fetch, which may have ended when this returns.
static void token_fetch(struct oauth_token *t)
{
    struct oauth *o = t->oauth;
    struct head_secret s;
    struct str secret;
    struct err e = {0};
    oauth_wipe(&t->token);
    int code = head_parse_oauth2((struct str){t->key, t->key_len}, &s, &e);
    t->url = s.token_url;
    code = code ? code : secrets_get(o->config.secrets, s.secret, &secret, &e);
    if (t->forget_count != secrets_forget_count(o->config.secrets)) {
        t->forget_count = secrets_forget_count(o->config.secrets);
        t->error = NULL;
        t->backoff_ms = 0;
        t->was_renewed = false;
    }
    if (code) { // looked for again the next time: it costs no request
        t->error = secrets_is_missing(code) ? "secret_missing" : "oauth";
        snprintf(t->detail, sizeof t->detail, "%s", e.text);
        t->again_ms = oauth_now_ms(o);
        return;
    }
    code = token_send(t, &s, secret, &e);
    if (code) {
        o->fetch_count -= t->is_fetching;
        t->is_fetching = false;
        oauth_wipe(&t->body);
        mask_fini(&t->mask);
        mask_init(&t->mask);
        token_failed(t, "oauth", str_from(e.text));
    }
}

// --- asking -------------------------------------------------------------------------------------

static enum oauth_state oauth_fail(struct oauth_answer *out, const char *error, const char *words)
{
    out->error = error;
    snprintf(out->detail, sizeof out->detail, "%s", words);
    return OAUTH_FAILED;
}

// As the token stands, with nothing begun.
static enum oauth_state token_look(const struct oauth_token *t, struct oauth_answer *out)
{
    if (token_is_good(t)) {
        out->token = buf_str(&t->token);
        out->serial = t->serial;
        return OAUTH_READY;
    }
    if (token_is_failing(t) && !t->is_fetching && oauth_now_ms(t->oauth) < t->again_ms) {
        return oauth_fail(out, t->error, t->detail);
    }
    return OAUTH_WAITING;
}

enum oauth_state oauth_get(struct oauth *o, struct str spec, struct oauth_answer *out)
{
    struct oauth_token *t = map_get(&o->tokens, spec);
    bool has_place = o->fetch_count < o->config.max_fetches;
    if (t == NULL && !has_place) {
        return OAUTH_WAITING; // it takes no token's room before it is its turn
    }
    t = t ? t : oauth_add(o, spec);
    if (t == NULL) {
        return oauth_fail(out, "oauth", "too many access tokens are being asked for");
    }
    t->used_ms = oauth_now_ms(o);
    enum oauth_state state = token_look(t, out);
    if (state != OAUTH_WAITING || t->is_fetching || !has_place) {
        return state;
    }
    token_fetch(t);
    if (!t->is_fetching && t->error) {
        return oauth_fail(out, t->error, t->detail);
    }
    return token_look(t, out);
}

bool oauth_reject(struct oauth *o, struct str spec, uint64_t serial)
{
    struct oauth_token *t = map_get(&o->tokens, spec);
    if (t == NULL || t->serial != serial || t->token.len == 0) {
        return true; // there is another by now, or will be
    }
    int64_t now_ms = oauth_now_ms(o);
    if (t->was_renewed && now_ms < t->renewed_ms + OAUTH_RENEW_MS) {
        return false;
    }
    t->was_renewed = true;
    t->renewed_ms = now_ms;
    oauth_wipe(&t->token);
    return true;
}
