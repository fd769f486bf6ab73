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
    bool never_arrived;     // where there is no answer: no connection was made
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
// Finds out again where the host is and what its token is: it may have been started anew. An error
// where there is none; then all is as it was.
int remote_look_again(struct remote *r, const struct invocation *in);
struct loop *remote_loop(struct remote *r);
// A GET whose answer goes on and on: each piece of it (of an answer 200) to on_piece, until that is
// false. Runs on the remote's loop, which the caller runs; one at a time, nothing else meanwhile.
// on_done: code 0 and the answer's status, with words in `why` where that is not a 2xx; or ERR_IO
// with words where none came, or it broke off. An error here: nothing was begun.
int remote_stream(struct remote *r, const char *path, bool (*on_piece)(void *ctx, struct str piece),
                  void (*on_done)(void *ctx, int code, const struct remote_answer *answer,
                                  const struct err *why),
                  void *ctx, struct err *e);
// What the host says of a refusal (problem+json), for people.
void remote_describe(const struct remote *r, const struct remote_answer *a, struct err *e);

#endif
