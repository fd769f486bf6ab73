// The names of the time zones that the system has a file for. Any thread.
#ifndef BASE_ZONE_NAMES_H
#define BASE_ZONE_NAMES_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

// $TZDIR, else the system's. Borrowed from the environment.
const char *zone_names_dir(void);
// Whether it can be the name of a file in that folder: no way leads out of it.
bool zone_names_is_possible(struct str name);
// ERR_NOT_FOUND, with the nearest name where there is one. Reads the folder.
int zone_names_refuse(struct str name, struct err *e);

#endif
