// The log on stderr: text where it is a terminal, JSON lines otherwise. A line is one write(2). Any
// thread. Each line has time, level, message and fields (event, delivery, workflow, ...). Where
// stderr is systemd's journal, a line begins with its priority (sd-daemon(3)), which the journal
// takes off it.
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/clock.h"
#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

struct log {
    int fd;
    enum log_format format;
    bool is_journal;
    enum log_level least;      // lines below it are dropped
    const struct clock *clock; // borrowed
};

struct log_field {
    const char *key;
    struct str value; // any bytes; control characters and bad UTF-8 are escaped
};

// The format by isatty(fd), from LOG_INFO on; $JOURNAL_STREAM says whether fd is the journal.
void log_init(struct log *l, int fd, const struct clock *clock);
void log_write(const struct log *l, enum log_level level, const struct log_field *fields,
               size_t field_count, const char *format, ...) __attribute__((format(printf, 5, 6)));

// The fields of one line, as two arguments of log_write:
//     log_write(l, LOG_WARN, LOG_FIELDS({"workflow", id}, {"target", name}), "...")
#define LOG_FIELDS(...)                                                                            \
    (const struct log_field[]){__VA_ARGS__},                                                       \
        sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field)

#define log_info(l, ...) log_write((l), LOG_INFO, NULL, 0, __VA_ARGS__)
#define log_warn(l, ...) log_write((l), LOG_WARN, NULL, 0, __VA_ARGS__)
#define log_error(l, ...) log_write((l), LOG_ERROR, NULL, 0, __VA_ARGS__)

#endif
