/* Worms through the frustrated bonds of the triangular antiferromagnet.
 *
 * Up and down triangles are the two sublattices of a honeycomb lattice. A frustrated bond is a
 * dimer that covers the two triangles to which it belongs, and every triangle is covered once. A
 * worm lifts the dimer of a random up triangle, the tail; the down triangle at its other end is the
 * head. The head lays a dimer across one of its two other bonds, each with probability 1/2. If
 * there is the tail, the worm is closed; else the up triangle there has two dimers, it lifts its
 * old one, and the down triangle at the other end of that is the new head. The way back has the
 * same probability, so that all coverings are equally likely. A worm is never cut.
 *
 * Spins belong to a covering if two paths around the torus pass an even number of bonds without a
 * dimer. About half of the coverings are such; worms may lead to the others and back. The chain is
 * looked at after those worms only that end in a covering with spins. A chain that is looked at
 * only while it is in a subset is again a Markov chain, whose stationary distribution is the old
 * one on this subset. Therefore worms between two rows are counted only if they end there: to make
 * a fixed number of worms and to go on until there are spins would be slightly wrong. The two
 * states of spins of a covering are equally likely: a row has a random sign.
 *
 * Memory. next_down[4 v + k] is the down triangle across bond k of the up triangle v, and
 * next_up[4 v + k] the up triangle across the bond of the down triangle v that is bond k of that up
 * triangle. A step is a sequence of loads that wait for each other, so INTERLEAVED chains advance
 * in turn, one step each, and the processor works on all of them at once. A step takes one draw of
 * 64 bits, and so do the tail of a worm and the sign of a row.
 *
 * References: A. W. Sandvik, R. Moessner, Phys. Rev. B 73, 144504 (2006), for the worm; G. H.
 * Wannier, Phys. Rev. 79, 357 (1950), and H. W. J. Bloete, H. J. Hilhorst, J. Phys. A 15, L631
 * (1982), for ground states as coverings. */
#include "models/triangular/triangular_worm.h"

#include <string.h>

#include "base/compiler.h"
#include "base/random.h"
#include "base/status.h"

enum { INTERLEAVED = 8 };

typedef struct {
    uint8_t *bonds;
    uint32_t tail, head, back; /* the bond by which the head was reached */
    uint64_t steps, rng[4];
    int64_t worms_left, sample; /* worms to the end of this row; the row that is being made */
} worm_chain;

typedef struct {
    const triangular_lattice *lattice;
    const uint32_t *next_down, *next_up;
    int64_t chains, worms, count;
    uint8_t *bonds;
    uint64_t *rng;
    uint8_t *packed;
    int64_t *steps;
} run;

int64_t triangular_workspace(const triangular_lattice *lattice)
{
    return 4 * triangular_sites(lattice);
}

static void find_neighbours(const triangular_lattice *lattice, uint32_t *next_down,
                            uint32_t *next_up)
{
    const int64_t rows = lattice->rows, columns = lattice->columns;
    for (int64_t x = 0; x < rows; x++)
        for (int64_t y = 0; y < columns; y++) {
            const int64_t here = x * columns + y;
            next_down[4 * here] = (uint32_t)(x * columns + (y + columns - 1) % columns);
            next_down[4 * here + 1] = (uint32_t)((x + 1) % rows * columns + y);
            next_up[4 * here] = (uint32_t)(x * columns + (y + 1) % columns);
            next_up[4 * here + 1] = (uint32_t)((x + rows - 1) % rows * columns + y);
            next_down[4 * here + 2] = next_up[4 * here + 2] = (uint32_t)here;
            next_down[4 * here + 3] = next_up[4 * here + 3] = 0; /* there is no such bond */
        }
}

/* ---- one chain ---- */

RSMI_INLINE void lift(const uint32_t *next_down, uint64_t sites, worm_chain *c)
{
    c->tail = (uint32_t)(((unsigned __int128)xoshiro_next(c->rng) * sites) >> 64);
    c->back = c->bonds[c->tail];
    c->head = next_down[4 * (uint64_t)c->tail + c->back];
}

/* Makes one step. Returns whether the worm closed. */
RSMI_INLINE int step(const uint32_t *next_down, const uint32_t *next_up, worm_chain *c)
{
    /* the two bonds beside bond k are the lowest pairs of bits of OTHERS >> 4 k */
    enum { OTHERS = 1 | 2 << 2 | 0 << 4 | 2 << 6 | 0 << 8 | 1 << 10 };
    const uint32_t choice = (uint32_t)(xoshiro_next(c->rng) >> 63),
                   bond = OTHERS >> (4 * c->back + 2 * choice) & 3;
    const uint32_t up = next_up[4 * (uint64_t)c->head + bond], lifted = c->bonds[up];
    c->bonds[up] = (uint8_t)bond;
    c->steps++;
    c->back = lifted;
    c->head = next_down[4 * (uint64_t)up + lifted];
    return up == c->tail;
}

/* ---- the rows of all chains ---- */

/* Stores a finished row. Returns 0 if it was the last one of the chain. */
static __attribute__((noinline)) int next_row(const run *r, worm_chain *c, int64_t chain)
{
    const int up = (int)(xoshiro_next(c->rng) >> 63);
    triangular_pack(r->lattice, c->bonds, up,
                    r->packed + c->sample * triangular_row_bytes(r->lattice));
    r->steps[c->sample] = (int64_t)c->steps;
    memcpy(r->rng + 4 * chain, c->rng, sizeof c->rng);
    c->sample += r->chains;
    c->worms_left = r->worms;
    c->steps = 0;
    return c->sample < r->count;
}

/* Begins the rows of a chain. Returns 0 if there are none. */
static int begin(const run *r, worm_chain *c, int64_t chain, int64_t first)
{
    const int64_t sites = triangular_sites(r->lattice);
    *c = (worm_chain){.bonds = r->bonds + chain * sites,
                      .worms_left = r->worms,
                      .sample = ((chain - first) % r->chains + r->chains) % r->chains};
    if (c->sample >= r->count)
        return 0;
    memcpy(c->rng, r->rng + 4 * chain, sizeof c->rng);
    lift(r->next_down, (uint64_t)sites, c);
    return 1;
}

/* Advances `n_chains` chains in turn, one step each, until one has made its rows; returns which. */
RSMI_INLINE int advance(const run *r, worm_chain *c, const int64_t *number, int n_chains)
{
    const uint32_t *next_down = r->next_down, *next_up = r->next_up;
    const uint64_t sites = (uint64_t)triangular_sites(r->lattice);
    for (;;)
        for (int k = 0; k < n_chains; k++)
            if (__builtin_expect(step(next_down, next_up, c + k), 0)) {
                if (triangular_has_spins(r->lattice, c[k].bonds) && --c[k].worms_left == 0 &&
                    !next_row(r, c + k, number[k]))
                    return k;
                lift(next_down, sites, c + k);
            }
}

static int advance_some(const run *r, worm_chain *c, const int64_t *number, int n_chains)
{
    return n_chains == INTERLEAVED ? advance(r, c, number, INTERLEAVED) : advance(r, c, number, 1);
}

/* Advances all chains: INTERLEAVED at once as long as there are so many, then one after the
 * other. */
static void advance_all(const run *r, int64_t first)
{
    worm_chain c[INTERLEAVED];
    int64_t number[INTERLEAVED], chain = 0;
    for (int running = 0;;) {
        for (; running < INTERLEAVED && chain < r->chains; chain++)
            if (begin(r, c + running, chain, first))
                number[running++] = chain;
        if (running == 0)
            return;
        const int done = advance_some(r, c, number, running--);
        c[done] = c[running], number[done] = number[running];
    }
}

int triangular_sample(const triangular_lattice *lattice, int64_t chains, int64_t worms,
                      int64_t first, int64_t count, uint8_t *bonds, uint64_t *rng,
                      uint64_t *workspace, uint8_t *packed, int64_t *steps)
{
    if (chains < 1 || worms < 1 || first < 0 || count < 0)
        return RSMI_BAD_VALUE;
    for (int64_t chain = 0; chain < chains; chain++) {
        const int status = triangular_check(lattice, bonds + chain * triangular_sites(lattice));
        if (status != RSMI_OK)
            return status;
    }
    uint32_t *next_down = (uint32_t *)workspace,
             *next_up = next_down + 4 * triangular_sites(lattice);
    find_neighbours(lattice, next_down, next_up);
    const run r = {lattice, next_down, next_up, chains, worms, count, bonds, rng, packed, steps};
    advance_all(&r, first);
    return RSMI_OK;
}
