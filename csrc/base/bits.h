/* Runs of bits of a packed row (np.packbits with bitorder="little": bit k of the row is bit k & 7
 * of byte k >> 3). */
#ifndef RSMI_BITS_H
#define RSMI_BITS_H

#include <stdint.h>
#include <string.h>

/* Reads `width` bits (1..64) from `position` on; the first one is bit 0 of the result. Reads only
 * bytes of the row, which has n_bytes. */
static inline uint64_t read_bits(const uint8_t *row, int64_t n_bytes, int64_t position, int width)
{
    const uint8_t *first = row + (position >> 3);
    const int64_t left = n_bytes - (position >> 3);
    const int shift = (int)(position & 7);
    uint64_t word = 0;
    if (left >= 8) /* the usual case is one load */
        memcpy(&word, first, 8);
    else
        memcpy(&word, first, (size_t)left);
    word >>= shift;
    if (shift + width > 64)
        word |= (uint64_t)first[8] << (64 - shift);
    return width < 64 ? word & ((1ULL << width) - 1) : word;
}

/* Writes the low `width` bits (1..64) of `word` from `position` on, where the row must hold zeros.
 * Touches only the bytes in which they lie. */
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
