// Errors: functions return 0 or a negative enum err_code; where a person will read the fault, a
// last parameter `struct err *` (may be NULL) takes the words. Context is added once a layer with
// err_context(); an error is logged where it is handled, never where it is passed on.
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum err_code {
    ERR_OK = 0,
    ERR_NOMEM = -1,     // an allocation failed
    ERR_INVALID = -2,   // malformed input
    ERR_TOO_LARGE = -3, // a size, count or depth bound was met
    ERR_NOT_FOUND = -4,
    ERR_CONFLICT = -5, // the same key with another value
    ERR_IO = -6,
    ERR_FULL = -7,     // no space on the disk, or the high-water mark
    ERR_BUSY = -8,     // held by another process or thread
    ERR_CORRUPT = -9,  // a stored file is damaged
    ERR_VERSION = -10, // written by a newer version
    ERR_REFUSED = -11, // not allowed
    ERR_TIMEOUT = -12,
    ERR_CLOSED = -13,     // the part is shutting down
    ERR_UNSUPPORTED = -14 // known, but not there yet
};

enum { ERR_TEXT_MAX = 1024 };

struct err {
    enum err_code code;
    char text[ERR_TEXT_MAX]; // NUL-terminated UTF-8, cut at the end when too long
};

// Sets code and text (printf style). `e` may be NULL. Returns code.
int err_set(struct err *e, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Puts "CONTEXT: " before the text. `e` may be NULL. Returns e->code (ERR_OK for NULL).
int err_context(struct err *e, const char *format, ...) __attribute__((format(printf, 2, 3)));

// A constant word for a code ("invalid", "too_large"), for logs.
const char *err_word(enum err_code code);

#endif
