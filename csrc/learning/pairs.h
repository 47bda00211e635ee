/* Pair free energies f(v_j, e_i) of a minibatch, the hot spot of the objectives that use Boltzmann
 * machines. */
#ifndef RSMI_PAIRS_H
#define RSMI_PAIRS_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* The workspace for matrices of up to (rows, columns) and n_hidden terms. */
typedef struct {
    int64_t rows, columns, n_hidden;
    float *row_factor, *column_factor;
    double *row_sum, *column_sum, *shift;
} pairs_workspace;

void pairs_take(arena *a, int64_t rows, int64_t columns, int64_t n_hidden, pairs_workspace *w);

/* out[i][j] = row_offset[i] + column_offset[j] + sum_k log 2cosh(row_field[k][i] +
 * column_field[k][j])
 *
 * row_field (n_hidden, row_stride) and column_field (n_hidden, padded(columns)) are in nats. Either
 * offset may be NULL. The padding of out (rows, padded(columns)) is set to zero. The absolute error
 * is below 5e-6 for a few hundred terms. */
void pair_energies(int64_t rows, int64_t columns, int64_t n_hidden, const double *row_field,
                   int64_t row_stride, const double *column_field, const double *row_offset,
                   const double *column_offset, const pairs_workspace *w, double *out);

/* The same from plain row-major fields rows (n_hidden, n_rows) and columns (n_hidden, n_columns)
 * into out (n_rows, n_columns), with a workspace of its own, `repeats` times (for benchmarks). */
int pair_log_cosh_table(int64_t n_rows, int64_t n_columns, int64_t n_hidden, const double *rows,
                        const double *columns, int64_t repeats, double *out);

/* sum[j] += sign * sum_k log 2cosh(field[k][j]), with field (n_hidden, padded(columns)), in double
 * precision. */
void add_log_cosh(int64_t n_hidden, int64_t columns, double sign, const double *field, double *sum);

#endif
