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
    uint32_t *word;
    uint32_t link, start; /* where the head is about to go, times 4 plus direction; the vertex a */
    uint64_t digits, steps;
    uint64_t rng[4];
    int64_t worms_left, row; /* worms to the end of this row; the row being made */
} worm_chain;

typedef struct {
    const dimer_lattice *lattice;
    const uint32_t *next;
    int64_t chains, worms, count;
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

/* The next choice among directions, for the link 4 * head + direction the worm would take going straight on. */
static inline __attribute__((always_inline)) uint32_t turn(worm_chain *c, uint32_t straight)
{
    if (__builtin_expect(c->digits == 1, 0)) c->digits = draw_digits(c->rng);
    const uint64_t rest = (uint64_t)(((unsigned __int128)c->digits * 0xaaaaaaaaaaaaaaabULL) >> 65), digit = c->digits - 3 * rest;
    c->digits = rest;
    return straight ^ (uint32_t)(digit + (digit >> 1));
}

static inline void lift(worm_chain *c, uint64_t vertices)
{
    c->start = (uint32_t)(((unsigned __int128)xoshiro_next(c->rng) * vertices) >> 64);
    c->link = c->word[c->start];
}

/* Row c->row is finished: its covering, what is stored of it, and the stream. */
static void store(const run *r, worm_chain *c, int64_t chain)
{
    const int64_t vertices = dimer_vertices(r->lattice);
    int8_t *partners = r->partners + chain * vertices;
    for (int64_t i = 0; i < vertices; i++) partners[i] = (int8_t)(c->word[i] & 3);
    dimer_pack(r->lattice, partners, r->packed + c->row * dimer_link_bytes(r->lattice));
    r->parallel_pairs[c->row] = dimer_parallel_pairs(r->lattice, partners);
    r->steps[c->row] = (int64_t)c->steps;
    memcpy(r->rng + 4 * chain, c->rng, sizeof c->rng);
}

/* After a closure: the next worm, in the next row if this one is full. 0 when the chain has made all its rows. */
static __attribute__((noinline)) int go_on(const run *r, worm_chain *c, int64_t chain)
{
    if (--c->worms_left == 0) {
        store(r, c, chain);
        c->row += r->chains;
        if (c->row >= r->count) return 0;
        c->worms_left = r->worms;
        c->digits = 1;
        c->steps = 0;
    }
    lift(c, (uint64_t)dimer_vertices(r->lattice));
    return 1;
}

/* A step; whether the worm closed. */
static inline __attribute__((always_inline)) int step(const uint32_t *next, worm_chain *c, int open)
{
    uint32_t link = turn(c, c->link), target = next[link];
    while (open && target == OUTSIDE) link = turn(c, c->link), target = next[link];
    const uint32_t vertex = target >> 2;
    c->link = c->word[vertex];
    c->word[link >> 2] = target;
    c->word[vertex] = link ^ 2;
    c->steps++;
    return vertex == c->start;
}

/* All chains a step each in turn until one has made its rows: that one. */
static inline __attribute__((always_inline)) int advance(const run *r, worm_chain *c, int together, int64_t chain, int open)
{
    for (;;)
        for (int k = 0; k < together; k++)
            if (__builtin_expect(step(r->next, c + k, open), 0) && !go_on(r, c + k, chain + k)) return k;
}

/* Begin the rows of a chain; 0 if there are none. */
static int begin(const run *r, worm_chain *c, int64_t chain, int64_t first, uint32_t *word)
{
    const int64_t vertices = dimer_vertices(r->lattice);
    *c = (worm_chain){.word = word, .digits = 1, .worms_left = r->worms, .row = ((chain - first) % r->chains + r->chains) % r->chains};
    memcpy(c->rng, r->rng + 4 * chain, sizeof c->rng);
    for (int64_t i = 0; i < vertices; i++) {
        const uint32_t direction = (uint32_t)r->partners[chain * vertices + i];
        word[i] = r->next[4 * i + direction];
    }
    if (c->row >= r->count) return 0;
    lift(c, (uint64_t)vertices);
    return 1;
}

static void alone(const run *r, worm_chain *c, int64_t chain)
{
    worm_chain local = *c;
    if (r->lattice->open)
        advance(r, &local, 1, chain, 1);
    else
        advance(r, &local, 1, chain, 0);
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
    const run r = {lattice, next, chains, worms, count, partners, rng, packed, parallel_pairs, steps};
    for (int64_t chain = 0; chain < chains; chain++) {
        worm_chain c;
        if (begin(&r, &c, chain, first, words)) alone(&r, &c, chain);
    }
    return RSMI_OK;
}
