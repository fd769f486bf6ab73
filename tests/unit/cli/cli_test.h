// What the tests of the command line share: a temporary folder to work in, and a command run with
// its output caught.
#ifndef TESTS_CLI_TEST_H
#define TESTS_CLI_TEST_H

#include "temp.h"
#include "unit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"

struct folder {
    char path[64];
    char before[4096]; // the working directory to go back to
};

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

// A fresh folder is the working directory for each test.
static inline int setup_folder(void **state)
{
    struct folder *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    temp_template(f->path, sizeof(f->path));
    assert_non_null(mkdtemp(f->path));
    assert_non_null(getcwd(f->before, sizeof(f->before)));
    assert_int_equal(chdir(f->path), 0);
    *state = f;
    return 0;
}

static inline int teardown_folder(void **state)
{
    struct folder *f = *state;

    assert_int_equal(chdir(f->before), 0);
    nftw(f->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

static inline void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

struct result {
    int status;
    char *out;
    char *messages;
};

// Runs "hookline WORDS..." (NULL ends them) with an environment (NULL: empty).
static inline struct result run_cli(const char *const *words, char *const *environment)
{
    static char *const none[] = {NULL};
    struct result r = {0};
    size_t out_len, messages_len;
    FILE *out = open_memstream(&r.out, &out_len);
    FILE *messages = open_memstream(&r.messages, &messages_len);
    char *argv[32] = {(char *)"hookline"};
    int argc = 1;

    while (*words)
        argv[argc++] = (char *)*words++;
    r.status = cli_run(argc, argv, environment ? environment : none, out, messages);
    fclose(out);
    fclose(messages);
    return r;
}

static inline void result_free(struct result *r)
{
    free(r->out);
    free(r->messages);
}

#define RUN(...) run_cli((const char *const[]){__VA_ARGS__, NULL}, NULL)

static inline void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, text);
}

#endif
