// Calls to a running host, one at a time, each waited for: the one of the data folder
// (DATA/address, DATA/admin.token), or one elsewhere (--url, --token). Main thread; blocks.
#ifndef CLI_REMOTE_H
#define CLI_REMOTE_H

#include "cli/command.h"
#include "cli/json_tree.h"

struct remote;

struct remote_answer {
    int status;
    struct str body;        // borrowed until the next call
    int64_t retry_after_ms; // -1: none
};

// Finds out where the host is; calls nobody yet. ERR_NOT_FOUND with words where there is none.
int remote_open(struct remote **out, const struct invocation *in, const struct config *c,
                struct err *e);
void remote_close(struct remote *r); // may be NULL

// path: "/v1/events". content_type NULL: no body. An answer of any status is 0; ERR_IO with words
// that say what to do where none came.
int remote_call(struct remote *r, const char *method, const char *path, const char *content_type,
                struct str body, struct remote_answer *out, struct err *e);
// The same, for answers that only a 2xx makes useful: another status is ERR_REFUSED (404:
// ERR_NOT_FOUND) with the host's own words.
int remote_get(struct remote *r, const char *method, const char *path, struct remote_answer *out,
               struct err *e);
// The same with a JSON body.
int remote_send(struct remote *r, const char *method, const char *path, struct str body,
                struct remote_answer *out, struct err *e);
// What the host says of a refusal (problem+json), for people.
void remote_describe(const struct remote *r, const struct remote_answer *a, struct err *e);

#endif
