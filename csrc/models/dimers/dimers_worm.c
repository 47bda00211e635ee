/* Free dimers by the worm: A. W. Sandvik & R. Moessner, Phys. Rev. B 73, 144504 (2006), the
 * directed loop without bounces at infinite temperature.
 *
 * The dimer of a random vertex a is lifted; its other end b is the head. The head lays a dimer
 * along one of the links of b other than the one it came by, each with the same probability, to a
 * vertex c, and lifts the dimer c had, whose other end is the new head; at c = a the worm closes.
 * Every choice has the probability of the choice that undoes it, so that the worm and its reverse
 * are equally likely and whole worms leave the uniform distribution of coverings invariant, in all
 * winding sectors. A worm is never cut: the number of worms between samples is fixed (samples after
 * a fixed number of steps, at the next closure, would be biased).
 *
 * Memory: a word a vertex, 64 * partner + 16 * direction of the partner, on a lattice with a frame
 * of ghosts around it. Of a head b that came in direction d the word 64 b + 16 d says where
 * straight on is; it takes the link that is this word ^ 16 t with t = 0, 1 or 3, a fair choice
 * among the three directions other than back. The neighbour c is b plus one of four strides, 16
 * bits each in one register, for which the low bits of the link are the shift; word[c] is the next
 * head, going straight on. A ghost's word names the vertex it stands for (on an open lattice: that
 * there is none): one branch, rarely taken. So each step waits for one load only, at an address
 * that the load before has given; TOGETHER chains advance in turn, a step each, to fill the wait.
 *
 * The choices are the base-3 digits of a random number, uniform below 3^39 by rejection, in an
 * integer whose leading digit 1 tells when they are used up. What is left of them is dropped at the
 * end of a row, so that partners and stream are the whole state of a chain. */
#include "models/dimers/dimers_worm.h"

#include <string.h>

#include "base/compiler.h"
#include "base/status.h"

enum { TOGETHER = 2 };
#define GHOST (1U << 31)
enum { VERTEX = 6, DIRECTION = 4 };     /* where they begin in a word */
#define POWER_39 4052555153018976267ULL /* 3^39 */

typedef struct {
    int64_t chain, row, worms_left; /* which chain; the row it is making, worms to its end */
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
    return (chains < TOGETHER ? chains : TOGETHER) * (places(lattice) + 1) / 2 + 1;
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

/* The words of a covering; partners around the edges are named by the vertex, not by its ghost. */
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

/* 39 fair digits below a leading 1. */
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

/* Take up a chain; 0 if it has no rows to make. */
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

/* The row is finished: leave the covering and the stream with the caller, and what is stored of
 * them. */
static void finish_row(const run *r, const worm_chain *c, int64_t now)
{
    int8_t *partners = r->partners + c->chain * dimer_vertices(r->lattice);
    get_partners(r->lattice, c->word, partners);
    memcpy(r->rng + 4 * c->chain, c->rng, sizeof c->rng);
    dimer_pack(r->lattice, partners, r->packed + c->row * dimer_link_bytes(r->lattice));
    r->parallel_pairs[c->row] = dimer_parallel_pairs(r->lattice, partners);
    r->steps[c->row] = now - c->began;
}

/* A worm has closed: begin the next one, in the next row if this one is finished. 0 when the chain
 * has made all its rows. */
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

/* All of `together` chains a step each in turn, until one of them has made its rows: that one. What
 * changes at every step lives in local arrays, which become registers as the loops over k are
 * unrolled. */
RSMI_INLINE int advance(const run *r, worm_chain *c, const int together, const int open)
{
    const uint64_t steps = strides(r->lattice);
    uint32_t *word[TOGETHER];
    uint64_t straight[TOGETHER], start[TOGETHER], digits[TOGETHER];
    for (int k = 0; k < together; k++)
        word[k] = c[k].word, straight[k] = c[k].straight, start[k] = c[k].start,
        digits[k] = c[k].digits;
    for (int64_t now = 1;; now++)
#pragma GCC unroll 8
        for (int k = 0; k < together; k++) {
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
                for (int j = 0; j < together; j++) {
                    if (j != k)
                        c[j].straight = (uint32_t)straight[j], c[j].digits = digits[j];
                    c[j].began -=
                        now -
                        (j > k); /* steps are counted anew; those behind k have made one less */
                }
                return k;
            }
            straight[k] = c[k].straight, start[k] = c[k].start, digits[k] = c[k].digits;
        }
}

RSMI_CLONES static int advance_together(const run *r, worm_chain *c)
{
    return r->lattice->open ? advance(r, c, TOGETHER, 1) : advance(r, c, TOGETHER, 0);
}

RSMI_CLONES static int advance_alone(const run *r, worm_chain *c)
{
    return r->lattice->open ? advance(r, c, 1, 1) : advance(r, c, 1, 0);
}

/* The first `active` of c are taken up, and the chains from `chain` on wait: advance all to their
 * end. */
static void advance_all(const run *r, worm_chain *c, int active, int64_t chain)
{
    while (active == TOGETHER) {
        const int k = advance_together(r, c);
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
    worm_chain c[TOGETHER];
    int64_t chain = 0;
    int active = 0;
    for (; chain < chains && active < TOGETHER; chain++)
        active += begin_chain(&r, c + active, chain, words + active * places(lattice));
    advance_all(&r, c, active, chain);
    return RSMI_OK;
}
