// math without chance: random numbers follow from the run's seed, so that the same event and rules
// give the same webhooks.
#include "script/libs.h"

static uint64_t math_rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

// splitmix64 spreads one word over the four (Blackman, Vigna).
static void math_seed(struct state_random *r)
{
    uint64_t x = r->seed;
    for (int i = 0; i < 4; i++) {
        uint64_t z = x += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        r->words[i] = z ^ z >> 31;
    }
    r->is_seeded = true;
}

// xoshiro256** (Blackman, Vigna).
static uint64_t math_next(struct state_random *r)
{
    if (!r->is_seeded)
        math_seed(r);
    uint64_t *w = r->words;
    uint64_t result = math_rotate(w[1] * 5, 7) * 9;
    uint64_t shifted = w[1] << 17;
    w[2] ^= w[0];
    w[3] ^= w[1];
    w[1] ^= w[2];
    w[0] ^= w[3];
    w[2] ^= shifted;
    w[3] = math_rotate(w[3], 45);
    return result;
}

// A number in 0..limit, each as likely: what is over the limit is drawn again.
static uint64_t math_below(struct state_random *r, uint64_t limit)
{
    uint64_t mask = limit;
    for (int shift = 1; shift < 64; shift *= 2)
        mask |= mask >> shift;
    uint64_t n = math_next(r) & mask;
    while (n > limit)
        n = math_next(r) & mask;
    return n;
}

// math.random([m [, n]]), as Lua has it.
static int math_lua_random(lua_State *L)
{
    struct state_random *r = &state_of(L)->random;
    lua_Integer low = 1;
    lua_Integer high;
    switch (lua_gettop(L)) {
    case 0:
        lua_pushnumber(L, (lua_Number)(math_next(r) >> 11) * 0x1p-53);
        return 1;
    case 1:
        high = luaL_checkinteger(L, 1);
        if (high == 0) {
            lua_pushinteger(L, (lua_Integer)math_next(r));
            return 1;
        }
        break;
    case 2:
        low = luaL_checkinteger(L, 1);
        high = luaL_checkinteger(L, 2);
        break;
    default:
        return luaL_error(L, "wrong number of arguments");
    }
    luaL_argcheck(L, low <= high, lua_gettop(L), "interval is empty");
    uint64_t n = math_below(r, (uint64_t)high - (uint64_t)low);
    lua_pushinteger(L, (lua_Integer)(n + (uint64_t)low));
    return 1;
}

static int math_lua_randomseed(lua_State *L)
{
    return luaL_error(L, "math.randomseed is not for rules: the event is the seed");
}

void lib_math_bound(lua_State *L)
{
    static const luaL_Reg replaced[] = {
        {"random", math_lua_random}, {"randomseed", math_lua_randomseed}, {NULL, NULL}};
    luaL_setfuncs(L, replaced, 0);
}
