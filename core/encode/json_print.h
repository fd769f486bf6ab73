// Numbers as our JSON has them, printed in their shortest form. Any thread, any locale.
#ifndef ENCODE_JSON_PRINT_H
#define ENCODE_JSON_PRINT_H

#include <stddef.h>
#include <stdint.h>

enum { JSON_PRINT_MAX = 32 };

// Both return the length; no NUL is added.
size_t json_print_integer(char out[JSON_PRINT_MAX], int64_t n);
// The shortest decimal that reads back as the same double; of several such, the nearest. Plain from
// 0.000001 to below 1e21, with an exponent outside ("1e-7", "1.5e+300"), as ECMAScript does; a
// number without fraction or exponent gets ".0". n is finite.
size_t json_print_double(char out[JSON_PRINT_MAX], double n);

#endif
