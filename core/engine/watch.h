// Watches a rules folder, with all that is in it, by inotify, and says once it has been quiet for a
// moment that something has changed. Which folders there are it learns from those who read them
// (struct folder_visitor), so that what appears later is watched too. Where the system gives no
// watches it says so in the log, and does nothing. Loop thread, but for the visitor.
#ifndef ENGINE_WATCH_H
#define ENGINE_WATCH_H

#include "base/log.h"
#include "engine/folder.h"
#include "loop/loop.h"

struct watch;

struct watch_config {
    struct loop *loop;
    const struct log *log;
    const char *dir; // borrowed for the watch's life
    void (*on_change)(void *ctx);
    void *ctx;
};

// NULL: out of memory. Nothing is watched before the first reading.
struct watch *watch_open(const struct watch_config *c);
// on_change is not called any more; a reading may be under way.
void watch_stop(struct watch *w);
// Stopped, and no reading under way.
void watch_free(struct watch *w);

// Around each reading of the folder: what is read in between is watched, what is not is no longer.
void watch_begin(struct watch *w);
void watch_end(struct watch *w);
// For the reading, on one thread at a time.
struct folder_visitor watch_visitor(struct watch *w);

#endif
