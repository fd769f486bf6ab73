#include "engine/internal.h"

#include <stdlib.h>

int engine_new(struct engine **out, const struct engine_config *c, struct err *e)
{
    struct engine *g = calloc(1, sizeof *g);
    if (g == NULL) {
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    g->config = *c;
    g->loops = loops_new();
    if (g->loops == NULL) {
        free(g);
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    map_init(&g->controls);
    loop_timer_init(&g->control_again, c->loop, LOOP_REAL_TIME, control_on_again, g);
    *out = g;
    return 0;
}

void engine_free(struct engine *g)
{
    if (g == NULL) {
        return;
    }
    watch_free(g->watch);
    generation_free(g->current);
    index_look_fini(&g->look);
    for (size_t i = 0; i < ENGINE_OLD_GENERATIONS; i++) {
        generation_free(g->old[i]);
    }
    generation_past_fini(&g->past.past);
    control_free_all(g);
    loops_free(g->loops);
    free(g);
}

bool engine_is_reloading(const struct engine *g)
{
    return g->is_reloading;
}

bool engine_wants(const struct engine *g, unsigned verbs)
{
    return g->current && (g->current->verbs & verbs) != 0;
}

const struct generation *engine_generation(const struct engine *g)
{
    return g->current;
}

struct rules *engine_rules(const struct engine *g, struct str workflow, size_t *index)
{
    const struct generation_workflow *w = g->current ? generation_find(g->current, workflow) : NULL;
    bool is_in_force = w && w->rule;
    *index = is_in_force ? w->index : 0;
    return is_in_force ? g->current->rules : NULL;
}
