#include "api/access.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/admin_token.h"
#include "api/tries.h"
#include "base/map.h"
#include "encode/sha256.h"

enum {
    ACCESS_ADMIN_ID = 1, // no id of a source is that small
    USED_EVERY_MS = 60 * 1000,
    SECRET_BYTES = 32,
    KEY_BYTES = 8 // of a hash, to find it by; then the whole is compared
};

static const struct str ALPHABET = {"abcdefghijklmnopqrstuvwxyz234567", 32};

struct access_token {
    uint64_t id;
    enum store_role role;
    struct rate rate;
    struct rate_meter meter;
    int64_t created_at_ms;
    int64_t expires_at_ms;
    int64_t last_used_at_ms;
    int64_t marked_ms; // loop_now_ms: when its last use was noted; 0: not since the start
    bool is_marking;
    bool is_gone; // revoked while it was being noted
    struct store_token_used used;
    unsigned char hash[SHA256_LEN];
    char name[ACCESS_NAME_MAX + 1];
};

struct access {
    struct access_config config;
    struct sha256 *sha256;
    struct map by_hash;
    struct map by_id;
    struct tries tries;
    struct store_tokens read; // at the start
    struct arena arena;
    void (*on_loaded)(void *ctx, int code);
    void *loaded_ctx;
};

const char *role_word(enum role role)
{
    static const char *const words[] = {[ROLE_ADMIN] = "admin",
                                        [ROLE_READ] = "read",
                                        [ROLE_INGEST] = "ingest",
                                        [ROLE_OPEN] = "open"};
    return words[role];
}

static bool role_may(enum store_role has, enum role wanted)
{
    switch (wanted) {
    case ROLE_READ:
        return has == STORE_ROLE_READ || has == STORE_ROLE_ADMIN;
    case ROLE_INGEST:
        return has == STORE_ROLE_INGEST || has == STORE_ROLE_ADMIN;
    case ROLE_OPEN:
        return true;
    case ROLE_ADMIN:
        break;
    }
    return has == STORE_ROLE_ADMIN;
}

static struct str id_key(const uint64_t *id)
{
    return (struct str){(const char *)id, sizeof *id};
}

static struct str hash_key(const unsigned char *hash)
{
    return (struct str){(const char *)hash, KEY_BYTES};
}

// --- the table -----------------------------------------------------------------------------------

int access_add(struct access *a, const struct store_token *row)
{
    struct access_token *t = calloc(1, sizeof *t);
    if (t == NULL || row->name.len > ACCESS_NAME_MAX || row->hash.len != SHA256_LEN) {
        free(t);
        return t ? ERR_CORRUPT : ERR_NOMEM;
    }
    t->id = row->id;
    t->role = row->role;
    t->rate = (struct rate){row->rate_count, row->rate_ms};
    t->created_at_ms = row->created_at_ms;
    t->expires_at_ms = row->expires_at_ms;
    t->last_used_at_ms = row->last_used_at_ms;
    memcpy(t->name, row->name.data, row->name.len);
    memcpy(t->hash, row->hash.data, SHA256_LEN);
    if (map_put(&a->by_hash, hash_key(t->hash), t)) {
        free(t);
        return ERR_NOMEM;
    }
    if (map_put(&a->by_id, id_key(&t->id), t)) {
        map_remove(&a->by_hash, hash_key(t->hash));
        free(t);
        return ERR_NOMEM;
    }
    return 0;
}

void access_remove(struct access *a, uint64_t id)
{
    struct access_token *t = map_remove(&a->by_id, id_key(&id));
    if (t == NULL) {
        return;
    }
    map_remove(&a->by_hash, hash_key(t->hash));
    t->is_gone = true;
    if (!t->is_marking) {
        free(t);
    }
}

const char *access_find(const struct access *a, uint64_t id)
{
    const struct access_token *t = map_get(&a->by_id, id_key(&id));
    return t ? t->name : NULL;
}

static bool token_has_expired(const struct access *a, const struct access_token *t)
{
    return t->expires_at_ms && clock_wall_ms(loop_clock(a->config.loop)) >= t->expires_at_ms;
}

bool access_is_good(const struct access *a, uint64_t id)
{
    const struct access_token *t = map_get(&a->by_id, id_key(&id));
    return t && !token_has_expired(a, t);
}

uint64_t access_find_token(const struct access *a, struct str name_or_id)
{
    uint64_t id = 0;
    size_t at = 0;
    void *value;
    if (id_read_shown(name_or_id, ID_TOKEN, &id) == 0) {
        return access_find(a, id) ? id : 0;
    }
    while (map_next(&a->by_id, &at, NULL, &value)) {
        const struct access_token *t = value;
        if (t->id != ACCESS_ADMIN_ID && str_eq(str_from(t->name), name_or_id)) {
            return t->id;
        }
    }
    return 0;
}

bool access_row(const struct access *a, uint64_t id, struct store_token *out)
{
    const struct access_token *t = map_get(&a->by_id, id_key(&id));
    if (t) {
        *out = (struct store_token){.id = t->id,
                                    .name = str_from(t->name),
                                    .role = t->role,
                                    .created_at_ms = t->created_at_ms,
                                    .expires_at_ms = t->expires_at_ms,
                                    .last_used_at_ms = t->last_used_at_ms,
                                    .rate_count = t->rate.count,
                                    .rate_ms = t->rate.per_ms};
    }
    return t != NULL;
}

// --- a call --------------------------------------------------------------------------------------

static void on_used(struct store_token_used *used)
{
    struct access_token *t = used->ctx;
    t->is_marking = false; // that the store cannot write is told by what matters more
    if (t->is_gone) {
        free(t);
    }
}

// Once a minute at most, and nobody waits for it.
static void note_use(struct access *a, struct access_token *t, int64_t now_ms)
{
    if ((t->marked_ms && now_ms - t->marked_ms < USED_EVERY_MS) || t->is_marking ||
        t->id == ACCESS_ADMIN_ID) {
        return;
    }
    t->marked_ms = now_ms;
    t->last_used_at_ms = clock_wall_ms(loop_clock(a->config.loop));
    t->is_marking = true;
    t->used = (struct store_token_used){
        .id = t->id, .at_ms = t->last_used_at_ms, .on_done = on_used, .ctx = t};
    store_token_used(a->config.store, &t->used);
}

// 0, with *out NULL where there is no such token; or ERR_NOMEM.
static int find_by_secret(struct access *a, struct str authorization, struct access_token **out)
{
    const size_t len = sizeof "bearer " - 1;
    unsigned char hash[SHA256_LEN];
    *out = NULL;
    if (authorization.len <= len ||
        !str_eq_nocase((struct str){authorization.data, len}, STR("bearer "))) {
        return 0;
    }
    struct str secret = str_trim((struct str){authorization.data + len, authorization.len - len});
    if (sha256_digest(a->sha256, secret, hash)) {
        return ERR_NOMEM;
    }
    struct access_token *t = map_get(&a->by_hash, hash_key(hash));
    bool is_it = t && str_eq_constant_time((struct str){(char *)t->hash, sizeof t->hash},
                                           (struct str){(char *)hash, sizeof hash});
    *out = is_it ? t : NULL;
    return 0;
}

enum access_verdict access_judge(struct access *a, struct str authorization, enum role wanted,
                                 struct access_caller *caller)
{
    struct access_token *t;
    *caller = (struct access_caller){0};
    if (find_by_secret(a, authorization, &t)) {
        return ACCESS_NOMEM;
    }
    if (t == NULL) {
        return ACCESS_UNKNOWN;
    }
    const int64_t now_ms = loop_now_ms(a->config.loop, LOOP_HOST_TIME);
    caller->id = t->id;
    caller->name = t->name;
    caller->role = store_role_word(t->role);
    if (token_has_expired(a, t)) {
        return ACCESS_EXPIRED;
    }
    note_use(a, t, now_ms);
    if (!role_may(t->role, wanted)) {
        return ACCESS_FORBIDDEN;
    }
    caller->wait_ms = rate_take(&t->meter, t->rate, now_ms);
    return caller->wait_ms ? ACCESS_TOO_FAST : ACCESS_GRANTED;
}

int64_t access_failed(struct access *a, struct str peer)
{
    bool is_news;
    int64_t wait_ms =
        tries_count(&a->tries, peer, loop_now_ms(a->config.loop, LOOP_HOST_TIME), &is_news);
    if (is_news) {
        log_warn(a->config.log,
                 "too many wrong tokens from " STR_FMT ": it is answered 429 for a while",
                 STR_ARG(peer));
    }
    return wait_ms;
}

// --- new tokens ----------------------------------------------------------------------------------

const char *access_name_fault(struct str name)
{
    if (name.len == 0 || name.len > ACCESS_NAME_MAX) {
        return "a name has 1 to 63 characters";
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!is_word && c != '-' && c != '_' && c != '.') {
            return "a name has letters, digits, - _ and .";
        }
    }
    if (str_eq(name, STR(ACCESS_ADMIN)) || str_eq(name, STR("SIGHUP")) ||
        str_starts_with(name, STR(ID_TOKEN))) {
        return "that is the name of something else: admin, SIGHUP, tok_...";
    }
    return NULL;
}

// "hl_ROLE_" and 52 characters of base32.
static void make_secret(enum store_role role, char out[ACCESS_TOKEN_MAX])
{
    unsigned char random[SECRET_BYTES + 1] = {0};
    random_bytes(random, SECRET_BYTES);
    int at = snprintf(out, ACCESS_TOKEN_MAX, "hl_%s_", store_role_word(role));
    for (unsigned bit = 0; bit < SECRET_BYTES * 8; bit += 5) {
        unsigned two = (unsigned)random[bit / 8] << 8 | random[bit / 8 + 1];
        out[at++] = ALPHABET.data[two >> (11 - bit % 8) & 31];
    }
    out[at] = '\0';
    explicit_bzero(random, sizeof random);
}

int access_make(struct access *a, const struct access_new_token *new, struct access_made *out)
{
    if (a->by_id.count > ACCESS_TOKENS_MAX) { // with the one of admin.token
        return ERR_TOO_LARGE;
    }
    int64_t now_ms = clock_wall_ms(loop_clock(a->config.loop));
    make_secret(new->role, out->token);
    if (sha256_digest(a->sha256, str_from(out->token), out->hash)) {
        return ERR_NOMEM;
    }
    memcpy(out->name, new->name.data, new->name.len);
    out->name[new->name.len] = '\0';
    out->row = (struct store_token){.id = id_next(a->config.ids, now_ms),
                                    .name = {out->name, new->name.len},
                                    .role = new->role,
                                    .hash = {(char *)out->hash, sizeof out->hash},
                                    .created_at_ms = now_ms,
                                    .expires_at_ms = new->expires_at_ms,
                                    .rate_count = new->rate.count,
                                    .rate_ms = new->rate.per_ms};
    return 0;
}

// --- life ----------------------------------------------------------------------------------------

static int add_admin(struct access *a, struct err *e)
{
    char *token = NULL;
    unsigned char hash[SHA256_LEN];
    int code = admin_token_load(a->config.data_dir, &token, e);
    if (code) {
        return code;
    }
    code = sha256_digest(a->sha256, str_from(token), hash);
    explicit_bzero(token, strlen(token));
    free(token);
    if (code) {
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    struct store_token row = {.id = ACCESS_ADMIN_ID,
                              .name = STR(ACCESS_ADMIN),
                              .role = STORE_ROLE_ADMIN,
                              .hash = {(char *)hash, sizeof hash}};
    return access_add(a, &row) ? err_set(e, ERR_NOMEM, "out of memory") : 0;
}

int access_new(struct access **out, const struct access_config *c, struct err *e)
{
    struct access *a = *out = calloc(1, sizeof *a);
    if (a == NULL || (a->sha256 = sha256_new()) == NULL) {
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    a->config = *c;
    map_init(&a->by_hash);
    map_init(&a->by_id);
    tries_init(&a->tries);
    return add_admin(a, e);
}

static void on_tokens(struct store_tokens *q)
{
    struct access *a = q->ctx;
    int code = q->code;
    for (size_t i = 0; i < q->count && code == 0; i++) {
        code = access_add(a, &q->rows[i]);
    }
    arena_fini(&a->arena);
    a->on_loaded(a->loaded_ctx, code);
}

void access_load(struct access *a, void (*on_loaded)(void *ctx, int code), void *ctx)
{
    arena_init(&a->arena, 16 << 20);
    a->on_loaded = on_loaded;
    a->loaded_ctx = ctx;
    a->read = (struct store_tokens){.arena = &a->arena, .on_done = on_tokens, .ctx = a};
    store_tokens(a->config.store, &a->read);
}

void access_free(struct access *a)
{
    size_t at = 0;
    void *value;
    if (a == NULL) {
        return;
    }
    while (map_next(&a->by_id, &at, NULL, &value)) {
        free(value);
    }
    map_fini(&a->by_hash);
    map_fini(&a->by_id);
    sha256_free(a->sha256);
    free(a);
}
