// A workflow whose file was renamed has another id, and what hook.once and a cooldown remember is
// kept by the id: it would fire again for records that it has fired for.
#include "engine/internal.h"

static bool renamed_is_marked(const struct generation_workflow *w)
{
    return w->rule && (w->rule->is_once || w->rule->cooldown_ms > 0);
}

// What is gone from `now` and has the workflow's name, or NULL.
static const struct generation_workflow *renamed_from(const struct generation *was,
                                                      const struct generation *now,
                                                      const struct generation_workflow *w)
{
    for (size_t i = 0; i < was->workflow_count; i++) {
        const struct generation_workflow *old = &was->workflows[i];
        if (renamed_is_marked(old) && strcmp(old->rule->name, w->rule->name) == 0 &&
            strcmp(old->rule->record, w->rule->record) == 0 &&
            generation_find(now, str_from(old->id)) == NULL) {
            return old;
        }
    }
    return NULL;
}

void renamed_warn(const struct log *log, const struct generation *was, const struct generation *now)
{
    for (size_t i = 0; i < now->workflow_count; i++) {
        const struct generation_workflow *w = &now->workflows[i];
        if (!renamed_is_marked(w) || generation_find(was, str_from(w->id))) {
            continue;
        }
        const struct generation_workflow *old = renamed_from(was, now, w);
        if (old) {
            log_write(log, LOG_WARN, LOG_FIELDS({"workflow", str_from(w->id)}),
                      "%s has the name of %s, which is gone: what %s has fired for is kept by its "
                      "id, so it fires again; id = \"%s\" in %s keeps it",
                      w->file, old->file, old->id, old->id, w->file);
        }
    }
}
