/* Two-spin correlations by population counts.
 *
 * A product of two spins +-1 is -1 where their bits differ, so the sum over n pairs is n - 2
 * popcount(XOR). A cyclic shift of a slab by d sites pairs the run [0, n - d) with [d, n), and the
 * run [n - d, n) with [0, d).
 *
 * Memory: each run is read 64 sites at a time straight from the packed row, wherever in a byte it
 * begins. There is no workspace, and no special case for a side that is no multiple of 64 or for
 * the number of dimensions.
 *
 * Reference: Y. Tomita, Y. Okabe, Phys. Rev. B 66, 180401 (2002), for the correlation ratio, which
 * these sums serve. */
#include "blocking/correlations.h"

#include "base/bits.h"
#include "base/compiler.h"
#include "base/status.h"

/* The number of k in 0 .. n - 1 at which the bits a + k and b + k of a row differ. */
RSMI_INLINE int64_t differing(const uint8_t *row, int64_t n_bytes, int64_t a, int64_t b, int64_t n)
{
    int64_t count = 0;
    for (int64_t k = 0; k < n; k += 64) {
        const int width = n - k < 64 ? (int)(n - k) : 64;
        count += __builtin_popcountll(read_bits(row, n_bytes, a + k, width) ^
                                      read_bits(row, n_bytes, b + k, width));
    }
    return count;
}

RSMI_CLONES
int shifted_products(const uint8_t *rows, int64_t n_samples, int64_t slabs, int64_t length,
                     int64_t shift, int64_t *sums)
{
    if (slabs < 1 || length < 1 || shift < 0 || shift >= length)
        return RSMI_BAD_VALUE;
    const int64_t sites = slabs * length, n_bytes = (sites + 7) / 8;
    for (int64_t i = 0; i < n_samples; i++, rows += n_bytes) {
        int64_t count = 0;
        for (int64_t first = 0; first < sites; first += length)
            count += differing(rows, n_bytes, first, first + shift, length - shift) +
                     differing(rows, n_bytes, first + length - shift, first, shift);
        sums[i] = sites - 2 * count;
    }
    return RSMI_OK;
}
