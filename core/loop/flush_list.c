#include "loop/flush_list.h"

bool flush_list_add(struct flush_list *l, struct loop_flush *f)
{
    if (f->is_requested) {
        return false;
    }
    f->is_requested = true;
    f->next = NULL;
    if (l->first) {
        l->last->next = f;
    } else {
        l->first = f;
    }
    l->last = f;
    l->count++;
    return true;
}

void flush_list_remove(struct flush_list *l, struct loop_flush *f)
{
    if (!f->is_requested) {
        return;
    }
    f->is_requested = false;
    l->count--;
    struct loop_flush **link = &l->first;
    struct loop_flush *before = NULL;
    while (*link != f) {
        before = *link;
        link = &before->next;
    }
    *link = f->next;
    if (l->last == f) {
        l->last = before;
    }
}

void flush_list_serve(struct flush_list *l)
{
    struct loop_flush *f = l->first;
    l->first = f->next;
    l->count--;
    f->is_requested = false;
    f->on_flush(f->ctx);
}
