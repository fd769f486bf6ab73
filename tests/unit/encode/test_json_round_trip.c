// Properties: a random value that is written and read is the same value; a text that is read and
// written again is a fixed point; a text with random damage is never read outside of its bytes.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "encode/json_digest.h"
#include "encode/json_reader.h"
#include "encode/json_writer.h"

enum { ROUNDS = 3000, TEXT_MAX = 1 << 20, DEPTH = 12 };

struct source {
    uint64_t seed;
};

static uint64_t next_random(struct source *s) // splitmix64
{
    uint64_t x = s->seed += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static size_t below(struct source *s, size_t limit)
{
    return (size_t)(next_random(s) % limit);
}

// Any valid UTF-8, with much of what needs care.
static struct str random_text(struct source *s, char out[256])
{
    static const char *const PIECES[] = {
        "a",
        "plain words ",
        "\"",
        "\\",
        "/",
        "\n",
        "\t",
        "\x01",
        "\x1F",
        "\x7F",
        "\\u",
        "\xC3\xA9",
        "\xE2\x82\xAC",
        "\xE2\x80\xA8",
        "0",
        "{}",
        "\xF0\x9F\x98\x80",
        "\xEF\xBF\xBF",
        "\xC2\x80",
        "12345678",
        "'",
    };
    size_t count = below(s, 12);
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        const char *piece = PIECES[below(s, sizeof PIECES / sizeof *PIECES)];
        memcpy(out + len, piece, strlen(piece));
        len += strlen(piece);
        if (below(s, 16) == 0) {
            out[len++] = '\0';
        }
    }
    return (struct str){out, len};
}

static double random_double(struct source *s)
{
    uint64_t bits = next_random(s);
    double d;
    memcpy(&d, &bits, sizeof d);
    return isfinite(d) ? d : 0.5;
}

static void write_random(struct source *s, struct json_writer *w, unsigned depth)
{
    char text[256];
    size_t kind = below(s, depth > 0 ? 9 : 7);
    size_t count = below(s, 6);
    switch (kind) {
    case 0:
        json_null(w);
        break;
    case 1:
        json_bool(w, below(s, 2) == 0);
        break;
    case 2:
        json_integer(w, (int64_t)(next_random(s) >> below(s, 64)));
        break;
    case 3:
        json_double(w, random_double(s));
        break;
    case 4:
        json_double(w, (double)below(s, 100000000) / 100);
        break;
    case 5:
    case 6:
        json_string(w, random_text(s, text));
        break;
    case 7:
        json_array_begin(w);
        for (size_t i = 0; i < count; i++) {
            write_random(s, w, depth - 1);
        }
        json_array_end(w);
        break;
    default:
        json_object_begin(w);
        for (size_t i = 0; i < count; i++) {
            json_key(w, random_text(s, text));
            write_random(s, w, depth - 1);
        }
        json_object_end(w);
        break;
    }
}

static void copy_token(struct json_reader *r, enum json_token token, struct json_writer *w)
{
    switch (token) {
    case JSON_NULL:
        json_null(w);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        json_bool(w, token == JSON_TRUE);
        break;
    case JSON_NUMBER:
        if (r->number.prints_otherwise) {
            json_raw(w, r->text);
        } else if (r->number.is_integer) {
            json_integer(w, r->number.integer);
        } else {
            assert_int_equal(json_double(w, r->number.value), 0);
        }
        break;
    case JSON_STRING:
        json_string(w, r->text);
        break;
    case JSON_KEY:
        json_key(w, r->text);
        break;
    case JSON_OBJECT_BEGIN:
        json_object_begin(w);
        break;
    case JSON_OBJECT_END:
        json_object_end(w);
        break;
    case JSON_ARRAY_BEGIN:
        json_array_begin(w);
        break;
    case JSON_ARRAY_END:
        json_array_end(w);
        break;
    case JSON_END:
    case JSON_ERROR:
        break;
    }
}

// Reads text, which lies at the end of a block of its own, and writes what it reads.
static enum json_token copy(struct str text, struct buf *out)
{
    char *exact = malloc(text.len > 0 ? text.len : 1);
    assert_non_null(exact);
    if (text.len > 0) {
        memcpy(exact, text.data, text.len);
    }
    struct buf scratch;
    buf_init(&scratch, TEXT_MAX);
    struct json_reader r;
    struct json_writer w;
    json_reader_init(&r, (struct str){exact, text.len}, DEPTH + 1, &scratch);
    json_writer_init(&w, out);
    enum json_token token;
    do {
        token = json_read(&r);
        copy_token(&r, token, &w);
    } while (token != JSON_END && token != JSON_ERROR);
    uint64_t digest;
    int rc = json_digest((struct str){exact, text.len}, NULL, &digest);
    if (token == JSON_END) {
        assert_int_equal(rc, 0);
    } else {
        assert_true(r.fault_at <= text.len);
    }
    buf_fini(&scratch);
    free(exact);
    return token;
}

static void test_write_read_write(void **state)
{
    (void)state;
    struct source s = {.seed = 3};
    struct buf first;
    struct buf second;
    buf_init(&first, TEXT_MAX);
    buf_init(&second, TEXT_MAX);
    for (int i = 0; i < ROUNDS; i++) {
        buf_reset(&first);
        buf_reset(&second);
        struct json_writer w;
        json_writer_init(&w, &first);
        write_random(&s, &w, DEPTH);
        assert_int_equal(first.failed, 0);
        assert_int_equal(copy(buf_str(&first), &second), JSON_END);
        assert_true(str_eq(buf_str(&first), buf_str(&second)));
    }
    buf_fini(&first);
    buf_fini(&second);
}

static void damage(struct source *s, struct buf *b)
{
    static const char BYTES[] = "\"\\{}[],:0e.-u \n\xC3\xFF\0d8";
    size_t at = below(s, b->len);
    switch (below(s, 5)) {
    case 0:
        b->data[at] = (char)next_random(s);
        break;
    case 1:
        b->data[at] = BYTES[below(s, sizeof BYTES)];
        break;
    case 2: // cut off
        b->len = at;
        break;
    case 3: // a byte goes
        memmove(b->data + at, b->data + at + 1, b->len - at - 1);
        b->len--;
        break;
    default: // a byte comes twice
        assert_int_equal(buf_append(b, (char[1]){'x'}, 1), 0);
        memmove(b->data + at + 1, b->data + at, b->len - at - 1);
        break;
    }
}

// What is still accepted after damage must be a fixed point of reading and writing.
static void test_damaged_texts(void **state)
{
    (void)state;
    struct source s = {.seed = 5};
    struct buf text;
    struct buf once;
    struct buf twice;
    buf_init(&text, TEXT_MAX);
    buf_init(&once, TEXT_MAX);
    buf_init(&twice, TEXT_MAX);
    size_t accepted = 0;
    for (int i = 0; i < ROUNDS * 4; i++) {
        buf_reset(&text);
        buf_reset(&once);
        buf_reset(&twice);
        struct json_writer w;
        json_writer_init(&w, &text);
        write_random(&s, &w, 4);
        for (size_t k = 1 + below(&s, 3); k > 0 && text.len > 0; k--) {
            damage(&s, &text);
        }
        if (copy(buf_str(&text), &once) == JSON_END) {
            accepted++;
            assert_int_equal(copy(buf_str(&once), &twice), JSON_END);
            assert_true(str_eq(buf_str(&once), buf_str(&twice)));
            uint64_t before;
            uint64_t after;
            assert_int_equal(json_digest(buf_str(&text), NULL, &before), 0);
            assert_int_equal(json_digest(buf_str(&once), NULL, &after), 0);
            assert_true(before == after);
        }
    }
    assert_true(accepted > ROUNDS / 4 && accepted < ROUNDS * 3);
    buf_fini(&text);
    buf_fini(&once);
    buf_fini(&twice);
}

static void test_random_bytes(void **state)
{
    (void)state;
    struct source s = {.seed = 11};
    struct buf out;
    buf_init(&out, TEXT_MAX);
    for (int i = 0; i < ROUNDS * 4; i++) {
        static const char COMMON[] = "[]{}\",:0123456789.eE+-\\utrfalsn \n";
        char text[64];
        size_t len = below(&s, sizeof text);
        for (size_t k = 0; k < len; k++) {
            bool is_common = below(&s, 16) > 0;
            text[k] = is_common ? COMMON[below(&s, sizeof COMMON - 1)] : (char)next_random(&s);
        }
        buf_reset(&out);
        copy((struct str){text, len}, &out);
    }
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_read_write),
        cmocka_unit_test(test_damaged_texts),
        cmocka_unit_test(test_random_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
