// The hash (against published vectors), the map, the heap and the list (against simple models).
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "unit.h"

static void hash_depends_on_all_of_its_input(void **state)
{
    (void)state;
    // Key 00 01 .. 0f, message 00 01 .. len-1. SipHash-1-3 of the reference implementation.
    struct hash_key key = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
    static const struct {
        size_t len;
        uint64_t hash;
    } cases[] = {
        {0, UINT64_C(0xabac0158050fc4dc)}, {1, UINT64_C(0xc9f49bf37d57ca93)},
        {2, UINT64_C(0x82cb9b024dc7d44d)}, {3, UINT64_C(0x8bf80ab8e7ddf7fb)},
        {7, UINT64_C(0xd3927d989bb11140)}, {8, UINT64_C(0x369095118d299a8e)},
    };
    unsigned char message[64];
    for (size_t i = 0; i < sizeof message; i++) {
        message[i] = (unsigned char)i;
    }
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t hash = hash_bytes(&key, message, cases[i].len);
        if (hash != cases[i].hash) {
            fail_case(i, "len %zu gave %llx", cases[i].len, (unsigned long long)hash);
        }
    }
    uint64_t whole = hash_bytes(&key, message, sizeof message);
    for (size_t bit = 0; bit < 8 * sizeof message; bit++) {
        message[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_true(hash_bytes(&key, message, sizeof message) != whole);
        message[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    key.k1 ^= 1;
    assert_true(hash_bytes(&key, message, sizeof message) != whole);
}

static void random_bytes_differ(void **state)
{
    (void)state;
    unsigned char a[700] = {0}, b[700] = {0}; // more than getrandom promises in one piece
    random_bytes(a, sizeof a);
    random_bytes(b, sizeof b);
    assert_memory_not_equal(a, b, 16);
    assert_memory_not_equal(a + 684, b + 684, 16);
}

static void map_is_like_an_array_of_pairs(void **state)
{
    (void)state;
    enum { KEYS = 400, STEPS = 40000 };
    static char names[KEYS][16];
    static int values[KEYS][2];
    void *model[KEYS] = {NULL};
    size_t model_count = 0;
    struct map m;
    map_init(&m);
    for (int i = 0; i < KEYS; i++) {
        snprintf(names[i], sizeof names[i], "k%d", i);
    }
    uint64_t seed = 7;
    for (int step = 0; step < STEPS; step++) {
        uint64_t r = next_random(&seed);
        size_t k = (size_t)(r >> 8) % KEYS;
        struct str key = str_from(names[k]);
        // Phases that grow and phases that shrink it.
        bool is_put = r % 10 < (step / 4000 % 2 == 0 ? 8u : 2u);
        if (is_put) {
            void *value = &values[k][(r >> 40) & 1];
            model_count += model[k] ? 0 : 1;
            model[k] = value;
            assert_int_equal(map_put(&m, key, value), 0);
        } else {
            model_count -= model[k] ? 1 : 0;
            assert_ptr_equal(map_remove(&m, key), model[k]);
            model[k] = NULL;
        }
        size_t other = (size_t)(r >> 48) % KEYS;
        assert_ptr_equal(map_get(&m, str_from(names[other])), model[other]);
        assert_int_equal(m.count, model_count);
        if (step % 500 == 0) {
            size_t at = 0, seen = 0;
            struct str found;
            void *value;
            while (map_next(&m, &at, &found, &value)) {
                size_t index = (size_t)atoi(found.data + 1);
                assert_ptr_equal(value, model[index]);
                seen++;
            }
            assert_int_equal(seen, model_count);
            for (size_t i = 0; i < KEYS; i++) {
                assert_ptr_equal(map_get(&m, str_from(names[i])), model[i]);
            }
        }
    }
    map_fini(&m);
}

static void map_replaces_key_and_all(void **state)
{
    (void)state;
    struct map m;
    map_init(&m);
    int first, second;
    char a[] = "key", b[] = "key";
    assert_null(map_get(&m, STR("key")));
    assert_null(map_remove(&m, STR("key")));
    assert_int_equal(map_put(&m, str_from(a), &first), 0);
    assert_int_equal(map_put(&m, str_from(b), &second), 0);
    assert_int_equal(map_put(&m, STR(""), &first), 0);
    a[0] = 'x'; // the first key's memory may go now
    assert_ptr_equal(map_get(&m, STR("key")), &second);
    assert_ptr_equal(map_get(&m, (struct str){NULL, 0}), &first);
    assert_int_equal(m.count, 2);
    map_fini(&m);
}

struct entry {
    struct heap_node node;
    bool is_in;
};

static void assert_heap_matches(const struct heap *h, const struct entry *entries, size_t count)
{
    int64_t least = INT64_MAX;
    size_t in = 0;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(heap_holds(&entries[i].node), entries[i].is_in);
        if (entries[i].is_in) {
            in++;
            least = entries[i].node.key < least ? entries[i].node.key : least;
            assert_ptr_equal(h->nodes[entries[i].node.index - 1], &entries[i].node);
        }
    }
    assert_int_equal(h->count, in);
    if (in == 0) {
        assert_null(heap_top(h));
    } else {
        assert_int_equal(heap_top(h)->key, least);
    }
}

static void heap_is_like_a_search(void **state)
{
    (void)state;
    enum { ENTRIES = 60, STEPS = 30000 };
    struct entry entries[ENTRIES];
    memset(entries, 0, sizeof entries);
    struct heap h;
    heap_init(&h);
    uint64_t seed = 11;
    for (int step = 0; step < STEPS; step++) {
        uint64_t r = next_random(&seed);
        struct entry *e = &entries[(r >> 8) % ENTRIES];
        int64_t key = (int64_t)((r >> 20) % 50) - 25;
        if (!e->is_in) {
            assert_int_equal(heap_push(&h, &e->node, key), 0);
            e->is_in = true;
        } else if (r % 2 == 0) {
            heap_move(&h, &e->node, key);
            assert_int_equal(e->node.key, key);
        } else {
            heap_remove(&h, &e->node);
            e->is_in = false;
        }
        assert_heap_matches(&h, entries, ENTRIES);
    }
    int64_t last = INT64_MIN;
    while (heap_top(&h)) {
        assert_true(heap_top(&h)->key >= last);
        last = heap_top(&h)->key;
        heap_remove(&h, heap_top(&h));
    }
    struct heap_node outside = {0, 0};
    heap_remove(&h, &outside);
    heap_fini(&h);
}

struct listed {
    int number;
    struct list_node node;
};

static void list_is_like_an_array(void **state)
{
    (void)state;
    enum { NODES = 8 };
    struct listed nodes[NODES] = {{0}};
    int wanted[NODES];
    size_t count = 0;
    struct list l;
    list_init(&l);
    assert_null(list_first(&l));
    uint64_t seed = 7;
    for (int step = 0; step < 20000; step++) {
        struct listed *n = &nodes[next_random(&seed) % NODES];
        n->number = (int)(n - nodes);
        size_t at = 0;
        while (at < count && wanted[at] != n->number) {
            at++;
        }
        assert_int_equal(list_holds(&n->node), at < count);
        if (at == count && next_random(&seed) % 2) {
            list_append(&l, &n->node);
            wanted[count++] = n->number;
        } else {
            list_remove(&n->node);
            count -= at < count;
            memmove(&wanted[at], &wanted[at + 1], at < count ? (count - at) * sizeof *wanted : 0);
        }
        struct list_node *seen = list_first(&l);
        for (size_t i = 0; i < count; i++, seen = seen->next) {
            assert_int_equal(LIST_OWNER(seen, struct listed, node)->number, wanted[i]);
        }
        assert_true(count ? seen == &l.ends : seen == NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_depends_on_all_of_its_input),
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(map_is_like_an_array_of_pairs),
        cmocka_unit_test(map_replaces_key_and_all),
        cmocka_unit_test(heap_is_like_a_search),
        cmocka_unit_test(list_is_like_an_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
