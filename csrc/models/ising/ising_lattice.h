/* Private to models/ising: the updates that ising.c chooses from, and spins packed into words.
 *
 * The updates are implemented by ising_local.c, ising_swendsen_wang.c and ising_wolff.c. */
#ifndef RSMI_ISING_LATTICE_H
#define RSMI_ISING_LATTICE_H

#include <string.h>

#include "base/random.h"
#include "models/ising/ising_chain.h"

/* Whether Metropolis must accept moves of zero cost with probability 1/2 instead of always, because
 * the chain would not be ergodic otherwise (ising_local.c explains where). */
int ising_needs_lazy_zero_moves(const ising_chain *chain);
void ising_checkerboard(const ising_chain *chain, int64_t sweeps, int8_t *spins, uint64_t rng[4]);
int64_t ising_swendsen_wang_workspace(const ising_chain *chain);
void ising_swendsen_wang(const ising_chain *chain, int64_t sweeps, int8_t *spins, uint64_t rng[4],
                         uint64_t *workspace);
int64_t ising_wolff_workspace(const ising_chain *chain);
void ising_wolff(const ising_chain *chain, int64_t clusters, int8_t *spins, uint64_t rng[4],
                 uint64_t *workspace);

/* Packs the first n <= 64 spins: bit i is 1 where spins[i] is up. */
static inline uint64_t ising_pack_word(const int8_t *spins, int64_t n)
{
    uint64_t word = 0;
    int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t bytes;
        memcpy(&bytes, spins + i, 8);
        /* The sign bit of each byte says "down". The product collects the lowest bits of the eight
         * bytes in the top byte. */
        word |= (((~bytes >> 7) & 0x0101010101010101ULL) * 0x0102040810204080ULL >> 56) << i;
    }
    for (; i < n; i++)
        word |= (uint64_t)(spins[i] > 0) << i;
    return word;
}

/* Spreads the low eight bits: byte j of the result is bit j, 0 or 1. */
static inline uint64_t ising_spread_bits(uint64_t bits)
{
    /* Byte j keeps bit j of its copy of the bits; the sum moves that bit to the top of the byte. */
    const uint64_t kept = (bits & 0xff) * 0x0101010101010101ULL & 0x8040201008040201ULL;
    return (kept + 0x7f7f7f7f7f7f7f7fULL) >> 7 & 0x0101010101010101ULL;
}

/* Unpacks n <= 64 spins; this is the inverse of ising_pack_word. */
static inline void ising_unpack_word(uint64_t word, int8_t *spins, int64_t n)
{
    int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        const uint64_t bytes = ~(ising_spread_bits(word >> i) * 0xfe); /* ~0xfe = +1, ~0 = -1 */
        memcpy(spins + i, &bytes, 8);
    }
    for (; i < n; i++)
        spins[i] = word >> i & 1 ? 1 : -1;
}

#endif
