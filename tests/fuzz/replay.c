// Runs a fuzz target on files: those named, and all in the folders named. The kept corpora go
// through it in every `make test`. The last line says how many inputs there were.
#include <dirent.h>
#include <limits.h>
#include <sys/stat.h>

#include "fuzz.h"

static size_t replay_path(const char *path);

static size_t replay_folder(const char *path)
{
    size_t count = 0;
    DIR *folder = opendir(path);
    for (struct dirent *d = folder ? readdir(folder) : NULL; d; d = readdir(folder)) {
        char inner[PATH_MAX];
        if (d->d_name[0] != '.') {
            snprintf(inner, sizeof inner, "%s/%s", path, d->d_name);
            count += replay_path(inner);
        }
    }
    if (folder) {
        closedir(folder);
    }
    return count;
}

static size_t replay_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(size + (size == 0)); // exact, so that a sanitizer sees a read beyond it
    if (file == NULL || data == NULL || fread(data, 1, size, file) != size) {
        fprintf(stderr, "%s: cannot be read\n", path);
        exit(1);
    }
    fclose(file);
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

static size_t replay_path(const char *path)
{
    struct stat st;
    if (stat(path, &st)) {
        fprintf(stderr, "%s: is not there\n", path);
        exit(1);
    }
    return S_ISDIR(st.st_mode) ? replay_folder(path) : replay_file(path, (size_t)st.st_size);
}

int main(int argc, char **argv)
{
    size_t count = 0;
    for (int i = 1; i < argc; i++) {
        count += replay_path(argv[i]);
    }
    printf("%zu inputs\n", count);
    return count == 0;
}
