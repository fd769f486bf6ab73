// GET /v1/tokens, POST /v1/tokens (the secret is in the answer, and nowhere else), POST
// /v1/tokens/ID/revoke. The ID may be a name too, of one that is good.
#include <stdio.h>
#include <stdlib.h>

#include "api/internal.h"
#include "base/duration.h"
#include "base/rfc3339.h"
#include "encode/percent.h"

enum { TOKEN_BODY_MAX = 16 * 1024, TOKEN_WORDS_MAX = 256 };

struct token_request {
    struct api *api;
    struct httpd_request *request;
    struct access_made made;
    char name[ACCESS_NAME_MAX + 1]; // of the one that is revoked
    struct store_token row;
    struct store_token_put put;
    struct store_token_revoke revoke;
};

// --- one token -----------------------------------------------------------------------------------

// secret: NULL in all answers but one.
static void token_write(struct json_writer *w, const struct store_token *row, const char *secret)
{
    char rate[RATE_TEXT_MAX];
    rate_format(rate, (struct rate){row->rate_count, row->rate_ms});
    json_object_begin(w);
    api_write_id(w, "id", ID_TOKEN, row->id);
    json_member_string(w, "name", row->name);
    json_member_text(w, "role", store_role_word(row->role));
    json_member_string_or_null(w, "rate", str_from(rate));
    json_member_time(w, "created_at", row->created_at_ms);
    json_member_time_or_null(w, "expires_at", row->expires_at_ms);
    json_member_time_or_null(w, "last_used_at", row->last_used_at_ms);
    json_member_time_or_null(w, "revoked_at", row->revoked_at_ms);
    if (secret) {
        json_member_text(w, "token", secret);
    }
    json_object_end(w);
}

static void token_send(struct httpd_request *r, int status, const struct store_token *row,
                       const char *secret)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, API_ANSWER_MAX);
    json_writer_init(&w, &body);
    token_write(&w, row, secret);
    api_send_json(r, status, &body);
}

// What a token is, for the audit log.
static struct str token_words(const struct store_token *row, char out[TOKEN_WORDS_MAX])
{
    char id[ID_SHOWN_LEN + 1], rate[RATE_TEXT_MAX], until[RFC3339_LEN + 1];
    id_show(id, ID_TOKEN, row->id);
    rate_format(rate, (struct rate){row->rate_count, row->rate_ms});
    if (row->expires_at_ms) {
        rfc3339_format(until, row->expires_at_ms);
    }
    snprintf(out, TOKEN_WORDS_MAX, "%s, %s, %s%s%s%s", id, store_role_word(row->role),
             row->expires_at_ms ? "until " : "for ever", row->expires_at_ms ? until : "",
             rate[0] ? ", at most " : "", rate);
    return str_from(out);
}

// --- the list ------------------------------------------------------------------------------------

static void tokens_write(struct json_writer *w, const struct store_read *read, size_t i)
{
    const struct api_read *q = read->ctx;
    struct store_token row = read->tokens[i], now;
    if (access_row(q->api->config.access, row.id, &now)) {
        row.last_used_at_ms = now.last_used_at_ms; // the store may learn it later
    }
    token_write(w, &row, NULL);
}

static void tokens_on_list(struct store_read *read)
{
    api_send_list(read, "tokens", tokens_write);
}

void api_list_tokens(struct api *a, struct httpd_request *r, struct str id)
{
    (void)id;
    api_list(a, r, STORE_READ_TOKENS, tokens_on_list);
}

// --- a new one -----------------------------------------------------------------------------------

// What is wrong with a member, in words; NULL: nothing.
static const char *token_read_member(struct api *a, struct str key, struct str value,
                                     struct access_new_token *out, char name[ACCESS_NAME_MAX + 1])
{
    int64_t ms;
    if (str_eq(key, STR("name"))) {
        const char *fault = access_name_fault(value);
        if (fault == NULL) {
            memcpy(name, value.data, value.len);
            out->name = (struct str){name, value.len};
        }
        return fault;
    }
    if (str_eq(key, STR("role"))) {
        out->has_role = store_role_parse(value, &out->role) == 0;
        return out->has_role ? NULL : "role: one of ingest read admin";
    }
    if (str_eq(key, STR("expires_in"))) {
        if (duration_parse(value, &ms) || ms <= 0) {
            return "expires_in: a duration as 90d";
        }
        out->expires_at_ms = clock_wall_ms(loop_clock(a->config.loop)) + ms;
        return NULL;
    }
    if (str_eq(key, STR("rate"))) {
        return rate_parse(value, &out->rate) ? "rate: as 100/s, 300/m or 1000/h" : NULL;
    }
    return "there are \"name\", \"role\", \"expires_in\" and \"rate\"";
}

// { "name", "role", "expires_in", "rate" }, all texts, or null for the last two.
static const char *token_read_body(struct api *a, struct str body, struct access_new_token *out,
                                   char name[ACCESS_NAME_MAX + 1])
{
    struct json_reader r;
    struct buf scratch;
    const char *fault = NULL;
    char key[32];
    buf_init(&scratch, TOKEN_BODY_MAX);
    json_reader_init(&r, body, 2, &scratch);
    enum json_token token = json_read(&r);
    if (token != JSON_OBJECT_BEGIN) {
        fault = "an object { \"name\", \"role\", \"expires_in\", \"rate\" } is wanted";
    }
    while (fault == NULL && (token = json_read(&r)) == JSON_KEY) {
        snprintf(key, sizeof key, STR_FMT, STR_ARG(r.text));
        token = json_read(&r);
        if (token == JSON_STRING) {
            fault = token_read_member(a, str_from(key), r.text, out, name);
        } else if (token != JSON_NULL) {
            fault = "each member is a text";
        }
    }
    if (fault == NULL && (token != JSON_OBJECT_END || json_read(&r) != JSON_END)) {
        fault = "that is not JSON";
    }
    if (fault == NULL && (out->name.len == 0 || !out->has_role)) {
        fault = "\"name\" and \"role\" are wanted";
    }
    buf_fini(&scratch);
    return fault;
}

static struct token_request *token_new(struct api *a, struct httpd_request *r)
{
    struct token_request *q = calloc(1, sizeof *q);
    if (q == NULL) {
        api_send_problem(r, 500, "out of memory", NULL);
        return NULL;
    }
    q->api = a;
    q->request = r;
    api_begin(a);
    return q;
}

static void token_free(struct token_request *q)
{
    api_end(q->api);
    explicit_bzero(&q->made, sizeof q->made);
    free(q);
}

static void token_send_trouble(struct token_request *q)
{
    const char *trouble = store_trouble(q->api->config.store);
    api_send_unavailable(q->request, trouble ? trouble : "it could not be stored");
}

static void token_on_put(struct store_token_put *put)
{
    struct token_request *q = put->ctx;
    if (put->code == ERR_CONFLICT) {
        api_send_problem(q->request, 409, "another token has that name: revoke it first", NULL);
    } else if (put->code) {
        token_send_trouble(q);
    } else if (access_add(q->api->config.access, &put->row)) {
        api_send_unavailable(q->request, "out of memory: the token is stored, and of use after a "
                                         "restart alone; revoke it");
    } else {
        token_send(q->request, 201, &put->row, q->made.token);
    }
    token_free(q);
}

void api_post_token(struct api *a, struct httpd_request *r, struct str id)
{
    (void)id;
    char name[ACCESS_NAME_MAX + 1], words[TOKEN_WORDS_MAX];
    struct access_new_token wanted = {0};
    const char *fault = token_read_body(a, httpd_body(r), &wanted, name);
    if (fault) {
        api_send_problem(r, 400, fault, NULL);
        return;
    }
    struct token_request *q = token_new(a, r);
    if (q == NULL) {
        return;
    }
    int code = access_make(a->config.access, &wanted, &q->made);
    if (code == ERR_NOMEM) {
        api_send_unavailable(r, "the host is out of memory");
    } else if (code) {
        api_send_problem(r, 409, "there are 1000 tokens already: revoke some", NULL);
    }
    if (code) {
        token_free(q);
        return;
    }
    struct store_audit_put *audit = api_audit_new(a, r, "token.add", q->made.row.name, STR(""),
                                                  token_words(&q->made.row, words));
    if (audit == NULL) { // and 500 is sent
        token_free(q);
        return;
    }
    q->put = (struct store_token_put){.row = q->made.row, .on_done = token_on_put, .ctx = q};
    store_token_put(a->config.store, &q->put);
    audit->code_of_act = &q->put.code;
    audit_give(a->config.store, audit);
}

// --- the end of one ------------------------------------------------------------------------------

static void token_on_revoked(struct store_token_revoke *revoke)
{
    struct token_request *q = revoke->ctx;
    if (revoke->code == ERR_NOT_FOUND) {
        api_send_problem(q->request, 404, "there is no such token that is good", NULL);
    } else if (revoke->code) {
        token_send_trouble(q);
    } else {
        access_remove(q->api->config.access, revoke->id);
        token_send(q->request, 200, &q->row, NULL);
    }
    token_free(q);
}

void api_revoke_token(struct api *a, struct httpd_request *r, struct str id)
{
    struct token_request *q = token_new(a, r);
    if (q == NULL) {
        return;
    }
    struct buf name;
    buf_init(&name, TOKEN_WORDS_MAX);
    uint64_t found =
        percent_decode(&name, id) ? 0 : access_find_token(a->config.access, buf_str(&name));
    buf_fini(&name);
    if (!access_row(a->config.access, found, &q->row)) {
        api_send_problem(r, 404, "there is no such token that is good", NULL);
        token_free(q);
        return;
    }
    memcpy(q->name, q->row.name.data, q->row.name.len);
    q->row.name.data = q->name;
    q->row.revoked_at_ms = clock_wall_ms(loop_clock(a->config.loop));
    char words[TOKEN_WORDS_MAX];
    struct store_audit_put *audit = api_audit_new(a, r, "token.revoke", q->row.name,
                                                  token_words(&q->row, words), STR("revoked"));
    if (audit == NULL) { // and 500 is sent
        token_free(q);
        return;
    }
    q->revoke = (struct store_token_revoke){
        .id = found, .at_ms = q->row.revoked_at_ms, .on_done = token_on_revoked, .ctx = q};
    store_token_revoke(a->config.store, &q->revoke);
    audit->code_of_act = &q->revoke.code;
    audit_give(a->config.store, audit);
}
