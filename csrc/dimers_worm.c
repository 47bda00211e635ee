/* Free dimers by the worm: A. W. Sandvik & R. Moessner, Phys. Rev. B 73, 144504 (2006), the directed loop without bounces at infinite
 * temperature.
 *
 * The dimer of a random vertex a is lifted; its other end b is the head. The head lays a dimer along one of the links of b other than
 * the one it came by, each with the same probability, to a vertex c, and lifts the dimer c had, whose other end is the new head; at
 * c = a the worm closes. Every choice has the probability of the choice that undoes it, so that the worm and its reverse are equally
 * likely and whole worms leave the uniform distribution of coverings invariant, in all winding sectors. A worm is never cut: the number
 * of worms between samples is fixed (samples after a fixed number of steps, at the next closure, would be biased).
 *
 * Memory: a word a vertex, 4 * partner + direction of the partner, so that of the link (head b, direction d) = 4 b + d
 *     next[link] = 4 c + d        neighbours, one table for all chains
 *     word[c]    = 4 e + d'       the new head e, and the direction d' from c to it; e came by the link opposite to d'
 * and the new link is word[c] ^ t with t = 0, 1 or 3, a fair choice among the three directions other than the opposite: two loads a step.
 * Those loads wait for each other, so TOGETHER chains advance in turn, a step each; the processor works on all of them at once.
 *
 * The choices are the base-3 digits of a random number, uniform below 3^39 by rejection, in an integer whose leading digit 1 tells when
 * they are used up. What is left of them is dropped at the end of a row, so that partners and stream are the whole state of a chain. */
#include "dimers.h"

#include <string.h>

enum { TOGETHER = 4 };
#define OUTSIDE UINT32_MAX
#define POWER_39 4052555153018976267ULL /* 3^39 */

typedef struct {
    int64_t chain, row, worms_left; /* which chain; the row it is making, worms to its end */
    uint32_t *word;
    uint32_t link, start; /* 4 * head + direction it would go straight on; the vertex a */
    uint64_t digits, rng[4];
    int64_t began; /* step at which the row began */
} worm_chain;

typedef struct {
    const dimer_lattice *lattice;
    const uint32_t *next;
    int64_t chains, worms, first, count;
    int8_t *partners;
    uint64_t *rng;
    uint8_t *packed;
    int64_t *parallel_pairs, *steps;
} run;

int64_t dimer_workspace(const dimer_lattice *lattice, int64_t chains)
{
    (void)chains;
    return (4 + TOGETHER) * dimer_vertices(lattice) / 2;
}

static void find_neighbours(const dimer_lattice *lattice, uint32_t *next)
{
    const int64_t rows = lattice->rows, columns = lattice->columns;
    for (int64_t row = 0; row < rows; row++)
        for (int64_t column = 0; column < columns; column++)
            for (int direction = 0; direction < 4; direction++) {
                const int64_t y = row + (direction == 0) - (direction == 2), x = column + (direction == 1) - (direction == 3);
                const int64_t there = (y + rows) % rows * columns + (x + columns) % columns;
                const int outside = lattice->open && (y < 0 || y == rows || x < 0 || x == columns);
                next[4 * (row * columns + column) + direction] = outside ? OUTSIDE : (uint32_t)(4 * there + direction);
            }
}

/* 39 fair digits below a leading 1. */
static uint64_t draw_digits(uint64_t rng[4])
{
    uint64_t value;
    do value = xoshiro_next(rng) >> 2;
    while (value >= POWER_39);
    return POWER_39 + value;
}

/* ---- rows of one chain --------------------------------------------------------------------------------------------- */

static void begin_worm(const run *r, worm_chain *c)
{
    c->start = (uint32_t)(((unsigned __int128)xoshiro_next(c->rng) * (uint64_t)dimer_vertices(r->lattice)) >> 64);
    c->link = c->word[c->start];
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
    const int64_t vertices = dimer_vertices(r->lattice), offset = (chain - r->first) % r->chains;
    *c = (worm_chain){.chain = chain, .row = offset < 0 ? offset + r->chains : offset, .word = word};
    if (c->row >= r->count) return 0;
    memcpy(c->rng, r->rng + 4 * chain, sizeof c->rng);
    for (int64_t i = 0; i < vertices; i++) word[i] = r->next[4 * i + r->partners[chain * vertices + i]];
    begin_row(r, c, 0);
    return 1;
}

/* The row is finished: leave the covering and the stream with the caller, and what is stored of them. */
static void finish_row(const run *r, const worm_chain *c, int64_t now)
{
    const int64_t vertices = dimer_vertices(r->lattice);
    int8_t *partners = r->partners + c->chain * vertices;
    for (int64_t i = 0; i < vertices; i++) partners[i] = (int8_t)(c->word[i] & 3);
    memcpy(r->rng + 4 * c->chain, c->rng, sizeof c->rng);
    dimer_pack(r->lattice, partners, r->packed + c->row * dimer_link_bytes(r->lattice));
    r->parallel_pairs[c->row] = dimer_parallel_pairs(r->lattice, partners);
    r->steps[c->row] = now - c->began;
}

/* A worm has closed: begin the next one, in the next row if this one is finished. 0 when the chain has made all its rows. */
static __attribute__((noinline)) int go_on(const run *r, worm_chain *c, int64_t now)
{
    if (--c->worms_left > 0) {
        begin_worm(r, c);
        return 1;
    }
    finish_row(r, c, now);
    c->row += r->chains;
    if (c->row >= r->count) return 0;
    begin_row(r, c, now);
    return 1;
}

/* ---- steps --------------------------------------------------------------------------------------------------------- */

/* All of `together` chains a step each in turn, until one of them has made its rows: that one. What changes at every step lives in
 * local arrays, which become registers as the loops over k are unrolled. */
static inline __attribute__((always_inline)) int advance(const run *r, worm_chain *c, const int together, const int open)
{
    const uint32_t *next = r->next;
    uint32_t *word[TOGETHER], link[TOGETHER], start[TOGETHER];
    uint64_t digits[TOGETHER];
    for (int k = 0; k < together; k++) word[k] = c[k].word, link[k] = c[k].link, start[k] = c[k].start, digits[k] = c[k].digits;
    for (int64_t now = 1;; now++)
#pragma GCC unroll 8
        for (int k = 0; k < together; k++) {
            uint32_t taken, target;
            do {
                if (__builtin_expect(digits[k] == 1, 0)) digits[k] = draw_digits(c[k].rng);
                const uint64_t rest = (uint64_t)(((unsigned __int128)digits[k] * 0xaaaaaaaaaaaaaaabULL) >> 65), digit = digits[k] - 3 * rest;
                digits[k] = rest;
                taken = link[k] ^ (uint32_t)(digit + (digit >> 1));
                target = next[taken];
            } while (open && target == OUTSIDE);
            const uint32_t vertex = target >> 2;
            link[k] = word[k][vertex];
            word[k][taken >> 2] = target;
            word[k][vertex] = taken ^ 2;
            if (__builtin_expect(vertex != start[k], 1)) continue;
            c[k].digits = digits[k];
            if (!go_on(r, c + k, now)) {
                for (int j = 0; j < together; j++) {
                    if (j != k) c[j].link = link[j], c[j].digits = digits[j];
                    c[j].began -= now - (j > k); /* steps are counted anew; those behind k have made one less */
                }
                return k;
            }
            link[k] = c[k].link, start[k] = c[k].start, digits[k] = c[k].digits;
        }
}

static int advance_together(const run *r, worm_chain *c) { return r->lattice->open ? advance(r, c, TOGETHER, 1) : advance(r, c, TOGETHER, 0); }
static int advance_alone(const run *r, worm_chain *c) { return r->lattice->open ? advance(r, c, 1, 1) : advance(r, c, 1, 0); }

/* The first `active` of c are taken up, and the chains from `chain` on wait: advance all to their end. */
static void advance_all(const run *r, worm_chain *c, int active, int64_t chain)
{
    while (active == TOGETHER) {
        const int k = advance_together(r, c);
        uint32_t *word = c[k].word;
        while (chain < r->chains && !begin_chain(r, c + k, chain, word)) chain++;
        if (chain++ >= r->chains) c[k] = c[--active];
    }
    for (int k = 0; k < active; k++) advance_alone(r, c + k);
}

int dimer_sample(const dimer_lattice *lattice, int64_t chains, int64_t worms, int64_t first, int64_t count, int8_t *partners,
                 uint64_t *rng, uint64_t *workspace, uint8_t *packed, int64_t *parallel_pairs, int64_t *steps)
{
    const int64_t vertices = dimer_vertices(lattice);
    if (chains < 1 || worms < 1 || first < 0 || count < 0) return RSMI_BAD_VALUE;
    for (int64_t chain = 0; chain < chains; chain++) {
        const int status = dimer_check_covering(lattice, partners + chain * vertices);
        if (status != RSMI_OK) return status;
    }
    uint32_t *next = (uint32_t *)workspace, *words = next + 4 * vertices;
    find_neighbours(lattice, next);
    const run r = {lattice, next, chains, worms, first, count, partners, rng, packed, parallel_pairs, steps};
    worm_chain c[TOGETHER];
    int64_t chain = 0;
    int active = 0;
    for (; chain < chains && active < TOGETHER; chain++) active += begin_chain(&r, c + active, chain, words + active * vertices);
    advance_all(&r, c, active, chain);
    return RSMI_OK;
}
