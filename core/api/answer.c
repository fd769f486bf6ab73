#include <stdio.h>

#include "api/internal.h"

void api_begin(struct api *a)
{
    a->under_way++;
}

void api_end(struct api *a)
{
    a->under_way--;
}

void api_send_json(struct httpd_request *r, int status, struct buf *body)
{
    if (body->failed == ERR_NOMEM) {
        api_send_unavailable(r, "the host is out of memory");
    } else if (body->failed) {
        api_send_problem(r, 500, "the answer is too large: ask for less (limit=...)", NULL);
    } else {
        httpd_send(r, &(struct httpd_answer){.status = status,
                                             .content_type = "application/json",
                                             .body = buf_str(body)});
    }
    buf_fini(body);
}

static const char *answer_title(int status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 409:
        return "Conflict";
    case 413:
        return "Content Too Large";
    case 415:
        return "Unsupported Media Type";
    case 429:
        return "Too Many Requests";
    case 503:
        return "Service Unavailable";
    default:
        return "Internal Server Error";
    }
}

struct answer_extra { // a member of its own; name NULL: none
    const char *name;
    const char *text; // or NULL:
    size_t number;
};

void api_write_problem(struct json_writer *w, int status, const char *detail)
{
    json_member_text(w, "type", "about:blank");
    json_member_text(w, "title", answer_title(status));
    json_member_integer(w, "status", status);
    json_member_text(w, "detail", detail);
}

static void answer_problem(struct httpd_request *r, int status, const char *detail,
                           const struct answer_extra *extra, const char *extra_headers)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, 16384);
    json_writer_init(&w, &body);
    json_object_begin(&w);
    api_write_problem(&w, status, detail);
    if (extra && extra->text) {
        json_member_text(&w, extra->name, extra->text);
    } else if (extra && extra->name) {
        json_member_integer(&w, extra->name, (int64_t)extra->number);
    }
    json_object_end(&w);
    struct str whole = body.failed ? STR("{\"type\":\"about:blank\"}") : buf_str(&body);
    httpd_send(r, &(struct httpd_answer){.status = status,
                                         .content_type = "application/problem+json",
                                         .extra_headers = extra_headers,
                                         .body = whole});
    buf_fini(&body);
}

void api_send_problem(struct httpd_request *r, int status, const char *detail, const char *headers)
{
    answer_problem(r, status, detail, NULL, headers);
}

void api_send_problem_at(struct httpd_request *r, int status, const char *detail, const char *place,
                         size_t at)
{
    answer_problem(r, status, detail, &(struct answer_extra){place, NULL, at}, NULL);
}

const char *api_retry_after(char out[API_RETRY_AFTER_MAX])
{
    snprintf(out, API_RETRY_AFTER_MAX, "Retry-After: %d\r\n", API_RETRY_AFTER_S);
    return out;
}

void api_send_unavailable(struct httpd_request *r, const char *detail)
{
    char retry[API_RETRY_AFTER_MAX];
    answer_problem(r, 503, detail, NULL, api_retry_after(retry));
}

void api_send_forbidden(struct httpd_request *r, const char *detail, const char *role)
{
    char header[96];
    snprintf(header, sizeof header,
             "WWW-Authenticate: Bearer error=\"insufficient_scope\", scope=\"%s\"\r\n", role);
    answer_problem(r, 403, detail, &(struct answer_extra){"role", role, 0}, header);
}

void api_send_too_many(struct httpd_request *r, const char *detail, int64_t wait_ms)
{
    char retry[40];
    snprintf(retry, sizeof retry, "Retry-After: %lld\r\n", (long long)((wait_ms + 999) / 1000));
    answer_problem(r, 429, detail, NULL, retry);
}

void api_write_id(struct json_writer *w, const char *key, const char *kind, uint64_t id)
{
    char shown[ID_SHOWN_LEN + 1];
    if (key) {
        json_key(w, str_from(key));
    }
    json_string(w, id_show(shown, kind, id));
}
