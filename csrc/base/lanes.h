/* Several packed lattices side by side, so that one operation acts on all of them.
 *
 * A word is eight 64-bit lanes. A lane holds one row of a lattice, or 64 columns of a row that is
 * wider. Rows of at most 32 sites share a lane, as many as fit: bit 0 of each row follows the last
 * bit of the row before it. Sample number l * shared + j of a group is in lane l from bit j *
 * columns on. No operation of the kernels crosses a lane, so that every width of vectors gives the
 * same integers. */
#ifndef RSMI_LANES_H
#define RSMI_LANES_H

#include "base/bits.h"
#include "base/compiler.h"

enum { LANE_COUNT = 8 };

typedef uint64_t lanes __attribute__((vector_size(8 * LANE_COUNT), aligned(8), may_alias));

/* How many lattices have a row in one lane. */
static inline int64_t rows_in_lane(int64_t columns)
{
    return columns < 64 ? 64 / columns : 1;
}

/* read_bits and join_bits for one row, with shortcuts where the bits are whole bytes or lie in one
 * byte. */
RSMI_INLINE uint64_t read_row(const uint8_t *row, int64_t n_bytes, int64_t position, int width)
{
    const uint8_t *first = row + (position >> 3);
    const int shift = (int)(position & 7);
    if (shift + width <= 8)
        return (uint64_t)(*first >> shift) & ((1U << width) - 1);
    if (shift == 0 && width == 16) {
        uint16_t bits;
        memcpy(&bits, first, sizeof bits);
        return bits;
    }
    if (shift == 0 && width == 32) {
        uint32_t bits;
        memcpy(&bits, first, sizeof bits);
        return bits;
    }
    return read_bits(row, n_bytes, position, width);
}

RSMI_INLINE void join_row(uint8_t *row, int64_t position, uint64_t word, int width)
{
    uint8_t *first = row + (position >> 3);
    const int shift = (int)(position & 7);
    if (shift + width <= 8)
        *first |= (uint8_t)((word & ((1U << width) - 1)) << shift);
    else if (shift == 0 && width == 16)
        memcpy(first, &(uint16_t){(uint16_t)word}, 2);
    else if (shift == 0 && width == 32)
        memcpy(first, &(uint32_t){(uint32_t)word}, 4);
    else
        join_bits(row, position, word, width);
}

/* Gathers one row of up to 8 * rows_in_lane(columns) lattices, 64 columns from `first` on. Lattices
 * that are missing are 0. */
RSMI_INLINE void gather_row(const uint8_t *rows, int64_t n_samples, int64_t n_bytes,
                            int64_t columns, int64_t row, int64_t first, lanes *out)
{
    const int width = columns - first < 64 ? (int)(columns - first) : 64;
    const int64_t shared = rows_in_lane(columns), position = row * columns + first;
    uint64_t word[LANE_COUNT];
    for (int64_t lane = 0; lane < LANE_COUNT; lane++) {
        word[lane] = 0;
        for (int64_t j = 0; j < shared && n_samples > 0; j++, n_samples--, rows += n_bytes)
            word[lane] |= read_row(rows, n_bytes, position, width) << (j * columns);
    }
    memcpy(out, word, sizeof word);
}

/* Transposes squares of n x n bits across n words, n = 16 or 64: bit i of x[j] becomes what bit j
 * of x[i] was, in each group of n bits (H. S. Warren, Hacker's Delight, section 7-3). */
RSMI_INLINE void transpose_squares(lanes *x, const int n)
{
    static const uint64_t masks[6] = {0x5555555555555555, 0x3333333333333333, 0x0f0f0f0f0f0f0f0f,
                                      0x00ff00ff00ff00ff, 0x0000ffff0000ffff, 0x00000000ffffffff};
#pragma GCC unroll 6
    for (int stage = n == 16 ? 3 : 5; stage >= 0; stage--) {
        const int distance = 1 << stage;
        for (int first = 0; first < n; first += 2 * distance)
            for (int j = first; j < first + distance; j++) {
                const lanes swap = ((x[j] >> distance) ^ x[j + distance]) & masks[stage];
                x[j + distance] ^= swap;
                x[j] ^= swap << distance;
            }
    }
}

#endif
