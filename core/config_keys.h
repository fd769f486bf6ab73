// The keys of the configuration: one table from which the file, the environment and the flags are
// read, and the values checked. Used by config*.c alone.
#ifndef CONFIG_KEYS_H
#define CONFIG_KEYS_H

#include "config.h"

enum config_kind {
    CONFIG_TEXT,
    CONFIG_PATH,           // relative ones in the file count from the file's folder
    CONFIG_LISTEN_ADDRESS, // one, or a list; in the environment with commas between
    CONFIG_MODE,           // of a file, in octal
    CONFIG_URL,
    CONFIG_COUNT,     // a whole number
    CONFIG_BYTES,     // a whole number, or "64KiB", "8MiB", "1GiB", "1TiB"
    CONFIG_AGE,       // "30d"
    CONFIG_BLOCKS,    // a list of addresses and blocks; in the environment with commas between
    CONFIG_LOG_LEVEL, // "debug", "info", "warn", "error"
    CONFIG_LOG_FORMAT,
    CONFIG_VAR,          // vars.NAME
    CONFIG_TARGET_COUNT, // targets["https://host"].in_flight
    CONFIG_TARGET_RATE,  // "20/s"
    CONFIG_TARGET_PATH,
    CONFIG_TARGET_PROXY, // a URL, or the name of a secret that holds one
    CONFIG_MAIL_SERVER,
    CONFIG_MAIL_FROM,
    CONFIG_MAIL_ADMIN, // a list of addresses, given one by one
    CONFIG_MAIL_TLS,
    CONFIG_MAIL_PASSWORD, // the name of a secret
    CONFIG_OTLP_HEADER,   // otlp.headers.NAME: a text, or the name of a secret
    CONFIG_ELSEWHERE,     // an environment variable that another part reads
    CONFIG_TOKEN          // the same, never shown
};

enum { CONFIG_SEGMENTS_MAX = 3 };

#define CONFIG_DAY_MS (INT64_C(24) * 60 * 60 * 1000)

struct config_key {
    const char *pattern;     // "limits.body", "targets.*.rate"; NULL: not in the file
    const char *environment; // "HOOKLINE_LIMITS_BODY"; NULL: not there
    const char *flag;        // "--data"; NULL: not there
    enum config_kind kind;
    size_t offset; // in struct config; TARGET_*: in struct config_target
    int64_t least; // COUNT, BYTES, TARGET_COUNT; AGE, in ms
    int64_t most;
};

// The table; it ends with a key that has no name of any kind.
extern const struct config_key config_keys[];

// Where a value stands, for messages, and what goes with it.
struct config_place {
    enum config_source source;
    const char *label;  // "hookline.conf.lua: limits.body", "HOOKLINE_DATA", "--data"
    const char *folder; // put before a relative path; NULL: nothing
    struct str name;    // VAR, OTLP_HEADER: the name; TARGET_*: the target as written
    bool is_secret;     // TARGET_PROXY, OTLP_HEADER: the text is a secret's name
};

// Puts a value in place, or a message why not. text is copied.
void config_key_set(struct config *c, const struct config_key *k, const struct config_place *at,
                    struct str text);

// The same for where to listen.
void config_listen_set(struct config *c, const struct config_key *k, const struct config_place *at,
                       struct str text);
void config_listen_check(struct config *c);

// The same for mail.*.
void config_mail_set(struct config *c, const struct config_key *k, const struct config_place *at,
                     struct str text);
// Says what is missing, once all is read.
void config_mail_check(struct config *c);

// The same for targets.*.
void config_targets_set(struct config *c, const struct config_key *k, const struct config_place *at,
                        struct str text);
void config_targets_check(struct config *c);

// Whether it is letters, digits and _, and no digit first.
bool config_is_name(struct str s);
// An amount of bytes in the largest unit that has no rest: "8MiB".
void config_bytes_format(char out[32], int64_t n);
// Where the value in force of a key stands that was given: "hookline.conf.lua: tls.cert",
// "HOOKLINE_TLS_CERT" or "--tls-cert".
const char *config_where(struct config *c, const char *pattern);

// A number in the key's bounds, or a message why not.
bool config_key_amount(struct config *c, const struct config_key *k, const struct config_place *at,
                       struct str text, int64_t *out);
// A path, a relative one put behind the place's folder; NULL and a message where it is none.
const char *config_key_path(struct config *c, const struct config_place *at, struct str text);

// A wrong value as a message may show it: "****" where it may be a URL with a password. Only for a
// key that takes a number, a word of a few or an address; what stands at any other is never shown.
struct str config_shown(struct str text);
// Adds a message (and counts it as an error where it is one).
void config_say(struct config *c, bool is_error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// A plain setting: what the environment gives counts only where the file gave none.
void config_add_var(struct config *c, const struct config_place *at, struct str value);

// Remembers where a value came from.
void config_note(struct config *c, const struct config_key *k, const struct config_place *at,
                 struct str text);

// The line of a Lua text at which a key of that name is given a value; 0 where that is not to be
// told: nowhere, or at several places.
size_t config_line_of(struct str text, struct str name);
// Puts the line of that key behind the file's name in the messages from that number on.
void config_say_line(struct config *c, size_t from, struct str name);

// Reads the file at path into c. Faults become messages.
void config_read_file(struct config *c, const char *path);

#endif
