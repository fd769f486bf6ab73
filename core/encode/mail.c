#include "encode/mail.h"

#include <stdio.h>
#include <time.h>

#include "encode/base64.h"

enum {
    LINE_MAX_BYTES = 76,        // of quoted-printable
    PLAIN_LINE_MAX_BYTES = 900, // that goes out as it is
    WORD_MAX_BYTES = 42,        // of text in one encoded word: 75 characters with what is around it
    SUBJECT_MAX_BYTES = 240
};

// --- addresses -----------------------------------------------------------------------------------

bool mail_address_is_valid(struct str text)
{
    const char *at = text.len ? memchr(text.data, '@', text.len) : NULL;
    if (text.len > MAIL_ADDRESS_MAX || at == NULL || at == text.data || !str_is_utf8(text, NULL)) {
        return false;
    }
    size_t local_len = (size_t)(at - text.data);
    struct str domain = {at + 1, text.len - local_len - 1};
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c <= ' ' || c == 0x7f || (i != local_len && strchr("@<>()[],;:\\\"", c))) {
            return false;
        }
    }
    return domain.len && domain.data[0] != '.' && domain.data[0] != '-' &&
           domain.data[domain.len - 1] != '.';
}

int mail_address_parse(struct str text, struct str *name, struct str *address, struct err *e)
{
    struct str given = str_trim(text);
    const char *open = given.len ? memchr(given.data, '<', given.len) : NULL;
    *name = (struct str){"", 0};
    *address = given;
    if (open && given.data[given.len - 1] == '>') {
        size_t name_len = (size_t)(open - given.data);
        *name = str_trim((struct str){given.data, name_len});
        *address = (struct str){open + 1, given.len - name_len - 2};
        if (name->len >= 2 && name->data[0] == '"' && name->data[name->len - 1] == '"') {
            *name = (struct str){name->data + 1, name->len - 2};
        }
    }
    if (mail_address_is_valid(*address)) {
        return 0;
    }
    return err_set(e, ERR_INVALID,
                   "'" STR_FMT "' is no mail address, such as \"hookline@example.com\"",
                   STR_ARG(text));
}

// --- the head ------------------------------------------------------------------------------------

// One line of text that no reader can take for more than that.
static void mail_clean_line(struct buf *out, struct str text, size_t most)
{
    bool is_utf8 = str_is_utf8(text, NULL);
    size_t len = text.len < most ? text.len : most;
    while (is_utf8 && len < text.len && len && ((unsigned char)text.data[len] & 0xc0) == 0x80) {
        len--; // not in the middle of a character
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        buf_append_char(out, c < 0x20 || c == 0x7f ? ' ' : c >= 0x80 && !is_utf8 ? '?' : (char)c);
    }
}

static bool mail_is_ascii(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

// Text as encoded words, one a line (RFC 2047); whole characters in each.
static void mail_write_words(struct buf *out, struct str text)
{
    for (size_t from = 0; from < text.len;) {
        size_t to = from;
        while (to < text.len) {
            size_t len = str_utf8_char_len(text.data + to, text.len - to);
            len = len ? len : 1;
            if (to + len - from > WORD_MAX_BYTES) {
                break;
            }
            to += len;
        }
        buf_append_text(out, from ? "\r\n =?utf-8?B?" : "=?utf-8?B?");
        base64_encode(out, (struct str){text.data + from, to - from});
        buf_append_text(out, "?=");
        from = to;
    }
}

static void mail_write_text_header(struct buf *out, const char *name, struct str text)
{
    struct buf line;
    buf_init(&line, SUBJECT_MAX_BYTES + 1);
    mail_clean_line(&line, text, SUBJECT_MAX_BYTES);
    buf_printf(out, "%s: ", name);
    if (mail_is_ascii(buf_str(&line))) {
        buf_append_str(out, buf_str(&line));
    } else {
        mail_write_words(out, buf_str(&line));
    }
    buf_append_text(out, "\r\n");
    buf_fini(&line);
}

static void mail_write_from(struct buf *out, const struct mail_message *m)
{
    struct buf name;
    buf_init(&name, SUBJECT_MAX_BYTES + 1);
    mail_clean_line(&name, m->from_name, SUBJECT_MAX_BYTES);
    buf_append_text(out, "From: ");
    if (name.len) {
        mail_write_words(out, buf_str(&name));
        buf_append_text(out, "\r\n <");
        buf_append_str(out, m->from);
        buf_append_text(out, ">\r\n");
    } else {
        buf_append_str(out, m->from);
        buf_append_text(out, "\r\n");
    }
    buf_fini(&name);
}

static void mail_write_head(struct buf *out, const struct mail_message *m)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const char *at = memchr(m->from.data, '@', m->from.len);
    size_t local_len = at ? (size_t)(at - m->from.data) : 0;
    struct tm t;
    time_t seconds = (time_t)(m->at_ms / 1000);
    gmtime_r(&seconds, &t);
    buf_printf(out, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[t.tm_wday], t.tm_mday,
               months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
    mail_write_from(out, m);
    buf_append_text(out, "To: ");
    for (size_t i = 0; i < m->to_count; i++) {
        buf_append_text(out, i ? ",\r\n " : "");
        buf_append_str(out, m->to[i]);
    }
    buf_append_text(out, "\r\n");
    mail_write_text_header(out, "Subject", m->subject);
    buf_printf(out, "Message-ID: <" STR_FMT STR_FMT ">\r\n", STR_ARG(m->id),
               (int)(m->from.len - local_len), m->from.data + local_len);
    buf_append_text(out, "Auto-Submitted: auto-generated\r\n"
                         "MIME-Version: 1.0\r\n"
                         "Content-Type: text/plain; charset=utf-8\r\n");
}

// --- the body ------------------------------------------------------------------------------------

static bool mail_is_plain(struct str text)
{
    size_t line = 0;
    for (size_t i = 0; i < text.len; i++) {
        line = text.data[i] == '\n' ? 0 : line + 1;
        if ((unsigned char)text.data[i] >= 0x80 || line > PLAIN_LINE_MAX_BYTES) {
            return false;
        }
    }
    return true;
}

static void mail_write_plain(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '\n') {
            buf_append_text(out, "\r\n");
        } else {
            buf_append_char(out, c < 0x20 || c == 0x7f ? ' ' : (char)c);
        }
    }
}

static void mail_write_quoted(struct buf *out, struct str text)
{
    bool is_utf8 = str_is_utf8(text, NULL);
    size_t line = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool is_at_end = i + 1 == text.len || text.data[i + 1] == '\n';
        if (c == '\n') {
            buf_append_text(out, "\r\n");
            line = 0;
            continue;
        }
        c = c < 0x20 || c == 0x7f ? ' ' : c >= 0x80 && !is_utf8 ? '?' : c;
        bool is_coded = c >= 0x80 || c == '=' || (c == ' ' && is_at_end);
        if (line + (is_coded ? 3 : 1) > LINE_MAX_BYTES - 1) {
            buf_append_text(out, "=\r\n");
            line = 0;
        }
        if (is_coded) {
            buf_printf(out, "=%02X", c);
        } else {
            buf_append_char(out, (char)c);
        }
        line += is_coded ? 3 : 1;
    }
}

int mail_write(struct buf *out, const struct mail_message *m)
{
    bool is_plain = mail_is_plain(m->body);
    mail_write_head(out, m);
    buf_printf(out, "Content-Transfer-Encoding: %s\r\n\r\n",
               is_plain ? "7bit" : "quoted-printable");
    if (is_plain) {
        mail_write_plain(out, m->body);
    } else {
        mail_write_quoted(out, m->body);
    }
    buf_append_text(out, "\r\n");
    return out->failed;
}
