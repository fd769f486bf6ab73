#include "encode/head.h"

#include <stdio.h>

#include "encode/percent.h"
#include "encode/url.h"

enum { METHOD_MAX = 16, SHOWN_MAX = 80 };

// At most so much of a text that is not right is shown in a message.
static int shown_len(struct str s)
{
    return s.len < SHOWN_MAX ? (int)s.len : SHOWN_MAX;
}

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool is_token_char(char c)
{
    return is_letter_or_digit(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7F;
}

static bool is_hosts_own(struct str name)
{
    static const char *const NAMES[] = {
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "upgrade",
        "expect",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "hookline-depth",
        "hookline-original-url",
    };
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (str_eq_nocase(name, str_from(NAMES[i]))) {
            return true;
        }
    }
    return false;
}

int head_check_name(struct str name, struct err *e)
{
    if (name.len == 0) {
        return err_set(e, ERR_INVALID, "a header has no name");
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        if (c == ' ') {
            return err_set(
                e, ERR_INVALID,
                "the header name \"%.*s\" has a space inside, which HTTP does not allow; "
                "write '-' in its place",
                shown_len(name), name.data);
        }
        if (is_control(c)) {
            return err_set(e, ERR_INVALID, "a header name has a control character (0x%02x)",
                           (unsigned char)c);
        }
        if (!is_token_char(c)) {
            return err_set(e, ERR_INVALID,
                           "the header name \"%.*s\" has a character that HTTP does not allow "
                           "there (byte %zu); a name is of letters, digits and !#$%%&'*+-.^_`|~",
                           shown_len(name), name.data, i);
        }
    }
    if (is_hosts_own(name)) {
        return err_set(e, ERR_REFUSED, "the header %.*s is set by the host itself; leave it out",
                       shown_len(name), name.data);
    }
    return 0;
}

int head_check_value(struct str value, struct err *e)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        if (is_control(c)) {
            const char *what = c == '\n' || c == '\r' ? "line break"
                               : c == '\t'            ? "tab"
                                                      : "control character";
            return err_set(e, ERR_INVALID, "a header's value has a %s (0x%02x) at byte %zu", what,
                           (unsigned char)c, i);
        }
    }
    return 0;
}

static int check_method(struct str method, struct err *e)
{
    bool is_right = method.len > 0 && method.len <= METHOD_MAX;
    for (size_t i = 0; is_right && i < method.len; i++) {
        is_right = method.data[i] >= 'A' && method.data[i] <= 'Z';
    }
    return is_right ? 0
                    : err_set(e, ERR_INVALID, "\"%.*s\" is no method; write one like POST",
                              shown_len(method), method.data);
}

static int check_url(struct str url, struct err *e)
{
    struct url parts;
    return url_parse(url, &parts, e);
}

// A secret's name is a file's name too.
static int check_secret_name(struct str name, struct err *e)
{
    bool is_right = name.len > 0 && name.data[0] != '.';
    for (size_t i = 0; is_right && i < name.len; i++) {
        is_right = is_letter_or_digit(name.data[i]) || strchr("_-.", name.data[i]);
        is_right = is_right && name.data[i] != '\0';
    }
    return is_right ? 0
                    : err_set(e, ERR_INVALID,
                              "\"%.*s\" is no name of a secret; it is of letters, digits, '_', '-' "
                              "and '.', and does not begin with '.'",
                              shown_len(name), name.data);
}

static int check_user(struct str user, struct err *e)
{
    if (user.len > 0 && memchr(user.data, ':', user.len)) {
        // RFC 7617: the first colon ends the user.
        return err_set(e, ERR_INVALID, "the user of basic auth has a colon in it");
    }
    for (size_t i = 0; i < user.len; i++) {
        if (is_control(user.data[i])) {
            return err_set(e, ERR_INVALID, "the user of basic auth has a control character");
        }
    }
    return 0;
}

static int check_query_key(struct str key, struct err *e)
{
    if (key.len == 0) {
        return err_set(e, ERR_INVALID, "a secret's query parameter has no name");
    }
    for (size_t i = 0; i < key.len; i++) {
        if (is_control(key.data[i])) {
            return err_set(e, ERR_INVALID, "a secret's query parameter has a control character");
        }
    }
    return 0;
}

// What stands in the head as it is given: no space and nothing that breaks a line.
static int check_form(struct str form, struct err *e)
{
    for (size_t i = 0; i < form.len; i++) {
        if (is_control(form.data[i]) || form.data[i] == ' ') {
            return err_set(e, ERR_INVALID, "the parameters for a token are no form");
        }
    }
    return 0;
}

static int check_header(struct str name, struct str value, struct err *e)
{
    int rc = head_check_name(name, e);
    if (rc != 0) {
        return rc;
    }
    rc = head_check_value(value, e);
    if (rc != 0) {
        err_context(e, "%.*s", shown_len(name), name.data);
    }
    return rc;
}

// The texts of a signature are percent-encoded in the head, so nothing of them can break its line;
// their headers are looked at when the line is made.
static int check_secret(const struct head_secret *s, struct err *e)
{
    int rc = check_secret_name(s->secret, e);
    if (rc != 0) {
        return rc;
    }
    switch (s->kind) {
    case HEAD_SECRET_BASIC:
        return check_user(s->key, e);
    case HEAD_SECRET_HEADER:
        return check_header(s->key, s->prefix, e);
    case HEAD_SECRET_QUERY:
        return check_query_key(s->key, e);
    case HEAD_SECRET_SIGN:
    case HEAD_SECRET_HMAC:
        return 0;
    case HEAD_SECRET_OAUTH2:
        rc = s->key.len ? check_url(s->token_url, e)
                        : err_set(e, ERR_INVALID, "the client has no id");
        return rc != 0 ? rc : check_form(s->form, e);
    }
    return err_set(e, ERR_INVALID, "a secret of no known kind");
}

// Appends the pieces of one line and the line feed, all or nothing.
static int put_line(struct buf *out, const struct str *pieces, size_t count, struct err *e)
{
    size_t len = 1;
    for (size_t i = 0; i < count; i++) {
        len += pieces[i].len;
    }
    if (!buf_reserve(out, len)) {
        return err_set(e, (enum err_code)out->failed,
                       out->failed == ERR_NOMEM ? "out of memory"
                                                : "the request's head is too large");
    }
    for (size_t i = 0; i < count; i++) {
        buf_append_str(out, pieces[i]);
    }
    return buf_append_char(out, '\n');
}

int head_write_start(struct buf *out, struct str method, struct str url, struct err *e)
{
    int rc = check_method(method, e);
    rc = rc != 0 ? rc : check_url(url, e);
    return rc != 0 ? rc : put_line(out, (struct str[]){method, STR(" "), url}, 3, e);
}

int head_write_header(struct buf *out, struct str name, struct str value, struct err *e)
{
    struct str trimmed = str_trim(value);
    int rc = check_header(name, trimmed, e);
    return rc != 0 ? rc : put_line(out, (struct str[]){name, STR(": "), trimmed}, 3, e);
}

static int write_hmac(struct buf *out, const struct head_secret *s, struct err *e)
{
    int rc = check_header(s->key, s->value, e);
    if (rc == 0 && s->timestamp.len) {
        rc = head_check_name(s->timestamp, e);
    }
    if (rc != 0) {
        return rc;
    }
    struct buf line;
    buf_init(&line, HEAD_BYTES_MAX);
    const struct str texts[] = {s->key, s->timestamp, s->signed_text, s->value};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        buf_append_char(&line, ' ');
        percent_encode(&line, texts[i]);
    }
    struct str kind = s->is_base64 ? STR(" base64") : STR(" hex");
    rc = line.failed
             ? err_set(e, (enum err_code)line.failed, "the signature's texts are too large")
             : put_line(out, (struct str[]){STR(":hmac "), s->secret, kind, buf_str(&line)}, 4, e);
    buf_fini(&line);
    return rc;
}

static int write_oauth2(struct buf *out, const struct head_secret *s, struct err *e)
{
    struct buf id;
    buf_init(&id, HEAD_OAUTH2_BYTES_MAX);
    percent_encode(&id, s->key);
    if (id.failed ||
        s->secret.len + id.len + s->token_url.len + s->form.len + 16 > HEAD_OAUTH2_BYTES_MAX) {
        buf_fini(&id);
        return err_set(e, ERR_INVALID,
                       "what says how a token is got is larger than %d KiB: client_id, token_url, "
                       "scope and params together",
                       HEAD_OAUTH2_BYTES_MAX / 1024);
    }
    struct str place = s->is_in_body ? STR(" body ") : STR(" basic ");
    int rc = put_line(out,
                      (struct str[]){STR(":oauth2 "), s->secret, place, buf_str(&id), STR(" "),
                                     s->token_url, STR(" "), s->form},
                      8, e);
    buf_fini(&id);
    return rc;
}

int head_write_secret(struct buf *out, const struct head_secret *s, struct err *e)
{
    int rc = check_secret(s, e);
    if (rc != 0) {
        return rc;
    }
    switch (s->kind) {
    case HEAD_SECRET_BASIC:
        return put_line(out, (struct str[]){STR(":basic "), s->secret, STR(" "), s->key}, 4, e);
    case HEAD_SECRET_QUERY:
        return put_line(out, (struct str[]){STR(":query "), s->secret, STR(" "), s->key}, 4, e);
    case HEAD_SECRET_SIGN:
        return put_line(out, (struct str[]){STR(":sign "), s->secret}, 2, e);
    case HEAD_SECRET_HMAC:
        return write_hmac(out, s, e);
    case HEAD_SECRET_OAUTH2:
        return write_oauth2(out, s, e);
    case HEAD_SECRET_HEADER:
        break;
    }
    return put_line(
        out, (struct str[]){STR(":header "), s->secret, STR(" "), s->key, STR(": "), s->prefix}, 6,
        e);
}

int head_write_depth(struct buf *out, unsigned depth, struct err *e)
{
    char text[16];
    snprintf(text, sizeof text, "%u", depth);
    return put_line(out, (struct str[]){STR(":depth "), str_from(text)}, 2, e);
}

int head_write_trace(struct buf *out, struct str text, struct err *e)
{
    return put_line(out, (struct str[]){STR(":trace "), text}, 2, e);
}

// Takes what stands before `mark` off the front of *rest, and the mark too.
static bool take_until(struct str *rest, struct str mark, struct str *part)
{
    const char *at = rest->len > 0 ? memmem(rest->data, rest->len, mark.data, mark.len) : NULL;
    if (!at) {
        return false;
    }
    *part = (struct str){rest->data, (size_t)(at - rest->data)};
    size_t taken = part->len + mark.len;
    *rest = (struct str){rest->data + taken, rest->len - taken};
    return true;
}

static int parse_start(struct str line, struct head *out, struct err *e)
{
    if (!take_until(&line, STR(" "), &out->method)) {
        return err_set(e, ERR_INVALID, "the first line is not a method and a URL");
    }
    out->url = line;
    int rc = check_method(out->method, e);
    return rc != 0 ? rc : check_url(out->url, e);
}

static int parse_header(struct str line, struct head *out, struct err *e)
{
    if (out->header_count == HEAD_HEADERS_MAX) {
        return err_set(e, ERR_TOO_LARGE, "more than %d headers", HEAD_HEADERS_MAX);
    }
    struct head_header h;
    if (!take_until(&line, STR(": "), &h.name)) {
        return err_set(e, ERR_INVALID, "a line is no header");
    }
    h.value = line;
    if (str_trim(h.value).len != h.value.len) {
        return err_set(e, ERR_INVALID, "a header's value has a space at one of its ends");
    }
    out->headers[out->header_count++] = h;
    return check_header(h.name, h.value, e);
}

static bool parse_hmac(struct str line, struct head_secret *s)
{
    struct str encoding;
    bool is_whole =
        take_until(&line, STR(" "), &encoding) && take_until(&line, STR(" "), &s->key) &&
        take_until(&line, STR(" "), &s->timestamp) && take_until(&line, STR(" "), &s->signed_text);
    s->value = line;
    s->is_base64 = str_eq(encoding, STR("base64"));
    return is_whole && s->key.len && (s->is_base64 || str_eq(encoding, STR("hex")));
}

static bool parse_oauth2(struct str line, struct head_secret *s)
{
    struct str place;
    bool is_whole = line.len <= HEAD_OAUTH2_BYTES_MAX && take_until(&line, STR(" "), &place) &&
                    take_until(&line, STR(" "), &s->key) &&
                    take_until(&line, STR(" "), &s->token_url);
    s->form = line;
    s->is_in_body = str_eq(place, STR("body"));
    return is_whole && (s->is_in_body || str_eq(place, STR("basic")));
}

static int parse_secret(struct str line, struct head *out, struct err *e)
{
    static const struct str KINDS[] = {
        [HEAD_SECRET_BASIC] = {":basic", 6}, [HEAD_SECRET_HEADER] = {":header", 7},
        [HEAD_SECRET_QUERY] = {":query", 6}, [HEAD_SECRET_SIGN] = {":sign", 5},
        [HEAD_SECRET_HMAC] = {":hmac", 5},   [HEAD_SECRET_OAUTH2] = {":oauth2", 7},
    };
    if (out->secret_count == HEAD_SECRETS_MAX) {
        return err_set(e, ERR_TOO_LARGE, "more than %d secrets", HEAD_SECRETS_MAX);
    }
    struct head_secret s = {.prefix = {NULL, 0}};
    struct str word;
    bool is_whole = take_until(&line, STR(" "), &word);
    if (is_whole && str_eq(word, KINDS[HEAD_SECRET_SIGN])) {
        s.secret = line;
    } else if (!is_whole || !take_until(&line, STR(" "), &s.secret)) {
        return err_set(e, ERR_INVALID, "a line about a secret is cut short");
    }
    size_t kind = 0;
    while (kind < sizeof KINDS / sizeof *KINDS && !str_eq(word, KINDS[kind])) {
        kind++;
    }
    if (kind == sizeof KINDS / sizeof *KINDS) {
        return err_set(e, ERR_INVALID, "a line about a secret has an unknown kind");
    }
    s.kind = (enum head_secret_kind)kind;
    s.key = line;
    if (s.kind == HEAD_SECRET_HEADER) {
        if (!take_until(&line, STR(": "), &s.key)) {
            return err_set(e, ERR_INVALID, "a line about a secret has no header");
        }
        s.prefix = line;
    }
    if (s.kind == HEAD_SECRET_HMAC && !parse_hmac(line, &s)) {
        return err_set(e, ERR_INVALID, "a line about a signature is cut short");
    }
    if (s.kind == HEAD_SECRET_OAUTH2 && !parse_oauth2(line, &s)) {
        return err_set(e, ERR_INVALID, "a line about a token is cut short");
    }
    out->secrets[out->secret_count++] = s;
    return check_secret(&s, e);
}

static int parse_depth(struct str line, struct head *out, struct err *e)
{
    struct str word;
    int64_t depth;
    if (!take_until(&line, STR(" "), &word) || str_to_int64(line, &depth) || depth < 1 ||
        depth > HEAD_DEPTH_MAX) {
        return err_set(e, ERR_INVALID, "a line about the depth has no such number");
    }
    out->depth = (unsigned)depth;
    return 0;
}

static int parse_trace(struct str line, struct head *out, struct err *e)
{
    struct str word;
    take_until(&line, STR(" "), &word);
    out->trace = trace_split(line);
    return out->trace.parent.len
               ? 0
               : err_set(e, ERR_INVALID, "a line about the trace is not as Trace Context has it");
}

static int parse_line(struct str line, struct head *out, struct err *e)
{
    if (str_starts_with(line, STR(":trace "))) {
        return parse_trace(line, out, e);
    }
    if (str_starts_with(line, STR(":depth "))) {
        return parse_depth(line, out, e);
    }
    return str_starts_with(line, STR(":")) ? parse_secret(line, out, e)
                                           : parse_header(line, out, e);
}

int head_parse(struct str text, struct head *out, struct err *e)
{
    out->header_count = 0;
    out->secret_count = 0;
    out->depth = 1;
    out->trace = (struct trace_context){.parent = {NULL, 0}};
    if (text.len > HEAD_BYTES_MAX) {
        return err_set(e, ERR_TOO_LARGE, "a request head of %zu bytes; %d are allowed", text.len,
                       HEAD_BYTES_MAX);
    }
    struct str line;
    if (!take_until(&text, STR("\n"), &line)) {
        return err_set(e, ERR_INVALID, "a request head has no first line");
    }
    int rc = parse_start(line, out, e);
    while (rc == 0 && text.len > 0) {
        if (!take_until(&text, STR("\n"), &line)) {
            return err_set(e, ERR_INVALID, "a request head's last line has no end");
        }
        rc = parse_line(line, out, e);
    }
    return rc;
}

static struct str find_line(struct str text, struct str mark)
{
    const char *at = text.len ? memmem(text.data, text.len, mark.data, mark.len) : NULL;
    if (at == NULL) {
        return (struct str){NULL, 0};
    }
    at += mark.len;
    size_t left = text.len - (size_t)(at - text.data);
    const char *end = memchr(at, '\n', left);
    return (struct str){at, end ? (size_t)(end - at) : left};
}

struct str head_find_oauth2(struct str text)
{
    return find_line(text, STR("\n:oauth2 "));
}

struct str head_find_trace(struct str text)
{
    return find_line(text, STR("\n:trace "));
}

int head_parse_oauth2(struct str text, struct head_secret *out, struct err *e)
{
    *out = (struct head_secret){.kind = HEAD_SECRET_OAUTH2};
    if (!take_until(&text, STR(" "), &out->secret) || !parse_oauth2(text, out)) {
        return err_set(e, ERR_INVALID, "a line about a token is cut short");
    }
    return check_secret(out, e);
}
