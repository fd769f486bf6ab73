// The pool: pieces of all sizes, grown and shrunk, keep what was written into them, and all memory
// goes back.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "script/pool.h"

struct piece {
    unsigned char *at;
    size_t bytes;
    unsigned char mark;
};

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void check(const struct piece *p, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        assert_int_equal(p->at[i], p->mark);
}

// Most are small, as Lua's are; some are around the sizes where a piece changes its place.
static size_t some_size(uint64_t *state)
{
    static const size_t edges[] = {1, 15, 16, 17, 32, 33, 511, 512, 513, 4096, 100000};
    if (next_random(state) % 4 == 0)
        return edges[next_random(state) % (sizeof edges / sizeof *edges)];
    return 1 + next_random(state) % 200;
}

static void test_pieces_keep_what_is_in_them(void **ctx)
{
    (void)ctx;
    enum { PIECES = 3000, ROUNDS = 100000 };
    static struct piece pieces[PIECES];
    struct pool pool;
    uint64_t state = 42;
    pool_init(&pool);
    for (int i = 0; i < ROUNDS; i++) {
        struct piece *p = &pieces[next_random(&state) % PIECES];
        size_t bytes = next_random(&state) % 3 == 0 ? 0 : some_size(&state);
        unsigned char *at = pool_realloc(&pool, p->at, p->at ? p->bytes : 0, bytes);
        size_t kept = p->at ? p->bytes < bytes ? p->bytes : bytes : 0;
        p->at = at;
        p->bytes = bytes;
        if (bytes == 0) {
            assert_null(at);
            continue;
        }
        assert_non_null(at);
        assert_int_equal((uintptr_t)at % 16, 0);
        check(p, kept);
        p->mark = (unsigned char)next_random(&state);
        memset(at, p->mark, bytes);
    }
    for (int i = 0; i < PIECES; i++) {
        if (pieces[i].at) {
            check(&pieces[i], pieces[i].bytes);
            pool_realloc(&pool, pieces[i].at, pieces[i].bytes, 0);
        }
    }
    pool_fini(&pool);
}

static void test_slabs_are_used_again(void **ctx)
{
    (void)ctx;
    enum { PIECES = 1000 };
    void *pieces[PIECES];
    struct pool pool;
    pool_init(&pool);
    for (int round = 0; round < 10; round++) {
        size_t bytes = (size_t)16 << round % 5; // a spare slab may serve another size
        for (int i = 0; i < PIECES; i++)
            assert_non_null(pieces[i] = pool_realloc(&pool, NULL, 0, bytes));
        for (int i = 0; i < PIECES; i++)
            pool_realloc(&pool, pieces[i], bytes, 0);
        assert_true(pool.spare_count > 0);
        for (int i = 0; i < POOL_CLASSES; i++)
            assert_null(pool.partial[i]);
    }
    pool_fini(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_keep_what_is_in_them),
        cmocka_unit_test(test_slabs_are_used_again),
    };
    return cmocka_run_group_tests_name("script/pool", tests, NULL, NULL);
}
