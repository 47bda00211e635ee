/* The first cumulant without a Boltzmann machine.
 *
 * Jointly Gaussian variables of weak correlation have log P(v,e) - log P(v) P(e) = F(v, e) = (v -
 * <v>) M (e - <e>) up to terms of v or e alone, with M = C_vv^+ C_ve C_ee^+. F is bilinear, so all
 * pairs of a minibatch of B windows cost no more than its windows. With y_i = M (e_i - <e>), q_hj =
 * q(h|v_j) and P_h = mean_j q_hj,
 *
 *     a_h = sum_j q_hj (v_j - <v>),   c_h = sum_i q_hi y_i,   N_h = a_h c_h - sum_j q_hj^2 F_jj,
 *
 * where a block with its own environment is left out as in proxy.c,
 *
 *     A = sum_h N_h / (B (B-1) P_h),
 *     dA/dq_hj = [(v_j - <v>) c_h + y_j a_h - 2 q_hj F_jj - N_h / (B P_h)] / (B (B-1) P_h).
 *
 * Memory: batch-last layout (dense.c), double precision.
 *
 * Reference: M. Koch-Janusz, Z. Ringel, Nature Physics 14, 578 (2018), eq. 14. */
#include "learning/gaussian.h"

#include <float.h>

#include "base/dense.h"

void gaussian_take(arena *a, int64_t n_states, int64_t n, int64_t n_block, gaussian_workspace *w)
{
    const size_t ld = (size_t)padded(n), sites = (size_t)n_block;
    w->pull = arena_doubles(a, sites * ld);
    w->own = arena_doubles(a, ld);
    w->offset = arena_doubles(a, sites);
    w->blocks = arena_doubles(a, (size_t)n_states * sites);
    w->pulls = arena_doubles(a, (size_t)n_states * sites);
}

/* Computes y of every window, and F_ss. */
static void pull_of_environments(const window_table *t, int64_t n, const double *blocks,
                                 const double *environments, gaussian_workspace *w)
{
    const int64_t ld = padded(n);
    memset(w->offset, 0, (size_t)t->n_block * sizeof *w->offset);
    for (int64_t i = 0; i < t->n_block && t->environment_mean; i++)
        for (int64_t k = 0; k < t->n_environment; k++)
            w->offset[i] -= t->critic[i * t->n_environment + k] * t->environment_mean[k];
    fill_rows(t->n_block, n, w->offset, w->pull);
    multiply_add(t->n_block, t->n_environment, n, t->critic, t->n_environment, environments,
                 w->pull);
    memset(w->own, 0, (size_t)ld * sizeof *w->own);
    for (int64_t i = 0; i < t->n_block; i++) {
        const double mean = t->block_mean ? t->block_mean[i] : 0.0;
        for (int64_t s = 0; s < n; s++)
            w->own[s] += (blocks[i * ld + s] - mean) * w->pull[i * ld + s];
    }
}

double gaussian_objective(const window_table *t, int64_t n_states, int64_t n, const double *blocks,
                          const double *environments, const double *q, gaussian_workspace *w,
                          double *derivative)
{
    const int64_t ld = padded(n), sites = t->n_block;
    double value = 0.0;
    pull_of_environments(t, n, blocks, environments, w);
    multiply_transposed(n_states, sites, n, q, blocks, w->blocks);
    multiply_transposed(n_states, sites, n, q, w->pull, w->pulls);
    memset(derivative, 0, (size_t)(n_states * ld) * sizeof *derivative);
    for (int64_t h = 0; h < n_states; h++) {
        const double *weights = q + h * ld, sum = lane_sum(n, weights) + DBL_MIN,
                     scale = 1.0 / ((double)(n - 1) * sum);
        double *a = w->blocks + h * sites, *c = w->pulls + h * sites, *d = derivative + h * ld;
        double total = 0.0, constant = 0.0;
        for (int64_t i = 0; i < sites; i++) {
            const double mean = t->block_mean ? t->block_mean[i] : 0.0;
            a[i] -= sum * mean;
            total += a[i] * c[i];
            constant -= mean * c[i];
        }
        multiply_add(1, sites, n, c, sites, blocks, d);
        multiply_add(1, sites, n, a, sites, w->pull, d);
        for (int64_t s = 0; s < n; s++)
            total -= weights[s] * weights[s] * w->own[s];
        for (int64_t s = 0; s < n; s++)
            d[s] = scale * (d[s] + constant - 2.0 * weights[s] * w->own[s] - total / sum);
        for (int64_t s = n; s < ld; s++)
            d[s] = 0.0;
        value += scale * total;
    }
    return value;
}
