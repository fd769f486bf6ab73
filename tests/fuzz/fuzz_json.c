// The JSON reader: what it takes is taken alike by the check, the digest and a second reading, and
// comes out of the writer as the same value.
#include "encode/json_check.h"
#include "encode/json_digest.h"
#include "encode/json_reader.h"
#include "encode/json_writer.h"
#include "encode/transcode.h"
#include "fuzz.h"

enum { TEXT_MAX = 1 << 22 };

static void write_scalar(struct json_writer *w, const struct json_reader *r, enum json_token token)
{
    switch (token) {
    case JSON_STRING:
        json_string(w, r->text);
        break;
    case JSON_NUMBER:
        if (r->number.is_integer) {
            json_integer(w, r->number.integer);
        } else {
            json_raw(w, r->text); // the written form, as the codec keeps it
        }
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        json_bool(w, token == JSON_TRUE);
        break;
    default:
        json_null(w);
        break;
    }
}

// Copies the text token by token; returns the reader's fault code, 0 for none.
static int copy(struct str text, struct buf *out, struct buf *scratch)
{
    struct json_reader r;
    struct json_writer w;
    json_reader_init(&r, text, JSON_DEPTH_MAX, scratch);
    json_writer_init(&w, out);
    for (;;) {
        enum json_token token = json_read(&r);
        promise(json_offset(&r) <= text.len);
        switch (token) {
        case JSON_END:
            return 0;
        case JSON_ERROR:
            promise(r.fault && r.fault_code < 0 && r.fault_at <= text.len);
            promise(json_read(&r) == JSON_ERROR);
            return r.fault_code;
        case JSON_KEY:
            json_key(&w, r.text);
            break;
        case JSON_OBJECT_BEGIN:
            json_object_begin(&w);
            break;
        case JSON_OBJECT_END:
            json_object_end(&w);
            break;
        case JSON_ARRAY_BEGIN:
            json_array_begin(&w);
            break;
        case JSON_ARRAY_END:
            json_array_end(&w);
            break;
        default:
            write_scalar(&w, &r, token);
            break;
        }
    }
}

static void to_xml(struct str json, struct buf *out, struct buf *scratch)
{
    struct err e = {0};
    size_t dropped = 0;
    int code = transcode_to_xml(json, STR("root"), NULL, out, scratch, &dropped, &e);
    promise(code == 0 || code == ERR_TOO_LARGE);
    promise(str_is_utf8(buf_str(out), &dropped));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = fuzz_text(data, size);
    struct buf out, again, scratch;
    buf_init(&out, TEXT_MAX);
    buf_init(&again, TEXT_MAX);
    buf_init(&scratch, TEXT_MAX);
    struct err e = {0};
    uint64_t digest = 0, copied = 0;
    int code = copy(text, &out, &scratch);
    promise((code == 0) == (json_check(text, JSON_DEPTH_MAX, &scratch, &e) == 0));
    promise(code == 0 || e.text[0]);
    promise((code == 0) == (json_digest(text, NULL, &digest) == 0));
    if (code == 0) {
        promise(copy(buf_str(&out), &again, &scratch) == 0);
        promise(str_eq(buf_str(&out), buf_str(&again)));
        promise(json_digest(buf_str(&out), NULL, &copied) == 0 && digest == copied);
        buf_reset(&again);
        to_xml(text, &again, &scratch);
    }
    buf_fini(&out);
    buf_fini(&again);
    buf_fini(&scratch);
    return 0;
}
