// The table of routes: what is answered before a body is read, and who answers the rest.
#include <stdio.h>

#include "api/internal.h"

struct route {
    const char *method;
    struct str path; // "/v1/events"
    bool takes_id;   // "/ID" follows
    bool is_open;    // needs no token
    bool is_ingest;  // takes events: refused while there is no room
    void (*handle)(struct api *a, struct httpd_request *r, struct str id);
};

static const struct route ROUTES[] = {
    {"POST", STR("/v1/events"), .is_ingest = true, .handle = api_post_events},
    {"GET", STR("/v1/events"), .handle = api_list_events},
    {"GET", STR("/v1/events"), .takes_id = true, .handle = api_get_event},
    {"GET", STR("/v1/runs"), .handle = api_list_runs},
    {"GET", STR("/v1/deliveries"), .handle = api_list_deliveries},
    {"GET", STR("/v1/deliveries"), .takes_id = true, .handle = api_get_delivery},
    {"GET", STR("/v1/workflows"), .handle = api_list_workflows},
    {"GET", STR("/v1/workflows"), .takes_id = true, .handle = api_get_workflow},
    {"POST", STR("/v1/reload"), .handle = api_post_reload},
    {"GET", STR("/healthz"), .is_open = true, .handle = api_get_healthz},
    {"GET", STR("/readyz"), .is_open = true, .handle = api_get_readyz},
};
enum { ROUTE_COUNT = sizeof ROUTES / sizeof ROUTES[0] };

static bool route_has_path(const struct route *route, struct str path, struct str *id)
{
    if (!route->takes_id) {
        return str_eq(path, route->path);
    }
    size_t prefix = route->path.len + 1;
    if (path.len <= prefix || !str_starts_with(path, route->path) || path.data[prefix - 1] != '/') {
        return false;
    }
    *id = (struct str){path.data + prefix, path.len - prefix};
    return memchr(id->data, '/', id->len) == NULL;
}

// The route, or NULL; *other_method where the path is known with other methods alone.
static const struct route *route_find(const struct httpd_request *r, struct str *id,
                                      const char **other_method)
{
    struct str method = httpd_method(r);
    struct str path = httpd_path(r);
    *other_method = NULL;
    if (str_eq(method, STR("HEAD"))) {
        method = STR("GET");
    }
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        *id = (struct str){0};
        if (route_has_path(&ROUTES[i], path, id)) {
            if (str_eq(method, str_from(ROUTES[i].method))) {
                return &ROUTES[i];
            }
            *other_method = ROUTES[i].method;
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
    api_send_problem(r, status, detail);
    return 1;
}

// Everything that can be said no to before a body is read.
int api_on_head(void *ctx, struct httpd_request *r)
{
    struct api *a = ctx;
    struct str id;
    const char *other_method;
    const struct route *route = route_find(r, &id, &other_method);
    bool is_open = route && route->is_open;
    if (!is_open && !api_token_is_good(a, httpd_header(r, "authorization"))) {
        httpd_send(r, &(struct httpd_answer){
                          .status = 401,
                          .content_type = "application/problem+json",
                          .extra_headers = "WWW-Authenticate: Bearer\r\n",
                          .body = STR(
                              "{\"type\":\"about:blank\",\"title\":\"Unauthorized\",\"status\":401,"
                              "\"detail\":\"send Authorization: Bearer TOKEN (the first one is in "
                              "DATA/admin.token)\"}")});
        return 1;
    }
    if (route == NULL && other_method) {
        char allow[64];
        snprintf(allow, sizeof allow, "Allow: %s\r\n", other_method);
        httpd_send(r, &(struct httpd_answer){
                          .status = 405,
                          .content_type = "application/problem+json",
                          .extra_headers = allow,
                          .body = STR("{\"type\":\"about:blank\",\"title\":\"Method Not Allowed\","
                                      "\"status\":405}")});
        return 1;
    }
    if (route == NULL) {
        return route_refuse(r, 404, "there is no such route");
    }
    if (route->is_ingest && !route_is_json(httpd_header(r, "content-type"))) {
        return route_refuse(r, 415,
                            "send Content-Type: application/json (one event or an array) or "
                            "application/x-ndjson (one event a line)");
    }
    const char *refusal = route->is_ingest ? api_refusal(a) : NULL;
    if (refusal) {
        api_send_unavailable(r, refusal);
        return 1;
    }
    return 0;
}

void api_on_request(void *ctx, struct httpd_request *r)
{
    struct str id;
    const char *other_method;
    const struct route *route = route_find(r, &id, &other_method);
    route->handle(ctx, r, id); // api_on_head has let it through
}
