#include "base/id.h"

#include "base/err.h"

enum { TIME_BITS = 42, SLOT_BITS = 6, COUNTER_BITS = 15 };

static const uint64_t TIME_MAX = (UINT64_C(1) << TIME_BITS) - 1;
static const uint64_t COUNTER_MASK = (UINT64_C(1) << COUNTER_BITS) - 1;
static const char DIGITS[] = "0123456789abcdefghijklmnopqrstuv";

void id_source_init(struct id_source *s, unsigned slot, uint64_t last_used)
{
    *s = (struct id_source){last_used, slot & ((1u << SLOT_BITS) - 1)};
}

static uint64_t first_of(const struct id_source *s, uint64_t ms)
{
    return ms << (SLOT_BITS + COUNTER_BITS) | (uint64_t)s->slot << COUNTER_BITS;
}

uint64_t id_next(struct id_source *s, int64_t wall_ms)
{
    uint64_t ms = wall_ms > 0 ? (uint64_t)wall_ms : 0;
    ms = ms < TIME_MAX ? ms : TIME_MAX;
    uint64_t last_ms = (uint64_t)id_time_ms(s->last);
    ms = ms > last_ms ? ms : last_ms;

    uint64_t id = first_of(s, ms);
    if (id <= s->last) {
        bool is_mine = s->last >> COUNTER_BITS == id >> COUNTER_BITS;
        bool is_counter_used_up = (s->last & COUNTER_MASK) == COUNTER_MASK;
        id = is_mine && !is_counter_used_up ? s->last + 1 : first_of(s, ms + 1);
    }
    s->last = id;
    return id;
}

int64_t id_time_ms(uint64_t id)
{
    return (int64_t)(id >> (SLOT_BITS + COUNTER_BITS));
}

uint64_t id_first_at(int64_t wall_ms)
{
    uint64_t ms = wall_ms > 0 ? (uint64_t)wall_ms : 0;
    return (ms < TIME_MAX ? ms : TIME_MAX) << (SLOT_BITS + COUNTER_BITS);
}

void id_format(char out[ID_TEXT_LEN + 1], uint64_t id)
{
    for (int i = ID_TEXT_LEN - 1; i >= 0; i--) {
        out[i] = DIGITS[id & 31];
        id >>= 5;
    }
    out[ID_TEXT_LEN] = '\0';
}

int id_parse(struct str text, uint64_t *id)
{
    // The first of 13 digits of 5 bits stands for the three topmost of 63 bits.
    if (text.len != ID_TEXT_LEN || text.data[0] < '0' || text.data[0] > '7') {
        return ERR_INVALID;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c >= '0' && c <= '9') {
            value = value << 5 | (uint64_t)(c - '0');
        } else if (c >= 'a' && c <= 'v') {
            value = value << 5 | (uint64_t)(c - 'a' + 10);
        } else {
            return ERR_INVALID;
        }
    }
    *id = value;
    return 0;
}

enum { KIND_LEN = ID_SHOWN_LEN - ID_TEXT_LEN };

struct str id_show(char out[ID_SHOWN_LEN + 1], const char *kind, uint64_t id)
{
    memcpy(out, kind, KIND_LEN);
    id_format(out + KIND_LEN, id);
    return (struct str){out, ID_SHOWN_LEN};
}

int id_read_shown(struct str text, const char *kind, uint64_t *id)
{
    if (!str_starts_with(text, str_from(kind))) {
        return ERR_INVALID;
    }
    return id_parse((struct str){text.data + KIND_LEN, text.len - KIND_LEN}, id);
}
