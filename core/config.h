// The configuration in force: defaults, then hookline.conf.lua, then the environment (HOOKLINE_*),
// then flags; the later one wins, and allowed blocks add up. Read once by config_load, then
// constant: any thread may read it. Everything it points at lives as long as it does. Keys:
// docs/configuration.md.
#ifndef CONFIG_H
#define CONFIG_H

#include "api/spans_config.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "base/netaddr.h"
#include "deliver/curl_command.h"
#include "deliver/secrets.h"
#include "script/rules.h"
#include "wire/client.h"
#include "wire/httpd.h"
#include "wire/smtp.h"

struct notices_config;

struct config_limits {       // with the defaults in parentheses
    int64_t body_bytes;      // of one POST /v1/events (8 MiB)
    int64_t events;          // in one POST /v1/events (10,000)
    int64_t depth;           // nesting of one event (64)
    int64_t owed;            // deliveries owed, above which events are answered 503 (5,000,000)
    int64_t free_disk_bytes; // below which events are answered 503 (1 GiB)
    int64_t step_budget;     // Lua steps of one run, 10,000 of them about 0.1 ms (0: the gate's)
    int64_t memory_bytes;    // allocated by one run (0: the gate's)
    int64_t output_bytes;    // of all that one run owes (0: the gate's)
    int64_t connections;     // to targets, in all (512)
};

struct config_retention { // with the defaults in parentheses
    int64_t payloads_ms;  // events' and requests' bodies, requests' heads, answers (30 days)
    int64_t attempts_ms;  // (30 days)
    int64_t ids_ms;       // of events, and of the deliveries that answered them (30 days)
    int64_t audit_ms;     // acts of operators (365 days)
    int64_t size_bytes;   // that the store may take (0: any)
};

struct config_var { // hook.var
    struct str name;
    struct str value;
};

struct config_target {
    struct str target; // "https://host:443"
    int64_t in_flight;
    int64_t interval_us; // between two requests at least; 0: as fast as it takes them
    const char *ca;      // a file of trusted authorities; NULL: the system's
    const char *cert;    // files of the client's certificate and its key; both or none
    const char *key;
    struct str proxy; // its URL, or the name of the secret that is it; {NULL,0}: none
    bool proxy_is_secret;
};

struct config_mail {
    const char *server; // "smtp://host:25"; NULL: no mail is sent
    const char *from;   // "hookline@example.com", perhaps with a name before it
    enum smtp_tls tls;
    bool tls_is_set;
    const char *user;    // NULL: no login
    struct str password; // the secret's name
    const struct str *admins;
    size_t admin_count;
};

struct config_message { // for a person; printed or logged by who loaded it
    bool is_error;
    const char *text;
};

enum config_source { // the later one wins
    CONFIG_FROM_DEFAULT,
    CONFIG_FROM_FILE,
    CONFIG_FROM_ENVIRONMENT,
    CONFIG_FROM_FLAG
};

struct config_key;

struct config_origin { // a value that was given, and where
    struct config_origin *next;
    const struct config_key *key;
    struct str name; // of a plain setting, or a target as it was written
    struct str text; // as given, a token hidden
    enum config_source source;
    const char *where; // the file, the variable or the flag
    bool is_secret;    // text is a secret's name
};

struct config {
    const char *file; // the file that was read; NULL: there is none
    const char *rules_dir;
    const char *data_dir;
    const char *library_dir;                 // NULL: the embedded Lua library
    const char *listen[HTTPD_LISTENERS_MAX]; // "127.0.0.1:8080", "https://:443", "unix:/path"
    size_t listen_count;
    const char *listen_from; // which key, variable or flag gave them; NULL: the default
    unsigned socket_mode;    // rights of a Unix socket's file (0660)
    const char *tls_cert;    // files of the listener's certificate and its key; NULL: no TLS
    const char *tls_key;
    const char *redirect_all; // the URL that gets every callback; NULL: none
    const char *test_clock;   // the socket's path; NULL: real time
    const char *crash_at;     // the point at which to die (tests); NULL: none
    bool no_watch;            // the rules folder is read when it is asked for alone
    struct netblock *allow;
    size_t allow_count;
    struct config_limits limits;
    struct config_retention retention;
    enum log_level log_level;
    bool log_format_is_set; // else by whether stderr is a terminal
    enum log_format log_format;
    struct config_var *vars;
    size_t var_count;
    struct config_target *targets;
    size_t target_count;
    struct config_mail mail;
    struct spans_config otlp;        // where spans go
    struct config_message *messages; // in the order they were found
    size_t message_count;
    struct config_origin *origins; // as they were read, the later one wins; lists add up
    struct config_origin *last_origin;
    struct arena arena; // what all of this is made of
};

enum { CONFIG_IN_FLIGHT_DEFAULT = 64 }; // deliveries under way to one target

struct config_flags { // NULL: not given; borrowed until config_load has returned
    const char *config_file;
    const char *rules_dir;
    const char *data_dir;
    const char *library_dir;
    const char *const *listen;
    size_t listen_count;
    const char *socket_mode;
    const char *tls_cert;
    const char *tls_key;
    const char *redirect_all;
    const char *test_clock;
    const char *crash_at;
    bool no_watch;
    const char *const *allow;
    size_t allow_count;
};

// environment: "NAME=value" texts, NULL-terminated (environ). Without flags->config_file (or
// HOOKLINE_CONFIG) a missing hookline.conf.lua is fine. Relative paths in the file count from its
// folder. ERR_INVALID where anything is wrong: every fault is in the messages, the first in e.
// config_fini whatever it returned.
int config_load(struct config *out, const struct config_flags *flags, char *const *environment,
                struct err *e);
void config_fini(struct config *c);
// The log by this configuration, to stderr; the warnings about the configuration go into it.
void config_open_log(const struct config *c, struct log *log, struct clock *clock);
// What mail.* says of notices.
void config_notices(const struct config *c, struct notices_config *out);

// The value of a plain setting (hook.var), {NULL,0} where it has none. ctx: the struct config. Any
// thread.
struct str config_var(void *ctx, struct str name);

// One value in force. Borrowed for the visit.
struct config_value {
    const char
        *key; // "limits.body", "targets[\"https://h\"].rate"; a flag or variable without a key
    const char *text; // as one would write it; NULL: none is set
    enum config_source source;
    const char *where; // the file, the variable or the flag; NULL: the default
};
// Every key with what is in force, in the order of the documents; what adds up (network.allow) once
// for each place. Passwords and tokens are hidden. ERR_NOMEM where it is not all of it.
int config_each_value(const struct config *c,
                      void (*visit)(void *ctx, const struct config_value *v), void *ctx);

// How workflow files are loaded by this configuration; c stays borrowed by it.
struct rules_config config_rules(const struct config *c);
// The block that redirect_all's own address needs, where that is known without a lookup; else one
// that holds nothing (a prefix of 128 on "::"), and false.
bool config_redirect_block(const struct config *c, struct netblock *out);
// What the configuration says of a target ("https://host:443"), or what holds where it says
// nothing. Never NULL.
const struct config_target *config_target(const struct config *c, struct str target);
// Reads the files and secrets of all targets and hands them to the client. Where one is missing or
// bad: ERR_INVALID with words that name the key and the file, and the client has what it had.
int config_give_targets(const struct config *c, struct secrets *secrets, struct client *client,
                        struct err *e);
// The same for a curl command. config: a struct config.
void config_curl_target(void *config, struct str target, struct curl_command_target *out);

// "ADDR:PORT", ":PORT", "[ADDR]:PORT", each perhaps behind http:// or https://, or "unix:PATH".
// ERR_INVALID with words.
int config_check_listen(struct str text, struct err *e);
// The listeners: TCP with TLS where there is a certificate and http:// does not say otherwise.
// Returns their count; what they point at is the configuration's.
size_t config_listens(const struct config *c, struct httpd_listen out[HTTPD_LISTENERS_MAX]);
// The same for a socket that was passed to the host, by the name that it was given ("http").
bool config_socket_is_tls(const struct config *c, int fd, const char *name);
// Reads the listener's certificate and key and hands them to tls; nothing where there is none.
// Where they are missing or bad: an error with words that name the key and the file, and tls has
// what it had.
int config_give_tls(const struct config *c, struct tls_server *tls, const struct log *log,
                    struct err *e);

#endif
