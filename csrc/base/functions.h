/* Elementary functions of one number, with the same bits for every compiler, processor and C
 * library (elementary.h). They stand outside of the innermost loops.
 *
 * Errors in units in the last place: exp and log 1, log(1 + x) 3, one_minus_exp 3, power n / 2 + 1.
 */
#ifndef RSMI_FUNCTIONS_H
#define RSMI_FUNCTIONS_H

#include "base/elementary.h"

/* exp x, which is 0 below -700 and exp 700 above 700. */
static inline double exp_of(double x)
{
    lanes8 lanes = (lanes8){0} + x;
    exponential(&lanes);
    return x < -700.0 ? 0.0 : lanes[0];
}

/* log x for x > 0. */
static inline double log_of(double x)
{
    lanes8 lanes = (lanes8){0} + x;
    logarithm(&lanes);
    return lanes[0];
}

/* log(1 + x) for x in [0, 1]. */
static inline double log_one_plus_of(double x)
{
    lanes8 lanes = (lanes8){0} + x;
    log_one_plus(&lanes);
    return lanes[0];
}

/* 1 - exp(-x) for x >= 0, also where exp(-x) is close to 1: u (2 - u) with u = 1 - exp(-x / 2), a
 * Taylor series to order 13. */
static inline double one_minus_exp(double x)
{
    if (x > 0.6875)
        return 1.0 - exp_of(-x);
    const double half = 0.5 * x;
    double sum = 0.0;
    for (int order = 13; order > 1; order--)
        sum = (1.0 - sum) * half / order;
    const double u = half - half * sum;
    return u * (2.0 - u);
}

/* x^n for n >= 0, by squaring. */
static inline double power(double x, int64_t n)
{
    double result = 1.0;
    for (; n > 0; n >>= 1, x *= x)
        if (n & 1)
            result *= x;
    return result;
}

/* cos(2 pi x) for x in [0, 1): Taylor series of the sine or the cosine of at most pi / 4. */
static inline double cosine_of_turns(double x)
{
    const int quarter = (int)(4.0 * x + 0.5);
    const double angle = 6.283185307179586 * (x - 0.25 * quarter), square = angle * angle;
    double sine = 0.0, cosine = 0.0;
    for (int order = 16; order > 0; order -= 2) {
        cosine = (1.0 - cosine) * square / (order * (order - 1));
        sine = (1.0 - sine) * square / (order * (order + 1));
    }
    const double value = quarter & 1 ? angle - angle * sine : 1.0 - cosine;
    return quarter == 1 || quarter == 2 ? -value : value;
}

#endif
