#include "cli/progress.h"

#include <time.h>
#include <unistd.h>

enum { BAR_WIDTH = 24 };

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

void progress_init(struct progress *p, FILE *messages, const char *noun, int64_t all_bytes)
{
    bool is_shown = messages == stderr && isatty(STDERR_FILENO);

    *p = (struct progress){.out = is_shown ? messages : NULL, .noun = noun, .all_bytes = all_bytes};
}

void progress_begin(struct progress *p, int64_t done_bytes)
{
    if (p->has_begun)
        return;
    p->has_begun = true;
    p->start_ms = now_ms();
    p->start_bytes = done_bytes;
}

static void show_bar(const struct progress *p, int64_t done_bytes)
{
    int64_t done = done_bytes < p->all_bytes ? done_bytes : p->all_bytes;
    int width = (int)((double)BAR_WIDTH * (double)done / (double)p->all_bytes);

    fputc('[', p->out);
    for (int i = 0; i < BAR_WIDTH; i++)
        fputc(i < width ? '#' : '.', p->out);
    fprintf(p->out, "] %3d %%  ", (int)(100 * (double)done / (double)p->all_bytes));
}

void progress_show(const struct progress *p, int64_t done_bytes, uint64_t count)
{
    double elapsed_s;
    int64_t moved = done_bytes - p->start_bytes;

    if (!p->out)
        return;
    elapsed_s = (double)(now_ms() - p->start_ms + 1) / 1000;
    fputs("\r\033[K", p->out);
    if (p->all_bytes > 0)
        show_bar(p, done_bytes);
    fprintf(p->out, "%llu %s, %.0f/s", (unsigned long long)count, p->noun,
            (double)count / elapsed_s);
    if (p->all_bytes > done_bytes && moved > 0) {
        long left_s = (long)((double)(p->all_bytes - done_bytes) / (double)moved * elapsed_s + 0.5);

        fprintf(p->out, ", %ld:%02ld left", left_s / 60, left_s % 60);
    }
    fflush(p->out);
}

void progress_clear(const struct progress *p)
{
    if (p->out)
        fputs("\r\033[K", p->out);
}
