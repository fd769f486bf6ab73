// What is masked is what a plain look at every byte, every reading and every bit finds: random
// secrets, in random forms, escapes, lines and cuts. HOOKLINE_SEED gives the seed.
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "deliver/mask.h"
#include "encode/base64.h"

enum { ROUNDS = 4000, PIECES = 8, TEXT_MAX = 1 << 13, SECRETS = 6, UNESCAPED_MAX = 2, OTHER = 99 };

struct wanted {
    struct str bytes;
    bool is_plain;     // as it is, too
    size_t alignments; // in base64: 1, or 3
};

struct reading {
    size_t len;
    size_t whole;
    unsigned char bytes[TEXT_MAX]; // or values of base64
    uint16_t starts[TEXT_MAX];
    uint16_t ends[TEXT_MAX];
};

struct world {
    uint64_t random;
    struct buf secrets[SECRETS]; // what wanted has is here
    struct wanted wanted[SECRETS];
    size_t wanted_count;
    struct mask mask;
    struct buf text;
    bool is_cut;
    bool is_hidden[TEXT_MAX];
    bool is_joined[TEXT_MAX]; // with the byte before it
};

static size_t below(struct world *w, size_t n)
{
    return (size_t)(next_random(&w->random) >> 33) % n;
}

// --- the plain look ------------------------------------------------------------------------------

static void hide(struct world *w, size_t start, size_t end)
{
    for (size_t i = start; i < end; i++) {
        w->is_hidden[i] = true;
        w->is_joined[i] |= i > start;
    }
}

static void add(struct reading *r, int c, size_t start, size_t end)
{
    r->bytes[r->len] = (unsigned char)c;
    r->starts[r->len] = (uint16_t)start;
    r->ends[r->len++] = (uint16_t)end;
}

static int hex(const struct reading *r, size_t at, size_t digits)
{
    int value = 0;
    for (size_t i = at; i < at + digits; i++) {
        int c = r->bytes[i];
        char text[2] = {(char)c, '\0'};
        if (c <= 0 || c > 126 || !strchr("0123456789abcdefABCDEF", c)) {
            return -1;
        }
        value = value * 16 + (int)strtol(text, NULL, 16);
    }
    return value;
}

// The character behind a backslash or a '%', and how long that is; 0: it is none; SIZE_MAX: cut.
static size_t escape(const struct reading *r, size_t at, int *value)
{
    static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    size_t left = r->len - at;
    size_t digits = r->bytes[at] == '%' ? 2 : 4;
    size_t before = r->bytes[at] == '%' ? 1 : 2;
    if (r->bytes[at] == '\\') {
        int c = left > 1 ? r->bytes[at + 1] : 0;
        const char *letter = c > 0 && c < 127 ? strchr(letters, c) : NULL;
        if (left == 1) {
            return SIZE_MAX;
        }
        if (c != 'u') {
            *value = letter ? values[letter - letters] : 0;
            return letter ? 2 : 0;
        }
        for (size_t i = 2; i < left && i < 6; i++) {
            if (hex(r, at + i, 1) < 0) {
                return 0;
            }
        }
    }
    if (left < before + digits) {
        return SIZE_MAX;
    }
    *value = hex(r, at + before, digits);
    return *value < 0 ? 0 : before + digits;
}

static struct reading *unescape(const struct world *w, const struct reading *r, int escaped)
{
    struct reading *out = calloc(1, sizeof *out);
    out->whole = r->whole;
    for (size_t at = 0, len; at < r->len; at += len) {
        int value = r->bytes[at];
        len = r->bytes[at] == escaped ? escape(r, at, &value) : 0;
        if (len == SIZE_MAX && w->is_cut) {
            out->whole = r->starts[at];
            break;
        }
        bool is_literal = len == 0 || len == SIZE_MAX;
        len = is_literal ? 1 : len;
        value = is_literal ? r->bytes[at] : value;
        size_t start = r->starts[at], end = r->ends[at + len - 1];
        if (len == 6 && value >= 0x800) {
            add(out, 0xE0 | value >> 12, start, end);
            add(out, 0x80 | (value >> 6 & 0x3F), start, end);
            add(out, 0x80 | (value & 0x3F), start, end);
        } else if (len == 6 && value >= 0x80) {
            add(out, 0xC0 | value >> 6, start, end);
            add(out, 0x80 | (value & 0x3F), start, end);
        } else {
            add(out, value, start, end);
        }
    }
    return out;
}

static struct reading *values_of(const struct reading *r)
{
    struct reading *out = calloc(1, sizeof *out);
    bool is_break = false;
    out->whole = r->whole;
    for (size_t i = 0; i < r->len; i++) {
        int c = r->bytes[i];
        is_break = c == '\r' || c == '\n' || (is_break && (c == ' ' || c == '\t'));
        int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                    : c >= 'a' && c <= 'z' ? c - 'a' + 26
                    : c >= '0' && c <= '9' ? c - '0' + 52
                    : c == '+' || c == '-' ? 62
                    : c == '/' || c == '_' ? 63
                    : c == '='             ? 64
                                           : OTHER;
        if (!is_break) {
            add(out, value, r->starts[i], r->ends[i]);
        }
    }
    return out;
}

static void look_for_bytes(struct world *w, const struct reading *r, struct str secret)
{
    for (size_t from = 0; from < r->len; from++) {
        size_t i = 0;
        while (i < secret.len && from + i < r->len &&
               r->bytes[from + i] == (unsigned char)secret.data[i]) {
            i++;
        }
        if (i == secret.len) {
            hide(w, r->starts[from], r->ends[from + i - 1]);
        } else if (w->is_cut && from + i == r->len) {
            hide(w, r->starts[from], w->text.len);
        }
    }
}

static void look_for_bits(struct world *w, const struct reading *r, struct str secret,
                          size_t before)
{
    for (size_t from = 0; from < r->len; from++) {
        size_t at = from, bit = 0;
        for (; bit < secret.len * 8; bit++) {
            size_t place = before * 8 % 6 + bit;
            at = from + place / 6;
            int wanted = (unsigned char)secret.data[bit / 8] >> (7 - bit % 8) & 1;
            if (at == r->len || r->bytes[at] > 63 ||
                (r->bytes[at] >> (5 - place % 6) & 1) != wanted) {
                break;
            }
        }
        if (bit == secret.len * 8) {
            while (at + 1 < r->len && r->bytes[at + 1] == 64) {
                at++;
            }
            hide(w, r->starts[from], r->ends[at]);
        } else if (w->is_cut && at == r->len) {
            hide(w, r->starts[from], w->text.len);
        }
    }
}

static void look(struct world *w, const struct reading *r, size_t unescaped)
{
    struct reading *values = values_of(r);
    for (size_t i = 0; i < w->wanted_count; i++) {
        if (w->wanted[i].is_plain) {
            look_for_bytes(w, r, w->wanted[i].bytes);
        }
        for (size_t before = 0; before < w->wanted[i].alignments; before++) {
            look_for_bits(w, values, w->wanted[i].bytes, before);
        }
    }
    free(values);
    hide(w, r->whole, w->text.len);
    for (size_t i = 0; unescaped < UNESCAPED_MAX && i < 2; i++) {
        struct reading *inner = unescape(w, r, "\\%"[i]);
        look(w, inner, unescaped + 1);
        free(inner);
    }
}

static void look_plainly(struct world *w, struct buf *out)
{
    struct reading *r = calloc(1, sizeof *r);
    memset(w->is_hidden, 0, sizeof w->is_hidden);
    memset(w->is_joined, 0, sizeof w->is_joined);
    for (size_t i = 0; i < w->text.len; i++) {
        add(r, (unsigned char)w->text.data[i], i, i + 1);
    }
    r->whole = r->len;
    look(w, r, 0);
    free(r);
    for (size_t i = 0; i < w->text.len; i++) {
        if (!w->is_hidden[i]) {
            buf_append_char(out, w->text.data[i]);
        } else if (!w->is_joined[i]) {
            buf_append_text(out, "****");
        }
    }
}

// --- random secrets and texts --------------------------------------------------------------------

static void say_random(struct world *w, struct buf *out, size_t len)
{
    static const char *const alphabets[] = {"A", "AB", "a\\\"/%", "\xfb\xff", "u0024n", "\xc3\xbc"};
    const char *alphabet = alphabets[below(w, COUNT_OF(alphabets))];
    for (size_t i = 0; i < len; i++) {
        buf_append_char(out, alphabet[below(w, strlen(alphabet))]);
    }
}

static void say_base64(struct world *w, struct buf *out, struct str secret)
{
    struct buf plain, coded;
    buf_init(&plain, TEXT_MAX);
    buf_init(&coded, TEXT_MAX);
    say_random(w, &plain, below(w, 4));
    buf_append_str(&plain, secret);
    say_random(w, &plain, below(w, 4));
    base64_encode(&coded, buf_str(&plain));
    size_t width = below(w, 3) ? SIZE_MAX : 1 + below(w, 8);
    for (size_t i = 0; i < coded.len; i++) {
        char c = coded.data[i];
        if (i && i % width == 0) {
            static const char *const breaks[] = {"\n", "\r\n", "\n \t"};
            buf_append_text(out, breaks[below(w, COUNT_OF(breaks))]);
        }
        buf_append_char(out, c == '/' && below(w, 2) ? '_' : c == '+' && below(w, 2) ? '-' : c);
    }
    buf_fini(&plain);
    buf_fini(&coded);
}

static void say_escaped(struct world *w, struct buf *out, struct str text, size_t kind)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (kind == 0) {
            bool is_plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
            bool is_left = below(w, 8) && (is_plain || below(w, 4) == 0);
            buf_printf(out, is_left ? "%c" : below(w, 2) ? "%%%02X" : "%%%02x", c);
        } else if (c == 0xc3 && i + 1 < text.len && text.data[i + 1] == '\xbc') {
            buf_append_text(out, below(w, 2) ? "\\u00fc" : "\xc3\xbc");
            i++;
        } else if (c == '\n' || c == '\r') {
            buf_append_text(out, c == '\n' ? "\\n" : "\\r");
        } else if (c < 0x80 && below(w, 8) == 0) {
            buf_printf(out, "\\u%04x", c);
        } else {
            buf_append_text(out, c == '"' || c == '\\' || (c == '/' && below(w, 2)) ? "\\" : "");
            buf_append_char(out, (char)c);
        }
    }
}

static void say_piece(struct world *w, size_t escapes)
{
    static const char *const others[] = {"\\", "%",   "\\u00", "\\u002", "%2", "=", "==", "A",
                                         "Q",  "QUF", "\n",    " ",      ".",  "n", "2",  "\\n"};
    struct buf piece, escaped;
    buf_init(&piece, TEXT_MAX);
    struct str secret = buf_str(&w->secrets[below(w, SECRETS)]);
    switch (below(w, 4)) {
    case 0:
        buf_append_text(&piece, others[below(w, COUNT_OF(others))]);
        break;
    case 1:
        buf_append(&piece, secret.data, below(w, 2) ? secret.len : below(w, secret.len + 1));
        break;
    default:
        say_base64(w, &piece, secret);
    }
    for (; escapes; escapes--) {
        buf_init(&escaped, TEXT_MAX);
        say_escaped(w, &escaped, buf_str(&piece), below(w, 2));
        buf_fini(&piece);
        piece = escaped;
    }
    buf_append_str(&w->text, buf_str(&piece));
    buf_fini(&piece);
}

static void make_secrets(struct world *w)
{
    struct buf *coded = &w->secrets[SECRETS - 1];
    mask_init(&w->mask);
    w->wanted_count = 0;
    for (size_t i = 0; i < SECRETS; i++) {
        buf_init(&w->secrets[i], TEXT_MAX);
    }
    for (size_t i = 0; i < SECRETS - 2; i++) {
        say_random(w, &w->secrets[i], 1 + below(w, below(w, 4) ? 8 : 30));
        if (i == 0 || below(w, 3) == 0) {
            struct str secret = buf_str(&w->secrets[i]);
            w->wanted[w->wanted_count++] = (struct wanted){secret, true, 3};
            assert_int_equal(mask_add(&w->mask, secret), 0);
        }
    }
    struct buf *pair = &w->secrets[SECRETS - 2];
    say_random(w, pair, 1 + below(w, 9));
    base64_encode(coded, buf_str(pair));
    if (below(w, 2)) {
        w->wanted[w->wanted_count++] = (struct wanted){buf_str(pair), false, 1};
        w->wanted[w->wanted_count++] = (struct wanted){buf_str(coded), false, 3};
        assert_int_equal(mask_add_credential(&w->mask, buf_str(pair)), 0);
    }
}

static void make_text(struct world *w)
{
    buf_init(&w->text, TEXT_MAX);
    size_t escapes = below(w, UNESCAPED_MAX + 1);
    for (size_t left = 1 + below(w, PIECES); left; left--) {
        say_piece(w, below(w, 4) ? escapes : below(w, UNESCAPED_MAX + 1));
    }
    w->is_cut = below(w, 2);
    w->text.len -= w->is_cut ? below(w, w->text.len + 1) : 0;
    assert_int_equal(w->text.failed, 0);
}

static void the_mask_and_a_plain_look_agree(void **state)
{
    (void)state;
    static struct world world;
    struct world *w = &world;
    uint64_t seed;
    const char *given = getenv("HOOKLINE_SEED");
    size_t hits = 0;
    random_bytes(&seed, sizeof seed);
    seed = given ? strtoull(given, NULL, 10) : seed;
    w->random = seed | 1;
    print_message("HOOKLINE_SEED=%llu\n", (unsigned long long)seed);
    for (size_t i = 0; i < ROUNDS; i++) {
        struct buf out, wanted;
        buf_init(&out, 8 * TEXT_MAX);
        buf_init(&wanted, 8 * TEXT_MAX);
        make_secrets(w);
        make_text(w);
        look_plainly(w, &wanted);
        assert_int_equal(mask_apply(&w->mask, &out, buf_str(&w->text), w->is_cut), 0);
        if (!str_eq(buf_str(&out), buf_str(&wanted))) {
            fail_msg("HOOKLINE_SEED=%llu\n%s text\n" STR_FMT "\nfirst secret " STR_FMT
                     "\nwanted\n" STR_FMT "\ngot\n" STR_FMT,
                     (unsigned long long)seed, w->is_cut ? "cut" : "whole",
                     STR_ARG(buf_str(&w->text)), STR_ARG(buf_str(&w->secrets[0])),
                     STR_ARG(buf_str(&wanted)), STR_ARG(buf_str(&out)));
        }
        hits += !str_eq(buf_str(&out), buf_str(&w->text));
        for (size_t k = 0; k < SECRETS; k++) {
            buf_fini(&w->secrets[k]);
        }
        buf_fini(&w->text);
        buf_fini(&out);
        buf_fini(&wanted);
        mask_fini(&w->mask);
    }
    print_message("%zu of %d texts had a secret\n", hits, (int)ROUNDS);
    assert_in_range(hits, ROUNDS / 4, ROUNDS * 19 / 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_mask_and_a_plain_look_agree)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
