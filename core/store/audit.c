#include "store/audit.h"

#include <stdlib.h>

enum { TEXT_MAX_BYTES = 2048, TEXTS = 6 };

static struct str cut(struct str text)
{
    size_t len = text.len < TEXT_MAX_BYTES ? text.len : TEXT_MAX_BYTES;
    while (len < text.len && len && ((unsigned char)text.data[len] & 0xc0) == 0x80) {
        len--; // not in the middle of a character
    }
    return (struct str){text.data, len};
}

struct store_audit_put *audit_new(const struct store_audit *row)
{
    const struct str from[TEXTS] = {cut(row->who),     cut(row->from),   cut(row->act),
                                    cut(row->subject), cut(row->before), cut(row->after)};
    size_t bytes = 0;
    for (int i = 0; i < TEXTS; i++) {
        bytes += from[i].len;
    }
    struct store_audit_put *p = calloc(1, sizeof *p + bytes);
    if (p == NULL) {
        return NULL;
    }
    struct str *to[TEXTS] = {&p->row.who,     &p->row.from,   &p->row.act,
                             &p->row.subject, &p->row.before, &p->row.after};
    char *at = (char *)(p + 1);
    for (int i = 0; i < TEXTS; i++) {
        if (from[i].len) {
            memcpy(at, from[i].data, from[i].len);
        }
        *to[i] = (struct str){at, from[i].len};
        at += from[i].len;
    }
    p->row.id = row->id;
    p->row.at_ms = row->at_ms;
    return p;
}

static void on_put(struct store_audit_put *p)
{
    free(p); // that the store cannot write is told by the act itself
}

void audit_give(struct store *s, struct store_audit_put *p)
{
    p->on_done = on_put;
    store_audit_put(s, p);
}

void audit_drop(struct store_audit_put *p)
{
    free(p);
}

struct store_audit_put *audit_new_own(struct id_source *ids, int64_t now_ms, const char *who,
                                      const char *act)
{
    struct store_audit row = {
        .id = id_next(ids, now_ms), .at_ms = now_ms, .who = str_from(who), .act = str_from(act)};
    return audit_new(&row);
}
