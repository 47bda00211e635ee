/* RSMI objectives by pairs (v_j, e_i): rows i are the environments of the minibatch, columns j are
 * samples of V.
 *
 * Column j has the weight c_j (sum c = 1), and row i has a block of its own, v_i = column own(i).
 * With P_h = sum_j c_j q(h|v_j), w_hj = c_j q(h|v_j) / P_h, u_hi = q(h|v_i) and B rows:
 *
 *   proxy (eq. 14)     A = mean_i sum_h u_hi (F w_h)_i
 *   log sum (eq. 12)   A = mean_i sum_h u_hi log S_hi,  S_hi = sum_j w_hj exp F_ij
 *
 * Every q(h|v_j) is taken as independent. With T_hi = u_hi for the proxy, T_hi = u_hi / S_hi for
 * the log sum, and M = F or exp F,
 *
 *   dA/dq(h|v_j) = mean of (F w_h)_i or log S_hi over the rows i with own(i) = j
 *                + c_j / P_h mean_i T_hi (M_ij - sum_k w_hk M_ik).
 *
 * Terms of the environment alone do not cancel in a finite set of columns. From every row of F its
 * mean over the columns is therefore subtracted first, and the rows of exp F are divided by their
 * mean, which makes the log sum an estimate of the mutual information.
 *
 * The columns are one of two sets. *Distinct blocks* of a small V come with their frequencies among
 * all training windows: every h has all its samples, and the own block of a window is one of very
 * many. *The own blocks of the minibatch* are used where V is large: then the pair of a block with
 * its own environment is left out (c = 1/B, factor B/(B-1) for the proxy), and states h that are
 * rarer than one in a batch have too few samples. With 256 states both objectives are biased, with
 * 16 hardly.
 *
 * Memory: arrays are batch-last (dense.c). Beside the exponentials of the log sum, the cost is two
 * products of n_states x rows x columns.
 *
 * Reference: M. Koch-Janusz, Z. Ringel, Nature Physics 14, 578 (2018). */
#include "learning/proxy.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/compiler.h"
#include "base/dense.h"
#include "base/elementary.h"
#include "base/functions.h"
#include "learning/channel.h"

void proxy_take(arena *a, int64_t n_states, int64_t rows, int64_t columns, proxy_columns *c)
{
    const int64_t longest = padded(rows > columns ? rows : columns);
    c->own = arena_take(a, (size_t)rows * sizeof *c->own);
    c->weight = arena_doubles(a, (size_t)padded(columns));
    c->energies = arena_doubles(a, (size_t)(rows * padded(columns)));
    c->w = arena_doubles(a, (size_t)(n_states * longest));
    c->conditional = arena_doubles(a, (size_t)(n_states * longest));
    c->rows_of_state = arena_doubles(a, (size_t)(n_states * padded(rows)));
    c->back = arena_doubles(a, (size_t)(n_states * padded(columns)));
    c->probability = arena_doubles(a, (size_t)n_states);
}

/* Computes P_h and w (n_states, columns). */
static void normalize_weights(int64_t n_states, const double *q, const proxy_columns *c)
{
    const int64_t ld = padded(c->columns);
    for (int64_t h = 0; h < n_states; h++) {
        double *w = c->w + h * ld;
        for (int64_t j = 0; j < ld; j++)
            w[j] = c->weight[j] * q[h * ld + j];
        c->probability[h] = lane_sum(c->columns, w) + DBL_MIN;
        for (int64_t j = 0; j < ld; j++)
            w[j] /= c->probability[h];
    }
}

/* The mean of a row over the columns. The own column must hold zero if it is left out. */
static double row_mean(const proxy_columns *c, const double *row)
{
    double sum = 0.0;
    for (int64_t j = 0; j < c->columns; j++)
        sum += c->weight[j] * row[j];
    return c->leave_own_out ? sum * (double)c->columns / (double)(c->columns - 1) : sum;
}

static void center_rows(const proxy_columns *c)
{
    for (int64_t i = 0; i < c->rows; i++) {
        double *row = c->energies + i * padded(c->columns);
        if (c->leave_own_out)
            row[c->own[i]] = 0.0;
        const double mean = row_mean(c, row);
        for (int64_t j = 0; j < c->columns; j++)
            row[j] -= mean;
        if (c->leave_own_out)
            row[c->own[i]] = 0.0;
    }
}

/* Turns each row into exp(row - max) / mean. */
RSMI_CLONES
static void exponentiate_rows(const proxy_columns *c)
{
    const int64_t ld = padded(c->columns);
    for (int64_t i = 0; i < c->rows; i++) {
        double *row = c->energies + i * ld;
        if (c->leave_own_out)
            row[c->own[i]] = -INFINITY;
        double largest = row[0];
        for (int64_t j = 1; j < c->columns; j++)
            largest = row[j] > largest ? row[j] : largest;
        for (int64_t j = 0; j < ld; j += 8) {
            *(lanes8 *)(row + j) -= largest;
            exponential((lanes8 *)(row + j));
        }
        if (c->leave_own_out)
            row[c->own[i]] = 0.0;
        const double mean = row_mean(c, row);
        for (int64_t j = 0; j < ld; j++)
            row[j] = j < c->columns ? row[j] / mean : 0.0;
    }
}

/* The part of the rows: value = sum_hi u_hi x_hi / B and derivative[own] += x_hi / B, where x is
 * `conditional` or its logarithm; rows_of_state = T_hi / B. */
static double row_part(int64_t n_states, const double *q, const proxy_columns *c, int logarithm,
                       double scale, double *derivative)
{
    const int64_t ld = padded(c->columns), rows_ld = padded(c->rows);
    double value = 0.0;
    for (int64_t h = 0; h < n_states; h++)
        for (int64_t i = 0; i < c->rows; i++) {
            const double u = q[h * ld + c->own[i]],
                         mean = c->conditional[h * c->rows + i] + (logarithm ? DBL_MIN : 0.0);
            const double x = scale * (logarithm ? log_of(mean) : mean);
            value += u * x;
            derivative[h * ld + c->own[i]] += x;
            c->rows_of_state[h * rows_ld + i] = scale * (logarithm ? u / mean : u);
        }
    return value;
}

/* The part of the columns: derivative += c_j / P_h (back_hj - sum_k w_hk back_hk), with back = T
 * M. */
static void column_part(int64_t n_states, const proxy_columns *c, double *derivative)
{
    const int64_t ld = padded(c->columns);
    memset(c->back, 0, (size_t)(n_states * ld) * sizeof *c->back);
    multiply_add(n_states, c->rows, c->columns, c->rows_of_state, padded(c->rows), c->energies,
                 c->back);
    for (int64_t h = 0; h < n_states; h++) {
        const double *back = c->back + h * ld, *w = c->w + h * ld;
        double mean = 0.0;
        for (int64_t j = 0; j < c->columns; j++)
            mean += w[j] * back[j];
        for (int64_t j = 0; j < c->columns; j++)
            derivative[h * ld + j] += c->weight[j] / c->probability[h] * (back[j] - mean);
    }
}

static double objective(int64_t n_states, const double *q, const proxy_columns *c, int logarithm,
                        double scale, double *derivative)
{
    memset(derivative, 0, (size_t)(n_states * padded(c->columns)) * sizeof *derivative);
    normalize_weights(n_states, q, c);
    multiply_transposed(n_states, c->rows, c->columns, c->w, c->energies, c->conditional);
    const double value = row_part(n_states, q, c, logarithm, scale, derivative);
    column_part(n_states, c, derivative);
    return value;
}

double proxy_objective(int64_t n_states, const double *q, const proxy_columns *c,
                       double *derivative)
{
    center_rows(c);
    return objective(n_states, q, c, 0, 1.0 / (double)(c->leave_own_out ? c->rows - 1 : c->rows),
                     derivative);
}

double log_sum_objective(int64_t n_states, const double *q, const proxy_columns *c,
                         double *derivative)
{
    exponentiate_rows(c);
    return objective(n_states, q, c, 1, 1.0 / (double)c->rows, derivative);
}
