// GET /v1/status, and what makes it another one: POST /v1/pause (nothing is sent), /v1/drain (no
// event is taken), /v1/resume (both go on). A pause is the store's and outlives the process; a
// drain is for its end, and is over with it.
#include <stdio.h>
#include <stdlib.h>

#include "api/internal.h"
#include "base/rfc3339.h"

struct str api_paused_reason(const struct api *a, char out[API_PAUSED_MAX])
{
    const struct deliver_paused *paused = deliver_paused(a->config.deliver);
    char since[RFC3339_LEN + 1];
    if (paused->since_ms == 0) {
        return (struct str){0};
    }
    rfc3339_format(since, paused->since_ms);
    snprintf(out, API_PAUSED_MAX, "everything is paused by %s since %s", paused->by, since);
    return str_from(out);
}

static const char *status_word(const struct api *a)
{
    bool is_paused = deliver_paused(a->config.deliver)->since_ms != 0;
    if (a->drain_at_ms) {
        return is_paused ? "paused and draining" : "draining";
    }
    return is_paused ? "paused" : "running";
}

static void status_write_since(struct json_writer *w, const char *name, int64_t since_ms,
                               const char *by)
{
    if (since_ms == 0) {
        json_member_null(w, name);
        return;
    }
    json_key(w, str_from(name));
    json_object_begin(w);
    json_member_time(w, "since", since_ms);
    json_member_text(w, "by", by);
    json_object_end(w);
}

void api_get_status(struct api *a, struct httpd_request *r, struct str id)
{
    (void)id;
    const struct deliver *d = a->config.deliver;
    const struct deliver_paused *paused = deliver_paused(d);
    int64_t next_ms;
    bool is_idle =
        deliver_is_idle(d, &next_ms) && a->under_way == 0 && !slots_is_busy(a->config.slots);
    struct buf body;
    struct json_writer w;
    buf_init(&body, API_ANSWER_MAX);
    json_writer_init(&w, &body);
    json_object_begin(&w);
    json_member_text(&w, "status", status_word(a));
    status_write_since(&w, "paused", paused->since_ms, paused->by);
    status_write_since(&w, "draining", a->drain_at_ms, a->drain_by);
    json_member_bool(&w, "drained", a->drain_at_ms && is_idle);
    json_member_integer(&w, "in_flight", (int64_t)deliver_in_flight(d));
    json_member_integer(&w, "owed", store_owed_count(a->config.store));
    if (next_ms == INT64_MAX || paused->since_ms) {
        json_member_null(&w, "next_attempt_at");
    } else {
        json_member_time(&w, "next_attempt_at",
                         clock_wall_at_ms(loop_clock(a->config.loop), next_ms));
    }
    api_write_broken(&w, engine_generation(a->config.engine));
    json_object_end(&w);
    api_send_json(r, 200, &body);
}

// --- the acts ------------------------------------------------------------------------------------

struct status_request {
    struct api *api;
    struct httpd_request *request;
    bool is_paused;
};

static void status_set_drain(struct api *a, int64_t since_ms)
{
    a->drain_at_ms = since_ms;
    slots_hold(a->config.slots, since_ms != 0);
}

static void status_on_said(void *ctx, int code)
{
    struct status_request *q = ctx;
    struct api *a = q->api;
    api_end(a);
    if (code) {
        const char *trouble = store_trouble(a->config.store);
        api_send_unavailable(q->request, trouble ? trouble : "it could not be stored");
    } else {
        if (!q->is_paused) {
            status_set_drain(a, 0);
        }
        api_get_status(a, q->request, (struct str){0});
    }
    free(q);
}

static void status_say(struct api *a, struct httpd_request *r, bool is_paused)
{
    struct store_audit_put *audit = api_audit_new(a, r, is_paused ? "pause" : "resume",
                                                  (struct str){0}, str_from(status_word(a)),
                                                  !is_paused       ? STR("running")
                                                  : a->drain_at_ms ? STR("paused and draining")
                                                                   : STR("paused"));
    if (audit == NULL) { // and 500 is sent
        return;
    }
    struct status_request *q = calloc(1, sizeof *q);
    if (q == NULL) {
        audit_drop(audit);
        api_send_problem(r, 500, "out of memory", NULL);
        return;
    }
    *q = (struct status_request){.api = a, .request = r, .is_paused = is_paused};
    api_begin(a);
    int code = deliver_pause(a->config.deliver, (struct str){0}, api_caller(a, r), is_paused, audit,
                             status_on_said, q);
    if (code) {
        status_on_said(q, code);
    }
}

void api_pause(struct api *a, struct httpd_request *r, struct str id)
{
    (void)id;
    status_say(a, r, true);
}

void api_resume(struct api *a, struct httpd_request *r, struct str id)
{
    (void)id;
    status_say(a, r, false);
}

void api_drain_events(struct api *a, struct httpd_request *r, struct str id)
{
    if (deliver_paused(a->config.deliver)->since_ms) {
        api_send_problem(r, 409, "everything is paused, so a drain would never end: resume first",
                         NULL);
        return;
    }
    struct store_audit_put *audit =
        api_audit_new(a, r, "drain", (struct str){0}, str_from(status_word(a)), STR("draining"));
    if (audit == NULL) {
        return;
    }
    audit_give(a->config.store, audit);
    if (a->drain_at_ms == 0) {
        log_info(a->config.log, "drained by an operator: no event is taken, what is due is sent");
        snprintf(a->drain_by, sizeof a->drain_by, STR_FMT, STR_ARG(api_caller(a, r)));
        status_set_drain(a, clock_wall_ms(loop_clock(a->config.loop)));
    }
    api_get_status(a, r, id);
}
