#include "cli/advice.h"
#include "cli/curl_command.h"
#include "cli/trial.h"
#include "deliver/request.h"
#include "encode/header_lines.h"

enum { TEXT_MAX_BYTES = 64 * 1024 * 1024, TIMEOUT_DEFAULT_MS = 30 * 1000 };

// One request on its way: what is known before, and what came of it.
struct attempt {
    struct trial *trial;
    const struct rules_request *owed;
    struct json_writer *w;
    struct request_input input;
    struct head head;
    struct request masked;
    struct mask mask;
};

static bool sends_body(const struct attempt *a)
{
    return str_eq(a->head.method, STR("POST")) || str_eq(a->head.method, STR("PUT")) ||
           str_eq(a->head.method, STR("PATCH"));
}

static int64_t timeout_ms(const struct attempt *a)
{
    return a->owed->timeout_ms ? a->owed->timeout_ms : TIMEOUT_DEFAULT_MS;
}

static void write_curl(struct attempt *a)
{
    struct curl_command command = {
        .head = &a->head,
        .masked = &a->masked,
        .redirect_all = a->input.redirect_all,
        .body = a->owed->body,
        .sends_body = sends_body(a),
        .data_dir = a->trial->config->data_dir,
        .timeout_ms = timeout_ms(a),
    };
    struct buf text;

    buf_init(&text, TEXT_MAX_BYTES);
    if (curl_command_write(&text, &command) == 0)
        json_member_string(a->w, "curl", buf_str(&text));
    else
        json_member_null(a->w, "curl");
    buf_fini(&text);
}

static void write_masked(struct attempt *a, const char *key, struct str text, bool is_cut)
{
    struct buf out;

    buf_init(&out, TEXT_MAX_BYTES);
    mask_apply(&a->mask, &out, text, is_cut);
    json_member_string(a->w, key, buf_str(&out));
    buf_fini(&out);
}

static void write_response(struct attempt *a, const struct client_response *r)
{
    struct buf headers;

    if (!r->status) {
        json_member_null(a->w, "response_received");
        return;
    }
    buf_init(&headers, TEXT_MAX_BYTES);
    mask_apply(&a->mask, &headers, r->headers, false);
    json_key(a->w, STR("response_received"));
    json_object_begin(a->w);
    json_member_integer(a->w, "status", r->status);
    json_key(a->w, STR("headers"));
    header_lines_write_json(a->w, buf_str(&headers));
    write_masked(a, "body", r->body, r->body_is_truncated);
    json_member_bool(a->w, "truncated", r->body_is_truncated);
    json_object_end(a->w);
    buf_fini(&headers);
}

static void write_advice(struct attempt *a, struct failure *f)
{
    struct buf text;

    buf_init(&text, 64 * 1024);
    f->url = a->masked.url;
    f->timeout_ms = timeout_ms(a);
    advice_write(&text, f);
    write_masked(a, "advice", buf_str(&text), false);
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

static void on_done(void *ctx, const struct client_response *r)
{
    struct attempt *a = ctx;
    bool is_success = r->error == CLIENT_OK && r->status >= 200 && r->status <= 299;
    struct failure f = {
        .error = client_error_word(r->error),
        .status = r->status,
        .location = header_of(r->headers, STR("location")),
    };

    write_response(a, r);
    json_member_bool(a->w, "success", is_success);
    json_member_text(a->w, "error", f.error);
    if (*r->detail)
        write_masked(a, "detail", str_from(r->detail), false);
    else
        json_member_null(a->w, "detail");
    json_member_integer(a->w, "elapsed_ms", r->elapsed_ms);
    if (is_success)
        json_member_null(a->w, "advice");
    else
        write_advice(a, &f);
    a->trial->has_failed |= !is_success;
}

// Nothing went out: a secret is missing, say. code and e: why.
static void write_unsent(struct attempt *a, int code, const struct err *e)
{
    struct failure f = {.error = code == ERR_NOT_FOUND ? "secret_missing" : "unsent"};
    struct str value;

    for (size_t i = 0; i < a->head.secret_count && code == ERR_NOT_FOUND; i++)
        if (secrets_get(a->trial->secrets, a->head.secrets[i].secret, &value, NULL) != 0) {
            f.secret = a->head.secrets[i].secret;
            break;
        }
    json_member_null(a->w, "response_received");
    json_member_bool(a->w, "success", false);
    json_member_text(a->w, "error", f.error);
    json_member_text(a->w, "detail", e->text);
    json_member_null(a->w, "elapsed_ms");
    write_advice(a, &f);
    a->trial->has_failed = true;
}

static void send_request(struct attempt *a)
{
    struct trial *t = a->trial;
    struct request request;
    struct err e = {0};
    int code = request_build(&request, &a->input, t->secrets, &a->mask, &t->arena, &e);

    if (code == 0) {
        struct client_request q = {
            .method = request.method,
            .url = request.url,
            .headers = request.headers,
            .header_count = request.header_count,
            .body = a->owed->body,
            .timeout_ms = timeout_ms(a),
            .also_allow = a->input.redirect_all ? &t->redirect_block : NULL,
            .on_done = on_done,
            .ctx = a,
        };

        code = caller_send(&t->caller, &q, &e);
    }
    if (code)
        write_unsent(a, code, &e);
}

static void write_text(struct json_writer *w, const char *key, struct str text)
{
    if (text.len)
        json_member_string(w, key, text);
    else
        json_member_null(w, key);
}

int trial_write_request(struct trial *t, const struct rules_request *q, struct json_writer *w,
                        struct err *e)
{
    struct clock clock;
    struct attempt a; // not zeroed: a head and a request are large
    int code;

    clock_init(&clock);
    a.trial = t;
    a.owed = q;
    a.w = w;
    a.input = (struct request_input){
        .head = q->head,
        .delivery = id_next(&t->ids, clock_wall_ms(&clock)),
        .at_ms = clock_wall_ms(&clock),
        .redirect_all = t->config->redirect_all,
    };
    mask_init(&a.mask);
    code = head_parse(q->head, &a.head, e);
    if (code == 0)
        code = request_build(&a.masked, &a.input, NULL, NULL, &t->arena, e);
    if (code)
        goto out;
    json_object_begin(w);
    json_member_integer(w, "action", q->action);
    write_text(w, "target", q->target);
    write_text(w, "invalid", q->invalid);
    json_member_integer(w, "dropped_characters", q->dropped_characters);
    code = request_write_json(w, "request_sent", &a.input, q->body, &t->arena);
    if (code)
        goto out;
    write_curl(&a);
    if (q->invalid.len)
        t->has_failed = true;
    else if (t->sends)
        send_request(&a);
    json_object_end(w);
out:
    mask_fini(&a.mask);
    return code;
}
