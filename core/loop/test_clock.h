// The hidden `serve --test-clock PATH`: a Unix socket that moves a test clock. A line `advance 15s`
// (ms s m h d) moves the host's time and is answered with `ok 2026-11-23T09:15:15.000Z` when all
// that fell due has been started; `wall 1d` or `wall -1d` sets the wall clock alone, as somebody
// might, and is answered alike; `now` answers the time; anything else `error ...`. Commands are
// carried out one after another, over all connections. A host that is started again goes on at the
// wall time, or where its clock stood, if that is later. Loop thread only.
#ifndef LOOP_TEST_CLOCK_H
#define LOOP_TEST_CLOCK_H

#include "loop/loop.h"

struct loop_test_clock;

struct loop_test_clock_config {
    const char *path; // borrowed while opening
    // Whether all that is due has been started: asked between the steps (a turn of the loop after
    // each timer, and once more at the end) and again in later turns until it says so.
    bool (*is_settled)(void *ctx);
    void *ctx;
};

int loop_test_clock_open(struct loop_test_clock **out, struct loop *l,
                         const struct loop_test_clock_config *c, struct err *e);
void loop_test_clock_close(struct loop_test_clock *t);

#endif
