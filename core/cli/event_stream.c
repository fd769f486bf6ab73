#include "cli/event_stream.h"

#include <errno.h>
#include <unistd.h>

#include "encode/json_reader.h"

enum { READ_BYTES = 256 * 1024 };

void event_stream_init(struct event_stream *s, int fd, size_t max_event_bytes)
{
    *s = (struct event_stream){
        .fd = fd, .max_event_bytes = max_event_bytes, .line = 1, .is_first = true};
    // Room for the largest event with what was read behind it.
    buf_init(&s->window, max_event_bytes + 4 * READ_BYTES);
    buf_init(&s->scratch, max_event_bytes + 16);
}

void event_stream_fini(struct event_stream *s)
{
    buf_fini(&s->scratch);
    buf_fini(&s->window);
}

// Reads more behind the window. False at the end of the file or with e set.
static bool read_more(struct event_stream *s, struct err *e)
{
    ssize_t got;
    char *to;

    if (s->is_at_end)
        return false;
    if (s->at >= READ_BYTES) {
        memmove(s->window.data, s->window.data + s->at, s->window.len - s->at);
        s->window.len -= s->at;
        s->at = 0;
    }
    to = buf_reserve(&s->window, READ_BYTES);
    if (!to) {
        err_set(e, ERR_NOMEM, "out of memory");
        return false;
    }
    do {
        got = read(s->fd, to, READ_BYTES);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        err_set(e, ERR_IO, "cannot be read: %s", strerror(errno));
        return false;
    }
    s->is_at_end = got == 0;
    s->window.len += (size_t)got;
    s->read_bytes += (uint64_t)got;
    return got > 0;
}

// The byte `ahead` of the place, reading more where it must; -1 at the end.
static int byte_at(struct event_stream *s, size_t ahead, struct err *e)
{
    while (s->at + ahead >= s->window.len)
        if (!read_more(s, e))
            return -1;
    return (unsigned char)s->window.data[s->at + ahead];
}

static void take(struct event_stream *s, size_t len)
{
    const char *from = s->window.data + s->at;

    for (size_t i = 0; i < len; i++)
        s->line += from[i] == '\n';
    s->at += len;
}

static bool is_space(int ch)
{
    return ch == ' ' || ch == '\t' || ch == '\n' || ch == '\r';
}

// The next byte that is no white space, not taken; -1 at the end.
static int skip_space(struct event_stream *s, struct err *e)
{
    int ch;

    while (is_space(ch = byte_at(s, 0, e)))
        take(s, 1);
    return ch;
}

// The length of the object that begins at the place, by its brackets alone. 0: it does not end, or
// is too large (e is set).
static size_t measure_value(struct event_stream *s, struct err *e)
{
    size_t len = 0;
    size_t depth = 0;
    bool in_string = false;

    for (;;) {
        int ch = byte_at(s, len, e);

        if (ch < 0) {
            if (!e->code)
                err_set(e, ERR_INVALID, "the JSON value that begins here does not end");
            return 0;
        }
        len++;
        if (in_string) {
            if (ch == '\\')
                len++;
            else if (ch == '"')
                in_string = false;
        } else if (ch == '"') {
            in_string = true;
        } else if (ch == '{' || ch == '[') {
            depth++;
        } else if (ch == '}' || ch == ']') {
            if (--depth == 0)
                return len;
        }
        if (len > s->max_event_bytes) {
            err_set(e, ERR_TOO_LARGE, "the event that begins here is over %zu bytes",
                    s->max_event_bytes);
            return 0;
        }
    }
}

static enum event_stream_item check(struct event_stream *s, struct str event, struct err *e)
{
    struct json_reader r;
    enum json_token t;

    json_reader_init(&r, event, JSON_DEPTH_MAX, &s->scratch);
    s->has_id = false;
    do {
        t = json_read(&r);
        if (t == JSON_KEY && r.depth == 1 && str_eq(r.text, STR("id")))
            s->has_id = true;
    } while (t != JSON_END && t != JSON_ERROR);
    if (t == JSON_END)
        return EVENT_STREAM_EVENT;
    json_reader_error(&r, e);
    return EVENT_STREAM_BAD;
}

static enum event_stream_item next_value(struct event_stream *s, struct str *event, size_t *line,
                                         struct err *e)
{
    size_t len;

    *line = s->line;
    len = measure_value(s, e);
    if (!len)
        return EVENT_STREAM_BROKEN;
    *event = (struct str){s->window.data + s->at, len};
    take(s, len);
    return check(s, *event, e);
}

// Skips what is left of a line that is too long to be kept.
static enum event_stream_item refuse_long_line(struct event_stream *s, struct err *e)
{
    int ch;
    struct err fault = {0};

    do {
        ch = byte_at(s, 0, &fault);
        if (ch >= 0)
            take(s, 1);
    } while (ch >= 0 && ch != '\n');
    if (fault.code) {
        *e = fault;
        return EVENT_STREAM_BROKEN;
    }
    err_set(e, ERR_TOO_LARGE, "the event is over %zu bytes", s->max_event_bytes);
    return EVENT_STREAM_BAD;
}

static enum event_stream_item next_line(struct event_stream *s, struct str *event, size_t *line,
                                        struct err *e)
{
    size_t len = 0;
    int ch = skip_space(s, e);

    *line = s->line;
    if (ch < 0)
        return e->code ? EVENT_STREAM_BROKEN : EVENT_STREAM_END;
    while (byte_at(s, len, e) >= 0) {
        const char *from = s->window.data + s->at + len;
        const char *end = memchr(from, '\n', s->window.len - s->at - len);

        len = end ? (size_t)(end - s->window.data) - s->at : s->window.len - s->at;
        if (len > s->max_event_bytes)
            return refuse_long_line(s, e);
        if (end)
            break;
    }
    if (e->code)
        return EVENT_STREAM_BROKEN;
    *event = (struct str){s->window.data + s->at, len};
    if (len && event->data[len - 1] == '\r')
        event->len--;
    take(s, len);
    return check(s, *event, e);
}

static enum event_stream_item next_element(struct event_stream *s, struct str *event, size_t *line,
                                           struct err *e)
{
    int ch = skip_space(s, e);

    *line = s->line;
    if (s->is_closed && ch < 0 && !e->code)
        return EVENT_STREAM_END;
    if (!s->is_closed && s->wants_comma && ch == ',') {
        take(s, 1);
        ch = skip_space(s, e);
        *line = s->line;
        s->wants_comma = false;
    } else if (!s->is_closed && ch == ']') {
        take(s, 1);
        s->is_closed = true;
        return next_element(s, event, line, e);
    }
    if (e->code)
        return EVENT_STREAM_BROKEN;
    if (s->is_closed || s->wants_comma || ch != '{') {
        err_set(e, ERR_INVALID,
                s->is_closed     ? "there is more behind the array's end"
                : ch < 0         ? "the array does not end"
                : s->wants_comma ? "a comma or the array's end is missing"
                                 : "an array of events has objects in it and nothing else");
        return EVENT_STREAM_BROKEN;
    }
    s->wants_comma = true;
    return next_value(s, event, line, e);
}

// What the first event looks like decides: whole on one line means that each line is one, so that a
// bad line spoils no other.
static void find_form(struct event_stream *s, struct err *e)
{
    int ch;
    size_t len;
    struct err ahead = {0};

    if (byte_at(s, 0, e) == 0xEF && byte_at(s, 1, e) == 0xBB && byte_at(s, 2, e) == 0xBF)
        take(s, 3); // a byte order mark
    ch = skip_space(s, e);
    if (ch == '[') {
        take(s, 1);
        s->form = EVENT_STREAM_ARRAY;
        return;
    }
    s->form = EVENT_STREAM_LINES;
    if (ch != '{')
        return;
    len = measure_value(s, &ahead);
    if (!len || memchr(s->window.data + s->at, '\n', len)) {
        s->form = EVENT_STREAM_VALUES;
        return;
    }
    while ((ch = byte_at(s, len, &ahead)) == ' ' || ch == '\t' || ch == '\r')
        len++;
    if (ch == '{')
        s->form = EVENT_STREAM_VALUES;
}

static enum event_stream_item next_item(struct event_stream *s, struct str *event, size_t *line,
                                        struct err *e)
{
    int ch;

    *e = (struct err){0};
    if (s->is_first) {
        s->is_first = false;
        find_form(s, e);
        if (e->code)
            return EVENT_STREAM_BROKEN;
    }
    if (s->form == EVENT_STREAM_LINES)
        return next_line(s, event, line, e);
    if (s->form == EVENT_STREAM_ARRAY)
        return next_element(s, event, line, e);
    ch = skip_space(s, e);
    *line = s->line;
    if (ch < 0)
        return e->code ? EVENT_STREAM_BROKEN : EVENT_STREAM_END;
    if (ch != '{') {
        err_set(e, ERR_INVALID, "an event is a JSON object");
        return EVENT_STREAM_BROKEN;
    }
    return next_value(s, event, line, e);
}

enum event_stream_item event_stream_next(struct event_stream *s, struct str *event, size_t *line,
                                         struct err *e)
{
    enum event_stream_item item = next_item(s, event, line, e);

    s->count += item == EVENT_STREAM_EVENT || item == EVENT_STREAM_BAD;
    return item;
}
