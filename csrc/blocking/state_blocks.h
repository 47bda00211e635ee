/* Coarse-graining of packed configurations of variables with several states. */
#ifndef RSMI_STATE_BLOCKS_H
#define RSMI_STATE_BLOCKS_H

#include <stdint.h>

/* A rule as a table over the states of a block. The state of a block is sum_i v_i q^i of the codes
 * v_i of its sites in row-major order. The coarse code h of a state is the number of its thresholds
 * that are not above 64 random bits; a threshold UINT64_MAX is above all bits. */
typedef struct {
    int64_t block[3];           /* sites per axis; absent leading axes are 1 */
    int64_t states;             /* q of a fine site */
    int64_t planes;             /* bits of a fine code */
    int64_t coarse_states;      /* of the coarse variable */
    int64_t coarse_planes;      /* bits of a coarse code */
    const uint64_t *thresholds; /* (q^n_block, coarse_states - 1), not decreasing along a row */
} state_rule;

enum { MOST_STATES_OF_BLOCK = 1 << 16, MOST_STATES_OF_SITE = 16 };

/* Draws the coarse configurations of n_samples packed rows.
 *
 * rows      (n_samples, ceil(planes * sites / 8)), the bits of arrays (planes, *shape) in C order;
 *           plane p is bit p of the codes
 * key       (2,) of this step; the bits of coarse site c are keyed_bits(key, samples[i], c)
 * samples   (n_samples,), the number of each row in the whole data set
 * coarse    (n_samples, ceil(coarse_planes * coarse_sites / 8))
 *
 * RSMI_BAD_SHAPE: the block does not divide the shape or has too many states. RSMI_BAD_VALUE: a
 * code is that of no state. RSMI_NO_MEMORY. */
int coarse_grain_states(const uint8_t *rows, int64_t n_samples, const int64_t shape[3],
                        const state_rule *rule, const uint64_t key[2], const uint64_t *samples,
                        uint8_t *coarse);

#endif
