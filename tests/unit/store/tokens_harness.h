// What the tests of tokens share.
#ifndef TESTS_STORE_TOKENS_HARNESS_H
#define TESTS_STORE_TOKENS_HARNESS_H

#include "store/harness.h"

#include "store/tokens.h"

static inline void token_put_ignore(struct store_token_put *p)
{
    (void)p;
}

// With a hash that begins with the id and is 32 bytes long.
static inline int put_token(struct fixture *f, uint64_t id, const char *name, enum store_role role)
{
    unsigned char hash[STORE_TOKEN_HASH_LEN] = {0};
    memcpy(hash, &id, sizeof id);
    struct store_token_put p = {.row = {.id = id,
                                        .name = str_from(name),
                                        .role = role,
                                        .hash = {(char *)hash, sizeof hash},
                                        .created_at_ms = f->now_ms},
                                .on_done = token_put_ignore,
                                .code = 1};
    store_token_put(f->store, &p);
    loop_run(f->loop);
    return p.code;
}

static inline void token_revoke_ignore(struct store_token_revoke *q)
{
    (void)q;
}

static inline int revoke_token(struct fixture *f, uint64_t id, int64_t at_ms)
{
    struct store_token_revoke q = {
        .id = id, .at_ms = at_ms, .on_done = token_revoke_ignore, .code = 1};
    store_token_revoke(f->store, &q);
    loop_run(f->loop);
    return q.code;
}

static inline void tokens_ignore(struct store_tokens *q)
{
    (void)q;
}

static inline struct store_tokens all_tokens(struct fixture *f)
{
    struct store_tokens q = {.arena = &f->arena, .on_done = tokens_ignore, .code = 1};
    store_tokens(f->store, &q);
    loop_run(f->loop);
    assert_int_equal(q.code, 0);
    return q;
}

#endif
