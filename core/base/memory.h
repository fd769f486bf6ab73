// What an allocator keeps.
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

// Gives the system what this thread has freed. mimalloc does so by itself only where the thread
// goes on to allocate beside it, so megabytes that are needed once would stay. Some milliseconds.
// No-op under another allocator.
void memory_trim(void);

#endif
