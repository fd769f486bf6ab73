#include "engine/generation.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/event.h"
#include "engine/folder.h"

enum { GENERATION_ARENA_MAX = 256 * 1024 * 1024 };

static const struct generation_file *generation_last_good(const struct generation_file *files,
                                                          size_t count, const char *path)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(files[i].path, path) == 0) {
            return &files[i];
        }
    }
    return NULL;
}

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

static int generation_index_add(struct generation *g, const char *record, const char *verb,
                                size_t index)
{
    char type[EVENT_TYPE_MAX];
    int len = snprintf(type, sizeof type, "%s.%s", record, verb);
    struct str key = {type, (size_t)len};
    struct generation_matches *m = map_get(&g->by_type, key);
    if (m == NULL) {
        m = arena_alloc(&g->arena, sizeof *m);
        key = arena_dup(&g->arena, key);
        if (m == NULL || key.data == NULL || map_put(&g->by_type, key, m)) {
            return ERR_NOMEM;
        }
    }
    if (m->count == m->cap) {
        size_t cap = m->cap ? m->cap * 2 : 4;
        size_t *more = arena_alloc(&g->arena, cap * sizeof *more);
        if (more == NULL) {
            return ERR_NOMEM;
        }
        if (m->count) {
            memcpy(more, m->workflows, m->count * sizeof *more);
        }
        m->workflows = more;
        m->cap = cap;
    }
    m->workflows[m->count++] = index;
    return 0;
}

static int generation_make_index(struct generation *g)
{
    static const struct {
        unsigned verb;
        const char *word;
    } verbs[] = {{RULES_CREATED, "created"},
                 {RULES_UPDATED, "updated"},
                 {RULES_DELETED, "deleted"},
                 {RULES_DELIVERED, "delivered"},
                 {RULES_TERMINATED, "terminated"}};
    int code = 0;
    for (size_t i = 0; code == 0 && i < g->workflow_count; i++) {
        const struct rules_workflow *w = g->workflows[i].rule;
        if (w == NULL || !w->is_active) {
            continue;
        }
        for (size_t v = 0; code == 0 && v < sizeof verbs / sizeof verbs[0]; v++) {
            if (w->verbs & verbs[v].verb) {
                g->verbs |= verbs[v].verb;
                code = generation_index_add(g, w->record, verbs[v].word, g->workflows[i].index);
            }
        }
    }
    return code;
}

int generation_build(struct generation **out, const struct rules_config *c,
                     const struct generation_file *last_good, size_t last_good_count, struct err *e)
{
    struct generation *g = calloc(1, sizeof *g);
    if (g == NULL) {
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    struct map ids;
    map_init(&ids);
    map_init(&g->by_type);
    arena_init(&g->arena, GENERATION_ARENA_MAX);
    int code = folder_read(c->rules_dir, &g->files, &g->file_count, e);
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
            generation_load(g, c, &ids, &g->files[i],
                            generation_last_good(last_good, last_good_count, g->files[i].path));
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
    map_fini(&g->by_type);
    arena_fini(&g->arena);
    free(g);
}

const struct generation_matches *generation_match(const struct generation *g, struct str type)
{
    return map_get(&g->by_type, type);
}

const struct generation_workflow *generation_find(const struct generation *g, struct str id)
{
    for (size_t i = 0; i < g->workflow_count; i++) {
        if (str_eq(str_from(g->workflows[i].id), id)) {
            return &g->workflows[i];
        }
    }
    return NULL;
}
