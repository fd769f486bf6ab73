// Time in the world of a test case: it is moved by hand, and what falls due meanwhile happens, in
// its order: attempts, which the script answers, with what their ends cause, and times of
// schedules. Main thread.
#ifndef CLI_TEST_TIME_H
#define CLI_TEST_TIME_H

#include "cli/test_world.h"

// Finds the schedules of the world's workflows: their times begin now. 0, or words.
int test_time_open(struct world *w, struct err *e);
void test_time_close(struct world *w);

// Moves the clock on, and writes the runs of what happened into the array that is begun.
int test_time_advance(struct world *w, int64_t until_ms, struct json_writer *out, struct err *e);

// Whether it waits for an attempt.
bool test_time_is_owed(const struct world_delivery *d);

#endif
