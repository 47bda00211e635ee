/* A block rule, and the probability that it gives to a block. */
#ifndef RSMI_BLOCK_RULE_H
#define RSMI_BLOCK_RULE_H

#include <stdint.h>

/* Coarse spin j of a block with spins v_i = +-1 (all sites of the first component in row-major
 * order, then those of the next one) is +1 with probability 1 / (1 + exp(-x_j)), where x_j = sum_i
 * v_i filters[j][i] + bias[j]. A hard rule takes the sign of x_j, and a fair coin where |x_j| <=
 * 1e-9 sum_i |filters[j][i]|.
 *
 * With products, x_j = sum_p filters[j][p] prod_{i in products[p]} v_i + bias[j]. */
typedef struct {
    int64_t block[3]; /* sites per axis; absent leading axes are 1 */
    int64_t n_hidden;
    const double *filters; /* (n_hidden, n_block) or (n_hidden, n_products) */
    const double *bias;    /* (n_hidden,) */
    int hard;
    int64_t components; /* spins of a fine site; n_block = components * sites of the block */
    int64_t n_products;
    const uint64_t *products; /* (n_products,): bit i is 1 if spin i is a factor; NULL for sites */
} block_rule;

#define BLOCK_ALWAYS UINT64_MAX /* probability 1; no double below 1 reaches this threshold */
#define BLOCK_TIE (1ULL << 63)

/* The probability that coarse spin j is +1 for a block in this state (spin i of the block is bit
 * i), as a threshold on 64 random bits: 0, BLOCK_TIE and BLOCK_ALWAYS are exactly 0, 1/2 and 1. */
uint64_t block_threshold(const block_rule *rule, int64_t j, uint64_t state);

#endif
