#include "api/internal.h"

const char *api_refusal(const struct api *a)
{
    const struct api_config *c = &a->config;
    if (a->is_draining) {
        return "the host is stopping";
    }
    if (a->drain_at_ms) {
        return "the host is being drained by an operator: it takes events again after a resume";
    }
    if (engine_generation(c->engine) == NULL) {
        return "the workflows are being loaded";
    }
    if (store_trouble(c->store)) {
        return store_trouble(c->store);
    }
    if (store_owed_count(c->store) >= c->max_owed) {
        return "too many deliveries are owed (limits.owed): wait until some have arrived";
    }
    if (store_free_bytes(c->store) < c->min_free_bytes) {
        return "too little space is free on the disk of the data folder (limits.free_disk)";
    }
    return NULL;
}

void api_get_healthz(struct api *a, struct httpd_request *r, struct str id)
{
    (void)a;
    (void)id;
    httpd_send(r, &(struct httpd_answer){.status = 200,
                                         .content_type = "application/json",
                                         .body = STR("{\"status\":\"ok\"}")});
}

// The workflows that the host itself has stopped: somebody should look at them.
static void ready_write_suspended(struct json_writer *w, const struct generation *g)
{
    json_key(w, STR("suspended"));
    json_array_begin(w);
    for (size_t i = 0; g && i < g->workflow_count; i++) {
        const struct generation_workflow *one = &g->workflows[i];
        if (one->rule && g->modes[one->index] == WORKFLOW_SUSPENDED) {
            json_string(w, str_from(one->id));
        }
    }
    json_array_end(w);
}

void api_write_broken(struct json_writer *w, const struct generation *g)
{
    json_key(w, STR("broken"));
    json_array_begin(w);
    for (size_t i = 0; g && i < g->workflow_count; i++) {
        if (g->workflows[i].has_fault) {
            json_string(w, str_from(g->workflows[i].id));
        }
    }
    json_array_end(w);
}

void api_get_readyz(struct api *a, struct httpd_request *r, struct str id)
{
    (void)id;
    const char *refusal = api_refusal(a);
    char paused[API_PAUSED_MAX];
    struct buf body;
    struct json_writer w;
    buf_init(&body, API_ANSWER_MAX);
    json_writer_init(&w, &body);
    json_object_begin(&w);
    if (refusal) {
        api_write_problem(&w, 503, refusal);
    }
    json_member_bool(&w, "ready", refusal == NULL);
    json_member_text(&w, "reason", refusal);
    json_member_string_or_null(&w, "paused", api_paused_reason(a, paused));
    json_member_bool(&w, "draining", a->drain_at_ms != 0);
    json_member_text(&w, "redirect_all", a->config.redirect_all);
    ready_write_suspended(&w, engine_generation(a->config.engine));
    api_write_broken(&w, engine_generation(a->config.engine));
    json_object_end(&w);
    if (refusal && !body.failed) {
        char retry[API_RETRY_AFTER_MAX];
        httpd_send(r, &(struct httpd_answer){.status = 503,
                                             .content_type = "application/problem+json",
                                             .extra_headers = api_retry_after(retry),
                                             .body = buf_str(&body)});
        buf_fini(&body);
    } else {
        api_send_json(r, 200, &body);
    }
}
