#include "base/err.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

// A text that was cut in the middle of a UTF-8 character loses the rest of that character.
static void drop_partial_char(char *text, size_t len)
{
    size_t start = len;
    while (start > 0 && len - start < 4) {
        unsigned char c = (unsigned char)text[--start];
        if ((c & 0xC0) == 0x80) {
            continue;
        }
        size_t whole = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
        if (len - start < whole) {
            text[start] = '\0';
        }
        return;
    }
}

static void finish_text(struct err *e, int written)
{
    if (written < 0) {
        e->text[0] = '\0';
    } else if ((size_t)written >= sizeof e->text) {
        drop_partial_char(e->text, sizeof e->text - 1);
    }
}

int err_set(struct err *e, enum err_code code, const char *format, ...)
{
    if (!e) {
        return code;
    }
    // The arguments may point into e->text.
    struct err fresh;
    va_list args;
    va_start(args, format);
    finish_text(&fresh, vsnprintf(fresh.text, sizeof fresh.text, format, args));
    va_end(args);
    e->code = code;
    memcpy(e->text, fresh.text, strlen(fresh.text) + 1);
    return code;
}

int err_context(struct err *e, const char *format, ...)
{
    if (!e) {
        return ERR_OK;
    }
    struct err context;
    va_list args;
    va_start(args, format);
    finish_text(&context, vsnprintf(context.text, sizeof context.text, format, args));
    va_end(args);

    size_t front = strlen(context.text);
    size_t old = strlen(e->text);
    size_t room = sizeof e->text - 1;
    if (front + 2 > room) {
        memcpy(e->text, context.text, front + 1);
        return e->code;
    }
    bool is_cut = old > room - front - 2;
    size_t kept = is_cut ? room - front - 2 : old;
    memmove(e->text + front + 2, e->text, kept);
    memcpy(e->text, context.text, front);
    memcpy(e->text + front, ": ", 2);
    e->text[front + 2 + kept] = '\0';
    if (is_cut) {
        drop_partial_char(e->text, front + 2 + kept);
    }
    return e->code;
}

const char *err_word(enum err_code code)
{
    switch (code) {
    case ERR_OK:
        return "ok";
    case ERR_NOMEM:
        return "no_memory";
    case ERR_INVALID:
        return "invalid";
    case ERR_TOO_LARGE:
        return "too_large";
    case ERR_NOT_FOUND:
        return "not_found";
    case ERR_CONFLICT:
        return "conflict";
    case ERR_IO:
        return "io";
    case ERR_FULL:
        return "full";
    case ERR_BUSY:
        return "busy";
    case ERR_CORRUPT:
        return "corrupt";
    case ERR_VERSION:
        return "version";
    case ERR_REFUSED:
        return "refused";
    case ERR_TIMEOUT:
        return "timeout";
    case ERR_CLOSED:
        return "closed";
    case ERR_UNSUPPORTED:
        return "unsupported";
    }
    return "unknown";
}
