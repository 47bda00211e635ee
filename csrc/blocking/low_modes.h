/* Lattice sums and Fourier sums at the smallest wave vectors of local functions of the spins. */
#ifndef RSMI_LOW_MODES_H
#define RSMI_LOW_MODES_H

#include <stdint.h>

enum {
    MODE_WAVES = 5, /* 1, cos(q x), sin(q x), cos(2 q x), sin(2 q x) along an axis */
    MODE_LARGEST_SITES = 1 << 24
};

/* Functions of the spins on a periodic lattice. Function f is the sum over products p and sites x
 * of weights[f][p] times the product of the spins at x + (the points of p).
 *
 * shape       planes, rows, columns, each >= 1; absent axes are leading ones
 * points      (first[n_products], 3), offsets >= 0 and below the side of their axis
 * first       (n_products + 1,), where the points of each product begin; products have at least one
 * weights     (n_functions, n_products, n_modes, 2), real and imaginary part; the phase that
 *             belongs to the centre of a product is part of it
 * numbers     (n_modes, 3), the n of each mode, at most 2 in absolute value and 0 on axes of one
 *             site; mode 0 is n = 0
 * waves       (3, MODE_WAVES, longest side), the five functions along each axis
 * orbit       (n_modes,), the orbit to which a mode belongs
 * share       (n_modes,), its weight in the average over the orbit; 0 leaves it out */
typedef struct {
    int64_t shape[3];
    int64_t n_products, n_functions, n_modes, n_orbits;
    const int32_t *points;
    const int64_t *first;
    const double *weights;
    const int32_t *numbers;
    const float *waves;
    const int32_t *orbit;
    const double *share;
} local_functions;

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
