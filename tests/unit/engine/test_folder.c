// What of a rules folder is read.
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/folder.h"
#include "temp.h"
#include "unit.h"

struct made {
    char dir[64];
    char outside[80];
};

static void put(const struct made *m, const char *path, const char *text)
{
    char full[256];
    snprintf(full, sizeof full, "%s/rules/%s", m->dir, path);
    for (char *p = full + strlen(m->dir) + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        mkdir(full, 0700);
        *p = '/';
    }
    FILE *f = fopen(full, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void link_to(const struct made *m, const char *target, const char *path)
{
    char full[256];
    snprintf(full, sizeof full, "%s/rules/%s", m->dir, path);
    assert_int_equal(symlink(target, full), 0);
}

static int make(void **state)
{
    struct made *m = calloc(1, sizeof *m);
    temp_template(m->dir, sizeof m->dir);
    assert_non_null(mkdtemp(m->dir));
    put(m, "../secret", "hush");
    *state = m;
    return 0;
}

static int drop(void **state)
{
    struct made *m = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", m->dir);
    assert_int_equal(system(command), 0);
    free(m);
    return 0;
}

static struct folder *read_all(const struct made *m)
{
    char dir[80];
    struct err e;
    struct folder *f;
    snprintf(dir, sizeof dir, "%s/rules", m->dir);
    if (folder_read(&f, dir, NULL, &e)) {
        fail_msg("%s", e.text);
    }
    return f;
}

static void what_is_read(void **state)
{
    const struct made *m = *state;
    static const char *const in[] = {"a.lua",
                                     "b_test.lua",
                                     "c.txt",
                                     ".hidden.lua",
                                     "d.lua~",
                                     "lib/money.lua",
                                     "lib/m_test.lua",
                                     "lib/notes.md",
                                     "lib/a/b/deep.lua",
                                     "types/deal.lua",
                                     "templates/x.json",
                                     "templates/a/y.xml",
                                     ".git/x.lua",
                                     "templates/.x.swp",
                                     "templates/z~",
                                     "sources/s.lua",
                                     "templates/t_test.lua"};
    static const char *const out[] = {"a.lua",
                                      "lib/a/b/deep.lua",
                                      "lib/money.lua",
                                      "sources/s.lua",
                                      "templates/a/y.xml",
                                      "templates/t_test.lua",
                                      "templates/x.json",
                                      "types/deal.lua"};
    for (size_t i = 0; i < COUNT_OF(in); i++) {
        put(m, in[i], in[i]);
    }
    struct folder *f = read_all(m);
    assert_int_equal(f->count, COUNT_OF(out));
    for (size_t i = 0; i < f->count; i++) {
        assert_string_equal(f->files[i].path, out[i]);
        assert_string_equal(f->files[i].text, out[i]);
        assert_int_equal(folder_is_workflow(f->files[i].path), i == 0);
    }
    folder_unref(f);
}

static void links_are_followed_within_the_folder(void **state)
{
    const struct made *m = *state;
    put(m, "..data/a.lua", "in a hidden folder");
    put(m, "..data/lib/m.lua", "m");
    put(m, "templates/x", "x");
    link_to(m, "..data/a.lua", "a.lua");
    link_to(m, "..data/lib", "lib");
    link_to(m, "..", "templates/up");
    link_to(m, "nothing", "gone.lua");
    link_to(m, "loop.lua", "loop.lua");
    link_to(m, "../secret", "out.lua");
    link_to(m, "../../secret", "templates/secret");
    link_to(m, "../../", "templates/outside");
    link_to(m, "../secret", "no_matter.txt");
    static const struct {
        const char *path, *text, *fault;
    } wanted[] = {{"a.lua", "in a hidden folder", NULL},
                  {"lib/m.lua", "m", NULL},
                  {"loop.lua", NULL, "symbolic links"},
                  {"out.lua", NULL, "out of the rules folder"},
                  {"templates/outside", NULL, "out of the rules folder"},
                  {"templates/secret", NULL, "out of the rules folder"},
                  {"templates/x", "x", NULL}};
    struct folder *f = read_all(m);
    for (size_t i = 0; i < f->count && i < COUNT_OF(wanted); i++) {
        assert_string_equal(f->files[i].path, wanted[i].path);
        if (wanted[i].text) {
            assert_string_equal(f->files[i].text, wanted[i].text);
        } else {
            assert_null(f->files[i].text);
            assert_non_null(strstr(f->files[i].fault, wanted[i].fault));
        }
    }
    assert_int_equal(f->count, COUNT_OF(wanted));
    folder_unref(f);
}

static void folders_too_deep_are_told(void **state)
{
    const struct made *m = *state;
    put(m, "1/2/3/4/5/6/7/8/in.lua", "");
    put(m, "1/2/3/4/5/6/7/8/9/out.lua", "");
    struct folder *f = read_all(m);
    assert_int_equal(f->count, 2);
    assert_string_equal(f->files[0].path, "1/2/3/4/5/6/7/8/9");
    assert_non_null(strstr(f->files[0].fault, "too deep"));
    assert_string_equal(f->files[1].path, "1/2/3/4/5/6/7/8/in.lua");
    folder_unref(f);
}

static void files_too_large(void **state)
{
    const struct made *m = *state;
    char *text = malloc(FOLDER_FILE_MAX_BYTES + 2);
    memset(text, '-', FOLDER_FILE_MAX_BYTES + 1);
    text[FOLDER_FILE_MAX_BYTES + 1] = '\0';
    put(m, "a.lua", text);
    struct folder *f = read_all(m);
    assert_int_equal(f->count, 1);
    assert_non_null(strstr(f->files[0].fault, "over 1048576 bytes"));
    folder_unref(f);
    text[FOLDER_FILE_MAX_BYTES] = '\0';
    for (int i = 0; i <= FOLDER_TOTAL_MAX_BYTES / FOLDER_FILE_MAX_BYTES; i++) {
        char path[32];
        snprintf(path, sizeof path, "templates/%d", i);
        put(m, path, text);
    }
    char dir[80];
    struct err e;
    snprintf(dir, sizeof dir, "%s/rules", m->dir);
    assert_int_equal(folder_read(&f, dir, NULL, &e), ERR_TOO_LARGE);
    assert_non_null(strstr(e.text, "over 64 MiB"));
    free(text);
}

static struct folder *folder_of(const char *const *texts)
{
    struct folder *f = folder_new();
    for (; *texts; texts += 2) {
        assert_int_equal(folder_add(f, str_from(texts[0]), str_from(texts[1])), 0);
    }
    return f;
}

static void what_changed(void **state)
{
    (void)state;
    static const char *const was[] = {"a", "1", "b", "1", "d", "1", "e", "1", NULL};
    static const char *const is[] = {"b", "2", "c", "1", "d", "1", NULL};
    struct folder *old = folder_of(was), *now = folder_of(is);
    struct store_file out[8];
    static const char *const wanted[][2] = {{"a", NULL}, {"b", "2"}, {"c", "1"}, {"e", NULL}};
    assert_int_equal(folder_changes(old, now, out), COUNT_OF(wanted));
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        assert_str(out[i].path, str_from(wanted[i][0]));
        assert_str(out[i].text, str_from(wanted[i][1]));
    }
    assert_int_equal(folder_changes(NULL, now, out), 3);
    assert_int_equal(folder_changes(now, now, out), 0);
    assert_true(folder_is_same(now, now, true) && !folder_is_same(old, now, false));
    folder_unref(old);
    folder_unref(now);
}

static void no_folder(void **state)
{
    (void)state;
    struct folder *f;
    struct err e;
    assert_int_equal(folder_read(&f, "/nowhere/rules", NULL, &e), ERR_IO);
    assert_non_null(strstr(e.text, "--rules DIR"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_read, make, drop),
        cmocka_unit_test_setup_teardown(links_are_followed_within_the_folder, make, drop),
        cmocka_unit_test_setup_teardown(folders_too_deep_are_told, make, drop),
        cmocka_unit_test_setup_teardown(files_too_large, make, drop),
        cmocka_unit_test(what_changed),
        cmocka_unit_test(no_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
