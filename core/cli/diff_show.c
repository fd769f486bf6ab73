#include "cli/diff.h"

#include "cli/diff_text.h"
#include "cli/table.h"
#include "deliver/request.h"

static const char *const kind_words[] = {"same", "added", "removed", "changed"};

// --- a difference --------------------------------------------------------------------------------

struct item {                              // a webhook of one side, or that its run failed
    const struct store_delivery *delivery; // NULL: it failed
    struct str fault;
    int64_t now_ms;
    bool is_taken; // it has its like on the other side
};

struct items {
    struct item *list;
    size_t count;
};

static int list_items(struct items *out, const struct diff_run *run, struct arena *arena)
{
    size_t count = !run ? 0 : run->fault.len ? 1 : run->count;

    *out = (struct items){.list = arena_alloc(arena, (count + 1) * sizeof(*out->list))};
    if (!out->list)
        return ERR_NOMEM;
    for (; out->count < count; out->count++)
        out->list[out->count] = (struct item){
            .delivery = run->fault.len ? NULL : &run->deliveries[out->count],
            .fault = run->fault,
            .now_ms = run->now_ms,
        };
    return 0;
}

static bool item_is_same(const struct item *a, const struct item *b)
{
    if (!a->delivery || !b->delivery)
        return a->delivery == b->delivery && str_eq(a->fault, b->fault);
    return diff_text_is_same(a->delivery, a->now_ms, b->delivery, b->now_ms);
}

static int write_item(const struct item *item, struct buf *out, struct arena *arena)
{
    if (!item)
        return 0;
    if (item->delivery)
        return diff_text_write(out, item->delivery, item->now_ms, arena);
    return buf_printf(out, "(the workflow fails: " STR_FMT ")\n", STR_ARG(item->fault));
}

struct difference {
    struct diff_at at;
    enum diff_kind kind;
    const struct item *old; // NULL: it is added
    const struct item *new; // NULL: it is removed
};

static int print_difference(struct diff *d, const struct difference *x, struct arena *arena)
{
    FILE *out = d->in->out;
    struct buf before, after;
    int code;

    buf_init(&before, DIFF_TEXT_MAX_BYTES);
    buf_init(&after, DIFF_TEXT_MAX_BYTES);
    code = write_item(x->old, &before, arena);
    code = code ? code : write_item(x->new, &after, arena);
    if (code == 0) {
        fprintf(out, "%s: %s, ", x->at.workflow, kind_words[x->kind]);
        table_print_safe(out, x->at.row->key, false);
        fprintf(out, " (" STR_FMT ", record ", STR_ARG(x->at.row->type));
        table_print_safe(out, x->at.event->record_id, false);
        fprintf(out, ")\n--- in force\n+++ %s\n", d->config.rules_dir);
        if (str_eq(buf_str(&before), buf_str(&after)))
            fputs("(a secret has another name)\n", out);
        code = diff_text_print(out, buf_str(&before), buf_str(&after), arena);
        fputc('\n', out);
    }
    buf_fini(&before);
    buf_fini(&after);
    return code;
}

static int write_side(struct json_writer *w, const char *name, const struct item *item,
                      struct arena *arena)
{
    struct request_input in;

    if (!item) {
        json_member_null(w, name);
        return 0;
    }
    json_key(w, str_from(name));
    json_object_begin(w);
    json_member_string_or_null(w, "error", item->fault);
    if (item->delivery) {
        in = (struct request_input){.head = item->delivery->head, .at_ms = item->now_ms};
        json_member_integer(w, "action", item->delivery->action);
        json_member_string_or_null(w, "invalid", item->delivery->reason);
        json_member_integer(w, "delay_ms", item->delivery->due_at_ms - item->now_ms);
        if (!item->delivery->head.len ||
            request_write_json(w, "request", &in, item->delivery->body, arena) != 0)
            json_member_null(w, "request");
    }
    json_object_end(w);
    return 0;
}

static int write_difference(struct diff *d, const struct difference *x, struct arena *arena)
{
    struct json_writer *w = &d->w;

    json_object_begin(w);
    json_member_string(w, "event", x->at.row->key);
    json_member_string(w, "type", x->at.row->type);
    json_member_string(w, "record", x->at.event->record_id);
    json_member_text(w, "workflow", x->at.workflow);
    json_member_text(w, "kind", kind_words[x->kind]);
    write_side(w, "old", x->old, arena);
    write_side(w, "new", x->new, arena);
    json_object_end(w);
    fwrite(d->json.data, 1, d->json.len, d->in->out);
    d->json.len = 0; // what is printed; the writer goes on behind it
    return d->json.failed;
}

static int take_difference(struct diff *d, const struct difference *x, struct arena *arena)
{
    struct diff_tally *t = map_get(&d->by_id, str_from(x->at.workflow));

    t->counts[x->kind]++;
    if (x->kind == DIFF_SAME || d->difference_count++ >= d->limit)
        return 0;
    diff_show_progress(d, true);
    return options_has(&d->in->options, "json") ? write_difference(d, x, arena)
                                                : print_difference(d, x, arena);
}

// Webhooks that are alike belong together, the others in their order.
int diff_compare_runs(struct diff *d, const struct diff_at *at, const struct diff_run *old,
                      const struct diff_run *new, struct arena *arena)
{
    struct difference x = {.at = *at};
    struct items a, b;
    size_t j = 0;
    int code = list_items(&a, old, arena);

    code = code ? code : list_items(&b, new, arena);
    for (size_t i = 0; code == 0 && i < a.count; i++)
        for (size_t k = 0; k < b.count && !a.list[i].is_taken; k++)
            if (!b.list[k].is_taken && item_is_same(&a.list[i], &b.list[k])) {
                a.list[i].is_taken = b.list[k].is_taken = true;
                code = take_difference(d, &x, arena);
            }
    for (size_t i = 0; code == 0 && i < a.count; i++) {
        if (a.list[i].is_taken)
            continue;
        while (j < b.count && b.list[j].is_taken)
            j++;
        x.old = &a.list[i];
        x.new = j < b.count ? &b.list[j++] : NULL;
        x.kind = x.new ? DIFF_CHANGED : DIFF_REMOVED;
        code = take_difference(d, &x, arena);
    }
    x.old = NULL;
    x.kind = DIFF_ADDED;
    for (; code == 0 && j < b.count; j++)
        if (!b.list[j].is_taken) {
            x.new = &b.list[j];
            code = take_difference(d, &x, arena);
        }
    return code;
}

// --- the end -------------------------------------------------------------------------------------

static const struct generation_workflow *side_workflow(const struct diff_side *s, const char *id)
{
    const struct generation_workflow *w = generation_find(s->generation, str_from(id));

    return w && w->rule ? w : NULL;
}

static bool has_other_schedule(const struct rules_schedule *a, const struct rules_schedule *b)
{
    return a && b ? strcmp(a->text, b->text) != 0 || strcmp(a->zone, b->zone) != 0 : a || b;
}

// What is to be known of the workflow besides its counts.
static const char *note(const struct diff *d, const char *id)
{
    static const char *const modes[] = {"stopped", "", "dry", "stopped"};
    const struct generation_workflow *old = side_workflow(&d->old, id);
    const struct generation_workflow *new = side_workflow(&d->new, id);

    if (has_other_schedule(old ? old->rule->schedule : NULL, new ? new->rule->schedule : NULL))
        return "another schedule: only the times that were are judged";
    if (!new)
        return "gone";
    if (!old)
        return modes[d->new.generation->modes[new->index]][0] ? "new, not started" : "new";
    return modes[d->new.generation->modes[new->index]];
}

static bool is_shown(const struct diff *d, const struct diff_tally *t)
{
    bool has_counts = false;

    for (int k = 0; k < DIFF_KINDS; k++)
        has_counts |= t->counts[k] != 0;
    return d->only.len ? str_eq(d->only, str_from(t->id)) : has_counts || *note(d, t->id);
}

static void print_table(const struct diff *d, struct arena *arena)
{
    static const char *const names[] = {"WORKFLOW", "SAME", "ADDED", "REMOVED", "CHANGED", ""};
    struct table t;
    char text[32];

    table_init(&t, names, sizeof(names) / sizeof(names[0]), arena);
    for (size_t i = 0; i < d->tally_count; i++) {
        const struct diff_tally *one = &d->tallies[i];

        if (!is_shown(d, one))
            continue;
        table_add(&t, str_from(one->id));
        for (int k = 0; k < DIFF_KINDS; k++) {
            snprintf(text, sizeof(text), "%lld", (long long)one->counts[k]);
            table_add(&t, arena_dup(arena, str_from(text)));
        }
        table_add(&t, str_from(note(d, one->id)));
    }
    table_print(&t, d->in->out);
}

static void write_end(struct diff *d)
{
    struct json_writer *w = &d->w;

    json_array_end(w);
    json_key(w, STR("workflows"));
    json_array_begin(w);
    for (size_t i = 0; i < d->tally_count; i++) {
        const struct diff_tally *one = &d->tallies[i];

        if (!is_shown(d, one))
            continue;
        json_object_begin(w);
        json_member_text(w, "workflow", one->id);
        for (int k = 0; k < DIFF_KINDS; k++)
            json_member_integer(w, kind_words[k], one->counts[k]);
        json_member_text(w, "note", note(d, one->id));
        json_object_end(w);
    }
    json_array_end(w);
    json_member_integer(w, "events", (int64_t)d->judged_count);
    json_member_integer(w, "lost", (int64_t)d->lost_count);
    json_member_integer(w, "count", d->difference_count);
    json_object_end(w);
    fwrite(d->json.data, 1, d->json.len, d->in->out);
    fputc('\n', d->in->out);
}

void diff_show_begin(struct diff *d)
{
    json_writer_init(&d->w, &d->json);
    json_object_begin(&d->w);
    json_key(&d->w, STR("differences"));
    json_array_begin(&d->w);
}

void diff_show_end(struct diff *d)
{
    struct arena arena;

    if (options_has(&d->in->options, "json")) {
        write_end(d);
        return;
    }
    arena_init(&arena, DIFF_TEXT_MAX_BYTES);
    print_table(d, &arena);
    arena_fini(&arena);
    fprintf(d->in->out, "%zu event%s, %lld difference%s", d->judged_count,
            d->judged_count == 1 ? "" : "s", (long long)d->difference_count,
            d->difference_count == 1 ? "" : "s");
    fprintf(d->in->out,
            d->difference_count > d->limit ? ", of which %lld are shown (--limit).\n" : ".\n",
            (long long)d->limit);
    if (d->lost_count)
        fprintf(d->in->messages,
                "%zu of the events could not be judged: retention has removed what was sent, "
                "or the state that it was compared with.\n",
                d->lost_count);
}
