/* Random numbers of the scalar kernels.
 *
 * xoshiro256++ has 256 bits of state. The caller owns them as uint64_t[4] and writes them to the
 * checkpoint with the data. Bernoulli draws compare all 64 bits with an exact threshold.
 *
 * mix64 is the finalizer of SplitMix64. keyed_bits() hashes (key, sample, site) to 64 bits, for
 * draws that must not depend on the order in which samples are visited (coarse-graining and ties).
 *
 * Reference: D. Blackman, S. Vigna, ACM Trans. Math. Softw. 47, 36 (2021). */
#ifndef RSMI_RANDOM_H
#define RSMI_RANDOM_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t rotate_left(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

static inline uint64_t xoshiro_next(uint64_t s[4])
{
    const uint64_t result = rotate_left(s[0] + s[3], 23) + s[0], t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

/* A uniform number in [0, 1) with 53 bits. */
static inline double xoshiro_uniform(uint64_t s[4])
{
    return (double)(xoshiro_next(s) >> 11) * 0x1.0p-53;
}

/* order = the numbers 0 .. n - 1 in a random order, by the shuffle of Fisher and Yates. The bias
 * of the scaled 53-bit uniform is below n 2^-53. */
static inline void shuffle(uint32_t *order, size_t n, uint64_t rng[4])
{
    for (size_t j = 0; j < n; j++)
        order[j] = (uint32_t)j;
    for (size_t j = n; j > 1; j--) {
        const size_t k = (size_t)(xoshiro_uniform(rng) * (double)j);
        const uint32_t other = order[k];
        order[k] = order[j - 1];
        order[j - 1] = other;
    }
}

static inline uint64_t mix64(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

static inline uint64_t keyed_bits(const uint64_t key[2], uint64_t sample, uint64_t site)
{
    const uint64_t golden = 0x9e3779b97f4a7c15ULL;
    return mix64(mix64(key[0] + (sample + 1) * golden) + (key[1] ^ ((site + 1) * golden)));
}

/* The probability p in [0, 1] as a threshold on 64 random bits: bits < threshold has probability p
 * to 2^-64. p = 1 cannot be represented, and the caller must handle it. */
static inline uint64_t probability_threshold(double p)
{
    return (uint64_t)(p * 18446744073709551616.0);
}

/* A threshold t such that "64 random bits < t" has probability p, to 2^-64. q = 1 - p is an
 * argument too, because the caller knows both without cancellation. p = 1 becomes 1 - 2^-64. */
static inline uint64_t bernoulli_threshold(double p, double q)
{
    if (p <= 0.5)
        return probability_threshold(p);
    const uint64_t beyond = probability_threshold(q);
    return 0 - (beyond ? beyond : 1);
}

#endif
