// The host as a whole: owns every part, starts them in order and stops them in reverse. Main
// thread.
#ifndef APP_H
#define APP_H

#include "config.h"

// Runs the host until it is told to stop (SIGTERM, SIGINT). 0 after an orderly stop; an error with
// words where it could not start.
int app_run(const struct config *c, struct err *e);

#endif
