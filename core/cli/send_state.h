// How far a file has been sent, in FILE.sending beside it, so that `send --resume` goes on. With it
// events that have no id of their own get one, made of the run's and their place in the file: what
// is sent again because its answer was lost is known to the host. Main thread.
#ifndef CLI_SEND_STATE_H
#define CLI_SEND_STATE_H

#include "base/err.h"
#include "base/file.h"

enum { SEND_RUN_LEN = 16, SEND_ID_MAX = 64 };

struct send_state {
    char path[FILE_PATH_MAX + 16];
    char run[SEND_RUN_LEN + 1]; // the same for all who resume
    bool is_kept;               // else nobody can resume: it is a pipe, or the folder is not ours
    int64_t events;             // so many at the file's beginning need not be sent again
    int64_t line;               // what follows them begins on this line, or behind it
    int64_t size;               // of the file, in bytes; 0: not known
    int64_t modified_ns;
};

enum send_begin { SEND_ANEW, SEND_RESUME, SEND_OVER }; // OVER: whatever was sent before

// file: the path, fd: the same file, open. ERR_REFUSED with words that say what to do: something is
// to be resumed and is not asked for, or the other way round, or the file has changed meanwhile.
// Where the state cannot be kept it is 0, and e says why.
int send_state_begin(struct send_state *s, const char *file, int fd, enum send_begin how,
                     struct err *e);
// Remembers, on disk, that the first `events` are done.
int send_state_advance(struct send_state *s, int64_t events, int64_t line, struct err *e);
// All is sent, or nothing was: removes the file.
void send_state_end(struct send_state *s);
// The id of the n-th event of the file, from 1.
void send_state_id(const struct send_state *s, int64_t n, char out[SEND_ID_MAX]);

#endif
