/* Sums over the lattice of products of two spins, from packed rows. */
#ifndef RSMI_CORRELATIONS_H
#define RSMI_CORRELATIONS_H

#include <stdint.h>

/* sums[i] = sum over slabs and positions p of s[p] s[p + shift], cyclic within each slab.
 *
 * A lattice in C order is prod(shape[:axis]) slabs of prod(shape[axis:]) sites. The neighbour at
 * distance r along the axis is r prod(shape[axis + 1:]) sites further on in the slab, cyclically.
 * So one call serves one axis and one distance of a periodic lattice of any dimension.
 *
 * rows   (n_samples, ceil(slabs * length / 8)), packed, bit 1 = spin +1
 * sums   (n_samples,)
 *
 * RSMI_BAD_VALUE unless slabs >= 1, length >= 1 and 0 <= shift < length. */
int shifted_products(const uint8_t *rows, int64_t n_samples, int64_t slabs, int64_t length,
                     int64_t shift, int64_t *sums);

#endif
