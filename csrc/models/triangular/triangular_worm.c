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
 * Memory. The down triangle across bond k of the up triangle v is v plus to_down[place[v] + k], and
 * the up triangle across the bond of the down triangle v that is bond k of that up triangle is v
 * plus to_up[place[v] + k], where place[v] is 4 times a number that says whether v is in the first
 * or last row or column. So all tables fit into the nearest cache, beside the bonds of IN_TURN
 * chains. A step takes one draw of 64 bits, and so do the tail of a worm and the sign of a row.
 *
 * References: A. W. Sandvik, R. Moessner, Phys. Rev. B 73, 144504 (2006), for the worm; G. H.
 * Wannier, Phys. Rev. 79, 357 (1950), and H. W. J. Bloete, H. J. Hilhorst, J. Phys. A 15, L631
 * (1982), for ground states as coverings. */
#include "models/triangular/triangular_worm.h"

#include "base/places.h"
#include "base/status.h"
#include "base/turns.h"

typedef struct {
    int32_t to_down[4 * PLACES], to_up[4 * PLACES];
    const uint8_t *place;
} worm_tables;

/* The chains that run, field by field. */
typedef struct {
    turns in_turn;
    uint32_t tail[IN_TURN], head[IN_TURN], back[IN_TURN]; /* the bond that led to the head */
} worm_chains;

typedef struct {
    turn_request rows;
    const triangular_lattice *lattice;
    const worm_tables *tables;
    uint8_t *packed;
} run;

int64_t triangular_workspace(const triangular_lattice *lattice)
{
    return (triangular_sites(lattice) + 7) / 8;
}

/* ---- tables ---- */

static void find_jumps(const triangular_lattice *lattice, worm_tables *tables)
{
    const int32_t rows = (int32_t)lattice->rows, columns = (int32_t)lattice->columns;
    for (int place = 0; place < PLACES; place++) {
        const int x = place / 3, y = place % 3;
        int32_t *to_down = tables->to_down + 4 * place, *to_up = tables->to_up + 4 * place;
        to_down[0] = y == 0 ? columns - 1 : -1;
        to_down[1] = columns * (x == 2 ? 1 - rows : 1);
        to_up[0] = y == 2 ? 1 - columns : 1;
        to_up[1] = columns * (x == 0 ? rows - 1 : -1);
        to_down[2] = to_up[2] = 0;
        to_down[3] = to_up[3] = 0; /* there is no such bond */
    }
}

/* ---- chains ---- */

/* The triangle across a bond. */
RSMI_INLINE uint32_t across(const int32_t *jump, const uint8_t *place, uint32_t from, uint32_t bond)
{
    return from + (uint32_t)jump[place[from] | bond];
}

/* Begins a worm at a random up triangle. */
static void begin_worm(const run *r, worm_chains *c, int k)
{
    const worm_tables *tables = r->tables;
    const unsigned __int128 draw = turns_draw_one(&c->in_turn, k);
    c->tail[k] = (uint32_t)(draw * (uint64_t)r->rows.sites >> 64);
    c->back[k] = c->in_turn.state[k][c->tail[k]];
    c->head[k] = across(tables->to_down, tables->place, c->tail[k], c->back[k]);
}

static int begin_chain(const run *r, worm_chains *c, int k, int64_t chain)
{
    if (!turns_begin(&r->rows, &c->in_turn, k, chain))
        return 0;
    begin_worm(r, c, k);
    return 1;
}

static void move_chain(worm_chains *c, int from, int to)
{
    turns_move(&c->in_turn, from, to);
    c->tail[to] = c->tail[from];
    c->head[to] = c->head[from];
    c->back[to] = c->back[from];
}

/* Stores a finished row. Returns 0 if it was the last one of the chain. */
static int next_row(const run *r, turns *t, int k)
{
    const int up = (int)(turns_draw_one(t, k) >> 63);
    triangular_pack(r->lattice, t->state[k], up,
                    r->packed + t->row[k] * triangular_row_bytes(r->lattice));
    return turns_next_row(&r->rows, t, k);
}

/* Ends a worm after `round` further steps and begins the next one. Returns whether the chain has
 * made its rows. */
static __attribute__((noinline)) int next_worm(const run *r, worm_chains *c, int k, uint64_t round)
{
    turns *t = &c->in_turn;
    t->steps[k] += round;
    if (triangular_has_spins(r->lattice, t->state[k]) && --t->moves_left[k] == 0 &&
        !next_row(r, t, k))
        return 1;
    begin_worm(r, c, k);
    t->steps[k] -= round;
    return 0;
}

/* Advances the first `n` chains in turn, one step each, until some have made their rows; returns
 * which, as bits. */
RSMI_INLINE unsigned advance(const run *r, worm_chains *c, const int n)
{
    /* the two bonds beside bond k are the lowest pairs of bits of OTHERS >> 4 k */
    enum { OTHERS = 1 | 2 << 2 | 0 << 4 | 2 << 6 | 0 << 8 | 1 << 10 };
    const worm_tables *tables = r->tables;
    const uint8_t *place = tables->place;
    turns *t = &c->in_turn;
    unsigned done = 0;
    uint64_t round = 0;
    while (!done) {
        turns_draw(t);
        t->draw.vector >>= 63;
        round++;
#pragma GCC unroll 8
        for (int k = 0; k < n; k++) {
            const uint32_t choice = (uint32_t)t->draw.of[k],
                           bond = OTHERS >> (4 * c->back[k] + 2 * choice) & 3,
                           up = across(tables->to_up, place, c->head[k], bond),
                           lifted = t->state[k][up];
            t->state[k][up] = (uint8_t)bond;
            c->back[k] = lifted;
            c->head[k] = across(tables->to_down, place, up, lifted);
            if (__builtin_expect(up == c->tail[k], 0))
                done |= (unsigned)next_worm(r, c, k, round) << k;
        }
    }
    for (int k = 0; k < n; k++)
        t->steps[k] += round;
    return done;
}

RSMI_CLONES static unsigned advance_chains(const run *r, worm_chains *c, int running)
{
    return running == IN_TURN ? advance(r, c, IN_TURN) : advance(r, c, running);
}

/* Makes all rows, of IN_TURN chains at once as long as there are so many. */
static void make_rows(const run *r)
{
    worm_chains c = {0};
    int64_t chain = 0;
    for (int running = 0;;) {
        for (; running < IN_TURN && chain < r->rows.chains; chain++)
            running += begin_chain(r, &c, running, chain);
        if (running == 0)
            return;
        const unsigned done = advance_chains(r, &c, running);
        for (int k = running - 1; k >= 0; k--)
            if (done >> k & 1)
                move_chain(&c, --running, k);
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
    uint8_t *place = (uint8_t *)workspace;
    find_places(lattice->rows, lattice->columns, place);
    worm_tables tables = {.place = place};
    find_jumps(lattice, &tables);
    const run r = {{chains, worms, first, count, triangular_sites(lattice), bonds, rng, steps},
                   lattice,
                   &tables,
                   packed};
    make_rows(&r);
    return RSMI_OK;
}
