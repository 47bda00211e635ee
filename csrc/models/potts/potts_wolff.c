/* One cluster at a time, in the manner of Wolff.
 *
 * A cluster begins at a random site and chooses one of the moves of its state. Every site of the
 * cluster is moved; a bond to a neighbour joins with the probability of its two states before the
 * move. A move exchanges states and leaves all weights as they are, so that only the bonds across
 * the edge of the cluster change theirs, and the update is balanced in detail. For the Potts model
 * the moves exchange two states, and a cluster takes one of the q - 1 other states. For the clock
 * model they are the reflections s -> r - s for all r: those with odd r exchange even and odd
 * states, without which an even q would not be ergodic.
 *
 * A site is moved as soon as it joins, and marked in a map of bits, since its new state may equal
 * that of sites outside. Sites wait in a first-in-first-out queue, and at the end the queue lists
 * the marks to be cleared.
 *
 * Memory: one byte per state (potts_chain.h); in the workspace the map and a queue of 32-bit site
 * numbers.
 *
 * References: U. Wolff, Phys. Rev. Lett. 62, 361 (1989); F. Niedermayer, Phys. Rev. Lett. 61, 2026
 * (1988). */
#include "models/potts/potts_update.h"

typedef struct {
    const potts_chain *chain;
    uint8_t *spins;
    uint64_t *joined; /* bit of each site */
    uint32_t *queue;
    int64_t tail;
    const uint8_t *move;
    const uint64_t *bonds;
} cluster;

/* Tries the bond from a site, in state `state` before its move, to another one. There is no branch,
 * which would be mispredicted every other time. */
RSMI_INLINE void try_bond(cluster *c, uint32_t state, uint32_t site, uint64_t bits)
{
    const uint32_t there = c->spins[site];
    const uint64_t marks = c->joined[site >> 6],
                   joins = (bits < c->bonds[state * (uint32_t)c->chain->states + there]) &
                           (~marks >> (site & 63)) & 1;
    c->joined[site >> 6] = marks | joins << (site & 63);
    c->queue[c->tail] = site;
    c->tail += (int64_t)joins;
    c->spins[site] = joins ? c->move[there] : (uint8_t)there;
}

/* Tries both bonds along one axis. */
RSMI_INLINE void try_axis(cluster *c, uint32_t state, uint32_t site, uint32_t x, uint32_t size,
                          uint32_t stride, uint64_t rng[4])
{
    const uint32_t around = stride * (size - 1);
    try_bond(c, state, x + 1 == size ? site - around : site + stride, xoshiro_next(rng));
    try_bond(c, state, x == 0 ? site + around : site - stride, xoshiro_next(rng));
}

static void grow(cluster *c, uint64_t rng[4])
{
    const uint32_t width = (uint32_t)c->chain->width, height = (uint32_t)c->chain->height,
                   depth = (uint32_t)c->chain->depth;
    for (int64_t head = 0; head < c->tail; head++) {
        const uint32_t site = c->queue[head], row = site / width;
        const uint32_t state = c->move[c->spins[site]]; /* a move is its own inverse */
        try_axis(c, state, site, site - row * width, width, 1, rng);
        if (height > 1)
            try_axis(c, state, site, row % height, height, width, rng);
        if (depth > 1)
            try_axis(c, state, site, row / height, depth, height * width, rng);
    }
}

static uint64_t below(uint64_t n, uint64_t rng[4])
{
    return (uint64_t)(((unsigned __int128)xoshiro_next(rng) * n) >> 64);
}

int64_t potts_wolff_workspace(const potts_chain *chain)
{
    const int64_t sites = potts_sites(chain);
    return (sites + 63) / 64 + sites / 2 + 1; /* a rejected site may stand behind the last entry */
}

/* Returns the sum of the sizes of the clusters. */
int64_t potts_wolff(const potts_chain *chain, int64_t clusters, uint8_t *spins, uint64_t rng[4],
                    uint64_t *workspace)
{
    const int64_t sites = potts_sites(chain), words = (sites + 63) / 64, q = chain->states;
    cluster c = {.chain = chain, .spins = spins, .joined = workspace};
    c.queue = (uint32_t *)(workspace + words);
    uint64_t state[4] = {rng[0], rng[1], rng[2], rng[3]};
    int64_t moved = 0;
    memset(c.joined, 0, (size_t)words * 8);
    for (int64_t i = 0; i < clusters; i++) {
        const uint64_t seed = below((uint64_t)sites, state);
        const int64_t choice = (int64_t)below((uint64_t)chain->n_choices, state),
                      move = chain->choices[spins[seed] * chain->n_choices + choice];
        c.move = chain->moves + move * q;
        c.bonds = chain->bonds + move * q * q;
        c.queue[0] = (uint32_t)seed;
        c.tail = 1;
        c.joined[seed >> 6] |= 1ULL << (seed & 63);
        spins[seed] = c.move[spins[seed]];
        grow(&c, state);
        for (int64_t k = 0; k < c.tail; k++)
            c.joined[c.queue[k] >> 6] = 0;
        moved += c.tail;
    }
    for (int k = 0; k < 4; k++)
        rng[k] = state[k];
    return moved;
}
