// Building the index: once with all that workflows look for, to see how they differ, and once with
// each at what tells it apart best.
#include "engine/index_internal.h"

#include <stdio.h>

enum { INDEX_ARENA_MAX = 1 << 30 };

// A time of a schedule is one workflow's: nobody is looked up for it.
static const struct {
    unsigned verb;
    const char *word;
} INDEX_VERBS[] = {{RULES_CREATED, "created"},
                   {RULES_UPDATED, "updated"},
                   {RULES_DELETED, "deleted"},
                   {RULES_DELIVERED, "delivered"},
                   {RULES_TERMINATED, "terminated"}};

static void index_init(struct index *x)
{
    *x = (struct index){.made = NULL};
    map_init(&x->types);
    map_init(&x->names);
    arena_init(&x->arena, INDEX_ARENA_MAX);
}

// Made where it is not there; NULL: no memory.
static struct index_type *index_type_of(struct index *x, const char *record, const char *verb)
{
    char type[EVENT_TYPE_MAX];
    int len = snprintf(type, sizeof type, "%s.%s", record, verb);
    struct str key = {type, (size_t)len};
    struct index_type *t = map_get(&x->types, key);
    if (t) {
        return t;
    }
    t = arena_alloc(&x->arena, sizeof *t);
    key = arena_dup(&x->arena, key);
    if (t == NULL || key.data == NULL || map_put(&x->types, key, t)) {
        return NULL;
    }
    map_init(&t->fields);
    return t;
}

// Each field that is read becomes known to the type, so that a look meets it in the record.
static int index_add_reads(struct index *x, struct index_type *t, const struct rules_workflow *w,
                           struct index_reads *reads)
{
    reads->is_all = w->reads_all;
    reads->has_time = w->reads_time;
    if (reads->numbers == NULL) {
        reads->numbers = arena_alloc(&x->arena, (w->read_count + 1) * sizeof *reads->numbers);
    }
    for (size_t i = 0; reads->numbers && i < w->read_count; i++) {
        const struct index_field *f = index_record_field(x, t, w->reads[i]);
        if (f == NULL) {
            return ERR_NOMEM;
        }
        reads->numbers[i] = f->number;
    }
    reads->count = (uint32_t)w->read_count;
    return reads->numbers ? 0 : ERR_NOMEM;
}

// wishes: NULL while they are collected.
static int index_add(struct index *x, struct index *wishes, const struct rules_workflow *w,
                     uint32_t workflow)
{
    int code = 0;
    for (size_t v = 0; code == 0 && v < sizeof INDEX_VERBS / sizeof INDEX_VERBS[0]; v++) {
        unsigned verb = INDEX_VERBS[v].verb;
        if (!(w->verbs & verb)) {
            continue;
        }
        struct index_type *t = index_type_of(x, w->record, INDEX_VERBS[v].word);
        if (t == NULL) {
            return ERR_NOMEM;
        }
        if (wishes == NULL) {
            code = index_wish(x, t, w, verb, workflow);
            continue;
        }
        code = index_choose(x, t, index_type_of(wishes, w->record, INDEX_VERBS[v].word), w, verb,
                            workflow);
        if (code == 0) {
            code = index_add_reads(x, t, w, &x->reads[workflow]);
        }
    }
    return code;
}

int index_build(struct index *x, const struct rules *r, const size_t *workflows, size_t count)
{
    struct index wishes;
    int code = 0;
    index_init(&wishes);
    index_init(x);
    x->workflow_count = rules_workflow_count(r);
    x->reads = arena_alloc(&x->arena, (x->workflow_count + 1) * sizeof *x->reads);
    if (x->reads == NULL) {
        code = ERR_NOMEM;
    }
    for (size_t i = 0; code == 0 && i < count; i++) {
        code = index_add(&wishes, NULL, rules_workflow(r, workflows[i]), (uint32_t)workflows[i]);
    }
    index_seal(&wishes);
    for (size_t i = 0; code == 0 && i < count; i++) {
        code = index_add(x, &wishes, rules_workflow(r, workflows[i]), (uint32_t)workflows[i]);
    }
    index_seal(x);
    index_fini(&wishes);
    return code;
}

bool index_wants(const struct index *x, struct str type)
{
    return map_get(&x->types, type) != NULL;
}
