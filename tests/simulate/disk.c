// A file system of SQLite in memory, which knows what was synced. A crash of the host keeps what
// was written; a power loss keeps what was synced, and of the rest each sector by chance.
#include "sim.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { DISK_FILES = 8, DISK_PATH = 256, SECTOR = 512, SHM_REGIONS = 16, SHM_LOCKS = 8 };

struct piece { // written, or cut, but not synced
    struct piece *next;
    int64_t at;
    size_t len;
    bool is_cut; // the file ends at `at`
    char data[];
};

struct content {
    char *data;
    int64_t len, cap;
};

struct node {
    char path[DISK_PATH];
    bool is_there;
    struct content now, safe;
    struct piece *unsynced, **unsynced_end;
    // Locks, of the database file alone.
    int shared_count;
    const void *reserved, *exclusive;
    void *shm[SHM_REGIONS];
    int shm_shared[SHM_LOCKS];
    const void *shm_exclusive[SHM_LOCKS];
};

struct disk_file {
    sqlite3_file base;
    struct node *node;
    int lock;
    unsigned shm_mask; // shared locks of this connection
};

static struct {
    struct node nodes[DISK_FILES];
    unsigned fail_one_in, fault_count, crash_in;
} disk;

void sim_disk_faults(unsigned one_in)
{
    disk.fail_one_in = one_in;
}

void sim_disk_crash_in(unsigned operations)
{
    disk.crash_in = operations;
}

unsigned sim_disk_fault_count(void)
{
    return disk.fault_count;
}

// Each operation that changes the disk passes here: it may be the one in which the host dies, or
// fail.
static bool disk_fails(const char *what)
{
    if (disk.crash_in && --disk.crash_in == 0) {
        sim_crash(what);
    }
    if (sim_chance(disk.fail_one_in)) {
        disk.fault_count++;
        sim_trace("the disk fails at %s", what);
        return true;
    }
    return false;
}

static void content_write(struct content *c, int64_t at, const char *data, size_t len)
{
    int64_t end = at + (int64_t)len;
    if (end > c->cap) {
        int64_t cap = end * 2 > 65536 ? end * 2 : 65536;
        c->data = realloc(c->data, (size_t)cap);
        if (!c->data) {
            abort();
        }
        memset(c->data + c->cap, 0, (size_t)(cap - c->cap));
        c->cap = cap;
    }
    memcpy(c->data + at, data, len);
    c->len = end > c->len ? end : c->len;
}

static void content_cut(struct content *c, int64_t len)
{
    if (len < c->len) {
        memset(c->data + len, 0, (size_t)(c->len - len));
    } else if (len > c->len) {
        content_write(c, len - 1, "", 1);
    }
    c->len = len;
}

static void piece_add(struct node *n, bool is_cut, int64_t at, const char *data, size_t len)
{
    struct piece *p = malloc(sizeof *p + len);
    if (!p) {
        abort();
    }
    *p = (struct piece){.at = at, .len = len, .is_cut = is_cut};
    memcpy(p->data, data, len);
    *n->unsynced_end = p;
    n->unsynced_end = &p->next;
}

static void piece_apply(struct content *c, const struct piece *p)
{
    if (p->is_cut) {
        content_cut(c, p->at);
    } else {
        content_write(c, p->at, p->data, p->len);
    }
}

static void node_synced(struct node *n)
{
    for (struct piece *p = n->unsynced, *next; p; p = next) {
        next = p->next;
        piece_apply(&n->safe, p);
        free(p);
    }
    n->unsynced = NULL;
    n->unsynced_end = &n->unsynced;
}

static void node_lose_power(struct node *n)
{
    unsigned keeps = sim_below(3); // nothing, some, all of it
    for (struct piece *p = n->unsynced, *next; p; p = next) {
        next = p->next;
        if (p->is_cut) {
            if (keeps == 2 || (keeps == 1 && sim_chance(2))) {
                piece_apply(&n->safe, p);
            }
        } else {
            for (size_t at = 0; at < p->len; at += SECTOR) {
                size_t len = p->len - at < SECTOR ? p->len - at : SECTOR;
                if (keeps == 2 || (keeps == 1 && sim_chance(2))) {
                    content_write(&n->safe, p->at + (int64_t)at, p->data + at, len);
                }
            }
        }
        free(p);
    }
    n->unsynced = NULL;
    n->unsynced_end = &n->unsynced;
    content_cut(&n->now, 0);
    if (n->safe.len) {
        content_write(&n->now, 0, n->safe.data, (size_t)n->safe.len);
    }
}

void sim_disk_down(bool is_power_lost)
{
    disk.crash_in = 0;
    for (int i = 0; i < DISK_FILES; i++) {
        struct node *n = &disk.nodes[i];
        if (!n->path[0]) {
            continue;
        }
        if (is_power_lost) {
            node_lose_power(n);
        }
        n->shared_count = 0;
        n->reserved = n->exclusive = NULL;
        memset(n->shm, 0, sizeof n->shm); // lost with the process
        memset(n->shm_shared, 0, sizeof n->shm_shared);
        memset(n->shm_exclusive, 0, sizeof n->shm_exclusive);
    }
    sim_trace("down, %s", is_power_lost ? "without power" : "the disk keeps what was written");
}

static struct node *node_find(const char *path, bool may_make)
{
    struct node *unused = NULL;
    for (int i = 0; i < DISK_FILES; i++) {
        struct node *n = &disk.nodes[i];
        if (strcmp(n->path, path) == 0) {
            return n;
        }
        if (!n->path[0] && !unused) {
            unused = n;
        }
    }
    if (!may_make || !unused || strlen(path) >= DISK_PATH) {
        return NULL;
    }
    strcpy(unused->path, path);
    unused->unsynced_end = &unused->unsynced;
    return unused;
}

// --- files
// ----------------------------------------------------------------------------------------

static int file_close(sqlite3_file *file)
{
    (void)file;
    return SQLITE_OK;
}

static int file_read(sqlite3_file *file, void *to, int len, sqlite3_int64 at)
{
    const struct content *c = &((struct disk_file *)file)->node->now;
    int64_t there = at < c->len ? c->len - at : 0;
    there = there < len ? there : len;
    if (there > 0) {
        memcpy(to, c->data + at, (size_t)there);
    }
    if (there < len) {
        memset((char *)to + there, 0, (size_t)(len - there));
        return SQLITE_IOERR_SHORT_READ;
    }
    return SQLITE_OK;
}

static int file_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 at)
{
    struct node *n = ((struct disk_file *)file)->node;
    if (disk_fails("a write")) {
        return sim_chance(2) ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    }
    content_write(&n->now, at, data, (size_t)len);
    piece_add(n, false, at, data, (size_t)len);
    return SQLITE_OK;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 len)
{
    struct node *n = ((struct disk_file *)file)->node;
    if (disk_fails("a truncate")) {
        return SQLITE_IOERR_TRUNCATE;
    }
    content_cut(&n->now, len);
    piece_add(n, true, len, "", 0);
    return SQLITE_OK;
}

static int file_sync(sqlite3_file *file, int flags)
{
    (void)flags;
    if (disk_fails("a sync")) {
        return SQLITE_IOERR_FSYNC;
    }
    node_synced(((struct disk_file *)file)->node);
    return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *out)
{
    *out = ((struct disk_file *)file)->node->now.len;
    return SQLITE_OK;
}

static int file_lock(sqlite3_file *file, int level)
{
    struct disk_file *f = (struct disk_file *)file;
    struct node *n = f->node;
    if (level <= f->lock) {
        return SQLITE_OK;
    }
    if (n->exclusive && n->exclusive != f) {
        return SQLITE_BUSY;
    }
    if (level == SQLITE_LOCK_SHARED) {
        n->shared_count++;
    } else if (n->reserved && n->reserved != f) {
        return SQLITE_BUSY;
    } else if (level == SQLITE_LOCK_RESERVED) {
        n->reserved = f;
    } else {
        if (n->shared_count > 1) {
            return SQLITE_BUSY;
        }
        n->reserved = n->exclusive = f;
    }
    f->lock = level;
    return SQLITE_OK;
}

static int file_unlock(sqlite3_file *file, int level)
{
    struct disk_file *f = (struct disk_file *)file;
    struct node *n = f->node;
    if (f->lock > SQLITE_LOCK_SHARED && level <= SQLITE_LOCK_SHARED) {
        n->reserved = n->reserved == f ? NULL : n->reserved;
        n->exclusive = n->exclusive == f ? NULL : n->exclusive;
    }
    if (f->lock >= SQLITE_LOCK_SHARED && level == SQLITE_LOCK_NONE) {
        n->shared_count--;
    }
    f->lock = level < f->lock ? level : f->lock;
    return SQLITE_OK;
}

static int file_reserved(sqlite3_file *file, int *out)
{
    *out = ((struct disk_file *)file)->node->reserved != NULL;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
    (void)file, (void)op, (void)arg;
    return SQLITE_NOTFOUND;
}

static int file_sector(sqlite3_file *file)
{
    (void)file;
    return SECTOR;
}

static int file_traits(sqlite3_file *file)
{
    (void)file;
    return 0;
}

static int shm_map(sqlite3_file *file, int region, int len, int may_make, void volatile **out)
{
    struct node *n = ((struct disk_file *)file)->node;
    if (region >= SHM_REGIONS) {
        return SQLITE_IOERR_SHMSIZE;
    }
    if (!n->shm[region] && may_make) {
        n->shm[region] = calloc(1, (size_t)len);
    }
    *out = n->shm[region];
    return SQLITE_OK;
}

static int shm_lock(sqlite3_file *file, int first, int count, int flags)
{
    struct disk_file *f = (struct disk_file *)file;
    struct node *n = f->node;
    for (int i = first; (flags & SQLITE_SHM_LOCK) && i < first + count; i++) {
        bool is_mine = f->shm_mask & (1U << i);
        if (n->shm_exclusive[i] && n->shm_exclusive[i] != f) {
            return SQLITE_BUSY;
        }
        if ((flags & SQLITE_SHM_EXCLUSIVE) && n->shm_shared[i] > is_mine) {
            return SQLITE_BUSY;
        }
    }
    for (int i = first; i < first + count; i++) {
        bool is_mine = f->shm_mask & (1U << i);
        if (flags & SQLITE_SHM_EXCLUSIVE) {
            n->shm_exclusive[i] = (flags & SQLITE_SHM_LOCK) ? f : NULL;
        } else if (is_mine != ((flags & SQLITE_SHM_LOCK) != 0)) {
            n->shm_shared[i] += is_mine ? -1 : 1;
            f->shm_mask ^= 1U << i;
        }
    }
    return SQLITE_OK;
}

static void shm_barrier(sqlite3_file *file)
{
    (void)file;
}

static int shm_unmap(sqlite3_file *file, int must_delete)
{
    struct node *n = ((struct disk_file *)file)->node;
    for (int i = 0; must_delete && i < SHM_REGIONS; i++) {
        free(n->shm[i]);
        n->shm[i] = NULL;
    }
    return SQLITE_OK;
}

static const sqlite3_io_methods FILE_METHODS = {.iVersion = 2,
                                                .xClose = file_close,
                                                .xRead = file_read,
                                                .xWrite = file_write,
                                                .xTruncate = file_truncate,
                                                .xSync = file_sync,
                                                .xFileSize = file_size,
                                                .xLock = file_lock,
                                                .xUnlock = file_unlock,
                                                .xCheckReservedLock = file_reserved,
                                                .xFileControl = file_control,
                                                .xSectorSize = file_sector,
                                                .xDeviceCharacteristics = file_traits,
                                                .xShmMap = shm_map,
                                                .xShmLock = shm_lock,
                                                .xShmBarrier = shm_barrier,
                                                .xShmUnmap = shm_unmap};

static int disk_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out)
{
    (void)vfs;
    file->pMethods = NULL;
    struct node *n =
        path ? node_find(path, flags & SQLITE_OPEN_CREATE || flags & SQLITE_OPEN_MAIN_DB) : NULL;
    if (!n) {
        return SQLITE_CANTOPEN;
    }
    n->is_there = true;
    *(struct disk_file *)file = (struct disk_file){.base = {&FILE_METHODS}, .node = n};
    if (out) {
        *out = flags;
    }
    return SQLITE_OK;
}

static int disk_delete(sqlite3_vfs *vfs, const char *path, int must_sync)
{
    (void)vfs, (void)must_sync;
    struct node *n = node_find(path, false);
    if (!n || !n->is_there) {
        return SQLITE_IOERR_DELETE_NOENT;
    }
    if (disk_fails("a delete")) {
        return SQLITE_IOERR_DELETE;
    }
    n->is_there = false;
    content_cut(&n->now, 0);
    node_synced(n);
    content_cut(&n->safe, 0);
    return SQLITE_OK;
}

static int disk_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
    (void)vfs;
    struct node *n = node_find(path, false);
    *out = n && n->is_there && (flags != SQLITE_ACCESS_EXISTS || n->now.len > 0);
    return SQLITE_OK;
}

static int disk_full_path(sqlite3_vfs *vfs, const char *path, int len, char *out)
{
    (void)vfs;
    sqlite3_snprintf(len, out, "%s", path);
    return SQLITE_OK;
}

static int disk_random(sqlite3_vfs *vfs, int len, char *out)
{
    (void)vfs;
    for (int i = 0; i < len; i++) {
        out[i] = (char)sim_random();
    }
    return len;
}

static int disk_sleep(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    return us;
}

static int disk_time(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
    (void)vfs;
    *out = sim_wall_ms() + INT64_C(210866760000000);
    return SQLITE_OK;
}

static int disk_last_error(sqlite3_vfs *vfs, int len, char *out)
{
    (void)vfs, (void)len, (void)out;
    return 0;
}

static sqlite3_vfs DISK_VFS = {.iVersion = 2,
                               .szOsFile = sizeof(struct disk_file),
                               .mxPathname = DISK_PATH,
                               .zName = "simulated",
                               .xOpen = disk_open,
                               .xDelete = disk_delete,
                               .xAccess = disk_access,
                               .xFullPathname = disk_full_path,
                               .xRandomness = disk_random,
                               .xSleep = disk_sleep,
                               .xCurrentTimeInt64 = disk_time,
                               .xGetLastError = disk_last_error};

void sim_disk_init(void)
{
    sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    sqlite3_initialize();
    sqlite3_vfs_register(&DISK_VFS, 1);
}
