#include "encode/json_print.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DIGITS_MAX = 17,      // enough for any double
    UNIQUE_DIGITS = 15,   // no two decimals of so many digits are the same (normal) double
    PLAIN_POINT_MIN = -5, // 0.000001
    PLAIN_POINT_MAX = 21  // 100000000000000000000.0
};

const double JSON_POWERS_OF_TEN[JSON_EXACT_POWERS + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
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

// Most numbers that people write have at most 15 digits. Then n times a power of ten is nearly
// their integer, and dividing that integer by the power, which rounds once, proves it.
static bool find_short(double n, struct decimal *d)
{
    int binary;
    (void)frexp(n, &binary); // n < 2^binary
    int places = UNIQUE_DIGITS - 1 - (int)floor((binary - 1) * 0.30102999566398120);
    if (places > JSON_EXACT_POWERS || places < 0) {
        return false;
    }
    double power = JSON_POWERS_OF_TEN[places];
    double scaled = rint(n * power);
    if (scaled >= 1e15) {
        if (places == 0) {
            return false;
        }
        places--;
        power = JSON_POWERS_OF_TEN[places];
        scaled = rint(n * power);
    }
    if (scaled > 1e15 || scaled / power != n) {
        return false;
    }
    d->count = (int)print_unsigned(d->digits, (uint64_t)scaled);
    d->point = d->count - places;
    drop_trailing_zeros(d);
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

static void find_shortest(double n, struct decimal *d)
{
    if (find_short(n, d)) {
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
