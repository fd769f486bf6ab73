#include "encode/json_print.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encode/json_decimal.h"

enum {
    DIGITS_MAX = 17,      // enough for any double
    UNIQUE_DIGITS = 15,   // no two decimals of so many digits are the same (normal) double
    PLAIN_POINT_MIN = -5, // 0.000001
    PLAIN_POINT_MAX = 21  // 100000000000000000000.0
};

// Where exact arithmetic reaches for 15 to 17 digits.
static const double REACH_MIN = 1e-3;
static const double REACH_END = 1e15;

static const uint64_t LIMITS[] = {
    // the first number of more than 15, 16, 17 digits
    UINT64_C(1000000000000000),
    UINT64_C(10000000000000000),
    UINT64_C(100000000000000000),
};

// 0.DIGITS times ten to the power of `point`; no zero at either end of the digits.
struct decimal {
    char digits[DIGITS_MAX + 1];
    int count;
    int point;
};

static size_t print_unsigned(char *out, uint64_t n)
{
    char reversed[20];
    size_t len = 0;
    do {
        reversed[len++] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    for (size_t i = 0; i < len; i++) {
        out[i] = reversed[len - 1 - i];
    }
    return len;
}

size_t json_print_integer(char out[JSON_PRINT_MAX], int64_t n)
{
    size_t at = 0;
    if (n < 0) {
        out[at++] = '-';
    }
    return at + print_unsigned(out + at, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

static void drop_trailing_zeros(struct decimal *d)
{
    while (d->count > 1 && d->digits[d->count - 1] == '0') {
        d->count--;
    }
}

static void set_digits(struct decimal *d, uint64_t digits, int places)
{
    d->count = (int)print_unsigned(d->digits, digits);
    d->point = d->count - places;
    drop_trailing_zeros(d);
}

// The nearest decimal of `count` digits, 15 to 17, if it reads back as n. n is within reach.
static bool find_with(double n, int count, struct decimal *d)
{
    int places = count - 1 - json_decimal_exponent(n);
    uint64_t limit = LIMITS[count - UNIQUE_DIGITS];
    uint64_t digits;
    if (!json_decimal_round(n, places, &digits)) {
        return false;
    }
    if (digits >= limit && !json_decimal_round(n, --places, &digits)) {
        return false;
    }
    double back;
    if (!json_decimal_read(digits, -places, &back) || back != n) {
        return false;
    }
    set_digits(d, digits, places);
    return true;
}

static double read_back(const struct decimal *d)
{
    char text[DIGITS_MAX + 16];
    memcpy(text, d->digits, (size_t)d->count);
    snprintf(text + d->count, sizeof text - (size_t)d->count, "e%d", d->point - d->count);
    // glibc and musl hand out a static object for this name: nothing is allocated.
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    double n = strtod_l(text, NULL, c_locale);
    freelocale(c_locale);
    return n;
}

// The nearest decimal of `count` digits. printf's decimal point is the locale's, so it is passed
// over.
static void round_to(double n, int count, struct decimal *d)
{
    char text[48];
    snprintf(text, sizeof text, "%.*e", count - 1, n);
    char *mark = strchr(text, 'e');
    d->count = 0;
    for (const char *p = text; p < mark; p++) {
        if (*p >= '0' && *p <= '9' && d->count < DIGITS_MAX) {
            d->digits[d->count++] = *p;
        }
    }
    d->point = atoi(mark + 1) + 1;
}

// At a power of two the doubles above lie twice as far apart as those below. So a decimal above n
// can read back as n while a nearer one below does not.
static bool find_above_power_of_two(double n, struct decimal *d)
{
    int binary;
    if (frexp(n, &binary) != 0.5) {
        return false;
    }
    round_to(n, DIGITS_MAX - 1, d);
    int last = d->count - 1;
    if (d->digits[last] == '9') {
        return false; // the decimal above has fewer digits and was tried
    }
    d->digits[last]++;
    return read_back(d) == n;
}

// The powers of two within reach all have 15 digits or fewer, so what find_above_power_of_two says
// of them is of no matter here.
static bool find_in_reach(double n, struct decimal *d)
{
    return n >= REACH_MIN && n < REACH_END &&
           (find_with(n, UNIQUE_DIGITS, d) || find_with(n, UNIQUE_DIGITS + 1, d) ||
            find_with(n, DIGITS_MAX, d));
}

static void find_shortest(double n, struct decimal *d)
{
    if (find_in_reach(n, d)) {
        return;
    }
    // Below the normal numbers a double is worth fewer digits.
    int count = n < DBL_MIN ? 1 : UNIQUE_DIGITS;
    for (; count < DIGITS_MAX; count++) {
        round_to(n, count, d);
        if (read_back(d) == n) {
            drop_trailing_zeros(d);
            return;
        }
    }
    if (!find_above_power_of_two(n, d)) {
        round_to(n, DIGITS_MAX, d);
    }
}

static size_t put_zeros(char *out, int count)
{
    memset(out, '0', (size_t)count);
    return (size_t)count;
}

static size_t put_digits(char *out, const struct decimal *d, int from, int to)
{
    memcpy(out, d->digits + from, (size_t)(to - from));
    return (size_t)(to - from);
}

static size_t print_plain(char *out, const struct decimal *d)
{
    size_t at = 0;
    if (d->point <= 0) {
        out[at++] = '0';
        out[at++] = '.';
        at += put_zeros(out + at, -d->point);
        return at + put_digits(out + at, d, 0, d->count);
    }
    if (d->point < d->count) {
        at += put_digits(out + at, d, 0, d->point);
        out[at++] = '.';
        return at + put_digits(out + at, d, d->point, d->count);
    }
    at += put_digits(out + at, d, 0, d->count);
    at += put_zeros(out + at, d->point - d->count);
    out[at++] = '.';
    out[at++] = '0';
    return at;
}

static size_t print_with_exponent(char *out, const struct decimal *d)
{
    size_t at = put_digits(out, d, 0, 1);
    if (d->count > 1) {
        out[at++] = '.';
        at += put_digits(out + at, d, 1, d->count);
    }
    int exponent = d->point - 1;
    out[at++] = 'e';
    out[at++] = exponent < 0 ? '-' : '+';
    return at + print_unsigned(out + at, (uint64_t)abs(exponent));
}

size_t json_print_double(char out[JSON_PRINT_MAX], double n)
{
    size_t at = 0;
    if (signbit(n)) {
        out[at++] = '-';
        n = -n;
    }
    if (n == 0) {
        memcpy(out + at, "0.0", 3);
        return at + 3;
    }
    struct decimal d;
    find_shortest(n, &d);
    if (d.point >= PLAIN_POINT_MIN && d.point <= PLAIN_POINT_MAX) {
        return at + print_plain(out + at, &d);
    }
    return at + print_with_exponent(out + at, &d);
}
