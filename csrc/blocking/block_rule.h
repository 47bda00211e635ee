/* The rule of a block. */
#ifndef RSMI_BLOCK_RULE_H
#define RSMI_BLOCK_RULE_H

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

#define BLOCK_ALWAYS UINT64_MAX /* probability 1; no double below 1 reaches this threshold */
#define BLOCK_TIE (1ULL << 63)

/* The threshold. */
uint64_t block_threshold(const double *filter, double bias, int hard, int64_t n_block,
                         uint64_t state);

#endif
