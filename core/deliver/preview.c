#include "deliver/preview.h"

#include <stdio.h>

#include "deliver/advice.h"
#include "deliver/decide.h"
#include "deliver/policy.h"
#include "encode/header_lines.h"

enum {
    TEXT_MAX_BYTES = 64 * 1024 * 1024,
    TIMEOUT_DEFAULT_MS = 30 * 1000,
    STATUS_UNAUTHORIZED = 401
};

static bool sends_body(const struct preview *p)
{
    return str_eq(p->head.method, STR("POST")) || str_eq(p->head.method, STR("PUT")) ||
           str_eq(p->head.method, STR("PATCH"));
}

static int64_t timeout_ms(const struct preview *p)
{
    return p->owed->timeout_ms ? p->owed->timeout_ms : TIMEOUT_DEFAULT_MS;
}

static void find_target(const struct preview *p, struct curl_command_target *out)
{
    const char *url = p->input.redirect_all;
    struct buf name;
    struct url u;

    buf_init(&name, TEXT_MAX_BYTES);
    if (!url)
        buf_append_str(&name, p->owed->target);
    else if (url_parse(str_from(url), &u, NULL) == 0)
        url_target(&name, &u);
    p->config.target(p->config.target_ctx, buf_str(&name), out);
    buf_fini(&name);
}

static void write_curl(struct preview *p)
{
    struct curl_command command = {
        .head = &p->head,
        .masked = &p->masked,
        .redirect_all = p->input.redirect_all,
        .body = p->owed->body,
        .sends_body = sends_body(p),
        .data_dir = p->config.data_dir,
        .timeout_ms = timeout_ms(p),
    };
    struct buf text;

    find_target(p, &command.target);
    buf_init(&text, TEXT_MAX_BYTES);
    if (curl_command_write(&text, &command) == 0)
        json_member_string(&p->w, "curl", buf_str(&text));
    else
        json_member_null(&p->w, "curl");
    buf_fini(&text);
}

static void apply_mask(const struct preview *p, struct buf *out, struct str text, bool is_cut)
{
    buf_init(out, TEXT_MAX_BYTES);
    mask_apply(&p->mask, out, text, is_cut);
}

static void write_response(struct preview *p, const struct decide_attempt *ended)
{
    bool is_long = ended->body.len > DECIDE_BODY_BYTES;

    if (!ended->status) {
        json_member_null(&p->w, "response_received");
        return;
    }
    json_key(&p->w, STR("response_received"));
    json_object_begin(&p->w);
    json_member_integer(&p->w, "status", ended->status);
    json_key(&p->w, STR("headers"));
    header_lines_write_json(&p->w, ended->headers);
    json_member_string(
        &p->w, "body",
        (struct str){ended->body.data, is_long ? DECIDE_BODY_BYTES : ended->body.len});
    json_member_bool(&p->w, "truncated", is_long || ended->is_body_cut);
    json_object_end(&p->w);
}

static void write_advice(struct preview *p, struct failure *f)
{
    struct buf text, masked;

    buf_init(&text, 64 * 1024);
    f->url = p->masked.url;
    f->timeout_ms = timeout_ms(p);
    advice_write(&text, f);
    apply_mask(p, &masked, buf_str(&text), false);
    json_member_string(&p->w, "advice", buf_str(&masked));
    buf_fini(&masked);
    buf_fini(&text);
}

static struct str header_of(struct str lines, struct str wanted)
{
    struct str name, value;

    while (header_lines_next(&lines, &name, &value))
        if (str_eq_nocase(name, wanted))
            return value;
    return STR("");
}

// What a delivery's first attempt would lead to that ended so.
static void decide(struct preview *p, struct decide_attempt *ended, struct decide_outcome *out)
{
    int64_t now_ms = clock_wall_ms(p->config.clock);

    ended->delivery = p->input.delivery;
    ended->number = 1;
    ended->retry = p->owed->retry;
    ended->rules = p->rules;
    ended->workflow = p->workflow;
    ended->action = p->owed->action;
    ended->due_ms = now_ms;
    ended->now_ms = now_ms;
    ended->is_exact = true;
    if (p->config.engine)
        ended->rules = engine_rules(p->config.engine, p->id, &ended->workflow);
    decide_outcome(ended, p->arena, out);
    json_member_bool(&p->w, "success", out->state == DELIVERY_DELIVERED);
    json_member_text(&p->w, "state", delivery_state_word(out->state));
    json_member_string_or_null(&p->w, "reason", out->reason);
    if (out->state == DELIVERY_RETRYING)
        json_member_integer(&p->w, "retry_in_ms", out->due_ms - now_ms);
    else
        json_member_null(&p->w, "retry_in_ms");
    json_member_string_or_null(&p->w, "fault", out->fault);
}

static void write_outcome(struct preview *p, const struct client_response *r)
{
    struct buf headers, body, detail;
    struct decide_outcome out;
    struct failure f = {
        .status = r->status,
        .location = header_of(r->headers, STR("location")),
        .tls = r->tls,
        .is_proxied = r->is_proxied,
        .proxy_status = r->proxy_status,
    };

    apply_mask(p, &headers, r->headers, false);
    apply_mask(p, &body, r->body, r->body_is_truncated);
    apply_mask(p, &detail, str_from(r->detail), false);
    struct decide_attempt ended = {
        .status = r->status,
        .error = client_error_word(r->error),
        .detail = buf_str(&detail),
        .headers = buf_str(&headers),
        .body = buf_str(&body),
        .is_body_cut = r->body_is_truncated,
        .retry_after_ms = r->retry_after_ms,
    };
    write_response(p, &ended);
    decide(p, &ended, &out);
    f.error = out.error;
    json_member_text(&p->w, "error", out.error);
    json_member_string_or_null(&p->w, "detail", out.detail);
    json_member_integer(&p->w, "elapsed_ms", r->elapsed_ms);
    if (out.state == DELIVERY_DELIVERED)
        json_member_null(&p->w, "advice");
    else
        write_advice(p, &f);
    p->has_failed |= out.state != DELIVERY_DELIVERED;
    buf_fini(&detail);
    buf_fini(&body);
    buf_fini(&headers);
}

// Nothing went out. error: a word of the API ("secret_missing", "oauth"), or NULL: this machine's
// own trouble, of which a delivery would know nothing; secret: its name, where that is missing.
static void write_unsent(struct preview *p, const char *error, const char *words, struct str secret)
{
    struct failure f = {.error = error ? error : "unsent", .secret = secret};
    struct decide_attempt ended = {.error = error, .detail = str_from(words), .retry_after_ms = -1};
    struct decide_outcome out;

    json_member_null(&p->w, "response_received");
    if (error) {
        decide(p, &ended, &out);
    } else {
        json_member_bool(&p->w, "success", false);
        json_member_null(&p->w, "state");
        json_member_null(&p->w, "reason");
        json_member_null(&p->w, "retry_in_ms");
        json_member_null(&p->w, "fault");
    }
    json_member_text(&p->w, "error", f.error);
    json_member_text(&p->w, "detail", words);
    json_member_null(&p->w, "elapsed_ms");
    write_advice(p, &f);
    p->has_failed = true;
}

// The name of the secret that cannot be read, or empty.
static struct str missing_secret(const struct preview *p)
{
    struct str value;

    for (size_t i = 0; i < p->head.secret_count; i++)
        if (secrets_get(p->config.secrets, p->head.secrets[i].secret, &value, NULL) != 0)
            return p->head.secrets[i].secret;
    return STR("");
}

static void on_done(void *ctx, const struct client_response *r);

// The answer ends the request's object.
static void end_request(struct preview *p)
{
    json_object_end(&p->w);
    mask_fini(&p->mask);
    p->is_waiting = false;
}

static void end_unsent(struct preview *p, const char *error, const char *words)
{
    write_unsent(p, error, words, missing_secret(p));
    end_request(p);
}

static void send_with_token(struct preview *p)
{
    struct request request; // not zeroed: it is large
    struct err e = {0};
    int code = request_build(&request, &p->input, p->config.secrets, &p->mask, p->arena, &e);

    if (code == 0) {
        struct client_request q = {
            .method = request.method,
            .url = request.url,
            .headers = request.headers,
            .header_count = request.header_count,
            .body = p->owed->body,
            .timeout_ms = timeout_ms(p),
            .max_response_bytes = policy_asks_success(p->owed->retry) ? DECIDE_ANSWER_BYTES : 0,
            .also_allow = p->input.redirect_all ? p->config.redirect_allow : NULL,
            .on_done = on_done,
            .ctx = p,
        };

        p->is_sending = true;
        code = p->config.send(p->config.send_ctx, &q, &e);
        p->is_sending = false;
    }
    if (code)
        end_unsent(p, secrets_is_missing(code) ? "secret_missing" : NULL, e.text);
}

static void stop_listening(struct preview *p)
{
    if (p->is_listening)
        oauth_unlisten(p->config.oauth, &p->listener);
    p->is_listening = false;
}

// Gets the token where one is needed. False: it is waited for, or the request has ended without.
static bool find_token(struct preview *p)
{
    struct oauth_answer a;

    if (p->oauth2.len == 0)
        return true;
    switch (oauth_get(p->config.oauth, p->oauth2, &a)) {
    case OAUTH_WAITING:
        if (!p->is_listening)
            oauth_listen(p->config.oauth, &p->listener);
        p->is_listening = true;
        return false;
    case OAUTH_FAILED:
        stop_listening(p);
        end_unsent(p, a.error, a.detail);
        return false;
    case OAUTH_READY:
        break;
    }
    stop_listening(p);
    p->token_serial = a.serial;
    p->input.token = arena_dup(p->arena, a.token);
    if (p->input.token.data == NULL)
        end_unsent(p, NULL, "out of memory");
    return p->input.token.data != NULL;
}

static void send_request(struct preview *p)
{
    do {
        p->is_sent_again = false;
        if (find_token(p))
            send_with_token(p);
    } while (p->is_sent_again);
}

// What is known of the request before it is sent.
static int write_request(struct preview *p)
{
    const struct rules_request *q = p->owed;
    int64_t now_ms = clock_wall_ms(p->config.clock);
    int code;

    p->input = (struct request_input){
        .head = q->head,
        .body = q->body,
        .delivery = id_next(p->config.ids, now_ms),
        .at_ms = now_ms,
        .redirect_all = p->config.redirect_all,
    };
    p->is_renewed = false;
    p->oauth2 = p->config.redirect_all ? STR("") : head_find_oauth2(q->head);
    code = head_parse(q->head, &p->head, &p->err);
    if (code == 0)
        code = request_build(&p->masked, &p->input, NULL, NULL, p->arena, &p->err);
    if (code)
        return code;
    json_object_begin(&p->w);
    json_member_integer(&p->w, "action", q->action);
    json_member_string_or_null(&p->w, "target", q->target);
    json_member_string_or_null(&p->w, "invalid", q->invalid);
    json_member_integer(&p->w, "dropped_characters", q->dropped_characters);
    code = request_write_json(&p->w, "request_sent", &p->input, q->body, p->arena);
    if (code == 0)
        write_curl(p);
    return code;
}

static void finish(struct preview *p)
{
    json_array_end(&p->w);
    json_object_end(&p->w);
    if (p->code == 0 && p->out->failed)
        p->code = err_set(&p->err, ERR_TOO_LARGE, "what it would send is too large to be shown");
    p->on_done(p->ctx, p->code, &p->err);
}

// Whether something is waited for still; else p may be gone.
static bool write_requests(struct preview *p)
{
    p->is_writing = true;
    while (p->code == 0 && !p->is_waiting && p->next < p->run.request_count) {
        p->owed = &p->run.requests[p->next++];
        mask_init(&p->mask);
        p->is_waiting = true;
        p->code = write_request(p);
        p->has_failed |= p->owed->invalid.len != 0;
        if (p->code == 0 && p->config.send && !p->owed->invalid.len)
            send_request(p);
        else
            end_request(p);
    }
    p->is_writing = false;
    if (p->is_waiting)
        return true;
    finish(p);
    return false;
}

// A token that its receiver does not take any more: another one is got, once.
static bool is_to_be_renewed(const struct preview *p, const struct client_response *r)
{
    return p->oauth2.len && !p->is_renewed && r->error == CLIENT_OK &&
           r->status == STATUS_UNAUTHORIZED &&
           oauth_reject(p->config.oauth, p->oauth2, p->token_serial);
}

static void on_change(void *ctx)
{
    struct preview *p = ctx;

    send_request(p);
    if (!p->is_waiting)
        write_requests(p);
}

static void on_done(void *ctx, const struct client_response *r)
{
    struct preview *p = ctx;

    if (is_to_be_renewed(p, r)) {
        p->is_renewed = true;
        p->is_sent_again = true;
        if (!p->is_sending)
            on_change(p);
        return;
    }
    write_outcome(p, r);
    end_request(p);
    if (!p->is_writing)
        write_requests(p);
}

bool preview_wants(const struct rules_workflow *w, struct str type)
{
    static const struct {
        struct str ending;
        unsigned verb;
    } verbs[] = {{STR(".created"), RULES_CREATED},
                 {STR(".updated"), RULES_UPDATED},
                 {STR(".deleted"), RULES_DELETED},
                 {STR(".delivered"), RULES_DELIVERED},
                 {STR(".terminated"), RULES_TERMINATED}};
    if (w->schedule) {
        return !str_ends_with(type, STR(".deleted"));
    }
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (str_ends_with(type, verbs[i].ending)) {
            return (w->verbs & verbs[i].verb) != 0;
        }
    }
    return false;
}

int preview_fit(struct event *ev, const struct rules_workflow *w, struct arena *arena,
                struct err *e)
{
    char type[EVENT_TYPE_MAX];
    if (!w->schedule || !str_eq(ev->record_type, str_from(w->record))) {
        return 0;
    }
    snprintf(type, sizeof type, "%s.scheduled", w->record);
    ev->type = arena_dup(arena, str_from(type));
    ev->verb = RULES_SCHEDULED;
    ev->verb_word = STR("scheduled");
    ev->previous = (struct str){0};
    ev->is_compared = false;
    return ev->type.data ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

struct rules_event preview_event(const struct event *ev)
{
    return (struct rules_event){
        .json = ev->json,
        .id = ev->id.len ? ev->id : STR("sample"),
        .type = ev->type,
        .record_type = ev->record_type,
        .verb = ev->verb_word,
        .time_ms = ev->time_ms,
        .previous = ev->previous,
        .is_compared = ev->is_compared,
    };
}

static void write_trace(struct preview *p)
{
    json_key(&p->w, STR("trace"));
    // The writer's own state is moved past the value, the bytes come from the rules.
    json_raw(&p->w, STR(""));
    p->code =
        p->out->failed ? p->out->failed : rules_explain(p->rules, p->workflow, p->out, &p->err);
}

bool preview_run(struct preview *p)
{
    const struct rules_event ev = preview_event(p->event);

    p->id = arena_dup(p->arena, str_from(rules_workflow(p->rules, p->workflow)->id));
    p->code = p->id.data ? rules_event_begin(p->rules, &ev, &p->err)
                         : err_set(&p->err, ERR_NOMEM, "out of memory");
    if (p->code) {
        p->on_done(p->ctx, p->code, &p->err);
        return false;
    }
    p->listener = (struct oauth_listener){.on_change = on_change, .ctx = p};
    rules_run(p->rules, p->workflow, p->arena, &p->run);
    p->would_fire = p->run.verdict == RULES_MATCH;
    json_writer_init(&p->w, p->out);
    json_object_begin(&p->w);
    json_member_string(&p->w, "workflow", p->id);
    json_member_bool(&p->w, "would_fire", p->would_fire);
    json_key(&p->w, STR("event"));
    json_raw(&p->w, p->event->json);
    json_member_text(&p->w, "event_from", p->event_from);
    write_trace(p);
    rules_event_end(p->rules);
    if (p->would_fire || p->run.verdict == RULES_NO_MATCH)
        json_member_null(&p->w, "error");
    else
        json_member_string(&p->w, "error", p->run.message);
    json_key(&p->w, STR("requests"));
    json_array_begin(&p->w);
    return write_requests(p);
}

void preview_abandon(struct preview *p)
{
    stop_listening(p);
    if (p->is_waiting)
        mask_fini(&p->mask);
}
