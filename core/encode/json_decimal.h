// Short decimals to doubles and back by exact 128-bit arithmetic: the common cases, without the C
// library's big numbers. Any thread.
#ifndef ENCODE_JSON_DECIMAL_H
#define ENCODE_JSON_DECIMAL_H

#include <stdbool.h>
#include <stdint.h>

// digits * 10^exponent, correctly rounded. False where this cannot be told here.
bool json_decimal_read(uint64_t digits, int64_t exponent, double *value);

// The integer nearest to n * 10^places (n > 0), ties to even. False where it cannot be told here.
bool json_decimal_round(double n, int places, uint64_t *digits);

// The exponent of n (> 0, normal) in base ten, floor(log10(n)), or one less.
int json_decimal_exponent(double n);

#endif
