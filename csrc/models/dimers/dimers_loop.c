/* Interacting dimers by directed loops.
 *
 * The dimer of a random even vertex, the tail, is lifted; its other end, an odd vertex, is the
 * head. The head lays a dimer along any of its four links. If the dimer ends on the tail, the worm
 * closes; otherwise the (even) vertex there lifts its old dimer, whose other end is the new head.
 * The intermediate state is a covering in which the tail has no dimer and one even vertex has two.
 * It is given the weight exp(K parallel plaquettes) too. A step then turns the dimer of the head
 * from the link by which it came to another link, and its probabilities P_ij from link i to j obey
 * w_i P_ij = w_j P_ji with the weights w of these four coverings. The same holds for every worm and
 * its reverse: closed coverings have detailed balance, in all winding sectors. Even tails suffice,
 * since every alternating cycle has even vertices. A worm is never cut.
 *
 * The flows w_i P_ij are those with the fewest bounces (i = j), which may forbid some turns, and a
 * small share of Metropolized heat bath, which allows all turns and makes the chain irreducible at
 * any coupling. At K = 0 both are 1/3 without bounces.
 *
 * Memory. Only even vertices matter until a worm closes. Each has one byte, 1 << 2 * direction of
 * the partner (0 for the tail); odd vertices have 0:
 *
 *     bits   7 6   5 4   3 2   1 0
 *     link    3     2     1     0       one lane of two bits per link
 *
 * Sums of the bytes of neighbours count the parallel neighbours of all four links at once, in lanes
 * of two bits. The lanes, turned so that the link of arrival is lowest, are the number of a row in
 * the table of thresholds. Beyond the edges of an open lattice lie four more bytes that say 3, no
 * such link. All chains share one table of neighbours. A step takes one draw of 64 bits, a worm one
 * more for its tail. A step is a sequence of operations that wait for each other, so INTERLEAVED
 * chains advance in turn, one step each, and the processor works on all of them at once.
 *
 * References: A. W. Sandvik, R. Moessner, Phys. Rev. B 73, 144504 (2006); F. Alet et al., Phys.
 * Rev. E 74, 041124 (2006); O. F. Syljuasen, A. W. Sandvik, Phys. Rev. E 66, 046701 (2002), for the
 * fewest bounces. */
#include "models/dimers/dimers_loop.h"

#include <math.h>
#include <string.h>

#include "base/compiler.h"
#include "base/functions.h"
#include "base/status.h"

enum { INTERLEAVED = 4 };
enum {
    ROWS = 0x33,
    COLUMNS = 0xcc,
    HIGH = 0xaa
}; /* lanes of the links 0 and 2; of 1 and 3; the higher bits of all lanes */

/* ---- the table ---- */

static double least(double a, double b)
{
    return a < b ? a : b;
}
static double most(double a, double b)
{
    return a > b ? a : b;
}

/* Finds symmetric flows a with the row sums w, w[0] >= w[1] >= w[2] >= w[3], and the smallest
 * possible trace. */
static void fewest_bounces(const double w[4], double a[4][4])
{
    /* The smallest weight is spread as evenly as possible, but the largest must be able to place
     * the rest of its weight on the other two. */
    const double to_largest = least(w[3], most(w[3] / 3, (w[0] - w[1] - (w[2] - w[3])) / 2)),
                 to_others = (w[3] - to_largest) / 2;
    const double r1 = w[1] - to_others, r2 = w[2] - to_others,
                 gap = w[0] - w[1] -
                       (to_largest - to_others); /* the difference between the largest and r1 */
    memset(a, 0, 16 * sizeof(double));
    a[0][3] = a[3][0] = to_largest;
    a[1][3] = a[3][1] = a[2][3] = a[3][2] = to_others;
    a[0][1] = a[1][0] = least(r1, r1 + (gap - r2) / 2);
    a[0][2] = a[2][0] = least(r2, (r2 + gap) / 2);
    a[1][2] = a[2][1] = most(0, (r2 - gap) / 2);
    a[0][0] = most(0, gap - r2);
}

/* The mean flow between two links of these weights. Equal weights are treated alike, whatever their
 * order. */
static double flow_between(const double w[4], double a[4][4], double from, double to)
{
    double sum = 0;
    int pairs = 0;
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            if (i != j && w[i] == from && w[j] == to)
                sum += a[i][j], pairs++;
    return sum / pairs;
}

void dimer_loop_scatter(const int parallel[4], double coupling, double probability[4])
{
    const double heat_bath_share = 1.0 / 32, smallest_weight = 1e-300;
    int best = -1;
    double w[4], sorted[4], a[4][4], sum = 0, moved = 0;
    for (int i = 0; i < 4; i++)
        if (parallel[i] < 3 &&
            (best < 0 || (coupling > 0 ? parallel[i] > best : parallel[i] < best)))
            best = parallel[i];
    for (int i = 0; i < 4; i++) {
        sum += w[i] =
            parallel[i] < 3 ? most(exp_of(coupling * (parallel[i] - best)), smallest_weight) : 0;
        int at = i;
        for (; at > 0 && sorted[at - 1] < w[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = w[i];
    }
    fewest_bounces(sorted, a);
    for (int i = 1; i < 4; i++) {
        const double heat_bath = w[i] / (sum - least(w[0], w[i]));
        moved += probability[i] =
            (1 - heat_bath_share) * (flow_between(sorted, a, w[0], w[i]) / w[0]) +
            heat_bath_share * heat_bath;
    }
    probability[0] = most(0, 1 - moved);
}

/* thresholds[lanes][k], k = 0 .. 2: 64 random bits below it turn by at most k + 1 links. Above all
 * three the head bounces. */
static void make_table(double coupling, uint64_t thresholds[256][4])
{
    for (int lanes = 0; lanes < 256; lanes++) {
        const int parallel[4] = {lanes & 3, lanes >> 2 & 3, lanes >> 4 & 3, lanes >> 6};
        double p[4];
        memset(thresholds[lanes], 0, sizeof thresholds[lanes]);
        if (parallel[0] == 3)
            continue; /* this never occurs: the head came through link 0 */
        dimer_loop_scatter(parallel, coupling, p);
        thresholds[lanes][0] = bernoulli_threshold(p[1], p[2] + (p[3] + p[0]));
        thresholds[lanes][1] = bernoulli_threshold(p[1] + p[2], p[3] + p[0]);
        thresholds[lanes][2] = bernoulli_threshold(p[1] + p[2] + p[3], p[0]);
    }
}

/* ---- one chain ---- */

typedef struct {
    uint8_t *bytes;
    uint32_t head, link; /* the link by which it was reached, seen from the even vertex, times 2 */
    uint64_t steps, rng[4];
    int64_t worms_left, sample; /* worms to the end of this sample; the sample that is being made */
} loop_chain;

typedef struct {
    const dimer_lattice *lattice;
    const uint32_t *next; /* the four neighbours of every vertex */
    const uint64_t (*thresholds)[4];
    int64_t chains, worms, count;
    int8_t *partners;
    uint64_t *rng;
    uint8_t *packed;
    int64_t *parallel_pairs, *steps;
} run;

/* The number of words for the bytes of one chain: the vertices, then four bytes beyond the edges of
 * an open lattice. */
static int64_t words_of_chain(const dimer_lattice *lattice)
{
    return dimer_vertices(lattice) / 8 + 2;
}

int64_t dimer_loop_workspace(const dimer_lattice *lattice)
{
    return 256 * 4 + 2 * dimer_vertices(lattice) + INTERLEAVED * words_of_chain(lattice);
}

/* Fills in the neighbours. Beyond the edge in direction d lies vertex number vertices + d. */
static void find_neighbours(const dimer_lattice *lattice, uint32_t *next)
{
    const int64_t rows = lattice->rows, columns = lattice->columns;
    for (int64_t row = 0; row < rows; row++)
        for (int64_t column = 0; column < columns; column++)
            for (int direction = 0; direction < 4; direction++) {
                const int64_t y = row + (direction == 0) - (direction == 2),
                              x = column + (direction == 1) - (direction == 3);
                const int beyond = lattice->open && (y < 0 || y == rows || x < 0 || x == columns);
                *next++ =
                    (uint32_t)(beyond ? rows * columns + direction
                                      : (y + rows) % rows * columns + (x + columns) % columns);
            }
}

static void load(const dimer_lattice *lattice, const int8_t *partners, uint8_t *bytes)
{
    for (int64_t row = 0; row < lattice->rows; row++)
        for (int64_t column = 0; column < lattice->columns; column++)
            *bytes++ =
                (uint8_t)((row + column) % 2 ? 0
                                             : 1 << 2 * partners[row * lattice->columns + column]);
    for (int direction = 0; direction < 4; direction++)
        *bytes++ = (uint8_t)(3 << 2 * direction);
}

/* Writes the partners, from the bytes of the even vertices. */
static void unload(const run *r, const uint8_t *bytes, int8_t *partners)
{
    for (int64_t row = 0; row < r->lattice->rows; row++)
        for (int64_t column = row & 1; column < r->lattice->columns; column += 2) {
            const int64_t vertex = row * r->lattice->columns + column;
            const int direction = __builtin_ctz(bytes[vertex]) / 2;
            partners[vertex] = (int8_t)direction;
            partners[r->next[4 * vertex + direction]] = (int8_t)(direction ^ 2);
        }
}

RSMI_INLINE void lift(const uint32_t *all_next, uint64_t vertices, loop_chain *c)
{
    uint64_t tail =
        (uint64_t)(((unsigned __int128)xoshiro_next(c->rng) * (vertices / 2)) >> 64) * 2;
    tail += c->bytes[tail] == 0; /* that vertex was odd; the next one in its row is even */
    c->link = (uint32_t)__builtin_ctz(c->bytes[tail]);
    c->head = all_next[4 * tail + c->link / 2];
    c->bytes[tail] = 0;
}

/* Makes one step. Returns whether the worm closed. */
RSMI_INLINE int step(const uint32_t *all_next, const uint64_t (*thresholds)[4], loop_chain *c,
                     int open)
{
    const uint32_t *next = all_next + 4 * (uint64_t)c->head, back = c->link ^ 4;
    uint8_t *bytes = c->bytes;
    const uint32_t b0 = bytes[next[0]], b1 = bytes[next[1]], b2 = bytes[next[2]],
                   b3 = bytes[next[3]];
    uint32_t lanes = ((b0 + b2) & COLUMNS) | ((b1 + b3) & ROWS);
    if (open) {
        const uint32_t absent = ((b0 | b2) & ROWS & HIGH) | ((b1 | b3) & COLUMNS & HIGH);
        lanes |= absent | absent >> 1;
    }
    const uint64_t bits = xoshiro_next(c->rng),
                   *limits = thresholds[(lanes * 0x101 >> back) & 0xff];
    const uint32_t turn = 1 + (bits >= limits[0]) + (bits >= limits[1]) + (bits >= limits[2]);
    const uint32_t link = (back + 2 * turn) & 6, vertex = next[link / 2], lifted = bytes[vertex];
    bytes[vertex] = (uint8_t)(1 << (link ^ 4));
    c->steps++;
    if (lifted == 0)
        return 1; /* this is the tail */
    c->link = (uint32_t)__builtin_ctz(lifted);
    c->head = all_next[4 * (uint64_t)vertex + c->link / 2];
    return 0;
}

/* ---- the samples of all chains ---- */

/* Stores sample c->sample: the covering, what is kept of it, and the stream. */
static void store(const run *r, const loop_chain *c, int64_t chain)
{
    int8_t *partners = r->partners + chain * dimer_vertices(r->lattice);
    unload(r, c->bytes, partners);
    dimer_pack(r->lattice, partners, r->packed + c->sample * dimer_link_bytes(r->lattice));
    r->parallel_pairs[c->sample] = dimer_parallel_pairs(r->lattice, partners);
    r->steps[c->sample] = (int64_t)c->steps;
    memcpy(r->rng + 4 * chain, c->rng, sizeof c->rng);
}

/* Stores a finished sample. Returns 0 if it was the last one of the chain. */
static __attribute__((noinline)) int next_sample(const run *r, loop_chain *c, int64_t chain)
{
    store(r, c, chain);
    c->sample += r->chains;
    c->worms_left = r->worms;
    c->steps = 0;
    return c->sample < r->count;
}

/* Begins the samples of a chain. Returns 0 if there are none. */
static int begin(const run *r, loop_chain *c, int64_t chain, int64_t first, uint8_t *bytes)
{
    *c = (loop_chain){.bytes = bytes,
                      .worms_left = r->worms,
                      .sample = ((chain - first) % r->chains + r->chains) % r->chains};
    if (c->sample >= r->count)
        return 0;
    memcpy(c->rng, r->rng + 4 * chain, sizeof c->rng);
    load(r->lattice, r->partners + chain * dimer_vertices(r->lattice), bytes);
    lift(r->next, (uint64_t)dimer_vertices(r->lattice), c);
    return 1;
}

/* Advances `n_chains` chains in turn, one step each, until one has made its samples; returns
 * which. */
RSMI_INLINE int advance(const run *r, loop_chain *c, const int64_t *number, int n_chains, int open)
{
    const uint32_t *next = r->next;
    const uint64_t (*thresholds)[4] = r->thresholds,
                   vertices = (uint64_t)dimer_vertices(r->lattice);
    for (;;)
        for (int k = 0; k < n_chains; k++)
            if (step(next, thresholds, c + k, open)) {
                if (--c[k].worms_left == 0 && !next_sample(r, c + k, number[k]))
                    return k;
                lift(next, vertices, c + k);
            }
}

RSMI_CLONES static int advance_torus(const run *r, loop_chain *c, const int64_t *number,
                                     int n_chains)
{
    return n_chains == INTERLEAVED ? advance(r, c, number, INTERLEAVED, 0)
                                   : advance(r, c, number, 1, 0);
}

RSMI_CLONES static int advance_open(const run *r, loop_chain *c, const int64_t *number,
                                    int n_chains)
{
    return n_chains == INTERLEAVED ? advance(r, c, number, INTERLEAVED, 1)
                                   : advance(r, c, number, 1, 1);
}

/* Advances all chains: INTERLEAVED at once as long as there are so many, then one after the
 * other. */
static void advance_all(const run *r, int64_t first, uint64_t *workspace)
{
    int (*const advance_some)(const run *, loop_chain *, const int64_t *, int) =
        r->lattice->open ? advance_open : advance_torus;
    loop_chain c[INTERLEAVED];
    int64_t number[INTERLEAVED], chain = 0;
    int running = 0;
    uint8_t *own[INTERLEAVED];
    for (int k = 0; k < INTERLEAVED; k++)
        own[k] = (uint8_t *)(workspace + k * words_of_chain(r->lattice));
    for (;;) {
        for (; running < INTERLEAVED && chain < r->chains; chain++)
            if (begin(r, c + running, chain, first, own[running]))
                number[running++] = chain;
        if (running == 0)
            return;
        const int done = advance_some(r, c, number, running);
        running--;
        uint8_t *spare = own[done];
        own[done] = own[running], own[running] = spare;
        c[done] = c[running], number[done] = number[running];
    }
}

int dimer_loop_sample(const dimer_lattice *lattice, double coupling, int64_t chains, int64_t worms,
                      int64_t first, int64_t count, int8_t *partners, uint64_t *rng,
                      uint64_t *workspace, uint8_t *packed, int64_t *parallel_pairs, int64_t *steps)
{
    uint64_t (*thresholds)[4] = (uint64_t (*)[4])workspace;
    if (chains < 1 || worms < 1 || first < 0 || count < 0 || !isfinite(coupling))
        return RSMI_BAD_VALUE;
    const int ladder = lattice->open && (lattice->rows == 2 || lattice->columns == 2);
    if (coupling < (ladder ? 0 : DIMER_LOOP_LEAST_COUPLING))
        return RSMI_BAD_VALUE;
    for (int64_t chain = 0; chain < chains; chain++) {
        const int status =
            dimer_check_covering(lattice, partners + chain * dimer_vertices(lattice));
        if (status != RSMI_OK)
            return status;
    }
    uint32_t *next = (uint32_t *)(thresholds + 256);
    make_table(coupling, thresholds);
    find_neighbours(lattice, next);
    const run r = {lattice,        next,  (const uint64_t (*)[4])thresholds,
                   chains,         worms, count,
                   partners,       rng,   packed,
                   parallel_pairs, steps};
    advance_all(&r, first, (uint64_t *)(next + 4 * dimer_vertices(lattice)));
    return RSMI_OK;
}
