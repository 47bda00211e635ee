/* Pair energies of Boltzmann machines whose hidden units have several states. */
#ifndef RSMI_STATE_PAIRS_H
#define RSMI_STATE_PAIRS_H

#include <stdint.h>

#include "base/arena.h"

/* The workspace for matrices of up to (rows, columns) and n_units units of `states` states. */
typedef struct {
    int64_t states, rows, columns;
    double *row_factor, *column_factor; /* (n_units states, rows or columns) */
    double *row_sum, *column_sum;
} state_pairs;

void state_pairs_take(arena *a, int64_t states, int64_t rows, int64_t columns, int64_t n_units,
                      state_pairs *w);

/* out[i][j] = column_offset[j] + sum_k log sum_b exp(row_field[k q + b][i] + column_field[k q +
 * b][j]) with q = w->states.
 *
 * row_field (n_units q, row_stride) and column_field (n_units q, padded(columns)) are in nats;
 * column_offset may be NULL. The padding of out (rows, padded(columns)) is set to zero. The
 * logarithm of a unit is at least -700 below the sum of its largest fields. */
void state_pair_energies(int64_t rows, int64_t columns, int64_t n_units, const double *row_field,
                         int64_t row_stride, const double *column_field,
                         const double *column_offset, const state_pairs *w, double *out);

/* The same from plain row-major fields rows (n_units q, n_rows) and columns (n_units q, n_columns)
 * into out (n_rows, n_columns), with a workspace of its own. */
int state_pair_table(int64_t states, int64_t n_rows, int64_t n_columns, int64_t n_units,
                     const double *rows, const double *columns, double *out);

/* sum[j] += sign * sum_k log sum_b exp(field[k q + b][j]), with field (n_units q,
 * padded(columns)). */
void add_log_sums(int64_t states, int64_t n_units, int64_t columns, double sign,
                  const double *field, double *sum);

#endif
