/* exp, logistic, tanh, log and log(1 + x) on eight doubles at once.
 *
 * They are written with generic vectors (GCC, Clang), so that one source serves every instruction
 * set: the compiler splits the vectors to the width that it compiles for.
 *
 * exp x = 2^n exp r with n = round(x / ln 2) and |r| <= ln(2) / 2. ln 2 is split into two words
 * (Cody & Waite). exp r is a Taylor polynomial of degree 13 (remainder 4e-18), and 2^n is added to
 * the exponent field. `error` is what the rounding of r left out. The error of the result is below
 * one unit in the last place; arguments are clamped to [-700, 700].
 *
 * log x = k ln 2 + log(1 + f) with 1 + f = x / 2^k in [sqrt(1/2), sqrt(2)). With s = f / (2 + f),
 * log(1 + f) = 2 artanh s = f - f^2 / 2 + s (f^2 / 2 + R), where R = 2 s^2 / 3 + 2 s^4 / 5 + ... to
 * order 20 (remainder 1e-19). f is exact, so that most of the result has no error before the last
 * sum. The error is below one unit in the last place.
 *
 * log(1 + x) = 2 artanh(x / (2 + x)) for x in [0, 1], by its series to order 33. The argument is at
 * most 1/3, so the remainder is 1e-17.
 *
 * Nothing here calls the C library or fuses a multiplication with an addition. Every compiler,
 * processor and library therefore gives the same bits.
 *
 * References: W. J. Cody, W. Waite, Software Manual for the Elementary Functions (1980); P. T. P.
 * Tang, ACM Trans. Math. Softw. 16, 378 (1990), for the order of the sums in log. */
#ifndef RSMI_ELEMENTARY_H
#define RSMI_ELEMENTARY_H

#include <stdint.h>

#include "base/compiler.h"

typedef double lanes8 __attribute__((vector_size(64), aligned(8), may_alias));
typedef int64_t bits8 __attribute__((vector_size(64), aligned(8), may_alias));
typedef uint64_t words8 __attribute__((vector_size(64), aligned(8), may_alias));

/* Keeps *x where the mask is set and takes `other` elsewhere, lane by lane. */
RSMI_INLINE void select_lanes(const bits8 *mask, lanes8 *x, double other)
{
    const lanes8 value = (lanes8){0} + other;
    const bits8 chosen = (*(bits8 *)x & *mask) | (*(const bits8 *)&value & ~*mask);
    *x = *(const lanes8 *)&chosen;
}

RSMI_INLINE void exponential(lanes8 *x)
{
    const double round = 0x1.8p52; /* adding it leaves the nearest integer in the low bits */
    const bits8 above = *x > -700.0, below = *x < 700.0;
    select_lanes(&above, x, -700.0);
    select_lanes(&below, x, 700.0);
    const lanes8 shifted = *x * 1.4426950408889634 + round, n = shifted - round;
    const lanes8 high = *x - n * 0x1.62e42fee00000p-1, low = n * 0x1.a39ef35793c76p-33;
    const lanes8 r = high - low, error = (high - r) - low;
    lanes8 p = r * (1.0 / 6227020800.0) + 1.0 / 479001600.0;
    p = p * r + 1.0 / 39916800.0;
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = 1.0 + (r + (r * r * p + error));
    const words8 result = *(const words8 *)&p + (*(const words8 *)&shifted << 52);
    *x = *(const lanes8 *)&result;
}

/* *x = 1 / (1 + exp(-*x)). */
RSMI_INLINE void logistic(lanes8 *x)
{
    *x = -*x;
    exponential(x);
    *x = 1.0 / (1.0 + *x);
}

RSMI_INLINE void hyperbolic_tangent(lanes8 *x)
{
    *x *= 2.0;
    exponential(x);
    *x = 1.0 - 2.0 / (1.0 + *x);
}

RSMI_INLINE void absolute_value(lanes8 *x)
{
    const bits8 magnitude = *(bits8 *)x & INT64_MAX;
    *x = *(const lanes8 *)&magnitude;
}

/* *x = log *x for *x > 0. It is not a number if *x is infinite or not a number. Subnormal numbers
 * count as about 2^-1023. */
RSMI_INLINE void logarithm(lanes8 *x)
{
    const int64_t root_half = 0x3fe6a09e667f3bcd; /* the bits of sqrt(1/2) */
    const words8 shifted = *(const words8 *)x + (0x3ff0000000000000 - (uint64_t)root_half);
    const bits8 mantissa = (bits8)(shifted & 0x000fffffffffffff) + root_half,
                exponent = (bits8)((shifted >> 52) & 0x7ff) | 0x4330000000000000;
    const lanes8 f = *(const lanes8 *)&mantissa - 1.0,
                 k = *(const lanes8 *)&exponent - (0x1p52 + 1023.0);
    const lanes8 s = f / (2.0 + f), square = s * s, half = 0.5 * f * f;
    lanes8 r = {0};
    for (int order = 21; order > 1; order -= 2)
        r = (r + 2.0 / order) * square;
    const lanes8 rest = s * (half + r) + k * 0x1.a39ef35793c76p-33;
    *x = k * 0x1.62e42fee00000p-1 - ((half - rest) - f) + (*x - *x);
}

/* *x = log(1 + *x) for *x in [0, 1]. */
RSMI_INLINE void log_one_plus(lanes8 *x)
{
    const lanes8 z = *x / (2.0 + *x), square = z * z;
    lanes8 p = {0};
    for (int k = 33; k > 0; k -= 2)
        p = p * square + 2.0 / k;
    *x = p * z;
}

#endif
