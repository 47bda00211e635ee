/* Private to models/potts: the updates that potts.c chooses from, and planes of states. */
#ifndef RSMI_POTTS_UPDATE_H
#define RSMI_POTTS_UPDATE_H

#include <string.h>

#include "base/compiler.h"
#include "base/random.h"
#include "models/potts/potts_chain.h"

void potts_heat_bath(const potts_chain *chain, int64_t sweeps, uint8_t *spins, uint64_t rng[4]);
int64_t potts_swendsen_wang_workspace(const potts_chain *chain);
void potts_swendsen_wang(const potts_chain *chain, int64_t sweeps, uint8_t *spins, uint64_t rng[4],
                         uint64_t *workspace);
int64_t potts_wolff_workspace(const potts_chain *chain);
int64_t potts_wolff(const potts_chain *chain, int64_t clusters, uint8_t *spins, uint64_t rng[4],
                    uint64_t *workspace);

/* The number of bit planes: the smallest p with 2^p >= q. */
static inline int potts_planes(int states)
{
    int planes = 1;
    while (1 << planes < states)
        planes++;
    return planes;
}

/* Packs bit `plane` of the first n <= 64 states: bit i of the result is that of spins[i]. */
RSMI_INLINE uint64_t potts_pack_plane(const uint8_t *spins, int64_t n, int plane)
{
    uint64_t word = 0;
    int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t bytes;
        memcpy(&bytes, spins + i, 8);
        /* The product collects the lowest bits of the eight bytes in the top byte. */
        word |= ((bytes >> plane & 0x0101010101010101ULL) * 0x0102040810204080ULL >> 56) << i;
    }
    for (; i < n; i++)
        word |= (uint64_t)(spins[i] >> plane & 1) << i;
    return word;
}

/* Adds bit `plane` to the first n <= 64 states, which have none there. */
RSMI_INLINE void potts_unpack_plane(uint64_t word, uint8_t *spins, int64_t n, int plane)
{
    int64_t i = 0;
    for (; i + 8 <= n; i += 8) {
        /* Byte j keeps bit j of its copy of the bits; the sum moves that bit to the top. */
        const uint64_t kept = (word >> i & 0xff) * 0x0101010101010101ULL & 0x8040201008040201ULL,
                       bits = (kept + 0x7f7f7f7f7f7f7f7fULL) >> 7 & 0x0101010101010101ULL;
        uint64_t bytes;
        memcpy(&bytes, spins + i, 8);
        bytes |= bits << plane;
        memcpy(spins + i, &bytes, 8);
    }
    for (; i < n; i++)
        spins[i] = (uint8_t)(spins[i] | (word >> i & 1) << plane);
}

#endif
