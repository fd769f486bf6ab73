// POST /v1/workflows/ID/test: what a workflow would do for an event, and with "send" what
// its receivers answer. Nothing is stored.
#include <stdlib.h>

#include "api/internal.h"
#include "deliver/preview.h"
#include "encode/percent.h"
#include "engine/compare.h"

struct api_test {
    struct api *api;
    struct httpd_request *request;
    struct api_test *next; // of those that wait for an answer
    struct arena arena;
    struct buf workflow; // its id
    struct buf body;
    bool has_event;
    bool sends;
    bool is_listed;
    struct store_read read; // the last events of its type, then one of them
    struct event event;
    struct preview preview;
};

static void test_free(struct api_test *t)
{
    if (!t->is_listed) {
        api_end(t->api);
    }
    buf_fini(&t->workflow);
    buf_fini(&t->body);
    arena_fini(&t->arena);
    free(t);
}

static void test_refuse(struct api_test *t, int status, const char *words)
{
    api_send_problem(t->request, status, words, NULL);
    test_free(t);
}

// The workflow as it is in force now; NULL: the request is answered, and t is gone.
static const struct generation_workflow *test_find(struct api_test *t)
{
    const struct generation *g = engine_generation(t->api->config.engine);
    const struct generation_workflow *w = g ? generation_find(g, buf_str(&t->workflow)) : NULL;
    if (w == NULL) {
        test_refuse(t, 404, "there is no such workflow");
    } else if (w->rule == NULL) {
        test_refuse(t, 409, "nothing of the workflow is in force: mend its file first");
        w = NULL;
    }
    return w;
}

// --- the test ------------------------------------------------------------------------------------

static void test_unlist(struct api_test *t)
{
    struct api_test **at = &t->api->tests;
    while (*at != t) {
        at = &(*at)->next;
    }
    *at = t->next;
}

static void test_on_done(void *ctx, int code, const struct err *e)
{
    struct api_test *t = ctx;
    if (t->is_listed) {
        test_unlist(t);
    }
    if (code) {
        test_refuse(t, code == ERR_TOO_LARGE ? 413 : code == ERR_INVALID ? 400 : 500, e->text);
        return;
    }
    api_send_json(t->request, 200, &t->body);
    test_free(t);
}

static int test_send(void *ctx, const struct client_request *q, struct err *e)
{
    const struct api_test *t = ctx;
    int code = t->api->is_draining ? ERR_CLOSED : client_send(t->api->config.client, q);
    return code ? err_set(e, (enum err_code)code, "the request cannot be sent: %s", err_word(code))
                : 0;
}

// It waits for a receiver or a token server. A host that stops does not: from here on the request
// is not owed an answer.
static void test_list(struct api_test *t)
{
    t->is_listed = true;
    t->next = t->api->tests;
    t->api->tests = t;
    api_end(t->api);
}

void api_abandon_tests(struct api *a)
{
    while (a->tests) {
        struct api_test *t = a->tests;
        a->tests = t->next;
        preview_abandon(&t->preview);
        test_free(t);
    }
}

static void test_run(struct api_test *t)
{
    const struct api_config *c = &t->api->config;
    const struct generation_workflow *w = test_find(t);
    if (w == NULL) {
        return;
    }
    struct err e;
    if (preview_fit(&t->event, w->rule, &t->arena, &e)) {
        test_refuse(t, 500, e.text);
        return;
    }
    t->preview = (struct preview){.config = {.data_dir = c->data_dir,
                                             .target = c->curl_target,
                                             .target_ctx = c->ctx,
                                             .redirect_all = c->redirect_all,
                                             .redirect_allow = c->redirect_allow,
                                             .secrets = c->secrets,
                                             .oauth = c->oauth,
                                             .engine = c->engine,
                                             .ids = c->ids,
                                             .clock = loop_clock(c->loop),
                                             .send = t->sends ? test_send : NULL,
                                             .send_ctx = t},
                                  .rules = engine_generation(c->engine)->rules,
                                  .workflow = w->index,
                                  .event = &t->event,
                                  .event_from = t->has_event ? "request" : "host",
                                  .arena = &t->arena,
                                  .out = &t->body,
                                  .on_done = test_on_done,
                                  .ctx = t};
    if (preview_run(&t->preview)) {
        test_list(t);
    }
}

// --- the event -----------------------------------------------------------------------------------

static void test_on_event(struct store_read *read)
{
    struct api_test *t = read->ctx;
    struct err e = {0};
    if (read->code) {
        test_refuse(t, 500, "the store could not be read");
        return;
    }
    if (event_restore(&t->event, &read->events[0], &t->arena, &e)) {
        test_refuse(t, 409, e.text);
        return;
    }
    if (t->event.id.len == 0) {
        t->event.id = read->events[0].key;
    }
    t->event.time_ms = read->events[0].time_ms;
    test_run(t);
}

static void test_on_events(struct store_read *read)
{
    struct api_test *t = read->ctx;
    if (read->code) {
        test_refuse(t, 500, "the store could not be read");
        return;
    }
    const struct generation_workflow *w = test_find(t);
    if (w == NULL) {
        return;
    }
    for (size_t i = 0; i < read->count; i++) {
        if (preview_wants(w->rule, read->events[i].type)) {
            t->read = (struct store_read){.kind = STORE_READ_EVENT,
                                          .key = read->events[i].key,
                                          .arena = &t->arena,
                                          .on_done = test_on_event,
                                          .ctx = t};
            store_read(t->api->config.store, &t->read);
            return;
        }
    }
    test_refuse(t, 409, "no event of its type is stored: give one as \"event\"");
}

enum { TEST_EVENTS = 100 }; // of its record type, among which one is looked for

static void test_find_event(struct api_test *t)
{
    const struct generation_workflow *w = test_find(t);
    if (w == NULL) {
        return;
    }
    t->read =
        (struct store_read){.kind = STORE_READ_EVENTS,
                            .filter = {.type = arena_dup(&t->arena, str_from(w->rule->record))},
                            .limit = TEST_EVENTS,
                            .arena = &t->arena,
                            .on_done = test_on_events,
                            .ctx = t};
    store_read(t->api->config.store, &t->read);
}

// --- the request ---------------------------------------------------------------------------------

static int test_read_member(struct api_test *t, struct json_reader *r, struct err *e)
{
    if (str_eq(r->text, STR("event"))) {
        t->has_event = true;
        int code = event_read(&t->event, r, EVENT_STORED, &t->arena, e);
        return code ? err_context(e, "event") : 0;
    }
    bool is_send = str_eq(r->text, STR("send"));
    if (!is_send) {
        return err_set(e, ERR_INVALID, "\"" STR_FMT "\": there are \"event\" and \"send\"",
                       STR_ARG(r->text));
    }
    enum json_token value = json_read(r);
    if (value != JSON_TRUE && value != JSON_FALSE) {
        return value == JSON_ERROR ? json_reader_error(r, e)
                                   : err_set(e, ERR_INVALID, "\"send\" is true or false");
    }
    t->sends = value == JSON_TRUE;
    return 0;
}

// { "event", "send" }, both of which may be left out, as the whole body may.
static int test_read_body(struct api_test *t, struct str given, struct err *e)
{
    struct str body = arena_dup(&t->arena, given);
    struct json_reader r;
    struct buf scratch;
    int code = 0;
    if (given.len == 0) {
        return 0;
    }
    buf_init(&scratch, body.len + 16);
    json_reader_init(&r, body, EVENT_DEPTH_MAX + 1, &scratch);
    enum json_token token = json_read(&r);
    if (token != JSON_OBJECT_BEGIN && token != JSON_ERROR) {
        code = err_set(e, ERR_INVALID, "an object { \"event\", \"send\" } is wanted");
    }
    while (code == 0 && token != JSON_ERROR && (token = json_read(&r)) == JSON_KEY) {
        code = test_read_member(t, &r, e);
    }
    if (code == 0 && (token == JSON_ERROR || json_read(&r) == JSON_ERROR)) {
        code = json_reader_error(&r, e);
    }
    if (code == 0 && t->has_event && !t->event.has_time) {
        t->event.time_ms = clock_wall_ms(loop_clock(t->api->config.loop));
    }
    buf_fini(&scratch);
    return code;
}

void api_test_workflow(struct api *a, struct httpd_request *r, struct str id)
{
    struct api_test *t = calloc(1, sizeof *t);
    struct err e = {0};
    if (t == NULL) {
        api_send_problem(r, 500, "out of memory", NULL);
        return;
    }
    t->api = a;
    t->request = r;
    api_begin(a);
    arena_init(&t->arena, API_ARENA_MAX);
    buf_init(&t->workflow, CONTROL_ID_MAX);
    buf_init(&t->body, API_ANSWER_MAX);
    if (percent_decode(&t->workflow, id)) {
        test_refuse(t, 404, "there is no such workflow");
    } else if (test_read_body(t, httpd_body(r), &e)) {
        test_refuse(t, e.code == ERR_TOO_LARGE ? 413 : 400, e.text);
    } else if (t->has_event) {
        test_run(t);
    } else {
        test_find_event(t);
    }
}
