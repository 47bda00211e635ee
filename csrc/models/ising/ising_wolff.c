/* Wolff: one cluster at a time.
 *
 * A cluster grows from a random site over equal spins; each bond joins with probability 1 - exp(-2
 * K). The cluster is flipped as a whole. A spin is flipped as soon as it joins, so that the lattice
 * itself marks what the cluster already holds. Sites wait in a first-in-first-out queue.
 *
 * Each site that leaves the queue takes one draw of 64 bits for every bond, in the order +x, -x,
 * +y, -y, +z, -z, whether or not the neighbour qualifies. So the push has no branch, which would be
 * mispredicted every other time. The coordinates, which decide about wrapping around the lattice,
 * are divided off the number of the site one by one; the last coordinate is what remains.
 *
 * Memory: one byte per spin (ising_chain.h), and a queue of 32-bit site numbers in the workspace.
 *
 * Reference: U. Wolff, Phys. Rev. Lett. 62, 361 (1989). */

#include "base/compiler.h"
#include "base/functions.h"
#include "models/ising/ising_lattice.h"

/* floor(n / divisor) for n < 2^32 by one multiplication. The reciprocal is ceil(2^64 / divisor),
 * and the divisor is > 1. */
static inline uint32_t quotient(uint32_t n, uint64_t reciprocal)
{
    return (uint32_t)(((unsigned __int128)n * reciprocal) >> 64);
}

typedef struct {
    uint32_t size, stride, around; /* sites; from a site to the next, from the first to the last */
    uint64_t reciprocal;           /* see quotient() */
} lattice_axis;

typedef struct {
    int8_t *spins;
    uint32_t *queue;
    int64_t tail;
    int8_t spin; /* the spin of the cluster before the flip */
    uint64_t threshold;
} cluster;

RSMI_INLINE void try_bond(cluster *c, uint32_t site, uint64_t bits)
{
    const int change = (c->spins[site] ^ -c->spin) &
                       -(bits < c->threshold); /* the bits in which +1 and -1 differ, or none */
    c->queue[c->tail] = site;
    c->tail += change != 0;
    c->spins[site] = (int8_t)(c->spins[site] ^ change);
}

RSMI_INLINE void grow(cluster *c, const lattice_axis *axes, int dimension, uint64_t rng[4])
{
    for (int64_t head = 0; head < c->tail; head++) {
        const uint32_t site = c->queue[head];
        uint32_t line =
            site; /* the coordinates along this axis and the following axes, as one number */
        for (int k = 0; k < dimension; k++) {
            const uint32_t size = axes[k].size, stride = axes[k].stride, around = axes[k].around;
            const uint32_t rest = k + 1 < dimension ? quotient(line, axes[k].reciprocal) : 0,
                           x = line - rest * size;
            const uint32_t next = site + (x + 1 == size ? 0 - around : stride);
            const uint32_t previous = site - (x == 0 ? 0 - around : stride);
            try_bond(c, next, xoshiro_next(rng));
            try_bond(c, previous, xoshiro_next(rng));
            line = rest;
        }
    }
}

static lattice_axis make_axis(int64_t size, int64_t stride)
{
    return (lattice_axis){.size = (uint32_t)size,
                          .stride = (uint32_t)stride,
                          .around = (uint32_t)(stride * (size - 1)),
                          .reciprocal = UINT64_MAX / (uint64_t)size + 1};
}

/* The queue: every site enters it once, and one rejected candidate may stand behind the last
 * entry. */
int64_t ising_wolff_workspace(const ising_chain *chain)
{
    return ising_sites(chain) / 2 + 1;
}

void ising_wolff(const ising_chain *chain, int64_t clusters, int8_t *spins, uint64_t rng[4],
                 uint64_t *workspace)
{
    const lattice_axis axes[3] = {make_axis(chain->width, 1),
                                  make_axis(chain->height, chain->width),
                                  make_axis(chain->depth, chain->height * chain->width)};
    const int dimension = ising_dimension(chain);
    const uint64_t sites = (uint64_t)ising_sites(chain);
    uint64_t state[4] = {rng[0], rng[1], rng[2], rng[3]};
    cluster c = {.spins = spins, .queue = (uint32_t *)workspace};
    c.threshold =
        bernoulli_threshold(one_minus_exp(2 * chain->coupling), exp_of(-2 * chain->coupling));
    for (int64_t i = 0; i < clusters; i++) {
        const uint32_t seed = (uint32_t)(((unsigned __int128)xoshiro_next(state) * sites) >> 64);
        c.spin = spins[seed];
        c.queue[0] = seed;
        c.tail = 1;
        spins[seed] = (int8_t)-c.spin;
        if (dimension == 1)
            grow(&c, axes, 1, state);
        if (dimension == 2)
            grow(&c, axes, 2, state);
        if (dimension == 3)
            grow(&c, axes, 3, state);
    }
    for (int k = 0; k < 4; k++)
        rng[k] = state[k];
}
