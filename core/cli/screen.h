// A terminal taken for a program that draws on the whole of it, and given back as it was: at the
// end, where a signal ends the program, and while it is stopped. Main thread.
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include <stdio.h>
#include <termios.h>

#include "loop/loop.h"

enum { SCREEN_SIGNALS = 6 };

enum screen_key {
    SCREEN_KEY_UP = 0x100, // others are the character itself
    SCREEN_KEY_DOWN,
    SCREEN_KEY_RIGHT,
    SCREEN_KEY_LEFT
};

struct screen {
    FILE *out;
    struct loop *loop;
    int in; // the terminal that keys come from; -1: none
    struct termios before;
    bool is_taken;
    size_t rows, columns;
    struct loop_poll *keys;
    struct loop_signal *signals[SCREEN_SIGNALS];
    int ended_by; // a signal; 0: none
    void (*on_key)(void *ctx, int key);
    void (*on_resize)(void *ctx); // or it is taken again: all is to be drawn
    void *ctx;
};

// out: a terminal. in: a descriptor; no keys where it is no terminal.
int screen_open(struct screen *s, struct loop *l, FILE *out, int in, struct err *e);
void screen_close(struct screen *s); // gives it back
// After screen_close: ends the process by the signal that has stopped the loop, if one has.
void screen_die(const struct screen *s);

#endif
