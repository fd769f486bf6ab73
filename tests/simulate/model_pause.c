// The model's clock of each target: the host's running time without that in which an operator had
// the target paused. Where it is not known whether a pause holds, since a client was not answered
// yet, the clock moves, and what waits may be late by that.
#include "sim.h"

enum pause_state { PAUSE_OFF, PAUSE_ASKED, PAUSE_ON, RESUME_ASKED };

static struct {
    enum pause_state state;
    int64_t since_ms;  // in which it is so, but for PAUSE_OFF
    int64_t paused_ms; // by pauses that were, in all
    int64_t slack_ms;  // in which it was not known, in all
} pauses[PATHS];

static int64_t pause_for_ms(enum model_path path)
{
    return sim_running_ms() - pauses[path].since_ms;
}

void model_pause_asked(enum model_path path, bool is_paused)
{
    enum pause_state before = pauses[path].state;
    if (before == PAUSE_ON && !is_paused) {
        pauses[path].paused_ms += pause_for_ms(path);
    }
    if (before == PAUSE_OFF || before == PAUSE_ON) {
        pauses[path].since_ms = sim_running_ms();
    }
    pauses[path].state = is_paused ? PAUSE_ASKED : RESUME_ASKED;
}

void model_pause_answered(enum model_path path, bool is_paused)
{
    pauses[path].slack_ms += pause_for_ms(path);
    pauses[path].since_ms = sim_running_ms();
    pauses[path].state = is_paused ? PAUSE_ON : PAUSE_OFF;
}

bool model_is_paused(enum model_path path)
{
    return pauses[path].state == PAUSE_ON;
}

int64_t model_path_ms(enum model_path path)
{
    return sim_running_ms() - pauses[path].paused_ms - model_pause_tail_ms(path);
}

int64_t model_pause_tail_ms(enum model_path path)
{
    return model_is_paused(path) ? pause_for_ms(path) : 0;
}

int64_t model_pause_slack_ms(enum model_path path)
{
    bool is_known = pauses[path].state == PAUSE_OFF || pauses[path].state == PAUSE_ON;
    return pauses[path].slack_ms + (is_known ? 0 : pause_for_ms(path));
}
