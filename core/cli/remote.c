#include "cli/remote.h"

#include <stdlib.h>

#include "base/file.h"
#include "cli/caller.h"
#include "encode/url.h"
#include "engine/folder.h"

enum {
    ANSWER_MAX_BYTES = 64 * 1024 * 1024,
    TIMEOUT_MS = 120 * 1000,
    PATH_LEN_MAX = 4096,
    TREE_MAX_BYTES = 1024 * 1024,
    URL_MAX_BYTES = 64 * 1024,
    HEADERS_MAX = 2,
    SILENCE_MS = 45 * 1000, // of a stream, which says something at least every 15 s
};

struct remote {
    struct caller caller;
    struct netblock everywhere[2]; // the host of our own is nearly always on a loopback address
    struct buf url;                // scheme, host and port, or unix:PATH
    struct buf authorization;      // "Bearer ...", empty: no token
    struct buf body;               // of the last answer
    char data_dir[PATH_LEN_MAX];
    char key_path[PATH_LEN_MAX + 32];
    char unix_path[PATH_LEN_MAX]; // of url; empty: none
    bool is_own;                  // the host of the data folder
    bool is_elsewhere;            // named by --url or HOOKLINE_URL
    // of the call under way:
    struct remote_answer *answer;
    struct err *err;
    int code;
    struct { // where it is a stream
        struct remote_answer answer;
        struct err why;
        bool (*on_piece)(void *ctx, struct str piece);
        void (*on_done)(void *ctx, int code, const struct remote_answer *answer,
                        const struct err *why);
        void *ctx;
    } stream;
};

static const char *environment_text(const struct invocation *in, const char *name)
{
    size_t len = strlen(name);

    for (char *const *p = in->environment; p && *p; p++)
        if (strncmp(*p, name, len) == 0 && (*p)[len] == '=' && (*p)[len + 1])
            return *p + len + 1;
    return NULL;
}

static const char *setting(const struct invocation *in, const char *option, const char *variable)
{
    const char *given = options_text(&in->options, option);

    return given ? given : environment_text(in, variable);
}

// DATA/NAME without the space at its end, appended to out. 0 or an error.
static int read_data_file(const char *data_dir, const char *name, struct buf *out)
{
    char path[PATH_LEN_MAX + 32];
    char *text;
    size_t len;
    int code;

    snprintf(path, sizeof(path), "%s/%s", data_dir, name);
    code = file_read(path, FOLDER_FILE_MAX_BYTES, &text, &len, NULL);
    if (code)
        return code;
    while (len && (text[len - 1] == '\n' || text[len - 1] == '\r' || text[len - 1] == ' '))
        len--;
    code = buf_append(out, text, len);
    free(text);
    return code;
}

// The first of the lines as a URL to call: "all addresses" is nowhere one can connect to.
static void append_connectable(struct buf *out, struct str lines)
{
    static const struct {
        struct str from, to;
    } anywhere[] = {{STR("0.0.0.0:"), STR("127.0.0.1:")}, {STR("[::]:"), STR("[::1]:")}};
    const char *end = memchr(lines.data, '\n', lines.len);
    struct str s = {lines.data, end ? (size_t)(end - lines.data) : lines.len};
    struct str scheme = str_starts_with(s, STR("https://")) ? STR("https://") : STR("http://");

    if (str_starts_with(s, STR("unix:"))) {
        buf_append_str(out, s);
        return;
    }
    buf_append_str(out, scheme);
    if (str_starts_with(s, scheme))
        s = (struct str){s.data + scheme.len, s.len - scheme.len};
    for (size_t i = 0; i < sizeof(anywhere) / sizeof(anywhere[0]); i++)
        if (str_starts_with(s, anywhere[i].from)) {
            buf_append_str(out, anywhere[i].to);
            s = (struct str){s.data + anywhere[i].from.len, s.len - anywhere[i].from.len};
        }
    buf_append_str(out, s);
}

// The URL to call for the address that the host of the data folder listens on.
static int own_url(const char *data_dir, struct buf *out)
{
    struct buf address;
    struct str s;
    int code;

    buf_init(&address, PATH_LEN_MAX);
    code = read_data_file(data_dir, "address", &address);
    s = buf_str(&address);
    if (code == 0) {
        append_connectable(out, s);
        code = out->failed;
    }
    buf_fini(&address);
    return code;
}

static int find_host(struct remote *r, const struct invocation *in, struct err *e)
{
    const char *url = setting(in, "url", "HOOKLINE_URL");
    const char *token = setting(in, "token", "HOOKLINE_TOKEN");
    struct buf own;
    struct url parsed;
    int code = 0;

    buf_init(&own, PATH_LEN_MAX);
    if (own_url(r->data_dir, &own) != 0)
        buf_reset(&own);
    r->is_elsewhere = url != NULL;
    if (!url && !own.len) {
        code = err_set(
            e, ERR_NOT_FOUND,
            "no host is running on the data folder %s: start one with: hookline serve --data "
            "%s (or name one elsewhere with --url and --token)",
            r->data_dir, r->data_dir);
        goto out;
    }
    buf_append_str(&r->url, url ? str_from(url) : buf_str(&own));
    while (r->url.len && r->url.data[r->url.len - 1] == '/')
        r->url.len--;
    // A NUL behind the end, for those who want it as a text.
    if (buf_append_char(&r->url, '\0') == 0)
        r->url.len--;
    if (str_starts_with(buf_str(&r->url), STR("unix:")))
        snprintf(r->unix_path, sizeof(r->unix_path), "%s", r->url.data + strlen("unix:"));
    else
        code = url_parse(buf_str(&r->url), &parsed, e);
    if (code) {
        err_context(e, url ? "the host's URL" : "DATA/address");
        goto out;
    }
    r->is_own = str_eq(buf_str(&r->url), buf_str(&own));
    buf_append_text(&r->authorization, "Bearer ");
    if (token)
        buf_append_text(&r->authorization, token);
    // The token of the data folder is for its own host: another one never gets to see it.
    else if (r->is_own)
        read_data_file(r->data_dir, "admin.token", &r->authorization);
    if (r->authorization.len == strlen("Bearer "))
        buf_reset(&r->authorization);
out:
    buf_fini(&own);
    return code;
}

// Its own host is known by its key: the certificate is made for the name that others call it by.
static void find_trust(struct remote *r, const struct invocation *in, struct client_config *config)
{
    config->ca_file = setting(in, "ca", "HOOKLINE_CA");
    snprintf(r->key_path, sizeof(r->key_path), "%s/address.pem", r->data_dir);
    if (!config->ca_file && r->is_own)
        config->key_file = r->key_path;
    config->unix_path = *r->unix_path ? r->unix_path : NULL;
}

int remote_open(struct remote **out, const struct invocation *in, const struct config *c,
                struct err *e)
{
    struct remote *r = calloc(1, sizeof(*r));
    struct client_config config = {.max_response_bytes = ANSWER_MAX_BYTES};
    int code;

    *out = NULL;
    if (!r)
        return err_set(e, ERR_NOMEM, "out of memory");
    buf_init(&r->url, PATH_LEN_MAX);
    buf_init(&r->authorization, PATH_LEN_MAX);
    buf_init(&r->body, ANSWER_MAX_BYTES);
    snprintf(r->data_dir, sizeof(r->data_dir), "%s", c->data_dir);
    netblock_parse(STR("0.0.0.0/0"), &r->everywhere[0], NULL);
    netblock_parse(STR("::/0"), &r->everywhere[1], NULL);
    config.allow = r->everywhere;
    config.allow_count = 2;
    code = find_host(r, in, e);
    if (code == 0)
        find_trust(r, in, &config);
    if (code == 0)
        code = caller_open(&r->caller, &config, e);
    if (code)
        remote_close(r);
    else
        *out = r;
    return code;
}

void remote_close(struct remote *r)
{
    if (!r)
        return;
    caller_close(&r->caller);
    if (r->authorization.data)
        explicit_bzero(r->authorization.data, r->authorization.cap);
    buf_fini(&r->authorization);
    buf_fini(&r->url);
    buf_fini(&r->body);
    free(r);
}

int remote_look_again(struct remote *r, const struct invocation *in)
{
    struct buf url = r->url;
    struct buf authorization = r->authorization;
    struct err e = {0};
    int code;

    if (*r->unix_path)
        return 0; // a Unix socket stays where it is, and the client is bound to it
    buf_init(&r->url, PATH_LEN_MAX);
    buf_init(&r->authorization, PATH_LEN_MAX);
    code = find_host(r, in, &e);
    if (code == 0 && *r->unix_path) {
        *r->unix_path = '\0';
        code = ERR_NOT_FOUND; // another listener by now: the client cannot go there
    }
    buf_fini(code ? &r->url : &url);
    buf_fini(code ? &r->authorization : &authorization);
    if (code) {
        r->url = url;
        r->authorization = authorization;
    }
    return code;
}

struct loop *remote_loop(struct remote *r)
{
    return r->caller.loop;
}

static int no_answer(const struct remote *r, const struct client_response *a, struct err *e)
{
    if (a->error == CLIENT_CONNECT && !r->is_elsewhere)
        return err_set(e, ERR_IO,
                       "no host answers on " STR_FMT
                       " (from %s/address): start it with: hookline serve "
                       "--data %s",
                       STR_ARG(buf_str(&r->url)), r->data_dir, r->data_dir);
    return err_set(e, ERR_IO, "no answer from " STR_FMT " (%s): %s%s", STR_ARG(buf_str(&r->url)),
                   client_error_word(a->error), a->detail,
                   a->error == CLIENT_TLS ? " (--ca FILE names whose certificates to trust)" : "");
}

static void on_done(void *ctx, const struct client_response *a)
{
    struct remote *r = ctx;

    if (a->error != CLIENT_OK) {
        r->answer->never_arrived =
            a->error == CLIENT_CONNECT || a->error == CLIENT_DNS || a->error == CLIENT_TLS;
        r->code = no_answer(r, a, r->err);
    } else if (a->body_is_truncated) {
        r->code = err_set(r->err, ERR_TOO_LARGE, "the answer of " STR_FMT " is over %d bytes",
                          STR_ARG(buf_str(&r->url)), ANSWER_MAX_BYTES);
    } else {
        buf_reset(&r->body);
        buf_append_str(&r->body, a->body);
        r->answer->status = a->status;
        r->answer->body = buf_str(&r->body);
        r->answer->retry_after_ms = a->retry_after_ms;
        r->code = r->body.failed ? err_set(r->err, ERR_NOMEM, "out of memory") : 0;
    }
}

// Writes the URL, which url holds for q's life, and the header that has the token.
static void address(const struct remote *r, const char *path, struct buf *url,
                    struct client_request *q, struct client_header headers[HEADERS_MAX])
{
    buf_init(url, URL_MAX_BYTES);
    buf_append_str(url, *r->unix_path ? STR("http://127.0.0.1") : buf_str(&r->url));
    buf_append_text(url, path);
    buf_append_char(url, '\0');
    q->url = url->data;
    q->headers = headers;
    if (r->authorization.len)
        headers[q->header_count++] =
            (struct client_header){STR("Authorization"), buf_str(&r->authorization)};
}

int remote_call(struct remote *r, const char *method, const char *path, const char *content_type,
                struct str body, struct remote_answer *out, struct err *e)
{
    struct client_header headers[HEADERS_MAX];
    struct client_request q = {
        .method = str_from(method),
        .body = body,
        .timeout_ms = TIMEOUT_MS,
        .on_done = on_done,
        .ctx = r,
    };
    struct buf url;
    int code;

    address(r, path, &url, &q, headers);
    if (content_type)
        headers[q.header_count++] =
            (struct client_header){STR("Content-Type"), str_from(content_type)};
    r->answer = out;
    r->err = e;
    *out = (struct remote_answer){.retry_after_ms = -1};
    code = url.failed ? err_set(e, ERR_TOO_LARGE, "the URL is too long")
                      : caller_send(&r->caller, &q, e);
    if (code == 0)
        code = r->code;
    buf_fini(&url);
    return code;
}

void remote_describe(const struct remote *r, const struct remote_answer *a, struct err *e)
{
    struct arena arena;
    struct json_node *root;
    struct str words = {NULL, 0};
    enum err_code code = a->status == 404 ? ERR_NOT_FOUND : ERR_REFUSED;

    arena_init(&arena, TREE_MAX_BYTES);
    if (json_tree_read(&root, a->body, &arena, NULL) == 0) {
        words = json_tree_text(json_tree_get(root, "detail"));
        if (!words.len)
            words = json_tree_text(json_tree_get(root, "title"));
    }
    if (a->status == 401 && r->authorization.len)
        err_set(e, code, "the host on " STR_FMT " wants another token%s" STR_FMT,
                STR_ARG(buf_str(&r->url)), words.len ? ": " : "", STR_ARG(words));
    else if (a->status == 401)
        err_set(e, code,
                "the host on " STR_FMT " wants a token: give --token or set HOOKLINE_TOKEN",
                STR_ARG(buf_str(&r->url)));
    else if (words.len)
        err_set(e, code, STR_FMT " (status %d)", STR_ARG(words), a->status);
    else
        err_set(e, code, "the host on " STR_FMT " answers with status %d",
                STR_ARG(buf_str(&r->url)), a->status);
    arena_fini(&arena);
}

int remote_send(struct remote *r, const char *method, const char *path, struct str body,
                struct remote_answer *out, struct err *e)
{
    struct err why = {0};
    int code = remote_call(r, method, path, body.len ? "application/json" : NULL, body, out, e);

    if (code || (out->status >= 200 && out->status < 300))
        return code;
    remote_describe(r, out, &why);
    return err_set(e, why.code, "%s", why.text);
}

int remote_get(struct remote *r, const char *method, const char *path, struct remote_answer *out,
               struct err *e)
{
    return remote_send(r, method, path, STR(""), out, e);
}

static bool on_stream_piece(void *ctx, struct str piece)
{
    struct remote *r = ctx;

    return r->stream.on_piece(r->stream.ctx, piece);
}

static void on_stream_done(void *ctx, const struct client_response *a)
{
    struct remote *r = ctx;

    on_done(r, a);
    if (r->code == 0 && r->answer->status != 200)
        remote_describe(r, r->answer, r->err);
    r->stream.on_done(r->stream.ctx, r->code, r->answer, r->err);
}

int remote_stream(struct remote *r, const char *path, bool (*on_piece)(void *ctx, struct str piece),
                  void (*on_end)(void *ctx, int code, const struct remote_answer *answer,
                                 const struct err *why),
                  void *ctx, struct err *e)
{
    struct client_header headers[HEADERS_MAX];
    struct client_request q = {.method = STR("GET"),
                               .timeout_ms = SILENCE_MS,
                               .on_piece = on_stream_piece,
                               .on_done = on_stream_done,
                               .ctx = r};
    struct buf url;
    int code;

    r->stream.on_piece = on_piece;
    r->stream.on_done = on_end;
    r->stream.ctx = ctx;
    r->stream.answer = (struct remote_answer){.retry_after_ms = -1};
    r->stream.why = (struct err){0};
    r->answer = &r->stream.answer;
    r->err = &r->stream.why;
    address(r, path, &url, &q, headers);
    code = url.failed ? err_set(e, ERR_TOO_LARGE, "the URL is too long")
                      : client_send(r->caller.client, &q);
    if (code && !url.failed)
        err_set(e, (enum err_code)code, "the request cannot be sent: %s", err_word(code));
    buf_fini(&url);
    return code;
}
