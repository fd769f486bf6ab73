#include "engine/watch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

// Editors and deployments write file after file: a change is told when it has been quiet for a
// moment, but not later than seconds after the first.
enum { WATCH_QUIET_MS = 75, WATCH_LATEST_MS = 2000 };
enum { WATCH_BUFFER_BYTES = 16 * 1024, WATCH_READS_A_TURN = 16, WATCH_PARENTS_MAX = 32 };

static const uint32_t WATCH_FOLDER = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                                     IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF |
                                     IN_ONLYDIR | IN_EXCL_UNLINK;
// Of a folder on the way to the rules folder: whether something else takes its name.
static const uint32_t WATCH_PARENT = IN_CREATE | IN_MOVED_TO | IN_ONLYDIR;

struct watch_parent {
    int wd;
    char name[NAME_MAX + 1];
};

struct watch_list { // of watch descriptors
    int *items;
    size_t count;
    size_t cap;
};

struct watch {
    struct watch_config config;
    int fd; // -1: the system gave none
    struct loop_poll *poll;
    struct loop_timer quiet;
    int64_t first_ms; // of the changes that are not told yet; 0: none
    struct watch_parent parents[WATCH_PARENTS_MAX];
    size_t parent_count;
    struct watch_list watched;
    struct watch_list seen; // the reader's while the folder is read
    int refused;            // the reader's: errno of a watch that could not be had
    bool is_told;           // of a refusal
};

static void watch_tell_refused(struct watch *w, int code)
{
    if (w->is_told) {
        return;
    }
    w->is_told = true;
    log_warn(w->config.log,
             "changes in %s are not all seen by themselves: %s; raise fs.inotify.max_user_watches "
             "and fs.inotify.max_user_instances with sysctl, or reload by SIGHUP or `hookline "
             "reload`",
             w->config.dir,
             code == ENOSPC || code == EMFILE ? "the system's limit of inotify is reached"
                                              : strerror(code));
}

// --- what is watched -----------------------------------------------------------------------------

static void watch_add_seen(struct watch *w, int wd)
{
    struct watch_list *l = &w->seen;
    if (l->count == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 16;
        int *more = realloc(l->items, cap * sizeof *more);
        if (more == NULL) {
            w->refused = ENOMEM;
            return;
        }
        l->items = more;
        l->cap = cap;
    }
    l->items[l->count++] = wd;
}

static void watch_on_folder(void *ctx, const char *path)
{
    struct watch *w = ctx;
    int wd = inotify_add_watch(w->fd, path, WATCH_FOLDER);
    if (wd >= 0) {
        watch_add_seen(w, wd);
    } else if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) {
        w->refused = errno;
    }
}

struct folder_visitor watch_visitor(struct watch *w)
{
    return (struct folder_visitor){w->fd < 0 ? NULL : watch_on_folder, w};
}

static void watch_add_parent(struct watch *w, const char *path, const char *name)
{
    struct watch_parent *p = &w->parents[w->parent_count];
    int wd = inotify_add_watch(w->fd, path[0] ? path : "/", WATCH_PARENT);
    if (wd >= 0 && w->parent_count < WATCH_PARENTS_MAX) {
        p->wd = wd;
        snprintf(p->name, sizeof p->name, "%s", name);
        w->parent_count++;
        watch_add_seen(w, wd);
    }
}

// The folder may be replaced as a whole, and so may a link on the way to it ("current/rules").
static void watch_add_parents(struct watch *w)
{
    char path[FILE_PATH_MAX];
    const char *dir = w->config.dir;
    size_t len = 0;
    w->parent_count = 0;
    if (dir[0] != '/' && getcwd(path, sizeof path) != NULL) {
        len = strlen(path);
    }
    int n = snprintf(path + len, sizeof path - len, "%s%s", len ? "/" : "", dir);
    if (n < 0 || (size_t)n >= sizeof path - len) {
        return;
    }
    len = strlen(path);
    while (len > 1 && path[len - 1] == '/') {
        path[--len] = '\0';
    }
    for (char *slash = path; slash; slash = strchr(slash + 1, '/')) {
        char *end = strchr(slash + 1, '/');
        if (end == slash + 1) {
            continue;
        }
        struct stat st;
        char name[NAME_MAX + 1];
        if (end) {
            *end = '\0';
        }
        bool is_replaceable = !end || lstat(path, &st) || S_ISLNK(st.st_mode);
        snprintf(name, sizeof name, "%s", slash + 1);
        *slash = '\0';
        if (is_replaceable && name[0] && w->parent_count < WATCH_PARENTS_MAX) {
            watch_add_parent(w, path, name);
        }
        *slash = '/';
        if (end) {
            *end = '/';
        }
    }
}

void watch_begin(struct watch *w)
{
    w->seen = (struct watch_list){0};
    w->refused = 0;
    if (w->fd >= 0) {
        watch_add_parents(w);
    }
}

static int watch_by_number(const void *a, const void *b)
{
    return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}

void watch_end(struct watch *w)
{
    struct watch_list *now = &w->seen;
    if (now->count) {
        qsort(now->items, now->count, sizeof *now->items, watch_by_number);
    }
    for (size_t i = 0; i < w->watched.count; i++) {
        const int *wd = &w->watched.items[i];
        if (!now->count || !bsearch(wd, now->items, now->count, sizeof *wd, watch_by_number)) {
            inotify_rm_watch(w->fd, *wd); // it may be gone already
        }
    }
    free(w->watched.items);
    w->watched = *now;
    *now = (struct watch_list){0};
    if (w->refused) {
        watch_tell_refused(w, w->refused);
    }
}

// --- what happens --------------------------------------------------------------------------------

static void watch_on_quiet(void *ctx)
{
    struct watch *w = ctx;
    w->first_ms = 0;
    w->config.on_change(w->config.ctx);
}

static void watch_note_change(struct watch *w)
{
    int64_t now_ms = loop_now_ms(w->config.loop, LOOP_REAL_TIME);
    if (w->first_ms == 0) {
        w->first_ms = now_ms;
    }
    int64_t left_ms = w->first_ms + WATCH_LATEST_MS - now_ms;
    loop_timer_start(&w->quiet, left_ms < WATCH_QUIET_MS ? left_ms : WATCH_QUIET_MS);
}

// What a folder does not hold, folder.h says; "..data" is how a mounted volume is swapped.
static bool watch_is_passed_over(const char *name)
{
    bool is_hidden = name[0] == '.' && name[1] != '.';
    return is_hidden || str_ends_with(str_from(name), STR("~"));
}

static bool watch_matters(const struct watch *w, const struct inotify_event *ev)
{
    const char *name = ev->len ? ev->name : "";
    bool is_parent = false;
    if (ev->mask & IN_IGNORED) {
        return false;
    }
    for (size_t i = 0; i < w->parent_count; i++) {
        if (w->parents[i].wd == ev->wd) {
            is_parent = true;
            if (strcmp(w->parents[i].name, name) == 0) {
                return true;
            }
        }
    }
    return !is_parent && !watch_is_passed_over(name);
}

static void watch_on_event(void *ctx, int fd, int events)
{
    struct watch *w = ctx;
    _Alignas(struct inotify_event) char buffer[WATCH_BUFFER_BYTES];
    (void)events;
    for (int i = 0; i < WATCH_READS_A_TURN; i++) {
        ssize_t got = read(fd, buffer, sizeof buffer);
        for (ssize_t at = 0; at < got;) {
            const struct inotify_event *ev =
                (const struct inotify_event *)(const void *)&buffer[at];
            if (watch_matters(w, ev)) {
                watch_note_change(w);
            }
            at += (ssize_t)(sizeof *ev + ev->len);
        }
        if (got <= 0) {
            return;
        }
    }
}

// --- life ----------------------------------------------------------------------------------------

struct watch *watch_open(const struct watch_config *c)
{
    struct watch *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return NULL;
    }
    w->config = *c;
    loop_timer_init(&w->quiet, c->loop, LOOP_REAL_TIME, watch_on_quiet, w);
    w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w->fd < 0) {
        watch_tell_refused(w, errno);
    } else if (loop_poll_open(&w->poll, c->loop, w->fd, watch_on_event, w) ||
               loop_poll_set(w->poll, LOOP_READABLE)) {
        watch_tell_refused(w, ENOMEM);
    }
    return w;
}

void watch_stop(struct watch *w)
{
    loop_timer_stop(&w->quiet);
    if (w->poll) {
        loop_poll_close(w->poll);
        w->poll = NULL;
    }
}

void watch_free(struct watch *w)
{
    if (w == NULL) {
        return;
    }
    if (w->fd >= 0) {
        close(w->fd);
    }
    free(w->watched.items);
    free(w->seen.items);
    free(w);
}
