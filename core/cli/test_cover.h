// Which conditions and workflows were true and false over a run of tests. Main thread.
#ifndef CLI_TEST_COVER_H
#define CLI_TEST_COVER_H

#include <stdio.h>

#include "base/arena.h"
#include "encode/json_writer.h"
#include "script/rules.h"

struct test_cover_line {
    int64_t line;
    struct str words;
    bool was_true, was_false;
};

struct test_cover_file { // a workflow's
    struct test_cover_file *next;
    struct str file; // as shown
    struct test_cover_line *lines;
    size_t line_count;
    bool was_true, was_false; // it fired, it did not
};

struct test_cover {
    struct arena arena;
    struct test_cover_file *first;
};

void test_cover_init(struct test_cover *c); // allocates nothing
void test_cover_fini(struct test_cover *c);
// A workflow of the folder, tested or not. 0 or ERR_NOMEM.
int test_cover_add(struct test_cover *c, const char *file);
// The event that the rules have now, and whether it made the workflow fire.
int test_cover_see(struct test_cover *c, struct rules *rules, size_t workflow, bool has_fired,
                   struct err *e);
// A line for each condition that was never true or never false.
void test_cover_print(const struct test_cover *c, FILE *out);
void test_cover_write_json(const struct test_cover *c, struct json_writer *w);

#endif
