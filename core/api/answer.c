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
    case 503:
        return "Service Unavailable";
    default:
        return "Internal Server Error";
    }
}

static void answer_problem(struct httpd_request *r, int status, const char *detail,
                           const char *place, size_t at, const char *extra_headers)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, 16384);
    json_writer_init(&w, &body);
    json_object_begin(&w);
    json_member_text(&w, "type", "about:blank");
    json_member_text(&w, "title", answer_title(status));
    json_member_integer(&w, "status", status);
    json_member_text(&w, "detail", detail);
    if (place) {
        json_member_integer(&w, place, (int64_t)at);
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
    answer_problem(r, status, detail, NULL, 0, headers);
}

void api_send_problem_at(struct httpd_request *r, int status, const char *detail, const char *place,
                         size_t at)
{
    answer_problem(r, status, detail, place, at, NULL);
}

void api_send_unavailable(struct httpd_request *r, const char *detail)
{
    char retry[40];
    snprintf(retry, sizeof retry, "Retry-After: %d\r\n", API_RETRY_AFTER_S);
    answer_problem(r, 503, detail, NULL, 0, retry);
}

void api_write_id(struct json_writer *w, const char *key, const char *kind, uint64_t id)
{
    char shown[ID_SHOWN_LEN + 1];
    if (key) {
        json_key(w, str_from(key));
    }
    json_string(w, id_show(shown, kind, id));
}
