#include "base/arena.h"

#include <stdalign.h>

#include "unit.h"

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    enum { PIECES = 3000 };
    struct arena a;
    arena_init(&a, 64 * 1024 * 1024);
    static unsigned char *pieces[PIECES];
    static size_t lens[PIECES];
    uint64_t seed = 1;
    for (size_t i = 0; i < PIECES; i++) {
        uint64_t r = next_random(&seed);
        lens[i] = r % 100 == 0 ? (size_t)(r >> 8) % 200000 : (size_t)(r >> 8) % 100;
        pieces[i] = arena_alloc(&a, lens[i]);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
        for (size_t j = 0; j < lens[i]; j++) {
            assert_int_equal(pieces[i][j], 0);
        }
        memset(pieces[i], (int)(i % 251), lens[i]);
    }
    for (size_t i = 0; i < PIECES; i++) {
        for (size_t j = 0; j < lens[i]; j++) {
            assert_int_equal(pieces[i][j], i % 251);
        }
    }
    arena_fini(&a);
}

static void stops_at_its_maximum(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1000);
    assert_non_null(arena_alloc(&a, 900));
    assert_null(arena_alloc(&a, 200));
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_alloc(&a, SIZE_MAX - 20));
    assert_null(arena_dup(&a, (struct str){"x", SIZE_MAX}).data);
    assert_false(a.is_starved);
    assert_non_null(arena_alloc(&a, 50));
    assert_true(a.used_bytes <= 1000);
    arena_fini(&a);
    assert_non_null(arena_alloc(&a, 900));
    arena_fini(&a);
}

static void copies(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1000);
    struct str s = arena_dup(&a, STR("a\0b"));
    assert_str(s, STR("a\0b"));
    assert_int_equal(s.data[3], '\0');
    s = arena_dup(&a, (struct str){NULL, 0});
    assert_non_null(s.data);
    assert_int_equal(s.len, 0);
    assert_int_equal(s.data[0], '\0');
    arena_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
        cmocka_unit_test(stops_at_its_maximum),
        cmocka_unit_test(copies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
