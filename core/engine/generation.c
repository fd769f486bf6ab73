#include "engine/generation.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/folder.h"

enum { GENERATION_ARENA_MAX = 256 * 1024 * 1024 };

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

// Loads one file, or its last good text in its place; which text is in force is kept in *file.
static void generation_load(struct generation *g, const struct rules_config *c, struct map *ids,
                            struct generation_file *file, const struct generation_file *last_good)
{
    struct generation_workflow *w = &g->workflows[g->workflow_count++];
    size_t faults = rules_fault_count(g->rules);
    size_t index = rules_workflow_count(g->rules);
    w->file = generation_shown_path(g, c->rules_dir, file->path);
    int code = ERR_IO;
    if (file->text) {
        code = rules_load(g->rules, file->path, (struct str){file->text, file->len});
    } else {
        rules_add_fault(g->rules, w->file, NULL, "%s", file->fault);
    }
    if (code == 0 && !generation_claim_id(g, ids, rules_workflow(g->rules, index))) {
        code = ERR_CONFLICT;
    }
    if (code) {
        generation_note_fault(g, w, faults);
    }
    if (code && last_good) {
        index = rules_workflow_count(g->rules);
        code = rules_load(g->rules, last_good->path, (struct str){last_good->text, last_good->len});
        if (code == 0 && generation_claim_id(g, ids, rules_workflow(g->rules, index))) {
            w->is_last_good = true;
            free(file->text);
            file->len = last_good->len;
            file->text = str_dup((struct str){last_good->text, last_good->len});
        } else {
            code = ERR_CONFLICT;
        }
    }
    w->index = index;
    w->rule = code ? NULL : rules_workflow(g->rules, index);
    w->id = w->rule ? w->rule->id : generation_stem(g, file->path);
    if (code) { // nothing of it is in force: no text to keep
        free(file->text);
        file->text = NULL;
    }
}

// What is no workflow is there for all of them; where it cannot be read that is its own fault.
static int generation_add_texts(struct generation *g, const char *dir)
{
    int code = folder_add_texts(g->files, g->file_count, g->rules);
    for (size_t i = 0; code == 0 && i < g->file_count; i++) {
        const struct generation_file *f = &g->files[i];
        if (f->fault && !folder_is_workflow(f->path)) {
            code = rules_add_fault(g->rules, generation_shown_path(g, dir, f->path), NULL, "%s",
                                   f->fault);
        }
    }
    return code;
}

static void generation_drop_files_not_in_force(struct generation *g)
{
    size_t kept = 0;
    for (size_t i = 0; i < g->file_count; i++) {
        if (g->files[i].text) {
            g->files[kept++] = g->files[i];
        } else {
            free(g->files[i].path);
            free(g->files[i].fault);
        }
    }
    g->file_count = kept;
}

static int generation_make_index(struct generation *g)
{
    size_t *active = arena_alloc(&g->arena, (g->workflow_count + 1) * sizeof *active);
    size_t count = 0;
    for (size_t i = 0; active && i < g->workflow_count; i++) {
        const struct generation_workflow *w = &g->workflows[i];
        if (w->rule && w->rule->is_active) {
            active[count++] = w->index;
        }
        struct str id = str_from(w->id);
        if (!map_get(&g->by_id, id) && map_put(&g->by_id, id, (void *)w)) {
            return ERR_NOMEM;
        }
    }
    return active ? index_build(&g->index, g->rules, active, count) : ERR_NOMEM;
}

int generation_build(struct generation **out, const struct rules_config *c,
                     const struct generation_file *last_good, size_t last_good_count, struct err *e)
{
    struct generation *g = calloc(1, sizeof *g);
    if (g == NULL) {
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    struct map ids, last;
    map_init(&ids);
    map_init(&last);
    map_init(&g->by_id);
    arena_init(&g->arena, GENERATION_ARENA_MAX);
    int code = folder_read(c->rules_dir, &g->files, &g->file_count, e);
    for (size_t i = 0; code == 0 && i < last_good_count; i++) {
        if (map_put(&last, str_from(last_good[i].path), (void *)&last_good[i])) {
            code = err_set(e, ERR_NOMEM, "out of memory");
        }
    }
    if (code == 0) {
        code = rules_new(&g->rules, c, e);
    }
    if (code) {
        goto out;
    }
    g->workflows = arena_alloc(&g->arena, (g->file_count + 1) * sizeof *g->workflows);
    if (g->workflows == NULL) {
        code = err_set(e, ERR_NOMEM, "out of memory");
        goto out;
    }
    code = generation_add_texts(g, c->rules_dir);
    for (size_t i = 0; code == 0 && i < g->file_count; i++) {
        if (folder_is_workflow(g->files[i].path)) {
            generation_load(g, c, &ids, &g->files[i], map_get(&last, str_from(g->files[i].path)));
        }
    }
    if (code) {
        err_set(e, (enum err_code)code, "out of memory");
        goto out;
    }
    rules_check_modules(g->rules);
    rules_settle(g->rules);
    generation_drop_files_not_in_force(g);
    for (size_t i = 0; i < rules_fault_count(g->rules); i++) {
        g->error_count += !rules_fault(g->rules, i)->is_warning;
    }
    if (generation_make_index(g)) {
        code = err_set(e, ERR_NOMEM, "out of memory");
    }
out:
    map_fini(&ids);
    map_fini(&last);
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
    folder_free(g->files, g->file_count);
    map_fini(&g->by_id);
    index_fini(&g->index);
    arena_fini(&g->arena);
    free(g);
}

const struct generation_workflow *generation_find(const struct generation *g, struct str id)
{
    return map_get(&g->by_id, id);
}
