/* Markov chains of the nearest-neighbour Ising model on periodic hypercubic lattices of one, two or
 * three dimensions.
 *
 * Energy E = - sum over bonds s_i s_j; every site owns the bond to its next neighbour along each
 * axis, so that an axis of size 2 has double bonds. The chain samples exp(-coupling E). A lattice
 * is int8_t spins of value +1 or -1 in row-major order (depth, height, width); absent axes have
 * size 1, stand in front and carry no bonds.
 *
 * One chain = spins + uint64_t[4] state of xoshiro256++ (random.h), both updated in place; together
 * they are its checkpoint. Trajectories are integers, the same on every machine up to the last
 * digit of exp() in a 64-bit threshold. */
#ifndef RSMI_ISING_H
#define RSMI_ISING_H

#include "base/random.h"
#include "base/status.h"

#include <string.h>

enum { ISING_METROPOLIS, ISING_HEAT_BATH, ISING_SWENDSEN_WANG, ISING_WOLFF };

typedef struct {
    int64_t depth, height, width; /* in all at most 2^31 - 1 sites */
    double coupling;              /* finite; not negative for the cluster algorithms */
    int algorithm;
    int64_t clusters_per_sweep; /* at least 1; the size of a Wolff "sweep", unused by the others */
} ising_chain;

static inline int64_t ising_sites(const ising_chain *chain)
{
    return chain->depth * chain->height * chain->width;
}
static inline int ising_dimension(const ising_chain *chain)
{
    return 1 + (chain->height > 1) + (chain->depth > 1);
}

/* RSMI_BAD_SHAPE: axis of size < 2 that is not absent, odd size for the checkerboard order of the
 * local algorithms, too many sites. RSMI_BAD_VALUE: coupling, algorithm or clusters_per_sweep
 * outside its range. */
int ising_check(const ising_chain *chain);

/* 64-bit words of workspace that ising_sweep and ising_sample want; its content is scratch. */
int64_t ising_workspace(const ising_chain *chain);

/* The given number of sweeps. Calls ising_check, returns its status. */
int ising_sweep(const ising_chain *chain, int64_t sweeps, int8_t *spins, uint64_t rng[4],
                uint64_t *workspace);

/* count times: interval sweeps, then one row of each output. A packed row is ceil(sites / 8) bytes,
 * site i in bit i % 8 of byte i / 8, 1 = up, padding 0. Energy in units of the bond strength;
 * magnetization is the sum of the spins. */
int ising_sample(const ising_chain *chain, int64_t interval, int64_t count, int8_t *spins,
                 uint64_t rng[4], uint64_t *workspace, uint8_t *packed, int64_t *energy,
                 int64_t *magnetization);

int64_t ising_energy(const ising_chain *chain, const int8_t *spins);
int64_t ising_magnetization(const ising_chain *chain, const int8_t *spins);

/* --- Between the files of the sampler
 * ------------------------------------------------------------------------------ */

/* Whether Metropolis refuses moves of no cost at times: see ising_local.c. */
int ising_hesitates(const ising_chain *chain);
void ising_checkerboard(const ising_chain *chain, int64_t sweeps, int8_t *spins, uint64_t rng[4]);
int64_t ising_swendsen_wang_workspace(const ising_chain *chain);
void ising_swendsen_wang(const ising_chain *chain, int64_t sweeps, int8_t *spins, uint64_t rng[4],
                         uint64_t *workspace);
int64_t ising_wolff_workspace(const ising_chain *chain);
void ising_wolff(const ising_chain *chain, int64_t clusters, int8_t *spins, uint64_t rng[4],
                 uint64_t *workspace);

/* Bit i = (spins[i] is up), for the first n <= 64 spins. */
static inline uint64_t ising_pack_word(const int8_t *spins, int64_t n)
{
    uint64_t word = 0;
    int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t bytes;
        memcpy(&bytes, spins + i, 8);
        /* The sign bit of each byte says "down"; the product gathers the eight lowest bits in the
         * top byte. */
        word |= (((~bytes >> 7) & 0x0101010101010101ULL) * 0x0102040810204080ULL >> 56) << i;
    }
    for (; i < n; i++)
        word |= (uint64_t)(spins[i] > 0) << i;
    return word;
}

/* Byte j = bit j of the low eight bits, 0 or 1. */
static inline uint64_t ising_spread_bits(uint64_t bits)
{
    /* of its copy of the bits byte j keeps number j, which a sum then moves to the highest place */
    const uint64_t kept = (bits & 0xff) * 0x0101010101010101ULL & 0x8040201008040201ULL;
    return (kept + 0x7f7f7f7f7f7f7f7fULL) >> 7 & 0x0101010101010101ULL;
}

/* The inverse of ising_pack_word. */
static inline void ising_unpack_word(uint64_t word, int8_t *spins, int64_t n)
{
    int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        const uint64_t bytes = ~(ising_spread_bits(word >> i) * 0xfe); /* ~0xfe = 1, ~0 = -1 */
        memcpy(spins + i, &bytes, 8);
    }
    for (; i < n; i++)
        spins[i] = word >> i & 1 ? 1 : -1;
}

#endif
