/* Vectors of VECTOR_LANES lanes of 64 bits, and the random words of one stream: the part that all
 * bit-sliced kernels share.
 *
 * This file is a part of templates: the file that includes it defines VECTOR_LANES (1, 2, 4 or 8),
 * TERNARY if one instruction computes any function of three words, and ANY if one instruction finds
 * out whether a word has a bit. It is included once by a .c file for one instruction set, and by no
 * public header. */
#ifndef RSMI_VECTORS_H
#define RSMI_VECTORS_H

#include "base/compiler.h"
#include "base/generator.h"

#if VECTOR_LANES == 1
typedef uint64_t vector, vector_in_memory;
#else
typedef uint64_t vector __attribute__((vector_size(8 * VECTOR_LANES)));
typedef uint64_t vector_in_memory __attribute__((vector_size(8 * VECTOR_LANES), aligned(8)));
#endif

#define UNROLL _Pragma("GCC unroll 64")

RSMI_INLINE vector load(const uint64_t *from)
{
    return *(const vector_in_memory *)from;
}
RSMI_INLINE void store(uint64_t *to, vector value)
{
    *(vector_in_memory *)to = value;
}
RSMI_INLINE vector all(uint64_t word)
{
    return (vector){0} + word;
}

#ifdef TERNARY
RSMI_INLINE vector xor3(vector a, vector b, vector c)
{
    return TERNARY(a, b, c, 0x96);
}
RSMI_INLINE vector majority(vector a, vector b, vector c)
{
    return TERNARY(a, b, c, 0xe8);
}
RSMI_INLINE vector choose(vector condition, vector yes, vector no)
{
    return TERNARY(condition, yes, no, 0xca);
}
RSMI_INLINE vector xor_and(vector a, vector b, vector c)
{
    return TERNARY(a, b, c, 0x78);
}
RSMI_INLINE vector xor_and_not(vector a, vector b, vector c)
{
    return TERNARY(a, b, c, 0xb4);
}
#else
RSMI_INLINE vector xor3(vector a, vector b, vector c)
{
    return a ^ b ^ c;
}
RSMI_INLINE vector majority(vector a, vector b, vector c)
{
    return (a & b) | ((a ^ b) & c);
}
RSMI_INLINE vector choose(vector condition, vector yes, vector no)
{
    return (condition & yes) | (~condition & no);
}
RSMI_INLINE vector xor_and(vector a, vector b, vector c)
{
    return a ^ (b & c);
}
RSMI_INLINE vector xor_and_not(vector a, vector b, vector c)
{
    return a ^ (b & ~c);
}
#endif

RSMI_INLINE uint64_t lane_of(const vector *value, int lane)
{
    return ((const uint64_t *)value)[lane];
}

#ifdef ANY
RSMI_INLINE int any(vector value)
{
    return ANY(value);
}
#else
RSMI_INLINE int any(vector value)
{
    uint64_t word[VECTOR_LANES], sum = 0;
    store(word, value);
    UNROLL for (int l = 0; l < VECTOR_LANES; l++) sum |= word[l];
    return sum != 0;
}
#endif

/* ---- Random words ---- */

typedef struct {
    vector s[4];
} stream;

RSMI_INLINE vector rotate(vector x, int k)
{
    return x << k | x >> (64 - k);
}

RSMI_INLINE vector draw(stream *g)
{
    const vector result = rotate(g->s[0] + g->s[3], 23) + g->s[0], shifted = g->s[1] << 17;
    const vector last = g->s[3] ^ g->s[1];
    g->s[1] = xor3(g->s[1], g->s[2], g->s[0]);
    g->s[2] = xor3(g->s[2], g->s[0], shifted);
    g->s[0] ^= last;
    g->s[3] = rotate(last, 45);
    return result;
}

/* Loads one slice of stream k of a generator; store_stream() writes it back. */
RSMI_INLINE stream load_stream(const uint64_t *generator, int k, int lane)
{
    const uint64_t *from = generator + 4 * k * GENERATOR_LANES + lane;
    return (stream){{load(from), load(from + 8), load(from + 16), load(from + 24)}};
}

RSMI_INLINE void store_stream(uint64_t *generator, int k, int lane, const stream *g)
{
    UNROLL for (int i = 0; i < 4; i++)
        store(generator + (4 * k + i) * GENERATOR_LANES + lane, g->s[i]);
}

#endif
