#include "cli/prompt.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { CTRL_C = 3, CTRL_D = 4, CTRL_H = 8, CTRL_U = 21, RUBOUT = 127 };

static int read_line(int terminal, struct buf *out, struct err *e)
{
    for (;;) {
        char ch;
        ssize_t got = read(terminal, &ch, 1);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(e, ERR_IO, "reading the terminal: %s", strerror(errno));
        if (got == 0 || ch == CTRL_C || (ch == CTRL_D && out->len == 0))
            return err_set(e, ERR_CLOSED, "given up");
        if (ch == '\r' || ch == '\n')
            return 0;
        if (ch == CTRL_U) {
            out->len = 0;
        } else if (ch == CTRL_H || ch == RUBOUT) {
            // A character of several bytes goes as a whole.
            while (out->len && ((unsigned char)out->data[--out->len] & 0xC0) == 0x80)
                ;
        } else if (buf_append_char(out, ch) != 0) {
            return err_set(e, out->failed == ERR_NOMEM ? ERR_NOMEM : ERR_TOO_LARGE,
                           "that is too long");
        }
    }
}

int prompt_hidden(int terminal, const char *question, struct buf *out, struct err *e)
{
    struct termios before, hidden;
    sigset_t all, old;
    int code;

    if (tcgetattr(terminal, &before) != 0)
        return err_set(e, ERR_IO, "the terminal: %s", strerror(errno));
    hidden = before;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
    hidden.c_cc[VMIN] = 1;
    hidden.c_cc[VTIME] = 0;
    // No signal may end the process while the terminal hides what is typed.
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &old);
    if (tcsetattr(terminal, TCSAFLUSH, &hidden) != 0) {
        sigprocmask(SIG_SETMASK, &old, NULL);
        return err_set(e, ERR_IO, "the terminal: %s", strerror(errno));
    }
    if (write(terminal, question, strlen(question)) < 0)
        code = err_set(e, ERR_IO, "the terminal: %s", strerror(errno));
    else
        code = read_line(terminal, out, e);
    tcsetattr(terminal, TCSAFLUSH, &before);
    if (write(terminal, "\n", 1) < 0 && code == 0)
        code = err_set(e, ERR_IO, "the terminal: %s", strerror(errno));
    sigprocmask(SIG_SETMASK, &old, NULL);
    return code;
}
