#include "deliver/mask_reading.h"

#include <stdlib.h>

#include "base/err.h"
#include "encode/json_text.h"
#include "encode/percent.h"

enum { PERCENT_BYTES = 3, ESCAPED_BYTES_MAX = 4 };

void mask_reading_init(struct mask_reading *r, struct str text, bool is_cut)
{
    *r = (struct mask_reading){
        .bytes = text.data, .len = text.len, .text = text, .whole = text.len, .is_cut = is_cut};
}

void mask_reading_fini(struct mask_reading *r)
{
    free(r->places);
    free(r->own);
}

int mask_reading_from(struct mask_reading *r, const struct mask_reading *in)
{
    *r = (struct mask_reading){.text = in->text, .whole = in->whole, .is_cut = in->is_cut};
    r->places = malloc((in->len + 1) * sizeof *r->places);
    r->own = malloc(in->len + 1);
    r->bytes = r->own;
    return r->places && r->own ? 0 : ERR_NOMEM;
}

// How many bytes the escape at `at` is written with; 0: it is none. *is_early: the text ends in it.
static size_t reading_escape(struct str at, char out[ESCAPED_BYTES_MAX], size_t *out_len,
                             bool *is_early)
{
    const char *end = at.data + at.len;
    if (at.data[0] == '\\') {
        struct json_text_fault fault = {0};
        const char *next = json_text_read_escape(at.data, end, out, out_len, &fault);
        *is_early = fault.at == end;
        return next ? (size_t)(next - at.data) : 0;
    }
    *is_early = at.len < PERCENT_BYTES;
    struct buf decoded = {.data = out, .cap = ESCAPED_BYTES_MAX, .max = ESCAPED_BYTES_MAX};
    if (*is_early || percent_decode(&decoded, (struct str){at.data, PERCENT_BYTES})) {
        return 0;
    }
    *out_len = decoded.len;
    return PERCENT_BYTES;
}

static void reading_put(struct mask_reading *r, char c, struct mask_place place)
{
    r->places[r->len] = place;
    r->own[r->len++] = c;
}

int mask_reading_unescape(struct mask_reading *r, const struct mask_reading *in, char escape)
{
    int code = mask_reading_from(r, in);
    for (size_t at = 0, step; code == 0 && at < in->len; at += step) {
        char out[ESCAPED_BYTES_MAX];
        size_t len = 0;
        bool is_early = false;
        struct str left = {in->bytes + at, in->len - at};
        struct mask_place place = mask_reading_place(in, at);
        step = in->bytes[at] == escape ? reading_escape(left, out, &len, &is_early) : 0;
        if (is_early && r->is_cut) {
            r->whole = place.start;
            break;
        }
        if (step == 0) {
            reading_put(r, in->bytes[at], place);
            step = 1;
            continue;
        }
        place.end = mask_reading_place(in, at + step - 1).end;
        for (size_t i = 0; i < len; i++) {
            reading_put(r, out[i], place);
        }
    }
    return code;
}
