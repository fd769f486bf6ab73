// GET /v1/targets, /v1/targets/ID, POST /v1/targets/ID/pause and /resume. The ID is the
// target's own name, percent-encoded: https%3A%2F%2Fapp.example.com%3A443.
#include <stdio.h>
#include <stdlib.h>

#include "api/internal.h"
#include "encode/percent.h"
#include "encode/url.h"
#include "store/targets.h"

enum { TARGETS_NAME_MAX = 1024, TARGETS_RATE_MAX = 48 };

static void targets_write_rate(struct json_writer *w, int64_t interval_us)
{
    static const struct {
        int64_t us;
        const char *unit;
    } units[] = {{1000000, "s"}, {60 * INT64_C(1000000), "m"}, {3600 * INT64_C(1000000), "h"}};
    char text[TARGETS_RATE_MAX];
    size_t i = 0;
    if (interval_us == 0) {
        json_member_null(w, "rate");
        return;
    }
    while (i < 2 && (units[i].us < interval_us || units[i].us % interval_us)) {
        i++;
    }
    snprintf(text, sizeof text, "%lld/%s", (long long)(units[i].us / interval_us), units[i].unit);
    json_member_text(w, "rate", text);
}

static void targets_write(struct json_writer *w, const struct store_read *read, size_t i)
{
    const struct api_read *q = read->ctx;
    const struct store_target_row *row = &read->targets[i];
    struct deliver_target now;
    deliver_look_at(q->api->config.deliver, row->target, &now);
    bool is_paused = row->pause == STORE_PAUSE_ON;
    json_object_begin(w);
    json_member_string(w, "target", row->target);
    json_member_text(w, "state", is_paused ? "paused" : deliver_target_state_word(now.state));
    json_member_integer(w, "in_flight", (int64_t)now.in_flight);
    json_member_integer(w, "owed", row->owed);
    targets_write_rate(w, now.interval_us);
    json_member_string_or_null(w, "last_error", row->last_error);
    json_member_time_or_null(w, "failing_since", row->failing_since_ms);
    json_object_end(w);
}

static void targets_on_list(struct store_read *read)
{
    api_send_list(read, "targets", targets_write);
}

void api_list_targets(struct api *a, struct httpd_request *r, struct str id)
{
    (void)id;
    api_list(a, r, STORE_READ_TARGETS, targets_on_list);
}

static void targets_on_one(struct store_read *read)
{
    struct api_read *q = read->ctx;
    if (!api_read_went_well(q, "")) {
        return;
    }
    if (read->count == 0) {
        api_send_problem(q->request, 404, "there is no such target", NULL);
    } else {
        struct buf body;
        struct json_writer w;
        buf_init(&body, API_ANSWER_MAX);
        json_writer_init(&w, &body);
        targets_write(&w, read, 0);
        api_send_json(q->request, 200, &body);
    }
    api_read_free(q);
}

static void targets_send_one(struct api *a, struct httpd_request *r, struct str name)
{
    struct api_read *q = api_read_new(a, r, STORE_READ_TARGETS);
    if (q) {
        q->read.filter.target = arena_dup(&q->arena, name);
        q->read.limit = 1;
        q->read.on_done = targets_on_one;
        store_read(a->config.store, &q->read);
    }
}

// Of an ID of the path.
static int targets_name(struct str id, struct buf *out)
{
    struct buf text;
    buf_init(&text, TARGETS_NAME_MAX);
    int code = percent_decode(&text, id) || text.failed ? ERR_INVALID : 0;
    code = code ? code : url_target_of(out, buf_str(&text));
    buf_fini(&text);
    return code;
}

void api_get_target(struct api *a, struct httpd_request *r, struct str id)
{
    struct buf name;
    buf_init(&name, TARGETS_NAME_MAX);
    if (targets_name(id, &name)) {
        api_send_problem(r, 404, "there is no such target: https%3A%2F%2Fapp.example.com%3A443",
                         NULL);
    } else {
        targets_send_one(a, r, buf_str(&name));
    }
    buf_fini(&name);
}

struct target_request {
    struct api *api;
    struct httpd_request *request;
    struct buf name;
};

static void targets_free(struct target_request *q)
{
    api_end(q->api);
    buf_fini(&q->name);
    free(q);
}

static void targets_on_said(void *ctx, int code)
{
    struct target_request *q = ctx;
    struct api *a = q->api;
    if (code == ERR_NOT_FOUND) {
        api_send_problem(q->request, 404, "there is no such target: no webhook was ever owed to it",
                         NULL);
    } else if (code) {
        const char *trouble = store_trouble(a->config.store);
        api_send_unavailable(q->request, trouble ? trouble : "it could not be stored");
    } else {
        targets_send_one(a, q->request, buf_str(&q->name));
    }
    targets_free(q);
}

static void targets_say(struct api *a, struct httpd_request *r, struct str id, bool is_paused)
{
    struct target_request *q = calloc(1, sizeof *q);
    if (q == NULL) {
        api_send_problem(r, 500, "out of memory", NULL);
        return;
    }
    struct store_audit_put *audit = NULL;
    *q = (struct target_request){.api = a, .request = r};
    buf_init(&q->name, TARGETS_NAME_MAX);
    api_begin(a);
    int code = targets_name(id, &q->name) ? ERR_NOT_FOUND : 0;
    if (code == 0) {
        audit = api_audit_new(a, r, is_paused ? "target.pause" : "target.resume", buf_str(&q->name),
                              STR(""), is_paused ? STR("paused") : STR("not paused"));
        if (audit == NULL) { // and 500 is sent
            targets_free(q);
            return;
        }
        code = deliver_pause(a->config.deliver, buf_str(&q->name), api_caller(a, r), is_paused,
                             audit, targets_on_said, q);
    }
    if (code) {
        targets_on_said(q, code);
    }
}

void api_pause_target(struct api *a, struct httpd_request *r, struct str id)
{
    targets_say(a, r, id, true);
}

void api_resume_target(struct api *a, struct httpd_request *r, struct str id)
{
    targets_say(a, r, id, false);
}
