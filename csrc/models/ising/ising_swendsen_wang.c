/* Swendsen-Wang: all clusters at once.
 *
 * Every bond between equal spins is open with probability 1 - exp(-2 K). Every connected cluster is
 * flipped with probability 1/2. base/run_clusters.h draws the bonds and finds the clusters, as sets
 * of runs of sites.
 *
 * Since the parents of runs have lower numbers, one pass in ascending order hands the coin of each
 * root to all its runs and expands the coins to flips. Bit 1 of a word means up.
 *
 * Reference: R. H. Swendsen, J.-S. Wang, Phys. Rev. Lett. 58, 86 (1987). */
#include "base/functions.h"
#include "base/run_clusters.h"
#include "models/ising/ising_lattice.h"

/* Tosses a coin for every run: bit run % 64 of draw number run / 64. */
RSMI_CLONES static void toss_coins(const bit_lattice *t, uint32_t runs, uint64_t rng[4])
{
    for (uint32_t run = 0; run < runs; run += 64) {
        uint64_t bits = xoshiro_next(rng);
        for (uint32_t k = run; k < run + 64; k += 8, bits >>= 8) {
            const uint64_t coins = ising_spread_bits(bits);
            memcpy(t->marks + k, &coins, 8);
        }
    }
}

/* In ascending order every run takes the coin of its parent, which already has the coin of the
 * root. The sites at which the coin changes are marked; whether a site flips is the sum of the
 * marks up to it. */
RSMI_CLONES static void flip_clusters(const bit_lattice *t)
{
    const uint32_t *parent = t->parent;
    uint8_t *coins = t->marks;
    uint64_t flips = 0;
    uint32_t run = 0, coin = 0;
    for (int64_t i = 0, w = 0; i < t->rows * t->words; i++, w = w + 1 < t->words ? w + 1 : 0) {
        uint64_t marks = 0;
        for (uint64_t starts = t->starts[i]; starts; starts &= starts - 1, run++) {
            const uint32_t before = coin;
            coins[run] = coin = coins[parent[run]];
            marks |= (starts & -starts) & (0 - (uint64_t)(coin ^ before));
        }
        flips = prefix_sum(marks) ^ (0 - (flips >> 63));
        t->up[0][i] ^= flips & valid(t, w);
    }
}

RSMI_CLONES static void draw_ising_bonds(const bit_lattice *t, uint64_t rng[4])
{
    draw_bonds(t, 1, rng);
}

static void cluster_step(const bit_lattice *t, uint64_t rng[4])
{
    draw_ising_bonds(t, rng);
    const uint32_t runs = number_runs(t);
    find_clusters(t);
    toss_coins(t, runs, rng);
    flip_clusters(t);
}

int64_t ising_swendsen_wang_workspace(const ising_chain *chain)
{
    return run_workspace(chain->depth * chain->height, chain->width, 1);
}

void ising_swendsen_wang(const ising_chain *chain, int64_t sweeps, int8_t *spins, uint64_t rng[4],
                         uint64_t *workspace)
{
    const uint64_t threshold =
        bernoulli_threshold(one_minus_exp(2 * chain->coupling), exp_of(-2 * chain->coupling));
    const bit_lattice t =
        lay_out_runs(chain->depth, chain->height, chain->width, 1, threshold, workspace);
    for (int64_t row = 0; row < t.rows; row++)
        for (int64_t w = 0; w < t.words; w++)
            t.up[0][row * t.words + w] =
                ising_pack_word(spins + row * t.width + 64 * w, word_sites(&t, w));
    for (int64_t i = 0; i < sweeps; i++)
        cluster_step(&t, rng);
    for (int64_t row = 0; row < t.rows; row++)
        for (int64_t w = 0; w < t.words; w++)
            ising_unpack_word(t.up[0][row * t.words + w], spins + row * t.width + 64 * w,
                              word_sites(&t, w));
}
