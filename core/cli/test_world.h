// The world of one test case: workflows in a Lua state of their own, a clock that is moved by hand,
// what the store would know (the records' latest states, once-marks, deliveries) and a receiver
// that answers by script. It judges, compares and decides with the host's own code; there is no
// socket, no file and no wait in it. Main thread.
#ifndef CLI_TEST_WORLD_H
#define CLI_TEST_WORLD_H

#include "base/arena.h"
#include "base/id.h"
#include "base/map.h"
#include "base/zone.h"
#include "cli/json_tree.h"
#include "cli/test_cover.h"
#include "encode/json_writer.h"
#include "engine/event.h"
#include "engine/folder.h"
#include "engine/loops.h"
#include "script/rules.h"
#include "store/store.h"

struct world_files {
    const struct folder *folder;                // for modules and templates
    const struct folder_file *const *workflows; // those of it that are tested
    size_t workflow_count;
};

struct world_delivery {
    struct world_delivery *next;
    struct str workflow;
    size_t index;              // of the workflow, among the rules
    struct store_delivery row; // as the store would have it: its state and when it is due
    struct str invalid;        // why it can never be sent, or empty
    int attempts;
    int64_t base_ms;
    bool is_waiting;     // HELD: another one of its order goes first
    struct event *cause; // the event that caused it
};

struct world_schedule { // of a workflow that has one
    size_t index;
    struct zone *zone;
    int64_t done_ms; // its times up to this one have been
};

struct world_answers { // an answer for each attempt; none: 200
    const struct json_node *each;
    const struct json_node *always;
};

struct world {
    const char *dir; // where files of events stand
    struct test_cover *cover;
    struct rules *rules;
    struct arena arena;
    struct map records;  // "deal\n4021" -> struct world_record
    struct map marks;    // "workflow\ndeal\n4021" -> struct store_mark
    struct map ids;      // of the events so far
    struct loops *loops; // how often each workflow ran for each record
    struct id_source source;
    int64_t now_ms;
    size_t event_count;
    struct world_delivery *first;
    struct world_delivery **last;
    struct world_answers answers;
    struct world_schedule *schedules;
    size_t schedule_count;
};

// Loads the files. ERR_INVALID: there are faults, see w->rules (world_close is due then too).
// files and c: borrowed while it is open. cover: takes the conditions' verdicts, or NULL.
int world_open(struct world *w, const struct rules_config *c, const struct world_files *files,
               int64_t now_ms, struct test_cover *cover, struct err *e);
void world_close(struct world *w);

// Puts the records of a plan's case where the store would have them; no rule runs.
int world_put_records(struct world *w, const struct json_node *records, struct err *e);
// Who is asked of an event.
struct world_asked {
    unsigned verb;      // those that want it; 0: all
    const size_t *only; // this one alone; or NULL
};
// Judges an event, whose texts live as long as the world, and writes a run for each that is asked
// (testing/compare.lua) into the array that is begun. What it makes owed is the world's.
int world_judge(struct world *w, const struct event *ev, struct world_asked asked,
                struct json_writer *out, struct err *e);

// Takes one step of a plan and writes what came of it as one JSON object (testing/compare.lua says
// which). An event that cannot be one is an error with words.
int world_step(struct world *w, const struct json_node *step, struct json_writer *out,
               struct err *e);

#endif
