/* Directed loops of interacting dimers: A. W. Sandvik & R. Moessner, Phys. Rev. B 73, 144504 (2006); F. Alet et al., Phys. Rev. E 74,
 * 041124 (2006); tables of the fewest bounces after O. F. Syljuasen & A. W. Sandvik, Phys. Rev. E 66, 046701 (2002).
 *
 * The dimer of a random even vertex, the tail, is lifted; its other end, an odd vertex, is the head. The head lays a dimer along any of
 * its four links; if it ends on the tail, the worm closes, else the (even) vertex there lifts the dimer it had, whose other end is the
 * new head. In between stands a covering where the tail has no dimer and one even vertex has two: give it the weight exp(K parallel
 * plaquettes) too. A step then turns the head's dimer from the link it came by to another one, and its probabilities P_ij from link i
 * to j obey w_i P_ij = w_j P_ji with the weights w of these four coverings. So does every worm and its reverse: closed coverings have
 * detailed balance, in all winding sectors. Even tails suffice, as every alternating cycle has even vertices. A worm is never cut.
 *
 * The flows w_i P_ij: those of the fewest bounces (i = j), which may forbid some turns, and a small share of Metropolized heat bath,
 * which allows all of them and makes the chain irreducible at any coupling. At K = 0 both are 1/3 without bounces.
 *
 * Memory: only even vertices matter until a worm closes, one byte each, 1 << 2 * direction of the partner (the tail: 0). Sums of
 * neighbours' bytes count the parallel neighbours of all four links at once, in lanes of two bits (3: no such link); the lanes, turned so
 * that the link of arrival is lowest, are a row of the table of thresholds. An open lattice stands in a frame of bytes that say "no link".
 * Per step one draw of 64 bits, per worm one more for its tail. A step is a line of operations that wait for each other, so TOGETHER
 * chains advance in turn, a step each; the processor works on all of them at once. */
#include "dimers_loop.h"

#include <math.h>
#include <string.h>

enum { TOGETHER = 4 };
enum { ROWS = 0x33, COLUMNS = 0xcc, HIGH = 0xaa }; /* lanes of the links 0 and 2; 1 and 3; the higher bits of the lanes */

/* ---- the table ----------------------------------------------------------------------------------------------------- */

static double least(double a, double b) { return a < b ? a : b; }
static double most(double a, double b) { return a > b ? a : b; }

/* Symmetric flows a with row sums w, w[0] >= w[1] >= w[2] >= w[3], and the smallest possible trace. */
static void fewest_bounces(const double w[4], double a[4][4])
{
    /* The smallest sends as evenly as it can, but the largest must be able to place what is left of it on the other two. */
    const double to_largest = least(w[3], most(w[3] / 3, (w[0] - w[1] - (w[2] - w[3])) / 2)), to_others = (w[3] - to_largest) / 2;
    const double r1 = w[1] - to_others, r2 = w[2] - to_others, gap = w[0] - w[1] - (to_largest - to_others); /* of the largest to r1 */
    memset(a, 0, 16 * sizeof(double));
    a[0][3] = a[3][0] = to_largest;
    a[1][3] = a[3][1] = a[2][3] = a[3][2] = to_others;
    a[0][1] = a[1][0] = least(r1, r1 + (gap - r2) / 2);
    a[0][2] = a[2][0] = least(r2, (r2 + gap) / 2);
    a[1][2] = a[2][1] = most(0, (r2 - gap) / 2);
    a[0][0] = most(0, gap - r2);
}

/* The mean flow between two links of these weights: equal weights are treated alike, whatever their order. */
static double flow_between(const double w[4], double a[4][4], double from, double to)
{
    double sum = 0;
    int pairs = 0;
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            if (i != j && w[i] == from && w[j] == to) sum += a[i][j], pairs++;
    return sum / pairs;
}

void dimer_loop_scatter(const int parallel[4], double coupling, double probability[4])
{
    const double heat_bath_share = 1.0 / 32, smallest_weight = 1e-300;
    int best = -1;
    double w[4], sorted[4], a[4][4], sum = 0, moved = 0;
    for (int i = 0; i < 4; i++)
        if (parallel[i] < 3 && (best < 0 || (coupling > 0 ? parallel[i] > best : parallel[i] < best))) best = parallel[i];
    for (int i = 0; i < 4; i++) {
        sum += w[i] = parallel[i] < 3 ? most(exp(coupling * (parallel[i] - best)), smallest_weight) : 0;
        int at = i;
        for (; at > 0 && sorted[at - 1] < w[i]; at--) sorted[at] = sorted[at - 1];
        sorted[at] = w[i];
    }
    fewest_bounces(sorted, a);
    for (int i = 1; i < 4; i++) {
        const double heat_bath = w[i] / (sum - least(w[0], w[i]));
        moved += probability[i] = (1 - heat_bath_share) * (flow_between(sorted, a, w[0], w[i]) / w[0]) + heat_bath_share * heat_bath;
    }
    probability[0] = most(0, 1 - moved);
}

/* thresholds[lanes][k], k = 0..2: 64 random bits below it turn by at most k + 1 links; above all three the head bounces. */
static void make_table(double coupling, uint64_t thresholds[256][4])
{
    for (int lanes = 0; lanes < 256; lanes++) {
        const int parallel[4] = {lanes & 3, lanes >> 2 & 3, lanes >> 4 & 3, lanes >> 6};
        double p[4];
        memset(thresholds[lanes], 0, sizeof thresholds[lanes]);
        if (parallel[0] == 3) continue; /* never: the head came through it */
        dimer_loop_scatter(parallel, coupling, p);
        thresholds[lanes][0] = bernoulli_threshold(p[1], p[2] + (p[3] + p[0]));
        thresholds[lanes][1] = bernoulli_threshold(p[1] + p[2], p[3] + p[0]);
        thresholds[lanes][2] = bernoulli_threshold(p[1] + p[2] + p[3], p[0]);
    }
}

/* ---- one chain ----------------------------------------------------------------------------------------------------- */

/* Where the bytes of the neighbours lie: a frame around an open lattice, the other side of a torus. */
typedef struct {
    int32_t rows, columns, stride;
    int32_t after_last_row, before_first_row, after_last_column, before_first_column;
} byte_lattice;

typedef struct {
    uint8_t *bytes; /* of vertex (0, 0) */
    int32_t row, column, link; /* of the head; the link it was reached by, seen from the even vertex, times 2 */
    uint64_t steps, rng[4];
    int64_t worms_left, sample; /* worms to the end of this sample; the sample being made */
} loop_chain;

typedef struct {
    const dimer_lattice *lattice;
    byte_lattice bytes;
    const uint64_t (*thresholds)[4];
    int64_t chains, worms, count;
    int8_t *partners;
    uint64_t *rng;
    uint8_t *packed;
    int64_t *parallel_pairs, *steps;
} run;

static int64_t framed(const dimer_lattice *lattice) { return (lattice->rows + 2) * (lattice->columns + 2); }

int64_t dimer_loop_workspace(const dimer_lattice *lattice) { return 256 * 4 + TOGETHER * framed(lattice) / 8 + 1; }

static byte_lattice arrange(const dimer_lattice *lattice)
{
    const int32_t rows = (int32_t)lattice->rows, columns = (int32_t)lattice->columns, stride = columns + 2;
    if (lattice->open) return (byte_lattice){rows, columns, stride, stride, -stride, 1, -1};
    return (byte_lattice){rows, columns, stride, -(rows - 1) * stride, (rows - 1) * stride, 1 - columns, columns - 1};
}

static void load(const byte_lattice *b, const int8_t *partners, uint8_t *bytes)
{
    memset(bytes + b->rows * b->stride, 3, (size_t)b->columns);
    memset(bytes - b->stride, 3 << 4, (size_t)b->columns);
    for (int32_t row = 0; row < b->rows; row++) {
        uint8_t *line = bytes + row * b->stride;
        line[b->columns] = 3 << 2;
        line[-1] = 3 << 6;
        for (int32_t column = row & 1; column < b->columns; column += 2) line[column] = (uint8_t)(1 << 2 * partners[row * b->columns + column]);
    }
}

/* x + a + b - 2 modulo size, for 0 <= x < size and a, b in 0..2. */
static inline __attribute__((always_inline)) int32_t moved(int32_t x, int32_t a, int32_t b, int32_t size)
{
    x += a + b - 2;
    x = x < 0 ? x + size : x;
    return x >= size ? x - size : x;
}

/* 1 + the step in the direction link / 2. */
static inline __attribute__((always_inline)) int32_t row_step(int32_t link) { return 0x46 >> link & 3; }
static inline __attribute__((always_inline)) int32_t column_step(int32_t link) { return 0x19 >> link & 3; }

/* Even vertices tell their partners. */
static void unload(const byte_lattice *b, const uint8_t *bytes, int8_t *partners)
{
    for (int32_t row = 0; row < b->rows; row++)
        for (int32_t column = row & 1; column < b->columns; column += 2) {
            const int32_t link = __builtin_ctz(bytes[row * b->stride + column]);
            const int32_t there = moved(row, row_step(link), 1, b->rows), beside = moved(column, column_step(link), 1, b->columns);
            partners[row * b->columns + column] = (int8_t)(link / 2);
            partners[there * b->columns + beside] = (int8_t)(link / 2 ^ 2);
        }
}

static inline void lift(const byte_lattice *b, loop_chain *c)
{
    const uint64_t half = (uint64_t)b->columns / 2, choice = (uint64_t)(((unsigned __int128)xoshiro_next(c->rng) * ((uint64_t)b->rows * half)) >> 64);
    const int32_t row = (int32_t)(choice / half), column = (int32_t)(choice % half) * 2 + (row & 1);
    uint8_t *tail = c->bytes + row * b->stride + column;
    c->link = __builtin_ctz(*tail);
    c->row = moved(row, row_step(c->link), 1, b->rows);
    c->column = moved(column, column_step(c->link), 1, b->columns);
    *tail = 0;
}

/* A step; whether the worm closed. */
static inline __attribute__((always_inline)) int step(const byte_lattice *b, const uint64_t (*thresholds)[4], loop_chain *c, int open)
{
    const int32_t row = c->row, column = c->column, back = c->link ^ 4;
    uint8_t *head = c->bytes + row * b->stride + column;
    uint8_t *const next[4] = {head + (row == b->rows - 1 ? b->after_last_row : b->stride),
                              head + (column == b->columns - 1 ? b->after_last_column : 1),
                              head + (row == 0 ? b->before_first_row : -b->stride), head + (column == 0 ? b->before_first_column : -1)};
    const uint32_t b0 = *next[0], b1 = *next[1], b2 = *next[2], b3 = *next[3];
    uint32_t lanes = ((b0 + b2) & COLUMNS) | ((b1 + b3) & ROWS);
    if (open) {
        const uint32_t absent = ((b0 | b2) & ROWS & HIGH) | ((b1 | b3) & COLUMNS & HIGH);
        lanes |= absent | absent >> 1;
    }
    const uint64_t bits = xoshiro_next(c->rng), *limits = thresholds[(lanes * 0x101 >> back) & 0xff];
    const int32_t turn = 1 + (bits >= limits[0]) + (bits >= limits[1]) + (bits >= limits[2]);
    const int32_t link = (back + 2 * turn) & 6;
    const uint32_t lifted = (b0 | b1 << 8 | b2 << 16 | b3 << 24) >> 4 * link & 0xff;
    *next[link / 2] = (uint8_t)(1 << (link ^ 4));
    c->steps++;
    if (lifted == 0) return 1; /* the tail */
    c->link = __builtin_ctz(lifted);
    c->row = moved(row, row_step(link), row_step(c->link), b->rows);
    c->column = moved(column, column_step(link), column_step(c->link), b->columns);
    return 0;
}

/* ---- the samples of all chains ------------------------------------------------------------------------------------- */

/* Sample c->sample is finished: its covering, what is stored of it, and the stream. */
static void store(const run *r, const loop_chain *c, int64_t chain)
{
    int8_t *partners = r->partners + chain * dimer_vertices(r->lattice);
    unload(&r->bytes, c->bytes, partners);
    dimer_pack(r->lattice, partners, r->packed + c->sample * dimer_link_bytes(r->lattice));
    r->parallel_pairs[c->sample] = dimer_parallel_pairs(r->lattice, partners);
    r->steps[c->sample] = (int64_t)c->steps;
    memcpy(r->rng + 4 * chain, c->rng, sizeof c->rng);
}

/* After a closure: the next worm, for the next sample if this one is finished. 0 when the chain has made all its samples. */
static __attribute__((noinline)) int go_on(const run *r, loop_chain *c, int64_t chain)
{
    if (--c->worms_left == 0) {
        store(r, c, chain);
        c->sample += r->chains;
        if (c->sample >= r->count) return 0;
        c->worms_left = r->worms;
        c->steps = 0;
    }
    lift(&r->bytes, c);
    return 1;
}

/* Begin the samples of a chain; 0 if there are none. */
static int begin(const run *r, loop_chain *c, int64_t chain, int64_t first, uint8_t *bytes)
{
    *c = (loop_chain){.bytes = bytes, .worms_left = r->worms, .sample = ((chain - first) % r->chains + r->chains) % r->chains};
    if (c->sample >= r->count) return 0;
    memcpy(c->rng, r->rng + 4 * chain, sizeof c->rng);
    load(&r->bytes, r->partners + chain * dimer_vertices(r->lattice), bytes);
    lift(&r->bytes, c);
    return 1;
}

static inline __attribute__((always_inline)) void advance(const run *r, loop_chain *c, int64_t chain, int open)
{
    loop_chain local = *c;
    const byte_lattice b = r->bytes;
    do {
        while (!step(&b, r->thresholds, &local, open)) continue;
    } while (go_on(r, &local, chain));
}

RSMI_CLONES static void advance_torus(const run *r, loop_chain *c, int64_t chain) { advance(r, c, chain, 0); }
RSMI_CLONES static void advance_open(const run *r, loop_chain *c, int64_t chain) { advance(r, c, chain, 1); }

int dimer_loop_sample(const dimer_lattice *lattice, double coupling, int64_t chains, int64_t worms, int64_t first, int64_t count,
                      int8_t *partners, uint64_t *rng, uint64_t *workspace, uint8_t *packed, int64_t *parallel_pairs, int64_t *steps)
{
    uint64_t(*thresholds)[4] = (uint64_t(*)[4])workspace;
    if (chains < 1 || worms < 1 || first < 0 || count < 0 || !isfinite(coupling)) return RSMI_BAD_VALUE;
    for (int64_t chain = 0; chain < chains; chain++) {
        const int status = dimer_check_covering(lattice, partners + chain * dimer_vertices(lattice));
        if (status != RSMI_OK) return status;
    }
    make_table(coupling, thresholds);
    const run r = {lattice, arrange(lattice), (const uint64_t(*)[4])thresholds, chains, worms, count, partners, rng, packed, parallel_pairs, steps};
    uint8_t *bytes = (uint8_t *)(thresholds + 256) + r.bytes.stride + 1;
    for (int64_t chain = 0; chain < chains; chain++) {
        loop_chain c;
        if (begin(&r, &c, chain, first, bytes)) (lattice->open ? advance_open : advance_torus)(&r, &c, chain);
    }
    return RSMI_OK;
}
