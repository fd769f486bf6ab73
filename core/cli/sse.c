#include "cli/sse.h"

enum { EVENT_MAX_BYTES = 64 };

void sse_init(struct sse *s, size_t max_bytes,
              void (*on_message)(void *ctx, struct str event, struct str data), void *ctx)
{
    *s = (struct sse){.on_message = on_message, .ctx = ctx};
    buf_init(&s->line, max_bytes);
    buf_init(&s->event, EVENT_MAX_BYTES);
    buf_init(&s->data, max_bytes);
}

void sse_fini(struct sse *s)
{
    buf_fini(&s->line);
    buf_fini(&s->event);
    buf_fini(&s->data);
}

void sse_reset(struct sse *s)
{
    buf_reset(&s->line);
    buf_reset(&s->event);
    buf_reset(&s->data);
}

static void end_message(struct sse *s)
{
    struct str data = buf_str(&s->data);

    if (data.len) {
        data.len--; // the last line's end
        s->on_message(s->ctx, s->event.len ? buf_str(&s->event) : STR("message"), data);
    }
    buf_reset(&s->event);
    buf_reset(&s->data);
}

static void take_line(struct sse *s, struct str line)
{
    const char *colon = line.len ? memchr(line.data, ':', line.len) : NULL;
    struct str name = {line.data, colon ? (size_t)(colon - line.data) : line.len};
    struct str value = {NULL, 0};

    if (line.len == 0) {
        end_message(s);
        return;
    }
    if (colon)
        value = (struct str){colon + 1, line.len - name.len - 1};
    if (value.len && value.data[0] == ' ')
        value = (struct str){value.data + 1, value.len - 1};
    if (str_eq(name, STR("event"))) {
        buf_reset(&s->event);
        buf_append_str(&s->event, value);
    } else if (str_eq(name, STR("data"))) {
        buf_append_str(&s->data, value);
        buf_append_char(&s->data, '\n');
    }
}

int sse_take(struct sse *s, struct str piece)
{
    while (piece.len) {
        const char *end = memchr(piece.data, '\n', piece.len);
        size_t len = end ? (size_t)(end - piece.data) : piece.len;

        buf_append(&s->line, piece.data, len);
        if (end) {
            struct str line = buf_str(&s->line);

            if (line.len && line.data[line.len - 1] == '\r')
                line.len--;
            if (!s->line.failed)
                take_line(s, line);
        }
        if (s->line.failed || s->event.failed || s->data.failed)
            return s->line.failed    ? s->line.failed
                   : s->event.failed ? s->event.failed
                                     : s->data.failed;
        if (!end)
            return 0;
        buf_reset(&s->line);
        piece = (struct str){piece.data + len + 1, piece.len - len - 1};
    }
    return 0;
}
