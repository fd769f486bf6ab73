// Asking for something on the terminal without showing what is typed. Main thread; blocks.
#ifndef CLI_PROMPT_H
#define CLI_PROMPT_H

#include "base/buf.h"
#include "base/err.h"

// Writes `question` to the terminal and reads one line into out, without the newline. Backspace,
// Ctrl-U and Ctrl-C work. ERR_CLOSED: Ctrl-C, or Ctrl-D on an empty line. ERR_TOO_LARGE, ERR_IO.
int prompt_hidden(int terminal, const char *question, struct buf *out, struct err *e);

#endif
