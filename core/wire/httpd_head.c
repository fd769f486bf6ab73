#include "wire/httpd_head.h"

#include <llhttp.h>

enum { LENGTH_DIGITS_MAX = 18 };

// TOKEN: RFC 9110 5.6.2. TEXT: what a field value may hold (HTAB, SP, VCHAR, obs-text). TARGET: RFC
// 3986 path and query, with the brackets that clients leave as they are.
enum { TOKEN = 1, TEXT = 2, TARGET = 4, ALL = TOKEN | TEXT | TARGET };

static const unsigned char CLASS[256] = {
    ['\t'] = TEXT,
    [' '] = TEXT,
    ['!'] = ALL,
    ['"'] = TEXT,
    ['#'] = TEXT | TOKEN,
    ['$' ... '\''] = ALL,
    ['(' ... ')'] = TEXT | TARGET,
    ['*' ... '+'] = ALL,
    [','] = TEXT | TARGET,
    ['-' ... '.'] = ALL,
    ['/'] = TEXT | TARGET,
    ['0' ... '9'] = ALL,
    [':' ... ';'] = TEXT | TARGET,
    ['<'] = TEXT,
    ['='] = TEXT | TARGET,
    ['>'] = TEXT,
    ['?' ... '@'] = TEXT | TARGET,
    ['A' ... 'Z'] = ALL,
    ['['] = TEXT | TARGET,
    ['\\'] = TEXT,
    [']'] = TEXT | TARGET,
    ['^'] = TEXT | TOKEN,
    ['_'] = ALL,
    ['`'] = TEXT | TOKEN,
    ['a' ... 'z'] = ALL,
    ['{'] = TEXT,
    ['|'] = TEXT | TOKEN,
    ['}'] = TEXT,
    ['~'] = ALL,
    [0x80 ... 0xff] = TEXT,
};

static const char BAD_METHOD[] = "The request line must begin with a method in capital letters.";

static size_t span(struct str s, size_t at, unsigned char class)
{
    while (at < s.len && (CLASS[(unsigned char)s.data[at]] & class)) {
        at++;
    }
    return at;
}

bool httpd_is_token_char(unsigned char c)
{
    return CLASS[c] & TOKEN;
}

static bool refuse(struct httpd_refusal *why, int status, const char *detail)
{
    *why = (struct httpd_refusal){status, detail};
    return false;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool check_target(struct str target, struct httpd_refusal *why)
{
    if (target.len == 0 || target.data[0] != '/') {
        return refuse(why, 400, "The request target must be a path (RFC 9112 3.2.1).");
    }
    if (span(target, 0, TARGET) != target.len) {
        return refuse(why, 400, "A character in the request target must be percent-encoded.");
    }
    for (size_t i = 0; i < target.len; i++) {
        if (target.data[i] == '%' &&
            (target.len - i < 3 || !is_hex(target.data[i + 1]) || !is_hex(target.data[i + 2]))) {
            return refuse(why, 400,
                          "A '%' in the request target is not followed by two hex digits.");
        }
    }
    return true;
}

// method SP request-target SP HTTP-version, with exactly these two spaces (RFC 9112 3).
static bool check_request_line(struct str line, struct httpd_refusal *why)
{
    size_t method = 0;
    while (method < line.len && ((line.data[method] >= 'A' && line.data[method] <= 'Z') ||
                                 (line.data[method] == '-' && method > 0))) {
        method++;
    }
    if (method == 0 || method == line.len || line.data[method] != ' ') {
        return refuse(why, 400, BAD_METHOD);
    }
    struct str rest = {line.data + method + 1, line.len - method - 1};
    const char *space = memchr(rest.data, ' ', rest.len);
    struct str version = {space ? space + 1 : NULL,
                          space ? rest.len - (size_t)(space + 1 - rest.data) : 0};
    if (version.len != 8 || memcmp(version.data, "HTTP/", 5) != 0 || version.data[5] < '0' ||
        version.data[5] > '9' || version.data[6] != '.' || version.data[7] < '0' ||
        version.data[7] > '9') {
        return refuse(why, 400, "The request line must be METHOD SP TARGET SP HTTP/1.1.");
    }
    if (version.data[5] != '1' || version.data[7] > '1') {
        return refuse(why, 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
    }
    return check_target((struct str){rest.data, (size_t)(space - rest.data)}, why);
}

static bool check_header_line(struct str line, struct httpd_refusal *why)
{
    if (line.data[0] == ' ' || line.data[0] == '\t') {
        return refuse(why, 400,
                      "A header line begins with a space: folded lines are not accepted.");
    }
    size_t name = span(line, 0, TOKEN);
    if (name == line.len || line.data[name] != ':') {
        bool is_space =
            name > 0 && name < line.len && (line.data[name] == ' ' || line.data[name] == '\t');
        return refuse(why, 400,
                      is_space ? "A space stands between a header's name and its colon."
                               : "A header's name holds a character that it may not hold.");
    }
    if (name == 0) {
        return refuse(why, 400, "A header has no name.");
    }
    if (span(line, name + 1, TEXT) != line.len) {
        return refuse(why, 400, "A header's value holds a control character.");
    }
    return true;
}

// What cannot be HTTP (a TLS handshake, say) is not waited for until its line ends.
static bool check_first_byte(const struct httpd_head_scan *s, const char *data, size_t len,
                             struct httpd_refusal *why)
{
    bool may_begin = s->line_count > 0 || len <= s->start || data[s->start] == '\r' ||
                     (data[s->start] >= 'A' && data[s->start] <= 'Z');
    return may_begin || refuse(why, 400, BAD_METHOD);
}

enum httpd_head_state httpd_head_scan(struct httpd_head_scan *s, const char *data, size_t len,
                                      size_t *end, struct httpd_refusal *why)
{
    if (!check_first_byte(s, data, len, why)) {
        return HTTPD_HEAD_REFUSED;
    }
    const char *lf;
    while (s->searched < len && (lf = memchr(data + s->searched, '\n', len - s->searched))) {
        size_t at = (size_t)(lf - data);
        if (at == s->line_start || data[at - 1] != '\r') {
            refuse(why, 400, "A line ends with LF alone, not with CR LF.");
            return HTTPD_HEAD_REFUSED;
        }
        struct str line = {data + s->line_start, at - 1 - s->line_start};
        s->line_start = s->searched = at + 1;
        bool is_good;
        if (line.len == 0 && s->line_count > 0) {
            *end = at + 1;
            return HTTPD_HEAD_COMPLETE;
        } else if (line.len == 0 && s->start == 0) {
            s->start = at + 1;
            is_good = check_first_byte(s, data, len, why);
        } else if (s->line_count++ == 0) {
            is_good = check_request_line(line, why);
        } else {
            is_good = check_header_line(line, why);
        }
        if (!is_good) {
            return HTTPD_HEAD_REFUSED;
        }
    }
    s->searched = len;
    return HTTPD_HEAD_PARTIAL;
}

// --- what the headers say -----------------------------------------------------------------------

struct parse {
    struct httpd_head *head;
    struct str name;
    struct str value;
    unsigned host_count, length_count, coding_count;
    struct httpd_refusal *why;
};

// A member of a comma-separated list (RFC 9110 5.6.1), any case.
static bool list_holds(struct str list, struct str word)
{
    while (list.len > 0) {
        const char *comma = memchr(list.data, ',', list.len);
        size_t len = comma ? (size_t)(comma - list.data) : list.len;
        if (str_eq_nocase(str_trim((struct str){list.data, len}), word)) {
            return true;
        }
        len += comma != NULL;
        list = (struct str){list.data + len, list.len - len};
    }
    return false;
}

static bool take_length(struct parse *p, struct str value)
{
    uint64_t length = 0;
    if (p->length_count++ > 0) {
        return refuse(p->why, 400, "Content-Length is there twice.");
    }
    if (value.len == 0 || value.len > LENGTH_DIGITS_MAX) {
        return refuse(p->why, 400, "Content-Length is not a number.");
    }
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') {
            return refuse(p->why, 400, "Content-Length is not a number.");
        }
        length = length * 10 + (uint64_t)(value.data[i] - '0');
    }
    p->head->content_length = length;
    return true;
}

static bool take_header(struct parse *p)
{
    struct httpd_head *h = p->head;
    struct str value = str_trim(p->value);
    switch (p->name.len) {
    case 4:
        if (str_eq_nocase(p->name, STR("host"))) {
            p->host_count++;
            if (span(value, 0, TARGET) != value.len ||
                (value.len && memchr(value.data, '/', value.len)) ||
                (value.len && memchr(value.data, '@', value.len)) ||
                (value.len && memchr(value.data, ',', value.len))) {
                return refuse(p->why, 400, "Host is not a host and a port.");
            }
        }
        break;
    case 6:
        if (str_eq_nocase(p->name, STR("expect")) && h->is_http_1_1) {
            if (!str_eq_nocase(value, STR("100-continue"))) {
                return refuse(p->why, 417, "Only 'Expect: 100-continue' is known here.");
            }
            h->expects_continue = true;
        }
        break;
    case 10:
        if (str_eq_nocase(p->name, STR("connection"))) {
            h->wants_close |= list_holds(value, STR("close"));
            h->wants_keep_alive |= list_holds(value, STR("keep-alive"));
        }
        break;
    case 14:
        if (str_eq_nocase(p->name, STR("content-length"))) {
            return take_length(p, value);
        }
        break;
    case 17:
        if (str_eq_nocase(p->name, STR("transfer-encoding"))) {
            if (p->coding_count++ > 0 || !str_eq_nocase(value, STR("chunked"))) {
                return refuse(p->why, 400, "Transfer-Encoding must be 'chunked', once.");
            }
            h->is_chunked = true;
        }
        break;
    default:
        break;
    }
    return true;
}

static bool check_framing(const struct parse *p)
{
    const struct httpd_head *h = p->head;
    if (p->host_count > 1 || (p->host_count == 0 && h->is_http_1_1)) {
        return refuse(p->why, 400, "Exactly one Host header is needed.");
    }
    if (h->is_chunked && p->length_count > 0) {
        return refuse(p->why, 400, "Content-Length and Transfer-Encoding are both there.");
    }
    if (h->is_chunked && !h->is_http_1_1) {
        return refuse(p->why, 400, "Transfer-Encoding is not part of HTTP/1.0.");
    }
    return true;
}

// --- llhttp -------------------------------------------------------------------------------------

// A span may be handed over in pieces that follow each other.
static void extend(struct str *s, const char *at, size_t length)
{
    s->data = s->data ? s->data : at;
    s->len = (size_t)(at - s->data) + length;
}

static int on_method(llhttp_t *parser, const char *at, size_t length)
{
    struct parse *p = parser->data;
    extend(&p->head->method, at, length);
    return 0;
}

static int on_url(llhttp_t *parser, const char *at, size_t length)
{
    struct parse *p = parser->data;
    extend(&p->head->path, at, length);
    return 0;
}

static int on_version_complete(llhttp_t *parser)
{
    struct parse *p = parser->data;
    p->head->is_http_1_1 = parser->http_minor == 1;
    return 0;
}

static int on_header_field(llhttp_t *parser, const char *at, size_t length)
{
    struct parse *p = parser->data;
    extend(&p->name, at, length);
    return 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t length)
{
    struct parse *p = parser->data;
    extend(&p->value, at, length);
    return 0;
}

static int on_header_value_complete(llhttp_t *parser)
{
    struct parse *p = parser->data;
    bool is_good = take_header(p);
    p->name = p->value = (struct str){NULL, 0};
    return is_good ? 0 : HPE_USER;
}

// The body is framed by httpd: llhttp is stopped where the head ends.
static int on_headers_complete(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED;
}

static const llhttp_settings_t SETTINGS = {
    .on_method = on_method,
    .on_url = on_url,
    .on_version_complete = on_version_complete,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_header_value_complete = on_header_value_complete,
    .on_headers_complete = on_headers_complete,
};

static const char *words_of(llhttp_errno_t rc)
{
    switch (rc) {
    case HPE_INVALID_METHOD:
        return "The method is not known.";
    case HPE_UNEXPECTED_CONTENT_LENGTH:
        return "Content-Length is there twice, or beside Transfer-Encoding.";
    case HPE_INVALID_CONTENT_LENGTH:
        return "Content-Length is not a number.";
    case HPE_INVALID_TRANSFER_ENCODING:
        return "Transfer-Encoding must be 'chunked', once, without Content-Length.";
    default:
        return "The head of the request is malformed.";
    }
}

bool httpd_head_parse(struct httpd_head *h, const struct httpd_head_scan *s, const char *data,
                      size_t end, struct httpd_refusal *why)
{
    *h = (struct httpd_head){.method = {NULL, 0}};
    *why = (struct httpd_refusal){0, NULL};
    struct parse p = {.head = h, .why = why};
    llhttp_t parser;
    llhttp_init(&parser, HTTP_REQUEST, &SETTINGS);
    parser.data = &p;
    llhttp_errno_t rc = llhttp_execute(&parser, data + s->start, end - s->start);
    h->is_head = str_eq(h->method, STR("HEAD"));
    if (why->status != 0) {
        return false;
    }
    if (rc != HPE_PAUSED || !h->path.data) {
        return refuse(why, 400, words_of(rc));
    }
    const char *query = memchr(h->path.data, '?', h->path.len);
    if (query) {
        h->query = (struct str){query + 1, h->path.len - (size_t)(query + 1 - h->path.data)};
        h->path.len = (size_t)(query - h->path.data);
    }
    const char *lines = memchr(h->path.data, '\n', (size_t)(data + end - h->path.data));
    h->lines = (struct str){lines + 1, (size_t)(data + end - (lines + 1)) - 2};
    return check_framing(&p);
}

struct str httpd_head_find(const struct httpd_head *h, const char *name)
{
    struct str wanted = str_from(name);
    struct str rest = h->lines;
    while (rest.len > 0) {
        size_t len = (size_t)((const char *)memchr(rest.data, '\n', rest.len) - rest.data) + 1;
        if (len > wanted.len && rest.data[wanted.len] == ':' &&
            str_eq_nocase((struct str){rest.data, wanted.len}, wanted)) {
            return str_trim((struct str){rest.data + wanted.len + 1, len - wanted.len - 3});
        }
        rest = (struct str){rest.data + len, rest.len - len};
    }
    return (struct str){NULL, 0};
}
