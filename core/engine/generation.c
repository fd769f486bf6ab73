#include "engine/generation.h"

#include <stdio.h>
#include <stdlib.h>

enum { GENERATION_ARENA_MAX = 256 * 1024 * 1024 };

// --- what a workflow runs from -------------------------------------------------------------------

void generation_past_fini(struct generation_past *p)
{
    folder_unref(p->folder);
    for (size_t i = 0; i < p->older_count; i++) {
        folder_unref(p->older[i].folder);
        free(p->older[i].path);
    }
    free(p->older);
    *p = (struct generation_past){0};
}

int generation_past_add(struct generation_past *p, const char *path, struct folder *folder)
{
    bool is_full = (p->older_count & (p->older_count - 1)) == 0; // at 0, 1, 2, 4, 8, ...
    if (is_full) {
        size_t cap = p->older_count ? p->older_count * 2 : 1;
        struct generation_base *more = realloc(p->older, cap * sizeof *more);
        if (more == NULL) {
            return ERR_NOMEM;
        }
        p->older = more;
    }
    char *kept = strdup(path);
    if (kept == NULL) {
        return ERR_NOMEM;
    }
    p->older[p->older_count++] = (struct generation_base){kept, folder_ref(folder)};
    return 0;
}

static int generation_by_path(const void *a, const void *b)
{
    return strcmp(((const struct generation_base *)a)->path,
                  ((const struct generation_base *)b)->path);
}

// The folder that the workflow ran from; NULL: it was not there.
static struct folder *generation_past_base(const struct generation_past *p, const char *path)
{
    if (p == NULL || p->folder == NULL) {
        return NULL;
    }
    struct generation_base key = {(char *)path, NULL};
    const struct generation_base *older =
        p->older_count ? bsearch(&key, p->older, p->older_count, sizeof key, generation_by_path)
                       : NULL;
    return older ? older->folder : p->folder;
}

bool generation_past_is_same(const struct generation_past *a, const struct generation_past *b)
{
    if (!folder_is_same(a->folder, b->folder, false) || a->older_count != b->older_count) {
        return false;
    }
    for (size_t i = 0; i < a->older_count; i++) {
        if (strcmp(a->older[i].path, b->older[i].path) != 0 ||
            a->older[i].folder->generation != b->older[i].folder->generation) {
            return false;
        }
    }
    return true;
}

// --- one file ------------------------------------------------------------------------------------

static void generation_note_fault(struct generation *g, struct generation_workflow *w, size_t from)
{
    for (size_t i = from; i < rules_fault_count(g->rules); i++) {
        const struct rules_fault *f = rules_fault(g->rules, i);
        if (!f->is_warning && !f->is_of_module) {
            w->has_fault = true;
            w->fault = i;
            return;
        }
    }
}

// The loaded rules' id must be new: two files that claim one id would share their once-marks.
static bool generation_claim_id(struct generation *g, struct map *ids,
                                const struct rules_workflow *w)
{
    struct str id = str_from(w->id);
    if (map_get(ids, id)) {
        const struct rules_workflow *other = map_get(ids, id);
        rules_add_fault(g->rules, w->file, "id",
                        "the workflow id \"%s\" is taken by %s: give another `id`", w->id,
                        other->file);
        return false;
    }
    return map_put(ids, id, (void *)w) == 0;
}

static const char *generation_stem(struct generation *g, const char *path)
{
    return arena_dup(&g->arena, (struct str){path, strlen(path) - strlen(".lua")}).data;
}

static const char *generation_shown_path(struct generation *g, const char *dir, const char *path)
{
    char text[4200];
    snprintf(text, sizeof text, "%s/%s", dir, path);
    return arena_dup(&g->arena, str_from(text)).data;
}

static int generation_load_text(struct generation *g, struct map *ids,
                                const struct folder_file *file)
{
    size_t index = rules_workflow_count(g->rules);
    int code = rules_load(g->rules, file->path, (struct str){file->text, file->len});
    if (code == 0 && !generation_claim_id(g, ids, rules_workflow(g->rules, index))) {
        code = ERR_CONFLICT;
    }
    return code;
}

// The texts of an older folder are those in use, until rules_use_texts(g->rules, 0).
static int generation_use_base(struct generation *g, struct folder *base)
{
    size_t set = 0; // the current texts'
    while (set < g->set_count && g->sets[set] != base) {
        set++;
    }
    int code = 0;
    if (set < g->set_count) {
        rules_use_texts(g->rules, set);
    } else {
        struct folder **more = realloc(g->sets, (set + 1) * sizeof *more);
        code = more ? rules_begin_texts(g->rules) : ERR_NOMEM;
        g->sets = more ? more : g->sets;
        if (code == 0) {
            g->sets[g->set_count++] = folder_ref(base);
            code = folder_add_texts(base, g->rules);
        }
    }
    return code;
}

// Loads a file as it stood when it was last good, beside the modules that it was good with.
static int generation_load_base(struct generation *g, struct map *ids, struct folder *base,
                                const char *path)
{
    const struct folder_file *file = base ? folder_find(base, path) : NULL;
    if (file == NULL || file->text == NULL) {
        return ERR_NOT_FOUND;
    }
    size_t faults = rules_fault_count(g->rules);
    int code = generation_use_base(g, base);
    if (code == 0) {
        code = folder_is_workflow(path) ? generation_load_text(g, ids, file)
                                        : rules_load_source(g->rules, path);
    }
    rules_use_texts(g->rules, 0);
    rules_forget_faults(g->rules, faults); // those of a text that is no longer there
    return code;
}

static void generation_load(struct generation *g, const struct rules_config *c, struct map *ids,
                            const struct folder_file *file, struct folder *base)
{
    struct generation_workflow *w = &g->workflows[g->workflow_count++];
    size_t faults = rules_fault_count(g->rules);
    w->file = generation_shown_path(g, c->rules_dir, file->path);
    w->index = rules_workflow_count(g->rules);
    int code = ERR_IO;
    if (file->text) {
        code = generation_load_text(g, ids, file);
    } else {
        rules_add_fault(g->rules, w->file, NULL, "%s", file->fault);
    }
    if (code) {
        generation_note_fault(g, w, faults);
        w->index = rules_workflow_count(g->rules);
        code = generation_load_base(g, ids, base, file->path);
        w->is_last_good = code == 0;
    }
    if (w->is_last_good && generation_past_add(&g->past, file->path, base)) {
        code = ERR_NOMEM;
    }
    const struct folder_file *in_force = w->is_last_good ? folder_find(base, file->path) : file;
    w->text_hash = code ? 0 : hash_bytes(&HASH_KEY_FIXED, in_force->text, in_force->len);
    w->rule = code ? NULL : rules_workflow(g->rules, w->index);
    w->id = w->rule ? w->rule->id : generation_stem(g, file->path);
}

// As a workflow: where it does not load it runs from where it ran in the past.
static int generation_load_source(struct generation *g, struct folder *base, const char *path)
{
    int code = rules_load_source(g->rules, path);
    if (code == ERR_INVALID && generation_load_base(g, NULL, base, path) == 0) {
        return generation_past_add(&g->past, path, base);
    }
    return code == ERR_INVALID ? 0 : code;
}

// What is no workflow is there for all of them; where it cannot be read that is its own fault.
static int generation_add_texts(struct generation *g, const char *dir)
{
    const struct folder *folder = g->past.folder;
    int code = folder_add_texts(folder, g->rules);
    for (size_t i = 0; code == 0 && i < folder->count; i++) {
        const struct folder_file *f = &folder->files[i];
        if (f->fault && !folder_is_workflow(f->path)) {
            code = rules_add_fault(g->rules, generation_shown_path(g, dir, f->path), NULL, "%s",
                                   f->fault);
        }
    }
    return code;
}

// A zone is read once for all workflows that name it. It was there when the file was checked.
static void generation_load_zone(struct generation *g, struct generation_workflow *w)
{
    struct str name = str_from(w->rule->schedule->zone);
    struct zone *zone = map_get(&g->zones, name);
    struct err e;
    if (zone == NULL && zone_load(&zone, name, &e) == 0 && map_put(&g->zones, name, zone)) {
        zone_free(zone);
        zone = NULL;
        err_set(&e, ERR_NOMEM, "out of memory");
    }
    if (zone == NULL) {
        size_t faults = rules_fault_count(g->rules);
        rules_add_fault(g->rules, w->file, "zone", "%s", e.text);
        generation_note_fault(g, w, faults);
    }
    w->zone = zone;
}

static void generation_load_zones(struct generation *g)
{
    for (size_t i = 0; i < g->workflow_count; i++) {
        if (g->workflows[i].rule && g->workflows[i].rule->schedule) {
            generation_load_zone(g, &g->workflows[i]);
        }
    }
}

static void generation_free_zones(struct generation *g)
{
    size_t at = 0;
    void *zone;
    while (map_next(&g->zones, &at, NULL, &zone)) {
        zone_free(zone);
    }
    map_fini(&g->zones);
}

// --- the whole -----------------------------------------------------------------------------------

static int generation_make_index(struct generation *g)
{
    size_t *active = arena_alloc(&g->arena, (g->workflow_count + 1) * sizeof *active);
    size_t count = 0;
    for (size_t i = 0; active && i < g->workflow_count; i++) {
        const struct generation_workflow *w = &g->workflows[i];
        if (w->rule) { // one that is stopped may be started
            active[count++] = w->index;
        }
        g->verbs |= w->rule ? w->rule->verbs : 0;
        struct str id = str_from(w->id);
        if (!map_get(&g->by_id, id) && map_put(&g->by_id, id, (void *)w)) {
            return ERR_NOMEM;
        }
    }
    return active ? index_build(&g->index, g->rules, active, count) : ERR_NOMEM;
}

int generation_build(struct generation **out, const struct rules_config *c, struct folder *folder,
                     const struct generation_past *past, struct err *e)
{
    struct generation *g = calloc(1, sizeof *g);
    if (g == NULL) {
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    struct map ids;
    map_init(&ids);
    map_init(&g->by_id);
    map_init(&g->zones);
    arena_init(&g->arena, GENERATION_ARENA_MAX);
    g->past.folder = folder_ref(folder);
    int code = rules_new(&g->rules, c, e);
    if (code) {
        goto out;
    }
    g->workflows = arena_alloc(&g->arena, (folder->count + 1) * sizeof *g->workflows);
    g->sets = malloc(sizeof(struct folder *));
    if (g->workflows == NULL || g->sets == NULL) {
        code = err_set(e, ERR_NOMEM, "out of memory");
        goto out;
    }
    g->sets[g->set_count++] = folder_ref(folder);
    code = generation_add_texts(g, c->rules_dir);
    for (size_t i = 0; code == 0 && i < folder->count; i++) {
        if (folder_is_workflow(folder->files[i].path)) {
            generation_load(g, c, &ids, &folder->files[i],
                            generation_past_base(past, folder->files[i].path));
        } else if (rules_is_source(str_from(folder->files[i].path))) {
            code = generation_load_source(g, generation_past_base(past, folder->files[i].path),
                                          folder->files[i].path);
        }
    }
    if (code) {
        err_set(e, (enum err_code)code, "out of memory");
        goto out;
    }
    rules_check_modules(g->rules);
    generation_load_zones(g);
    rules_settle(g->rules);
    for (size_t i = 0; i < rules_fault_count(g->rules); i++) {
        g->error_count += !rules_fault(g->rules, i)->is_warning;
    }
    g->modes = arena_alloc(&g->arena, rules_workflow_count(g->rules) + 1);
    if (g->modes) { // until the loop sets them
        memset(g->modes, WORKFLOW_STOPPED, rules_workflow_count(g->rules) + 1);
    }
    if (g->modes == NULL || generation_make_index(g)) {
        code = err_set(e, ERR_NOMEM, "out of memory");
    }
out:
    map_fini(&ids);
    if (code) {
        generation_free(g);
        g = NULL;
    }
    *out = g;
    return code;
}

void generation_free(struct generation *g)
{
    if (g == NULL) {
        return;
    }
    if (g->rules) {
        rules_free(g->rules);
    }
    for (size_t i = 0; i < g->set_count; i++) {
        folder_unref(g->sets[i]);
    }
    free(g->sets);
    generation_past_fini(&g->past);
    map_fini(&g->by_id);
    generation_free_zones(g);
    index_fini(&g->index);
    arena_fini(&g->arena);
    free(g);
}

const struct generation_workflow *generation_find(const struct generation *g, struct str id)
{
    return map_get(&g->by_id, id);
}
