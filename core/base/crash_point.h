// Named points at which a host that was started with `--crash-at POINT` dies as if by kill -9. The
// tests that prove what a crash there costs are its only users.
#ifndef BASE_CRASH_POINT_H
#define BASE_CRASH_POINT_H

// Kills the process (SIGKILL) where `configured` (may be NULL) names this point.
void crash_point(const char *configured, const char *point);

#endif
