// POST /v1/sources/NAME: the request of another system is checked to be its sender's, its adapter
// makes record events of it, and they go the way of all events. GET /v1/sources lists the adapters.
#include "api/internal.h"
#include "api/signature.h"
#include "encode/json_check.h"
#include "encode/percent.h"

enum { SOURCES_QUERY_MAX = 8 * 1024 };

// The place of a source among the rules' that is in force, or -1. name: as it stands in the path.
static int64_t source_find(const struct api *a, struct str name)
{
    const struct generation *g = engine_generation(a->config.engine);
    int64_t found = -1;
    struct buf text;
    buf_init(&text, name.len);
    bool is_read = g && percent_decode(&text, name) == 0;
    for (size_t i = 0; is_read && found < 0 && i < rules_source_count(g->rules); i++) {
        if (str_eq(str_from(rules_source(g->rules, i)->name), buf_str(&text))) {
            found = (int64_t)i;
        }
    }
    buf_fini(&text);
    return found;
}

bool api_source_checks_sender(const struct api *a, struct str name)
{
    int64_t found = source_find(a, name);
    const struct rules *rules = found < 0 ? NULL : engine_generation(a->config.engine)->rules;
    return rules && rules_source(rules, (size_t)found)->verify.form != RULES_VERIFY_NONE;
}

// --- who sent it ---------------------------------------------------------------------------------

struct source_sender {
    struct httpd_request *request;
    struct buf parameter;
};

static struct str sender_header(void *ctx, const char *name)
{
    struct source_sender *s = ctx;
    return httpd_header(s->request, name);
}

static struct str sender_query(void *ctx, const char *name)
{
    struct source_sender *s = ctx;
    buf_reset(&s->parameter);
    bool is_there = httpd_query_get(s->request, name, &s->parameter);
    return is_there ? buf_str(&s->parameter) : (struct str){0};
}

// Whether the request may go on; if not, it is answered.
static bool source_check_sender(struct api *a, struct httpd_request *r,
                                const struct rules_source *source)
{
    struct err e = {0};
    struct source_sender sender = {.request = r};
    struct signature_request q = {.body = httpd_body(r),
                                  .now_ms = clock_wall_ms(loop_clock(a->config.loop)),
                                  .header = sender_header,
                                  .query = sender_query,
                                  .ctx = &sender};
    if (source->verify.form == RULES_VERIFY_NONE) {
        return true; // it came with a token of the host's
    }
    buf_init(&sender.parameter, SOURCES_QUERY_MAX);
    int code = signature_check(&source->verify, &q, a->config.secrets, &e);
    buf_fini(&sender.parameter);
    if (code) {
        struct log_field fields[] = {{"source", str_from(source->name)}};
        log_write(a->config.log, code == ERR_REFUSED ? LOG_WARN : LOG_ERROR, fields, 1,
                  "a request is refused: %s", e.text);
        api_send_problem(
            r, code == ERR_REFUSED ? 401 : 500,
            code == ERR_REFUSED ? e.text : "the sender cannot be checked; the log says why", NULL);
    }
    return code == 0;
}

// --- what it sent --------------------------------------------------------------------------------

static bool source_says_json(const struct httpd_request *r)
{
    struct str type = httpd_header(r, "content-type");
    return memmem(type.data, type.len, "json", 4) != NULL;
}

static bool source_body_is_json(struct httpd_request *r, struct err *e)
{
    struct buf scratch;
    buf_init(&scratch, httpd_body(r).len);
    int code = json_check(httpd_body(r), EVENT_DEPTH_MAX, &scratch, e);
    buf_fini(&scratch);
    return code == 0;
}

static void source_run(struct api *a, struct httpd_request *r, struct rules *rules, size_t i,
                       bool is_json)
{
    struct arena arena;
    struct rules_source_run run;
    const char *name = rules_source(rules, i)->name;
    struct rules_source_request q = {.headers = httpd_header_lines(r),
                                     .query = httpd_query(r),
                                     .body = httpd_body(r),
                                     .is_json = is_json};
    arena_init(&arena, API_ARENA_MAX);
    rules_source_run(rules, i, &q, &arena, &run);
    if (run.verdict == RULES_MATCH) {
        api_ingest(a, r, run.events, name);
    } else {
        struct log_field fields[] = {{"source", str_from(name)}};
        log_write(a->config.log, LOG_ERROR, fields, 1, "the adapter failed: " STR_FMT,
                  STR_ARG(run.message));
        api_send_problem(r, 500, "the source's adapter failed; the log says why", NULL);
    }
    arena_fini(&arena);
}

void api_post_source(struct api *a, struct httpd_request *r, struct str id)
{
    struct err e = {0};
    int64_t found = source_find(a, id);
    struct rules *rules = found < 0 ? NULL : engine_generation(a->config.engine)->rules;
    if (rules == NULL) {
        api_send_problem(r, 404, "there is no such source", NULL);
        return;
    }
    const struct rules_source *source = rules_source(rules, (size_t)found);
    if (!source->is_loaded) {
        api_send_problem(r, 503, "the source's adapter has an error; the log says which",
                         "Retry-After: 60\r\n");
        return;
    }
    if (!source_check_sender(a, r, source)) {
        return;
    }
    bool is_json = source_body_is_json(r, &e);
    if (!is_json && source_says_json(r)) {
        api_send_problem(r, 400, e.text, NULL);
        return;
    }
    source_run(a, r, rules, (size_t)found, is_json);
}

// --- the list ------------------------------------------------------------------------------------

static const char *source_form_word(enum rules_verify_form form)
{
    switch (form) {
    case RULES_VERIFY_STANDARD:
        return "standard";
    case RULES_VERIFY_STRIPE:
        return "stripe";
    case RULES_VERIFY_HMAC:
        return "hmac";
    case RULES_VERIFY_TOKEN:
        return "token";
    case RULES_VERIFY_NONE:
        break;
    }
    return NULL;
}

static void source_write(struct json_writer *w, const struct rules *rules,
                         const struct rules_source *source)
{
    json_object_begin(w);
    json_member_text(w, "name", source->name);
    json_member_text(w, "title", source->title);
    json_member_text(w, "file", source->file);
    json_member_text(w, "verify", source_form_word(source->verify.form));
    json_key(w, STR("error"));
    if (source->has_fault) {
        json_object_begin(w);
        api_write_fault(w, rules_fault(rules, source->fault));
        json_member_bool(w, "last_good", source->is_last_good);
        json_object_end(w);
    } else {
        json_null(w);
    }
    json_object_end(w);
}

static void source_write_at(struct json_writer *w, void *ctx, size_t i)
{
    const struct rules *rules = ctx;
    source_write(w, rules, rules_source(rules, i));
}

void api_list_sources(struct api *a, struct httpd_request *r, struct str id)
{
    (void)id;
    const struct generation *g = engine_generation(a->config.engine);
    api_send_whole_list(r, "sources", g ? rules_source_count(g->rules) : 0, source_write_at,
                        g ? g->rules : NULL);
}
