// The table of routes: what is answered before a body is read, and who answers the rest.
#include <stdio.h>
#include <string.h>

#include "api/internal.h"
#include "base/nearest.h"
#include "encode/query.h"

enum { ROUTE_WORDS_MAX = 512, ROUTE_NAME_MAX = 64 };

struct route {
    const char *method;
    const char *path; // "/v1/events/{id}"; "{path}" may have slashes
    enum role role;   // that its caller needs (api/access.h)
    void (*handle)(struct api *a, struct httpd_request *r, struct str id);
    bool is_ingest;         // takes events: refused while there is no room
    bool is_source;         // its sender may prove itself otherwise than by a token
    const char *parameters; // of its query, with spaces between them; NULL: none
};

static const struct route ROUTES[] = {
    {"POST", "/v1/events", ROLE_INGEST, .handle = api_post_events, .is_ingest = true},
    {"POST", "/v1/records", ROLE_INGEST, .handle = api_post_records, .is_ingest = true},
    {"GET", "/v1/events", ROLE_READ, .handle = api_list_events,
     .parameters = "type record since until limit cursor order sent"},
    {"GET", "/v1/events/{id}", ROLE_READ, .handle = api_get_event, .parameters = "sent"},
    {"GET", "/v1/events/{id}/explain", ROLE_READ, .handle = api_get_explain,
     .parameters = "workflow"},
    {"POST", "/v1/events/{id}/replay", ROLE_ADMIN, .handle = api_replay_event,
     .parameters = "workflow force"},
    {"GET", "/v1/runs", ROLE_READ, .handle = api_list_runs,
     .parameters = "outcome workflow type record since until limit cursor"},
    {"GET", "/v1/deliveries", ROLE_READ, .handle = api_list_deliveries,
     .parameters = "state workflow target type record since until limit cursor"},
    {"GET", "/v1/deliveries/{id}", ROLE_READ, .handle = api_get_delivery},
    {"POST", "/v1/deliveries/{id}/resend", ROLE_ADMIN, .handle = api_resend_delivery},
    {"POST", "/v1/deliveries/{id}/cancel", ROLE_ADMIN, .handle = api_cancel_delivery},
    {"GET", "/v1/live", ROLE_READ, .handle = api_get_live, .parameters = "topics"},
    {"GET", "/v1/workflows", ROLE_READ, .handle = api_list_workflows},
    {"GET", "/v1/workflows/{id}", ROLE_READ, .handle = api_get_workflow},
    {"GET", "/v1/workflows/{id}/source", ROLE_READ, .handle = api_get_source_text},
    {"GET", "/v1/rules", ROLE_READ, .handle = api_get_rules},
    {"POST", "/v1/sources/{id}", ROLE_INGEST, .handle = api_post_source, .is_ingest = true,
     .is_source = true},
    {"GET", "/v1/sources", ROLE_READ, .handle = api_list_sources},
    {"POST", "/v1/workflows/{id}/activate", ROLE_ADMIN, .handle = api_activate_workflow},
    {"POST", "/v1/workflows/{id}/deactivate", ROLE_ADMIN, .handle = api_deactivate_workflow},
    {"POST", "/v1/workflows/{id}/follow-file", ROLE_ADMIN, .handle = api_follow_file},
    {"POST", "/v1/workflows/{id}/reset", ROLE_ADMIN, .handle = api_reset_workflow,
     .parameters = "record"},
    {"POST", "/v1/workflows/{id}/test", ROLE_ADMIN, .handle = api_test_workflow},
    {"GET", "/v1/targets", ROLE_READ, .handle = api_list_targets,
     .parameters = "target limit cursor"},
    {"GET", "/v1/targets/{id}", ROLE_READ, .handle = api_get_target},
    {"POST", "/v1/targets/{id}/pause", ROLE_ADMIN, .handle = api_pause_target},
    {"POST", "/v1/targets/{id}/resume", ROLE_ADMIN, .handle = api_resume_target},
    {"GET", "/v1/overview", ROLE_READ, .handle = api_get_overview},
    {"GET", "/v1/status", ROLE_READ, .handle = api_get_status},
    {"POST", "/v1/pause", ROLE_ADMIN, .handle = api_pause},
    {"POST", "/v1/drain", ROLE_ADMIN, .handle = api_drain_events},
    {"POST", "/v1/resume", ROLE_ADMIN, .handle = api_resume},
    {"POST", "/v1/reload", ROLE_ADMIN, .handle = api_post_reload},
    {"GET", "/v1/audit", ROLE_READ, .handle = api_list_audit,
     .parameters = "who act subject since until limit cursor"},
    {"GET", "/v1/tokens", ROLE_ADMIN, .handle = api_list_tokens, .parameters = "limit cursor"},
    {"POST", "/v1/tokens", ROLE_ADMIN, .handle = api_post_token},
    {"POST", "/v1/tokens/{id}/revoke", ROLE_ADMIN, .handle = api_revoke_token},
    {"POST", "/v1/erase", ROLE_ADMIN, .handle = api_post_erase},
    {"GET", "/", ROLE_OPEN, .handle = api_get_console},
    {"GET", "/console/{path}", ROLE_OPEN, .handle = api_get_console},
    {"GET", "/metrics", ROLE_READ, .handle = api_get_metrics},
    {"GET", "/openapi.json", ROLE_READ, .handle = api_get_openapi},
    {"GET", "/healthz", ROLE_OPEN, .handle = api_get_healthz},
    {"GET", "/readyz", ROLE_OPEN, .handle = api_get_readyz},
};
enum { ROUTE_COUNT = sizeof ROUTES / sizeof ROUTES[0] };

// Whether the path is the pattern's, whose braces stand for one segment, or in "{path}" for all
// that is left: that goes to *id.
static bool route_has_path(const char *pattern, struct str path, struct str *id)
{
    size_t at = 0;
    for (; *pattern; pattern++) {
        if (*pattern == '{') {
            bool is_whole = strcmp(pattern, "{path}") == 0;
            const char *slash = is_whole ? NULL : memchr(path.data + at, '/', path.len - at);
            size_t end = slash ? (size_t)(slash - path.data) : path.len;
            *id = (struct str){path.data + at, end - at};
            at = end;
            pattern = strchr(pattern, '}');
        } else if (at == path.len || path.data[at++] != *pattern) {
            return false;
        }
    }
    return at == path.len && (id->data == NULL || id->len);
}

// The route, or NULL: then `allow` has the methods that the path takes ("GET, POST"), if it is one
// at all.
static const struct route *route_find(const struct httpd_request *r, struct str *id,
                                      struct buf *allow)
{
    struct str method = httpd_method(r);
    struct str path = httpd_path(r);
    if (str_eq(method, STR("HEAD"))) {
        method = STR("GET");
    }
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        *id = (struct str){0};
        if (!route_has_path(ROUTES[i].path, path, id)) {
            continue;
        }
        if (str_eq(method, str_from(ROUTES[i].method))) {
            return &ROUTES[i];
        }
        if (allow) {
            buf_printf(allow, "%s%s", allow->len ? ", " : "Allow: ", ROUTES[i].method);
        }
    }
    return NULL;
}

static bool route_is_json(struct str type)
{
    size_t len = 0;
    while (len < type.len && type.data[len] != ';') {
        len++;
    }
    type = str_trim((struct str){type.data, len});
    return str_eq_nocase(type, STR("application/json")) ||
           str_eq_nocase(type, STR("application/x-ndjson"));
}

static int route_refuse(struct httpd_request *r, int status, const char *detail)
{
    api_send_problem(r, status, detail, NULL);
    return 1;
}

static int route_refuse_unknown(struct httpd_request *r, struct buf *allow)
{
    if (allow->len == 0) {
        return route_refuse(r, 404, "there is no such route");
    }
    buf_append_text(allow, "\r\n");
    buf_append_char(allow, 0);
    api_send_problem(r, 405, "the route takes other methods: see Allow",
                     allow->failed ? NULL : allow->data);
    return 1;
}

static enum role route_role(const struct api *a, const struct route *route, struct str id)
{
    return route->is_source && api_source_checks_sender(a, id) ? ROLE_OPEN : route->role;
}

static int route_refuse_caller(struct api *a, struct httpd_request *r, enum access_verdict verdict,
                               const struct access_caller *caller, enum role wanted)
{
    const bool has_token = httpd_header(r, "authorization").len != 0;
    char peer[LOOP_PEER_MAX], words[256];
    int64_t wait_ms = caller->wait_ms;
    switch (verdict) {
    case ACCESS_GRANTED:
        return 0;
    case ACCESS_FORBIDDEN:
        snprintf(words, sizeof words, "this wants a token with the role %s, and %s has the role %s",
                 role_word(wanted), caller->name, caller->role);
        api_send_forbidden(r, words, role_word(wanted));
        return 1;
    case ACCESS_TOO_FAST:
        snprintf(words, sizeof words, "%s has sent more requests than its limit lets through",
                 caller->name);
        api_send_too_many(r, words, wait_ms);
        return 1;
    case ACCESS_NOMEM:
        api_send_unavailable(r, "the host is out of memory");
        return 1;
    case ACCESS_UNKNOWN:
    case ACCESS_EXPIRED:
        break;
    }
    httpd_peer(r, peer);
    wait_ms = has_token ? access_failed(a->config.access, str_from(peer)) : 0;
    if (wait_ms) {
        api_send_too_many(r, "too many wrong tokens came from your address", wait_ms);
        return 1;
    }
    snprintf(words, sizeof words, "the token %s has expired", caller->name ? caller->name : "");
    api_send_problem(
        r, 401,
        verdict == ACCESS_EXPIRED ? words
        : has_token               ? "the token is not one of this host's, or it is revoked"
                    : "send Authorization: Bearer TOKEN (the first one is in DATA/admin.token)",
        has_token ? "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n"
                  : "WWW-Authenticate: Bearer\r\n");
    return 1;
}

// Whether its caller may not call the route (NULL: no such route, which any token may find out). It
// is answered then.
static int route_check_caller(struct api *a, struct httpd_request *r, const struct route *route,
                              struct str id)
{
    enum role wanted = route ? route_role(a, route, id) : ROLE_OPEN;
    struct access_caller caller;
    if (route && wanted == ROLE_OPEN) {
        return 0;
    }
    enum access_verdict verdict =
        access_judge(a->config.access, httpd_header(r, "authorization"), wanted, &caller);
    api_set_caller(r, caller.id);
    return route_refuse_caller(a, r, verdict, &caller, wanted);
}

// Whether the route takes a parameter of that name.
static bool route_takes(const struct route *route, struct str name, struct nearest *near)
{
    const char *at = route->parameters ? route->parameters : "";
    while (*at) {
        struct str known = {at, strcspn(at, " ")};
        if (str_eq(known, name)) {
            return true;
        }
        nearest_offer(near, known);
        at += known.len + strspn(at + known.len, " ");
    }
    return false;
}

// Whether the query has a parameter that the route would pass over, such as ?stat=failed: it is
// answered then. A foreign system's query is its own, and so is that of what is no part of the API.
static int route_refuse_parameter(struct httpd_request *r, const struct route *route)
{
    struct str rest = httpd_query(r), name, value;
    if (route->is_source || strncmp(route->path, "/v1/", 4) != 0) {
        return 0;
    }
    while (query_next(&rest, &name, &value)) {
        struct nearest near;
        nearest_init(&near, name);
        if (route_takes(route, name, &near)) {
            continue;
        }
        char words[ROUTE_WORDS_MAX];
        snprintf(words, sizeof words, "there is no parameter %.*s here%s" STR_FMT "%s; %s%s",
                 (int)(name.len < ROUTE_NAME_MAX ? name.len : ROUTE_NAME_MAX), name.data,
                 near.name.len ? ", did you mean " : "", STR_ARG(near.name),
                 near.name.len ? "?" : "", route->parameters ? "there are " : "there is none",
                 route->parameters ? route->parameters : "");
        return route_refuse(r, 400, words);
    }
    return 0;
}

// Everything that can be said no to before a body is read.
int api_on_head(void *ctx, struct httpd_request *r)
{
    struct api *a = ctx;
    struct str id;
    struct buf allow;
    buf_init(&allow, 256);
    const struct route *route = route_find(r, &id, &allow);
    int refused = 0;
    if (route_check_caller(a, r, route, id)) {
        refused = 1;
    } else if (route == NULL) {
        refused = route_refuse_unknown(r, &allow);
    } else if (route_refuse_parameter(r, route)) {
        refused = 1;
    } else if (route->is_ingest && !route->is_source &&
               !route_is_json(httpd_header(r, "content-type"))) {
        refused = route_refuse(r, 415,
                               "send Content-Type: application/json (one event or an array) or "
                               "application/x-ndjson (one event a line)");
    } else if (route->is_ingest && api_refusal(a)) {
        api_send_unavailable(r, api_refusal(a));
        refused = 1;
    }
    buf_fini(&allow);
    return refused;
}

void api_on_request(void *ctx, struct httpd_request *r)
{
    struct api *a = ctx;
    struct str id;
    // Its body may have been long in coming; the parts that it needs are about to be closed.
    if (a->is_draining) {
        api_send_unavailable(r, api_refusal(a));
        return;
    }
    if (api_caller_is_gone(a, r)) {
        api_send_problem(r, 401, "the token was revoked meanwhile",
                         "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n");
        return;
    }
    const struct route *route = route_find(r, &id, NULL);
    route->handle(ctx, r, id); // api_on_head has let it through
}
