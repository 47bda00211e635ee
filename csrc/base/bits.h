/* Runs of bits of a packed row (np.packbits, bitorder="little": bit k of the row is bit k & 7 of
 * byte k >> 3). */
#ifndef RSMI_BITS_H
#define RSMI_BITS_H

#include <stdint.h>
#include <string.h>

/* The `width` bits (1..64) from `position` on, the first in bit 0. Reads only bytes of the row,
 * which has n_bytes. */
static inline uint64_t read_bits(const uint8_t *row, int64_t n_bytes, int64_t position, int width)
{
    const uint8_t *first = row + (position >> 3);
    const int64_t left = n_bytes - (position >> 3);
    const int shift = (int)(position & 7);
    uint64_t word = 0;
    if (left >= 8) /* the usual case, one load */
        memcpy(&word, first, 8);
    else
        memcpy(&word, first, (size_t)left);
    word >>= shift;
    if (shift + width > 64)
        word |= (uint64_t)first[8] << (64 - shift);
    return width < 64 ? word & ((1ULL << width) - 1) : word;
}

/* Sets the `width` bits (1..64) from `position` on to the low bits of `word`; they were zero.
 * Touches only the bytes they lie in. */
static inline void join_bits(uint8_t *row, int64_t position, uint64_t word, int width)
{
    uint8_t *first = row + (position >> 3);
    const int shift = (int)(position & 7), n_bytes = (shift + width + 7) >> 3;
    if (width < 64)
        word &= (1ULL << width) - 1;
    uint64_t there = 0;
    memcpy(&there, first, (size_t)(n_bytes < 8 ? n_bytes : 8));
    there |= word << shift;
    memcpy(first, &there, (size_t)(n_bytes < 8 ? n_bytes : 8));
    if (n_bytes > 8)
        first[8] |= (uint8_t)(word >> (64 - shift));
}

#endif
