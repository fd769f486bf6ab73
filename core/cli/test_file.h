// One test file: its cases, each run in two fresh worlds, their results told to a report. Main
// thread; blocks.
#ifndef CLI_TEST_FILE_H
#define CLI_TEST_FILE_H

#include "cli/test_cover.h"
#include "cli/test_report.h"
#include "config.h"
#include "engine/folder.h"

struct test_run {
    const struct config *config;
    struct test_report *report;
    struct test_cover *cover; // or NULL
    const char *filter;       // runs the cases alone whose names (or file's name) hold it; or NULL
    FILE *messages;           // what rules print
    const struct folder *folder; // the rules folder
};

// dir: the rules folder, name: of the test file in it. What is wrong with a file is a failure of
// the report. 0; or an error with words, which ends the run: out of memory, say.
int test_file_run(struct test_run *t, const char *dir, const char *name, struct err *e);

#endif
