#include "encode/json_decimal.h"

#include <math.h>

enum {
    EXACT_POWERS = 22, // 10^22 is the last power of ten that a double holds exactly
    POWERS_64 = 19,    // 10^19 is the last that fits in 64 bits
    DOUBLE_BITS = 53
};

static const uint64_t EXACT_INTEGERS = UINT64_C(1) << DOUBLE_BITS;

static const double EXACT_DOUBLES[EXACT_POWERS + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

#ifdef __SIZEOF_INT128__

__extension__ typedef unsigned __int128 wide; // the language has no other name for it

static const uint64_t EXACT_INTEGER_POWERS[POWERS_64 + 1] = {
    UINT64_C(1),
    UINT64_C(10),
    UINT64_C(100),
    UINT64_C(1000),
    UINT64_C(10000),
    UINT64_C(100000),
    UINT64_C(1000000),
    UINT64_C(10000000),
    UINT64_C(100000000),
    UINT64_C(1000000000),
    UINT64_C(10000000000),
    UINT64_C(100000000000),
    UINT64_C(1000000000000),
    UINT64_C(10000000000000),
    UINT64_C(100000000000000),
    UINT64_C(1000000000000000),
    UINT64_C(10000000000000000),
    UINT64_C(100000000000000000),
    UINT64_C(1000000000000000000),
    UINT64_C(10000000000000000000),
};

static int bit_length(wide x)
{
    uint64_t high = (uint64_t)(x >> 64);
    return high ? 128 - __builtin_clzll(high) : 64 - __builtin_clzll((uint64_t)x);
}

// x / 2^drop to the nearest integer, ties to even; has_more: x is cut off, it is a little more.
static wide round_shift(wide x, int drop, bool has_more)
{
    if (drop == 0) {
        return x;
    }
    wide kept = x >> drop;
    wide half = (wide)1 << (drop - 1);
    wide cut = x & ((half << 1) - 1);
    bool is_up = cut > half || (cut == half && (has_more || (kept & 1)));
    return kept + (is_up ? 1 : 0);
}

// digits is above 2^53 and the power below 2^64, so the quotient of digits * 2^64 has at least 53
// bits and one to round by; the remainder says whether there is more.
static double divide(uint64_t digits, uint64_t power)
{
    wide scaled = (wide)digits << 64;
    wide quotient = scaled / power;
    bool has_more = scaled % power != 0;
    int drop = bit_length(quotient) - DOUBLE_BITS;
    return ldexp((double)(uint64_t)round_shift(quotient, drop, has_more), drop - 64);
}

bool json_decimal_round(double n, int places, uint64_t *digits)
{
    int binary;
    uint64_t mantissa = (uint64_t)ldexp(frexp(n, &binary), DOUBLE_BITS);
    int shift = DOUBLE_BITS - binary; // n is mantissa / 2^shift
    if (places < 0 || places > EXACT_POWERS || shift < 0 || shift > 120) {
        return false;
    }
    int more = places > POWERS_64 ? places - POWERS_64 : 0;
    wide product = (wide)mantissa * EXACT_INTEGER_POWERS[places - more];
    product *= EXACT_INTEGER_POWERS[more]; // below 2^53 * 10^22, which is below 2^127
    wide rounded = round_shift(product, shift, false);
    *digits = (uint64_t)rounded;
    return rounded >> 63 == 0;
}

static bool read_by_division(uint64_t digits, int64_t exponent, double *value)
{
    if (digits <= EXACT_INTEGERS || exponent > 0 || exponent < -POWERS_64) {
        return false;
    }
    *value = divide(digits, EXACT_INTEGER_POWERS[-exponent]);
    return true;
}

#else

bool json_decimal_round(double n, int places, uint64_t *digits)
{
    (void)n;
    (void)places;
    (void)digits;
    return false;
}

static bool read_by_division(uint64_t digits, int64_t exponent, double *value)
{
    (void)digits;
    (void)exponent;
    (void)value;
    return false;
}

#endif

// Clinger, "How to read floating point numbers accurately" (1990): where both the digits and the
// power of ten are exact doubles, one operation rounds once.
bool json_decimal_read(uint64_t digits, int64_t exponent, double *value)
{
    if (digits > EXACT_INTEGERS || exponent < -EXACT_POWERS || exponent > EXACT_POWERS) {
        return read_by_division(digits, exponent, value);
    }
    *value = exponent < 0 ? (double)digits / EXACT_DOUBLES[-exponent]
                          : (double)digits * EXACT_DOUBLES[exponent];
    return true;
}

int json_decimal_exponent(double n)
{
    int binary;
    (void)frexp(n, &binary); // 2^(binary - 1) <= n
    return (int)floor((binary - 1) * 0.30102999566398120);
}
