#include "wire/smtp.h"

#include <curl/curl.h>
#include <stdio.h>

enum { SMTP_CONNECT_MS = 15 * 1000, SMTP_LIMIT_MS = 120 * 1000 };

static size_t smtp_on_read(char *out, size_t size, size_t count, void *ctx)
{
    struct smtp_send *s = ctx;
    size_t room = size * count;
    size_t left = s->message.len - s->sent;
    size_t len = left < room ? left : room;
    if (len) {
        memcpy(out, s->message.data + s->sent, len);
    }
    s->sent += len;
    return len;
}

static int smtp_on_progress(void *ctx, curl_off_t dl_total, curl_off_t dl_now, curl_off_t ul_total,
                            curl_off_t ul_now)
{
    struct smtp_send *s = ctx;
    (void)dl_total;
    (void)dl_now;
    (void)ul_total;
    (void)ul_now;
    return __atomic_load_n(&s->is_cancelled, __ATOMIC_RELAXED);
}

static int smtp_add_address(struct curl_slist **list, struct str address)
{
    char text[512];
    snprintf(text, sizeof text, "<" STR_FMT ">", STR_ARG(address));
    struct curl_slist *longer = curl_slist_append(*list, text);
    *list = longer ? longer : *list;
    return longer ? 0 : ERR_NOMEM;
}

static void smtp_set_tls(CURL *easy, const struct smtp_send *s)
{
    static const long levels[] = {CURLUSESSL_ALL, CURLUSESSL_TRY, CURLUSESSL_NONE};
    bool is_implicit = strncmp(s->server, "smtps:", 6) == 0;
    bool is_checked = is_implicit || s->tls == SMTP_TLS_REQUIRED;
    curl_easy_setopt(easy, CURLOPT_USE_SSL, is_implicit ? CURLUSESSL_ALL : levels[s->tls]);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, (long)is_checked);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, is_checked ? 2L : 0L);
    if (s->ca_file) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, s->ca_file);
    }
}

static void smtp_set(CURL *easy, struct smtp_send *s, const char *from, struct curl_slist *to)
{
    curl_easy_setopt(easy, CURLOPT_URL, s->server);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)SMTP_CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)SMTP_LIMIT_MS);
    smtp_set_tls(easy, s);
    if (s->user) {
        curl_easy_setopt(easy, CURLOPT_USERNAME, s->user);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, s->password);
    }
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, from);
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, smtp_on_read);
    curl_easy_setopt(easy, CURLOPT_READDATA, s);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, smtp_on_progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, s);
}

// On a pool thread.
static void smtp_work(void *ctx)
{
    struct smtp_send *s = ctx;
    char words[CURL_ERROR_SIZE] = "";
    char from[512];
    struct curl_slist *to = NULL;
    CURL *easy = curl_easy_init();
    s->code = easy ? 0 : ERR_NOMEM;
    for (size_t i = 0; s->code == 0 && i < s->to_count; i++) {
        s->code = smtp_add_address(&to, s->to[i]);
    }
    if (s->code) {
        err_set(&s->err, ERR_NOMEM, "out of memory");
    } else {
        snprintf(from, sizeof from, "<" STR_FMT ">", STR_ARG(s->from));
        curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, words);
        smtp_set(easy, s, from, to);
        CURLcode code = curl_easy_perform(easy);
        if (code != CURLE_OK) {
            s->code = err_set(&s->err, ERR_IO, "%s: %s", s->server,
                              words[0] ? words : curl_easy_strerror(code));
        }
    }
    curl_slist_free_all(to);
    curl_easy_cleanup(easy);
}

static void smtp_on_worked(void *ctx)
{
    struct smtp_send *s = ctx;
    s->on_done(s);
}

int smtp_send(struct smtp_send *s)
{
    s->is_cancelled = false;
    s->sent = 0;
    s->code = 0;
    return loop_work(s->loop, smtp_work, smtp_on_worked, s);
}

void smtp_cancel(struct smtp_send *s)
{
    __atomic_store_n(&s->is_cancelled, true, __ATOMIC_RELAXED);
}
