/* Coarse-graining of packed spin configurations by a block rule. */
#ifndef RSMI_BLOCKING_H
#define RSMI_BLOCKING_H

#include <stdint.h>

/* A rule: coarse spin j of a block with spins v_i = +-1 (row-major order) is +1 with probability
 * sigma(x_j), x_j = sum_i v_i filters[j][i] + bias[j]; a hard rule takes the sign of x_j and a fair
 * coin where |x_j| <= 1e-9 sum_i |filters[j][i]|. */
typedef struct {
    int64_t block[3]; /* sites per axis; missing leading axes are 1 */
    int64_t n_hidden;
    const double *filters; /* (n_hidden, n_block) */
    const double *bias;    /* (n_hidden,) */
    int hard;
} block_rule;

/* Draw the coarse configurations of n_samples packed rows.
 *
 * rows     (n_samples, ceil(sites / 8)) of lattices of `shape` (C order, missing leading axes 1), a
 * multiple of the block key      of this step; the bits of coarse spin j at coarse site c come from
 * keyed_bits(key, samples[i], c * n_hidden + j) samples  (n_samples,) number of each row in the
 * whole data set coarse   (n_samples, ceil(n_hidden * coarse_sites / 8)), bits of the array
 * (n_hidden, *coarse_shape) in C order
 *
 * RSMI_BAD_SHAPE: the block does not divide the shape or has more than 64 sites. RSMI_NO_MEMORY. */
int coarse_grain(const uint8_t *rows, int64_t n_samples, const int64_t shape[3],
                 const block_rule *rule, const uint64_t key[2], const uint64_t *samples,
                 uint8_t *coarse);

#endif
