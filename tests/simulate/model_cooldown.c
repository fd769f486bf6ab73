// The model of a cooldown. It goes by the wall clock at which an event was taken, of which is known
// when its client asked, when it was answered, and how the clock was set meanwhile.
#include "sim.h"

static const int64_t COOLDOWN_MS = INT64_C(20) * 60 * 1000;

struct taken {
    int64_t from_ms, to_ms; // at which it was, by the wall clock
    bool is_asked, is_answered;
};

static struct taken taken[MODEL_RECORDS_MAX][MODEL_TURNS_MAX];

static void taken_widen(struct taken *t, int64_t wall_ms)
{
    t->from_ms = !t->is_asked || wall_ms < t->from_ms ? wall_ms : t->from_ms;
    t->to_ms = !t->is_asked || wall_ms > t->to_ms ? wall_ms : t->to_ms;
    t->is_asked = true;
}

void cooldown_asked(unsigned record, unsigned turn)
{
    taken_widen(&taken[record][turn], sim_wall_ms());
}

void cooldown_answered(unsigned record, unsigned turn)
{
    taken_widen(&taken[record][turn], sim_wall_ms());
    taken[record][turn].is_answered = true;
}

void cooldown_jumped(int64_t ms)
{
    for (unsigned i = 0; i < MODEL_RECORDS_MAX * MODEL_TURNS_MAX; i++) {
        struct taken *t = &taken[i / MODEL_TURNS_MAX][i % MODEL_TURNS_MAX];
        if (t->is_asked && !t->is_answered) {
            taken_widen(t, sim_wall_ms() - ms);
            taken_widen(t, sim_wall_ms());
        }
    }
}

void cooldown_check(unsigned record, unsigned turn, bool has_fired, int last_turn)
{
    const struct taken *now = &taken[record][turn];
    if (last_turn < 0) {
        if (!has_fired) {
            sim_fail("cooldown/%u.%u did not fire, and none had before", record, turn);
        }
        return;
    }
    const struct taken *last = &taken[record][last_turn];
    int64_t least_ms = now->from_ms - last->to_ms, most_ms = now->to_ms - last->from_ms;
    if (has_fired && most_ms < COOLDOWN_MS) {
        sim_fail("cooldown/%u.%u fired %lld ms after .%d, within its cooldown", record, turn,
                 (long long)most_ms, last_turn);
    }
    if (!has_fired && least_ms > COOLDOWN_MS) {
        sim_fail("cooldown/%u.%u did not fire %lld ms after .%d, when its cooldown was over",
                 record, turn, (long long)least_ms, last_turn);
    }
}
