// How the cases of a run of tests went, shown as text while they run, or at its end as TAP, as
// JSON, and as JUnit's XML. Main thread.
#ifndef CLI_TEST_REPORT_H
#define CLI_TEST_REPORT_H

#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "cli/test_cover.h"

enum test_status { TEST_PASSED, TEST_FAILED, TEST_SKIPPED };

struct test_message {
    struct test_message *next;
    struct str text; // over several lines, perhaps
};

struct test_result {
    struct test_result *next;
    struct str file; // as shown
    int64_t line;    // 0: none
    struct str name;
    enum test_status status;
    struct test_message *messages; // of a failure; of a skipped case: why
    int64_t elapsed_us;
};

struct test_report {
    FILE *text; // where results are shown as they come; NULL: nowhere
    struct arena arena;
    struct test_result *first;
    struct test_result **last;
    size_t count[TEST_SKIPPED + 1];
};

void test_report_init(struct test_report *r, FILE *text);
void test_report_fini(struct test_report *r);
// A result is begun, gets its messages, then is added; it and its texts are on the arena. NULL: no
// memory.
struct test_result *test_report_begin(struct test_report *r, const char *file, int64_t line,
                                      struct str name);
int test_report_say(struct test_report *r, struct test_result *result, struct str message);
void test_report_add(struct test_report *r, struct test_result *result, enum test_status status,
                     int64_t elapsed_us);
// The line of a file that is through: "rules/x_test.lua: 3 passed".
void test_report_file_done(struct test_report *r, const char *file);

// "12 passed, 1 failed", with the skipped ones where there are any.
void test_report_print_sum(const struct test_report *r, FILE *out);
void test_report_print_tap(const struct test_report *r, FILE *out);
// cover: its coverage too, or NULL.
void test_report_write_json(const struct test_report *r, const struct test_cover *cover,
                            struct buf *out);
void test_report_write_junit(const struct test_report *r, struct buf *out);

#endif
