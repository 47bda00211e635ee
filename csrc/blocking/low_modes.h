/* Lattice sums and Fourier sums at the smallest wave vectors of local functions of the spins. */
#ifndef RSMI_LOW_MODES_H
#define RSMI_LOW_MODES_H

#include "blocking/local_functions.h"

/* values[i][f] = F_f(0), the sum of function f over configuration i, and factors[i][f][k] = the sum
 * over the modes of orbit k of share times |F_f(n)|^2, where F_f(n) is the sum over products and
 * sites of weights[f][p][n] exp(-i q x) times the product of spins, q = 2 pi n / (sides).
 *
 * rows       (n_samples, ceil(sites / 8)), packed, bit 1 = spin +1
 * values     (n_samples, n_functions)
 * factors    (n_samples, n_functions, n_orbits); unused if n_modes = 1
 *
 * The order of all sums is fixed, so that every instruction set gives the same bits.
 *
 * RSMI_BAD_SHAPE: 2^24 sites or more. RSMI_BAD_VALUE: a point, mode or orbit out of range.
 * RSMI_NO_MEMORY. */
int low_modes(const local_functions *functions, const uint8_t *rows, int64_t n_samples,
              double *values, double *factors);

#endif
