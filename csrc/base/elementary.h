/* exp, logistic, tanh and log(1 + x) on eight doubles at once.
 *
 * They are written with generic vectors (GCC, Clang), so that one source serves every instruction
 * set: the compiler splits the vectors to the width that it compiles for.
 *
 * exp x = 2^n exp r with n = round(x / ln 2) and |r| <= ln(2) / 2. ln 2 is split into two words
 * (Cody & Waite). exp r is a Taylor polynomial of degree 12 (remainder 2e-16), and 2^n is added to
 * the exponent field. The relative error is below 1e-15; arguments are clamped to [-700, 700].
 *
 * log(1 + x) = 2 artanh(x / (2 + x)) for x in [0, 1], by its series to order 33. The argument is at
 * most 1/3, so the remainder is 1e-17.
 *
 * Reference: W. J. Cody, W. Waite, Software Manual for the Elementary Functions (1980). */
#ifndef RSMI_ELEMENTARY_H
#define RSMI_ELEMENTARY_H

#include <math.h>
#include <stdint.h>

#include "base/compiler.h"

typedef double lanes8 __attribute__((vector_size(64), aligned(8), may_alias));
typedef int64_t bits8 __attribute__((vector_size(64), aligned(8), may_alias));

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
    const lanes8 r = (*x - n * 0x1.62e42fee00000p-1) - n * 0x1.a39ef35793c76p-33;
    lanes8 p = r * (1.0 / 479001600.0) + 1.0 / 39916800.0;
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    const bits8 result = *(bits8 *)&p + (*(const bits8 *)&shifted << 52);
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
