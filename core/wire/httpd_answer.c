#include "wire/httpd_answer.h"

#include <stdio.h>
#include <time.h>

static const char *status_title(int status)
{
    static const struct {
        int status;
        const char *title;
    } titles[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
        {507, "Insufficient Storage"},
    };
    for (size_t i = 0; i < sizeof titles / sizeof titles[0]; i++) {
        if (titles[i].status == status) {
            return titles[i].title;
        }
    }
    return "Status";
}

void httpd_date_update(struct httpd_date *d, int64_t wall_ms)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int64_t second = wall_ms / 1000;
    if (d->text[0] && d->second == second) {
        return;
    }
    time_t when = (time_t)second;
    struct tm tm;
    gmtime_r(&when, &tm);
    // Not strftime: the names are English whatever the locale.
    snprintf(d->text, sizeof d->text, "%s, %02u %s %04u %02u:%02u:%02u GMT", days[tm.tm_wday],
             (unsigned)tm.tm_mday % 100, months[tm.tm_mon], (unsigned)(tm.tm_year + 1900) % 10000,
             (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
    d->second = second;
}

bool httpd_status_has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

static void append_number(struct buf *out, size_t number)
{
    char digits[24];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    buf_append(out, digits + at, sizeof digits - at);
}

void httpd_answer_head(struct buf *out, const struct httpd_answer *a, const char *date,
                       enum httpd_connection connection, enum httpd_framing framing)
{
    buf_append_str(out, STR("HTTP/1.1 "));
    append_number(out, (size_t)a->status);
    buf_append_char(out, ' ');
    buf_append_text(out, status_title(a->status));
    buf_append_str(out, STR("\r\nDate: "));
    buf_append_text(out, date);
    buf_append_str(out, STR("\r\nServer: hookline\r\n"));
    if (a->content_type) {
        buf_append_str(out, STR("Content-Type: "));
        buf_append_text(out, a->content_type);
        buf_append_str(out, STR("\r\n"));
    }
    if (framing == HTTPD_FRAMING_CHUNKED) {
        buf_append_str(out, STR("Transfer-Encoding: chunked\r\n"));
    } else if (framing == HTTPD_FRAMING_LENGTH && httpd_status_has_body(a->status)) {
        buf_append_str(out, STR("Content-Length: "));
        append_number(out, a->body.len);
        buf_append_str(out, STR("\r\n"));
    }
    if (connection == HTTPD_CONNECTION_CLOSE) {
        buf_append_str(out, STR("Connection: close\r\n"));
    } else if (connection == HTTPD_CONNECTION_KEEP) {
        buf_append_str(out, STR("Connection: keep-alive\r\n"));
    }
    if (a->extra_headers) {
        buf_append_text(out, a->extra_headers);
    }
    buf_append_str(out, STR("\r\n"));
}

void httpd_answer_problem(struct buf *out, int status, const char *detail)
{
    buf_printf(out, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\"}\n",
               status_title(status), status, detail);
}
