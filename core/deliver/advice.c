#include "deliver/advice.h"

#include <string.h>

// `targets["https://host"]`, as the configuration has it.
static void write_target(struct buf *out, const struct failure *f)
{
    struct url u;

    if (f->url && url_parse(str_from(f->url), &u, NULL) == 0) {
        buf_append_text(out, "targets[\"");
        url_target(out, &u);
        buf_append_text(out, "\"]");
    } else {
        buf_append_text(out, "targets");
    }
}

static void write_target_key(struct buf *out, const struct failure *f, const char *keys)
{
    buf_append_text(out, "hookline.conf.lua, ");
    write_target(out, f);
    buf_printf(out, " = { %s }", keys);
}

static void write_tls(struct buf *out, const struct failure *f, struct str host)
{
    switch (f->tls) {
    case CLIENT_TLS_FINE:
    case CLIENT_TLS_OTHER:
        buf_printf(out,
                   "The TLS handshake failed: the certificate must be valid, not expired, made "
                   "for " STR_FMT ", and signed by an authority that this machine trusts.",
                   STR_ARG(host));
        break;
    case CLIENT_TLS_NAME:
        buf_printf(out,
                   "The certificate is made for another name than " STR_FMT
                   ": the url must have a host that the certificate names, or the app needs a "
                   "certificate made for this one.",
                   STR_ARG(host));
        break;
    case CLIENT_TLS_EXPIRED:
        buf_printf(out,
                   "The certificate of " STR_FMT " (or one above it) has expired: whoever runs the "
                   "app must renew it. Is the clock of this machine right?",
                   STR_ARG(host));
        break;
    case CLIENT_TLS_NOT_YET_VALID:
        buf_printf(out,
                   "The certificate of " STR_FMT
                   " (or one above it) is not valid yet: is the clock "
                   "of this machine right? Else the app's certificate was made too early.",
                   STR_ARG(host));
        break;
    case CLIENT_TLS_SELF_SIGNED:
        buf_append_text(out, "The app's certificate is self-signed, so nobody vouches for it: have "
                             "it signed by an authority, or trust this very certificate: ");
        write_target_key(out, f, "ca = \"FILE.pem\"");
        buf_append_text(out, ".");
        break;
    case CLIENT_TLS_UNKNOWN_CA:
        buf_append_text(out,
                        "The certificate is signed by an authority that is not trusted here, or "
                        "the app does not send its whole chain (the intermediate certificate "
                        "too). For an authority of your own: ");
        write_target_key(out, f, "ca = \"FILE.pem\"");
        buf_append_text(out, ".");
        break;
    case CLIENT_TLS_CERT_WANTED:
        buf_append_text(out, "The app asks for a client certificate, and there is none for it: ");
        write_target_key(out, f, "cert = \"FILE.pem\", key = \"FILE.pem\"");
        buf_append_text(out, ".");
        break;
    case CLIENT_TLS_CERT_REFUSED:
        buf_append_text(out,
                        "The app does not take the client certificate: it must be signed by an "
                        "authority that the app trusts, and be valid; see ");
        write_target(out, f);
        buf_append_text(out, ".cert.");
        break;
    case CLIENT_TLS_OLD:
        buf_printf(out,
                   STR_FMT " speaks no TLS from version 1.2 on: the older versions are broken and "
                           "not spoken here, so the app's server must be updated.",
                   STR_ARG(host));
        break;
    case CLIENT_TLS_NOT_SPOKEN:
        buf_append_text(out,
                        "What answers there does not speak TLS: check the port, and whether the "
                        "url should begin with http:// instead of https://.");
        break;
    case CLIENT_TLS_PROXY:
        buf_append_text(out,
                        "The TLS handshake with the proxy failed: its certificate must be made "
                        "for its name and be signed by one of the system's authorities; see ");
        write_target(out, f);
        buf_append_text(out, ".proxy.");
        break;
    }
}

static void write_connect(struct buf *out, const struct failure *f, struct str host)
{
    if (f->proxy_status == 407) {
        buf_append_text(out,
                        "The proxy wants a user and a password: put its whole URL into a secret, "
                        "http://USER:PASSWORD@HOST:PORT, and name it: ");
        write_target_key(out, f, "proxy = hook.secret \"NAME\"");
        buf_append_text(out, ".");
    } else if (f->proxy_status) {
        buf_printf(out,
                   "The proxy did not connect to " STR_FMT
                   ": it must allow CONNECT to the app's address and port, and reach them.",
                   STR_ARG(host));
    } else if (f->is_proxied) {
        buf_append_text(out, "The proxy takes no connections: does it run, and is it right in ");
        write_target(out, f);
        buf_append_text(out, ".proxy?");
    } else {
        buf_printf(
            out,
            "Nothing takes connections there: is the app running, are host and port right, is a "
            "firewall between this machine and " STR_FMT "?",
            STR_ARG(host));
    }
}

static void write_error(struct buf *out, const struct failure *f, struct str host)
{
    const char *error = f->error;

    if (strcmp(error, "dns") == 0)
        buf_printf(out,
                   "The name " STR_FMT
                   " leads to no address: look for a slip in the URL's host, and "
                   "whether this machine can resolve names.",
                   STR_ARG(host));
    else if (strcmp(error, "connect") == 0)
        write_connect(out, f, host);
    else if (strcmp(error, "tls") == 0)
        write_tls(out, f, host);
    else if (strcmp(error, "timeout") == 0)
        buf_printf(
            out,
            "No whole answer came in time (%lld s): the app should answer first and work later, "
            "or the webhook needs a longer `timeout`.",
            (long long)(f->timeout_ms / 1000));
    else if (strcmp(error, "reset") == 0)
        buf_append_text(out,
                        "The app closed the connection before it had answered: its log should say "
                        "why.");
    else if (strcmp(error, "protocol") == 0)
        buf_append_text(
            out, "What answers there does not speak HTTP: check the port, and whether the URL "
                 "should begin with https instead of http, or the other way round.");
    else if (strcmp(error, "address_refused") == 0)
        buf_append_text(out,
                        "The address is private or reserved, so no webhook goes there unless you "
                        "allow it: --allow-target CIDR, or network.allow in hookline.conf.lua.");
    else if (strcmp(error, "secret_missing") == 0)
        buf_printf(out,
                   "Set the secret with `hookline secrets set " STR_FMT
                   "`, or in the environment as "
                   "HOOKLINE_SECRET_" STR_FMT ".",
                   STR_ARG(f->secret), STR_ARG(f->secret));
    else if (strcmp(error, "response_too_large") == 0)
        buf_append_text(out,
                        "The webhook's `success` needs the whole of an answer, and reads 1 MiB "
                        "at most: the app should answer with less, or `success` be left out.");
    else if (strcmp(error, "oauth") == 0)
        buf_append_text(
            out, "The token server gave no access token, so nothing was sent: the message "
                 "above has its own words. Check token_url, client_id, scope and client_auth "
                 "of hook.oauth2, and set the client's secret again with `hookline secrets "
                 "set NAME`.");
    else
        buf_append_text(out, "Nothing was sent: the message above says why.");
}

static void write_status(struct buf *out, const struct failure *f)
{
    int status = f->status;
    bool is_cert_missed = f->tls == CLIENT_TLS_CERT_WANTED;

    // nginx answers so where the connection was made without one.
    if (is_cert_missed && (status == 400 || status == 401 || status == 403))
        write_tls(out, f, STR(""));
    else if (status >= 200 && status <= 299)
        buf_append_text(out, "The webhook's `success` says that this answer is a failure: compare "
                             "it with what the function looks for.");
    else if (status >= 300 && status < 400 && f->location.len)
        buf_printf(out,
                   "Redirects are never followed: put the address that it names in the workflow's "
                   "url: " STR_FMT,
                   STR_ARG(f->location));
    else if (status >= 300 && status < 400)
        buf_append_text(
            out, "Redirects are never followed: put the final address in the workflow's url.");
    else if (status == 400 || status == 422)
        buf_append_text(
            out, "The app did not like the content: compare the body above with what its API "
                 "wants; its answer may say which field.");
    else if (status == 401)
        buf_append_text(
            out, "The app does not know these credentials: check the webhook's auth (user, "
                 "header, prefix) and set the secret again with `hookline secrets set NAME`.");
    else if (status == 403)
        buf_append_text(out,
                        "The app knows these credentials and does not let them do this: give the "
                        "user or the key the right to it.");
    else if (status == 404)
        buf_append_text(out, "The app has nothing under this path: check the url against its API's "
                             "description.");
    else if (status == 405)
        buf_append_text(out, "The app wants another request type at this path: check the webhook's "
                             "method.");
    else if (status == 406 || status == 415)
        buf_append_text(out, "The app wants another format: check the webhook's encoding and "
                             "content_type.");
    else if (status == 408 || status == 504)
        buf_append_text(out, "The app, or a proxy before it, ran out of time: try again later.");
    else if (status == 410)
        buf_append_text(out,
                        "The app says that this address is gone for good: a host terminates such a "
                        "delivery at once.");
    else if (status == 413)
        buf_append_text(out, "The content is too large for the app: send fewer fields.");
    else if (status == 429)
        buf_append_text(out, "The app gets too many requests: try again later.");
    else if (status >= 500)
        buf_append_text(out, "The app failed by itself: its log should say why.");
    else
        buf_append_text(out, "Only a status from 200 to 299 is a success.");
}

void advice_write(struct buf *out, const struct failure *f)
{
    struct url u;
    struct str host = STR("the host");

    if (f->url && url_parse(str_from(f->url), &u, NULL) == 0)
        host = u.host;
    if (f->error)
        write_error(out, f, host);
    else
        write_status(out, f);
}
