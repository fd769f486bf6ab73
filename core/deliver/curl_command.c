#include "deliver/curl_command.h"

#include <stdio.h>
#include <unistd.h>

#include "encode/percent.h"

// One argument of a program may have 128 KiB on Linux; a longer body goes through a pipe.
enum { ARGUMENT_MAX_BYTES = 100 * 1024, PATH_LEN_MAX = 4096 };

static const char next_line[] = " \\\n  ";

void curl_quote(struct buf *out, struct str text)
{
    buf_append_char(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\'')
            buf_append_text(out, "'\\''");
        else
            buf_append_char(out, text.data[i]);
    }
    buf_append_char(out, '\'');
}

// "$(cat 'DATA/secrets/NAME')" where there is such a file, as the sender looks for it first.
static void write_secret(struct buf *out, const struct curl_command *c, struct str name)
{
    char path[PATH_LEN_MAX + 80];

    snprintf(path, sizeof(path), "%s/secrets/" STR_FMT, c->data_dir, STR_ARG(name));
    if (access(path, F_OK) == 0) {
        buf_append_text(out, "\"$(cat ");
        curl_quote(out, str_from(path));
        buf_append_text(out, ")\"");
    } else {
        buf_printf(out, "\"$HOOKLINE_SECRET_" STR_FMT "\"", STR_ARG(name));
    }
}

static void write_header(struct buf *out, struct str name, struct str value)
{
    struct buf line;

    buf_init(&line, HEAD_BYTES_MAX * 2);
    buf_append_str(&line, name);
    // "Name:" alone would take the header out; "Name;" sends it empty.
    buf_append_text(&line, value.len ? ": " : ";");
    buf_append_str(&line, value);
    buf_append_text(out, next_line);
    buf_append_text(out, "-H ");
    curl_quote(out, buf_str(&line));
    if (line.failed)
        out->failed = line.failed;
    buf_fini(&line);
}

// The token is asked for by a curl of its own. (Its -u does not percent-encode what it is given, so
// it takes an id and a secret of letters and digits.)
static void write_token(struct buf *out, const struct curl_command *c, const struct head_secret *s)
{
    struct buf text;

    buf_init(&text, HEAD_BYTES_MAX * 2);
    buf_append_text(out, "-H \"Authorization: Bearer $(curl -sS -H 'Accept: application/json' ");
    if (s->is_in_body) {
        buf_printf(&text, "client_id=" STR_FMT "&" STR_FMT, STR_ARG(s->key), STR_ARG(s->form));
        buf_append_text(out, "--data-urlencode client_secret=");
    } else {
        buf_append_str(&text, s->form);
        buf_append_text(out, "-u ");
        curl_quote(out, s->key);
        buf_append_char(out, ':');
    }
    write_secret(out, c, s->secret);
    buf_append_text(out, " -d ");
    curl_quote(out, buf_str(&text));
    buf_append_char(out, ' ');
    curl_quote(out, s->token_url);
    buf_append_text(out, " | sed -n 's/.*\"access_token\" *: *\"\\([^\"]*\\)\".*/\\1/p')\"");
    if (text.failed)
        out->failed = text.failed;
    buf_fini(&text);
}

static void write_secret_part(struct buf *out, const struct curl_command *c,
                              const struct head_secret *s)
{
    struct buf text;

    buf_append_text(out, next_line);
    if (s->kind == HEAD_SECRET_OAUTH2) {
        write_token(out, c, s);
        return;
    }
    buf_init(&text, HEAD_BYTES_MAX * 2);
    switch (s->kind) {
    case HEAD_SECRET_BASIC:
        buf_append_text(out, "-u ");
        buf_append_str(&text, s->key);
        buf_append_char(&text, ':');
        break;
    case HEAD_SECRET_HEADER:
        buf_append_text(out, "-H ");
        buf_append_str(&text, s->key);
        buf_append_text(&text, ": ");
        buf_append_str(&text, s->prefix);
        break;
    case HEAD_SECRET_QUERY:
        buf_append_text(out, "--url-query ");
        percent_encode(&text, s->key);
        buf_append_char(&text, '=');
        break;
    case HEAD_SECRET_OAUTH2:
    case HEAD_SECRET_SIGN:
    case HEAD_SECRET_HMAC:
        break;
    }
    curl_quote(out, buf_str(&text));
    write_secret(out, c, s->secret);
    if (text.failed)
        out->failed = text.failed;
    buf_fini(&text);
}

// A signature is of one attempt's time, and curl cannot make it: it stands there masked.
static bool is_of_curl(const struct curl_command *c, const struct head_secret *s)
{
    bool is_signature = s->kind == HEAD_SECRET_SIGN || s->kind == HEAD_SECRET_HMAC;
    bool is_left_out = s->kind == HEAD_SECRET_QUERY || s->kind == HEAD_SECRET_OAUTH2;
    return !is_signature && !(c->redirect_all && is_left_out);
}

static bool is_secret_header(const struct curl_command *c, struct str name)
{
    for (size_t i = 0; i < c->head->secret_count; i++) {
        const struct head_secret *s = &c->head->secrets[i];
        bool is_authorization = s->kind == HEAD_SECRET_BASIC || s->kind == HEAD_SECRET_OAUTH2;
        struct str claimed = is_authorization                ? STR("Authorization")
                             : s->kind == HEAD_SECRET_HEADER ? s->key
                                                             : STR("");

        if (is_of_curl(c, s) && str_eq_nocase(claimed, name))
            return true;
    }
    return false;
}

static bool goes_through_pipe(const struct curl_command *c)
{
    return c->sends_body && (c->body.len > ARGUMENT_MAX_BYTES ||
                             (c->body.len && memchr(c->body.data, 0, c->body.len)));
}

// The shell's own printf has no limit on its arguments; %b makes the NULs that no argument can
// hold.
static void write_pipe(struct buf *out, struct str body)
{
    buf_append_text(out, "printf %b '");
    for (size_t i = 0; i < body.len; i++) {
        char ch = body.data[i];

        if (ch == '\0')
            buf_append_text(out, "\\0000");
        else if (ch == '\\')
            buf_append_text(out, "\\\\");
        else if (ch == '\'')
            buf_append_text(out, "'\\''");
        else
            buf_append_char(out, ch);
    }
    buf_append_text(out, "' |\n");
}

static void write_body(struct buf *out, const struct curl_command *c)
{
    buf_append_text(out, next_line);
    if (goes_through_pipe(c)) {
        buf_append_text(out, "--data-binary @-");
    } else {
        // To --data-binary an @ at the beginning is the name of a file.
        buf_append_text(out,
                        c->body.len && c->body.data[0] == '@' ? "--data-raw " : "--data-binary ");
        curl_quote(out, c->body);
    }
}

static bool has_header(const struct curl_command *c, struct str name)
{
    for (size_t i = 0; i < c->masked->header_count; i++)
        if (str_eq_nocase(c->masked->headers[i].name, name))
            return true;
    return false;
}

// What curl adds by itself and the host does not send.
static void write_removals(struct buf *out, const struct curl_command *c)
{
    if (!has_header(c, STR("Accept"))) {
        buf_append_text(out, next_line);
        buf_append_text(out, "-H 'Accept:'");
    }
    if (c->sends_body) {
        buf_append_text(out, next_line);
        buf_append_text(out, "-H 'Expect:'");
        if (!has_header(c, STR("Content-Type"))) {
            buf_append_text(out, next_line);
            buf_append_text(out, "-H 'Content-Type:'");
        }
    }
}

static void write_option(struct buf *out, const char *option, const char *value)
{
    if (value) {
        buf_append_text(out, next_line);
        buf_append_text(out, option);
        curl_quote(out, str_from(value));
    }
}

static void write_target(struct buf *out, const struct curl_command *c)
{
    const struct curl_command_target *t = &c->target;

    write_option(out, "--cacert ", t->ca);
    write_option(out, "--cert ", t->cert);
    write_option(out, "--key ", t->key);
    if (t->proxy.len) {
        buf_append_text(out, next_line);
        buf_append_text(out, "-p -x ");
        if (t->proxy_is_secret)
            write_secret(out, c, t->proxy);
        else
            curl_quote(out, t->proxy);
    }
}

int curl_command_write(struct buf *out, const struct curl_command *c)
{
    if (goes_through_pipe(c))
        write_pipe(out, c->body);
    buf_append_text(out, "curl -sS -i -g -X ");
    buf_append_str(out, c->masked->method);
    if (c->timeout_ms)
        buf_printf(out, " -m %lld", (long long)((c->timeout_ms + 999) / 1000));
    buf_append_char(out, ' ');
    curl_quote(out, c->redirect_all ? str_from(c->redirect_all) : c->head->url);
    for (size_t i = 0; i < c->head->secret_count; i++)
        if (is_of_curl(c, &c->head->secrets[i]))
            write_secret_part(out, c, &c->head->secrets[i]);
    for (size_t i = 0; i < c->masked->header_count; i++) {
        const struct client_header *h = &c->masked->headers[i];

        if (!is_secret_header(c, h->name))
            write_header(out, h->name, h->value);
    }
    if (!has_header(c, STR("User-Agent")))
        write_header(out, STR("User-Agent"), STR("hookline/" HOOKLINE_VERSION));
    write_removals(out, c);
    write_target(out, c);
    if (c->sends_body)
        write_body(out, c);
    return out->failed;
}
