// The test files that a command line means: those of a folder, or named one by one. Main thread.
#ifndef CLI_TEST_PATHS_H
#define CLI_TEST_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct test_path {
    char *dir;  // the rules folder
    char *name; // of a file in it
};

struct test_paths { // zeroed at first
    struct test_path *list;
    size_t count;
};

bool test_paths_is_test(const char *name); // "invoice_test.lua"
// All test files of a folder, by name. ERR_IO, ERR_NOMEM with words.
int test_paths_add_folder(struct test_paths *p, const char *dir, struct err *e);
// A folder, a test file, or the workflow file whose tests are meant. ERR_INVALID: it is no Lua
// file.
int test_paths_add(struct test_paths *p, const char *path, struct err *e);
void test_paths_fini(struct test_paths *p);

#endif
