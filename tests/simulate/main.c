// simulate [--day] [--seed N] [--seeds COUNT] [--trace]: histories from N on, each in a process and
// an empty folder of its own, so that what a crashed host leaves in memory goes with it.
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "history.h"
#include "sim.h"

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *where)
{
    (void)s, (void)type, (void)where;
    return remove(path);
}

// 0 where the history was right.
static int run_seed(uint64_t seed, bool is_day, bool is_tracing)
{
    // What is outside of the simulated disk is small and of no interest: in memory where that is.
    static const char name[] = "hl-simulate-XXXXXX";
    char folder[64];
    snprintf(folder, sizeof folder, "%s/%s", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", name);
    fflush(stdout);
    if (!mkdtemp(folder)) {
        perror("mkdtemp");
        return 2;
    }
    pid_t child = fork();
    if (child == 0) {
        FILE *report = fdopen(dup(STDOUT_FILENO), "w");
        int null = open("/dev/null", O_WRONLY);
        if (chdir(folder) != 0 || null < 0 || !report) {
            _exit(2);
        }
        dup2(null, STDOUT_FILENO); // the host's own lines
        if (!is_tracing) {
            dup2(null, STDERR_FILENO);
        }
        close(null);
        sim_init(seed, report, is_tracing);
        history_run(is_day);
        if (is_tracing) {
            fprintf(report, "seed %llu: right; its trace is %016llx\n", (unsigned long long)seed,
                    (unsigned long long)sim_trace_hash());
        }
        fflush(report);
        _exit(0);
    }
    int status = 1;
    waitpid(child, &status, 0);
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    if (WIFSIGNALED(status)) {
        printf("seed %llu: the process died of signal %d\n", (unsigned long long)seed,
               WTERMSIG(status));
    }
    return status;
}

int main(int argc, char **argv)
{
    uint64_t seed = 1, seeds = 100, failed = 0;
    bool is_tracing = false, is_day = false;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0) {
            is_tracing = true;
        } else if (strcmp(argv[i], "--day") == 0) {
            is_day = true;
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            seed = strtoull(argv[++i], NULL, 10);
            seeds = 1;
        } else if (strcmp(argv[i], "--seeds") == 0 && i + 1 < argc) {
            seeds = strtoull(argv[++i], NULL, 10);
        } else {
            fprintf(stderr, "usage: simulate [--day] [--seed N] [--seeds COUNT] [--trace]\n");
            return 2;
        }
    }
    time_t begun = time(NULL);
    for (uint64_t i = 0; i < seeds; i++) {
        failed += run_seed(seed + i, is_day, is_tracing) != 0;
    }
    printf("%llu histories, %llu wrong, %lld s\n", (unsigned long long)seeds,
           (unsigned long long)failed, (long long)(time(NULL) - begun));
    return failed ? 1 : 0;
}
