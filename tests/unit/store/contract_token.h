// The contract of tokens: who may call the API.
#ifndef TESTS_STORE_CONTRACT_TOKEN_H
#define TESTS_STORE_CONTRACT_TOKEN_H

#include "store/retain_round.h"
#include "store/tokens_harness.h"

static void tokens_are_kept_until_they_are_revoked(void **state)
{
    struct fixture *f = *state;
    uint64_t crm = next_id(f), ops = next_id(f), again = next_id(f);
    assert_int_equal(all_tokens(f).count, 0);
    assert_int_equal(put_token(f, crm, "crm", STORE_ROLE_INGEST), 0);
    assert_int_equal(put_token(f, ops, "ops", STORE_ROLE_ADMIN), 0);
    assert_int_equal(put_token(f, again, "crm", STORE_ROLE_READ), ERR_CONFLICT);
    fixture_reopen(f);
    assert_true(store_last_id(f->store) == ops);
    struct store_tokens all = all_tokens(f);
    assert_int_equal(all.count, 2);
    assert_str(all.rows[0].name, STR("crm"));
    assert_true(all.rows[0].id == crm && all.rows[0].role == STORE_ROLE_INGEST);
    assert_true(all.rows[1].id == ops && all.rows[1].role == STORE_ROLE_ADMIN);
    assert_int_equal(all.rows[0].hash.len, STORE_TOKEN_HASH_LEN);
    assert_memory_equal(all.rows[0].hash.data, &crm, sizeof crm);
    assert_true(all.rows[0].created_at_ms == f->now_ms && all.rows[0].revoked_at_ms == 0);

    assert_int_equal(revoke_token(f, crm, f->now_ms + 5), 0);
    assert_int_equal(revoke_token(f, crm, f->now_ms + 6), ERR_NOT_FOUND);
    assert_int_equal(revoke_token(f, 12345, f->now_ms), ERR_NOT_FOUND);
    assert_int_equal(all_tokens(f).count, 1);
    assert_int_equal(put_token(f, again, "crm", STORE_ROLE_READ), 0); // its name is free again
    assert_int_equal(all_tokens(f).count, 2);
}

static void token_used_ignore(struct store_token_used *q)
{
    (void)q;
}

static void a_token_is_listed_with_its_last_use(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++) {
        const char *const names[] = {"a", "b", "c"};
        assert_int_equal(put_token(f, next_id(f), names[i], STORE_ROLE_READ), 0);
    }
    uint64_t first = all_tokens(f).rows[0].id;
    struct store_token_used used = {
        .id = first, .at_ms = f->now_ms + 60000, .on_done = token_used_ignore, .code = 1};
    store_token_used(f->store, &used);
    loop_run(f->loop);
    assert_int_equal(used.code, 0);
    assert_int_equal(revoke_token(f, first, f->now_ms + 70000), 0);
    fixture_reopen(f);
    struct store_read r = {.kind = STORE_READ_TOKENS, .limit = 2};
    assert_int_equal(do_read(f, &r), 0);
    assert_int_equal(r.count, 2);
    assert_str(r.tokens[0].name, STR("c"));
    struct store_read rest = {.kind = STORE_READ_TOKENS, .limit = 2, .before = r.next};
    assert_int_equal(do_read(f, &rest), 0);
    assert_true(rest.count == 1 && rest.next == 0);
    assert_true(rest.tokens[0].last_used_at_ms == f->now_ms + 60000);
    assert_true(rest.tokens[0].revoked_at_ms == f->now_ms + 70000);
}

static void retention_takes_revoked_tokens_with_the_acts_of_their_time(void **state)
{
    struct fixture *f = *state;
    uint64_t old = next_id(f), young = next_id(f);
    assert_int_equal(put_token(f, old, "old", STORE_ROLE_READ), 0);
    assert_int_equal(put_token(f, young, "young", STORE_ROLE_READ), 0);
    assert_int_equal(put_token(f, next_id(f), "good", STORE_ROLE_READ), 0);
    assert_int_equal(revoke_token(f, old, f->now_ms - 1), 0);
    assert_int_equal(revoke_token(f, young, f->now_ms), 0);
    struct store_retain q = retain_days(f, 10, 10, 10);
    q.audit_until_ms = f->now_ms;
    retain_round(f, q, NULL);
    struct store_read r = {.kind = STORE_READ_TOKENS, .limit = 9};
    assert_int_equal(do_read(f, &r), 0);
    assert_int_equal(r.count, 2);
    assert_str(r.tokens[1].name, STR("young"));
}

#endif
