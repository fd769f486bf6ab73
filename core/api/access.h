// Who may call the API: the tokens that are good, each with its role and its limit, and how many
// wrong ones an address may try. All of them are in memory, by the hash of their secret, so that a
// call costs neither a look into the store nor an allocation. Loop thread only.
#ifndef API_ACCESS_H
#define API_ACCESS_H

#include "base/id.h"
#include "base/log.h"
#include "base/rate.h"
#include "store/tokens.h"

struct access;

enum { ACCESS_TOKENS_MAX = 1000, ACCESS_NAME_MAX = 63, ACCESS_TOKEN_MAX = 80 };

#define ACCESS_ADMIN "admin" // the name of the token in DATA/admin.token

// What a route wants of its caller; a row that says nothing wants most.
enum role { ROLE_ADMIN, ROLE_READ, ROLE_INGEST, ROLE_OPEN };
const char *role_word(enum role role); // "admin"

struct access_config {
    struct loop *loop;
    struct store *store;
    struct id_source *ids;
    const struct log *log;
    const char *data_dir; // admin.token is a file in it, made (0600) where it is not there
};

// Reads DATA/admin.token, or makes it.
int access_new(struct access **out, const struct access_config *c, struct err *e);
// Reads the tokens of the store. Nobody may call before that is done.
void access_load(struct access *a, void (*on_loaded)(void *ctx, int code), void *ctx);
// Once the store is closed. NULL is fine.
void access_free(struct access *a);

// --- a call --------------------------------------------------------------------------------------

enum access_verdict {
    ACCESS_GRANTED,
    ACCESS_UNKNOWN,   // no token, or a wrong or revoked one
    ACCESS_EXPIRED,   // `caller` says whose
    ACCESS_FORBIDDEN, // another role is wanted than the caller's
    ACCESS_TOO_FAST,  // over its limit: wait_ms
    ACCESS_NOMEM      // whose token it is could not be found out
};

struct access_caller {
    uint64_t id;      // access_find gives it again; 0: nobody
    const char *name; // borrowed until the next turn
    const char *role;
    int64_t wait_ms;
};

// authorization: the header's value. A call that is granted is counted.
enum access_verdict access_judge(struct access *a, struct str authorization, enum role wanted,
                                 struct access_caller *caller);
// A call was ACCESS_UNKNOWN or ACCESS_EXPIRED though it had a token. peer: where it came from. 0;
// or how many milliseconds that address is to wait, since it has tried too many.
int64_t access_failed(struct access *a, struct str peer);
// The name of a caller of earlier, borrowed until the next turn; NULL: it is revoked.
const char *access_find(const struct access *a, uint64_t id);
// Whether its token is good still: neither revoked nor expired.
bool access_is_good(const struct access *a, uint64_t id);

// --- tokens --------------------------------------------------------------------------------------

struct access_new_token {
    struct str name;
    bool has_role;
    enum store_role role;
    int64_t expires_at_ms; // 0: never
    struct rate rate;      // count 0: any
};

// NULL, or why it cannot be the name of a token, in words.
const char *access_name_fault(struct str name);
// Makes a secret and its row; the texts that the row points at are in *made.
struct access_made {
    struct store_token row;
    char name[ACCESS_NAME_MAX + 1];
    char token[ACCESS_TOKEN_MAX]; // shown once, and nowhere kept
    unsigned char hash[STORE_TOKEN_HASH_LEN];
};
// 0; ERR_TOO_LARGE: there are as many as there may be; ERR_NOMEM.
int access_make(struct access *a, const struct access_new_token *new, struct access_made *out);
// It is stored: from now on it is good. ERR_NOMEM: only after a restart.
int access_add(struct access *a, const struct store_token *row);
// It is revoked: from now on it is not.
void access_remove(struct access *a, uint64_t id);
// One that is good, by its name or "tok_...": its id, 0 for none.
uint64_t access_find_token(const struct access *a, struct str name_or_id);
// One that is good, without its hash; its name is borrowed until the next turn. false: there is
// none.
bool access_row(const struct access *a, uint64_t id, struct store_token *out);

#endif
