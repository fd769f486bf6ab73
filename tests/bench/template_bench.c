// What a run of one workflow costs: template_bench RULE EVENT COUNT prints the microseconds of one
// run, conditions and rendering, and on the lines behind it the body that it owes.
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/file.h"
#include "script/rules.h"

enum { FILE_MAX = 1024 * 1024, ARENA_MAX = 64 * 1024 * 1024 };

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static struct str read_file(const char *path)
{
    struct str text = {0};
    char *data = NULL;
    if (file_read(path, FILE_MAX, &data, &text.len, NULL) != 0) {
        fprintf(stderr, "template_bench: cannot read %s\n", path);
        exit(1);
    }
    text.data = data;
    return text;
}

static int measure(struct rules *r, long count)
{
    struct arena arena;
    struct rules_run run;
    double best = 0;
    arena_init(&arena, ARENA_MAX);
    for (int round = 0; round < 5; round++) {
        double began = now_us();
        for (long i = 0; i < count; i++) {
            arena_fini(&arena);
            arena_init(&arena, ARENA_MAX);
            rules_run(r, 0, &arena, &run);
        }
        double took = (now_us() - began) / (double)count;
        best = round == 0 || took < best ? took : best;
    }
    int status = run.verdict == RULES_MATCH && run.request_count == 1 ? 0 : 1;
    if (status == 0)
        printf("%.3f\n" STR_FMT, best, STR_ARG(run.requests[0].body));
    else
        fprintf(stderr, "template_bench: " STR_FMT "\n", STR_ARG(run.message));
    arena_fini(&arena);
    return status;
}

int main(int argc, char **argv)
{
    struct rules_config config = {0};
    struct rules *r = NULL;
    struct err e = {0};
    if (argc != 4)
        return 2;
    struct str rule = read_file(argv[1]);
    struct str record = read_file(argv[2]);
    struct buf json;
    buf_init(&json, record.len + 64);
    buf_printf(&json, "{\"record\":" STR_FMT "}", STR_ARG(record));
    if (rules_new(&r, &config, &e) != 0 || rules_load(r, "bench.lua", rule) != 0) {
        fprintf(stderr, "template_bench: %s\n",
                rules_fault_count(r) ? rules_fault(r, 0)->message : e.text);
        return 1;
    }
    rules_settle(r);
    struct rules_event event = {.json = buf_str(&json),
                                .id = STR("evt-1"),
                                .type = STR("deal.created"),
                                .record_type = STR("deal"),
                                .verb = STR("created")};
    int status = rules_event_begin(r, &event, &e);
    if (status == 0)
        status = measure(r, strtol(argv[3], NULL, 10));
    rules_event_end(r);
    rules_free(r);
    free((void *)rule.data);
    free((void *)record.data);
    buf_fini(&json);
    return status;
}
