// The options of a command line, by a declarative table: "--flag value", "--flag=value", "--" ends
// them, "-" alone is an argument. Values are checked for their kind here, so that a wrong one is
// wrong usage (exit 2) before anything is done. Main thread; the parsed options borrow from argv.
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "base/err.h"
#include "base/str.h"

enum option_kind {
    OPTION_SWITCH,     // takes no value
    OPTION_TEXT,       // anything but nothing
    OPTION_PATH,       // not empty
    OPTION_MAYBE_PATH, // the same, or no value at all, which is ""
    OPTION_COUNT,      // a whole number from 1 to 1,000
    OPTION_NUMBER,     // a whole number from 1
    OPTION_LISTEN,     // ADDR:PORT, as loop_listen takes it
    OPTION_CIDR,       // an address or a block of addresses
    OPTION_URL,        // http or https
    OPTION_HOST,       // the same, or unix:PATH
    OPTION_TARGET,     // scheme, host and port, as url_target_of takes it
    OPTION_SINCE,      // a duration back from now ("2d"), or a time (options_since)
    OPTION_DURATION,   // "10m"
    OPTION_STATE,      // a delivery's state, or owed
    OPTION_OUTCOME,    // a run's
    OPTION_ROLE,       // a token's role
    OPTION_RATE        // "100/s"
};

struct option {
    const char *name;     // without "--"
    const char *argument; // as --help shows it ("DIR"); NULL for a switch
    enum option_kind kind;
    bool is_repeatable; // else a second one is refused
    bool is_hidden;     // not in --help
    const char *help;   // one line
};

enum { OPTIONS_VALUES_MAX = 64, OPTIONS_ARGUMENTS_MAX = 512, OPTIONS_TABLES_MAX = 8 };

struct option_value {
    const struct option *option;
    const char *text; // "" for a switch
};

struct options {
    const struct option *tables[OPTIONS_TABLES_MAX]; // each ends with a name of NULL
    size_t table_count;
    struct option_value values[OPTIONS_VALUES_MAX];
    size_t value_count;
    const char *arguments[OPTIONS_ARGUMENTS_MAX];
    size_t argument_count;
};

// tables: borrowed for the options' life.
void options_init(struct options *o);
void options_add_table(struct options *o, const struct option *table);
// Parses all of argv. ERR_INVALID with words that say what to write instead, with the nearest right
// name.
int options_parse(struct options *o, int argc, char *const *argv, struct err *e);

bool options_has(const struct options *o, const char *name);
// The value of an option, NULL where it was not given.
const char *options_text(const struct options *o, const char *name);
// A number (OPTION_COUNT); `otherwise` where it was not given.
int64_t options_count(const struct options *o, const char *name, int64_t otherwise);
// What OPTION_SINCE means as wall time: "2d" before now_ms, an RFC 3339 time, midnight of a date, a
// time without a zone ("2026-11-23 09:15", with T or seconds too), or "09:15", which is today's, or
// yesterday's where that lies ahead. What says no zone is UTC. ERR_INVALID.
int options_since(const char *text, int64_t now_ms, int64_t *at_ms);
// Visits the values of a repeatable option: start with *at = 0; NULL at the end.
const char *options_next(const struct options *o, const char *name, size_t *at);

#endif
