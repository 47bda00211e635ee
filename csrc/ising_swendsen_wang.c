/* All clusters at once: R. H. Swendsen & J.-S. Wang, Phys. Rev. Lett. 58, 86 (1987).
 *
 * Every bond between equal spins is open with probability 1 - exp(-2 K); every connected cluster is flipped with probability 1/2.
 *
 * Layout: a row along the width is a string of bits, 64 sites a word, 1 = up; row r = z * height + y owns the words r * words + w.
 * Bits beyond the width are zero. Open bonds are words too: bit x of open[] is the bond from x to x + 1 (the last one wraps).
 *
 * 1. Draw the bonds along the rows. 64 coins of one probability are tossed together by comparing 64 random numbers with the
 *    threshold bit by bit from the top: a random word decides half of the undecided coins, so that about 7 draws serve 64 bonds.
 * 2. A row falls into runs of joined sites; runs are numbered through the lattice, and the run of a site is a popcount over the
 *    start bits. Clusters are sets of runs, not of sites.
 * 3. Draw the bonds between rows; each links two runs, unless the link one site to the left already does. Union-find by Rem's
 *    algorithm (Dijkstra, A Discipline of Programming, 1976), in which a parent always has the lower number.
 * 4. Hence one pass in ascending order copies each root's coin to its runs, and the coins are expanded to words of flips. */
#include "ising.h"

#include <math.h>

#define INLINE static inline __attribute__((always_inline))

typedef struct {
    int64_t rows, words, width;
    uint64_t last_valid;      /* the sites in the last word of a row */
    uint64_t *up;             /* spins */
    uint64_t *open, *starts;  /* bonds along the rows, first sites of runs */
    uint32_t *before;         /* number of runs before a word */
    uint32_t *parent;         /* union-find over runs, later their flips */
    uint64_t threshold;
} bit_lattice;

/* Bits of `among` kept with probability threshold / 2^64, independently. */
INLINE uint64_t toss(uint64_t among, uint64_t threshold, uint64_t rng[4])
{
    uint64_t kept = 0;
    for (; among && threshold; threshold <<= 1) {
        const uint64_t bits = xoshiro_next(rng), one = 0 - (threshold >> 63);
        kept |= among & one & ~bits; /* random bit 0 under a threshold bit 1: below it */
        among &= bits ^ ~one;        /* equal bits: undecided */
    }
    return kept;
}

INLINE uint64_t valid(const bit_lattice *t, int64_t word) { return word + 1 < t->words ? ~0ULL : t->last_valid; }

INLINE void open_row(const bit_lattice *t, int64_t row, uint64_t rng[4])
{
    const uint64_t *up = t->up + row * t->words;
    for (int64_t w = 0; w < t->words; w++) {
        const uint64_t beyond = w + 1 < t->words ? up[w + 1] << 63 : (up[0] & 1) << ((t->width - 1) & 63);
        const uint64_t equal = ~(up[w] ^ (up[w] >> 1 | beyond)) & valid(t, w);
        t->open[row * t->words + w] = toss(equal, t->threshold, rng);
    }
}

/* Number the runs; returns how many. */
INLINE uint32_t number_runs(const bit_lattice *t)
{
    uint32_t runs = 0;
    for (int64_t row = 0; row < t->rows; row++) {
        uint64_t joined = 0; /* bit 0: the last site of the word before is joined to this word */
        for (int64_t w = 0; w < t->words; w++) {
            const int64_t i = row * t->words + w;
            t->starts[i] = ~(t->open[i] << 1 | joined) & valid(t, w);
            t->before[i] = runs;
            runs += (uint32_t)__builtin_popcountll(t->starts[i]);
            joined = t->open[i] >> 63;
        }
    }
    for (uint32_t run = 0; run < runs; run++) t->parent[run] = run;
    return runs;
}

INLINE void unite(uint32_t *parent, uint32_t a, uint32_t b)
{
    while (parent[a] != parent[b]) {
        if (parent[a] < parent[b]) {
            const uint32_t swap = a;
            a = b;
            b = swap;
        }
        const uint32_t up = parent[a];
        parent[a] = parent[b];
        if (a == up) return;
        a = up;
    }
}

/* The run that holds the highest site of `upto` (all bits up to a site) in a word. */
INLINE uint32_t run_at(const bit_lattice *t, int64_t i, uint64_t upto)
{
    return t->before[i] + (uint32_t)__builtin_popcountll(t->starts[i] & upto) - 1;
}

INLINE void close_row(const bit_lattice *t, int64_t row)
{
    const int64_t first = row * t->words, last = first + t->words - 1;
    if (t->open[last] >> ((t->width - 1) & 63)) unite(t->parent, run_at(t, last, ~0ULL), t->before[first]);
}

INLINE void link_rows(const bit_lattice *t, int64_t a, int64_t b, uint64_t rng[4])
{
    uint64_t link_before = 0, both_before = 0; /* bit 63 of the word before */
    for (int64_t w = 0; w < t->words; w++) {
        const int64_t i = a * t->words + w, j = b * t->words + w;
        const uint64_t links = toss(~(t->up[i] ^ t->up[j]) & valid(t, w), t->threshold, rng), both = t->open[i] & t->open[j];
        uint64_t needed = links & ~((links << 1 | link_before) & (both << 1 | both_before));
        link_before = links >> 63;
        both_before = both >> 63;
        for (; needed; needed &= needed - 1) {
            const uint64_t upto = needed ^ (needed - 1);
            unite(t->parent, run_at(t, i, upto), run_at(t, j, upto));
        }
    }
}

/* Overwrites every parent by the coin of its root: bit i % 64 of the draw i / 64 belongs to run i. */
INLINE void toss_clusters(const bit_lattice *t, uint32_t runs, uint64_t rng[4])
{
    uint64_t bits = 0;
    for (uint32_t run = 0; run < runs; run++, bits >>= 1) {
        if (run % 64 == 0) bits = xoshiro_next(rng);
        const uint32_t parent = t->parent[run];
        t->parent[run] = bits & 1;
        t->parent[run] = t->parent[parent];
    }
}

INLINE void flip_word(const bit_lattice *t, int64_t i, uint64_t sites)
{
    const uint32_t *flip = t->parent + t->before[i];
    uint64_t mask = 0, now = 0;
    if (!(t->starts[i] & 1)) mask = now = 0 - (uint64_t)flip[-1];
    for (uint64_t starts = t->starts[i]; starts; starts &= starts - 1, flip++) {
        const uint64_t next = 0 - (uint64_t)*flip;
        mask ^= (now ^ next) & (0 - (starts & -starts)); /* a run's flip holds until the next start */
        now = next;
    }
    t->up[i] ^= mask & sites;
}

RSMI_CLONES static void cluster_step(const bit_lattice *t, int64_t depth, int64_t height, uint64_t rng[4])
{
    uint64_t state[4] = {rng[0], rng[1], rng[2], rng[3]};
    for (int64_t row = 0; row < t->rows; row++) open_row(t, row, state);
    const uint32_t runs = number_runs(t);
    for (int64_t row = 0; row < t->rows; row++) close_row(t, row);
    if (height > 1)
        for (int64_t row = 0; row < t->rows; row++) link_rows(t, row, (row + 1) % height ? row + 1 : row + 1 - height, state);
    if (depth > 1)
        for (int64_t row = 0; row < t->rows; row++) link_rows(t, row, (row + height) % t->rows, state);
    toss_clusters(t, runs, state);
    for (int64_t row = 0; row < t->rows; row++)
        for (int64_t w = 0; w < t->words; w++) flip_word(t, row * t->words + w, valid(t, w));
    for (int k = 0; k < 4; k++) rng[k] = state[k];
}

static bit_lattice lay_out(const ising_chain *chain, uint64_t *workspace)
{
    const int64_t rows = chain->depth * chain->height, words = (chain->width + 63) / 64, n = rows * words;
    return (bit_lattice){.rows = rows,
                         .words = words,
                         .width = chain->width,
                         .last_valid = ~0ULL >> (words * 64 - chain->width),
                         .up = workspace,
                         .open = workspace + n,
                         .starts = workspace + 2 * n,
                         .before = (uint32_t *)(workspace + 3 * n),
                         .parent = (uint32_t *)(workspace + 4 * n),
                         .threshold = bernoulli_threshold(-expm1(-2 * chain->coupling), exp(-2 * chain->coupling))};
}

int64_t ising_swendsen_wang_workspace(const ising_chain *chain)
{
    return 4 * chain->depth * chain->height * ((chain->width + 63) / 64) + (ising_sites(chain) + 1) / 2;
}

void ising_swendsen_wang(const ising_chain *chain, int64_t sweeps, int8_t *spins, uint64_t rng[4], uint64_t *workspace)
{
    const bit_lattice t = lay_out(chain, workspace);
    for (int64_t row = 0; row < t.rows; row++)
        for (int64_t w = 0; w < t.words; w++) {
            const int64_t n = w + 1 < t.words ? 64 : t.width - 64 * w;
            t.up[row * t.words + w] = ising_pack_word(spins + row * t.width + 64 * w, n);
        }
    for (int64_t i = 0; i < sweeps; i++) cluster_step(&t, chain->depth, chain->height, rng);
    for (int64_t row = 0; row < t.rows; row++)
        for (int64_t x = 0; x < t.width; x++)
            spins[row * t.width + x] = (int8_t)(2 * (int)(t.up[row * t.words + x / 64] >> (x % 64) & 1) - 1);
}
