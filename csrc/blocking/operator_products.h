/* Sums over samples of products of operators, of the energy, and of the operators one level up. */
#ifndef RSMI_OPERATOR_PRODUCTS_H
#define RSMI_OPERATOR_PRODUCTS_H

#include <stdint.h>

/* Adds the products over the samples of each block.
 *
 * sums          (n_levels, n_samples, n_operators[0] + n_operators[1]), the operators of two
 *               sectors, even and odd
 * energies      (n_samples,)
 * blocks        (n_samples,), each below n_blocks, in any order
 * products[s]   (n_blocks, n_levels, k, 2 + 2 k) with k = n_operators[s]; row a receives sum a of
 *               its own level times 1, the energy, the k sums of its own level, and the k sums of
 *               the level before (zeros for the first level)
 *
 * The caller ensures that nothing overflows. RSMI_NO_MEMORY. */
int accumulate_levels(const int64_t *sums, const int64_t *energies, const int64_t *blocks,
                      int64_t n_levels, int64_t n_samples, const int64_t n_operators[2],
                      int64_t n_blocks, int64_t *products[2]);

#endif
