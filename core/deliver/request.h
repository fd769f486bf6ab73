// From a stored request head to what goes out: secrets put in their places, the host's own headers
// added. Without secrets the same with "****", for people to see. Any thread.
#ifndef DELIVER_REQUEST_H
#define DELIVER_REQUEST_H

#include "base/arena.h"
#include "base/err.h"
#include "deliver/mask.h"
#include "deliver/secrets.h"
#include "encode/json_writer.h"
#include "wire/client.h"

enum { REQUEST_HEADERS_MAX = 80 };

struct request_input {
    struct str head;   // encode/head.h
    struct str body;   // signed where the head says so; not looked at where the request is masked
    uint64_t delivery; // the webhook-id
    struct str token;  // of hook.oauth2; empty where none was got: "****" stands in its place
    int64_t at_ms;     // wall time of the attempt: webhook-timestamp
    int attempt;       // its number, from 1: of its span in a trace
    const char
        *redirect_all; // send here instead, the original URL in hookline-original-url; or NULL
};

struct request { // on the arena
    struct str method;
    const char *url; // NUL-terminated
    struct client_header headers[REQUEST_HEADERS_MAX];
    size_t header_count;
};

// secrets NULL: masked. mask (may be NULL): takes every secret that was used. What
// secrets_get says, and ERR_NOT_FOUND for a key that cannot sign (words name it); ERR_INVALID,
// ERR_NOMEM.
int request_build(struct request *out, const struct request_input *in, struct secrets *secrets,
                  struct mask *mask, struct arena *arena, struct err *e);

// {"method","url","headers":{...},"body"}: the `request_sent` of an attempt in the API, masked. As
// a JSON member `key`, or as a value where key is NULL.
int request_write_json(struct json_writer *w, const char *key, const struct request_input *in,
                       struct str body, struct arena *arena);

#endif
