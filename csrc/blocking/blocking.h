/* Coarse-graining of packed spin configurations by a block rule. */
#ifndef RSMI_BLOCKING_H
#define RSMI_BLOCKING_H

#include "blocking/block_rule.h"

/* Draws the coarse configurations of n_samples packed rows.
 *
 * rows      (n_samples, ceil(components * sites / 8)), the bits of arrays (components, *shape) in C
 *           order (absent leading axes of `shape` are 1); the shape is a multiple of the block
 * key       (2,) of this step; the bits of coarse spin j at coarse site c are keyed_bits(key,
 *           samples[i], c * n_hidden + j)
 * samples   (n_samples,), the number of each row in the whole data set
 * coarse    (n_samples, ceil(n_hidden * coarse_sites / 8)), the bits of the array (n_hidden,
 *           *coarse_shape) in C order
 *
 * RSMI_BAD_SHAPE: the block does not divide the shape or has more than 64 spins. RSMI_NO_MEMORY. */
int coarse_grain(const uint8_t *rows, int64_t n_samples, const int64_t shape[3],
                 const block_rule *rule, const uint64_t key[2], const uint64_t *samples,
                 uint8_t *coarse);

#endif
