// What a text says to one who undoes its escapes: bytes, each with where in the text it is written.
// Any thread; a text of 4 GiB at most.
#ifndef DELIVER_MASK_READING_H
#define DELIVER_MASK_READING_H

#include "base/str.h"

struct mask_place {
    uint32_t start;
    uint32_t end; // behind it
};

struct mask_reading {
    const char *bytes;
    size_t len;
    struct mask_place *places; // NULL: each byte is where it is
    char *own;                 // the bytes, where they are not the text's
    struct str text;
    size_t whole; // of the text are read: behind it is the beginning of an escape that was cut
    bool is_cut;
};

// The text as it is, which r borrows. is_cut: it was cut off at its end.
void mask_reading_init(struct mask_reading *r, struct str text, bool is_cut);
void mask_reading_fini(struct mask_reading *r);

// A reading to be filled with as many bytes as `in` has, or fewer. 0, ERR_NOMEM; fini anyway.
int mask_reading_from(struct mask_reading *r, const struct mask_reading *in);

// `in` without its escapes: of JSON strings ('\\') or of URLs ('%'). What is none stays as it is.
// 0, ERR_NOMEM; fini anyway.
int mask_reading_unescape(struct mask_reading *r, const struct mask_reading *in, char escape);

static inline struct mask_place mask_reading_place(const struct mask_reading *r, size_t i)
{
    return r->places ? r->places[i] : (struct mask_place){(uint32_t)i, (uint32_t)i + 1};
}

#endif
