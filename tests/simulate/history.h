// One history from the seed that sim_init was given, in the working folder, which is empty. Ends
// the process by sim_fail where something is wrong.
#ifndef SIMULATE_HISTORY_H
#define SIMULATE_HISTORY_H

#include <stdbool.h>

void history_run(bool is_day); // a long, busy day, or a short history

#endif
