#include "base/crash_point.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

void crash_point(const char *configured, const char *point)
{
    if (configured && strcmp(configured, point) == 0) {
        kill(getpid(), SIGKILL);
    }
}
