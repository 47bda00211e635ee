/* exp and tanh in float32 for loops that the compiler vectorises: no branches, no table, no libm.
 *
 * 2^y = 2^k 2^r with k the nearest integer and |r| <= 1/2: k is read from the low bits of y + 1.5 2^23, 2^r is the
 * polynomial of Moshier's Cephes library (exp2f), k is added to the exponent field. Without fused multiply-adds (the
 * build forbids them) every instruction set returns the same bits. A NaN becomes a clamped, finite value. */
#ifndef RSMI_RBM_MATH_H
#define RSMI_RBM_MATH_H

#include <stdint.h>
#include <string.h>

static inline __attribute__((always_inline)) int32_t float_bits(float x)
{
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline __attribute__((always_inline)) float float_from_bits(int32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* exp(-2x), the odds of -1 against +1 of a unit in the field x; relative error < 3e-6 for |x| < 20, clamped at
 * 2^+-126 (|x| > 43.6). */
static inline __attribute__((always_inline)) float odds_of_minus(float x)
{
    const float round = 0x1.8p23f;
    const int32_t scaled = float_bits(x * -2.885390082f), limit = float_bits(126.0f);
    const int32_t magnitude = scaled & INT32_MAX; /* compared as integers: branch-free on every instruction set */
    const float y = float_from_bits((magnitude < limit ? magnitude : limit) | (scaled & INT32_MIN));
    const float shifted = y + round, r = y - (shifted - round);
    float p = 1.535336188319500e-4f;
    p = p * r + 1.339887440266574e-3f;
    p = p * r + 9.618437357674640e-3f;
    p = p * r + 5.550332471162809e-2f;
    p = p * r + 2.402264791363012e-1f;
    p = p * r + 6.931472028550421e-1f;
    p = p * r + 1.0f;
    const uint32_t exponent = (uint32_t)(float_bits(shifted) - float_bits(round)) << 23;
    return float_from_bits((int32_t)((uint32_t)float_bits(p) + exponent));
}

/* tanh(x), the mean of a +-1 unit in the field x; absolute error < 2e-7. */
static inline __attribute__((always_inline)) float mean_of_unit(float x)
{
    const float e = odds_of_minus(x);
    return (1.0f - e) / (1.0f + e);
}

#endif
