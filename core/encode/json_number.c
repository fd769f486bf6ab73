#include "encode/json_number.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "encode/json_decimal.h"
#include "encode/json_print.h"

enum {
    UINT64_DIGITS = 19,     // any number of so many digits fits in 64 bits
    UNIQUE_DIGITS = 15,     // a decimal of so many digits comes back from a double as it went in
    DECIDING_DIGITS = 800,  // more than the 767 that can decide how a double is rounded
    PRINTED_DIGITS = 17,    // no double is printed with more
    PLAIN_ZEROS = 5,        // 0.000001 is the smallest that is printed without an exponent
    PLAIN_DIGITS = 21,      // 1e21 is the first that is printed with one again
    EXPONENT_CAP = 1000000, // beyond any double, whatever its digits
};

static const int64_t EXPONENT_LIMIT = INT64_C(1000000000000000000);

// Where json_print_double does without the C library.
static const double CHEAP_MIN = 1e-3;
static const double CHEAP_END = 1e15;

// A number's text, taken apart.
struct pieces {
    bool is_negative;
    const char *whole; // digits before the point
    size_t whole_len;
    const char *fraction; // digits behind it
    size_t fraction_len;  // 0: no point
    const char *mark;     // the 'e' or 'E', or NULL
    const char *end;
    int64_t exponent;  // as written, within +-EXPONENT_LIMIT
    uint64_t mantissa; // whole and fraction as one integer, modulo 2^64
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *scan_digits(const char *at, const char *end, uint64_t *value)
{
    uint64_t v = *value;
    for (; at < end && is_digit(*at); at++) {
        v = v * 10 + (uint64_t)(*at - '0');
    }
    *value = v;
    return at;
}

static const char *scan_exponent(const char *at, const char *end, struct pieces *p,
                                 const char **fault)
{
    p->mark = at++;
    bool is_negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) {
        at++;
    }
    const char *digits = at;
    int64_t exponent = 0;
    for (; at < end && is_digit(*at); at++) {
        if (exponent < EXPONENT_LIMIT / 10) {
            exponent = exponent * 10 + (*at - '0');
        } else {
            exponent = EXPONENT_LIMIT;
        }
    }
    if (at == digits) {
        *fault = "a digit is missing in the number's exponent";
    }
    p->exponent = is_negative ? -exponent : exponent;
    return at;
}

static const char *scan_pieces(const char *at, const char *end, struct pieces *p,
                               const char **fault)
{
    *p = (struct pieces){.is_negative = *at == '-'};
    p->whole = at + (p->is_negative ? 1 : 0);
    at = scan_digits(p->whole, end, &p->mantissa);
    p->whole_len = (size_t)(at - p->whole);
    if (p->whole_len == 0) {
        *fault = "a digit is missing in a number";
        return at;
    }
    if (*p->whole == '0' && p->whole_len > 1) {
        *fault = "a number may not begin with 0";
        return p->whole + 1;
    }
    p->fraction = at;
    if (at < end && *at == '.') {
        p->fraction = at + 1;
        at = scan_digits(p->fraction, end, &p->mantissa);
        p->fraction_len = (size_t)(at - p->fraction);
        if (p->fraction_len == 0) {
            *fault = "a digit is missing behind the number's decimal point";
            return at;
        }
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at = scan_exponent(at, end, p, fault);
    }
    p->end = at;
    return at;
}

static size_t leading_zeros(const char *digits, size_t len)
{
    size_t n = 0;
    while (n < len && digits[n] == '0') {
        n++;
    }
    return n;
}

struct digits { // the decimal that is handed to strtod
    char text[DECIDING_DIGITS + 32];
    size_t len;
    bool has_more; // digits were left out that are not all zero
};

static void take_digits(struct digits *d, const char *from, size_t len)
{
    size_t room = DECIDING_DIGITS - d->len;
    size_t taken = len < room ? len : room;
    memcpy(d->text + d->len, from, taken);
    d->len += taken;
    if (!d->has_more) {
        d->has_more = leading_zeros(from + taken, len - taken) < len - taken;
    }
}

// The decimal is written anew as an integer with an exponent, so that no locale's decimal point
// matters and its length is bounded; digits that cannot decide are one sticky digit.
static double read_with_strtod(const struct pieces *p)
{
    struct digits d = {.len = 0};
    size_t skipped = *p->whole == '0' ? leading_zeros(p->fraction, p->fraction_len) : 0;
    if (*p->whole != '0') {
        take_digits(&d, p->whole, p->whole_len);
    }
    take_digits(&d, p->fraction + skipped, p->fraction_len - skipped);
    size_t seen = (*p->whole != '0' ? p->whole_len : 0) + (p->fraction_len - skipped);
    int64_t exponent = p->exponent - (int64_t)p->fraction_len + (int64_t)(seen - d.len);
    if (d.has_more) {
        d.text[d.len++] = '1';
        exponent--;
    }
    if (exponent > EXPONENT_CAP) {
        exponent = EXPONENT_CAP;
    } else if (exponent < -EXPONENT_CAP) {
        exponent = -EXPONENT_CAP;
    }
    d.text[d.len++] = 'e';
    char *number_end = d.text + d.len + json_print_integer(d.text + d.len, exponent);
    *number_end = '\0';
    // glibc and musl hand out a static object for this name: nothing is allocated.
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    double value = strtod_l(d.text, NULL, c_locale);
    freelocale(c_locale);
    return value;
}

static double read_double(const struct pieces *p, size_t significant)
{
    double value = 0;
    int64_t exponent = p->exponent - (int64_t)p->fraction_len;
    bool is_told = significant == 0 || (significant <= UINT64_DIGITS &&
                                        json_decimal_read(p->mantissa, exponent, &value));
    if (!is_told) {
        value = read_with_strtod(p);
    }
    return p->is_negative ? -value : value;
}

static bool is_printed_as(double value, const char *text, size_t len)
{
    char printed[JSON_PRINT_MAX];
    return len <= sizeof printed && json_print_double(printed, value) == len &&
           memcmp(printed, text, len) == 0;
}

// One digit, perhaps a fraction, an exponent with a sign and without a leading zero, and a size
// that is not printed plainly: the only form in which json_print_double writes an exponent.
static bool has_our_exponent(const struct pieces *p)
{
    bool is_plain_size = p->exponent > -PLAIN_ZEROS - 2 && p->exponent < PLAIN_DIGITS;
    return *p->mark == 'e' && (p->mark[1] == '+' || p->mark[1] == '-') && p->mark[2] != '0' &&
           p->whole_len == 1 && *p->whole != '0' && !is_plain_size &&
           (p->fraction_len == 0 || p->fraction[p->fraction_len - 1] != '0');
}

// Cheap rules answer for nearly all numbers. Where they do not, and printing is dear, the answer is
// yes: to keep the written form is always right.
static bool is_double_printed_otherwise(const struct pieces *p, const char *start, double value,
                                        size_t significant, size_t zeros)
{
    bool is_unique = significant <= UNIQUE_DIGITS;
    if (p->mark) {
        bool is_normal = fabs(value) >= DBL_MIN && isfinite(value);
        return !(has_our_exponent(p) && is_unique && is_normal);
    }
    if (p->fraction_len == 0) {
        return true;
    }
    if (p->fraction[p->fraction_len - 1] == '0' && p->fraction_len > 1) {
        return true;
    }
    if (is_unique) {
        return *p->whole == '0' && zeros > PLAIN_ZEROS && significant > 0;
    }
    bool is_cheap =
        significant <= PRINTED_DIGITS && fabs(value) >= CHEAP_MIN && fabs(value) < CHEAP_END;
    return !is_cheap || !is_printed_as(value, start, (size_t)(p->end - start));
}

const char *json_number_scan(const char *at, const char *end, struct json_number *out,
                             const char **fault)
{
    struct pieces p;
    *fault = NULL;
    const char *stop = scan_pieces(at, end, &p, fault);
    if (*fault) {
        return stop;
    }
    bool is_whole_zero = *p.whole == '0';
    size_t zeros = is_whole_zero ? leading_zeros(p.fraction, p.fraction_len) : 0;
    size_t significant = (is_whole_zero ? 0 : p.whole_len) + p.fraction_len - zeros;

    bool is_written_as_integer = p.fraction_len == 0 && !p.mark;
    uint64_t limit = (uint64_t)INT64_MAX + (p.is_negative ? 1 : 0);
    bool is_minus_zero = is_whole_zero && p.is_negative;
    if (is_written_as_integer && significant <= UINT64_DIGITS && p.mantissa <= limit &&
        !is_minus_zero) {
        uint64_t bits = p.is_negative ? 0 - p.mantissa : p.mantissa;
        *out = (struct json_number){.is_integer = true, .integer = (int64_t)bits};
        out->value = (double)out->integer;
        return stop;
    }
    double value = read_double(&p, significant);
    *out = (struct json_number){.value = value};
    out->prints_otherwise = is_double_printed_otherwise(&p, at, value, significant, zeros);
    return stop;
}

int json_number_parse(struct str text, struct json_number *out)
{
    if (text.len == 0 || (*text.data != '-' && !is_digit(*text.data))) {
        return ERR_INVALID;
    }
    const char *end = text.data + text.len;
    const char *fault;
    const char *stop = json_number_scan(text.data, end, out, &fault);
    return fault || stop != end ? ERR_INVALID : 0;
}
