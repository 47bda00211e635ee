/* Operators of two-dimensional configurations on all levels of repeated blocking, for many
 * configurations at once. */
#ifndef RSMI_LEVELS_H
#define RSMI_LEVELS_H

#include "blocking/blocking.h"
#include "blocking/operators.h"

/* sums[level][i][a] is what operator_sums gives for configuration i after `level` steps of
 * coarse_grain, with the same bits. Configurations are treated 512 at a time, so that fewer cost as
 * much.
 *
 * rows, samples          as in coarse_grain
 * shape                  (3,), the first is 1; divisible by 2^steps
 * rule                   hard, of 2x2 blocks, with one hidden unit
 * keys                   (steps, 2), the key of every step
 * terms .. n_operators   as in operator_sums
 * sums                   (steps + 1, n_samples, n_operators)
 *
 * RSMI_BAD_SHAPE: the lattice is of another kind. RSMI_UNSUPPORTED: the rule is of another kind.
 * RSMI_BAD_VALUE: a malformed term. RSMI_NO_MEMORY. */
int level_sums(const uint8_t *rows, int64_t n_samples, const int64_t shape[3],
               const block_rule *rule, int64_t steps, const uint64_t *keys, const uint64_t *samples,
               const int32_t *terms, const int32_t *term_operator, int64_t n_terms,
               int64_t n_operators, int64_t *sums);

#endif
