/* Contrastive divergence of one strip of at most RBM_STRIP samples: fields, Gibbs sampling,
 * statistics.
 *
 * All instruction sets use the same arithmetic. The units are binary, so a field is a sum of
 * weights, and a sum of integers does not depend on its order. Weights are rounded once per batch
 * to int32 (one unit of a field is a factor of two in the odds), and every path, however it groups
 * the terms, gets the same bits. The same holds for the statistics, which are sums of means in
 * fixed point. Between them stand a polynomial and a division in float32, without fused
 * multiply-adds:
 *
 *     log2 odds of -1     y_k = -2 log2(e) (c_k + sum_i W_ik x_i)
 *                             = offset_k + sum_{i: x_i = +1} factor_ik
 *     sample              +1 where u (1 + 2^y) < 1, without a division
 *     mean                (1 - 2^y) / (1 + 2^y) = tanh, rounded to fixed point
 *     statistics          sum_s x_is m_ks = sum_{s: x_is = +1} 2 m_ks - sum_s m_ks
 *
 * Sums are modulo 2^32 (uint32_t). Only the final sums must fit, and the caller scales them so that
 * they do.
 *
 * Memory. Samples lie on vector lanes. A layer is bits, RBM_WORD units to a word, with one row of
 * words per RBM_WORD units. A dummy hidden unit of constant mean follows the real ones; its
 * statistics are those of the visible units alone.
 *
 * add_products() does nearly all the work, by tables ("four Russians"): the sums of all 32 subsets
 * of five terms are made once and then looked up by five bits of a sample.
 *
 *   AVX-512          A table is two registers, and VPERMI2D looks up sixteen samples. A table is
 * made when it is needed, in five additions, and serves up to eight vectors of samples. portable,
 * AVX2   Tables of four or eight rows side by side lie in memory (rbm_tabulated.h).
 *
 * Randomness. RBM_LANES interleaved xoshiro128++ generators give 24 bits per draw, layer by layer:
 * draw (unit * columns + sample) of a layer comes from lane (that number mod RBM_LANES). `columns`
 * is the number of samples rounded up to a multiple of 16.
 *
 * References: V. L. Arlazarov, E. A. Dinic, M. A. Kronrod, I. A. Faradzev (1970); D. Blackman, S.
 * Vigna, ACM Trans. Math. Softw. 47, 36 (2021). */
#include "learning/rbm_gibbs.h"

#include <string.h>

#include "base/compiler.h"
#include "learning/rbm_path.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(RSMI_PORTABLE)
#define RBM_X86
#include <immintrin.h>
#define TARGET_AVX2 __attribute__((target("avx2,popcnt")))
#ifdef __clang__ /* lacks the option, which only concerns speed */
#define WIDE ""
#else
#define WIDE ",prefer-vector-width=512"
#endif
#define TARGET_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,popcnt" WIDE)))
#endif

/* out[r][s] += sum over t of bit t of column s times factors[r * row_step + t * term_step]. Term t
 * is bit t % RBM_WORD of bits[t / RBM_WORD * bits_stride + s]. Factors are read up to a multiple of
 * five terms and must exist. */
typedef void products(uint32_t *out, size_t out_stride, size_t n_rows, const uint32_t *factors,
                      size_t row_step, size_t term_step, const uint32_t *bits, size_t bits_stride,
                      size_t n_terms, size_t columns);

/* Draws at least n uniform numbers in [0, 1), in whole rounds of all lanes. */
RSMI_INLINE void draw_uniforms(uint32_t *restrict lanes, float *restrict uniforms, size_t n)
{
    uint32_t *s0 = lanes, *s1 = lanes + RBM_LANES, *s2 = lanes + 2 * RBM_LANES,
             *s3 = lanes + 3 * RBM_LANES;
    for (size_t start = 0; start < n; start += RBM_LANES)
        for (size_t l = 0; l < RBM_LANES; l++) {
            const uint32_t a = s0[l], b = s1[l], sum = a + s3[l], c = s2[l] ^ a, d = s3[l] ^ b;
            const uint32_t bits = ((sum << 7) | (sum >> 25)) + a;
            s0[l] = a ^ d;
            s1[l] = b ^ c;
            s2[l] = c ^ (b << 9);
            s3[l] = (d << 11) | (d >> 21);
            uniforms[start + l] = (float)(int32_t)(bits >> 8) * 0x1p-24f;
        }
}

RSMI_INLINE float float_from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

RSMI_INLINE uint32_t float_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* 2^y of a field y with the given number of binary places, clamped at 2^+-126. The fraction becomes
 * the significand of z in [1, 2). 2^(z - 1) is a minimax polynomial (relative error < 3e-7), and
 * the integer part is added to its exponent. */
RSMI_INLINE float odds_of_minus(uint32_t field, int field_bits)
{
    const int32_t limit = 126 << field_bits, y = (int32_t)field;
    const int32_t low = y < limit ? y : limit, clamped = low > -limit ? low : -limit;
    const uint32_t scaled = (uint32_t)clamped << (RBM_FIELD_BITS - field_bits), fraction = 0x7fffff;
    const float z = float_from_bits((scaled & fraction) | 0x3f800000);
    float p = 1.877564994e-3f;
    p = p * z - 3.984581660e-4f;
    p = p * z + 3.864448011e-2f;
    p = p * z + 1.078352821e-1f;
    p = p * z + 3.537550758e-1f;
    p = p * z + 4.982859803e-1f;
    return float_from_bits(float_bits(p) + (scaled & ~fraction));
}

/* Draws the units first .. first + n_units - 1 of a layer, whose odds are in strip->odds. */
RSMI_INLINE void sample_block(const rbm_strip *strip, uint32_t *layer, size_t first, size_t n_units,
                              size_t columns)
{
    draw_uniforms(strip->lanes, strip->uniforms, n_units * columns);
    for (size_t u = 0; u < n_units; u++) {
        const float *const odds = strip->odds + u * columns, *const uniforms =
                                                                 strip->uniforms + u * columns;
        const int bit = (int)((first + u) % RBM_WORD);
        const uint32_t keep = bit ? UINT32_MAX : 0, plus = (uint32_t)1 << bit;
        uint32_t *restrict const words = layer + (first + u) / RBM_WORD * RBM_ROW;
        for (size_t s = 0; s < columns; s++)
            words[s] = (words[s] & keep) | (uniforms[s] * (1.0f + odds[s]) < 1.0f ? plus : 0);
    }
}

/* Stores the means of the hidden units first .. first + n_units - 1 from strip->odds. Columns that
 * are no samples get 0. */
RSMI_INLINE void store_means(const rbm_strip *strip, float sign, size_t first, size_t n_units,
                             size_t n_samples, size_t columns)
{
    const float scale = sign * (float)((int32_t)1 << strip->mean_bits), round = 0x1.8p23f;
    for (size_t u = 0; u < n_units; u++) {
        const float *const odds = strip->odds + u * columns;
        uint32_t *restrict const means = strip->means + (first + u) * RBM_ROW, sum = 0;
        for (size_t s = 0; s < columns; s++) {
            const float mean = (1.0f - odds[s]) / (1.0f + odds[s]);
            means[s] = 2 * (float_bits(mean * scale + round) - float_bits(round));
        }
        for (size_t s = n_samples; s < columns; s++)
            means[s] = 0;
        for (size_t s = 0; s < columns; s++)
            sum += means[s];
        strip->mean_sums[first + u] += (uint32_t)((int32_t)sum / 2);
    }
}

/* Makes the fields of one layer from the other layer, block by block, and turns them into means (if
 * sign is not 0), samples (if layer is not NULL) or both. */
RSMI_INLINE void run_layer(const rbm_strip *strip, products *add_products, uint32_t *layer,
                           size_t n_units, const uint32_t *offsets, size_t unit_step,
                           const uint32_t *other, size_t n_terms, size_t term_step, float sign,
                           size_t n_samples)
{
    const size_t columns = (n_samples + 15) / 16 * 16;
    uint32_t *restrict const fields = strip->fields;
    float *restrict const odds = strip->odds;
    for (size_t first = 0; first < n_units; first += RBM_BLOCK) {
        const size_t n = n_units - first < RBM_BLOCK ? n_units - first : RBM_BLOCK;
        for (size_t u = 0; u < n; u++)
            for (size_t s = 0; s < columns; s++)
                fields[u * columns + s] = offsets[first + u];
        add_products(fields, columns, n, strip->factors + first * unit_step, unit_step, term_step,
                     other, RBM_ROW, n_terms, columns);
        for (size_t j = 0; j < n * columns; j++)
            odds[j] = odds_of_minus(fields[j], strip->field_bits);
        if (sign != 0.0f)
            store_means(strip, sign, first, n, n_samples, columns);
        if (layer)
            sample_block(strip, layer, first, n, columns);
    }
}

RSMI_INLINE void run_hidden(const rbm_strip *strip, products *add_products, uint32_t *hidden,
                            const uint32_t *visible, float sign, size_t n_samples)
{
    run_layer(strip, add_products, hidden, strip->n_hidden, strip->hidden_offsets, strip->stride,
              visible, strip->n_visible, 1, sign, n_samples);
}

RSMI_INLINE void run_visible(const rbm_strip *strip, products *add_products, size_t n_samples)
{
    run_layer(strip, add_products, strip->chain, strip->n_visible, strip->visible_offsets, 1,
              strip->hidden, strip->n_hidden, strip->stride, 0.0f, n_samples);
}

/* Transposes a layer: bit s of word w of a unit in strip->samples is sample 30 w + s. */
RSMI_INLINE void transpose_layer(const rbm_strip *strip, const uint32_t *layer, size_t n_samples)
{
    uint32_t unit[32];
    for (size_t u = 0; u < 32; u++)
        unit[u] = (uint32_t)1 << u;
    for (size_t s = 0; s < n_samples; s += RBM_WORD)
        for (size_t i = 0; i < strip->n_visible; i += RBM_WORD) {
            uint32_t *restrict const out = strip->samples + s / RBM_WORD * strip->stride + i;
            const uint32_t *const words = layer + i / RBM_WORD * RBM_ROW + s;
            for (size_t u = 0; u < 32; u++) {
                uint32_t bits = 0;
#pragma GCC unroll 30
                for (size_t q = 0; q < RBM_WORD; q++)
                    bits |= words[q] & unit[u] ? (uint32_t)1 << q : 0;
                out[u] = bits;
            }
        }
}

/* Adds the statistics of one phase, from a visible layer and strip->means, which carry the sign of
 * the phase. */
RSMI_INLINE void add_statistics(const rbm_strip *strip, products *add_products,
                                const uint32_t *visible, float sign, size_t n_samples)
{
    uint32_t *const constant = strip->means + strip->n_hidden * RBM_ROW;
    const uint32_t one = (uint32_t)1 << strip->mean_bits;
    memset(constant, 0, RBM_ROW * sizeof *constant);
    for (size_t s = 0; s < n_samples; s++)
        constant[s] = sign > 0 ? 2 * one : 0 - 2 * one;
    strip->mean_sums[strip->n_hidden] += (uint32_t)n_samples * (sign > 0 ? one : 0 - one);
    transpose_layer(strip, visible, n_samples);
    add_products(strip->gradient, strip->stride, strip->n_hidden + 1, strip->means, RBM_ROW, 1,
                 strip->samples, strip->stride, n_samples, (strip->n_visible + 15) / 16 * 16);
}

RSMI_INLINE void add_strip(const rbm_strip *strip, products *add_products, int from_chain,
                           size_t n_gibbs, size_t n_samples)
{
    run_hidden(strip, add_products, from_chain ? NULL : strip->hidden, strip->data, 1.0f,
               n_samples);
    add_statistics(strip, add_products, strip->data, 1.0f, n_samples);
    if (from_chain)
        run_hidden(strip, add_products, strip->hidden, strip->chain, 0.0f, n_samples);
    for (size_t g = 1; g <= n_gibbs; g++) {
        run_visible(strip, add_products, n_samples);
        run_hidden(strip, add_products, g < n_gibbs ? strip->hidden : NULL, strip->chain,
                   g < n_gibbs ? 0.0f : -1.0f, n_samples);
    }
    add_statistics(strip, add_products, strip->chain, -1.0f, n_samples);
}

#define ROWS 4
#define TARGET
#define NAME(f) f##_portable
#include "learning/rbm_tabulated.h"

static void strip_portable(const rbm_strip *strip, int from_chain, size_t n_gibbs, size_t n_samples)
{
    add_strip(strip, products_portable, from_chain, n_gibbs, n_samples);
}

#ifdef RBM_X86

#define ROWS 8
#define TARGET TARGET_AVX2
#define NAME(f) f##_avx2
#include "learning/rbm_tabulated.h"

TARGET_AVX2 static void strip_avx2(const rbm_strip *strip, int from_chain, size_t n_gibbs,
                                   size_t n_samples)
{
    add_strip(strip, products_avx2, from_chain, n_gibbs, n_samples);
}

/* The sums of all subsets of five terms: subsets 0 .. 15 (of the first four terms) and 16 .. 31. */
TARGET_AVX512 RSMI_INLINE void subset_sums(__m512i table[2], const uint32_t *factors,
                                           size_t term_step)
{
    __m512i f[5];
#pragma GCC unroll 5
    for (size_t t = 0; t < 5; t++)
        f[t] = _mm512_set1_epi32((int)factors[t * term_step]);
    __m512i sums = _mm512_maskz_mov_epi32(0xaaaa, f[0]);
    sums = _mm512_mask_add_epi32(sums, 0xcccc, sums, f[1]);
    sums = _mm512_mask_add_epi32(sums, 0xf0f0, sums, f[2]);
    table[0] = _mm512_mask_add_epi32(sums, 0xff00, sums, f[3]);
    table[1] = _mm512_add_epi32(table[0], f[4]);
}

/* The function `products` for numbers of rows and vectors that the compiler knows, so that the sums
 * stay in registers. */
TARGET_AVX512 RSMI_INLINE void add_lookups(const size_t n_rows, const size_t n_vectors,
                                           uint32_t *out, size_t out_stride,
                                           const uint32_t *factors, size_t row_step,
                                           size_t term_step, const uint32_t *bits,
                                           size_t bits_stride, size_t n_terms)
{
    __m512i sum[3][8], table[3][2];
#pragma GCC unroll 3
    for (size_t r = 0; r < n_rows; r++)
#pragma GCC unroll 8
        for (size_t v = 0; v < n_vectors; v++)
            sum[r][v] = _mm512_loadu_si512(out + r * out_stride + 16 * v);
    for (size_t t = 0; t < n_terms; t += 5) {
        const uint32_t *const words = bits + t / RBM_WORD * bits_stride;
        const __m128i first = _mm_cvtsi32_si128((int)(t % RBM_WORD));
#pragma GCC unroll 3
        for (size_t r = 0; r < n_rows; r++)
            subset_sums(table[r], factors + r * row_step + t * term_step, term_step);
#pragma GCC unroll 8
        for (size_t v = 0; v < n_vectors; v++) {
            const __m512i subset = _mm512_srl_epi32(_mm512_loadu_si512(words + 16 * v),
                                                    first); /* only the low five bits count */
#pragma GCC unroll 3
            for (size_t r = 0; r < n_rows; r++)
                sum[r][v] = _mm512_add_epi32(
                    sum[r][v], _mm512_permutex2var_epi32(table[r][0], subset, table[r][1]));
        }
    }
#pragma GCC unroll 3
    for (size_t r = 0; r < n_rows; r++)
#pragma GCC unroll 8
        for (size_t v = 0; v < n_vectors; v++)
            _mm512_storeu_si512(out + r * out_stride + 16 * v, sum[r][v]);
}

TARGET_AVX512 RSMI_INLINE void lookup_rows(const size_t n_vectors, uint32_t *out, size_t out_stride,
                                           size_t n_rows, const uint32_t *factors, size_t row_step,
                                           size_t term_step, const uint32_t *bits,
                                           size_t bits_stride, size_t n_terms)
{
    size_t r = 0;
    for (; r + 3 <= n_rows; r += 3)
        add_lookups(3, n_vectors, out + r * out_stride, out_stride, factors + r * row_step,
                    row_step, term_step, bits, bits_stride, n_terms);
    for (; r < n_rows; r++)
        add_lookups(1, n_vectors, out + r * out_stride, out_stride, factors + r * row_step,
                    row_step, term_step, bits, bits_stride, n_terms);
}

TARGET_AVX512 static void products_avx512(uint32_t *out, size_t out_stride, size_t n_rows,
                                          const uint32_t *factors, size_t row_step,
                                          size_t term_step, const uint32_t *bits,
                                          size_t bits_stride, size_t n_terms, size_t columns)
{
    const size_t n_vectors = columns / 16, n_tiles = (n_vectors + 7) / 8;
    for (size_t tile = 0; tile < n_tiles; tile++) {
        const size_t start = n_vectors * tile / n_tiles, end = n_vectors * (tile + 1) / n_tiles;
        switch (end - start) {
#define TILE(n)                                                                                    \
    case n:                                                                                        \
        lookup_rows(n, out + 16 * start, out_stride, n_rows, factors, row_step, term_step,         \
                    bits + 16 * start, bits_stride, n_terms);                                      \
        break;
            TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) TILE(7) TILE(8)
#undef TILE
        }
    }
}

TARGET_AVX512 static void strip_avx512(const rbm_strip *strip, int from_chain, size_t n_gibbs,
                                       size_t n_samples)
{
    add_strip(strip, products_avx512, from_chain, n_gibbs, n_samples);
}

#endif

rbm_add_strip *rbm_strip_function(int path)
{
#ifdef RBM_X86
    __builtin_cpu_init();
    const int avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    const int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt");
    if (avx512 && (path == RBM_AUTO || path == RBM_AVX512))
        return strip_avx512;
    if (avx2 && (path == RBM_AUTO || path == RBM_AVX2))
        return strip_avx2;
#endif
    return path == RBM_AUTO || path == RBM_PORTABLE ? strip_portable : NULL;
}
