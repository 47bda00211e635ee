/* The two small matrix products of which all objectives are made. dense.c explains the memory
 * layout. */
#ifndef RSMI_DENSE_H
#define RSMI_DENSE_H

#include <stdint.h>

enum { DENSE_LANES = 32 };

/* The row stride of a batch-last matrix with n columns. The columns beyond n are padding. */
static inline int64_t padded(int64_t n)
{
    return (n + DENSE_LANES - 1) / DENSE_LANES * DENSE_LANES;
}

/* y[r][c] += sum_i a[r * stride + i] x[i][c]; x (inner, columns) and y (rows, columns) batch-last,
 * padding included. */
void multiply_add(int64_t rows, int64_t inner, int64_t columns, const double *a, int64_t stride,
                  const double *x, double *y);

/* d[r][i] = sum_c y[r][c] x[i][c]; y (rows, columns), x (inner, columns) batch-last with zero
 * padding in y; d (rows, inner). */
void multiply_transposed(int64_t rows, int64_t inner, int64_t columns, const double *y,
                         const double *x, double *d);

/* Fills row r of the batch-last matrix y (rows, columns) with value[r]. */
void fill_rows(int64_t rows, int64_t columns, const double *value, double *y);

/* The sum of the first n entries, in eight lanes that are added in a fixed order. */
double lane_sum(int64_t n, const double *x);

/* out (sites, n), batch-last, receives the spins of the n windows `index` of the table spins
 * (windows, sites) of +-1. */
void gather_spins(int64_t n, int64_t sites, const int8_t *spins, const int64_t *index, double *out);

#endif
