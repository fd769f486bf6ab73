// POST /v1/erase: what is stored of a record goes, in small steps, and is overwritten. The order:
// the rows, then the free places of the files; the answer comes when both are through.
#include <stdio.h>
#include <stdlib.h>

#include "api/internal.h"
#include "store/erase.h"

enum { ERASE_TEXT_MAX = 4096, ERASE_PAUSE_MS = 2, ERASE_BUSY_MS = 50, ERASE_WORDS_MAX = 256 };

struct erase_request {
    struct api *api;
    struct httpd_request *request;
    struct buf type;
    struct buf id;
    bool is_dry_run;
    struct loop_timer pause;
    struct arena arena; // of one step
    struct id_set deliveries;
    struct store_erase step;
    struct store_scrub scrub;
    bool is_scrubbing;
    struct store_erased erased;
};

static void erase_free(struct erase_request *q)
{
    loop_timer_stop(&q->pause);
    api_end(q->api);
    id_set_fini(&q->deliveries);
    arena_fini(&q->arena);
    buf_fini(&q->type);
    buf_fini(&q->id);
    free(q);
}

static void erase_answer(struct erase_request *q)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, API_ANSWER_MAX);
    json_writer_init(&w, &body);
    json_object_begin(&w);
    api_write_record(&w, buf_str(&q->type), buf_str(&q->id));
    json_member_bool(&w, "dry_run", q->is_dry_run);
    json_key(&w, STR("removed"));
    json_object_begin(&w);
    json_member_integer(&w, "events", q->erased.events);
    json_member_integer(&w, "deliveries", q->erased.deliveries);
    json_member_integer(&w, "owed", q->erased.owed);
    json_member_integer(&w, "attempts", q->erased.attempts);
    json_member_integer(&w, "marks", q->erased.marks);
    json_object_end(&w);
    json_object_end(&w);
    api_send_json(q->request, 200, &body);
}

static struct store_audit_put *erase_audit(struct erase_request *q, const char *words)
{
    struct buf subject;
    buf_init(&subject, 2 * ERASE_TEXT_MAX + 2);
    buf_printf(&subject, STR_FMT " " STR_FMT, STR_ARG(buf_str(&q->type)), STR_ARG(buf_str(&q->id)));
    struct store_audit_put *audit = api_audit_new(q->api, q->request, "record.erase",
                                                  buf_str(&subject), STR(""), str_from(words));
    buf_fini(&subject);
    return audit;
}

static void erase_fail(struct erase_request *q)
{
    const char *trouble = store_trouble(q->api->config.store);
    api_send_unavailable(q->request, trouble ? trouble : "it did not come to its end: do it again");
    erase_free(q);
}

// Told first, so that no answer comes for an erasure that the log does not have.
static void erase_on_told(struct store_audit_put *audit)
{
    struct erase_request *q = audit->ctx;
    int code = audit->code;
    audit_drop(audit);
    if (code) {
        erase_fail(q);
        return;
    }
    erase_answer(q);
    erase_free(q);
}

// The log keeps that it was done, and how much went; nothing of what it was.
static void erase_tell(struct erase_request *q)
{
    char words[ERASE_WORDS_MAX];
    const struct store_erased *n = &q->erased;
    snprintf(words, sizeof words,
             "removed: %lld events, %lld deliveries (%lld owed), %lld attempts, %lld marks",
             (long long)n->events, (long long)n->deliveries, (long long)n->owed,
             (long long)n->attempts, (long long)n->marks);
    struct store_audit_put *audit = erase_audit(q, words);
    if (audit == NULL) { // and 500 is sent
        erase_free(q);
        return;
    }
    audit->on_done = erase_on_told;
    audit->ctx = q;
    store_audit_put(q->api->config.store, audit);
}

static void erase_on_scrubbed(struct store_scrub *scrub)
{
    struct erase_request *q = scrub->ctx;
    if (scrub->code && scrub->code != ERR_BUSY) {
        erase_fail(q);
    } else if (scrub->code == 0 && scrub->is_done) {
        erase_tell(q);
    } else {
        loop_timer_start(&q->pause, scrub->code ? ERASE_BUSY_MS : ERASE_PAUSE_MS);
    }
}

static void erase_add(struct store_erased *all, const struct store_erased *n)
{
    all->events += n->events;
    all->deliveries += n->deliveries;
    all->owed += n->owed;
    all->attempts += n->attempts;
    all->marks += n->marks;
}

// What was owed is not started from memory any more; what waited for it is due.
static void erase_tell_deliver(struct erase_request *q)
{
    struct deliver *d = q->api->config.deliver;
    for (size_t i = 0; i < q->step.ended_count; i++) {
        deliver_cancelled(d, q->step.ended[i]);
    }
    for (size_t i = 0; i < q->step.freed_count; i++) {
        deliver_freed(d, &q->step.freed[i]);
    }
}

static void erase_on_step(struct store_erase *step)
{
    struct erase_request *q = step->ctx;
    if (step->code) {
        erase_fail(q);
        return;
    }
    erase_add(&q->erased, &step->erased);
    erase_tell_deliver(q);
    step->place = step->next;
    arena_fini(&q->arena);
    if (step->is_done && q->is_dry_run) {
        erase_answer(q);
        erase_free(q);
        return;
    }
    q->is_scrubbing = step->is_done;
    loop_timer_start(&q->pause, ERASE_PAUSE_MS);
}

static void erase_on_pause(void *ctx)
{
    struct erase_request *q = ctx;
    const struct api_config *c = &q->api->config;
    if (q->api->is_draining) {
        erase_fail(q);
    } else if (q->is_scrubbing) {
        store_scrub(c->store, &q->scrub);
    } else {
        arena_init(&q->arena, API_ARENA_MAX);
        q->step.now_ms = clock_running_ms(loop_clock(c->loop));
        store_erase(c->store, &q->step);
    }
}

// --- the request ---------------------------------------------------------------------------------

static const char *erase_read_record(struct erase_request *q, struct json_reader *r)
{
    enum json_token token = json_read(r);
    if (token != JSON_OBJECT_BEGIN) {
        return "record: an object { \"type\", \"id\" } is wanted";
    }
    while ((token = json_read(r)) == JSON_KEY) {
        bool is_type = str_eq(r->text, STR("type"));
        if (!is_type && !str_eq(r->text, STR("id"))) {
            return "record: there are \"type\" and \"id\"";
        }
        token = json_read(r);
        if (token != JSON_STRING && (is_type || token != JSON_NUMBER)) {
            return "record: type is a text, id a text or a number";
        }
        buf_reset(is_type ? &q->type : &q->id);
        buf_append_str(is_type ? &q->type : &q->id, r->text);
    }
    return token == JSON_OBJECT_END ? NULL : "that is not JSON";
}

static const char *erase_read_body(struct erase_request *q, struct str body)
{
    struct json_reader r;
    struct buf scratch;
    const char *fault = NULL;
    buf_init(&scratch, body.len + 16);
    json_reader_init(&r, body, 3, &scratch);
    enum json_token token = json_read(&r);
    if (token != JSON_OBJECT_BEGIN) {
        fault = "an object { \"record\": { \"type\", \"id\" }, \"dry_run\" } is wanted";
    }
    while (fault == NULL && (token = json_read(&r)) == JSON_KEY) {
        if (str_eq(r.text, STR("record"))) {
            fault = erase_read_record(q, &r);
        } else if (str_eq(r.text, STR("dry_run"))) {
            token = json_read(&r);
            q->is_dry_run = token == JSON_TRUE;
            fault = token == JSON_TRUE || token == JSON_FALSE ? NULL : "dry_run is true or false";
        } else {
            fault = "there are \"record\" and \"dry_run\"";
        }
    }
    if (fault == NULL && (token != JSON_OBJECT_END || json_read(&r) != JSON_END)) {
        fault = "that is not JSON";
    }
    if (fault == NULL && (q->type.len == 0 || q->id.len == 0 || q->type.failed || q->id.failed)) {
        fault = "\"record\" with its \"type\" and \"id\" is wanted";
    }
    buf_fini(&scratch);
    return fault;
}

void api_post_erase(struct api *a, struct httpd_request *r, struct str id)
{
    (void)id;
    struct erase_request *q = calloc(1, sizeof *q);
    if (q == NULL) {
        api_send_problem(r, 500, "out of memory", NULL);
        return;
    }
    q->api = a;
    q->request = r;
    api_begin(a);
    buf_init(&q->type, ERASE_TEXT_MAX);
    buf_init(&q->id, ERASE_TEXT_MAX);
    loop_timer_init(&q->pause, a->config.loop, LOOP_REAL_TIME, erase_on_pause, q);
    const char *fault = erase_read_body(q, httpd_body(r));
    if (fault) {
        api_send_problem(r, 400, fault, NULL);
        erase_free(q);
        return;
    }
    struct store_audit_put *audit = q->is_dry_run ? NULL : erase_audit(q, "begun");
    if (audit == NULL && !q->is_dry_run) { // and 500 is sent
        erase_free(q);
        return;
    }
    q->step = (struct store_erase){
        .record_type = buf_str(&q->type),
        .record_id = buf_str(&q->id),
        .before = id_next(a->config.ids, clock_wall_ms(loop_clock(a->config.loop))),
        .is_dry_run = q->is_dry_run,
        .deliveries = &q->deliveries,
        .arena = &q->arena,
        .on_done = erase_on_step,
        .ctx = q};
    q->scrub = (struct store_scrub){.on_done = erase_on_scrubbed, .ctx = q};
    if (audit) {
        audit_give(a->config.store, audit);
    }
    erase_on_pause(q);
}
