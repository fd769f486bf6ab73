#include "cli/screen.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { KEYS_MAX_BYTES = 64, USUAL_ROWS = 24, USUAL_COLUMNS = 80 };

static const char TAKE[] = "\033[?1049h\033[?25l"; // the other screen, no cursor
static const char GIVE[] = "\033[?25h\033[?1049l";

static void measure(struct screen *s)
{
    struct winsize size = {0};

    ioctl(fileno(s->out), TIOCGWINSZ, &size);
    s->rows = size.ws_row ? size.ws_row : USUAL_ROWS;
    s->columns = size.ws_col ? size.ws_col : USUAL_COLUMNS;
}

static void take(struct screen *s)
{
    if (s->in >= 0) {
        struct termios raw = s->before;

        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        raw.c_cc[VMIN] = 1;
        raw.c_cc[VTIME] = 0;
        tcsetattr(s->in, TCSADRAIN, &raw);
    }
    fputs(TAKE, s->out);
    fflush(s->out);
    s->is_taken = true;
    measure(s);
}

static void give(struct screen *s)
{
    if (!s->is_taken)
        return;
    s->is_taken = false;
    fputs(GIVE, s->out);
    fflush(s->out);
    if (s->in >= 0)
        tcsetattr(s->in, TCSADRAIN, &s->before);
}

static void on_signal(void *ctx, int signum)
{
    struct screen *s = ctx;

    if (signum == SIGWINCH) {
        measure(s);
        s->on_resize(s->ctx);
    } else if (signum == SIGTSTP) {
        give(s);
        raise(SIGSTOP); // and here it goes on
        take(s);
        s->on_resize(s->ctx);
    } else {
        s->ended_by = signum;
        loop_stop(s->loop);
    }
}

static void on_keys(void *ctx, int fd, int events)
{
    struct screen *s = ctx;
    char keys[KEYS_MAX_BYTES];
    ssize_t len = read(fd, keys, sizeof(keys));

    (void)events;
    if (len <= 0) { // the terminal is gone
        s->ended_by = SIGHUP;
        loop_stop(s->loop);
        return;
    }
    for (ssize_t i = 0; i < len; i++) {
        bool is_arrow = keys[i] == '\033' && len - i >= 3 &&
                        (keys[i + 1] == '[' || keys[i + 1] == 'O') && keys[i + 2] >= 'A' &&
                        keys[i + 2] <= 'D';

        s->on_key(s->ctx, is_arrow ? SCREEN_KEY_UP + (keys[i + 2] - 'A') : keys[i]);
        i += is_arrow ? 2 : 0;
    }
}

int screen_open(struct screen *s, struct loop *l, FILE *out, int in, struct err *e)
{
    static const int signals[SCREEN_SIGNALS] = {SIGINT,  SIGTERM,  SIGHUP,
                                                SIGQUIT, SIGWINCH, SIGTSTP};
    int code = 0;

    s->loop = l;
    s->out = out;
    s->in = isatty(in) && tcgetattr(in, &s->before) == 0 ? in : -1;
    for (int i = 0; i < SCREEN_SIGNALS && code == 0; i++)
        code = loop_signal_open(&s->signals[i], l, signals[i], on_signal, s);
    if (code == 0 && s->in >= 0)
        code = loop_poll_open(&s->keys, l, in, on_keys, s);
    if (code == 0 && s->keys)
        code = loop_poll_set(s->keys, LOOP_READABLE);
    if (code)
        return err_set(e, (enum err_code)code, "the terminal cannot be used: %s", err_word(code));
    take(s);
    return 0;
}

void screen_close(struct screen *s)
{
    give(s);
    if (s->keys)
        loop_poll_close(s->keys);
    s->keys = NULL;
    for (int i = 0; i < SCREEN_SIGNALS; i++) {
        if (s->signals[i])
            loop_signal_close(s->signals[i]);
        s->signals[i] = NULL;
    }
}

void screen_die(const struct screen *s)
{
    if (s->ended_by) {
        signal(s->ended_by, SIG_DFL);
        raise(s->ended_by);
    }
}
