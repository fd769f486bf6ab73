#include "base/zone.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/zone_names.h"
#include "base/zone_rule.h"

enum {
    FILE_BYTES_MAX = 1 << 20,
    HEADER_BYTES = 44,
    TYPE_BYTES = 6,
    CHANGES_MAX = 100000,
    OFFSET_S_MIN = -90000, // RFC 8536: about a day, either way
    OFFSET_S_MAX = 93600,
    AROUND_S = 86400 // a time and the offset's change that it may meet are not further apart
};

struct zone {
    int64_t *changes; // Unix seconds, ascending
    int *offsets_s;   // from each of them on
    size_t change_count;
    int first_s; // before the first
    bool has_rule;
    struct zone_rule rule; // from the last on
};

struct tzif_header {
    char version;
    size_t standard_or_wall, ut_or_local, leaps, changes, types, characters;
};

static uint32_t read_u32(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t read_i64(const unsigned char *at)
{
    return (int64_t)((uint64_t)read_u32(at) << 32 | read_u32(at + 4));
}

static int header_read(struct tzif_header *h, struct str bytes)
{
    if (bytes.len < HEADER_BYTES || memcmp(bytes.data, "TZif", 4) != 0) {
        return ERR_CORRUPT;
    }
    const unsigned char *at = (const unsigned char *)bytes.data;
    size_t counts[6];
    for (size_t i = 0; i < 6; i++) {
        counts[i] = read_u32(at + 20 + 4 * i);
        if (counts[i] > CHANGES_MAX) {
            return ERR_CORRUPT;
        }
    }
    *h = (struct tzif_header){(char)at[4], counts[1], counts[0], counts[2],
                              counts[3],   counts[4], counts[5]};
    return h->types == 0 ? ERR_CORRUPT : 0;
}

static size_t block_bytes(const struct tzif_header *h, size_t time_bytes)
{
    return h->changes * (time_bytes + 1) + h->types * TYPE_BYTES + h->characters +
           h->leaps * (time_bytes + 4) + h->standard_or_wall + h->ut_or_local;
}

static int offset_read(const unsigned char *types, size_t count, size_t index, int *offset_s)
{
    if (index >= count) {
        return ERR_CORRUPT;
    }
    *offset_s = (int)(int32_t)read_u32(types + index * TYPE_BYTES);
    return *offset_s < OFFSET_S_MIN || *offset_s > OFFSET_S_MAX ? ERR_CORRUPT : 0;
}

// The block's bytes are all there.
static int block_read(struct zone *z, const struct tzif_header *h, const unsigned char *at,
                      size_t time_bytes)
{
    const unsigned char *indexes = at + h->changes * time_bytes;
    const unsigned char *types = indexes + h->changes;
    z->changes = calloc(h->changes + 1, sizeof *z->changes);
    z->offsets_s = calloc(h->changes + 1, sizeof *z->offsets_s);
    if (!z->changes || !z->offsets_s) {
        return ERR_NOMEM;
    }
    int code = h->leaps ? ERR_CORRUPT : offset_read(types, h->types, 0, &z->first_s);
    for (size_t i = 0; code == 0 && i < h->changes; i++) {
        const unsigned char *time = at + i * time_bytes;
        z->changes[i] = time_bytes == 8 ? read_i64(time) : (int32_t)read_u32(time);
        code = i > 0 && z->changes[i] <= z->changes[i - 1]
                   ? ERR_CORRUPT
                   : offset_read(types, h->types, indexes[i], &z->offsets_s[i]);
    }
    z->change_count = h->changes;
    return code;
}

static int footer_read(struct zone *z, struct str rest)
{
    const char *end = rest.len > 1 ? memchr(rest.data + 1, '\n', rest.len - 1) : NULL;
    if (!end || rest.data[0] != '\n') {
        return ERR_CORRUPT;
    }
    struct str text = {rest.data + 1, (size_t)(end - rest.data - 1)};
    z->has_rule = text.len > 0;
    return z->has_rule && zone_rule_parse(&z->rule, text) ? ERR_CORRUPT : 0;
}

static int file_read_into(struct zone *z, struct str bytes)
{
    struct tzif_header h;
    if (header_read(&h, bytes)) {
        return ERR_CORRUPT;
    }
    size_t first = HEADER_BYTES + block_bytes(&h, 4);
    if (first > bytes.len) {
        return ERR_CORRUPT;
    }
    if (h.version == '\0') {
        return block_read(z, &h, (const unsigned char *)bytes.data + HEADER_BYTES, 4);
    }
    struct str second = {bytes.data + first, bytes.len - first};
    if (header_read(&h, second) || HEADER_BYTES + block_bytes(&h, 8) > second.len) {
        return ERR_CORRUPT;
    }
    int code = block_read(z, &h, (const unsigned char *)second.data + HEADER_BYTES, 8);
    size_t end = HEADER_BYTES + block_bytes(&h, 8);
    return code ? code : footer_read(z, (struct str){second.data + end, second.len - end});
}

int zone_parse(struct zone **out, struct str bytes, struct err *e)
{
    struct zone *z = calloc(1, sizeof *z);
    int code = z ? file_read_into(z, bytes) : ERR_NOMEM;
    if (code) {
        zone_free(z);
        *out = NULL;
        return err_set(e, (enum err_code)code, "%s",
                       code == ERR_NOMEM ? "out of memory"
                                         : "is no time zone file (TZif) without leap seconds");
    }
    *out = z;
    return 0;
}

static int zone_load_file(struct zone **out, struct str name, struct err *e)
{
    char path[FILE_PATH_MAX];
    char *bytes = NULL;
    size_t len = 0;
    struct stat st;
    snprintf(path, sizeof path, "%s/" STR_FMT, zone_names_dir(), STR_ARG(name));
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
        return zone_names_refuse(name, e);
    }
    int code = file_read(path, FILE_BYTES_MAX, &bytes, &len, e);
    if (code == 0) {
        code = zone_parse(out, (struct str){bytes, len}, e);
        if (code) {
            err_context(e, "%s", path);
        }
    }
    free(bytes);
    return code;
}

int zone_load(struct zone **out, struct str name, struct err *e)
{
    *out = NULL;
    if (str_eq(name, STR("UTC"))) {
        *out = calloc(1, sizeof **out);
        return *out ? 0 : err_set(e, ERR_NOMEM, "out of memory");
    }
    return zone_names_is_possible(name) ? zone_load_file(out, name, e) : zone_names_refuse(name, e);
}

void zone_free(struct zone *z)
{
    if (z) {
        free(z->changes);
        free(z->offsets_s);
        free(z);
    }
}

int zone_offset_s(const struct zone *z, int64_t unix_s)
{
    size_t low = 0, high = z->change_count; // the first change behind it
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (z->changes[middle] <= unix_s) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == z->change_count && z->has_rule) {
        return zone_rule_offset_s(&z->rule, unix_s);
    }
    return low ? z->offsets_s[low - 1] : z->first_s;
}

// The first second at which the offset is another than `before_s`, which it is at `from`.
static int64_t zone_find_change(const struct zone *z, int64_t from, int64_t to, int before_s)
{
    while (to - from > 1) {
        int64_t middle = from + (to - from) / 2;
        if (zone_offset_s(z, middle) == before_s) {
            from = middle;
        } else {
            to = middle;
        }
    }
    return to;
}

int64_t zone_to_unix_s(const struct zone *z, int64_t local_s)
{
    int before_s = zone_offset_s(z, local_s - AROUND_S);
    int after_s = zone_offset_s(z, local_s + AROUND_S);
    int64_t first = local_s - before_s;
    int64_t second = local_s - after_s;
    if (before_s == after_s) {
        return first;
    }
    bool is_first = zone_offset_s(z, first) == before_s;
    bool is_second = zone_offset_s(z, second) == after_s;
    if (is_first) { // a doubled time's earlier one is that of the greater offset, before the change
        return first;
    }
    return is_second ? second
                     : zone_find_change(z, local_s - AROUND_S, local_s + AROUND_S, before_s);
}
