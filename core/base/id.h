// 64-bit ids ordered by time, so that a new row's place is at the end of its tree: 42 bits of wall
// milliseconds, 6 of host slot, 15 of counter. Always positive as int64. Shown as 13 characters of
// lowercase base32 (RFC 4648's alphabet in its hex variant, so that text order is number order),
// and to people with what it is the id of in front: "dlv_..." a delivery, "evt_..." an event,
// "tok_..." a token.
#ifndef BASE_ID_H
#define BASE_ID_H

#include "base/str.h"

enum { ID_TEXT_LEN = 13, ID_SHOWN_LEN = 4 + ID_TEXT_LEN };

#define ID_DELIVERY "dlv_"
#define ID_EVENT "evt_"
#define ID_TOKEN "tok_"

struct id_source {
    uint64_t last;
    unsigned slot; // 0..63
};

// last_used: the greatest id ever given (0 for none); no id at or before it is given again, even
// where the wall clock went back.
void id_source_init(struct id_source *s, unsigned slot, uint64_t last_used);
uint64_t id_next(struct id_source *s, int64_t wall_ms);
int64_t id_time_ms(uint64_t id);
uint64_t id_first_at(int64_t wall_ms); // no id of that millisecond or later is below it

void id_format(char out[ID_TEXT_LEN + 1], uint64_t id);
int id_parse(struct str text, uint64_t *id); // exactly 13 characters; ERR_INVALID

// The same with its kind in front, one of ID_... . The text returned is `out`, which is
// NUL-terminated too.
struct str id_show(char out[ID_SHOWN_LEN + 1], const char *kind, uint64_t id);
int id_read_shown(struct str text, const char *kind, uint64_t *id); // ERR_INVALID

#endif
