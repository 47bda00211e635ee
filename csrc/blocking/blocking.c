/* Coarse-graining by blocks.
 *
 * For blocks of up to 16 spins the probability of every state is tabulated once per call, as a
 * threshold on 64 random bits (block_rule.c). Larger blocks evaluate it for each block. A rule
 * whose thresholds are all 0 or 1, such as decimation, needs no random bits.
 *
 * Memory. Rows are bit-packed and read in place, a run of block[2] bits per row of the block. One
 * row of blocks is gathered at a time, so that every fine byte is touched in order. The components
 * of a site lie apart, one whole lattice after the other, and so do their spins in the state of a
 * block. Random bits are
 * keyed by (sample, coarse site, hidden unit), so they do not depend on the order, the thread or
 * the shard in which a sample is treated. Hard rules of 2x2 blocks have a faster way of their own
 * (squares.c).
 *
 * References: M. Koch-Janusz, Z. Ringel, Nature Physics 14, 578 (2018), supplement; R. H. Swendsen,
 * PRL 42, 859 (1979), for the majority rule with fair ties. */
#include "blocking/blocking.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/random.h"
#include "base/status.h"
#include "blocking/squares.h"

enum { LARGEST_TABLE_BLOCK = 16, LARGEST_BLOCK = 64 };

/* The thresholds of all states, (n_hidden, 2^n_block), or NULL if there is no memory. */
static uint64_t *tabulate(const block_rule *rule, int64_t n_block)
{
    const uint64_t n_states = 1ULL << n_block;
    uint64_t *table = malloc((size_t)rule->n_hidden * n_states * sizeof *table);
    if (!table)
        return NULL;
    for (int64_t j = 0; j < rule->n_hidden; j++)
        for (uint64_t state = 0; state < n_states; state++)
            table[(uint64_t)j * n_states + state] = block_threshold(rule, j, state);
    return table;
}

/* Adds the spins of one component, whose first bit is `first`, to the states of the blocks in row
 * (c0, c1) of the coarse lattice, from bit `bit` of each state on. */
static void gather_states(const uint8_t *row, int64_t n_bytes, int64_t first,
                          const int64_t shape[3], const int64_t block[3], int64_t c0, int64_t c1,
                          int bit, uint64_t *states)
{
    const int width = (int)block[2];
    const int64_t n_coarse = shape[2] / width;
    for (int64_t i0 = 0; i0 < block[0]; i0++)
        for (int64_t i1 = 0; i1 < block[1]; i1++, bit += width) {
            const int64_t start =
                first + ((c0 * block[0] + i0) * shape[1] + c1 * block[1] + i1) * shape[2];
            for (int64_t c2 = 0; c2 < n_coarse; c2++)
                states[c2] |= read_bits(row, n_bytes, start + c2 * width, width) << bit;
        }
}

static int is_certain(const uint64_t *thresholds, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        if (thresholds[i] != 0 && thresholds[i] != BLOCK_ALWAYS)
            return 0;
    return 1;
}

/* Replaces thresholds by draws, 0 or 1. Entry c is the coarse spin with the number first + c *
 * stride. Every spin pays for its hash, whether it needs one or not: without branches the loop runs
 * several hashes at a time. */
RSMI_CLONES
static void draw_spins(uint64_t *spins, int64_t n, const uint64_t key[2], uint64_t sample,
                       uint64_t first, uint64_t stride)
{
    for (int64_t c = 0; c < n; c++) {
        const uint64_t bits = keyed_bits(key, sample, first + (uint64_t)c * stride);
        spins[c] = (bits < spins[c]) | (spins[c] == BLOCK_ALWAYS);
    }
}

static void write_bits(const uint64_t *spins, int64_t n, int64_t position, uint8_t *row)
{
    for (int64_t c = 0; c < n; c++, position++)
        row[position >> 3] |= (uint8_t)((spins[c] & 1) << (position & 7));
}

int coarse_grain(const uint8_t *rows, int64_t n_samples, const int64_t shape[3],
                 const block_rule *rule, const uint64_t key[2], const uint64_t *samples,
                 uint8_t *coarse)
{
    const int64_t components = rule->components;
    int64_t size[3], n_block = components, n_sites = 1, n_coarse = 1;
    for (int axis = 0; axis < 3; axis++) {
        const int64_t extent = rule->block[axis];
        if (extent < 1 || extent > LARGEST_BLOCK || shape[axis] < extent || shape[axis] % extent)
            return RSMI_BAD_SHAPE;
        size[axis] = shape[axis] / extent;
        n_block *= extent;
        n_sites *= shape[axis];
        n_coarse *= size[axis];
    }
    if (components < 1 || n_block > LARGEST_BLOCK)
        return RSMI_BAD_SHAPE;
    const int64_t n_hidden = rule->n_hidden, n_bytes = (components * n_sites + 7) / 8,
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
            memset(states, 0, (size_t)size[2] * sizeof *states);
            for (int64_t i = 0; i < components; i++)
                gather_states(rows, n_bytes, i * n_sites, shape, rule->block, line / size[1],
                              line % size[1], (int)(i * (n_block / components)), states);
            for (int64_t j = 0; j < n_hidden; j++) {
                for (int64_t c = 0; c < size[2]; c++)
                    spins[c] = tabulated ? table[((uint64_t)j << n_block) + states[c]]
                                         : block_threshold(rule, j, states[c]);
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
