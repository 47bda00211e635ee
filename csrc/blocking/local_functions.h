/* Local functions of the spins as sums of products, for the kernel of low modes. */
#ifndef RSMI_LOCAL_FUNCTIONS_H
#define RSMI_LOCAL_FUNCTIONS_H

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

/* RSMI_BAD_SHAPE: 2^24 sites or more. RSMI_BAD_VALUE: a product without points, or a point, mode or
 * orbit out of range. */
int check_local_functions(const local_functions *f);

#endif
