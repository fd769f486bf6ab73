// Two texts as a unified diff.
#include "unit.h"

#include <stdlib.h>

#include "cli/diff_text.h"

static char *printed(struct str before, struct str after)
{
    struct arena arena;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    arena_init(&arena, 1 << 26);
    assert_non_null(out);
    assert_int_equal(diff_text_print(out, before, after, &arena), 0);
    fclose(out);
    arena_fini(&arena);
    return text;
}

static void diffs_are_as_written(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after, *diff;
    } cases[] = {
        {"", "", ""},
        {"a\nb\n", "a\nb\n", ""},
        {"", "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b\n"},
        {"a\n", "", "@@ -1,1 +0,0 @@\n-a\n"},
        {"a", "b", "@@ -1,1 +1,1 @@\n-a\n+b\n"},
        {"a\nb\nc\n", "a\nx\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n"},
        {"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n5\nx\n6\n7\n8\n9\n",
         "@@ -3,6 +3,7 @@\n 3\n 4\n 5\n+x\n 6\n 7\n 8\n"},
        // Six lines between two changes are context of one hunk, seven are not.
        {"a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n",
         "@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n"},
        {"a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
         "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n"},
        {"\x1b[2J\n", "\n", "@@ -1,1 +1,1 @@\n-\\x1B[2J\n+\n"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *text = printed(str_from(cases[i].before), str_from(cases[i].after));

        assert_string_equal(text, cases[i].diff);
        free(text);
    }
}

// Lines of one letter each: whatever the diff is, its sides are the two texts.
static void a_diff_has_both_texts(void **state)
{
    (void)state;
    unsigned seed = 1;

    for (int round = 0; round < 300; round++) {
        char before[2 * 40], after[2 * 40], a[2 * 40], b[2 * 40];
        size_t lens[2], at[2] = {0, 0};
        char *texts[2] = {before, after};

        for (int side = 0; side < 2; side++) {
            lens[side] = 2 * (size_t)(rand_r(&seed) % 4 + 1);
            for (size_t i = 0; i < lens[side]; i += 2) {
                texts[side][i] = (char)('a' + rand_r(&seed) % 3);
                texts[side][i + 1] = '\n';
            }
        }
        char *text = printed((struct str){before, lens[0]}, (struct str){after, lens[1]});

        for (const char *p = text; *p; p = strchr(p, '\n') + 1) {
            if (*p != '@' && *p != '+') {
                a[at[0]++] = p[1];
                a[at[0]++] = '\n';
            }
            if (*p != '@' && *p != '-') {
                b[at[1]++] = p[1];
                b[at[1]++] = '\n';
            }
        }
        if (*text) { // so short that all is context
            assert_true(at[0] == lens[0] && memcmp(a, before, at[0]) == 0);
            assert_true(at[1] == lens[1] && memcmp(b, after, at[1]) == 0);
        } else {
            assert_true(lens[0] == lens[1] && memcmp(before, after, lens[0]) == 0);
        }
        free(text);
    }
}

static void texts_too_long_to_be_compared_are_shown_whole(void **state)
{
    (void)state;
    enum { LINES = 3000 };
    char *texts[2];

    for (int side = 0; side < 2; side++) {
        texts[side] = calloc(LINES, 2);
        assert_non_null(texts[side]);
        for (size_t i = 0; i < LINES; i++) {
            texts[side][2 * i] = side ? 'b' : 'a';
            texts[side][2 * i + 1] = '\n';
        }
    }
    char *text = printed((struct str){texts[0], 2 * LINES}, (struct str){texts[1], 2 * LINES});

    assert_true(strncmp(text, "@@ -1,3000 +1,3000 @@\n-a\n", 25) == 0);
    assert_int_equal(strlen(text), 22 + 2 * 3 * LINES);
    free(text);
    free(texts[0]);
    free(texts[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(diffs_are_as_written),
        cmocka_unit_test(a_diff_has_both_texts),
        cmocka_unit_test(texts_too_long_to_be_compared_are_shown_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
