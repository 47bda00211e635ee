/* RSMI objectives by pairs: the minibatch's own blocks v_j are the samples of V given h.
 *
 * Koch-Janusz & Ringel, Nature Physics 14, 578 (2018). With P_h = mean_j q(h|v_j), w_hj = q(h|v_j) / sum_j q(h|v_j) and
 * B the batch size:
 *
 *   proxy (eq. 14)     A = B/(B-1) sum_h P_h w_h^T F w_h,   dA/dq(h|v_j) = [(F w_h)_j + (F^T w_h)_j - w_h^T F w_h] / (B-1)
 *   log sum (eq. 12)   A = mean_i sum_h q(h|v_i) log S_hi,  S_hi = sum_{j != i} w_hj exp F_ij,
 *                      dA/dq(h|v_j) = log S_hj / B + [sum_i q(h|v_i) exp(F_ij) / (B S_hi) - P_h] / sum_k q(h|v_k)
 *
 * The pair of a block with its own environment is left out (zero diagonal). Terms of the environment alone do not cancel in
 * a finite batch: from every row of F its mean over j != i is subtracted first, and the rows of exp F are divided by their
 * mean over j != i, which makes the log sum a (biased) estimate of the mutual information.
 *
 * Beside the exponentials of the log sum, the cost is two products of n_states x B x B (see dense.c). */
#include "proxy.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "channel.h"
#include "dense.h"
#include "elementary.h"
#include "status.h"

enum { MOST_STATES = 256 };

static void normalize_weights(int64_t n_states, int64_t n, const double *q, double *sum, double *w)
{
    const int64_t ld = padded(n);
    for (int64_t h = 0; h < n_states; h++) {
        sum[h] = lane_sum(n, q + h * ld) + DBL_MIN;
        for (int64_t s = 0; s < ld; s++) w[h * ld + s] = q[h * ld + s] / sum[h];
    }
}

/* Zero diagonal, zero mean of the others in each row. */
static void center_rows(int64_t n, double *energies)
{
    const int64_t ld = padded(n);
    for (int64_t i = 0; i < n; i++) {
        double *row = energies + i * ld;
        row[i] = 0.0;
        const double mean = lane_sum(n, row) / (double)(n - 1);
        for (int64_t j = 0; j < n; j++) row[j] -= mean;
        row[i] = 0.0;
    }
}

double proxy_objective(int64_t n_states, int64_t n, const double *q, double *energies, double *scratch, double *derivative)
{
    const int64_t ld = padded(n);
    double *w = scratch, *forward = w + n_states * ld, *backward = forward + n_states * ld, sum[MOST_STATES], value = 0.0;
    center_rows(n, energies);
    normalize_weights(n_states, n, q, sum, w);
    memset(forward, 0, (size_t)(n_states * ld) * sizeof *forward);
    multiply_add(n_states, n, n, w, ld, energies, forward);
    multiply_transposed(n_states, n, n, w, energies, backward);
    for (int64_t h = 0; h < n_states; h++) {
        double *g = derivative + h * ld, square = 0.0;
        for (int64_t s = 0; s < n; s++) square += w[h * ld + s] * forward[h * ld + s];
        for (int64_t s = 0; s < n; s++) g[s] = (forward[h * ld + s] + backward[h * n + s] - square) / (double)(n - 1);
        for (int64_t s = n; s < ld; s++) g[s] = 0.0;
        value += sum[h] * square / (double)(n - 1);
    }
    return value;
}

/* Row -> exp(row - max) / mean, with the diagonal zero. */
RSMI_CLONES
static void exponentiate_rows(int64_t n, double *energies)
{
    const int64_t ld = padded(n);
    for (int64_t i = 0; i < n; i++) {
        double *row = energies + i * ld;
        row[i] = -INFINITY;
        double largest = row[0];
        for (int64_t j = 1; j < n; j++) largest = row[j] > largest ? row[j] : largest;
        for (int64_t j = 0; j < ld; j += 8) {
            *(lanes8 *)(row + j) -= largest;
            exponential((lanes8 *)(row + j));
        }
        row[i] = 0.0;
        const double mean = lane_sum(n, row) / (double)(n - 1);
        for (int64_t j = 0; j < ld; j++) row[j] = j < n ? row[j] / mean : 0.0;
    }
}

double log_sum_objective(int64_t n_states, int64_t n, const double *q, double *energies, double *scratch, double *derivative)
{
    const int64_t ld = padded(n);
    double *w = scratch, *s_sum = w + n_states * ld, *back = s_sum + n_states * ld, sum[MOST_STATES], value = 0.0;
    exponentiate_rows(n, energies);
    normalize_weights(n_states, n, q, sum, w);
    multiply_transposed(n_states, n, n, w, energies, s_sum);
    for (int64_t h = 0; h < n_states; h++)
        for (int64_t s = 0; s < ld; s++) w[h * ld + s] = s < n ? q[h * ld + s] / ((double)n * (s_sum[h * n + s] + DBL_MIN)) : 0.0;
    memset(back, 0, (size_t)(n_states * ld) * sizeof *back);
    multiply_add(n_states, n, n, w, ld, energies, back);
    for (int64_t h = 0; h < n_states; h++) {
        double *g = derivative + h * ld;
        for (int64_t s = 0; s < ld; s++) {
            const double log_sum = s < n ? log(s_sum[h * n + s] + DBL_MIN) : 0.0;
            value += q[h * ld + s] * log_sum / (double)n;
            g[s] = s < n ? log_sum / (double)n + back[h * ld + s] / sum[h] - 1.0 / (double)n : 0.0;
        }
    }
    return value;
}
