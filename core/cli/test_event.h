// The events of a test case: what a plan leaves out is filled in, and an update without `previous`
// is compared with its record's latest state, as the host does it. Main thread.
#ifndef CLI_TEST_EVENT_H
#define CLI_TEST_EVENT_H

#include "cli/test_world.h"
#include "engine/event.h"

// Makes the event that a plan's node describes, on the world's arena; may_be_record: a node without
// `record` is one itself. With words where it cannot be one.
int test_event_make(struct world *w, const struct json_node *node, bool may_be_record,
                    struct event *out, struct err *e);
// Finds what has changed, where the event does not say so itself.
int test_event_compare(struct world *w, struct event *ev, struct err *e);
// It becomes its record's latest state, unless that is later.
int test_event_keep(struct world *w, const struct event *ev);
// The latest state of the event's record; false: none is known.
bool test_event_state(struct world *w, const struct event *ev, struct str *record,
                      bool *is_deleted);
struct test_record {
    struct str id;
    struct str record;
};
// The records of a type that are not deleted, in the order of their ids, on the world's arena.
int test_event_records(struct world *w, struct str type, struct test_record **out, size_t *count);
// "deal\n4021", on the world's arena.
struct str test_event_record_key(struct world *w, const struct event *ev);

#endif
