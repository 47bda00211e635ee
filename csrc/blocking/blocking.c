/* Coarse-graining by blocks.
 *
 * The spins of one block, read as a binary number (site i of the block in bit i), are its state.
 * For blocks of up to 16 sites the probability of every state is tabulated once per call as a
 * threshold on 64 random bits; larger blocks evaluate it site by site. Thresholds of 0 and 1 are
 * exact, and a rule that has no others (decimation) needs no random bits; a fair tie is the
 * threshold 2^63, the top bit.
 *
 * Layout: rows are bit-packed and read in place, a run of block[2] bits per row of the block; a row
 * of blocks is gathered at a time, so that every fine byte is touched in order. Random bits are
 * keyed by (sample, coarse site, hidden), hence independent of the order, the thread and the shard
 * in which a sample is treated.
 *
 * Hard rules of 2x2 blocks are logic of four bits (squares.h): samples lie side by side (lanes.h),
 * the blocks of a row of blocks at every second bit of two rows. The random bits of ties are made
 * 64 at a time.
 *
 * Reference: Koch-Janusz & Ringel, Nature Physics 14, 578 (2018), supplement; Swendsen, PRL 42, 859
 * (1979) for the majority rule with fair ties. */
#include "blocking/blocking.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "blocking/squares.h"
#include "base/status.h"

enum { LARGEST_TABLE_BLOCK = 16, LARGEST_BLOCK = 64 };

#define ALWAYS UINT64_MAX /* probability 1; no double below 1 reaches this threshold */
#define TIE (1ULL << 63)

static uint64_t threshold_of(const double *filter, double bias, int hard, int64_t n_block,
                             uint64_t state)
{
    double field = bias, scale = 0.0;
    for (int64_t i = 0; i < n_block; i++) {
        field += (state >> i) & 1 ? filter[i] : -filter[i];
        scale += fabs(filter[i]);
    }
    if (hard)
        return fabs(field) <= 1e-9 * scale ? TIE : field > 0.0 ? ALWAYS : 0;
    const double probability = 1.0 / (1.0 + exp(-field));
    return probability < 1.0 ? probability_threshold(probability) : ALWAYS;
}

/* Thresholds of all states, (n_hidden, 2^n_block), or NULL. */
static uint64_t *tabulate(const block_rule *rule, int64_t n_block)
{
    const uint64_t n_states = 1ULL << n_block;
    uint64_t *table = malloc((size_t)rule->n_hidden * n_states * sizeof *table);
    if (!table)
        return NULL;
    for (int64_t j = 0; j < rule->n_hidden; j++)
        for (uint64_t state = 0; state < n_states; state++)
            table[(uint64_t)j * n_states + state] = threshold_of(
                rule->filters + j * n_block, rule->bias[j], rule->hard, n_block, state);
    return table;
}

/* States of the blocks in row (c0, c1) of the coarse lattice. */
static void gather_states(const uint8_t *row, int64_t n_bytes, const int64_t shape[3],
                          const int64_t block[3], int64_t c0, int64_t c1, uint64_t *states)
{
    const int width = (int)block[2];
    const int64_t n_coarse = shape[2] / width;
    memset(states, 0, (size_t)n_coarse * sizeof *states);
    int bit = 0;
    for (int64_t i0 = 0; i0 < block[0]; i0++)
        for (int64_t i1 = 0; i1 < block[1]; i1++, bit += width) {
            const int64_t start = ((c0 * block[0] + i0) * shape[1] + c1 * block[1] + i1) * shape[2];
            for (int64_t c2 = 0; c2 < n_coarse; c2++)
                states[c2] |= read_bits(row, n_bytes, start + c2 * width, width) << bit;
        }
}

static int is_certain(const uint64_t *thresholds, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        if (thresholds[i] != 0 && thresholds[i] != ALWAYS)
            return 0;
    return 1;
}

/* Replace thresholds by draws 0 or 1; entry c is the coarse spin with the number first + c *
 * stride. Every spin pays for its hash, needed or not: without branches the loop runs several
 * hashes at a time. */
RSMI_CLONES
static void draw_spins(uint64_t *spins, int64_t n, const uint64_t key[2], uint64_t sample,
                       uint64_t first, uint64_t stride)
{
    for (int64_t c = 0; c < n; c++) {
        const uint64_t bits = keyed_bits(key, sample, first + (uint64_t)c * stride);
        spins[c] = (bits < spins[c]) | (spins[c] == ALWAYS);
    }
}

static void write_bits(const uint64_t *spins, int64_t n, int64_t position, uint8_t *row)
{
    for (int64_t c = 0; c < n; c++, position++)
        row[position >> 3] |= (uint8_t)((spins[c] & 1) << (position & 7));
}

/* ---- hard rules of 2x2 blocks
 * --------------------------------------------------------------------------------------- */

int square_rule_of(const block_rule *rule, const int64_t shape[3], square_rule *square)
{
    memset(square, 0, sizeof *square);
    if (shape[0] != 1 || rule->block[0] != 1 || rule->block[1] != 2 || rule->block[2] != 2 ||
        rule->n_hidden != 1)
        return 0;
    for (uint64_t state = 0; state < SQUARE_STATES; state++) {
        const uint64_t threshold =
            threshold_of(rule->filters, rule->bias[0], rule->hard, SQUARE_SITES, state);
        if (threshold != 0 && threshold != TIE && threshold != ALWAYS)
            return 0;
        if (threshold == ALWAYS)
            square->up[state] = ~square->up[state];
        if (threshold == TIE)
            square->tie[state] = ~square->tie[state], square->ties = 1;
    }
    return 1;
}

/* Every second bit, closed up. */
static inline __attribute__((always_inline)) lanes even_bits(lanes x)
{
    x &= 0x5555555555555555;
    x = (x | x >> 1) & 0x3333333333333333;
    x = (x | x >> 2) & 0x0f0f0f0f0f0f0f0f;
    x = (x | x >> 4) & 0x00ff00ff00ff00ff;
    x = (x | x >> 8) & 0x0000ffff0000ffff;
    return x | x >> 16;
}

static inline __attribute__((always_inline)) void spread(const lanes *bits, int64_t n_samples,
                                                         int64_t position, int width,
                                                         int64_t shared, int64_t n_bytes,
                                                         uint8_t *rows)
{
    uint64_t word[LANE_COUNT];
    memcpy(word, bits, sizeof word);
    for (int64_t lane = 0; lane < LANE_COUNT; lane++)
        for (int64_t j = 0; j < shared && n_samples > 0; j++, n_samples--, rows += n_bytes)
            join_row(rows, position, word[lane] >> (j * width), width);
}

/* What the blocks of some samples say: `up` and `tie` are packed coarse rows, zero before. */
RSMI_CLONES
static void decide_squares(const uint8_t *rows, int64_t n_samples, int64_t height, int64_t width,
                           const square_rule *rule, uint8_t *up, uint8_t *tie)
{
    const int64_t shared = rows_in_lane(width), n_bytes = (height * width + 7) / 8,
                  n_coarse_bytes = (height * width / 4 + 7) / 8;
    lanes site[SQUARE_SITES], bits;
    for (int64_t y = 0; y < height / 2; y++)
        for (int64_t x = 0; x < width; x += 64) {
            const int64_t position = (y * width + x) / 2;
            const int columns = width - x < 64 ? (int)(width - x) / 2 : 32;
            for (int i = 0; i < 2; i++) {
                gather_row(rows, n_samples, n_bytes, width, 2 * y + i, x, &site[2 * i]);
                site[2 * i + 1] = site[2 * i] >> 1;
            }
            bits = even_bits(look_up(rule->up, site));
            spread(&bits, n_samples, position, columns, shared, n_coarse_bytes, up);
            if (rule->ties) {
                bits = even_bits(look_up(rule->tie, site));
                spread(&bits, n_samples, position, columns, shared, n_coarse_bytes, tie);
            }
        }
}

/* The ties of one sample: up where the top bit of keyed_bits is 0. */
RSMI_CLONES
static void toss_coins(const uint8_t *tie, int64_t n_coarse, const uint64_t key[2], uint64_t sample,
                       uint8_t *up)
{
    const uint64_t golden = 0x9e3779b97f4a7c15ULL,
                   of_sample = mix64(key[0] + (sample + 1) * golden);
    const int64_t n_bytes = (n_coarse + 7) / 8;
    lanes number; /* lane l makes sites 8 l .. 8 l + 7 of a word */
    for (int l = 0; l < LANE_COUNT; l++)
        number[l] = (8 * (uint64_t)l + 1) * golden;
    for (int64_t byte = 0; byte < n_bytes; byte += 8, number += 57 * golden) {
        lanes down = {0};
        for (int k = 0; k < 8; k++) {
            down |= mix_lanes(of_sample + (key[1] ^ number)) >> 63 << k;
            if (k < 7)
                number += golden;
        }
        uint64_t downs = 0, ties = 0, ups = 0;
        for (int l = 0; l < LANE_COUNT; l++)
            downs |= down[l] << (8 * l);
        const size_t n = n_bytes - byte < 8 ? (size_t)(n_bytes - byte) : 8;
        memcpy(&ties, tie + byte, n);
        memcpy(&ups, up + byte, n);
        ups |= ties & ~downs;
        memcpy(up + byte, &ups, n);
    }
}

static int coarse_grain_squares(const uint8_t *rows, int64_t n_samples, const int64_t shape[3],
                                const square_rule *rule, const uint64_t key[2],
                                const uint64_t *samples, uint8_t *coarse)
{
    const int64_t n_bytes = (shape[1] * shape[2] + 7) / 8, n_coarse = shape[1] * shape[2] / 4,
                  n_coarse_bytes = (n_coarse + 7) / 8;
    const int64_t group = LANE_COUNT * rows_in_lane(shape[2]);
    uint8_t *ties = malloc((size_t)(group * n_coarse_bytes));
    if (!ties)
        return RSMI_NO_MEMORY;
    memset(coarse, 0, (size_t)(n_samples * n_coarse_bytes));
    for (int64_t first = 0; first < n_samples; first += group) {
        const int64_t n = n_samples - first < group ? n_samples - first : group;
        uint8_t *up = coarse + first * n_coarse_bytes;
        memset(ties, 0, (size_t)(group * n_coarse_bytes));
        decide_squares(rows + first * n_bytes, n, shape[1], shape[2], rule, up, ties);
        for (int64_t i = 0; rule->ties && i < n; i++)
            toss_coins(ties + i * n_coarse_bytes, n_coarse, key, samples[first + i],
                       up + i * n_coarse_bytes);
    }
    free(ties);
    return RSMI_OK;
}

/* ---- any rule
 * -------------------------------------------------------------------------------------------------
 */

int coarse_grain(const uint8_t *rows, int64_t n_samples, const int64_t shape[3],
                 const block_rule *rule, const uint64_t key[2], const uint64_t *samples,
                 uint8_t *coarse)
{
    int64_t size[3], n_block = 1, n_sites = 1, n_coarse = 1;
    for (int axis = 0; axis < 3; axis++) {
        const int64_t extent = rule->block[axis];
        if (extent < 1 || extent > LARGEST_BLOCK || shape[axis] < extent || shape[axis] % extent)
            return RSMI_BAD_SHAPE;
        size[axis] = shape[axis] / extent;
        n_block *= extent;
        n_sites *= shape[axis];
        n_coarse *= size[axis];
    }
    if (n_block > LARGEST_BLOCK)
        return RSMI_BAD_SHAPE;
    const int64_t n_hidden = rule->n_hidden, n_bytes = (n_sites + 7) / 8,
                  n_coarse_bytes = (n_hidden * n_coarse + 7) / 8;
    square_rule square;
    if (square_rule_of(rule, shape, &square))
        return coarse_grain_squares(rows, n_samples, shape, &square, key, samples, coarse);
    const int tabulated = n_block <= LARGEST_TABLE_BLOCK;
    uint64_t *table = tabulated ? tabulate(rule, n_block) : NULL;
    uint64_t *states = malloc(2 * (size_t)size[2] * sizeof *states);
    if (!states || (tabulated && !table)) {
        free(states);
        free(table);
        return RSMI_NO_MEMORY;
    }
    uint64_t *spins = states + size[2];
    const int certain = tabulated && is_certain(table, (uint64_t)n_hidden << n_block);

    memset(coarse, 0, (size_t)(n_samples * n_coarse_bytes));
    for (int64_t sample = 0; sample < n_samples;
         sample++, rows += n_bytes, coarse += n_coarse_bytes)
        for (int64_t line = 0; line < size[0] * size[1]; line++) {
            const int64_t site = line * size[2]; /* the first coarse site of this line */
            gather_states(rows, n_bytes, shape, rule->block, line / size[1], line % size[1],
                          states);
            for (int64_t j = 0; j < n_hidden; j++) {
                for (int64_t c = 0; c < size[2]; c++)
                    spins[c] = tabulated ? table[((uint64_t)j << n_block) + states[c]]
                                         : threshold_of(rule->filters + j * n_block, rule->bias[j],
                                                        rule->hard, n_block, states[c]);
                if (!certain)
                    draw_spins(spins, size[2], key, samples[sample],
                               (uint64_t)(site * n_hidden + j), (uint64_t)n_hidden);
                write_bits(spins, size[2], j * n_coarse + site, coarse);
            }
        }
    free(states);
    free(table);
    return RSMI_OK;
}
