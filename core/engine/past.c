#include "engine/past.h"

enum { PAST_TEXTS_MAX = 512 * 1024 * 1024 };

static void past_next(struct past_load *p);

static void past_end(struct past_load *p, int code)
{
    arena_fini(&p->arena);
    if (code) {
        generation_past_fini(&p->past);
    }
    p->code = code;
    p->on_done(p);
}

static struct folder *past_folder(const struct store_generation *g)
{
    struct folder *f = folder_new();
    for (size_t i = 0; f && i < g->file_count; i++) {
        if (folder_add(f, g->files[i].path, g->files[i].text)) {
            folder_unref(f);
            return NULL;
        }
    }
    if (f) {
        f->generation = g->id;
    }
    return f;
}

static int past_add(struct past_load *p, struct folder *f)
{
    return generation_past_add(&p->past, p->bases[p->base_at++].path.data, f);
}

static void past_on_base(struct store_generation *get)
{
    struct past_load *p = get->ctx;
    struct folder *f = get->code ? NULL : past_folder(get);
    int code = get->code ? get->code : f ? past_add(p, f) : ERR_NOMEM;
    folder_unref(f);
    arena_fini(&p->base_arena);
    if (code) {
        past_end(p, code);
    } else {
        past_next(p);
    }
}

static struct folder *past_find(const struct past_load *p, uint64_t generation)
{
    for (size_t i = 0; i < p->past.older_count; i++) {
        if (p->past.older[i].folder->generation == generation) {
            return p->past.older[i].folder;
        }
    }
    return NULL;
}

static void past_next(struct past_load *p)
{
    int code = 0;
    struct folder *f;
    while (code == 0 && p->base_at < p->base_count &&
           (f = past_find(p, p->bases[p->base_at].generation)) != NULL) {
        code = past_add(p, f);
    }
    if (code || p->base_at == p->base_count) {
        past_end(p, code);
        return;
    }
    arena_init(&p->base_arena, PAST_TEXTS_MAX);
    p->get = (struct store_generation){.id = p->bases[p->base_at].generation,
                                       .arena = &p->base_arena,
                                       .on_done = past_on_base,
                                       .ctx = p};
    store_generation_get(p->store, &p->get);
}

static void past_on_generation(struct store_generation *get)
{
    struct past_load *p = get->ctx;
    if (get->code) {
        past_end(p, get->code);
        return;
    }
    p->id = get->id;
    p->at_ms = get->at_ms;
    p->bases = get->bases;
    p->base_count = get->base_count;
    p->past.folder = past_folder(get);
    if (p->past.folder == NULL) {
        past_end(p, ERR_NOMEM);
    } else {
        past_next(p);
    }
}

void past_load_begin(struct past_load *p)
{
    arena_init(&p->arena, PAST_TEXTS_MAX);
    p->past = (struct generation_past){0};
    p->base_at = 0;
    p->get = (struct store_generation){.id = p->id,
                                       .at_ms = p->at_ms,
                                       .arena = &p->arena,
                                       .on_done = past_on_generation,
                                       .ctx = p};
    store_generation_get(p->store, &p->get);
}
