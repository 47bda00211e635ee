/* Clusters of open bonds on a lattice whose rows are strings of bits: the common part of the
 * Swendsen-Wang kernels.
 *
 * Memory. A row along the width is a string of bits, 64 sites to a word. Row r = z * height + y
 * owns the words r * words + w. Bits beyond the width are zero. The state of a site is one bit of
 * each of `planes` planes. Open bonds are words too: bit x of open[] is the bond from x to x + 1
 * (the last bond wraps around), and bit x of links[] is the bond from x to the next row or the next
 * layer. Rows need not fill their words, but a word costs the same however few sites it holds, so
 * widths that are multiples of 64 are the fastest per site.
 *
 * 1. The bonds between equal states are drawn. 64 coins of one probability are tossed together: 64
 *    random numbers are compared with the threshold bit by bit from the top. One random word
 *    decides half of the coins that are still undecided, so that about 7 draws serve 64 bonds. A
 *    link is dropped if the link on its left already joins the same two runs.
 * 2. Each row falls into runs of joined sites. Runs are numbered through the lattice, and the run
 *    of a site is a popcount over the bits where runs start. Clusters are sets of runs, not of
 *    sites.
 * 3. Union-find joins the runs; a parent always has the lower number. A branch on the data would be
 *    mispredicted every other time and cost more than all the rest, so the unions avoid branches.
 *    Most runs get their parent from the row above by plain assignment. The few pairs that are left
 *    collect in a list and are joined in batches: two steps up for all pairs, whose loads do not
 *    wait for one another, then one more step and the union of two numbers that nearly always are
 *    roots. The rare pair whose roots are higher up is joined by Rem's algorithm.
 *
 * References: R. H. Swendsen, J.-S. Wang, Phys. Rev. Lett. 58, 86 (1987); Rem's algorithm: E. W.
 * Dijkstra, A Discipline of Programming (1976). */
#ifndef RSMI_RUN_CLUSTERS_H
#define RSMI_RUN_CLUSTERS_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/random.h"

enum { MOST_PLANES = 4 };

typedef struct {
    uint32_t a, b;
} run_pair;

typedef struct {
    int64_t height, rows, words, width;
    uint64_t last_valid;       /* the bits of the last word of a row that are sites */
    uint64_t *up[MOST_PLANES]; /* planes of the states */
    uint64_t *open, *starts;   /* bonds along the rows; first sites of runs */
    uint64_t *links[2];        /* bonds to the next row and to the next layer, without those that
                                  join nothing new */
    uint32_t *before;          /* number of runs before each word */
    uint32_t *parent;          /* parent of each run */
    uint8_t *marks;            /* of each run: what the update gives to it */
    run_pair *pending;         /* pairs of runs that wait to be united */
    uint64_t threshold;
} bit_lattice;

enum { BATCH = 16 }; /* pairs are united once so many wait; one row adds at most 2 width + 1 more */

/* ---- memory ---- */

/* The sizes of the parts of the workspace, in 64-bit words. */
typedef struct {
    int64_t plane, parent, marks, pending;
} run_sizes;

RSMI_INLINE run_sizes run_sizes_of(int64_t rows, int64_t width)
{
    const int64_t sites = rows * width;
    return (run_sizes){.plane = rows * ((width + 63) / 64),
                       .parent = (sites + 1) / 2,
                       .marks = (sites + 63) / 64 * 8,
                       .pending = BATCH + 2 * width + 1};
}

/* The number of 64-bit words of the workspace of a lattice. */
RSMI_INLINE int64_t run_workspace(int64_t rows, int64_t width, int planes)
{
    const run_sizes size = run_sizes_of(rows, width);
    return (5 + planes) * size.plane + size.parent + size.marks + size.pending;
}

RSMI_INLINE bit_lattice lay_out_runs(int64_t depth, int64_t height, int64_t width, int planes,
                                     uint64_t threshold, uint64_t *workspace)
{
    const run_sizes size = run_sizes_of(depth * height, width);
    const int64_t words = (width + 63) / 64;
    uint64_t *rest = workspace + planes * size.plane, *parent = rest + 5 * size.plane,
             *marks = parent + size.parent, *pending = marks + size.marks;
    bit_lattice t = {.height = height,
                     .rows = depth * height,
                     .words = words,
                     .width = width,
                     .last_valid = ~0ULL >> (words * 64 - width),
                     .open = rest,
                     .starts = rest + size.plane,
                     .links = {rest + 2 * size.plane, rest + 3 * size.plane},
                     .before = (uint32_t *)(rest + 4 * size.plane),
                     .parent = (uint32_t *)parent,
                     .marks = (uint8_t *)marks,
                     .pending = (run_pair *)pending,
                     .threshold = threshold};
    for (int plane = 0; plane < planes; plane++)
        t.up[plane] = workspace + plane * size.plane;
    return t;
}

RSMI_INLINE int64_t word_sites(const bit_lattice *t, int64_t word)
{
    return word + 1 < t->words ? 64 : t->width - 64 * word;
}

/* ---- bonds ---- */

/* Keeps each bit of `among` with probability threshold / 2^64, independently. */
RSMI_INLINE uint64_t toss(uint64_t among, uint64_t threshold, uint64_t rng[4])
{
    uint64_t kept = 0;
    for (; among && threshold; threshold <<= 1) {
        const uint64_t bit = 0 - (threshold >> 63), decided = among & (xoshiro_next(rng) ^ bit);
        kept |= decided & bit; /* a random 0 where the threshold has a 1 is below it */
        among ^= decided;
    }
    return kept;
}

RSMI_INLINE uint64_t valid(const bit_lattice *t, int64_t word)
{
    return word + 1 < t->words ? ~0ULL : t->last_valid;
}

/* Draws the bonds along a row. Two states are equal if they are equal in all planes. */
RSMI_INLINE void open_row(const bit_lattice *t, int planes, int64_t row, uint64_t rng[4])
{
    for (int64_t w = 0; w < t->words; w++) {
        uint64_t equal = valid(t, w);
        for (int plane = 0; plane < planes; plane++) {
            const uint64_t *up = t->up[plane] + row * t->words;
            const uint64_t beyond =
                w + 1 < t->words ? up[w + 1] << 63 : (up[0] & 1) << ((t->width - 1) & 63);
            equal &= ~(up[w] ^ (up[w] >> 1 | beyond));
        }
        t->open[row * t->words + w] = toss(equal, t->threshold, rng);
    }
}

RSMI_INLINE void link_rows(const bit_lattice *t, int planes, int64_t a, int64_t b, uint64_t *links,
                           uint64_t rng[4])
{
    uint64_t link_before = 0, both_before = 0; /* bit 63 of the previous word */
    for (int64_t w = 0; w < t->words; w++) {
        const int64_t i = a * t->words + w, j = b * t->words + w;
        uint64_t equal = valid(t, w);
        for (int plane = 0; plane < planes; plane++)
            equal &= ~(t->up[plane][i] ^ t->up[plane][j]);
        const uint64_t link = toss(equal, t->threshold, rng), both = t->open[i] & t->open[j];
        links[i] = link & ~((link << 1 | link_before) & (both << 1 | both_before));
        link_before = link >> 63;
        both_before = both >> 63;
    }
}

RSMI_INLINE void draw_bonds(const bit_lattice *t, int planes, uint64_t rng[4])
{
    const int64_t height = t->height;
    uint64_t state[4] = {rng[0], rng[1], rng[2], rng[3]};
    for (int64_t row = 0; row < t->rows; row++)
        open_row(t, planes, row, state);
    if (height > 1)
        for (int64_t row = 0; row < t->rows; row++)
            link_rows(t, planes, row, (row + 1) % height ? row + 1 : row + 1 - height, t->links[0],
                      state);
    if (t->rows > height)
        for (int64_t row = 0; row < t->rows; row++)
            link_rows(t, planes, row, (row + height) % t->rows, t->links[1], state);
    for (int k = 0; k < 4; k++)
        rng[k] = state[k];
}

/* ---- runs ---- */

/* Numbers the runs and returns how many there are. */
RSMI_CLONES static uint32_t number_runs(const bit_lattice *t)
{
    uint32_t runs = 0;
    for (int64_t row = 0; row < t->rows; row++) {
        uint64_t joined = 0; /* bit 0: the last site of the previous word is joined to this word */
        for (int64_t w = 0; w < t->words; w++) {
            const int64_t i = row * t->words + w;
            t->starts[i] = ~(t->open[i] << 1 | joined) & valid(t, w);
            t->before[i] = runs;
            runs += (uint32_t)__builtin_popcountll(t->starts[i]);
            joined = t->open[i] >> 63;
        }
    }
    for (uint32_t run = 0; run < runs; run++)
        t->parent[run] = run;
    return runs;
}

/* The run that holds the highest site of `upto`, which has all bits up to this site of word i. */
RSMI_INLINE uint32_t run_at(const bit_lattice *t, int64_t i, uint64_t upto)
{
    return t->before[i] + (uint32_t)__builtin_popcountll(t->starts[i] & upto) - 1;
}

/* ---- clusters ---- */

/* Takes the links between a row and the next one, none of whose runs has a parent yet: each run
 * takes the parent of the last run that is linked to it from above. Two upper runs that are linked
 * to the same lower run are neighbours among the links, and their union is left pending. Returns
 * the number of pending pairs. */
RSMI_INLINE int64_t attach_row(const bit_lattice *t, int64_t above, int64_t below, int64_t pending)
{
    uint32_t last_run = UINT32_MAX, last_parent = 0;
    for (int64_t w = 0; w < t->words; w++) {
        const int64_t i = above * t->words + w, j = below * t->words + w;
        for (uint64_t links = t->links[0][i]; links; links &= links - 1) {
            const uint64_t upto = links ^ (links - 1);
            const uint32_t run = run_at(t, j, upto), parent = t->parent[run_at(t, i, upto)];
            t->pending[pending] = (run_pair){parent, last_parent};
            pending += run == last_run;
            t->parent[run] = last_parent = parent;
            last_run = run;
        }
    }
    return pending;
}

/* Leaves all links between two rows pending. */
RSMI_INLINE int64_t join_rows(const bit_lattice *t, const uint64_t *row_links, int64_t a, int64_t b,
                              int64_t pending)
{
    for (int64_t w = 0; w < t->words; w++) {
        const int64_t i = a * t->words + w, j = b * t->words + w;
        for (uint64_t links = row_links[i]; links; links &= links - 1) {
            const uint64_t upto = links ^ (links - 1);
            t->pending[pending++] = (run_pair){run_at(t, i, upto), run_at(t, j, upto)};
        }
    }
    return pending;
}

/* Leaves the bond from the last site of a row to its first site pending, if it is open. */
RSMI_INLINE int64_t close_row(const bit_lattice *t, int64_t row, int64_t pending)
{
    const int64_t first = row * t->words, last = first + t->words - 1;
    t->pending[pending] = (run_pair){run_at(t, last, ~0ULL), t->before[first]};
    return pending + (int64_t)(t->open[last] >> ((t->width - 1) & 63));
}

RSMI_INLINE void unite(uint32_t *parent, uint32_t a, uint32_t b)
{
    while (parent[a] != parent[b]) {
        if (parent[a] < parent[b]) {
            const uint32_t swap = a;
            a = b;
            b = swap;
        }
        const uint32_t up = parent[a];
        parent[a] = parent[b];
        if (a == up)
            return;
        a = up;
    }
}

/* Unites all pending pairs. Three steps up nearly always end at roots, so that the branch is
 * predicted well. */
RSMI_INLINE int64_t unite_pending(const bit_lattice *t, int64_t pending)
{
    uint32_t *parent = t->parent;
    for (int64_t k = 0; k < pending; k++) {
        run_pair *pair = t->pending + k;
        *pair = (run_pair){parent[parent[pair->a]], parent[parent[pair->b]]};
    }
    for (int64_t k = 0; k < pending; k++) {
        const uint32_t a = parent[t->pending[k].a], b = parent[t->pending[k].b],
                       high = a > b ? a : b, low = a > b ? b : a;
        if (parent[high] == high)
            parent[high] = low;
        else
            unite(parent, a, b);
    }
    return 0;
}

RSMI_CLONES static void find_clusters(const bit_lattice *t)
{
    const int64_t height = t->height;
    int64_t pending = 0;
    for (int64_t row = 0; row < t->rows; row++) {
        const int64_t y = row % height;
        if (y > 0)
            pending = attach_row(t, row - 1, row, pending);
        if (y > 0 && y == height - 1)
            pending = join_rows(t, t->links[0], row, row - y, pending);
        pending = close_row(t, row, pending);
        if (pending >= BATCH)
            pending = unite_pending(t, pending);
    }
    if (t->rows > height)
        for (int64_t row = 0; row < t->rows; row++) {
            pending = join_rows(t, t->links[1], row, (row + height) % t->rows, pending);
            if (pending >= BATCH)
                pending = unite_pending(t, pending);
        }
    unite_pending(t, pending);
}

/* Bit i of the result is the sum of bits 0 .. i, modulo 2. */
RSMI_INLINE uint64_t prefix_sum(uint64_t bits)
{
    for (int shift = 1; shift < 64; shift *= 2)
        bits ^= bits << shift;
    return bits;
}

#endif
