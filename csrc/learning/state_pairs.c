/* F_ij = sum_k log sum_b exp(a_kb,i + c_kb,j) for all pairs (i, j).
 *
 * exp(a - max_b a) and exp(c - max_b c) are computed once per row and column. A pair needs a scalar
 * product of q of them and one logarithm for each unit; the maxima are added in the end. In double
 * precision this is exact to rounding as long as a unit's largest terms of row and column are less
 * than 700 nats apart.
 *
 * Memory: fields and factors are (unit, state, sample), batch-last as in dense.c. */
#include "learning/state_pairs.h"

#include <string.h>

#include "base/compiler.h"
#include "base/dense.h"
#include "base/elementary.h"
#include "base/status.h"

void state_pairs_take(arena *a, int64_t states, int64_t rows, int64_t columns, int64_t n_units,
                      state_pairs *w)
{
    w->states = states, w->rows = rows, w->columns = columns;
    w->row_factor = arena_doubles(a, (size_t)(padded(rows) * n_units * states));
    w->column_factor = arena_doubles(a, (size_t)(padded(columns) * n_units * states));
    w->row_sum = arena_doubles(a, (size_t)padded(rows));
    w->column_sum = arena_doubles(a, (size_t)padded(columns));
}

/* factor[b][j] = exp(field[b][j] - max_b), and sum[j] += max_b, for the states b of one unit. */
RSMI_CLONES
static void exponentiate(int64_t states, int64_t n, int64_t stride, const double *field,
                         double *factor, double *sum)
{
    const int64_t ld = padded(n);
    for (int64_t j = 0; j < n; j += 8) {
        const int64_t count = n - j < 8 ? n - j : 8;
        lanes8 largest = {0};
        for (int64_t b = 0; b < states; b++)
            for (int64_t i = 0; i < count; i++) {
                const double x = field[b * stride + j + i];
                largest[i] = b == 0 || x > largest[i] ? x : largest[i];
            }
        for (int64_t b = 0; b < states; b++) {
            lanes8 x = {0};
            for (int64_t i = 0; i < count; i++)
                x[i] = field[b * stride + j + i];
            x -= largest;
            exponential(&x);
            *(lanes8 *)(factor + b * ld + j) = x;
        }
        *(lanes8 *)(sum + j) += largest;
    }
}

/* out[j] += log sum_b row[b] column[b][j] for one unit, of which row[b] is `stride` apart. */
RSMI_CLONES
static void add_unit(int64_t states, int64_t columns, const double *row, int64_t stride,
                     const double *column, double *out)
{
    const int64_t ld = padded(columns);
    for (int64_t j = 0; j < columns; j += 8) {
        lanes8 sum = (lanes8){0} + 1e-304;
        for (int64_t b = 0; b < states; b++)
            sum += row[b * stride] * *(const lanes8 *)(column + b * ld + j);
        logarithm(&sum);
        *(lanes8 *)(out + j) += sum;
    }
}

void state_pair_energies(int64_t rows, int64_t columns, int64_t n_units, const double *row_field,
                         int64_t row_stride, const double *column_field,
                         const double *column_offset, const state_pairs *w, double *out)
{
    const int64_t q = w->states, row_ld = padded(rows), ld = padded(columns);
    memset(w->row_sum, 0, (size_t)row_ld * sizeof *w->row_sum);
    memset(w->column_sum, 0, (size_t)ld * sizeof *w->column_sum);
    for (int64_t k = 0; k < n_units; k++) {
        exponentiate(q, rows, row_stride, row_field + k * q * row_stride,
                     w->row_factor + k * q * row_ld, w->row_sum);
        exponentiate(q, columns, ld, column_field + k * q * ld, w->column_factor + k * q * ld,
                     w->column_sum);
    }
    for (int64_t i = 0; i < rows; i++) {
        double *row = out + i * ld;
        for (int64_t j = 0; j < ld; j++)
            row[j] = w->row_sum[i] + w->column_sum[j] + (column_offset ? column_offset[j] : 0.0);
        for (int64_t k = 0; k < n_units; k++)
            add_unit(q, columns, w->row_factor + k * q * row_ld + i, row_ld,
                     w->column_factor + k * q * ld, row);
        memset(row + columns, 0, (size_t)(ld - columns) * sizeof *row);
    }
}

int state_pair_table(int64_t states, int64_t n_rows, int64_t n_columns, int64_t n_units,
                     const double *rows, const double *columns, double *out)
{
    if (states < 2 || n_rows < 1 || n_columns < 1 || n_units < 1)
        return RSMI_BAD_SHAPE;
    const int64_t ld = padded(n_columns), fields = n_units * states;
    arena a = {0};
    state_pairs w;
    state_pairs_take(&a, states, n_rows, n_columns, n_units, &w);
    double *column = arena_doubles(&a, (size_t)(fields * ld)),
           *table = arena_doubles(&a, (size_t)(n_rows * ld));
    const int status = a.failed ? RSMI_NO_MEMORY : RSMI_OK;
    if (status == RSMI_OK) {
        for (int64_t k = 0; k < fields; k++)
            memcpy(column + k * ld, columns + k * n_columns, (size_t)n_columns * sizeof *column);
        state_pair_energies(n_rows, n_columns, n_units, rows, n_rows, column, NULL, &w, table);
        for (int64_t i = 0; i < n_rows; i++)
            memcpy(out + i * n_columns, table + i * ld, (size_t)n_columns * sizeof *out);
    }
    arena_free(&a);
    return status;
}

RSMI_CLONES
void add_log_sums(int64_t states, int64_t n_units, int64_t columns, double sign,
                  const double *field, double *sum)
{
    const int64_t ld = padded(columns);
    for (int64_t k = 0; k < n_units; k++)
        for (int64_t j = 0; j < ld; j += 8) {
            const double *x = field + k * states * ld + j;
            lanes8 largest = *(const lanes8 *)x, total = {0};
            for (int64_t b = 1; b < states; b++)
                for (int i = 0; i < 8; i++)
                    largest[i] = x[b * ld + i] > largest[i] ? x[b * ld + i] : largest[i];
            for (int64_t b = 0; b < states; b++) {
                lanes8 weight = *(const lanes8 *)(x + b * ld) - largest;
                exponential(&weight);
                total += weight;
            }
            logarithm(&total);
            *(lanes8 *)(sum + j) += sign * (largest + total);
        }
}
