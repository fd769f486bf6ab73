// What the files of the API share.
#ifndef API_INTERNAL_H
#define API_INTERNAL_H

#include "api/access.h"
#include "api/api.h"
#include "base/id.h"
#include "encode/json_writer.h"
#include "encode/trace_context.h"
#include "engine/record_queue.h"
#include "store/audit.h"
#include "wire/httpd.h"

enum { API_ANSWER_MAX = 64 << 20, API_ARENA_MAX = 256 << 20, API_RETRY_AFTER_S = 5 };

struct backlog { // what the store said of what is owed
    struct store_read read;
    struct arena arena;
    bool is_reading;
    int64_t next_us;              // real: not looked at again before
    int64_t oldest_ms;            // wall; 0: nothing is owed, or it is not known
    struct backlog_wait *waiting; // requests that are answered when the read is back
};

struct api {
    struct api_config config;
    struct httpd *httpd;
    bool is_draining;    // the host stops
    int64_t drain_at_ms; // wall: since when an operator drains it; 0: it is not drained
    char drain_by[ACCESS_NAME_MAX + 1];
    size_t under_way;       // requests whose answer is owed
    struct api_test *tests; // that wait for a receiver's answer
    struct backlog backlog;
    struct spans *spans;         // of what happens; NULL: nobody wants them
    struct live *live;           // those who watch what happens
    struct record_queue records; // whose stored states are being compared with
    void (*on_closed)(void *ctx);
    void *closed_ctx;
};

// A request that waits for the store: everything it needs until it is answered.
struct api_read {
    struct api *api;
    struct httpd_request *request;
    struct store_read read;
    struct arena arena;
    struct buf text; // what the filter's texts point into
};

// --- answer.c: JSON out ---
void api_begin(struct api *a); // a request that is answered later
void api_end(struct api *a);
// Sends a JSON body and empties it.
void api_send_json(struct httpd_request *r, int status, struct buf *body);
// application/problem+json (RFC 9457). place: an extra member ("index", "line") or NULL.
// headers: more lines with CRLF, or NULL.
void api_send_problem(struct httpd_request *r, int status, const char *detail, const char *headers);
// Its members, into an object that has more.
void api_write_problem(struct json_writer *w, int status, const char *detail);
void api_send_problem_at(struct httpd_request *r, int status, const char *detail, const char *place,
                         size_t at);
enum { API_RETRY_AFTER_MAX = 40 };
const char *api_retry_after(char out[API_RETRY_AFTER_MAX]);             // the header's line: `out`
void api_send_unavailable(struct httpd_request *r, const char *detail); // 503 with Retry-After
// kind: base/id.h. key: NULL in an array.
void api_write_id(struct json_writer *w, const char *key, const char *kind, uint64_t id);

// 403 with an extra member "role", the one that is wanted.
void api_send_forbidden(struct httpd_request *r, const char *detail, const char *role);
// 429 with Retry-After.
void api_send_too_many(struct httpd_request *r, const char *detail, int64_t wait_ms);

// --- caller.c: whose token a request came with ---
void api_set_caller(struct httpd_request *r, uint64_t id); // access_caller
// Whether its token was revoked since.
bool api_caller_is_gone(const struct api *a, const struct httpd_request *r);
// The token's name, borrowed until the next turn.
struct str api_caller(const struct api *a, const struct httpd_request *r);

// --- ready.c ---
// Why no event can be taken now, or NULL.
const char *api_refusal(const struct api *a);
// "broken": [...]: the workflows whose file, as it stands, has an error.
void api_write_broken(struct json_writer *w, const struct generation *g);
void api_get_healthz(struct api *a, struct httpd_request *r, struct str id);
void api_get_readyz(struct api *a, struct httpd_request *r, struct str id);

// --- status.c ---
void api_get_status(struct api *a, struct httpd_request *r, struct str id);
void api_pause(struct api *a, struct httpd_request *r, struct str id);
void api_drain_events(struct api *a, struct httpd_request *r, struct str id);
void api_resume(struct api *a, struct httpd_request *r, struct str id);
// Why everything is held ("everything is paused by admin since ..."); empty where it is not.
enum { API_PAUSED_MAX = 128 };
struct str api_paused_reason(const struct api *a, char out[API_PAUSED_MAX]);

// --- overview.c ---
// What the host does and has done since its start, as one object.
void api_write_overview(struct json_writer *w, struct api *a);
void api_get_overview(struct api *a, struct httpd_request *r, struct str id);

// --- metrics.c ---
void api_get_metrics(struct api *a, struct httpd_request *r, struct str id);

// --- backlog.c ---
// Looks how old what is owed is, and what each target is owed, unless that was done just now: what
// is known then is in a->backlog and in the figures of the targets.
void backlog_look(struct api *a);
// Looks, and calls on_known when what is known is no older than a second: at once where it is, or
// where there is no memory or the host stops.
void backlog_await(struct api *a, struct httpd_request *r,
                   void (*on_known)(struct api *a, struct httpd_request *r));
// Since when the delivery that has been owed longest is (wall); 0: nothing is, or it is not known
// yet.
int64_t backlog_oldest_ms(const struct api *a);

// --- ingest.c ---
void api_post_events(struct api *a, struct httpd_request *r, struct str id);
// Takes events in the place of the request's body: a JSON array, copied. The request is answered as
// that of /v1/events is. `source` made them: where they are not legal that is its fault, logged and
// answered with 500, so that the sender tries again.
void api_ingest(struct api *a, struct httpd_request *r, struct str events, const char *source);
// The trace that a request is of, copied: what it makes owed is of it, too.
struct trace_context api_trace(const struct httpd_request *r, struct arena *arena);

// --- sources.c ---
void api_post_source(struct api *a, struct httpd_request *r, struct str id);
void api_list_sources(struct api *a, struct httpd_request *r, struct str id);
// Whether that source checks its sender itself, so that no token is wanted.
bool api_source_checks_sender(const struct api *a, struct str name);
void api_post_records(struct api *a, struct httpd_request *r, struct str id);

// "deliveries": [...], of an event and of one run.
void api_write_event_deliveries(struct json_writer *w, const struct store_event *ev);
void api_write_run_deliveries(struct json_writer *w, const struct store_run *run);

// --- replay.c ---
void api_replay_event(struct api *a, struct httpd_request *r, struct str id);

// --- list.c: reads of the store, one or a page ---
struct api_read *api_read_new(struct api *a, struct httpd_request *r, enum store_read_kind kind);
// Whether the read went well; if not, it is answered and freed. what: "there is no such delivery".
bool api_read_went_well(struct api_read *q, const char *what);
void api_read_free(struct api_read *q);
// Reads a page, its filter taken from the query (400 where that is wrong).
void api_list(struct api *a, struct httpd_request *r, enum store_read_kind kind,
              void (*on_done)(struct store_read *read));
// Answers {"NAME":[...],"next":...}, `write` once for each row, and frees the read.
void api_send_list(struct store_read *read, const char *name,
                   void (*write)(struct json_writer *w, const struct store_read *read, size_t i));
// The state that people see of one that is stored: while everything is paused, what would be sent
// is held.
enum delivery_state api_shown_state(const struct api *a, enum delivery_state stored);
// "record": { "type", "id" }, the id as a number where it is one.
void api_write_record(struct json_writer *w, struct str type, struct str id);

// --- events.c, deliveries.c, workflows.c ---
// Begins a run's object: all of it but its deliveries.
void events_write_run_head(struct json_writer *w, const struct store_run_row *run);
void api_list_events(struct api *a, struct httpd_request *r, struct str id);
void api_get_event(struct api *a, struct httpd_request *r, struct str id);
void api_get_explain(struct api *a, struct httpd_request *r, struct str id); // explain.c
void api_list_runs(struct api *a, struct httpd_request *r, struct str id);
// The members of a delivery as a list has it.
void api_write_delivery(struct json_writer *w, const struct api *a,
                        const struct store_delivery_row *d);
void api_list_deliveries(struct api *a, struct httpd_request *r, struct str id);
void api_get_delivery(struct api *a, struct httpd_request *r, struct str id);
// Answers {"NAME":[...],"next":null}, `write` once for each of `count`.
void api_send_whole_list(struct httpd_request *r, const char *name, size_t count,
                         void (*write)(struct json_writer *w, void *ctx, size_t i), void *ctx);
// The members message, file, line and path of a fault.
void api_write_fault(struct json_writer *w, const struct rules_fault *f);
void api_list_workflows(struct api *a, struct httpd_request *r, struct str id);
void api_get_rules(struct api *a, struct httpd_request *r, struct str id);
void api_get_workflow(struct api *a, struct httpd_request *r, struct str id);
void api_get_source_text(struct api *a, struct httpd_request *r, struct str id);
// By its id as the path has it; NULL: 404 is sent.
const struct generation_workflow *workflows_find(struct api *a, struct httpd_request *r,
                                                 struct str id);
// 200 with the workflow; 404 where a reload has taken it away.
void workflows_send_one(struct api *a, struct httpd_request *r, struct str id);
void api_post_reload(struct api *a, struct httpd_request *r, struct str id);

// --- test.c ---
void api_test_workflow(struct api *a, struct httpd_request *r, struct str id);
void api_abandon_tests(struct api *a); // the client is closed: no answer comes any more

// --- live.c ---
void api_get_live(struct api *a, struct httpd_request *r, struct str id);

// --- control.c ---
enum { CONTROL_ID_MAX = 4096 };
void api_activate_workflow(struct api *a, struct httpd_request *r, struct str id);
void api_deactivate_workflow(struct api *a, struct httpd_request *r, struct str id);
void api_follow_file(struct api *a, struct httpd_request *r, struct str id);
void api_reset_workflow(struct api *a, struct httpd_request *r, struct str id);

// --- act.c ---
void api_resend_delivery(struct api *a, struct httpd_request *r, struct str id);
void api_cancel_delivery(struct api *a, struct httpd_request *r, struct str id);

// --- audit.c ---
// An act of this request's sender, to be given with what it does (store/audit.h). NULL: no memory,
// 500 is sent.
struct store_audit_put *api_audit_new(struct api *a, struct httpd_request *r, const char *act,
                                      struct str subject, struct str before, struct str after);
void api_list_audit(struct api *a, struct httpd_request *r, struct str id);

// --- tokens.c ---
void api_list_tokens(struct api *a, struct httpd_request *r, struct str id);
void api_post_token(struct api *a, struct httpd_request *r, struct str id);
void api_revoke_token(struct api *a, struct httpd_request *r, struct str id);

// --- erase.c ---
void api_post_erase(struct api *a, struct httpd_request *r, struct str id);

// --- targets.c ---
void api_list_targets(struct api *a, struct httpd_request *r, struct str id);
void api_get_target(struct api *a, struct httpd_request *r, struct str id);
void api_pause_target(struct api *a, struct httpd_request *r, struct str id);
void api_resume_target(struct api *a, struct httpd_request *r, struct str id);

// --- console.c ---
// id: the file's name; empty: the page.
void api_get_console(struct api *a, struct httpd_request *r, struct str id);
void api_get_openapi(struct api *a, struct httpd_request *r, struct str id);

// --- routes.c ---
int api_on_head(void *ctx, struct httpd_request *r);
void api_on_request(void *ctx, struct httpd_request *r);

#endif
