/* Swendsen-Wang for the Potts model: all clusters at once, on bit planes.
 *
 * Every bond between equal states is open with probability 1 - exp(-K). Every connected cluster
 * takes one of the q states. base/run_clusters.h draws the bonds and finds the clusters, as sets of
 * runs of sites; a bond joins two states that are equal in all planes.
 *
 * Every run draws a state, of which only that of a root counts. Since the parents of runs have
 * lower numbers, one pass in ascending order hands the state of each root to all its runs. Along a
 * row the states are written plane by plane: the first sites of runs whose bit differs from that of
 * the run before are marked, and the bit of a site is the sum of the marks up to it.
 *
 * The states of q = 2^p are p bits of a random byte. Others are the digits of a random word in base
 * q: the product with q has the digit in its upper half and the rest in its lower half. Four digits
 * of a word differ from independent uniform ones by less than q^4 / 2^64.
 *
 * References: R. H. Swendsen, J.-S. Wang, Phys. Rev. Lett. 58, 86 (1987). */
#include "base/functions.h"
#include "base/run_clusters.h"
#include "models/potts/potts_update.h"

enum { DIGITS = 4 }; /* of a random word */

RSMI_CLONES static void draw_states(const bit_lattice *t, uint32_t runs, int states,
                                    uint64_t rng[4])
{
    uint64_t state[4] = {rng[0], rng[1], rng[2], rng[3]};
    if ((states & (states - 1)) == 0) {
        const uint64_t mask = 0x0101010101010101ULL * (uint64_t)(states - 1);
        for (uint32_t run = 0; run < runs; run += 8) {
            const uint64_t bytes = xoshiro_next(state) & mask;
            memcpy(t->marks + run, &bytes, 8);
        }
    } else {
        for (uint32_t run = 0; run < runs; run += DIGITS) {
            uint64_t rest = xoshiro_next(state);
            for (int k = 0; k < DIGITS; k++) {
                const unsigned __int128 product = (unsigned __int128)rest * (uint64_t)states;
                t->marks[run + (uint32_t)k] = (uint8_t)(product >> 64);
                rest = (uint64_t)product;
            }
        }
    }
    for (int k = 0; k < 4; k++)
        rng[k] = state[k];
}

RSMI_INLINE void write_states(const bit_lattice *t, int planes)
{
    const uint32_t *parent = t->parent;
    uint8_t *states = t->marks;
    uint64_t bits[MOST_PLANES] = {0};
    uint32_t run = 0, state = 0;
    for (int64_t i = 0, w = 0; i < t->rows * t->words; i++, w = w + 1 < t->words ? w + 1 : 0) {
        uint64_t marks[MOST_PLANES] = {0};
        for (uint64_t starts = t->starts[i]; starts; starts &= starts - 1, run++) {
            const uint32_t before = state;
            states[run] = (uint8_t)(state = states[parent[run]]);
            for (int plane = 0; plane < planes; plane++)
                marks[plane] |=
                    (starts & -starts) & (0 - (uint64_t)((state ^ before) >> plane & 1));
        }
        for (int plane = 0; plane < planes; plane++) {
            bits[plane] = prefix_sum(marks[plane]) ^ (0 - (bits[plane] >> 63));
            t->up[plane][i] = bits[plane] & valid(t, w);
        }
    }
}

RSMI_CLONES static void draw_bonds_1(const bit_lattice *t, uint64_t rng[4])
{
    draw_bonds(t, 1, rng);
}

RSMI_CLONES static void draw_bonds_2(const bit_lattice *t, uint64_t rng[4])
{
    draw_bonds(t, 2, rng);
}

RSMI_CLONES static void draw_bonds_3(const bit_lattice *t, uint64_t rng[4])
{
    draw_bonds(t, 3, rng);
}

RSMI_CLONES static void draw_bonds_4(const bit_lattice *t, uint64_t rng[4])
{
    draw_bonds(t, 4, rng);
}

RSMI_CLONES static void write_states_1(const bit_lattice *t)
{
    write_states(t, 1);
}

RSMI_CLONES static void write_states_2(const bit_lattice *t)
{
    write_states(t, 2);
}

RSMI_CLONES static void write_states_3(const bit_lattice *t)
{
    write_states(t, 3);
}

RSMI_CLONES static void write_states_4(const bit_lattice *t)
{
    write_states(t, 4);
}

/* The steps for each number of planes. */
static void (*const DRAW_BONDS[])(const bit_lattice *, uint64_t *) = {draw_bonds_1, draw_bonds_2,
                                                                      draw_bonds_3, draw_bonds_4};
static void (*const WRITE_STATES[])(const bit_lattice *) = {write_states_1, write_states_2,
                                                            write_states_3, write_states_4};

int64_t potts_swendsen_wang_workspace(const potts_chain *chain)
{
    return run_workspace(chain->depth * chain->height, chain->width, potts_planes(chain->states));
}

void potts_swendsen_wang(const potts_chain *chain, int64_t sweeps, uint8_t *spins, uint64_t rng[4],
                         uint64_t *workspace)
{
    const int planes = potts_planes(chain->states);
    const uint64_t threshold =
        bernoulli_threshold(one_minus_exp(chain->coupling), exp_of(-chain->coupling));
    const bit_lattice t =
        lay_out_runs(chain->depth, chain->height, chain->width, planes, threshold, workspace);
    for (int plane = 0; plane < planes; plane++)
        for (int64_t i = 0; i < t.rows * t.words; i++) {
            const int64_t row = i / t.words, w = i % t.words;
            t.up[plane][i] =
                potts_pack_plane(spins + row * t.width + 64 * w, word_sites(&t, w), plane);
        }
    for (int64_t i = 0; i < sweeps; i++) {
        DRAW_BONDS[planes - 1](&t, rng);
        const uint32_t runs = number_runs(&t);
        find_clusters(&t);
        draw_states(&t, runs, chain->states, rng);
        WRITE_STATES[planes - 1](&t);
    }
    memset(spins, 0, (size_t)potts_sites(chain));
    for (int plane = 0; plane < planes; plane++)
        for (int64_t i = 0; i < t.rows * t.words; i++) {
            const int64_t row = i / t.words, w = i % t.words;
            potts_unpack_plane(t.up[plane][i], spins + row * t.width + 64 * w, word_sites(&t, w),
                               plane);
        }
}
