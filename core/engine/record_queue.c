#include "engine/record_queue.h"

#include <stdlib.h>

#include "base/err.h"

struct record_gate {
    struct record_place *first;
    struct record_place *last;
    struct str key;
    char text[];
};

static struct record_gate *gate_new(struct record_queue *q, struct str key)
{
    struct record_gate *gate = malloc(sizeof *gate + key.len);
    if (gate == NULL) {
        return NULL;
    }
    memcpy(gate->text, key.data, key.len);
    gate->key = (struct str){gate->text, key.len};
    gate->first = gate->last = NULL;
    if (map_put(&q->gates, gate->key, gate)) {
        free(gate);
        return NULL;
    }
    return gate;
}

int record_queue_enter(struct record_queue *q, struct record_turn *t, struct str key)
{
    struct record_gate *gate = map_get(&q->gates, key);
    if (gate == NULL) {
        gate = gate_new(q, key);
    }
    if (gate == NULL) {
        return ERR_NOMEM;
    }
    struct record_place *place = &t->places[t->count++];
    *place = (struct record_place){.gate = gate, .turn = t};
    if (gate->last) {
        gate->last->next = place;
        t->ahead++;
    } else {
        gate->first = place;
    }
    gate->last = place;
    return 0;
}

bool record_turn_has_come(const struct record_turn *t)
{
    return t->ahead == 0;
}

// Usually the first; one that could not queue at all of its records leaves from behind.
static void gate_take_out(struct record_gate *gate, struct record_place *place)
{
    struct record_place *before = NULL;
    if (gate->first == place) {
        gate->first = place->next;
    } else {
        before = gate->first;
        while (before->next != place) {
            before = before->next;
        }
        before->next = place->next;
    }
    if (gate->last == place) {
        gate->last = before;
    }
}

void record_queue_leave(struct record_queue *q, struct record_turn *t)
{
    for (size_t i = 0; i < t->count; i++) {
        struct record_place *place = &t->places[i];
        struct record_gate *gate = place->gate;
        bool was_first = gate->first == place;
        gate_take_out(gate, place);
        struct record_place *next = was_first ? gate->first : NULL;
        if (gate->first == NULL) {
            map_remove(&q->gates, gate->key);
            free(gate);
        } else if (next && --next->turn->ahead == 0) {
            next->turn->on_turn(next->turn->ctx);
        }
    }
    t->count = 0;
}

void record_queue_fini(struct record_queue *q)
{
    map_fini(&q->gates);
}
