#include "encode/json_digest.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/hash.h"
#include "encode/json_reader.h"

enum {
    INLINE_MEMBERS = 128, // open at once, before the heap is asked
    FEW_MEMBERS = 128,    // an object of more has its members sorted
    CHUNK_DIGITS = 18,
    EXPONENT_DIGITS = 17
};

// What kind of value a digest is of, so that "1", 1, [1] and {"1":1} differ.
enum tag {
    TAG_WORD = 1, // null, true, false
    TAG_NUMBER,
    TAG_ODD_NUMBER,
    TAG_STRING,
    TAG_ARRAY,
    TAG_OBJECT,
    TAG_MEMBER
};

struct member {
    uint64_t name;
    uint64_t value;
};

// The members of all objects that are open, those of the innermost last.
struct members {
    struct member *list;
    size_t count;
    size_t cap;
    struct member first[INLINE_MEMBERS];
};

struct level { // an open object or array
    bool is_object;
    size_t first;    // object: its first member in the list
    uint64_t name;   // object: of the member whose value is being read
    bool is_skipped; // that member does not count
    uint64_t items;  // array: digest so far
};

static uint64_t scatter(uint64_t x) // the finalizer of MurmurHash3
{
    x ^= x >> 33;
    x *= UINT64_C(0xff51afd7ed558ccd);
    x ^= x >> 33;
    x *= UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ x >> 33;
}

// For either argument held fixed it is one-to-one in the other.
static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t turned = scatter(b + HASH_KEY_FIXED.k0);
    return scatter(a * UINT64_C(0x9e3779b97f4a7c15) + (turned << 29 | turned >> 35));
}

static uint64_t digest_text(enum tag tag, struct str s)
{
    return mix(tag, hash_bytes(&HASH_KEY_FIXED, s.data, s.len));
}

static int members_push(struct members *m, uint64_t name, uint64_t value)
{
    if (m->count == m->cap) {
        bool is_first = m->list == m->first;
        struct member *list = realloc(is_first ? NULL : m->list, m->cap * 2 * sizeof *list);
        if (!list) {
            return ERR_NOMEM;
        }
        if (is_first) {
            memcpy(list, m->first, sizeof m->first);
        }
        m->list = list;
        m->cap *= 2;
    }
    m->list[m->count++] = (struct member){name, value};
    return 0;
}

static void members_fini(struct members *m)
{
    if (m->list != m->first) {
        free(m->list);
    }
}

// From the last member to the first. A bit for each hash says at little cost that a name has not
// been seen; where it may have been, the later members are compared.
static uint64_t sum_few(const struct member *list, size_t count, uint64_t *distinct)
{
    uint64_t seen[64] = {0};
    uint64_t sum = 0;
    for (size_t i = count; i-- > 0;) {
        uint64_t *word = &seen[list[i].name >> 58];
        uint64_t bit = UINT64_C(1) << (list[i].name & 63);
        size_t later = *word & bit ? i + 1 : count;
        while (later < count && list[later].name != list[i].name) {
            later++;
        }
        if (later == count) {
            *word |= bit;
            sum += mix(list[i].name, list[i].value);
            ++*distinct;
        }
    }
    return sum;
}

// One pass of a radix sort by the byte at `shift`; stable, so that of equal names the last stays
// last.
static void sort_pass(const struct member *from, struct member *to, size_t count, unsigned shift)
{
    size_t at[256] = {0};
    for (size_t i = 0; i < count; i++) {
        at[from[i].name >> shift & 0xFF]++;
    }
    size_t sum = 0;
    for (size_t b = 0; b < 256; b++) {
        size_t here = at[b];
        at[b] = sum;
        sum += here;
    }
    for (size_t i = 0; i < count; i++) {
        to[at[from[i].name >> shift & 0xFF]++] = from[i];
    }
}

// Linear whatever the names are: a table would be at the mercy of whoever chose them.
static int sum_sorted(struct member *list, size_t count, uint64_t *sum, uint64_t *distinct)
{
    struct member *other = malloc(count * sizeof *other);
    if (!other) {
        return ERR_NOMEM;
    }
    for (unsigned shift = 0; shift < 64; shift += 16) {
        sort_pass(list, other, count, shift);
        sort_pass(other, list, count, shift + 8);
    }
    for (size_t i = 0; i < count; i++) {
        if (i + 1 == count || list[i + 1].name != list[i].name) {
            *sum += mix(list[i].name, list[i].value);
            ++*distinct;
        }
    }
    free(other);
    return 0;
}

// A sum does not depend on the order of what is added.
static int digest_members(struct members *m, size_t first, uint64_t *digest)
{
    size_t count = m->count - first;
    uint64_t distinct = 0;
    uint64_t sum = 0;
    if (count <= FEW_MEMBERS) {
        sum = sum_few(m->list + first, count, &distinct);
    } else {
        int rc = sum_sorted(m->list + first, count, &sum, &distinct);
        if (rc != 0) {
            return rc;
        }
    }
    m->count = first;
    *digest = mix(mix(TAG_OBJECT, distinct), sum);
    return 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Where a number's digits end, and what its exponent says. False where the exponent has too many
// digits to reckon with.
static bool split_exponent(struct str text, const char **digits_end, int64_t *exponent)
{
    const char *end = text.data + text.len;
    const char *mark = text.data;
    while (mark < end && *mark != 'e' && *mark != 'E') {
        mark++;
    }
    *digits_end = mark;
    *exponent = 0;
    if (mark == end) {
        return true;
    }
    bool is_negative = mark[1] == '-';
    const char *p = is_digit(mark[1]) ? mark + 1 : mark + 2;
    while (p < end && *p == '0') {
        p++;
    }
    if (end - p > EXPONENT_DIGITS) {
        return false;
    }
    for (; p < end; p++) {
        *exponent = *exponent * 10 + (*p - '0');
    }
    *exponent = is_negative ? -*exponent : *exponent;
    return true;
}

// A number is its digits, without zeros at either end, times a power of ten: of the decimal as it
// was written, since a double would make thirty-digit numbers equal.
static uint64_t digest_number(struct str text)
{
    const char *end;
    int64_t exponent;
    bool is_reckonable = split_exponent(text, &end, &exponent);

    const char *first = NULL; // the first digit that is not zero, and the last
    const char *last = NULL;
    const char *point = end;
    for (const char *p = text.data; p < end; p++) {
        if (*p == '.') {
            point = p;
        } else if (*p != '0' && *p != '-') {
            first = first ? first : p;
            last = p;
        }
    }
    if (!first) {
        return mix(TAG_NUMBER, 0); // -0 is 0
    }
    if (!is_reckonable) {
        return digest_text(TAG_ODD_NUMBER, text);
    }
    exponent += last < point ? point - last - 1 : point - last;

    uint64_t state = mix(TAG_NUMBER, *text.data == '-' ? 2 : 1);
    uint64_t chunk = 0;
    uint64_t count = 0;
    for (const char *p = first; p <= last; p++) {
        if (*p == '.') {
            continue;
        }
        chunk = chunk * 10 + (uint64_t)(*p - '0');
        if (++count % CHUNK_DIGITS == 0) {
            state = mix(state, chunk);
            chunk = 0;
        }
    }
    return mix(mix(mix(state, chunk), count), (uint64_t)exponent);
}

static bool is_named(struct str name, const char *const *names)
{
    for (; names && *names; names++) {
        if (str_eq(name, str_from(*names))) {
            return true;
        }
    }
    return false;
}

// Hands a finished value to the level that it stands in.
static int add_value(struct level *in, struct members *m, uint64_t value)
{
    if (!in->is_object) {
        in->items = mix(in->items, value);
        return 0;
    }
    return in->is_skipped ? 0 : members_push(m, in->name, value);
}

static int run(struct json_reader *r, const char *const *skip_keys, struct members *m,
               uint64_t *digest)
{
    struct level levels[JSON_DEPTH_MAX + 1]; // level 0 is an array of the one value
    struct level *in = levels;
    *in = (struct level){.items = 0};
    for (;;) {
        uint64_t value = 0;
        enum json_token token = json_read(r);
        switch (token) {
        case JSON_END:
            *digest = levels[0].items;
            return 0;
        case JSON_ERROR:
            return r->fault_code;
        case JSON_KEY:
            in->name = digest_text(TAG_MEMBER, r->text);
            in->is_skipped = in == levels + 1 && is_named(r->text, skip_keys);
            continue;
        case JSON_OBJECT_BEGIN:
            *++in = (struct level){.is_object = true, .first = m->count};
            continue;
        case JSON_ARRAY_BEGIN:
            *++in = (struct level){.items = TAG_ARRAY};
            continue;
        case JSON_OBJECT_END: {
            int rc = digest_members(m, in->first, &value);
            if (rc != 0) {
                return rc;
            }
            in--;
            break;
        }
        case JSON_ARRAY_END:
            value = mix(TAG_ARRAY, in->items);
            in--;
            break;
        case JSON_STRING:
            value = digest_text(TAG_STRING, r->text);
            break;
        case JSON_NUMBER:
            value = digest_number(r->text);
            break;
        case JSON_NULL:
        case JSON_TRUE:
        case JSON_FALSE:
            value = mix(TAG_WORD, token);
            break;
        }
        int rc = add_value(in, m, value);
        if (rc != 0) {
            return rc;
        }
    }
}

int json_digest(struct str text, const char *const *skip_keys, uint64_t *digest)
{
    struct members m = {.cap = INLINE_MEMBERS};
    m.list = m.first;
    struct buf scratch;
    buf_init(&scratch, text.len);
    struct json_reader r;
    json_reader_init(&r, text, JSON_DEPTH_MAX, &scratch);
    int rc = run(&r, skip_keys, &m, digest);
    members_fini(&m);
    buf_fini(&scratch);
    return rc;
}
