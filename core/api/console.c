// What is served from memory. GET / and /console/*: the console's page, scripts and styles; they
// hold nothing that is to be kept from anybody, so no token is needed, and what the page shows it
// asks the API for. GET /openapi.json: the API's own description.
#include <stdio.h>

#include "api/internal.h"
#include "base/embedded.h"

// Of core/console/, and under lib/ what npm brought.
extern const struct embedded_file embedded_console_files[];
extern const struct embedded_file embedded_openapi_files[];

// The page runs its own files alone, asks its own host alone, and nobody may put it into a frame.
#define CONSOLE_POLICY                                                                             \
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "           \
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "              \
    "frame-ancestors 'none'\r\n"                                                                   \
    "X-Content-Type-Options: nosniff\r\n"                                                          \
    "Referrer-Policy: no-referrer\r\n"                                                             \
    "Cross-Origin-Opener-Policy: same-origin\r\n"

enum { CONSOLE_ETAG_MAX = 24, CONSOLE_HEADERS_MAX = 768 };

static const char *console_type(const char *name)
{
    static const struct {
        const char *ending;
        const char *type;
    } types[] = {{".html", "text/html; charset=utf-8"},
                 {".js", "text/javascript; charset=utf-8"},
                 {".css", "text/css; charset=utf-8"},
                 {".json", "application/json"},
                 {".svg", "image/svg+xml"}};
    struct str whole = str_from(name);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (str_ends_with(whole, str_from(types[i].ending))) {
            return types[i].type;
        }
    }
    return "text/plain; charset=utf-8";
}

static const struct embedded_file *console_find(struct str name)
{
    for (const struct embedded_file *f = embedded_console_files; f->name; f++) {
        if (str_eq(name, str_from(f->name))) {
            return f;
        }
    }
    return NULL;
}

// Browsers keep the files and ask each time whether they are still the same: after an upgrade
// nobody runs half of an old console.
static void console_send(struct httpd_request *r, const struct embedded_file *f,
                         const char *more_headers)
{
    char etag[CONSOLE_ETAG_MAX];
    char headers[CONSOLE_HEADERS_MAX];
    snprintf(etag, sizeof etag, "\"%s\"", f->hash);
    snprintf(headers, sizeof headers, "ETag: %s\r\nCache-Control: no-cache\r\n%s", etag,
             more_headers);
    bool is_known = str_eq(httpd_header(r, "if-none-match"), str_from(etag));
    struct httpd_answer answer = {.status = is_known ? 304 : 200, .extra_headers = headers};
    if (!is_known) {
        answer.content_type = console_type(f->name);
        answer.body = (struct str){f->text, f->len};
    }
    httpd_send(r, &answer);
}

void api_get_console(struct api *a, struct httpd_request *r, struct str id)
{
    (void)a;
    const struct embedded_file *f = console_find(id.len ? id : STR("index.html"));
    if (f) {
        console_send(r, f, CONSOLE_POLICY);
    } else {
        api_send_problem(r, 404, "the console has no such file", NULL);
    }
}

void api_get_openapi(struct api *a, struct httpd_request *r, struct str id)
{
    (void)a;
    (void)id;
    console_send(r, &embedded_openapi_files[0], "");
}
