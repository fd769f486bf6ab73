#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/rfc3339.h"

enum {
    VALUE_BYTES_MAX = 4096, // of a message too; what is over it is cut and marked
    MESSAGE_BYTES_MAX = VALUE_BYTES_MAX + 2,
    LINE_BYTES_MAX = 1024 * 1024,
};

static const char *const LEVEL_WORDS[] = {"debug", "info", "warn", "error"};
static const char *const PRIORITIES[] = {"<7>", "<6>", "<4>", "<3>"};

// systemd names the device and the inode of the stream that it made; a redirection since then has
// others.
static bool is_journal(int fd)
{
    const char *named = getenv("JOURNAL_STREAM");
    struct stat st;
    char own[64];

    if (!named || fstat(fd, &st) != 0)
        return false;
    snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    return strcmp(named, own) == 0;
}

void log_init(struct log *l, int fd, const struct clock *clock)
{
    *l = (struct log){.fd = fd,
                      .format = isatty(fd) ? LOG_TEXT : LOG_JSON,
                      .is_journal = is_journal(fd),
                      .least = LOG_INFO,
                      .clock = clock};
}

// The content of a JSON string. Text lines use the same escapes, so no value can break a line or
// reach the terminal as a control sequence.
static void append_escaped(struct buf *b, struct str s)
{
    bool is_cut = s.len > VALUE_BYTES_MAX;
    s.len = is_cut ? VALUE_BYTES_MAX : s.len;
    while (s.len > 0) {
        size_t good = s.len;
        bool is_all_good = str_is_utf8(s, &good);
        for (size_t i = 0; i < good; i++) {
            unsigned char c = (unsigned char)s.data[i];
            bool is_c1 = c == 0xC2 && (unsigned char)s.data[i + 1] < 0xA0;
            if (c == '"' || c == '\\') {
                buf_append_char(b, '\\');
                buf_append_char(b, (char)c);
            } else if (c == '\n') {
                buf_append_text(b, "\\n");
            } else if (c == '\t') {
                buf_append_text(b, "\\t");
            } else if (c < 0x20 || c == 0x7F) {
                buf_printf(b, "\\u%04x", c);
            } else if (is_c1) {
                buf_printf(b, "\\u%04x", (unsigned char)s.data[++i]);
            } else {
                buf_append_char(b, (char)c);
            }
        }
        if (is_all_good) {
            break;
        }
        // The bytes at the place of the cut may be the front of a good character.
        if (!is_cut || s.len - good >= 4) {
            buf_append_text(b, "\\ufffd");
        }
        s.data += good + 1;
        s.len -= good + 1;
    }
    if (is_cut) {
        buf_append_text(b, "...");
    }
}

static void append_quoted(struct buf *b, struct str s)
{
    buf_append_char(b, '"');
    append_escaped(b, s);
    buf_append_char(b, '"');
}

static bool is_plain(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (c <= ' ' || c >= 0x7F || c == '"' || c == '=' || c == '\\') {
            return false;
        }
    }
    return s.len > 0 && s.len <= VALUE_BYTES_MAX;
}

static void append_json_line(struct buf *b, const char *time, const char *level, struct str message,
                             const struct log_field *fields, size_t field_count)
{
    buf_printf(b, "{\"time\":\"%s\",\"level\":\"%s\",\"message\":", time, level);
    append_quoted(b, message);
    for (size_t i = 0; i < field_count; i++) {
        buf_append_char(b, ',');
        append_quoted(b, str_from(fields[i].key));
        buf_append_char(b, ':');
        append_quoted(b, fields[i].value);
    }
    buf_append_text(b, "}\n");
}

static void append_text_line(struct buf *b, const char *time, const char *level, struct str message,
                             const struct log_field *fields, size_t field_count)
{
    buf_printf(b, "%s %-5s ", time, level);
    append_escaped(b, message);
    for (size_t i = 0; i < field_count; i++) {
        buf_printf(b, " %s=", fields[i].key);
        if (is_plain(fields[i].value)) {
            buf_append_str(b, fields[i].value);
        } else {
            append_quoted(b, fields[i].value);
        }
    }
    buf_append_char(b, '\n');
}

void log_write(const struct log *l, enum log_level level, const struct log_field *fields,
               size_t field_count, const char *format, ...)
{
    if (level < l->least) {
        return;
    }
    int saved_errno = errno;
    char message[MESSAGE_BYTES_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(message, sizeof message, format, args);
    va_end(args);
    struct str text = {message, len < 0 ? 0 : (size_t)len};
    text.len = text.len < sizeof message ? text.len : sizeof message - 1;

    char time[RFC3339_LEN + 1];
    rfc3339_format(time, clock_wall_ms(l->clock));
    struct buf line;
    buf_init(&line, LINE_BYTES_MAX);
    if (l->is_journal)
        buf_append_text(&line, PRIORITIES[level]);
    if (l->format == LOG_JSON) {
        append_json_line(&line, time, LEVEL_WORDS[level], text, fields, field_count);
    } else {
        append_text_line(&line, time, LEVEL_WORDS[level], text, fields, field_count);
    }
    // A line that cannot be written has nowhere else to go.
    if (!line.failed) {
        ssize_t written = write(l->fd, line.data, line.len);
        (void)written;
    }
    buf_fini(&line);
    errno = saved_errno;
}
