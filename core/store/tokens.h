// The part of the store that is about tokens: who may call the API. The secret itself is never
// stored. As store/store.h, whose contract it belongs to.
#ifndef STORE_TOKENS_H
#define STORE_TOKENS_H

#include "store/store.h"

enum { STORE_TOKEN_HASH_LEN = 32 };

// What a token is for; the numbers are stored.
enum store_role { STORE_ROLE_INGEST = 0, STORE_ROLE_READ = 1, STORE_ROLE_ADMIN = 2 };
const char *store_role_word(enum store_role role);
int store_role_parse(struct str word, enum store_role *out); // ERR_INVALID

struct store_token {
    uint64_t id;     // ordered by time
    struct str name; // of those that are not revoked each has another
    enum store_role role;
    struct str hash; // SHA-256 of the token, STORE_TOKEN_HASH_LEN bytes
    int64_t created_at_ms;
    int64_t expires_at_ms;   // 0: never
    int64_t last_used_at_ms; // 0: never
    int64_t revoked_at_ms;   // 0: it is good
    int64_t rate_count;      // requests in rate_ms at most; both 0: any
    int64_t rate_ms;
};

struct store_token_put {
    struct store_item item; // the store's
    struct store_token row; // a new one
    void (*on_done)(struct store_token_put *p);
    void *ctx;
    int code; // out: 0; ERR_CONFLICT: one that is not revoked has the name; ERR_FULL, ERR_IO, ...
};
void store_token_put(struct store *s, struct store_token_put *p);

struct store_token_revoke {
    struct store_item item; // the store's
    uint64_t id;
    int64_t at_ms;
    void (*on_done)(struct store_token_revoke *q);
    void *ctx;
    int code; // out: 0; ERR_NOT_FOUND: there is none, or it is revoked already
};
// It is good for nothing any more. Its row stays until retention takes the acts of that time.
void store_token_revoke(struct store *s, struct store_token_revoke *q);

struct store_token_used {
    struct store_item item; // the store's
    uint64_t id;
    int64_t at_ms;
    void (*on_done)(struct store_token_used *q);
    void *ctx;
    int code; // out: 0, also where there is none
};
// Notes that it was used. Not synced: a power loss may undo it.
void store_token_used(struct store *s, struct store_token_used *q);

struct store_tokens {       // those that are not revoked, for the start
    struct store_item item; // the store's
    struct arena *arena;
    void (*on_done)(struct store_tokens *q);
    void *ctx;
    // out:
    int code;
    struct store_token *rows;
    size_t count;
};
void store_tokens(struct store *s, struct store_tokens *q);

#endif
