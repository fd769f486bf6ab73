// SQLite leaves what was deleted, or moved, where it stood until the place is used again: in the
// gap of a page, between its cells, in pages that are free, behind the end of an overflowing row.
// Here that is overwritten with zeros, in the file itself, while nothing is in the WAL and nobody
// else writes. Only bytes that no reader looks at change, so it does not matter whether one reads
// the page meanwhile, nor whether a power loss leaves it half written.
//
// The format: https://www.sqlite.org/fileformat2.html. Pages of a kind that is not known, or that
// do not hold what they should, are left alone.
#include "store/sqlite/internal.h"

#include <stdlib.h>

enum {
    PAGE = 4096, // as open.c has it made; without reserved bytes
    STEP_PAGES = 256,
    LOCK_PAGE = 0x40000000 / PAGE + 1,
    MAP_ENTRY = 5,
    MAP_SPAN = PAGE / MAP_ENTRY + 1, // a pointer map page and those that it is for
    TRUNKS_MAX = 65536
};
enum { MAP_ROOT = 1, MAP_FREE = 2, MAP_OVERFLOW = 3, MAP_OVERFLOW_MORE = 4, MAP_BTREE = 5 };
enum { INDEX_INNER = 2, TABLE_INNER = 5, INDEX_LEAF = 10, TABLE_LEAF = 13 };

struct scrubbing {
    sqlite3_file *file;
    uint32_t pages;
    uint32_t *trunks; // pages of the free list that list others
    size_t trunk_count;
    int rc;
    bool is_changed; // the page that is being looked at
    unsigned char map[PAGE];
    uint32_t map_page; // that is in map; 0: none
    unsigned char page[PAGE];
    unsigned char other[PAGE];
};

static uint32_t read4(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static unsigned read2(const unsigned char *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static bool read_page(struct scrubbing *x, uint32_t number, unsigned char out[PAGE])
{
    if (x->rc == SQLITE_OK && number > 0 && number <= x->pages) {
        x->rc = x->file->pMethods->xRead(x->file, out, PAGE, (sqlite3_int64)(number - 1) * PAGE);
        return x->rc == SQLITE_OK;
    }
    return false;
}

static void write_page(struct scrubbing *x, uint32_t number, const unsigned char page[PAGE])
{
    if (x->rc == SQLITE_OK) {
        x->rc = x->file->pMethods->xWrite(x->file, page, PAGE, (sqlite3_int64)(number - 1) * PAGE);
    }
}

// What kind of page it is; 0: a pointer map page, or unknown.
static int kind_of(struct scrubbing *x, uint32_t number)
{
    if (number == 1) {
        return MAP_ROOT;
    }
    uint32_t map = (number - 2) / MAP_SPAN * MAP_SPAN + 2;
    map += map == LOCK_PAGE;
    if (number <= map || number == LOCK_PAGE) {
        return 0;
    }
    if (x->map_page != map) {
        x->map_page = read_page(x, map, x->map) ? map : 0;
    }
    size_t at = (size_t)(number - map - 1) * MAP_ENTRY;
    return x->map_page && at + MAP_ENTRY <= PAGE ? x->map[at] : 0;
}

static void clear(struct scrubbing *x, unsigned char *page, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        x->is_changed |= page[i] != 0;
        page[i] = 0;
    }
}

// --- the free list -------------------------------------------------------------------------------

static bool read_trunks(struct scrubbing *x)
{
    x->trunk_count = 0;
    if (!read_page(x, 1, x->other)) {
        return false;
    }
    uint32_t next = read4(x->other + 32);
    while (next && x->trunk_count < TRUNKS_MAX && read_page(x, next, x->other)) {
        x->trunks[x->trunk_count++] = next;
        next = read4(x->other);
    }
    return next == 0;
}

static void scrub_free(struct scrubbing *x, uint32_t number)
{
    size_t used = 0;
    for (size_t i = 0; i < x->trunk_count; i++) {
        if (x->trunks[i] == number) {
            used = 8 + 4 * (size_t)read4(x->page + 4);
        }
    }
    clear(x, x->page, used, PAGE);
}

// --- trees ---------------------------------------------------------------------------------------

static size_t read_varint(const unsigned char *at, const unsigned char *end, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < 9 && at + i < end; i++) {
        *out = i == 8 ? *out << 8 | at[i] : *out << 7 | (at[i] & 127);
        if (i == 8 || at[i] < 128) {
            return i + 1;
        }
    }
    return 0;
}

// The end of a row that goes on in other pages.
static void scrub_tail(struct scrubbing *x, uint32_t number, uint64_t left)
{
    unsigned char head[4];
    while (left > PAGE - 4) {
        if (x->rc != SQLITE_OK || number == 0 || number > x->pages) {
            return;
        }
        x->rc = x->file->pMethods->xRead(x->file, head, 4, (sqlite3_int64)(number - 1) * PAGE);
        number = read4(head);
        left -= PAGE - 4;
    }
    bool is_page_changed = x->is_changed;
    x->is_changed = false;
    if (read_page(x, number, x->other) && read4(x->other) == 0) {
        clear(x, x->other, 4 + (size_t)left, PAGE);
        if (x->is_changed) {
            write_page(x, number, x->other);
        }
    }
    x->is_changed = is_page_changed;
}

static void scrub_cell(struct scrubbing *x, int kind, size_t at)
{
    const unsigned char *end = x->page + PAGE, *cell = x->page + at;
    const uint64_t most = kind == TABLE_LEAF ? PAGE - 35 : (PAGE - 12) * 64 / 255 - 23;
    const uint64_t least = (PAGE - 12) * 32 / 255 - 23;
    uint64_t payload, row;
    size_t len;
    cell += kind == INDEX_INNER ? 4 : 0;
    if (kind == TABLE_INNER || cell >= end || (len = read_varint(cell, end, &payload)) == 0) {
        return;
    }
    cell += len;
    if (kind == TABLE_LEAF) {
        cell += read_varint(cell, end, &row);
    }
    if (payload <= most || payload > INT32_MAX) {
        return;
    }
    uint64_t local = least + (payload - least) % (PAGE - 4);
    local = local <= most ? local : least;
    if (cell + local + 4 <= end) {
        scrub_tail(x, read4(cell + local), payload - local);
    }
}

static void scrub_tree(struct scrubbing *x, uint32_t number)
{
    const size_t head = number == 1 ? 100 : 0;
    const int kind = x->page[head];
    const bool is_inner = kind == INDEX_INNER || kind == TABLE_INNER;
    if (!is_inner && kind != INDEX_LEAF && kind != TABLE_LEAF) {
        return;
    }
    const size_t cells = read2(x->page + head + 3);
    const size_t gap = head + (is_inner ? 12 : 8) + 2 * cells;
    const size_t content = read2(x->page + head + 5) ? read2(x->page + head + 5) : 65536;
    if (gap > content || content > PAGE) {
        return;
    }
    clear(x, x->page, gap, content);
    for (size_t at = read2(x->page + head + 1), next; at; at = next) {
        next = read2(x->page + at);
        size_t size = read2(x->page + at + 2);
        if (at < content || at + size > PAGE || size < 4 || (next && next < at + size)) {
            return;
        }
        clear(x, x->page, at + 4, at + size);
    }
    for (size_t i = 0; i < cells; i++) {
        size_t at = read2(x->page + head + (is_inner ? 12 : 8) + 2 * i);
        if (at >= content && at < PAGE) {
            scrub_cell(x, kind, at);
        }
    }
}

// --- a step --------------------------------------------------------------------------------------

static void scrub_page(struct scrubbing *x, uint32_t number)
{
    int kind = kind_of(x, number);
    x->is_changed = false;
    if (kind == 0 || !read_page(x, number, x->page)) {
        return;
    }
    if (kind == MAP_FREE) {
        scrub_free(x, number);
    } else if (kind == MAP_ROOT || kind == MAP_BTREE) {
        scrub_tree(x, number);
    }
    if (x->is_changed) {
        write_page(x, number, x->page);
    }
}

// Everything into the database, nothing into the WAL; nobody is waited for.
static int empty_wal(struct store *s)
{
    struct writer *w = &s->writer;
    int log = -1, done = -1;
    int rc = rewrite_doubtful(w);
    if (rc == SQLITE_OK) {
        rc = sqlite3_wal_checkpoint_v2(w->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &log, &done);
        rewrite_note(w, rc, true);
    }
    if (rc == SQLITE_OK && log != done) {
        rc = SQLITE_BUSY;
    }
    if (rc == SQLITE_OK) {
        sqlite3_busy_timeout(w->db, 0);
        rc = sqlite3_wal_checkpoint_v2(w->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
        rewrite_note(w, rc, true);
        sqlite3_busy_timeout(w->db, s->options.busy_ms);
        w->wal_frames = rc == SQLITE_OK ? 0 : w->wal_frames;
    }
    return rc;
}

static int scrub_pages(struct scrubbing *x, struct store_scrub *q)
{
    sqlite3_int64 size = 0;
    x->rc = x->file->pMethods->xFileSize(x->file, &size);
    x->pages = (uint32_t)(size / PAGE);
    if (!read_trunks(x)) { // a free list without an end: its own pages would be taken for others
        return x->rc == SQLITE_OK ? SQLITE_CORRUPT : x->rc;
    }
    for (int i = 0; i < STEP_PAGES && q->place < x->pages && x->rc == SQLITE_OK; i++) {
        scrub_page(x, (uint32_t)++q->place);
    }
    q->is_done = q->place >= x->pages;
    return x->rc == SQLITE_OK ? x->file->pMethods->xSync(x->file, SQLITE_SYNC_NORMAL) : x->rc;
}

void scrub_run(struct store *s, struct store_scrub *q)
{
    struct scrubbing *x = calloc(1, sizeof *x);
    uint32_t *trunks = calloc(TRUNKS_MAX, sizeof *trunks);
    int rc = x && trunks ? empty_wal(s) : SQLITE_NOMEM;
    q->is_done = false;
    if (rc == SQLITE_OK) {
        x->trunks = trunks;
        rc = sqlite3_file_control(s->writer.db, "main", SQLITE_FCNTL_FILE_POINTER, &x->file);
    }
    if (rc == SQLITE_OK) {
        rc = scrub_pages(x, q);
        // A page that is kept in memory would bring back what it held, should it be written.
        sqlite3_db_release_memory(s->writer.db);
    }
    struct err e;
    int primary = rc & 0xff;
    q->code = rc == SQLITE_OK ? 0
              : primary == SQLITE_BUSY || primary == SQLITE_LOCKED
                  ? ERR_BUSY
                  : fault_set(&e, s->writer.db, s->db_path, rc);
    free(trunks);
    free(x);
}
