/* Free dimers by the worm algorithm, the directed loop without bounces at infinite temperature.
 *
 * The dimer of a random vertex a is lifted; its other end b is the head of the worm. The head lays
 * a dimer along one of the links of b other than the link by which it came, each with the same
 * probability, to a vertex c. It lifts the old dimer of c, whose other end is the new head. At c =
 * a the worm closes. Every choice has the same probability as the choice that undoes it, so a worm
 * and its reverse are equally likely, and whole worms leave the uniform distribution of coverings
 * invariant, in all winding sectors. A worm is never cut: the number of worms between samples is
 * fixed. (Samples after a fixed number of steps, at the next closure, would be biased.)
 *
 * Memory. There is one 32-bit word per vertex, 64 * partner + 16 * direction of the partner, on a
 * lattice with a frame of ghost vertices around it:
 *
 *     bit   31     30 ... 6    5 4       3 2 1 0
 *           ghost  partner     direction 0
 *
 * If the head b came in direction d, the word 64 b + 16 d says where straight on is. The head takes
 * the link that is this word ^ 16 t with t = 0, 1 or 3, a fair choice among the three directions
 * other than back. The neighbour c is b plus one of four strides, which lie in one register, 16
 * bits each; the low bits of the link are the shift. word[c] is the next head, going straight on.
 * The word of a ghost names the vertex that it stands for, or says on an open lattice that there is
 * none: this costs one branch, which is rarely taken. So each step waits for one load only, at an
 * address that the load before it has given. INTERLEAVED chains advance in turn, one step each, to
 * fill the wait.
 *
 * The choices are the base-3 digits of a random number that is uniform below 3^39 (by rejection).
 * It is kept in an integer whose leading digit 1 tells when the digits are used up. The rest of the
 * digits is dropped at the end of a row, so that partners and stream are the whole state of a
 * chain.
 *
 * Reference: A. W. Sandvik, R. Moessner, Phys. Rev. B 73, 144504 (2006). */
#include "models/dimers/dimers_worm.h"

#include <string.h>

#include "base/compiler.h"
#include "base/status.h"

enum { INTERLEAVED = 2 };
#define GHOST (1U << 31)
enum { VERTEX = 6, DIRECTION = 4 };     /* their first bits in a word */
#define POWER_39 4052555153018976267ULL /* 3^39 */

typedef struct {
    int64_t chain, row, worms_left; /* its number; its row; worms to the end of the row */
    uint32_t *word;
    uint32_t straight, start; /* the head and the direction in which it came; the vertex a */
    uint64_t digits, rng[4];
    int64_t began; /* step at which the row began */
} worm_chain;

typedef struct {
    const dimer_lattice *lattice;
    int64_t chains, worms, first, count;
    int8_t *partners;
    uint64_t *rng;
    uint8_t *packed;
    int64_t *parallel_pairs, *steps;
} run;

/* ---- the lattice with its ghosts ---- */

static int64_t stride(const dimer_lattice *lattice)
{
    return lattice->columns + 2;
}
static int64_t places(const dimer_lattice *lattice)
{
    return (lattice->rows + 2) * stride(lattice);
}
static uint32_t place(const dimer_lattice *lattice, int64_t row, int64_t column)
{
    return (uint32_t)((row + 1) * stride(lattice) + column + 1);
}

int64_t dimer_workspace(const dimer_lattice *lattice, int64_t chains)
{
    return (chains < INTERLEAVED ? chains : INTERLEAVED) * (places(lattice) + 1) / 2 + 1;
}

/* The strides to the neighbours in the four directions, 16 bits each. */
static uint64_t strides(const dimer_lattice *lattice)
{
    const uint64_t row = (uint64_t)stride(lattice);
    return row | 1ULL << 16 | (-row & 0xffff) << 32 | 0xffffULL << 48;
}

RSMI_INLINE uint32_t neighbour(uint64_t strides, uint32_t link)
{
    return (link >> VERTEX) + (uint32_t)(int16_t)(strides >> (link & 63));
}

static void set_ghosts(const dimer_lattice *lattice, uint32_t *word)
{
    const int64_t rows = lattice->rows, columns = lattice->columns;
    for (int64_t row = -1; row <= rows; row++)
        for (int64_t column = -1; column <= columns;
             column += row < 0 || row == rows ? 1 : columns + 1)
            word[place(lattice, row, column)] =
                GHOST | place(lattice, (row + rows) % rows, (column + columns) % columns);
}

/* Makes the words of a covering. Partners around the edges are named by the vertex, not by its
 * ghost. */
static void set_words(const dimer_lattice *lattice, const int8_t *partners, uint32_t *word)
{
    const uint64_t steps = strides(lattice);
    set_ghosts(lattice, word);
    for (int64_t row = 0; row < lattice->rows; row++)
        for (int64_t column = 0; column < lattice->columns; column++) {
            const uint32_t here = place(lattice, row, column), direction = (uint32_t)*partners++,
                           there = neighbour(steps, here << VERTEX | direction << DIRECTION);
            const int inside = row + (direction == 0) < lattice->rows && row >= (direction == 2) &&
                               column + (direction == 1) < lattice->columns &&
                               column >= (direction == 3);
            word[here] = (inside ? there : word[there] & ~GHOST) << VERTEX | direction << DIRECTION;
        }
}

static void get_partners(const dimer_lattice *lattice, const uint32_t *word, int8_t *partners)
{
    for (int64_t row = 0; row < lattice->rows; row++, partners += lattice->columns) {
        const uint32_t *words = word + place(lattice, row, 0);
        for (int64_t column = 0; column < lattice->columns; column++)
            partners[column] = (int8_t)(words[column] >> DIRECTION & 3);
    }
}

/* Draws 39 fair digits below a leading 1. */
static uint64_t draw_digits(uint64_t rng[4])
{
    uint64_t value;
    do
        value = xoshiro_next(rng) >> 2;
    while (value >= POWER_39);
    return POWER_39 + value;
}

/* ---- rows of one chain ---- */

static void begin_worm(const run *r, worm_chain *c)
{
    const uint32_t vertex = (uint32_t)(((unsigned __int128)xoshiro_next(c->rng) *
                                        (uint64_t)dimer_vertices(r->lattice)) >>
                                       64);
    const uint32_t columns = (uint32_t)r->lattice->columns, row = vertex / columns;
    c->start = place(r->lattice, row, vertex - row * columns);
    c->straight = c->word[c->start];
}

static void begin_row(const run *r, worm_chain *c, int64_t now)
{
    c->worms_left = r->worms;
    c->digits = 1;
    c->began = now;
    begin_worm(r, c);
}

/* Begins a chain. Returns 0 if it has no rows to make. */
static int begin_chain(const run *r, worm_chain *c, int64_t chain, uint32_t *word)
{
    const int64_t offset = (chain - r->first) % r->chains;
    *c =
        (worm_chain){.chain = chain, .row = offset < 0 ? offset + r->chains : offset, .word = word};
    if (c->row >= r->count)
        return 0;
    memcpy(c->rng, r->rng + 4 * chain, sizeof c->rng);
    set_words(r->lattice, r->partners + chain * dimer_vertices(r->lattice), word);
    begin_row(r, c, 0);
    return 1;
}

/* Finishes a row: writes the covering and the stream for the caller, and what is stored of them. */
static void finish_row(const run *r, const worm_chain *c, int64_t now)
{
    int8_t *partners = r->partners + c->chain * dimer_vertices(r->lattice);
    get_partners(r->lattice, c->word, partners);
    memcpy(r->rng + 4 * c->chain, c->rng, sizeof c->rng);
    dimer_pack(r->lattice, partners, r->packed + c->row * dimer_link_bytes(r->lattice));
    r->parallel_pairs[c->row] = dimer_parallel_pairs(r->lattice, partners);
    r->steps[c->row] = now - c->began;
}

/* Begins the next worm after one has closed, in the next row if this row is finished. Returns 0
 * when the chain has made all its rows. */
static __attribute__((noinline)) int go_on(const run *r, worm_chain *c, int64_t now)
{
    if (--c->worms_left > 0) {
        begin_worm(r, c);
        return 1;
    }
    finish_row(r, c, now);
    c->row += r->chains;
    if (c->row >= r->count)
        return 0;
    begin_row(r, c, now);
    return 1;
}

/* ---- steps ---- */

/* Advances `n_chains` chains in turn, one step each, until one of them has made its rows; returns
 * which. What changes at every step lives in local arrays, which become registers when the loops
 * over k are unrolled. */
RSMI_INLINE int advance(const run *r, worm_chain *c, const int n_chains, const int open)
{
    const uint64_t steps = strides(r->lattice);
    uint32_t *word[INTERLEAVED];
    uint64_t straight[INTERLEAVED], start[INTERLEAVED], digits[INTERLEAVED];
    for (int k = 0; k < n_chains; k++)
        word[k] = c[k].word, straight[k] = c[k].straight, start[k] = c[k].start,
        digits[k] = c[k].digits;
    for (int64_t now = 1;; now++)
#pragma GCC unroll 8
        for (int k = 0; k < n_chains; k++) {
            uint32_t link, vertex, old;
            do {
                if (__builtin_expect(digits[k] == 1, 0))
                    digits[k] = draw_digits(c[k].rng);
                const uint64_t rest = (uint64_t)(((unsigned __int128)digits[k] *
                                                  0xaaaaaaaaaaaaaaabULL) >>
                                                 65),
                               digit = digits[k] - 3 * rest;
                digits[k] = rest;
                link = (uint32_t)(straight[k] ^ (digit + (digit >> 1)) << DIRECTION);
                vertex = neighbour(steps, link);
                old = word[k][vertex];
            } while (open && old & GHOST);
            if (!open && __builtin_expect(old & GHOST, 0))
                vertex = old & ~GHOST, old = word[k][vertex];
            word[k][link >> VERTEX] = vertex << VERTEX | (link & 3 << DIRECTION);
            word[k][vertex] = link ^ 2 << DIRECTION;
            straight[k] = old;
            if (__builtin_expect(vertex != start[k], 1))
                continue;
            c[k].digits = digits[k];
            if (!go_on(r, c + k, now)) {
                for (int j = 0; j < n_chains; j++) {
                    if (j != k)
                        c[j].straight = (uint32_t)straight[j], c[j].digits = digits[j];
                    c[j].began -= now - (j > k); /* steps are counted from zero again; the chains
                                                    behind k have made one step less */
                }
                return k;
            }
            straight[k] = c[k].straight, start[k] = c[k].start, digits[k] = c[k].digits;
        }
}

RSMI_CLONES static int advance_interleaved(const run *r, worm_chain *c)
{
    return r->lattice->open ? advance(r, c, INTERLEAVED, 1) : advance(r, c, INTERLEAVED, 0);
}

RSMI_CLONES static int advance_alone(const run *r, worm_chain *c)
{
    return r->lattice->open ? advance(r, c, 1, 1) : advance(r, c, 1, 0);
}

/* Advances all chains to their end. The first `active` entries of c have begun, and the chains from
 * `chain` on wait. */
static void advance_all(const run *r, worm_chain *c, int active, int64_t chain)
{
    while (active == INTERLEAVED) {
        const int k = advance_interleaved(r, c);
        uint32_t *word = c[k].word;
        while (chain < r->chains && !begin_chain(r, c + k, chain, word))
            chain++;
        if (chain++ >= r->chains)
            c[k] = c[--active];
    }
    for (int k = 0; k < active; k++)
        advance_alone(r, c + k);
}

int dimer_sample(const dimer_lattice *lattice, int64_t chains, int64_t worms, int64_t first,
                 int64_t count, int8_t *partners, uint64_t *rng, uint64_t *workspace,
                 uint8_t *packed, int64_t *parallel_pairs, int64_t *steps)
{
    if (chains < 1 || worms < 1 || first < 0 || count < 0)
        return RSMI_BAD_VALUE;
    for (int64_t chain = 0; chain < chains; chain++) {
        const int status =
            dimer_check_covering(lattice, partners + chain * dimer_vertices(lattice));
        if (status != RSMI_OK)
            return status;
    }
    const run r = {lattice,  chains, worms,  first,          count,
                   partners, rng,    packed, parallel_pairs, steps};
    uint32_t *words = (uint32_t *)workspace;
    worm_chain c[INTERLEAVED];
    int64_t chain = 0;
    int active = 0;
    for (; chain < chains && active < INTERLEAVED; chain++)
        active += begin_chain(&r, c + active, chain, words + active * places(lattice));
    advance_all(&r, c, active, chain);
    return RSMI_OK;
}
