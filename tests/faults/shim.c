// What stands between the host and the system in the fault tests: a library that LD_PRELOAD puts
// before libc and mimalloc. By a page that it shares with the harness (FAULTS_CONTROL) it lets an
// allocation, a write or a sync of a file fail, or the host die at one; and it keeps a journal
// (FAULTS_JOURNAL) of all that is written below FAULTS_DIR and when it was synced, from which
// disk.py makes what a power loss may leave. Syncs are noted, not made: nothing waits for the disk.
// With FAULTS_RECV_WAITS what a receiver says is always there when it is looked for, as where the
// host gets no processor meanwhile.
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum { FDS = 1024, FILES = 64, PATH_BYTES = 512, EARLY_BYTES = 65536, RECV_WAIT_MS = 100 };

// Counters, and when each fails: the calls number `at` to at + times - 1. Shared with control.py,
// which has the same fields in the same order.
struct plan {
    _Atomic int64_t count, at, times, failed;
};
struct control {
    struct plan allocation;
    struct plan write; // a file made, written, cut, renamed
    struct plan sync;
    _Atomic int64_t write_errno;
    _Atomic int64_t die_at; // the number of the write or sync before which the host is killed
    _Atomic int64_t operations;
};

enum op {
    OP_FILE = 1,
    OP_MADE,
    OP_WRITE,
    OP_CUT,
    OP_SYNC,
    OP_SYNCED,
    OP_LOST,
    OP_RENAME,
    OP_UNLINK
};

struct record { // of the journal; `len` bytes follow it: what was written, a path, or two
    uint32_t op;
    uint32_t file;
    uint64_t at;
    uint64_t len;
};

static struct control *control;
static int journal = -1;
static char dir[PATH_BYTES];
static size_t dir_len;
static bool recv_waits;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // of all below
static uint32_t file_of[FDS];                            // 0: none of ours
static struct {
    dev_t dev;
    ino_t ino;
} files[FILES];
static uint32_t file_count;

static bool is_due(struct plan *p)
{
    int64_t number = atomic_fetch_add(&p->count, 1) + 1, at = atomic_load(&p->at);
    bool is_now = at != 0 && number >= at && number < at + atomic_load(&p->times);
    if (is_now) {
        atomic_fetch_add(&p->failed, 1);
    }
    return is_now;
}

// --- allocations -------------------------------------------------------------------------------

static char early[EARLY_BYTES]; // for what dlsym itself may want
static size_t early_used;

static void *early_alloc(size_t len)
{
    size_t at = (early_used + 15) & ~(size_t)15;
    if (at + len > sizeof early) {
        return NULL;
    }
    early_used = at + len;
    return early + at;
}

static struct {
    void *(*malloc)(size_t len);
    void *(*calloc)(size_t count, size_t len);
    void *(*realloc)(void *old, size_t len);
    int (*posix_memalign)(void **out, size_t align, size_t len);
    void *(*aligned_alloc)(size_t align, size_t len);
    bool is_looking;
} real;

// Where it was, into the log, for who looks for the reason.
static void on_crash(int number)
{
    void *frames[64];
    backtrace_symbols_fd(frames, backtrace(frames, 64), STDERR_FILENO);
    signal(number, SIG_DFL);
    raise(number);
}

static void watch_for_crashes(void)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) {
        signal(crashes[i], on_crash);
    }
}

// Before there is a second thread: other libraries allocate when they start.
static bool has_real(void)
{
    if (!real.malloc && !real.is_looking) {
        real.is_looking = true;
        *(void **)&real.calloc = dlsym(RTLD_NEXT, "calloc");
        *(void **)&real.realloc = dlsym(RTLD_NEXT, "realloc");
        *(void **)&real.posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
        *(void **)&real.aligned_alloc = dlsym(RTLD_NEXT, "aligned_alloc");
        *(void **)&real.malloc = dlsym(RTLD_NEXT, "malloc");
        watch_for_crashes();
    }
    return real.malloc != NULL;
}

static bool allocation_fails(void)
{
    if (control && is_due(&control->allocation)) {
        errno = ENOMEM;
        return true;
    }
    return false;
}

EXPORT void *malloc(size_t len)
{
    return !has_real() ? early_alloc(len) : allocation_fails() ? NULL : real.malloc(len);
}

EXPORT void *calloc(size_t count, size_t len)
{
    return !has_real()          ? early_alloc(count * len)
           : allocation_fails() ? NULL
                                : real.calloc(count, len);
}

EXPORT void *realloc(void *old, size_t len)
{
    return !has_real() || (len != 0 && allocation_fails()) ? NULL : real.realloc(old, len);
}

EXPORT char *strdup(const char *text)
{
    size_t len = strlen(text) + 1;
    char *copy = malloc(len);
    return copy ? memcpy(copy, text, len) : NULL;
}

EXPORT char *strndup(const char *text, size_t most)
{
    size_t len = strnlen(text, most);
    char *copy = malloc(len + 1);
    if (copy) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}

EXPORT int posix_memalign(void **out, size_t align, size_t len)
{
    return !has_real() || allocation_fails() ? ENOMEM : real.posix_memalign(out, align, len);
}

EXPORT void *aligned_alloc(size_t align, size_t len)
{
    return !has_real() || allocation_fails() ? NULL : real.aligned_alloc(align, len);
}

// --- the journal -------------------------------------------------------------------------------

// One write of the kernel's, so that a kill leaves a record whole or not at all.
static void note(enum op op, uint32_t file, uint64_t at, const void *data, size_t len)
{
    struct record r = {op, file, at, len};
    struct iovec parts[2] = {{&r, sizeof r}, {(void *)(uintptr_t)data, len}};
    if (journal >= 0 && syscall(SYS_writev, journal, parts, len ? 2 : 1) < 0) {
        abort();
    }
}

static void count_operation(void)
{
    int64_t number = atomic_fetch_add(&control->operations, 1) + 1;
    if (number == atomic_load(&control->die_at)) {
        kill(getpid(), SIGKILL);
        for (;;) {
            pause();
        }
    }
}

static bool write_fails(void)
{
    if (!control) {
        return false;
    }
    count_operation();
    if (is_due(&control->write)) {
        errno = (int)atomic_load(&control->write_errno);
        return true;
    }
    return false;
}

static bool is_ours(const char *path)
{
    return control && dir_len && strncmp(path, dir, dir_len) == 0 &&
           (path[dir_len] == '/' || path[dir_len] == '\0');
}

static uint32_t file_at(int fd)
{
    return fd >= 0 && fd < FDS ? file_of[fd] : 0;
}

// The number of the file behind a new descriptor. Under the lock.
static void file_opened(int fd, const char *path, bool is_made, bool is_cut)
{
    struct stat st;
    if (fd < 0 || fd >= FDS || fstat(fd, &st) != 0) {
        return;
    }
    uint32_t file = 0;
    for (uint32_t i = 1; i <= file_count && !is_made; i++) {
        file = files[i].dev == st.st_dev && files[i].ino == st.st_ino ? i : file;
    }
    if (file == 0) {
        for (uint32_t i = 1; i <= file_count; i++) { // the number of a file that is gone
            if (files[i].dev == st.st_dev && files[i].ino == st.st_ino) {
                files[i].ino = 0;
            }
        }
        if (file_count + 1 >= FILES) {
            abort();
        }
        file = ++file_count;
        files[file].dev = st.st_dev;
        files[file].ino = st.st_ino;
        note(is_made ? OP_MADE : OP_FILE, file, 0, path, strlen(path));
    }
    if (is_cut && !is_made) {
        note(OP_CUT, file, 0, NULL, 0);
    }
    file_of[fd] = file;
}

static int open_file(const char *path, int flags, mode_t mode)
{
    if (!is_ours(path)) {
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    }
    struct stat st;
    pthread_mutex_lock(&lock);
    bool is_made = (flags & O_CREAT) && stat(path, &st) != 0;
    int fd = -1;
    if (!(is_made && write_fails())) {
        fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    }
    int saved = errno;
    file_opened(fd, path, is_made, (flags & O_TRUNC) != 0);
    pthread_mutex_unlock(&lock);
    errno = saved;
    return fd;
}

#define MODE(flags)                                                                                \
    mode_t mode = 0;                                                                               \
    if ((flags)&O_CREAT) {                                                                         \
        va_list args;                                                                              \
        va_start(args, flags);                                                                     \
        mode = va_arg(args, mode_t);                                                               \
        va_end(args);                                                                              \
    }

EXPORT int open(const char *path, int flags, ...)
{
    MODE(flags)
    return open_file(path, flags, mode);
}

EXPORT int open64(const char *path, int flags, ...)
{
    MODE(flags)
    return open_file(path, flags, mode);
}

EXPORT ssize_t recv(int fd, void *data, size_t len, int flags)
{
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    if (recv_waits && !(flags & MSG_PEEK)) {
        poll(&readable, 1, RECV_WAIT_MS);
    }
    return syscall(SYS_recvfrom, fd, data, len, flags, NULL, NULL);
}

EXPORT int close(int fd)
{
    if (fd >= 0 && fd < FDS) {
        file_of[fd] = 0;
    }
    return (int)syscall(SYS_close, fd);
}

// at below 0: where the descriptor stands.
static ssize_t write_file(uint32_t file, int fd, const void *data, size_t len, off_t at)
{
    pthread_mutex_lock(&lock);
    ssize_t put = -1;
    if (!write_fails()) {
        off_t to = at >= 0 ? at : lseek(fd, 0, SEEK_CUR);
        note(OP_WRITE, file, (uint64_t)to, data, len);
        put =
            at >= 0 ? syscall(SYS_pwrite64, fd, data, len, at) : syscall(SYS_write, fd, data, len);
    }
    pthread_mutex_unlock(&lock);
    return put;
}

EXPORT ssize_t write(int fd, const void *data, size_t len)
{
    uint32_t file = file_at(fd);
    return file ? write_file(file, fd, data, len, -1) : syscall(SYS_write, fd, data, len);
}

EXPORT ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
    uint32_t file = file_at(fd);
    return file ? write_file(file, fd, data, len, at) : syscall(SYS_pwrite64, fd, data, len, at);
}

EXPORT ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
    return pwrite(fd, data, len, at);
}

EXPORT int ftruncate(int fd, off_t len)
{
    uint32_t file = file_at(fd);
    if (!file) {
        return (int)syscall(SYS_ftruncate, fd, len);
    }
    pthread_mutex_lock(&lock);
    int rc = -1;
    if (!write_fails()) {
        note(OP_CUT, file, (uint64_t)len, NULL, 0);
        rc = (int)syscall(SYS_ftruncate, fd, len);
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

EXPORT int ftruncate64(int fd, off64_t len)
{
    return ftruncate(fd, len);
}

// What was written before a sync began is safe when it has ended. After one that failed the kernel
// takes it for written: no later sync writes it.
EXPORT int fsync(int fd)
{
    uint32_t file = file_at(fd);
    if (!file) {
        return (int)syscall(SYS_fsync, fd);
    }
    pthread_mutex_lock(&lock);
    count_operation();
    bool fails = is_due(&control->sync);
    note(OP_SYNC, file, 0, NULL, 0);
    note(fails ? OP_LOST : OP_SYNCED, file, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = fails ? EIO : errno;
    return fails ? -1 : 0;
}

EXPORT int fdatasync(int fd)
{
    return file_at(fd) ? fsync(fd) : (int)syscall(SYS_fdatasync, fd);
}

EXPORT int rename(const char *from, const char *to)
{
    if (!is_ours(from)) {
        return (int)syscall(SYS_rename, from, to);
    }
    char both[2 * PATH_BYTES];
    int len = snprintf(both, sizeof both, "%s%c%s", from, 0, to);
    pthread_mutex_lock(&lock);
    int rc = -1;
    if (!write_fails()) {
        note(OP_RENAME, 0, 0, both, (size_t)len);
        rc = (int)syscall(SYS_rename, from, to);
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

EXPORT int unlink(const char *path)
{
    if (!is_ours(path)) {
        return (int)syscall(SYS_unlink, path);
    }
    pthread_mutex_lock(&lock);
    count_operation();
    int rc = (int)syscall(SYS_unlink, path);
    if (rc == 0) {
        note(OP_UNLINK, 0, 0, path, strlen(path));
    }
    pthread_mutex_unlock(&lock);
    return rc;
}

__attribute__((constructor)) static void start(void)
{
    const char *path = getenv("FAULTS_CONTROL"), *below = getenv("FAULTS_DIR");
    recv_waits = getenv("FAULTS_RECV_WAITS") != NULL;
    if (!path || !below || !has_real()) {
        return;
    }
    dir_len = strlen(below);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (dir_len >= sizeof dir || fd < 0 || page == MAP_FAILED) {
        abort();
    }
    syscall(SYS_close, fd);
    memcpy(dir, below, dir_len + 1);
    if (getenv("FAULTS_JOURNAL")) {
        journal = (int)syscall(SYS_openat, AT_FDCWD, getenv("FAULTS_JOURNAL"),
                               O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    }
    void *frame;
    backtrace(&frame, 1); // it loads a library at its first call
    control = page;
}
